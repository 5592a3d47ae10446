//! `dribble`: a body that comes a few bytes at a time.

use std::num::NonZeroU32;
use std::time::Duration;

use super::fault::{Says, paced, wait};
use super::{Delivery, Fault, FaultError, Outcome, Pacing, Profile};

pub(super) const PROFILE: Profile = Profile { effect: true, ..Profile::fault("dribble", &DEFAULT) };

static DEFAULT: Fault = of(Pacing::Dribble(Fault::DRIBBLE.0, Fault::DRIBBLE.1), Fault::DRIBBLE.2);

impl Fault {
    /// How many bytes come at a time unless told otherwise, how often, and of how large a body: it takes a second and a half.
    pub const DRIBBLE: (NonZeroU32, Duration, u32) = (NonZeroU32::new(16).unwrap(), Duration::from_millis(100), 256);

    /// The first `bytes` of a body of `size` come at once, and as many more `every` so often. Default: 16 of 256, every 100 ms.
    ///
    /// # Errors
    /// When a number is out of bounds, or the body takes too long to come.
    pub fn dribble(bytes: NonZeroU32, every: Duration, size: u32) -> Result<Self, FaultError> {
        paced(of(Pacing::Dribble(bytes, wait(every)?), size), size)
    }
}

const fn of(pacing: Pacing, size: u32) -> Fault {
    Fault::new(Outcome::Dribble, Delivery::Paced(pacing, size), Says::Bytes(size))
}
