//! `rate_limit`: 429, and when to come back.

use std::borrow::Cow;
use std::time::Duration;

use super::{Pace, Profile};
use crate::Request;

pub(super) const PROFILE: Profile = Profile {
    name: "rate_limit",
    status: 429,
    pace: Pace::Drawn,
    retry_after: Some(Duration::from_secs(60)),
    body,
    effect: false,
    fault: None,
};

fn body(_: &Request<'_>) -> Cow<'static, str> {
    r#"{"message": "Too Many Requests"}"#.into()
}
