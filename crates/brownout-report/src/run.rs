//! A retry runner's run.

use std::time::Duration;

use brownout_draw::Seed;
use brownout_policy::StopReason;
use serde::Serialize;

use crate::number::{counted, millis, seconds};

/// A run of the retry runner: what its report file holds, and what it says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunReport {
    /// The form of this record.
    pub schema: &'static str,
    /// `success` or `failed`.
    pub status: &'static str,
    /// `success`, `exhausted`, `deadline_exceeded`, `deadline_near` or `spawn_error`.
    pub stop_reason: &'static str,
    /// Of the whole run.
    pub exit_code: u8,
    /// The command; `null` for the built-in function.
    pub command: Option<Vec<String>>,
    /// Of the jitter.
    pub seed: u64,
    /// Attempts made.
    pub attempts_total: usize,
    /// Of these, retries.
    pub retries: usize,
    /// Work and waits.
    pub elapsed_ms: f64,
    /// Waits alone.
    pub total_delay_ms: f64,
    /// Of the last failed attempt; `null` where none failed.
    pub last_error: Option<String>,
    /// Every attempt, in order.
    pub attempts: Vec<RunAttempt>,
    #[serde(skip)]
    total_delay: Duration,
    #[serde(skip)]
    stop: RunStop,
}

/// One attempt of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunAttempt {
    /// From 1.
    pub n: u32,
    /// Since the run began.
    pub start_ms: f64,
    /// How long it took.
    pub duration_ms: f64,
    /// `success` or `failed`.
    pub outcome: &'static str,
    /// What went wrong.
    pub error: Option<String>,
    /// How the command ended, where there was one.
    #[serde(flatten)]
    pub exit: Exit,
    /// The wait after it; `null` after the last.
    pub delay_ms: Option<f64>,
    #[serde(skip)]
    next: Next,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The run ends, because it succeeded or could not begin.
    End,
    /// Another try, after this long.
    Wait(Duration),
    /// The run ends, because the policy gives up.
    GiveUp(StopReason),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exit {
    /// With a code of its own.
    pub exit_code: Option<i32>,
    /// By a signal.
    pub signal: Option<i32>,
    /// By the runner, for taking too long.
    pub timed_out: bool,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStop {
    /// An attempt succeeded.
    Success,
    /// The policy gave up.
    GaveUp(StopReason),
    /// The command could not be started; trying again would not help. The code is 126 or 127.
    Spawn(u8),
}

/// The whole took too long, as `timeout` says it.
const TIMEOUT: u8 = 124;

impl RunAttempt {
    /// Attempt number `n`, which took `duration` from `start` on.
    #[must_use]
    pub fn new(n: u32, start: Duration, duration: Duration, failed: Option<(String, Exit)>) -> Self {
        let outcome = if failed.is_none() { "success" } else { "failed" };
        let (error, exit) = failed.map_or((None, Exit::default()), |(error, exit)| (Some(error), exit));
        Self {
            n,
            start_ms: millis(start),
            duration_ms: millis(duration),
            outcome,
            error,
            exit,
            delay_ms: None,
            next: Next::End,
        }
    }

    /// The same attempt with the wait that follows it.
    #[must_use]
    pub fn then_wait(self, delay: Duration) -> Self {
        Self { delay_ms: Some(millis(delay)), next: Next::Wait(delay), ..self }
    }

    /// The same attempt as the last one, and why.
    #[must_use]
    pub fn then_give_up(self, reason: StopReason) -> Self {
        Self { next: Next::GiveUp(reason), ..self }
    }

    /// What the log says of a failed attempt; `None` of another.
    #[must_use]
    pub fn log_line(&self) -> Option<String> {
        let error = self.error.as_ref()?;
        let next = match self.next {
            Next::End => return Some(format!("attempt {} failed: {error}", self.n)),
            Next::Wait(delay) => format!("next try in {}", seconds(delay)),
            Next::GiveUp(reason) => format!("giving up: {reason}"),
        };
        Some(format!("attempt {} failed: {error}; {next}", self.n))
    }

    const fn delay(&self) -> Duration {
        match self.next {
            Next::Wait(delay) => delay,
            Next::End | Next::GiveUp(_) => Duration::ZERO,
        }
    }
}

impl RunReport {
    /// From the attempts of a run that lasted `elapsed`.
    #[must_use]
    pub fn new(
        attempts: Vec<RunAttempt>,
        stop: RunStop,
        elapsed: Duration,
        seed: Seed,
        command: Option<Vec<String>>,
    ) -> Self {
        let total_delay = attempts.iter().map(RunAttempt::delay).sum();
        let last_exit = attempts.last().map(|attempt| attempt.exit).unwrap_or_default();
        Self {
            schema: "brownout-run-1",
            status: if stop == RunStop::Success { "success" } else { "failed" },
            stop_reason: stop.name(),
            exit_code: stop.exit_code(last_exit),
            command,
            seed: seed.0,
            attempts_total: attempts.len(),
            retries: attempts.len().saturating_sub(1),
            elapsed_ms: millis(elapsed),
            total_delay_ms: millis(total_delay),
            last_error: attempts.iter().rev().find_map(|attempt| attempt.error.clone()),
            attempts,
            total_delay,
            stop,
        }
    }

    /// Whether an attempt succeeded.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.stop == RunStop::Success
    }

    /// For people: one line.
    #[must_use]
    pub fn text(&self) -> String {
        let retries = counted(self.retries as u64, "retry", "retries");
        let waited = format!("{retries} (total delay: {})", seconds(self.total_delay));
        if self.is_success() {
            return format!("Success after {waited}\n");
        }
        let error = self.last_error.as_deref().unwrap_or("no attempt was made");
        let reason = match self.stop {
            RunStop::GaveUp(StopReason::DeadlineExceeded | StopReason::DeadlineNear) => " [timeout of the whole run]",
            _ => "",
        };
        format!("Failed after {waited}: {error}{reason}\n")
    }
}

impl RunStop {
    const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::GaveUp(reason) => reason.name(),
            Self::Spawn(_) => "spawn_error",
        }
    }

    /// The command's own code where it has one: 128 + n after signal n, 1 where there is no command.
    fn exit_code(self, last: Exit) -> u8 {
        match self {
            Self::Success => 0,
            Self::Spawn(code) => code,
            Self::GaveUp(StopReason::DeadlineExceeded | StopReason::DeadlineNear) => TIMEOUT,
            Self::GaveUp(_) if last.timed_out => TIMEOUT,
            Self::GaveUp(_) => {
                let code = last.exit_code.or(last.signal.map(|signal| 128 + signal));
                code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, RunAttempt, RunReport, RunStop};
    use brownout_draw::Seed;
    use brownout_policy::StopReason;
    use std::time::Duration;

    fn failed(n: u32, exit: Exit) -> RunAttempt {
        RunAttempt::new(n, Duration::ZERO, Duration::ZERO, Some(("it broke".to_owned(), exit)))
    }

    #[track_caller]
    fn check(attempts: Vec<RunAttempt>, stop: RunStop, code: u8, text: &str) {
        let report = RunReport::new(attempts, stop, Duration::ZERO, Seed(1), None);
        assert_eq!((report.exit_code, report.text().trim_end()), (code, text));
    }

    #[test]
    fn a_run_says_how_it_ended_in_one_line() {
        let waited = |n, ms| failed(n, Exit::default()).then_wait(Duration::from_millis(ms));
        let done = RunAttempt::new(3, Duration::ZERO, Duration::ZERO, None);
        let exhausted = RunStop::GaveUp(StopReason::Exhausted);
        check(
            vec![waited(1, 100), waited(2, 200), done],
            RunStop::Success,
            0,
            "Success after 2 retries (total delay: 0.3s)",
        );
        check(
            vec![waited(1, 100), failed(2, Exit::default())],
            exhausted,
            1,
            "Failed after 1 retry (total delay: 0.1s): it broke",
        );
        check(
            vec![failed(1, Exit::default())],
            RunStop::GaveUp(StopReason::DeadlineNear),
            124,
            "Failed after 0 retries (total delay: 0s): it broke [timeout of the whole run]",
        );
    }

    #[test]
    fn the_exit_code_is_the_commands_own() {
        let with = |exit| vec![failed(1, exit)];
        let text = "Failed after 0 retries (total delay: 0s): it broke";
        let exhausted = RunStop::GaveUp(StopReason::Exhausted);
        check(with(Exit { exit_code: Some(7), ..Exit::default() }), exhausted, 7, text);
        check(with(Exit { signal: Some(9), ..Exit::default() }), exhausted, 137, text);
        check(with(Exit { timed_out: true, ..Exit::default() }), exhausted, 124, text);
        check(with(Exit::default()), RunStop::Spawn(127), 127, text);
    }

    #[test]
    fn a_log_line_tells_attempt_error_and_delay() {
        let attempt = failed(2, Exit::default()).then_wait(Duration::from_millis(200));
        assert_eq!(attempt.log_line().unwrap(), "attempt 2 failed: it broke; next try in 0.2s");
        let last = failed(3, Exit::default()).then_give_up(StopReason::Exhausted);
        assert_eq!(last.log_line().unwrap(), "attempt 3 failed: it broke; giving up: every retry is spent");
        assert_eq!(RunAttempt::new(4, Duration::ZERO, Duration::ZERO, None).log_line(), None);
    }
}
