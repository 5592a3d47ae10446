//! What an attempt can meet.
//!
//! Each outcome is a file beside this one that gives its [`Profile`], and a line in the list below. One
//! *weighted* draw an attempt decides between them: never one draw a fault, so rates neither stack nor hide
//! each other. An outcome that is more than a status is a [`Fault`]: what it takes, how its answer goes over the wire
//! ([`Delivery`], and its [`Step`]s over HTTP/2), and what its caller sees of that in the end ([`Seen`]).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::{Request, Response};

mod bandwidth;
mod connection_reset;
mod delivery;
mod dribble;
mod empty_response;
mod error;
mod error_code;
mod fault;
mod frames;
mod garbage_then_close;
mod gateway_timeout;
mod goaway;
mod hang;
mod lost_reply;
mod malformed_chunk;
mod rate_limit;
mod rates;
mod refused_stream;
mod rst_stream;
mod slow_close;
mod status;
mod stream_break;
mod success;
mod truncate;

pub use delivery::{Delivery, End, Pacing, Piece, Point, Seen};
pub use error_code::ErrorCode;
pub use fault::{Fault, FaultError};
pub use frames::{Finish, Step};
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
    /// service that leaves its *caller* without an answer is another thing: [`Hang`](Self::Hang).
    GatewayTimeout,
    /// An RST, before the answer or in the middle of it.
    ConnectionReset,
    /// A FIN in place of an answer.
    EmptyResponse,
    /// A head that announces chunks, bytes that are none, and a FIN.
    MalformedChunk,
    /// Bytes that are no HTTP, and a FIN.
    GarbageThenClose,
    /// Less of the body than the head promised, and a FIN.
    Truncate,
    /// 200, its body a few bytes at a time.
    Dribble,
    /// 200, its body so many bytes a second.
    Bandwidth,
    /// No answer, and a FIN only after long.
    Hang,
    /// 200 at once, and a FIN only after long.
    SlowClose,
    /// The work is done, and the answer is lost.
    LostReply,
    /// 200 and a stream of events that breaks on its way.
    StreamBreak,
    /// An answer in words of its own; there may be several of these.
    Status,
    /// `RST_STREAM`, before the answer or in the middle of it; over HTTP/1.1 an RST there.
    RstStream,
    /// `GOAWAY`, which says that nothing was done; over HTTP/1.1 a FIN in place of an answer.
    GoAway,
    /// `RST_STREAM` with `REFUSED_STREAM`, which says that nothing was done; over HTTP/1.1 a FIN in place of an answer.
    RefusedStream,
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
    /// Whether what was asked for is done.
    effect: bool,
    /// What it takes unless the scenario says otherwise, where it is more than a status.
    fault: Option<&'static Fault>,
}

impl Profile {
    const fn fault(name: &'static str, default: &'static Fault) -> Self {
        let fault = Some(default);
        Self { name, status: 200, pace: Pace::Drawn, retry_after: None, body: success::body, effect: false, fault }
    }
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
    pub const ALL: [Self; 19] = [
        Self::Success,
        Self::Error,
        Self::RateLimit,
        Self::GatewayTimeout,
        Self::ConnectionReset,
        Self::EmptyResponse,
        Self::MalformedChunk,
        Self::GarbageThenClose,
        Self::Truncate,
        Self::Dribble,
        Self::Bandwidth,
        Self::Hang,
        Self::SlowClose,
        Self::LostReply,
        Self::StreamBreak,
        Self::Status,
        Self::RstStream,
        Self::GoAway,
        Self::RefusedStream,
    ];

    /// The names that `WireMock` has for faults, each with the outcome that it is here.
    pub const ALIASES: [(&str, Self); 4] = [
        ("CONNECTION_RESET_BY_PEER", Self::ConnectionReset),
        ("EMPTY_RESPONSE", Self::EmptyResponse),
        ("MALFORMED_RESPONSE_CHUNK", Self::MalformedChunk),
        ("RANDOM_DATA_THEN_CLOSE", Self::GarbageThenClose),
    ];

    /// Every outcome but the success, in order.
    pub fn failures() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|outcome| *outcome != Self::Success)
    }

    const fn profile(self) -> &'static Profile {
        match self {
            Self::Success => &success::PROFILE,
            Self::Error => &error::PROFILE,
            Self::RateLimit => &rate_limit::PROFILE,
            Self::GatewayTimeout => &gateway_timeout::PROFILE,
            Self::ConnectionReset => &connection_reset::PROFILE,
            Self::EmptyResponse => &empty_response::PROFILE,
            Self::MalformedChunk => &malformed_chunk::PROFILE,
            Self::GarbageThenClose => &garbage_then_close::PROFILE,
            Self::Truncate => &truncate::PROFILE,
            Self::Dribble => &dribble::PROFILE,
            Self::Bandwidth => &bandwidth::PROFILE,
            Self::Hang => &hang::PROFILE,
            Self::SlowClose => &slow_close::PROFILE,
            Self::LostReply => &lost_reply::PROFILE,
            Self::StreamBreak => &stream_break::PROFILE,
            Self::Status => &status::PROFILE,
            Self::RstStream => &rst_stream::PROFILE,
            Self::GoAway => &goaway::PROFILE,
            Self::RefusedStream => &refused_stream::PROFILE,
        }
    }

    /// The name in scenarios and results: `success`, `error`, `connection_reset`, …
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.profile().name
    }

    /// The HTTP status of the answer, where it is no [fault](Self::is_fault).
    #[must_use]
    pub const fn status(self) -> u16 {
        self.profile().status
    }

    /// Whether it is more than a status, so that a [`Fault`] tells what comes of it.
    #[must_use]
    #[inline]
    pub const fn is_fault(self) -> bool {
        self as u8 > Self::GatewayTimeout as u8
    }

    /// Whether what was asked for is done, whatever its caller sees.
    #[must_use]
    #[inline]
    pub const fn has_effect(self) -> bool {
        matches!(self, Self::Success) || (self.is_fault() && self.profile().effect)
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
            response.headers.push(("retry-after".into(), wait.as_secs().to_string().into()));
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
