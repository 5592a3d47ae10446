//! `refused_stream`: the stream is refused before anything was done, so that trying again is safe.

use super::fault::Says;
use super::{Delivery, End, Fault, Outcome, Point, Profile};

pub(super) const PROFILE: Profile = Profile::fault("refused_stream", &DEFAULT);

static DEFAULT: Fault =
    Fault::new(Outcome::RefusedStream, Delivery::Cut(Point::Start, End::RefuseStream), Says::Success(0));
