//! `success`: 200 with the path and the method told back.

use super::{Pace, Profile};
use crate::Request;

pub(super) const PROFILE: Profile =
    Profile { name: "success", status: 200, pace: Pace::Drawn, retry_after: None, body };

fn body(request: &Request<'_>) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    format!(r#"{{"message": "OK", "path": {}, "method": {}}}"#, text(request.path), text(request.method))
}
