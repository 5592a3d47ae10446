//! `rate_limit`: 429, and when to come back.

use super::{Pace, Profile};
use crate::{Request, Response};

pub(super) const PROFILE: Profile = Profile { name: "rate_limit", status: 429, pace: Pace::Drawn, respond };

/// In seconds, as the header counts.
const RETRY_AFTER: &str = "60";

fn respond(_: &Request<'_>) -> Response {
    let mut response = Response::json(429, r#"{"message": "Too Many Requests"}"#.to_owned());
    response.headers.push(("retry-after", RETRY_AFTER.to_owned()));
    response
}
