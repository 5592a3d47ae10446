//! A command as a child process.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::num::NonZeroU32;
use std::process::ExitStatus;
use std::time::Duration;

use brownout_report::Exit;

use crate::{Attempted, Failed, Work};

/// Cannot be executed, as shells say it.
const NOT_EXECUTABLE: u8 = 126;
/// Not found, as shells say it.
const NOT_FOUND: u8 = 127;

/// A program with its arguments, run anew for each attempt. It shares the runner's standard streams.
#[derive(Clone, Debug)]
pub struct Command {
    /// Name or path, looked up as a shell would.
    pub program: OsString,
    /// Handed over as they are; no shell takes them apart.
    pub arguments: Vec<OsString>,
}

impl Work for Command {
    async fn attempt(&mut self, _: NonZeroU32, allowance: Option<Duration>) -> Attempted {
        let mut command = tokio::process::Command::new(&self.program);
        let mut child = command.args(&self.arguments).spawn().map_err(|error| self.not_started(&error))?;
        let ended = match allowance {
            None => child.wait().await,
            Some(allowance) => match tokio::time::timeout(allowance, child.wait()).await {
                Ok(ended) => ended,
                Err(_) => {
                    let _ = child.kill().await;
                    let exit = Exit { timed_out: true, ..Exit::default() };
                    return Err(Failed { error: "still running when its time was up".to_owned(), exit, fatal: None });
                }
            },
        };
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failed(status)),
            Err(error) => Err(Failed {
                error: format!("failed to wait for the command: {error}"),
                exit: Exit::default(),
                fatal: None,
            }),
        }
    }

    fn command(&self) -> Option<Vec<String>> {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        Some(words.map(|word| word.to_string_lossy().into_owned()).collect())
    }
}

impl Command {
    fn not_started(&self, error: &std::io::Error) -> Failed {
        let fatal = match error.kind() {
            ErrorKind::NotFound => NOT_FOUND,
            _ => NOT_EXECUTABLE,
        };
        let program = self.program.to_string_lossy();
        Failed { error: format!("cannot run `{program}`: {error}"), exit: Exit::default(), fatal: Some(fatal) }
    }
}

fn failed(status: ExitStatus) -> Failed {
    let exit = Exit { exit_code: status.code(), signal: signal(status), timed_out: false };
    // "exit status: 3", "signal: 9 (SIGKILL)".
    Failed { error: status.to_string(), exit, fatal: None }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
const fn signal(_: ExitStatus) -> Option<i32> {
    None
}
