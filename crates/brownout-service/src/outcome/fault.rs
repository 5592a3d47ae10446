//! What is particular about an outcome that is more than a status.

use std::borrow::Cow;
use std::time::Duration;

use thiserror::Error;

use super::{Delivery, Outcome, Seen, success};
use crate::{Request, Response};

/// An outcome with what it takes: how its answer goes over the wire, and what the answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    outcome: Outcome,
    delivery: Delivery,
    says: Says,
}

/// What an answer says, as far as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// What the success says, with spaces after it up to so many bytes.
    Success(u32),
    /// That all is well, with spaces after it up to so many bytes in all.
    Bytes(u32),
    /// So many events.
    Events(u32),
    /// Words of its own.
    Own {
        status: u16,
        /// Names in lower case, each once.
        headers: Vec<(String, String)>,
        body: String,
    },
}

/// Why a fault cannot be as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FaultError {
    /// A wait beyond all bounds.
    #[error("a wait here is from 1ms to 1h, found {0:?}; write one between them")]
    Wait(Duration),
    /// An answer that would take too long.
    #[error("an answer takes at most 1h to come, found {0:?}; let it come faster or make it smaller")]
    TooSlow(Duration),
    /// A body too small or too large.
    #[error("a body is from {min} bytes to 1MiB, found {0} bytes; choose a size between them", min = Fault::BYTES_MIN)]
    Size(u32),
    /// A cut behind the end of any body.
    #[error("a body is cut before 1MiB of it, found {0} bytes; cut it earlier")]
    CutTooLate(u32),
    /// Too long a stream.
    #[error("a stream breaks after at most {max} events, found {0}; let it break earlier", max = Fault::EVENTS_MAX)]
    Events(u32),
    /// No status of an answer.
    #[error("the status of an answer is from 200 to 599, found {0}; 503 is the usual one")]
    Status(u16),
    /// Words where there can be none.
    #[error("an answer with status {0} has no body; drop the body or choose another status")]
    NoBody(u16),
    /// Too many words.
    #[error("the body of an answer has at most 1MiB, found {0} bytes; shorten it")]
    BodyTooLong(usize),
    /// Too many headers.
    #[error("an answer has at most {max} headers of its own, found {0}; drop some", max = Fault::HEADERS_MAX)]
    Headers(usize),
    /// No name of a header.
    #[error("a header has a name of letters, digits and dashes, found `{0}`; write one such as \"retry-after\"")]
    HeaderName(String),
    /// A header that is not the answer's.
    #[error("the header `{0}` tells how an answer is sent, which is the server's own; drop it")]
    HeaderOwn(String),
    /// A header twice.
    #[error("the header `{0}` is given twice; drop one")]
    HeaderTwice(String),
    /// No value of a header.
    #[error("the header `{0}` has a value of at most 1024 visible ASCII characters; change it")]
    HeaderValue(String),
}

impl Fault {
    /// The smallest body whose size can be chosen.
    pub const BYTES_MIN: u32 = 32;
    /// The largest body.
    pub const BYTES_MAX: u32 = 1 << 20;
    /// The longest wait, and the longest that an answer takes to come.
    pub const WAIT_MAX: Duration = Duration::from_secs(3600);
    /// The shortest wait.
    pub const WAIT_MIN: Duration = Duration::from_millis(1);
    /// The most events before a stream breaks.
    pub const EVENTS_MAX: u32 = 10_000;
    /// The most headers that an answer has of its own.
    pub const HEADERS_MAX: usize = 32;
    /// How long a silent service keeps a connection, unless told otherwise.
    pub const HANG: Duration = Duration::from_secs(300);

    pub(super) const fn new(outcome: Outcome, delivery: Delivery, says: Says) -> Self {
        Self { outcome, delivery, says }
    }

    /// Of which outcome it is.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// How its answer goes over the wire.
    #[must_use]
    pub const fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// What its caller sees in the end.
    #[must_use]
    pub const fn seen(&self) -> Seen {
        self.delivery.seen(self.status())
    }

    /// Whether its caller is left in silence, so that it may leave unseen.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.delivery.is_silent()
    }

    /// How long after the start of the answer its caller has seen that.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.delivery.lasts()
    }

    /// The status of the answer, whether it arrives or not.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match &self.says {
            Says::Own { status, .. } => *status,
            _ => 200,
        }
    }

    /// The value of a header that the answer has of its own, its name written small.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let Says::Own { headers, .. } = &self.says else { return None };
        headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body of an answer in words of its own.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        if let Says::Own { body, .. } = &self.says { Some(body) } else { None }
    }

    /// The whole answer, but for the decision header, as it would be if nothing befell it.
    pub(crate) fn respond(&self, request: &Request<'_>) -> Response {
        match &self.says {
            Says::Success(bytes) => Response::json(200, padded(success::body(request), *bytes)),
            Says::Bytes(bytes) => Response::json(200, padded(r#"{"message": "OK"}"#.into(), *bytes)),
            Says::Events(events) => {
                let body: String = (1..=*events).map(|n| format!("data: {{\"event\": {n}}}\n\n")).collect();
                Response {
                    status: 200,
                    headers: vec![("content-type".into(), "text/event-stream".into())],
                    body: body.into(),
                }
            }
            Says::Own { status, headers, body } => {
                let mut response = Response::json(*status, body.clone().into());
                if !body.starts_with(['{', '[']) {
                    response.headers[0].1 = "text/plain; charset=utf-8".into();
                }
                if body.is_empty() || headers.iter().any(|(name, _)| name == "content-type") {
                    response.headers.clear();
                }
                let own = headers.iter().map(|(name, value)| (name.clone().into(), value.clone().into()));
                response.headers.extend(own);
                response
            }
        }
    }
}

/// A wait within its bounds.
pub(super) fn wait(time: Duration) -> Result<Duration, FaultError> {
    if (Fault::WAIT_MIN..=Fault::WAIT_MAX).contains(&time) { Ok(time) } else { Err(FaultError::Wait(time)) }
}

/// A fault with a body of a size within its bounds, that does not take too long.
pub(super) fn paced(fault: Fault, size: u32) -> Result<Fault, FaultError> {
    if !(Fault::BYTES_MIN..=Fault::BYTES_MAX).contains(&size) {
        return Err(FaultError::Size(size));
    }
    bounded(fault)
}

/// A fault that does not take too long.
pub(super) fn bounded(fault: Fault) -> Result<Fault, FaultError> {
    let lasts = fault.delivery.end().1;
    if lasts <= Fault::WAIT_MAX { Ok(fault) } else { Err(FaultError::TooSlow(lasts)) }
}

/// A cut that a body of some size has.
pub(super) fn cut(bytes: u32) -> Result<u32, FaultError> {
    if bytes < Fault::BYTES_MAX { Ok(bytes) } else { Err(FaultError::CutTooLate(bytes)) }
}

/// Spaces after JSON are JSON.
fn padded(text: Cow<'static, str>, bytes: u32) -> Cow<'static, str> {
    let bytes = bytes as usize;
    if bytes <= text.len() {
        return text;
    }
    let spaces = bytes - text.len();
    let mut text = text.into_owned();
    text.extend(std::iter::repeat_n(' ', spaces));
    text.into()
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultError};
    use crate::{Delivery, End, Outcome, Point, Request, Seen};
    use std::num::NonZeroU32;
    use std::time::Duration;

    const MS: Duration = Duration::from_millis(1);
    const HOUR: Duration = Fault::WAIT_MAX;

    #[track_caller]
    fn refused(fault: Result<Fault, FaultError>, rule: &str) {
        let error = fault.expect_err("out of bounds").to_string();
        assert!(error.contains(rule), "{error}");
    }

    fn n(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_with_the_rule_and_the_value() {
        refused(Fault::hang(HOUR + MS), "from 1ms to 1h, found 3600.001s");
        refused(Fault::slow_close(Duration::ZERO), "from 1ms to 1h, found 0ns");
        refused(Fault::lost_reply(End::Hang(2 * HOUR)), "from 1ms to 1h, found 7200s");
        refused(Fault::dribble(n(1), Duration::ZERO, 64), "from 1ms to 1h");
        refused(Fault::dribble(n(1), MS, 31), "from 32 bytes to 1MiB, found 31 bytes");
        refused(Fault::dribble(n(1), HOUR, 64), "at most 1h to come, found 226800s");
        refused(Fault::bandwidth(n(1), 1 << 20), "at most 1h to come, found 1048576s");
        refused(Fault::truncate(1 << 20), "before 1MiB of it, found 1048576 bytes");
        refused(Fault::connection_reset(Point::Body(u32::MAX)), "before 1MiB of it");
        refused(Fault::rst_stream(Point::Body(1 << 20), Fault::RST_STREAM), "before 1MiB of it, found 1048576 bytes");
        refused(Fault::stream_break(10_001, Duration::ZERO, End::Close), "at most 10000 events, found 10001");
        refused(Fault::stream_break(10, HOUR, End::Close), "at most 1h to come");
        refused(Fault::status_of_its_own(199, vec![], String::new()), "from 200 to 599, found 199");
        refused(Fault::status_of_its_own(204, vec![], "x".to_owned()), "204 has no body");
        let header = |name: &str, value: &str| {
            Fault::status_of_its_own(503, vec![(name.to_owned(), value.to_owned())], String::new())
        };
        refused(header("a b", ""), "found `a b`");
        refused(header("Content-Length", "3"), "the server's own");
        refused(header("x", "a\r\nb"), "visible ASCII");
    }

    /// What callers see of each fault by default, how long that takes, and how many bytes its body has.
    #[test]
    fn faults_by_default() {
        let request = Request { method: "GET", path: "/" };
        let told = |outcome: Outcome| {
            let fault = outcome.profile().fault.unwrap();
            assert_eq!(fault.outcome(), outcome);
            let effect = if outcome.has_effect() { "done" } else { "not done" };
            format!("{outcome} {:?} {:?} {} {effect}", fault.seen(), fault.lasts(), fault.respond(&request).body.len())
        };
        let told: Vec<_> = Outcome::ALL.into_iter().filter(|outcome| outcome.is_fault()).map(told).collect();
        assert_eq!(
            told,
            [
                "connection_reset Reset 0ns 47 not done",
                "empty_response Closed 0ns 47 not done",
                "malformed_chunk NotHttp 0ns 47 done",
                "garbage_then_close NotHttp 0ns 47 not done",
                "truncate Closed 0ns 47 done",
                "dribble Status(200) 1.5s 256 done",
                "bandwidth Status(200) 1s 16384 done",
                "hang Closed 300s 47 not done",
                "slow_close Status(200) 0ns 47 done",
                "lost_reply Reset 0ns 47 done",
                "stream_break Closed 300ms 60 done",
                "status Status(503) 0ns 0 not done",
                "rst_stream Reset 0ns 47 not done",
                "goaway Closed 0ns 47 not done",
                "refused_stream Closed 0ns 47 not done",
            ]
        );
    }

    #[test]
    fn a_cut_leaves_something_behind_it() {
        let request = Request { method: "GET", path: "/" };
        for bytes in [0, 10, 100_000] {
            let fault = Fault::truncate(bytes).unwrap();
            assert_eq!(fault.delivery(), &Delivery::Cut(Point::Body(bytes), End::Close));
            assert!(fault.respond(&request).body.len() > bytes as usize);
        }
        assert_eq!(Fault::lost_reply(End::Hang(MS)).unwrap().seen(), Seen::Closed);
    }

    #[test]
    fn an_answer_in_its_own_words() {
        let say = |headers: &[(&str, &str)], body: &str| {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let fault = Fault::status_of_its_own(529, headers, body.to_owned()).unwrap();
            let response = fault.respond(&Request { method: "GET", path: "/" });
            let types = response.headers.iter().filter(|(name, _)| name == "content-type").count();
            (response.status, types, response.header("content-type").map(str::to_owned))
        };
        assert_eq!(say(&[], "{}"), (529, 1, Some("application/json".to_owned())));
        assert_eq!(say(&[], "no"), (529, 1, Some("text/plain; charset=utf-8".to_owned())));
        assert_eq!(say(&[("Content-Type", "text/html")], "no"), (529, 1, Some("text/html".to_owned())));
        assert_eq!(say(&[("retry-after", "5")], ""), (529, 0, None));
    }
}
