//! Being asked to end.

use crate::exit::{Exit, Stop};

/// Why something is ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// In words.
    pub(crate) why: &'static str,
    /// The exit code that tells of it.
    pub(crate) exit: Exit,
}

impl Ending {
    /// Ctrl-C.
    pub(crate) const INTERRUPT: Self = Self { why: "ended by SIGINT", exit: Exit::signalled(2) };
    /// SIGTERM.
    pub(crate) const TERMINATE: Self = Self { why: "ended by SIGTERM", exit: Exit::signalled(15) };
}

/// Listens from now on; the future resolves at Ctrl-C or SIGTERM. A second one ends the program at once. Must be called within a
/// runtime.
pub(crate) fn asked_to_end() -> Result<impl Future<Output = Ending>, Stop> {
    let mut signals =
        Signals::listen().map_err(|error| Stop::failed(format!("failed to listen for signals: {error}")))?;
    Ok(async move {
        let first = signals.next().await;
        tokio::spawn(async move { signals.next().await.exit.now() });
        first
    })
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Ending {
        tokio::select! {
            _ = self.interrupt.recv() => Ending::INTERRUPT,
            _ = self.terminate.recv() => Ending::TERMINATE,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    const fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Ending {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Ending::INTERRUPT,
            Err(_) => std::future::pending().await,
        }
    }
}

/// Listens from now on for being told to read files again. Must be called within a runtime.
pub(crate) fn hang_ups() -> HangUps {
    #[cfg(unix)]
    let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok();
    #[cfg(not(unix))]
    let signal = None;
    HangUps(signal)
}

/// SIGHUPs.
#[cfg(unix)]
pub(crate) struct HangUps(Option<tokio::signal::unix::Signal>);

/// None come here.
#[cfg(not(unix))]
pub(crate) struct HangUps(Option<()>);

impl HangUps {
    /// Resolves at the next one.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

/// Does `work`; where Ctrl-C or SIGTERM comes first, `interrupted` is called from another thread. A second one ends the program
/// at once.
pub(crate) fn on_signal<T>(interrupted: impl Fn(Ending) + Sync, work: impl FnOnce() -> T) -> Result<T, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let failed = |error| Stop::failed(format!("failed to listen for signals: {error}"));
    let runtime = runtime.map_err(failed)?;
    let mut signals = runtime.block_on(async { Signals::listen() }).map_err(failed)?;
    let (done, over) = tokio::sync::oneshot::channel::<()>();
    std::thread::scope(|threads| {
        let interrupted = &interrupted;
        threads.spawn(move || {
            runtime.block_on(async {
                let told = async {
                    interrupted(signals.next().await);
                    signals.next().await.exit.now()
                };
                tokio::select! {
                    () = told => {}
                    _ = over => {}
                }
            });
        });
        let result = work();
        let _ = done.send(());
        Ok(result)
    })
}
