//! `gateway_timeout`: 504 after the longest latency.
//!
//! The answer of a gateway that gave up on the service behind it, so the caller does get an answer, late.

use super::{Pace, Profile};
use crate::{Request, Response};

pub(super) const PROFILE: Profile = Profile { name: "gateway_timeout", status: 504, pace: Pace::Longest, respond };

fn respond(_: &Request<'_>) -> Response {
    Response::json(504, r#"{"error": "Gateway Timeout"}"#.to_owned())
}
