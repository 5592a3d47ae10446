//! `hang`: no answer at all, and no end for long: what callers see of it is their own timeout.

use std::time::Duration;

use super::fault::{Says, wait};
use super::{Delivery, End, Fault, FaultError, Outcome, Point, Profile};

pub(super) const PROFILE: Profile = Profile::fault("hang", &DEFAULT);

static DEFAULT: Fault = after(Fault::HANG);

impl Fault {
    /// Nothing comes; the connection is closed after so long. Default: [`HANG`](Self::HANG).
    ///
    /// # Errors
    /// When the wait is out of bounds.
    pub fn hang(silence: Duration) -> Result<Self, FaultError> {
        Ok(after(wait(silence)?))
    }
}

const fn after(silence: Duration) -> Fault {
    Fault::new(Outcome::Hang, Delivery::Cut(Point::Start, End::Hang(silence)), Says::Success(0))
}
