//! `goaway`: the end of a connection of HTTP/2, which says that this request was not worked on.

use super::fault::Says;
use super::{Delivery, End, ErrorCode, Fault, Outcome, Point, Profile};

pub(super) const PROFILE: Profile = Profile::fault("goaway", &DEFAULT);

static DEFAULT: Fault = with(Fault::GOAWAY);

impl Fault {
    /// The code of a connection that goes away, unless told otherwise: what servers say that restart.
    pub const GOAWAY: ErrorCode = ErrorCode::NoError;

    /// The connection goes away with this code. Default: [`GOAWAY`](Self::GOAWAY).
    #[must_use]
    pub const fn goaway(code: ErrorCode) -> Self {
        with(code)
    }
}

const fn with(code: ErrorCode) -> Fault {
    Fault::new(Outcome::GoAway, Delivery::Cut(Point::Start, End::GoAway(code)), Says::Success(0))
}
