//! A decision, and the answer it makes.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::{Fault, Identity, Landed, Outcome, Seen, Service};

/// What a service looks at when a request comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method, in capitals as on the wire.
    pub method: &'a str,
    /// The path without its query.
    pub path: &'a str,
}

/// What one attempt meets, and why.
///
/// Its text form is the value of the `x-brownout-decision` header:
/// `request=17;attempt=1;outcome=error;latency_ms=231.417`, then `;route="…"`, `;phase="…"` and `;replica=3` where one applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'s> {
    /// Who was asking.
    pub identity: Identity,
    /// Which outcome was drawn.
    pub outcome: Outcome,
    /// What that takes, where it is more than a status.
    pub fault: Option<&'s Fault>,
    /// How long the service takes, from the request's arrival to the start of its answer.
    pub latency: Duration,
    /// The route as the scenario writes it; `None` where none matched and the service's own settings hold.
    pub route: Option<&'s str>,
    /// The phase that changed something here, if one did.
    pub phase: Option<&'s str>,
    /// The replica that it landed on; `None` where there are none.
    pub replica: Option<NonZeroU32>,
}

/// An answer, before it is put on a wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, each at most once.
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The body, always text here.
    pub body: Cow<'static, str>,
}

impl Decision<'_> {
    /// The header that carries the decision.
    pub const HEADER: &'static str = "x-brownout-decision";

    /// The whole answer, decision header included, as it would be if nothing befell it on its way.
    #[must_use]
    pub fn respond(&self, request: &Request<'_>) -> Response {
        let mut response = match self.fault {
            None => self.outcome.respond(request),
            Some(fault) => fault.respond(request),
        };
        response.headers.push((Self::HEADER.into(), self.header().into()));
        response
    }

    /// The whole answer where a service behind has failed the request, which came to its outcome and to nothing more: the header
    /// says `outcome=bad_gateway`.
    #[must_use]
    pub fn bad_gateway(&self) -> Response {
        let mut response = Response::json(Service::BAD_GATEWAY, r#"{"error": "Bad Gateway"}"#.into());
        let own = format!("outcome={};", self.outcome.name());
        response.headers.push((Self::HEADER.into(), self.header().replacen(&own, "outcome=bad_gateway;", 1).into()));
        response
    }

    /// Whose it is, and where it landed.
    #[must_use]
    pub const fn landed(&self) -> Landed {
        Landed { identity: self.identity, replica: self.replica }
    }

    /// What its caller sees in the end, if it waits that long.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.fault.map_or(Seen::Status(self.outcome.status()), Fault::seen)
    }

    /// How long after the request's arrival its caller has seen that.
    #[must_use]
    pub fn until_seen(&self) -> Duration {
        self.latency.saturating_add(self.fault.map(Fault::lasts).unwrap_or_default())
    }

    /// The header's value. It is made for every answer on the wire, so without the machinery of formatting, which would take more
    /// time than the decision.
    fn header(&self) -> String {
        let Identity { request, attempt } = self.identity;
        // Rounded, as results show it.
        let micros = (self.latency.as_nanos() + 500) / 1000;
        let names = self.route.map_or(0, str::len) + self.phase.map_or(0, str::len);
        let mut text = String::with_capacity(96 + names);
        let mut digits = itoa::Buffer::new();
        for (key, number) in [("request=", request), (";attempt=", attempt.get().into())] {
            text.push_str(key);
            text.push_str(digits.format(number));
        }
        text.push_str(";outcome=");
        text.push_str(self.outcome.name());
        text.push_str(";latency_ms=");
        text.push_str(digits.format(micros / 1000));
        // The digits after the point, their zeros kept.
        text.push('.');
        text.push_str(&digits.format(1000 + micros % 1000)[1..]);
        for (key, name) in [(";route=\"", self.route), (";phase=\"", self.phase)] {
            if let Some(name) = name {
                text.push_str(key);
                text.push_str(name);
                text.push('"');
            }
        }
        if let Some(replica) = self.replica {
            text.push_str(";replica=");
            text.push_str(digits.format(replica.get()));
        }
        text
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.header())
    }
}

impl Response {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: Cow<'static, str>) -> Self {
        Self { status, headers: vec![("content-type".into(), "application/json".into())], body }
    }

    /// The value of the header called `name`, written small.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| &**value)
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, Request};
    use crate::{Identity, Outcome};
    use std::num::NonZeroU32;
    use std::time::Duration;

    #[test]
    fn the_header_tells_the_whole_decision() {
        let mut decision = Decision {
            identity: Identity::first(17),
            outcome: Outcome::Error,
            fault: None,
            latency: Duration::from_nanos(1_002_345_999),
            route: None,
            phase: None,
            replica: None,
        };
        assert_eq!(decision.to_string(), "request=17;attempt=1;outcome=error;latency_ms=1002.346");
        decision.route = Some("POST /payments/{id}");
        decision.phase = Some("outage");
        decision.replica = NonZeroU32::new(3);
        let failed = decision.bad_gateway();
        let header = failed.header(Decision::HEADER).unwrap_or_default();
        assert_eq!((failed.status, header.split(';').nth(2)), (502, Some("outcome=bad_gateway")));
        let response = decision.respond(&Request { method: "GET", path: "/" });
        assert_eq!(
            response.header(Decision::HEADER),
            Some(
                "request=17;attempt=1;outcome=error;latency_ms=1002.346;route=\"POST /payments/{id}\";phase=\"outage\";replica=3"
            )
        );
    }
}
