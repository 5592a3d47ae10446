//! A retry runner's run.

mod attempt;
mod junit;
mod plan;
mod schema;

use std::borrow::Cow;
use std::time::Duration;

use brownout_draw::Seed;
use brownout_policy::StopReason;
use serde::{Deserialize, Serialize};

pub use attempt::{Exit, Failing, Reason, RunAttempt};
pub use plan::{PlanReport, PlannedWait};
pub use schema::run_report_schema;

use crate::exit_code;
use crate::number::{counted, millis, seconds};

/// A run of the retry runner: what its report file holds, and what it says. Made when the run begins, and added to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// The form of this record.
    pub schema: Cow<'static, str>,
    /// Of the program that ran it; empty where that is not known.
    #[serde(default)]
    pub version: Cow<'static, str>,
    /// `running`, `success` or `failed`.
    pub status: Cow<'static, str>,
    /// `running`, `success`, `stop_rule`, `interrupted`, `spawn_error`, or why the policy gave up: `exhausted`, `deadline_exceeded`, …
    pub stop_reason: Cow<'static, str>,
    /// Of the whole run; `null` while it runs.
    pub exit_code: Option<u8>,
    /// The command; `null` for the built-in function.
    pub command: Option<Vec<String>>,
    /// Of the jitter.
    pub seed: u64,
    /// When it began, in milliseconds since 1970; `null` where that is not known.
    pub started_unix_ms: Option<u64>,
    /// The most attempts that the policy makes; `null` without bound.
    pub attempts_max: Option<u32>,
    /// Attempts made.
    pub attempts_total: usize,
    /// Of these, retries.
    pub retries: usize,
    /// Work and waits.
    pub elapsed_ms: f64,
    /// Waits alone, as they were decided.
    pub total_delay_ms: f64,
    /// Of the last failed attempt; `null` where none failed.
    pub last_error: Option<String>,
    /// Attempts that are not in the list below, which has the first hundred and the last nine hundred.
    pub attempts_omitted: usize,
    /// The attempts, in order.
    pub attempts: Vec<RunAttempt>,
    #[serde(skip)]
    total_delay: Duration,
}

/// What is known of a run before its first attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOrigin {
    /// The command; `None` for the built-in function.
    pub command: Option<Vec<String>>,
    /// Of the jitter.
    pub seed: Seed,
    /// When it began, since 1970.
    pub started: Option<Duration>,
    /// The most attempts that the policy makes.
    pub attempts_max: Option<u32>,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStop {
    /// An attempt succeeded.
    Success,
    /// The policy gave up.
    GaveUp(StopReason),
    /// A rule says that another try cannot help.
    Rule,
    /// The command could not be started; trying again would not help. The code is 126 or 127.
    Spawn(u8),
    /// The runner got this signal.
    Interrupted(u8),
}

/// So many attempts are kept: a run without bound must not grow a report without bound.
const KEPT_MAX: usize = 1000;
/// Of them, so many of the first.
const FIRST_KEPT: usize = 100;

const RUNNING: &str = "running";
const SUCCESS: &str = "success";

impl RunReport {
    /// The form of this record. The number is raised when what was written before can no longer be read.
    pub(crate) const SCHEMA: &str = "brownout-run-1";

    /// A run without attempts yet.
    #[must_use]
    pub fn new(origin: RunOrigin) -> Self {
        let RunOrigin { command, seed, started, attempts_max } = origin;
        Self {
            schema: Self::SCHEMA.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            status: RUNNING.into(),
            stop_reason: RUNNING.into(),
            exit_code: None,
            command,
            seed: seed.0,
            started_unix_ms: started.and_then(|started| u64::try_from(started.as_millis()).ok()),
            attempts_max,
            attempts_total: 0,
            retries: 0,
            elapsed_ms: 0.0,
            total_delay_ms: 0.0,
            last_error: None,
            attempts_omitted: 0,
            attempts: Vec::new(),
            total_delay: Duration::ZERO,
        }
    }

    /// One more attempt was made; the run has lasted `elapsed`.
    pub fn push(&mut self, attempt: RunAttempt, elapsed: Duration) {
        self.attempts_total += 1;
        self.retries = self.attempts_total - 1;
        self.total_delay = self.total_delay.saturating_add(attempt.delay());
        self.total_delay_ms = millis(self.total_delay);
        self.elapsed_ms = millis(elapsed);
        if attempt.error.is_some() {
            self.last_error.clone_from(&attempt.error);
        }
        if self.attempts.len() == KEPT_MAX {
            self.attempts.remove(FIRST_KEPT);
            self.attempts_omitted += 1;
        }
        self.attempts.push(attempt);
    }

    /// The run is over after `elapsed`.
    pub fn end(&mut self, stop: RunStop, elapsed: Duration) {
        let last = self.attempts.last().map(|attempt| attempt.exit).unwrap_or_default();
        self.status = if stop == RunStop::Success { SUCCESS } else { "failed" }.into();
        self.stop_reason = stop.name().into();
        self.exit_code = Some(stop.exit_code(last));
        self.elapsed_ms = millis(elapsed);
    }

    /// Whether an attempt succeeded.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status == SUCCESS
    }

    /// Whether it is not over, or was killed.
    pub(crate) fn is_running(&self) -> bool {
        self.status == RUNNING
    }

    /// Why the policy gave up, where it did.
    pub(crate) fn gave_up(&self) -> Option<StopReason> {
        StopReason::ALL.into_iter().find(|reason| self.stop_reason == reason.name())
    }

    /// For people: one line.
    #[must_use]
    pub fn text(&self) -> String {
        let retries = counted(self.retries as u64, "retry", "retries");
        let total_delay = Duration::try_from_secs_f64(self.total_delay_ms / 1e3).unwrap_or_default();
        let waited = format!("{retries} (total delay: {})", seconds(total_delay));
        let error = self.last_error.as_deref().unwrap_or("no attempt was made");
        match &*self.status {
            RUNNING => return format!("Running after {waited}\n"),
            SUCCESS => return format!("Success after {waited}\n"),
            _ => {}
        }
        let reason = match self.gave_up() {
            Some(StopReason::DeadlineExceeded | StopReason::DeadlineNear) => " [timeout of the whole run]",
            Some(StopReason::BudgetDenied) => " [the retry budget is spent]",
            Some(StopReason::RetryAfterTooLong) => " [asked to stay away for too long]",
            _ => "",
        };
        format!("Failed after {waited}: {error}{reason}\n")
    }
}

impl RunStop {
    const fn name(self) -> &'static str {
        match self {
            Self::Success => SUCCESS,
            Self::GaveUp(reason) => reason.name(),
            Self::Rule => "stop_rule",
            Self::Spawn(_) => "spawn_error",
            Self::Interrupted(_) => StopReason::Interrupted.name(),
        }
    }

    /// The command's own code where it has one and failed by it: 128 + n after signal n, 1 where there is none.
    fn exit_code(self, last: Exit) -> u8 {
        match self {
            Self::Success => exit_code::FINE,
            Self::Spawn(code) => code,
            Self::Interrupted(signal) => exit_code::signalled(signal),
            Self::GaveUp(StopReason::DeadlineExceeded | StopReason::DeadlineNear) => exit_code::TIMEOUT,
            // What it printed makes a failure of an exit code 0.
            Self::GaveUp(_) | Self::Rule => last.code().filter(|code| *code != 0).unwrap_or(exit_code::FAILED),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
