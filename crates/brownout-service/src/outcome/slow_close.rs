//! `slow_close`: a whole answer at once, and a FIN long after it.
//!
//! The answer says its length, so who reads by it has all of it at once. Who waits for the end of the connection waits long.

use std::time::Duration;

use super::fault::{Says, wait};
use super::{Delivery, Fault, FaultError, Outcome, Profile};

pub(super) const PROFILE: Profile = Profile { effect: true, ..Profile::fault("slow_close", &DEFAULT) };

static DEFAULT: Fault = after(Fault::SLOW_CLOSE);

impl Fault {
    /// How long after the answer the connection is closed, unless told otherwise.
    pub const SLOW_CLOSE: Duration = Duration::from_secs(5);

    /// The connection is closed so long after the answer. Default: [`SLOW_CLOSE`](Self::SLOW_CLOSE).
    ///
    /// # Errors
    /// When the wait is out of bounds.
    pub fn slow_close(time: Duration) -> Result<Self, FaultError> {
        Ok(after(wait(time)?))
    }
}

const fn after(time: Duration) -> Fault {
    Fault::new(Outcome::SlowClose, Delivery::HeldOpen(time), Says::Success(0))
}
