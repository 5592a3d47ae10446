//! What an attempt can meet.
//!
//! Each outcome is a file beside this one that gives its [`Profile`], and a line in the list below. One
//! *weighted* draw an attempt decides between them: never one draw a fault, so rates neither stack nor hide
//! each other.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::{Request, Response};

mod error;
mod gateway_timeout;
mod rate_limit;
mod rates;
mod success;

pub use rates::{Outcomes, RatesError};

/// What an attempt meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// 200, after the drawn latency.
    Success,
    /// 500, after the drawn latency.
    Error,
    /// 429 with `Retry-After: 60`, after the drawn latency.
    RateLimit,
    /// 504, after the longest latency: what a gateway says for a service that did not answer it in time. A
    /// service that leaves its *caller* without an answer is another thing.
    GatewayTimeout,
}

/// What each file in this folder tells of its outcome.
struct Profile {
    /// The name in scenarios, results and the decision header.
    name: &'static str,
    /// The HTTP status.
    status: u16,
    /// How long the answer takes.
    pace: Pace,
    /// How long the answer asks its caller to stay away: its `Retry-After`.
    retry_after: Option<Duration>,
    /// The body of the answer, in JSON.
    body: fn(&Request<'_>) -> Cow<'static, str>,
}

/// How long an outcome takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As long as the latency draw says.
    Drawn,
    /// As long as the latency distribution can last.
    Longest,
}

impl Outcome {
    /// Every outcome, the success first. The order is the order of weights in [`Outcomes`].
    pub const ALL: [Self; 4] = [Self::Success, Self::Error, Self::RateLimit, Self::GatewayTimeout];

    /// The failures, in order.
    pub fn failures() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|outcome| *outcome != Self::Success)
    }

    const fn profile(self) -> &'static Profile {
        match self {
            Self::Success => &success::PROFILE,
            Self::Error => &error::PROFILE,
            Self::RateLimit => &rate_limit::PROFILE,
            Self::GatewayTimeout => &gateway_timeout::PROFILE,
        }
    }

    /// The name in scenarios and results: `success`, `error`, `rate_limit`, `gateway_timeout`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.profile().name
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.profile().status
    }

    /// How long the answer asks its caller to stay away, as its `Retry-After` header says.
    #[must_use]
    pub const fn retry_after(self) -> Option<Duration> {
        self.profile().retry_after
    }

    pub(crate) const fn pace(self) -> Pace {
        self.profile().pace
    }

    /// The whole answer, but for the decision header.
    pub(crate) fn respond(self, request: &Request<'_>) -> Response {
        let profile = self.profile();
        let mut response = Response::json(profile.status, (profile.body)(request));
        if let Some(wait) = profile.retry_after {
            response.headers.push(("retry-after", wait.as_secs().to_string().into()));
        }
        response
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome;
    use crate::Request;

    #[track_caller]
    fn check(outcome: Outcome, status: u16, retry_after: Option<&str>, body: &str) {
        let response = outcome.respond(&Request { method: "POST", path: "/x\"y" });
        assert_eq!(response.status, status);
        assert_eq!(response.header("retry-after"), retry_after);
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.body, body);
    }

    #[test]
    fn each_outcome_has_its_answer() {
        check(Outcome::Success, 200, None, r#"{"message": "OK", "path": "/x\"y", "method": "POST"}"#);
        check(Outcome::RateLimit, 429, Some("60"), r#"{"message": "Too Many Requests"}"#);
        check(Outcome::Error, 500, None, r#"{"error": "Internal Server Error"}"#);
        check(Outcome::GatewayTimeout, 504, None, r#"{"error": "Gateway Timeout"}"#);
    }

    #[test]
    fn names_are_told_apart() {
        let names: std::collections::BTreeSet<_> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
        assert_eq!(names.len(), Outcome::ALL.len());
    }
}
