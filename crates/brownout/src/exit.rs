//! How the program ends.

use std::fmt;
use std::process::ExitCode;

use brownout_load::Verdict;
use brownout_report::{LoadReport, exit_code};

/// An exit code: one of [`exit_code`], which says when each is used, or that of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(u8);

impl Exit {
    pub(crate) const FINE: Self = Self(exit_code::FINE);
    pub(crate) const FAILED: Self = Self(exit_code::FAILED);
    pub(crate) const USAGE: Self = Self(exit_code::USAGE);
    pub(crate) const UNTOLD: Self = Self(exit_code::UNTOLD);
    pub(crate) const MISSED: Self = Self(exit_code::MISSED);
    pub(crate) const OWN_FAILURE: Self = Self(exit_code::OWN_FAILURE);

    /// What a whole load came to: one without an answer, or of which a part is missing, failed; one that this machine could not keep up with
    /// tells nothing; else what was expected of it decides.
    pub(crate) fn of_load(report: &LoadReport) -> Self {
        let LoadReport { result, shards, verdict, .. } = report;
        let lacks = shards.as_ref().is_some_and(|shards| shards.lack().is_some());
        if lacks || result.is_unanswered() || result.cut_short.is_some() {
            return Self::FAILED;
        }
        if result.is_saturated() { Self::UNTOLD } else { Self::of_verdict(verdict.as_ref()) }
    }

    /// What became of what was expected, if anything was.
    pub(crate) fn of_verdict(verdict: Option<&Verdict>) -> Self {
        match verdict.map(|verdict| verdict.as_expected) {
            None | Some(Some(true)) => Self::FINE,
            Some(Some(false)) => Self::MISSED,
            Some(None) => Self::UNTOLD,
        }
    }

    /// Ended by signal `number`, as shells say it.
    pub(crate) const fn signalled(number: u8) -> Self {
        Self(exit_code::signalled(number))
    }

    /// At once, without another word.
    pub(crate) fn now(self) -> ! {
        crate::watch::leave();
        std::process::exit(self.0.into())
    }

    /// A code that a command ended with.
    pub(crate) const fn of_command(code: u8) -> Self {
        Self(code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.0.into()
    }
}

/// An end before the end: what to say, and the code.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Stop {
    /// A mistake in flags or files.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self { exit: Exit::USAGE, message: format!("error: {message}") }
    }

    /// The same, as a failure of the runner and not of what it runs.
    pub(crate) fn into_own_failure(self) -> Self {
        Self { exit: Exit::OWN_FAILURE, ..self }
    }

    /// A failure of the world.
    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self { exit: Exit::FAILED, message: format!("error: {message}") }
    }
}
