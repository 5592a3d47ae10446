//! What a caller hears of a fault of the service.

use std::time::Duration;

use brownout_load::Reply;
use brownout_policy::{Failure, Success, Transport, names_throttling, retry_after};
use brownout_service::{Fault, Seen};

/// What came back.
pub(crate) const fn reply(seen: Seen) -> Reply {
    match seen {
        Seen::Status(status) => Reply::Status(status),
        Seen::Reset => Reply::Broken(Transport::Reset),
        Seen::Closed => Reply::Broken(Transport::Closed),
        Seen::NotHttp => Reply::Broken(Transport::Protocol),
    }
}

/// What broke, in words; `None` where an answer came.
pub(crate) const fn error(seen: Seen) -> Option<&'static str> {
    match seen {
        Seen::Status(_) => None,
        Seen::Reset => Some("the connection was reset"),
        Seen::Closed => Some("the connection ended before the answer did"),
        Seen::NotHttp => Some("what came was no HTTP"),
    }
}

/// How long the answer asks its caller to stay away. A date means nothing where there is no time of day.
pub(crate) fn wait(fault: &Fault) -> Option<Duration> {
    retry_after::told(|name| fault.header(name), || None)
}

/// The failure that a policy decides on after `fault`; `None` where its caller sees a `success`.
#[must_use]
pub fn failure_of(fault: &Fault, success: &Success) -> Option<Failure> {
    let reply = reply(fault.seen());
    let answered = matches!(reply, Reply::Status(_));
    let failure = reply.failure(success, if answered { wait(fault) } else { None })?;
    Some(if answered && fault.body().is_some_and(names_throttling) { failure.throttled() } else { failure })
}
