//! `success`: 200 with the path and the method told back.

use std::borrow::Cow;

use super::{Pace, Profile};
use crate::Request;

pub(super) const PROFILE: Profile =
    Profile { name: "success", status: 200, pace: Pace::Drawn, retry_after: None, body, effect: true, fault: None };

pub(super) fn body(request: &Request<'_>) -> Cow<'static, str> {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    format!(r#"{{"message": "OK", "path": {}, "method": {}}}"#, text(request.path), text(request.method)).into()
}
