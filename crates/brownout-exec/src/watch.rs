//! One attempt of a command, from its start to its end.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::tree::{Soil, Tree};
use crate::{Signals, Told};

/// How a command ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// By itself.
    Itself(ExitStatus),
    /// Its time was up.
    TimedOut,
    /// The runner got this signal.
    Told(u8),
}

/// A command that runs.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) child: Child,
    tree: Tree,
    /// Between being asked to end and being killed.
    grace: Duration,
    /// What the keyboard sends reaches the command without help.
    at_terminal: bool,
}

/// SIGINT and SIGQUIT, which a keyboard sends.
const OF_KEYBOARD: [u8; 2] = [2, 3];
const SIGTERM: u8 = 15;
/// So long a signal may take that befell the command and this program at one moment.
const SAME_MOMENT: Duration = Duration::from_millis(10);
/// So long is waited for what was killed.
const KILLED_WITHIN: Duration = Duration::from_secs(5);

impl Watch {
    /// Starts `command`, in a process group of its own unless somebody sits at a terminal.
    ///
    /// - `alone`: this program starts nothing but attempts.
    pub(crate) fn start(command: &mut Command, grace: Duration, at_terminal: bool, alone: bool) -> io::Result<Self> {
        #[cfg(unix)]
        if !at_terminal {
            command.process_group(0);
        }
        let soil = Soil::prepare(!at_terminal, alone);
        let child = command.spawn()?;
        let tree = soil.grow(child.id().expect("it has not been waited for"));
        Ok(Self { child, tree, grace, at_terminal })
    }

    /// Until the command has ended, by itself or not. What has not ended by itself is gone then with all that it started.
    pub(crate) async fn end(&mut self, allowance: Option<Duration>, signals: &mut Signals) -> io::Result<Ended> {
        let limit = sleep(allowance.unwrap_or(Duration::MAX));
        tokio::pin!(limit);
        // The keyboard's signal, which a command may also have taken for something else than its end.
        let mut interrupt: Option<(u8, Instant)> = None;
        loop {
            let told = tokio::select! {
                biased;
                status = self.child.wait() => return Ok(self.ended(status?, interrupt, signals).await),
                () = &mut limit => {
                    self.ask(SIGTERM, signals).await;
                    return Ok(Ended::TimedOut);
                }
                told = signals.next() => told,
            };
            match told {
                Told::End(signal) if self.at_terminal && OF_KEYBOARD.contains(&signal) => {
                    if self.is_fresh(interrupt).is_some() {
                        self.kill().await;
                        return Ok(Ended::Told(signal));
                    }
                    interrupt = Some((signal, Instant::now()));
                }
                Told::End(signal) => {
                    self.ask(signal, signals).await;
                    return Ok(Ended::Told(signal));
                }
                Told::Pass(signal) => self.tree.send(signal),
                Told::Pause => self.tree.pause(),
            }
        }
    }

    /// A command that ends soon after the keyboard's signal, other than well, has ended because of it.
    async fn ended(&self, status: ExitStatus, interrupt: Option<(u8, Instant)>, signals: &mut Signals) -> Ended {
        if !self.at_terminal || status.success() {
            return Ended::Itself(status);
        }
        if let Some(signal) = self.is_fresh(interrupt) {
            return Ended::Told(signal);
        }
        match timeout(SAME_MOMENT, signals.next()).await {
            Ok(Told::End(signal)) => Ended::Told(signal),
            _ => Ended::Itself(status),
        }
    }

    fn is_fresh(&self, interrupt: Option<(u8, Instant)>) -> Option<u8> {
        interrupt.filter(|(_, at)| at.elapsed() <= self.grace).map(|(signal, _)| signal)
    }

    /// Asks by a signal, and kills what has not ended within the grace period, or at once when a second signal comes.
    async fn ask(&mut self, signal: u8, signals: &mut Signals) {
        if !self.grace.is_zero() {
            self.tree.send(signal);
            self.tree.resume();
            let (child, tree) = (&mut self.child, &self.tree);
            let over = async {
                let _ = child.wait().await;
                tree.gone().await;
            };
            tokio::select! {
                () = over => return,
                () = sleep(self.grace) => {}
                () = insisted(signals) => {}
            }
        }
        self.kill().await;
    }

    async fn kill(&mut self) {
        self.tree.kill().await;
        let _ = self.child.start_kill();
        let _ = timeout(KILLED_WITHIN, self.child.wait()).await;
    }
}

/// Another signal that says to end.
async fn insisted(signals: &mut Signals) {
    while !matches!(signals.next().await, Told::End(_)) {}
}
