//! `lost_reply`: the work is done and the answer is lost, which a caller cannot tell from work that was not done.

use super::fault::{Says, wait};
use super::{Delivery, End, ErrorCode, Fault, FaultError, Outcome, Point, Profile};

pub(super) const PROFILE: Profile = Profile { effect: true, ..Profile::fault("lost_reply", &DEFAULT) };

static DEFAULT: Fault = then(Fault::LOST_REPLY);

impl Fault {
    /// How a reply is lost unless told otherwise: with a reset, over HTTP/2 of its stream alone, so that no other is lost with it.
    pub const LOST_REPLY: End = End::ResetStream(ErrorCode::InternalError);

    /// In place of the answer the connection ends like this. Default: [`LOST_REPLY`](Self::LOST_REPLY).
    ///
    /// # Errors
    /// When a wait is out of bounds.
    pub fn lost_reply(end: End) -> Result<Self, FaultError> {
        if let End::Hang(silence) = end {
            wait(silence)?;
        }
        Ok(then(end))
    }
}

const fn then(end: End) -> Fault {
    Fault::new(Outcome::LostReply, Delivery::Cut(Point::Start, end), Says::Success(0))
}
