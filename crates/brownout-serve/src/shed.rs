//! The answer to a request that was not taken.

use std::time::Duration;

use brownout_service::Decision;
use http_body_util::Full;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};

use crate::app::Answer;

/// Says `status`, and when to come back. `decision` is what the request would have met; `waited`, how long it was inside.
pub(crate) fn answer(decision: &Decision<'_>, waited: Duration, status: u16, retry_after: Option<Duration>) -> Answer {
    let mut answer = hyper::Response::new(Full::from(r#"{"error": "Overloaded"}"#));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(after) = retry_after {
        headers.insert(RETRY_AFTER, whole_seconds(after).into());
    }
    // It never came to its outcome, so the header tells of another one in the same form.
    let decided = Decision { latency: waited, phase: None, ..*decision };
    let own = format!("outcome={};", decision.outcome.name());
    let text = decided.to_string().replacen(&own, "outcome=shed;", 1);
    headers.insert(Decision::HEADER, HeaderValue::try_from(text).expect("decisions are visible ASCII"));
    answer
}

/// Rounded up: nobody is to come back too early.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
