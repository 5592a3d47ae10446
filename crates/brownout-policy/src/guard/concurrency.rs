//! A fixed limit of attempts in flight.

use std::num::NonZeroU32;

/// At most `limit` attempts of one caller at a time: a bulkhead, or a pool of connections that does not queue.
///
/// No default: resilience4j's bulkhead takes 25 (documentation of its `BulkheadConfig`), Envoy's clusters 1024 (its
/// `max_requests`).
///
/// ```
/// use std::num::NonZeroU32;
/// use brownout_policy::Concurrency;
///
/// let one = Concurrency { limit: NonZeroU32::MIN };
/// let mut state = one.state();
/// assert!(one.admit(&mut state));
/// assert!(!one.admit(&mut state));
/// one.ended(&mut state);
/// assert!(one.admit(&mut state));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency {
    /// Attempts in flight, at least 1.
    pub limit: NonZeroU32,
}

/// How many attempts are in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight(u32);

impl Concurrency {
    /// Nothing in flight.
    #[must_use]
    pub const fn state(&self) -> InFlight {
        InFlight(0)
    }

    /// Whether one more attempt may be sent now; if so, it is in flight until [`ended`](Self::ended).
    #[must_use]
    pub const fn admit(&self, state: &mut InFlight) -> bool {
        let admitted = state.0 < self.limit.get();
        if admitted {
            state.0 += 1;
        }
        admitted
    }

    /// An attempt that was admitted has ended, well or not.
    pub const fn ended(&self, state: &mut InFlight) {
        state.0 = state.0.saturating_sub(1);
    }
}

impl InFlight {
    /// Attempts in flight.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Concurrency, InFlight};
    use proptest::prelude::*;
    use std::num::NonZeroU32;

    proptest! {
        #[test]
        fn the_limit_holds_whatever_happens(limit in 1_u32..20, steps in prop::collection::vec(any::<bool>(), 0..200)) {
            let rule = Concurrency { limit: NonZeroU32::new(limit).unwrap() };
            let mut state = InFlight::default();
            for begins in steps {
                let before = state.count();
                if begins {
                    prop_assert_eq!(rule.admit(&mut state), before < limit);
                } else {
                    rule.ended(&mut state);
                }
                prop_assert!(state.count() <= limit);
            }
        }
    }
}
