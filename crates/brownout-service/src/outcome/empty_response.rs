//! `empty_response`: a FIN in place of an answer.

use super::fault::Says;
use super::{Delivery, End, Fault, Outcome, Point, Profile};

pub(super) const PROFILE: Profile = Profile::fault("empty_response", &DEFAULT);

static DEFAULT: Fault = Fault::new(Outcome::EmptyResponse, Delivery::Cut(Point::Start, End::Close), Says::Success(0));
