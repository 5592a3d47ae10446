//! `truncate`: less of the body than the head promised, and a FIN.

use super::fault::{Says, cut};
use super::{Delivery, End, Fault, FaultError, Outcome, Point, Profile};

pub(super) const PROFILE: Profile = Profile { effect: true, ..Profile::fault("truncate", &DEFAULT) };

static DEFAULT: Fault = after(Point::HalfBody, 0);

impl Fault {
    /// Half of the body comes, as by default.
    #[must_use]
    pub const fn truncate_half() -> Self {
        after(Point::HalfBody, 0)
    }

    /// So many bytes of the body come.
    ///
    /// # Errors
    /// When no body is that large.
    pub fn truncate(bytes: u32) -> Result<Self, FaultError> {
        let bytes = cut(bytes)?;
        Ok(after(Point::Body(bytes), bytes + 1))
    }
}

/// Of an answer of so many bytes at least, so that something is missing.
const fn after(point: Point, bytes: u32) -> Fault {
    Fault::new(Outcome::Truncate, Delivery::Cut(point, End::Close), Says::Success(bytes))
}
