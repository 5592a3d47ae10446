//! `bandwidth`: a body that comes so many bytes a second.

use std::num::NonZeroU32;

use super::fault::{Says, paced};
use super::{Delivery, Fault, FaultError, Outcome, Pacing, Profile};

pub(super) const PROFILE: Profile = Profile { effect: true, ..Profile::fault("bandwidth", &DEFAULT) };

static DEFAULT: Fault = of(Fault::BANDWIDTH.0, Fault::BANDWIDTH.1);

impl Fault {
    /// How many bytes a second come unless told otherwise, and of how large a body: it takes a second.
    pub const BANDWIDTH: (NonZeroU32, u32) = (NonZeroU32::new(16 << 10).unwrap(), 16 << 10);

    /// A body of `size` comes evenly, so many bytes a second. Default: 16 KiB a second, of 16 KiB.
    ///
    /// # Errors
    /// When the size is out of bounds, or the body takes too long to come.
    pub fn bandwidth(per_second: NonZeroU32, size: u32) -> Result<Self, FaultError> {
        paced(of(per_second, size), size)
    }
}

const fn of(per_second: NonZeroU32, size: u32) -> Fault {
    Fault::new(Outcome::Bandwidth, Delivery::Paced(Pacing::Bandwidth(per_second), size), Says::Bytes(size))
}
