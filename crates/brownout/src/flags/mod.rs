//! Flags that several verbs share.

mod format;
mod limits;
mod page;
mod policy;
mod service;
mod target;

pub(crate) use format::{Format, FormatFlags};
pub(crate) use limits::LimitFlags;
pub(crate) use page::{PageFlags, PagePlace};
pub(crate) use policy::{BackoffFlags, HTTP_ATTEMPT_TIMEOUT, PolicyFlags, made_of};
pub(crate) use service::ServiceFlags;
pub(crate) use target::{CallFlags, Callee, seen};

use std::num::NonZeroU32;
use std::time::Duration;

pub(crate) use brownout_scenario::units::duration;

/// The token of an admin API: the given one, or that of the environment.
pub(crate) fn admin_token(given: Option<&String>) -> Option<String> {
    let from_environment = || std::env::var("BROWNOUT_ADMIN_TOKEN").ok().filter(|token| !token.is_empty());
    given.cloned().or_else(from_environment)
}

/// Reads a count of which there must be one at least.
pub(crate) fn positive(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| format!("a count is a whole number from 1 to {}, found `{text}`", u32::MAX))
}

/// Reads a limit, which zero is none of.
pub(crate) fn limit(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Ok(Duration::ZERO) => {
            Err(format!("a limit is longer than zero, found `{text}`; leave it out to wait without end"))
        }
        other => other.map_err(|error| error.to_string()),
    }
}
