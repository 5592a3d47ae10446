//! `connection_reset`: an RST, before the answer or in the middle of it.

use super::fault::{Says, cut};
use super::{Delivery, End, Fault, FaultError, Outcome, Point, Profile};

pub(super) const PROFILE: Profile = Profile::fault("connection_reset", &DEFAULT);

static DEFAULT: Fault = at(Point::Start, 0);

impl Fault {
    /// The connection is reset at this point of the answer. Default: its start.
    ///
    /// # Errors
    /// When no body is that large.
    pub fn connection_reset(point: Point) -> Result<Self, FaultError> {
        let bytes = if let Point::Body(bytes) = point { cut(bytes)? + 1 } else { 0 };
        Ok(at(point, bytes))
    }
}

/// Of an answer of so many bytes at least, so that there is something behind the point.
const fn at(point: Point, bytes: u32) -> Fault {
    Fault::new(Outcome::ConnectionReset, Delivery::Cut(point, End::Reset), Says::Success(bytes))
}
