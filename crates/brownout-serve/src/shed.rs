//! The answers to requests that never came to their outcome.

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
    headers.insert(Decision::HEADER, told(&Decision { latency: waited, phase: None, ..*decision }, "shed"));
    answer
}

/// Says that a service behind has failed. `decision` is what the request would have met.
pub(crate) fn bad_gateway(decision: &Decision<'_>) -> Answer {
    let mut answer = hyper::Response::new(Full::from(r#"{"error": "Bad Gateway"}"#));
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(Decision::HEADER, told(decision, "bad_gateway"));
    answer
}

/// `decision` in its own form, with `what` in place of the outcome that it never came to.
fn told(decision: &Decision<'_>, what: &str) -> HeaderValue {
    let own = format!("outcome={};", decision.outcome.name());
    let text = decision.to_string().replacen(&own, &format!("outcome={what};"), 1);
    HeaderValue::try_from(text).expect("decisions are visible ASCII")
}

/// Rounded up: nobody is to come back too early.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
