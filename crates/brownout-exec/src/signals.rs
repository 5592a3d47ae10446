//! What the runner is told by signals.

use std::io;
#[cfg(unix)]
use std::task::Poll;

/// A signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// End: SIGINT, SIGTERM, SIGHUP, SIGQUIT.
    End(u8),
    /// Something for the command alone: SIGUSR1, SIGUSR2.
    Pass(u8),
    /// Stop, to go on later: SIGTSTP.
    Pause,
}

/// The signals that are listened to.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    streams: Vec<(Told, tokio::signal::unix::Signal)>,
    #[cfg(not(unix))]
    listens: bool,
}

#[cfg(unix)]
impl Signals {
    /// Nothing is listened to: each signal does what it does to any program.
    #[must_use]
    pub const fn none() -> Self {
        Self { streams: Vec::new() }
    }

    /// Listens from now on, but to what was ignored before: `nohup` and shells ignore signals for their commands. Must be
    /// called within a runtime.
    ///
    /// - `at_terminal`: the keyboard's stop reaches the command and this program alike, so it is left alone.
    ///
    /// # Errors
    /// When the system lets nobody listen.
    pub fn listen(at_terminal: bool) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let of = |kind: SignalKind| u8::try_from(kind.as_raw_value()).unwrap_or_default();
        let ends = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
        let passes = [SignalKind::user_defined1(), SignalKind::user_defined2()];
        let pause = SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw());
        let pauses = [pause].into_iter().filter(|_| !at_terminal);
        let told = ends.map(|kind| (kind, Told::End(of(kind)))).into_iter();
        let told = told.chain(passes.map(|kind| (kind, Told::Pass(of(kind)))));
        let told = told.chain(pauses.map(|kind| (kind, Told::Pause)));
        let ignored = ignored();
        let heard = told.filter(|(kind, _)| ignored >> (kind.as_raw_value() - 1) & 1 == 0);
        let streams = heard.map(|(kind, told)| Ok((told, signal(kind)?))).collect::<io::Result<_>>()?;
        Ok(Self { streams })
    }

    /// The next signal. Nothing is lost when this is dropped.
    pub async fn next(&mut self) -> Told {
        std::future::poll_fn(|context| {
            let mut came = self.streams.iter_mut().filter_map(|(told, stream)| {
                let ready = stream.poll_recv(context).is_ready();
                ready.then_some(*told)
            });
            came.next().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Which signals this process ignores since its start, a bit each from signal 1 on; none where nothing tells.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(not(unix))]
impl Signals {
    /// Nothing is listened to.
    #[must_use]
    pub const fn none() -> Self {
        Self { listens: false }
    }

    /// Listens to Ctrl-C.
    ///
    /// # Errors
    /// Never here.
    pub const fn listen(_: bool) -> io::Result<Self> {
        Ok(Self { listens: true })
    }

    /// The next Ctrl-C.
    pub async fn next(&mut self) -> Told {
        if self.listens && tokio::signal::ctrl_c().await.is_ok() {
            return Told::End(2);
        }
        std::future::pending().await
    }
}
