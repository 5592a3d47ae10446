//! `error`: 500, the service broke on this request.

use super::{Pace, Profile};
use crate::Request;

pub(super) const PROFILE: Profile = Profile { name: "error", status: 500, pace: Pace::Drawn, retry_after: None, body };

fn body(_: &Request<'_>) -> String {
    r#"{"error": "Internal Server Error"}"#.to_owned()
}
