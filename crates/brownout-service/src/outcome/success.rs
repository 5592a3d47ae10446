//! `success`: 200 with the path and the method told back.

use std::borrow::Cow;

use super::{Pace, Profile};
use crate::Request;

pub(super) const PROFILE: Profile =
    Profile { name: "success", status: 200, pace: Pace::Drawn, retry_after: None, body, effect: true, fault: None };

pub(super) fn body(request: &Request<'_>) -> Cow<'static, str> {
    let mut body = String::with_capacity(48 + request.path.len() + request.method.len());
    for (before, text) in [(r#"{"message": "OK", "path": "#, request.path), (r#", "method": "#, request.method)] {
        body.push_str(before);
        push_json(&mut body, text);
    }
    body.push('}');
    body.into()
}

/// Adds `text` as JSON; most paths are JSON as they are.
fn push_json(body: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\' | 0x7f)) {
        return body.push_str(&serde_json::Value::from(text).to_string());
    }
    body.push('"');
    body.push_str(text);
    body.push('"');
}
