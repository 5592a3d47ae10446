//! Who is asking: the identity that a request's draws belong to.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;

use brownout_draw::fingerprint;

use crate::RouteId;

/// How many request identities without an attempt number are remembered; the oldest is forgotten first.
pub const KEYS_MAX: usize = 65_536;

/// One attempt of one request. Equal identities meet equal fates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The request: a number from 1, or the fingerprint of a key.
    pub request: u64,
    /// Which try of it, from 1.
    pub attempt: NonZeroU32,
}

/// What a request says of its own identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The request, by a header: a number stands for itself, any other text for its fingerprint.
    pub request: Option<&'a str>,
    /// Which attempt it says it is; what is no number from 1 counts as nothing said.
    pub attempt: Option<&'a str>,
}

/// The memory that gives each arriving request its identity.
///
/// - A request that says who it is, and which attempt, is believed.
/// - One that says who it is, but not which attempt, has its attempts counted: the second time a key is seen is
///   attempt 2. The last [`KEYS_MAX`] keys are remembered.
/// - One that says nothing is the next ordinal of its route, from 1, attempt 1.
#[derive(Clone, Debug, Default)]
pub struct Arrivals {
    ordinals: BTreeMap<RouteId, u64>,
    attempts: BTreeMap<u64, u32>,
    oldest_first: VecDeque<u64>,
}

impl Identity {
    /// The request header that says which request this is.
    pub const REQUEST_HEADER: &'static str = "x-brownout-request";
    /// The request header that says which attempt of it.
    pub const ATTEMPT_HEADER: &'static str = "x-brownout-attempt";

    /// The first attempt of `request`.
    #[must_use]
    pub const fn first(request: u64) -> Self {
        Self { request, attempt: NonZeroU32::MIN }
    }
}

impl Arrivals {
    /// The identity of a request that arrived at `route` with this `claim`.
    pub fn identify(&mut self, route: RouteId, claim: Claim<'_>) -> Identity {
        let Some(request) = claim.request else {
            let ordinal = self.ordinals.entry(route).or_default();
            *ordinal += 1;
            return Identity::first(*ordinal);
        };
        let request = request.parse().unwrap_or_else(|_| fingerprint(request.as_bytes()));
        let attempt = match claim.attempt.and_then(|attempt| attempt.parse().ok()) {
            Some(attempt) => attempt,
            None => self.count(request),
        };
        Identity { request, attempt }
    }

    fn count(&mut self, request: u64) -> NonZeroU32 {
        if let Some(attempt) = self.attempts.get_mut(&request) {
            *attempt = attempt.saturating_add(1);
            return NonZeroU32::new(*attempt).unwrap_or(NonZeroU32::MAX);
        }
        if self.oldest_first.len() == KEYS_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.attempts.remove(&oldest);
        }
        self.attempts.insert(request, 1);
        self.oldest_first.push_back(request);
        NonZeroU32::MIN
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrivals, Claim, KEYS_MAX};
    use crate::RouteId;

    const HERE: RouteId = RouteId::UNMATCHED;

    fn identify(arrivals: &mut Arrivals, request: Option<&str>, attempt: Option<&str>) -> (u64, u32) {
        let identity = arrivals.identify(HERE, Claim { request, attempt });
        (identity.request, identity.attempt.get())
    }

    #[test]
    fn a_request_that_says_nothing_is_the_next_of_its_route() {
        let mut arrivals = Arrivals::default();
        assert_eq!(identify(&mut arrivals, None, None), (1, 1));
        assert_eq!(identify(&mut arrivals, None, Some("4")), (2, 1));
    }

    #[test]
    fn a_request_that_says_who_it_is_is_believed() {
        let mut arrivals = Arrivals::default();
        assert_eq!(identify(&mut arrivals, Some("17"), Some("3")), (17, 3));
        assert_eq!(identify(&mut arrivals, Some("17"), Some("3")), (17, 3));
        assert_eq!(identify(&mut arrivals, Some("foobar"), Some("1")), (0x8594_4171_f739_67e8, 1));
    }

    #[test]
    fn attempts_of_a_key_are_counted_where_they_are_not_told() {
        let mut arrivals = Arrivals::default();
        assert_eq!(identify(&mut arrivals, Some("order-1"), None).1, 1);
        assert_eq!(identify(&mut arrivals, Some("order-2"), None).1, 1);
        assert_eq!(identify(&mut arrivals, Some("order-1"), Some("0")).1, 2);
        assert_eq!(identify(&mut arrivals, Some("order-1"), Some("two")).1, 3);
    }

    #[test]
    fn the_memory_of_keys_is_bounded() {
        let mut arrivals = Arrivals::default();
        for key in 0..=KEYS_MAX {
            identify(&mut arrivals, Some(&key.to_string()), None);
        }
        assert_eq!(arrivals.attempts.len(), KEYS_MAX);
        assert_eq!(identify(&mut arrivals, Some("0"), None).1, 1, "the oldest key was forgotten");
        assert_eq!(identify(&mut arrivals, Some("70"), None).1, 2);
    }
}
