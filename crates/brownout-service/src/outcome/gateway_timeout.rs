//! `gateway_timeout`: 504 after the longest latency.
//!
//! The answer of a gateway that gave up on the service behind it, so the caller does get an answer, late.

use std::borrow::Cow;

use super::{Pace, Profile};
use crate::Request;

pub(super) const PROFILE: Profile = Profile {
    name: "gateway_timeout",
    status: 504,
    pace: Pace::Longest,
    retry_after: None,
    body,
    effect: false,
    fault: None,
};

fn body(_: &Request<'_>) -> Cow<'static, str> {
    r#"{"error": "Gateway Timeout"}"#.into()
}
