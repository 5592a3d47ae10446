//! Envoy's retry budget.

use brownout_draw::Probability;

use super::Grants;

/// At most a share of the attempts in flight may be retries, and always `min`.
///
/// A retry is granted while fewer than `max(floor(ratio · active), min)` retries are in progress, `active` being all
/// attempts in flight, retries among them. A retry is in progress from its grant, its wait included, to the end of its
/// attempt; while it waits, it is not in flight.
///
/// Because it counts what is under way, it lets through more retries the longer attempts take, and shrinks when they fail
/// fast.
///
/// Defaults of the source: 20 %, 3. Source: Envoy, `CircuitBreakers.Thresholds.RetryBudget` and its resource manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConcurrentBudget {
    /// Retries as a share of attempts in flight.
    pub ratio: Probability,
    /// Retries in progress whatever the share.
    pub min: u32,
}

/// What is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct UnderWay {
    /// Attempts in flight.
    active: u32,
    /// Retries waiting or in flight.
    retries: u32,
}

impl ConcurrentBudget {
    /// Retries are among the attempts that it takes its share of: r of 1 + r.
    pub(super) fn grants(self) -> Grants {
        let ratio = self.ratio.as_f64();
        let share = if ratio < 1.0 { ratio / (1.0 - ratio) } else { f64::INFINITY };
        Grants { at_once: self.min, share, failing: share, per_second: 0.0 }
    }

    pub(super) fn attempt_began(self, state: &mut UnderWay) {
        state.active = state.active.saturating_add(1);
    }

    pub(super) fn attempt_ended(self, state: &mut UnderWay, retry: bool) {
        state.active = state.active.saturating_sub(1);
        if retry {
            self.retry_abandoned(state);
        }
    }

    pub(super) fn retry_abandoned(self, state: &mut UnderWay) {
        state.retries = state.retries.saturating_sub(1);
    }

    pub(super) fn withdraw(self, state: &mut UnderWay) -> Option<u32> {
        let share = u64::from(state.active) * u64::from(self.ratio.parts()) / u64::from(Probability::PARTS);
        if u64::from(state.retries) >= share.max(self.min.into()) {
            return None;
        }
        state.retries = state.retries.saturating_add(1);
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{ConcurrentBudget, UnderWay};
    use proptest::prelude::*;

    const ENVOY: fn() -> ConcurrentBudget = || ConcurrentBudget { ratio: "20%".parse().unwrap(), min: 3 };

    fn under_way(rule: ConcurrentBudget, active: u32) -> UnderWay {
        let mut state = UnderWay::default();
        (0..active).for_each(|_| rule.attempt_began(&mut state));
        state
    }

    #[track_caller]
    fn check(active: u32, expected: usize) {
        let mut state = under_way(ENVOY(), active);
        let granted = (0..active * 2 + 10).filter(|_| ENVOY().withdraw(&mut state).is_some()).count();
        assert_eq!(granted, expected, "{active}");
    }

    /// The first two are the examples of Envoy's documentation.
    #[test]
    fn a_share_of_what_is_in_flight_but_always_three() {
        check(25, 5);
        check(2, 3);
        check(0, 3);
        check(24, 4);
        check(1000, 200);
    }

    #[test]
    fn a_retry_holds_its_place_until_its_attempt_ended() {
        let mut state = under_way(ENVOY(), 3);
        for _ in 0..3 {
            assert!(ENVOY().withdraw(&mut state).is_some());
            ENVOY().attempt_ended(&mut state, false);
        }
        assert!(ENVOY().withdraw(&mut state).is_none());
        ENVOY().attempt_began(&mut state);
        assert!(ENVOY().withdraw(&mut state).is_none());
        ENVOY().attempt_ended(&mut state, true);
        assert!(ENVOY().withdraw(&mut state).is_some());
        ENVOY().retry_abandoned(&mut state);
        assert!(ENVOY().withdraw(&mut state).is_some());
    }

    proptest! {
        #[test]
        fn every_grant_finds_a_place_below_the_limit(events in prop::collection::vec((0..4, any::<bool>()), 0..300)) {
            let mut state = UnderWay::default();
            for (event, retry) in events {
                match event {
                    0 => ENVOY().attempt_began(&mut state),
                    1 => ENVOY().attempt_ended(&mut state, retry),
                    2 => ENVOY().retry_abandoned(&mut state),
                    _ if ENVOY().withdraw(&mut state).is_some() => {
                        prop_assert!(state.retries <= (state.active / 5).max(3));
                    }
                    _ => {}
                }
            }
        }
    }
}
