//! `error`: 500, the service broke on this request.

use super::{Pace, Profile};
use crate::{Request, Response};

pub(super) const PROFILE: Profile = Profile { name: "error", status: 500, pace: Pace::Drawn, respond };

fn respond(_: &Request<'_>) -> Response {
    Response::json(500, r#"{"error": "Internal Server Error"}"#.to_owned())
}
