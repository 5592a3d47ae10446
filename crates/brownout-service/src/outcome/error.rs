//! `error`: 500, the service broke on this request.

use std::borrow::Cow;

use super::{Pace, Profile};
use crate::Request;

pub(super) const PROFILE: Profile =
    Profile { name: "error", status: 500, pace: Pace::Drawn, retry_after: None, body, effect: false, fault: None };

fn body(_: &Request<'_>) -> Cow<'static, str> {
    r#"{"error": "Internal Server Error"}"#.into()
}
