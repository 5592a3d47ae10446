//! What came back: of one attempt, and of one call.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use brownout_policy::{Failure, FailureKind, StopReason, Success, Transport, Verdict, names_throttling};

/// One attempt, once it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which try of its call, from 1.
    pub number: NonZeroU32,
    /// Whether it was sent beside one that was still in flight, rather than after a failure.
    pub hedge: bool,
    /// When it was sent, in nanoseconds since the run began.
    pub started_ns: u64,
    /// From its start until its answer, or until it was given up, in nanoseconds.
    pub latency_ns: u64,
    /// What came back.
    pub reply: Reply,
    /// What the policy made of a failure; `None` after a success.
    pub verdict: Option<Verdict>,
}

/// What came back of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A whole answer with this status.
    Status(u16),
    /// No answer, or a broken one.
    Broken(Transport),
}

/// One call, once it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallEnd {
    /// When the call was due, in nanoseconds since the run began.
    pub started_ns: u64,
    /// From its start to its end, waits included, in nanoseconds.
    pub elapsed_ns: u64,
    /// How many attempts were made for it, copies included.
    pub attempts: u32,
    /// Why the caller gave up; `None` when the call succeeded.
    pub failed: Option<StopReason>,
}

/// What one attempt brought back, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What came back, in short.
    pub reply: Reply,
    /// In the order they came; names in lower case.
    pub headers: Vec<(String, String)>,
    /// As text; what is no UTF-8 is replaced.
    pub body: String,
    /// From the start of the attempt to the end of the answer.
    pub latency: Duration,
    /// How long the service asked the caller to stay away, if it did.
    pub retry_after: Option<Duration>,
    /// What broke, in words; `None` where an answer came.
    pub error: Option<String>,
    /// Whether it broke for want of something of the caller's own machine, which says nothing of the service.
    pub own_failure: bool,
}

impl CallEnd {
    /// When the call was over, in nanoseconds since the run began.
    #[must_use]
    #[inline]
    pub const fn ended_ns(&self) -> u64 {
        self.started_ns.saturating_add(self.elapsed_ns)
    }
}

/// One call with all its attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTrace {
    /// Never empty.
    pub trail: Trail,
    /// What the last attempt brought.
    pub last: Exchange,
    /// How it ended.
    pub end: CallEnd,
}

/// The attempts of one call as they end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// In order; of a call that makes more than [`ATTEMPTS_KEPT`](Self::ATTEMPTS_KEPT), the first.
    pub attempts: Vec<Attempt>,
    /// How many were made.
    pub total: u64,
}

impl Trail {
    /// How many attempts of one call are kept, so that one that retries for ever does not fill the memory.
    pub const ATTEMPTS_KEPT: usize = 10_000;

    /// Adds one attempt that is over.
    pub fn push(&mut self, attempt: Attempt) {
        self.total += 1;
        if self.attempts.len() < Self::ATTEMPTS_KEPT {
            self.attempts.push(attempt);
        }
    }
}

/// The status, or the name of what broke.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Broken(transport) => f.write_str(transport.name()),
        }
    }
}

impl Reply {
    /// The status, where an answer came.
    #[must_use]
    pub const fn status(self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status),
            Self::Broken(_) => None,
        }
    }

    /// Whether this is what the caller wanted: an answer, and one with a status of those.
    #[must_use]
    #[inline]
    pub fn is_success(self, success: &Success) -> bool {
        self.status().is_some_and(|status| success.includes(status))
    }

    /// Whether it was given up rather than ended, so that its latency is a lower bound.
    #[must_use]
    #[inline]
    pub const fn is_censored(self) -> bool {
        matches!(self, Self::Broken(Transport::Timeout | Transport::Interrupted))
    }

    /// The failure a policy decides on, with what the service asked for; `None` for a `success`.
    #[must_use]
    #[inline]
    pub fn failure(self, success: &Success, retry_after: Option<Duration>) -> Option<Failure> {
        let kind = match self {
            Self::Status(status) => FailureKind::Status(status),
            Self::Broken(transport) => FailureKind::Transport(transport),
        };
        (!self.is_success(success)).then_some(Failure { kind, retry_after })
    }
}

impl Exchange {
    /// An attempt that its caller gave up after `latency`.
    #[must_use]
    pub fn timed_out(latency: Duration) -> Self {
        Self::broken(Transport::Timeout, latency, format!("no answer within {latency:?}"))
    }

    /// An answer that a service gave to be rid of the request: nothing but a status.
    #[must_use]
    pub const fn refused(status: u16, latency: Duration, retry_after: Option<Duration>) -> Self {
        Self {
            reply: Reply::Status(status),
            headers: Vec::new(),
            body: String::new(),
            latency,
            retry_after,
            error: None,
            own_failure: false,
        }
    }

    /// An exchange that broke.
    #[must_use]
    pub const fn broken(transport: Transport, latency: Duration, error: String) -> Self {
        let reply = Reply::Broken(transport);
        Self {
            reply,
            headers: Vec::new(),
            body: String::new(),
            latency,
            retry_after: None,
            error: Some(error),
            own_failure: false,
        }
    }

    /// The failure a policy decides on, with what the answer says of it; `None` for a `success`.
    #[must_use]
    pub fn failure(&self, success: &Success) -> Option<Failure> {
        let failure = self.reply.failure(success, self.retry_after)?;
        Some(if names_throttling(&self.body) { failure.throttled() } else { failure })
    }

    /// The value of the header called `name`, written small.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}
