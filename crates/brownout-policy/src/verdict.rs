//! What follows a failed attempt.

use std::fmt;
use std::time::Duration;

/// Data only: the caller waits, or gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try again.
    Retry {
        /// After this long, counted from the failure.
        after: Duration,
        /// Where the wait comes from.
        source: DelaySource,
    },
    /// Nothing yet: a copy of the attempt is still in flight.
    Await,
    /// Give up.
    Stop(StopReason),
}

/// Where a wait comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DelaySource {
    /// The policy's own backoff and jitter.
    Backoff,
    /// The service asked for more with `Retry-After`.
    RetryAfter,
}

/// Why no further attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopReason {
    /// Every retry is spent.
    Exhausted,
    /// The failure is of a kind that another try will not mend.
    NotRetryable,
    /// The deadline of the whole call struck.
    DeadlineExceeded,
    /// The next wait would not fit before the deadline, so it is not begun.
    DeadlineNear,
    /// The service asked to stay away for longer than the policy is ready to wait.
    RetryAfterTooLong,
    /// The budget refused a retry.
    BudgetDenied,
    /// The breaker is open, so the attempt was not sent.
    BreakerOpen,
    /// The caller throttles itself, since the service refused too much; the attempt was not sent.
    Throttled,
    /// Too many attempts are in flight, so this one was not sent.
    ConcurrencyLimit,
    /// The run was ended from outside. No policy decides this; drivers do.
    Interrupted,
}

impl DelaySource {
    /// The name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backoff => "backoff",
            Self::RetryAfter => "retry_after",
        }
    }
}

impl StopReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Exhausted,
        Self::NotRetryable,
        Self::DeadlineExceeded,
        Self::DeadlineNear,
        Self::RetryAfterTooLong,
        Self::BudgetDenied,
        Self::BreakerOpen,
        Self::Throttled,
        Self::ConcurrencyLimit,
        Self::Interrupted,
    ];

    /// The name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::NotRetryable => "not_retryable",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::DeadlineNear => "deadline_near",
            Self::RetryAfterTooLong => "retry_after_too_long",
            Self::BudgetDenied => "budget_denied",
            Self::BreakerOpen => "breaker_open",
            Self::Throttled => "throttled",
            Self::ConcurrencyLimit => "concurrency_limit",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A clause that tells the reason to a person.
impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exhausted => "every retry is spent",
            Self::NotRetryable => "another try would not mend this failure",
            Self::DeadlineExceeded => "the timeout of the whole call struck",
            Self::DeadlineNear => "the next wait would not fit before the timeout of the whole call",
            Self::RetryAfterTooLong => "the service asked to stay away for longer than the policy waits",
            Self::BudgetDenied => "the retry budget is spent",
            Self::BreakerOpen => "the circuit breaker is open",
            Self::Throttled => "the caller throttles itself",
            Self::ConcurrencyLimit => "too many attempts are in flight",
            Self::Interrupted => "the run was ended",
        })
    }
}
