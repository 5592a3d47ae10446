//! `garbage_then_close`: bytes that are no HTTP, and a FIN.

use super::fault::Says;
use super::{Delivery, Fault, Outcome, Profile};

pub(super) const PROFILE: Profile = Profile::fault("garbage_then_close", &DEFAULT);

static DEFAULT: Fault = Fault::new(Outcome::GarbageThenClose, Delivery::Garbage, Says::Success(0));
