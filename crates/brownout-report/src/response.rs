//! One exchange.

use std::collections::BTreeMap;

use brownout_load::{Exchange, Reply};
use brownout_policy::Success;
use http::StatusCode;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::number::millis;

/// One exchange as `request` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResponseReport {
    /// `null` where no answer came.
    pub status_code: Option<u16>,
    /// As it came where it is JSON, else as text.
    #[serde(serialize_with = "as_json_or_text")]
    pub body: String,
    /// Names in lower case; values of one name joined with commas.
    pub headers: BTreeMap<String, String>,
    /// From the start of the attempt to the end of the answer.
    pub latency_ms: f64,
    /// `null` after a success; a status' name such as `gateway_timeout`, or what broke.
    pub error: Option<String>,
}

impl From<&Exchange> for ResponseReport {
    fn from(exchange: &Exchange) -> Self {
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in &exchange.headers {
            headers
                .entry(name.clone())
                .and_modify(|values| {
                    values.push_str(", ");
                    values.push_str(value);
                })
                .or_insert_with(|| value.clone());
        }
        Self {
            status_code: exchange.reply.status(),
            body: exchange.body.clone(),
            headers,
            latency_ms: millis(exchange.latency),
            error: error(exchange),
        }
    }
}

fn as_json_or_text<S: Serializer>(body: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match serde_json::from_str::<&RawValue>(body) {
        Ok(json) => json.serialize(serializer),
        Err(_) => serializer.serialize_str(body),
    }
}

/// What went wrong, in a word where the status has a name.
pub(crate) fn error(exchange: &Exchange) -> Option<String> {
    match exchange.reply {
        reply if reply.is_success(Success::BELOW_400) => None,
        Reply::Status(status) => Some(status_name(status)),
        Reply::Broken(transport) => Some(exchange.error.clone().unwrap_or_else(|| transport.name().to_owned())),
    }
}

/// The reason phrase of a status in lower case: `gateway_timeout`.
pub(crate) fn status_name(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    reason.map_or_else(|| format!("status_{status}"), |reason| reason.to_lowercase().replace([' ', '-'], "_"))
}

#[cfg(test)]
mod tests {
    use super::ResponseReport;
    use brownout_load::{Exchange, Reply};
    use brownout_policy::Transport;
    use std::time::Duration;

    fn exchange(status: u16, body: &str) -> Exchange {
        Exchange {
            reply: Reply::Status(status),
            headers: vec![("a".into(), "1".into()), ("a".into(), "2".into())],
            body: body.to_owned(),
            latency: Duration::from_millis(40),
            retry_after: None,
            error: None,
            own_failure: false,
        }
    }

    #[test]
    fn json_bodies_stay_json_and_others_text() {
        let json = crate::json(&ResponseReport::from(&exchange(200, r#"{"message": "OK"}"#)));
        assert!(json.contains(r#""message": "OK""#), "{json}");
        assert!(json.contains(r#""a": "1, 2""#), "{json}");
        let text = crate::json(&ResponseReport::from(&exchange(200, "hello \"you\"")));
        assert!(text.contains(r#""body": "hello \"you\"""#), "{text}");
    }

    #[test]
    fn errors_are_named() {
        let error = |exchange: &Exchange| ResponseReport::from(exchange).error;
        assert_eq!(error(&exchange(200, "")), None);
        assert_eq!(error(&exchange(504, "")).as_deref(), Some("gateway_timeout"));
        assert_eq!(error(&exchange(529, "")).as_deref(), Some("status_529"));
        let broken = Exchange::broken(Transport::Reset, Duration::ZERO, "connection reset by peer".into());
        assert_eq!(error(&broken).as_deref(), Some("connection reset by peer"));
        assert_eq!(ResponseReport::from(&broken).status_code, None);
    }
}
