//! `malformed_chunk`: a head that announces chunks, bytes that are none, and a FIN.

use super::fault::Says;
use super::{Delivery, Fault, Outcome, Profile};

pub(super) const PROFILE: Profile = Profile { effect: true, ..Profile::fault("malformed_chunk", &DEFAULT) };

static DEFAULT: Fault = Fault::new(Outcome::MalformedChunk, Delivery::MalformedChunk, Says::Success(0));
