//! What is run between two tries.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use crate::Signals;
use crate::watch::{Ended, Watch};

/// A line for a shell, to be run after a failed attempt and before the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hook<'h> {
    pub(crate) line: &'h OsString,
    /// For it to know.
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) grace: Duration,
    pub(crate) at_terminal: bool,
    pub(crate) alone: bool,
}

impl Hook<'_> {
    /// Runs it, for no longer than `allowance`: what went wrong with it, in words, or the signal that ended it. Its output goes
    /// to standard error, since standard output is the command's.
    pub(crate) async fn run(self, allowance: Option<Duration>, signals: &mut Signals) -> Result<Option<u8>, String> {
        let mut command = tokio::process::Command::new("sh");
        command.arg("-c").arg(self.line).envs(self.environment).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(std::io::stderr());
        let started = Watch::start(&mut command, self.grace, self.at_terminal, self.alone);
        let mut watch = started.map_err(|error| format!("cannot run `sh`: {error}"))?;
        match watch.end(allowance, signals).await {
            Ok(Ended::Itself(status)) if status.success() => Ok(None),
            Ok(Ended::Itself(status)) => Err(status.to_string()),
            Ok(Ended::TimedOut) => Err("it was ended, since the time of the whole run was up".to_owned()),
            Ok(Ended::Told(signal)) => Ok(Some(signal)),
            Err(error) => Err(error.to_string()),
        }
    }
}
