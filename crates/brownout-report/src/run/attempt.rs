//! One attempt of a run.

use std::borrow::Cow;
use std::time::Duration;

use brownout_policy::{DelaySource, StopReason};
use serde::{Deserialize, Serialize};

use crate::exit_code;
use crate::number::{millis, seconds};

/// One attempt of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunAttempt {
    /// From 1.
    pub n: u32,
    /// Since the run began.
    pub start_ms: f64,
    /// How long it took.
    pub duration_ms: f64,
    /// `success` or `failed`.
    pub outcome: Cow<'static, str>,
    /// What went wrong.
    pub error: Option<String>,
    /// What makes it a failure; `null` for a success.
    pub reason: Option<Reason>,
    /// The rule that names it, as it was given; `null` where none does.
    pub rule: Option<String>,
    /// How the command ended, where there was one.
    #[serde(flatten)]
    pub exit: Exit,
    /// The last that a command wrote to standard error, where that was looked at; what is no UTF-8 is replaced.
    pub stderr_tail: Option<String>,
    /// How long the command asked to stay away.
    pub retry_after_ms: Option<f64>,
    /// The wait after it; `null` after the last.
    pub delay_ms: Option<f64>,
    /// Where the wait comes from: `backoff` or `retry_after`; `null` without one.
    pub delay_source: Option<Cow<'static, str>>,
    /// The shortest that it could have been by the policy's jitter; `null` where no single policy has drawn it.
    pub delay_ms_min: Option<f64>,
    /// The longest.
    pub delay_ms_max: Option<f64>,
    #[serde(skip)]
    next: Next,
}

/// What makes an attempt a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The built-in function returned an error.
    Error,
    /// An exit code that is not 0.
    ExitCode,
    /// A signal that the runner did not send.
    Signal,
    /// The runner ended it for taking too long.
    Timeout,
    /// What it printed.
    Output,
    /// It could not be started.
    Spawn,
    /// The runner was told to end.
    Interrupted,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    /// The run ends, because it succeeded, could not begin, or was told to.
    #[default]
    End,
    /// Another try, after this long.
    Wait(Duration),
    /// The run ends, because the policy gives up.
    GiveUp(StopReason),
    /// The run ends, because a rule says so.
    Rule,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// With a code of its own.
    pub exit_code: Option<i32>,
    /// By a signal.
    pub signal: Option<i32>,
    /// By the runner, for taking too long.
    pub timed_out: bool,
}

/// An attempt that failed: what its record says of the failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// In words.
    pub error: String,
    /// What makes it a failure.
    pub reason: Reason,
    /// The rule that names it.
    pub rule: Option<String>,
    /// How the command ended.
    pub exit: Exit,
    /// The last that it wrote to standard error.
    pub stderr_tail: Option<String>,
    /// How long it asked to stay away.
    pub retry_after: Option<Duration>,
}

impl Reason {
    /// Every reason with its name in results.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("error", Self::Error),
        ("exit_code", Self::ExitCode),
        ("signal", Self::Signal),
        ("timeout", Self::Timeout),
        ("output", Self::Output),
        ("spawn", Self::Spawn),
        ("interrupted", Self::Interrupted),
    ];

    /// The name in results.
    pub(super) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, reason)| *reason == self).map_or("", |(name, _)| name)
    }
}

impl Failing {
    /// A failure with nothing but words and a reason.
    #[must_use]
    pub fn new(error: impl Into<String>, reason: Reason) -> Self {
        let exit = Exit { timed_out: reason == Reason::Timeout, ..Exit::default() };
        Self { error: error.into(), reason, rule: None, exit, stderr_tail: None, retry_after: None }
    }
}

impl Exit {
    /// As one code: the command's own, 128 + n after signal n, 124 where it took too long. `None` where there was no command.
    #[must_use]
    pub fn code(self) -> Option<u8> {
        if self.timed_out {
            return Some(exit_code::TIMEOUT);
        }
        let by_signal = || self.signal.and_then(|signal| u8::try_from(signal).ok()).map(exit_code::signalled);
        self.exit_code.and_then(|code| u8::try_from(code).ok()).or_else(by_signal)
    }
}

impl RunAttempt {
    /// Attempt number `n`, which took `duration` from `start` on.
    #[must_use]
    pub fn new(n: u32, start: Duration, duration: Duration, failing: Option<Failing>) -> Self {
        let succeeded = Self {
            n,
            start_ms: millis(start),
            duration_ms: millis(duration),
            outcome: "success".into(),
            error: None,
            reason: None,
            rule: None,
            exit: Exit::default(),
            stderr_tail: None,
            retry_after_ms: None,
            delay_ms: None,
            delay_source: None,
            delay_ms_min: None,
            delay_ms_max: None,
            next: Next::End,
        };
        let Some(Failing { error, reason, rule, exit, stderr_tail, retry_after }) = failing else { return succeeded };
        Self {
            outcome: "failed".into(),
            error: Some(error),
            reason: Some(reason),
            rule,
            exit,
            stderr_tail,
            retry_after_ms: retry_after.map(millis),
            ..succeeded
        }
    }

    /// The same attempt with the wait that follows it.
    #[must_use]
    pub fn then_wait(self, delay: Duration, source: DelaySource) -> Self {
        Self {
            delay_ms: Some(millis(delay)),
            delay_source: Some(source.name().into()),
            next: Next::Wait(delay),
            ..self
        }
    }

    /// The same attempt, whose wait was drawn from between these.
    #[must_use]
    pub fn out_of(self, range: [Duration; 2]) -> Self {
        let [min, max] = range.map(|wait| Some(millis(wait)));
        Self { delay_ms_min: min, delay_ms_max: max, ..self }
    }

    /// The same attempt as the last one, and why.
    #[must_use]
    pub fn then_give_up(self, reason: StopReason) -> Self {
        Self { next: Next::GiveUp(reason), ..self }
    }

    /// The same attempt as the last one, since a rule says so.
    #[must_use]
    pub fn then_stop(self) -> Self {
        Self { next: Next::Rule, ..self }
    }

    /// What the log says of a failed attempt; `None` of another.
    #[must_use]
    pub fn log_line(&self) -> Option<String> {
        let error = self.error.as_ref()?;
        let next = match self.next {
            Next::End => return Some(format!("attempt {} failed: {error}", self.n)),
            Next::Wait(delay) => format!("next try in {}{}", seconds(delay), self.asked()),
            Next::GiveUp(reason) => format!("giving up: {reason}"),
            Next::Rule => format!("giving up: {}", self.rule.as_deref().unwrap_or("another try cannot help")),
        };
        Some(format!("attempt {} failed: {error}; {next}", self.n))
    }

    fn asked(&self) -> &'static str {
        if self.is_asked() { ", as it asked" } else { "" }
    }

    /// Between what the wait after it was drawn; `None` where nothing was.
    pub(crate) fn drawn_from(&self) -> Option<[f64; 2]> {
        self.delay_ms_min.zip(self.delay_ms_max).filter(|(min, max)| min < max).map(<[f64; 2]>::from)
    }

    /// Whether the wait after it is one that the command asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.delay_source.as_deref() == Some(DelaySource::RetryAfter.name())
    }

    pub(super) const fn delay(&self) -> Duration {
        match self.next {
            Next::Wait(delay) => delay,
            Next::End | Next::GiveUp(_) | Next::Rule => Duration::ZERO,
        }
    }
}
