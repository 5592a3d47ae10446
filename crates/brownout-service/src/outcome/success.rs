//! `success`: 200 with the method and the path told back.

use super::{Pace, Profile};
use crate::{Request, Response};

pub(super) const PROFILE: Profile = Profile { name: "success", status: 200, pace: Pace::Drawn, respond };

fn respond(request: &Request<'_>) -> Response {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let (path, method) = (text(request.path), text(request.method));
    Response::json(200, format!(r#"{{"message": "OK", "path": {path}, "method": {method}}}"#))
}
