//! How the program ends.

use std::fmt;
use std::process::ExitCode;

use brownout_load::Verdict;

/// An exit code. The table in `brownout --help` and in the guide lists them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(u8);

impl Exit {
    /// It went well.
    pub(crate) const FINE: Self = Self(0);
    /// It ran, and what it was to find out is bad: unhealthy, every retry spent, no answer.
    pub(crate) const FAILED: Self = Self(1);
    /// Flags or a scenario that make no sense. Nothing was begun.
    pub(crate) const USAGE: Self = Self(2);
    /// It ran, and what came out of it cannot be trusted or tells nothing: too little data.
    pub(crate) const UNTOLD: Self = Self(98);
    /// It ran, and the verdict is bad.
    pub(crate) const MISSED: Self = Self(99);
    /// The program itself failed while it was to run a command.
    pub(crate) const OWN_FAILURE: Self = Self(125);

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
        Self(128 + number)
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
