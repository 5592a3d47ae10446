//! Flags that several verbs share.

mod policy;
mod service;
mod target;

pub(crate) use policy::PolicyFlags;
pub(crate) use service::ServiceFlags;
pub(crate) use target::TargetFlags;

use std::time::Duration;

use brownout_scenario::units;

/// Reads a duration flag.
pub(crate) fn duration(text: &str) -> Result<Duration, units::DurationError> {
    units::duration(text)
}
