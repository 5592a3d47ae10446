//! A command as a child process.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::num::NonZeroU32;
use std::process::ExitStatus;
use std::time::Duration;

use brownout_report::{Exit, Failing, Reason, RunStop, exit_code};

#[cfg(unix)]
use crate::terminal::Terminal;
use crate::tree::{Soil, bury_orphans};
use crate::watch::{Ended, Watch};
use crate::{Attempted, Failed, Signals, Work};

/// A program with its arguments, run anew for each attempt.
#[derive(Clone, Debug)]
pub struct Command {
    /// Name or path, looked up as a shell would.
    pub program: OsString,
    /// Handed over as they are; no shell takes them apart.
    pub arguments: Vec<OsString>,
    /// How long it may take to end once it was asked to, before it is killed. Default 10 s.
    pub grace: Duration,
    /// Whether somebody sits at a terminal: then it stays in the process group of this program. Default no.
    pub at_terminal: bool,
    /// Whether this program starts nothing else, so that all that is left to it as a child is of the command. Default no.
    pub alone: bool,
    /// The most attempts there will be, for the command to know. Default without bound.
    pub attempts_max: Option<u32>,
}

/// The tries of a command.
#[derive(Debug)]
pub struct Tries {
    command: Command,
    last: Option<Exit>,
    #[cfg(unix)]
    terminal: Option<Terminal>,
}

const GRACE: Duration = Duration::from_secs(10);

impl Command {
    /// With every default.
    #[must_use]
    pub const fn new(program: OsString, arguments: Vec<OsString>) -> Self {
        Self { program, arguments, grace: GRACE, at_terminal: false, alone: false, attempts_max: None }
    }

    /// As it is to be tried.
    #[must_use]
    pub fn tries(self) -> Tries {
        Tries {
            #[cfg(unix)]
            terminal: if self.at_terminal { Terminal::remember() } else { None },
            command: self,
            last: None,
        }
    }

    fn not_started(&self, error: &std::io::Error) -> Failed {
        let code = match error.kind() {
            ErrorKind::NotFound => exit_code::NOT_FOUND,
            _ => exit_code::NOT_EXECUTABLE,
        };
        let program = self.program.to_string_lossy();
        let failing = Failing::new(format!("cannot run `{program}`: {error}"), Reason::Spawn);
        Failed { failing, end: Some(RunStop::Spawn(code)) }
    }
}

impl Work for Tries {
    async fn attempt(&mut self, number: NonZeroU32, allowance: Option<Duration>, signals: &mut Signals) -> Attempted {
        let attempted = self.try_once(number, allowance, signals).await;
        self.last = Some(attempted.as_ref().err().map_or_else(Exit::default, |failed| failed.failing.exit));
        attempted
    }

    fn command(&self) -> Option<Vec<String>> {
        let words = std::iter::once(&self.command.program).chain(&self.command.arguments);
        Some(words.map(|word| word.to_string_lossy().into_owned()).collect())
    }
}

impl Tries {
    async fn try_once(&self, number: NonZeroU32, allowance: Option<Duration>, signals: &mut Signals) -> Attempted {
        let Command { grace, at_terminal, alone, .. } = self.command;
        if alone {
            bury_orphans();
        }
        let soil = Soil::prepare(!at_terminal, alone);
        let child = self.prepared(number).spawn().map_err(|error| self.command.not_started(&error))?;
        let tree = soil.grow(child.id().expect("it has not been waited for"));
        let mut watch = Watch { child, tree, grace, at_terminal };
        let ended = watch.end(allowance, signals).await;
        match ended {
            Ok(Ended::Itself(status)) if status.success() => return Ok(()),
            _ => self.restore_terminal(),
        }
        Err(match ended {
            Ok(Ended::Itself(status)) => failed(status).into(),
            Ok(Ended::TimedOut) => Failing::new("still running when its time was up", Reason::Timeout).into(),
            Ok(Ended::Told(signal)) => {
                let failing = Failing::new(format!("ended, since the runner got signal {signal}"), Reason::Interrupted);
                Failed { failing, end: Some(RunStop::Interrupted(signal)) }
            }
            Err(error) => Failing::new(format!("failed to wait for the command: {error}"), Reason::Error).into(),
        })
    }

    fn prepared(&self, number: NonZeroU32) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.command.program);
        command.args(&self.command.arguments).kill_on_drop(true).env("BROWNOUT_ATTEMPT", number.to_string());
        match self.command.attempts_max {
            Some(max) => command.env("BROWNOUT_MAX_ATTEMPTS", max.to_string()),
            None => command.env_remove("BROWNOUT_MAX_ATTEMPTS"),
        };
        match self.last.and_then(Exit::code) {
            Some(code) => command.env("BROWNOUT_LAST_EXIT", code.to_string()),
            None => command.env_remove("BROWNOUT_LAST_EXIT"),
        };
        #[cfg(unix)]
        if !self.command.at_terminal {
            command.process_group(0);
        }
        command
    }

    fn restore_terminal(&self) {
        #[cfg(unix)]
        if let Some(terminal) = &self.terminal {
            terminal.restore();
        }
    }
}

fn failed(status: ExitStatus) -> Failing {
    let exit = Exit { exit_code: status.code(), signal: signal(status), timed_out: false };
    let reason = if exit.signal.is_some() { Reason::Signal } else { Reason::ExitCode };
    // "exit status: 3", "signal: 9 (SIGKILL)".
    Failing { exit, ..Failing::new(status.to_string(), reason) }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
const fn signal(_: ExitStatus) -> Option<i32> {
    None
}
