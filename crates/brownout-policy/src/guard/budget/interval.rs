//! The retry budget of the Kubernetes Gateway API.

use std::time::Duration;

use brownout_draw::Probability;

use super::Grants;
use crate::GuardError;
use crate::guard::window::{SlotLength, WINDOW_MIN, Window};

const SLOTS: usize = 10;

/// At most a share of the requests of the last interval may be retried, and always some in a shorter one.
///
/// A retry is granted when with it the retries of the last `interval` are at most `ratio` of the first tries in it, or
/// those of the last `min_interval` at most `min_retries`. Intervals go by in ten steps.
///
/// Defaults of the source: 20 % over 10 s, 10 in 1 s. Source: Gateway API, GEP-3388 "Retry Budgets",
/// `retryConstraint.{budget, minRetryRate}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntervalBudget {
    ratio: Probability,
    min_retries: u32,
    slot: SlotLength,
    min_slot: SlotLength,
}

/// What the two intervals hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Intervals {
    counts: Window<Count, SLOTS>,
    retries: Window<u32, SLOTS>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    requests: u32,
    retries: u32,
}

impl Intervals {
    /// As numbers.
    pub(super) fn numbers(&self) -> Vec<i64> {
        let mut numbers = self.counts.numbers(|count, out| out.extend([count.requests, count.retries].map(i64::from)));
        numbers.extend(self.retries.numbers(|count, out| out.push((*count).into())));
        numbers
    }

    /// From such numbers.
    pub(super) fn from_numbers(numbers: &mut impl Iterator<Item = i64>) -> Option<Self> {
        let count = |number: Option<i64>| u32::try_from(number?).ok();
        let counts = Window::from_numbers(numbers, |numbers| {
            Some(Count { requests: count(numbers.next())?, retries: count(numbers.next())? })
        })?;
        let retries = Window::from_numbers(numbers, |numbers| count(numbers.next()))?;
        Some(Self { counts, retries })
    }
}

impl IntervalBudget {
    /// - `ratio`: retries as a share of the first tries of an `interval`, which is at least 1 ms.
    /// - `min_retries`: retries in a `min_interval`, at least 1 ms, whatever the share; 0 allows none beyond it.
    ///
    /// # Errors
    /// When an interval is shorter than 1 ms.
    pub fn new(
        ratio: Probability,
        interval: Duration,
        min_retries: u32,
        min_interval: Duration,
    ) -> Result<Self, GuardError> {
        for (what, found) in [("interval of a budget", interval), ("min_interval of a budget", min_interval)] {
            if found < WINDOW_MIN {
                return Err(GuardError::WindowShort { what, found });
            }
        }
        let (slot, min_slot) = (SlotLength::of::<SLOTS>(interval), SlotLength::of::<SLOTS>(min_interval));
        Ok(Self { ratio, min_retries, slot, min_slot })
    }

    pub(super) fn grants(&self) -> Grants {
        let share = self.ratio.as_f64();
        let per_second = f64::from(self.min_retries) / self.min_slot.window_secs::<SLOTS>();
        Grants { at_once: self.min_retries, share, failing: share, per_second }
    }

    pub(super) fn call_began(&self, state: &mut Intervals, now: Duration) {
        let count = state.counts.current(self.slot, now);
        count.requests = count.requests.saturating_add(1);
    }

    pub(super) fn withdraw(&self, state: &mut Intervals, now: Duration) -> Option<u32> {
        if !self.within_share(state, now) && !self.within_minimum(state, now) {
            return None;
        }
        let count = state.counts.current(self.slot, now);
        count.retries = count.retries.saturating_add(1);
        let retries = state.retries.current(self.min_slot, now);
        *retries = retries.saturating_add(1);
        Some(0)
    }

    /// Whether one more retry keeps the share: `retries + 1 <= ratio · requests`, in whole numbers.
    fn within_share(&self, state: &mut Intervals, now: Duration) -> bool {
        let counts = state.counts.live(self.slot, now);
        let requests: u64 = counts.iter().map(|count| u64::from(count.requests)).sum();
        let retries: u64 = counts.iter().map(|count| u64::from(count.retries)).sum();
        let most = u128::from(requests) * u128::from(self.ratio.parts());
        u128::from(retries + 1) * u128::from(Probability::PARTS) <= most
    }

    fn within_minimum(&self, state: &mut Intervals, now: Duration) -> bool {
        let retries: u64 = state.retries.live(self.min_slot, now).iter().map(|count| u64::from(*count)).sum();
        retries < u64::from(self.min_retries)
    }
}

#[cfg(test)]
mod tests {
    use super::{IntervalBudget, Intervals};
    use proptest::prelude::*;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn gep(min_retries: u32) -> IntervalBudget {
        IntervalBudget::new("20%".parse().unwrap(), SECOND * 10, min_retries, SECOND).unwrap()
    }

    fn grants(rule: &IntervalBudget, state: &mut Intervals, now: Duration) -> usize {
        (0..10_000).take_while(|_| rule.withdraw(state, now).is_some()).count()
    }

    /// How many retries are allowed at the end of ten seconds with `requests` in them.
    #[track_caller]
    fn check(requests: u32, min_retries: u32, expected: usize) {
        let rule = gep(min_retries);
        let mut state = Intervals::default();
        for request in 0..requests {
            rule.call_began(&mut state, SECOND * 10 * request / requests);
        }
        assert_eq!(grants(&rule, &mut state, Duration::from_millis(9_999)), expected);
    }

    /// The first is the example of the proposal.
    #[test]
    fn a_share_of_the_interval_but_always_the_minimum() {
        check(1000, 0, 200);
        check(1000, 10, 200);
        check(4, 0, 0);
        check(5, 0, 1);
        check(5, 10, 10);
        check(0, 10, 10);
    }

    #[test]
    fn the_minimum_comes_back_with_its_own_interval() {
        let rule = gep(10);
        let mut state = Intervals::default();
        assert_eq!(grants(&rule, &mut state, Duration::ZERO), 10);
        assert_eq!(grants(&rule, &mut state, Duration::from_millis(999)), 0);
        assert_eq!(grants(&rule, &mut state, SECOND), 10);
        assert_eq!(grants(&rule, &mut state, SECOND * 2), 10);
    }

    #[test]
    fn requests_are_forgotten_with_the_interval() {
        let rule = gep(0);
        let mut state = Intervals::default();
        for _ in 0..1000 {
            rule.call_began(&mut state, Duration::ZERO);
        }
        assert_eq!(grants(&rule, &mut state, SECOND * 10), 0);
    }

    #[test]
    fn an_interval_of_no_length_is_refused() {
        let refusal = IntervalBudget::new("1".parse().unwrap(), SECOND, 1, Duration::ZERO).unwrap_err().to_string();
        assert!(refusal.contains("min_interval of a budget must be at least 1ms, found 0ns"), "{refusal}");
    }

    proptest! {
        #[test]
        fn retries_stay_within_share_and_minimum(steps in prop::collection::vec((0_u64..400, any::<bool>()), 1..400)) {
            let rule = gep(2);
            let mut state = Intervals::default();
            let (mut now, mut requests, mut retries) = (Duration::ZERO, 0.0, 0.0);
            for (ms, asks) in steps {
                now += Duration::from_millis(ms);
                if asks {
                    retries += if rule.withdraw(&mut state, now).is_some() { 1.0 } else { 0.0 };
                } else {
                    requests += 1.0;
                    rule.call_began(&mut state, now);
                }
            }
            // In each stretch that is remembered whole: nine tenths of each interval.
            let most = 0.2 * requests * (now.as_secs_f64() / 9.0 + 1.0).ceil() + 2.0 * (now.as_secs_f64() / 0.9 + 1.0).ceil();
            prop_assert!(retries <= most, "{retries} {most}");
        }
    }
}
