//! Client-side throttling: a caller refuses by itself what the service would refuse anyway.

use std::time::Duration;

use super::thousandths::{ONE, thousandths};
use super::window::{SlotLength, WINDOW_MIN, Window};
use crate::GuardError;

const SLOTS: usize = 24;

/// Refuses an attempt with the probability `max(0, (requests - k · accepts) / (requests + 1))`.
///
/// Both are counted over the last `window`, in 24 steps. Requests count when they are sent or refused here, accepts when the
/// service took them, whether it then failed at its work or not. In steady state the service receives
/// `min(offered, k · capacity)`: with k = 2 it refuses one request for each that it takes, with 1.1 one for ten. The nearer
/// k is to 1, the slower callers come back: by about a factor of k in each window.
///
/// Defaults of the source: k 2, 120 s. Source: "Handling Overload", in *Site Reliability Engineering*, O'Reilly, 2016.
///
/// ```
/// use std::time::Duration;
/// use brownout_policy::Throttle;
///
/// let throttle = Throttle::new(2.0, Duration::from_secs(120))?;
/// let mut state = throttle.state();
/// let now = Duration::from_secs(1);
/// assert!(throttle.admit(&mut state, now, 0));
/// // The first was not taken: the next is refused one time in two.
/// assert!(!throttle.admit(&mut state, now, u64::MAX / 4));
/// # Ok::<(), brownout_policy::GuardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// In thousandths.
    k: u32,
    slot: SlotLength,
}

/// What a throttle remembers: 200 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThrottleState(Window<Count, SLOTS>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    requests: u32,
    accepts: u32,
}

impl Throttle {
    /// - `k`: how many requests the service is sent for each that it takes, 1 to 1000, in thousandths. Envoy's
    ///   admission control and failsafe-go say `1 / k` instead.
    /// - `window`: how long requests and accepts are remembered, at least 1 ms.
    ///
    /// # Errors
    /// When one of the two is outside its range.
    pub fn new(k: f64, window: Duration) -> Result<Self, GuardError> {
        if !(1.0..=1000.0).contains(&k) {
            return Err(GuardError::ThrottleK(k));
        }
        if window < WINDOW_MIN {
            return Err(GuardError::WindowShort { what: "window of client-side throttling", found: window });
        }
        Ok(Self { k: thousandths("k of client-side throttling", k)?, slot: SlotLength::of::<SLOTS>(window) })
    }

    /// Nothing seen yet: everything is admitted.
    #[must_use]
    pub fn state(&self) -> ThrottleState {
        ThrottleState::default()
    }

    /// Whether an attempt may be sent now; it is counted as a request either way.
    ///
    /// - `draw`: uniform over `u64`. It is refused when that falls into the first `p` of the whole.
    #[must_use]
    pub fn admit(&self, state: &mut ThrottleState, now: Duration, draw: u64) -> bool {
        let (excess, of) = self.refused_share(state, now);
        let slot = state.0.current(self.slot, now);
        slot.requests = slot.requests.saturating_add(1);
        // draw / 2^64 >= excess / of, in whole numbers.
        u128::from(draw) * of >= excess << 64
    }

    /// The service took an attempt that was admitted: it answered, and did not turn it away.
    pub fn accepted(&self, state: &mut ThrottleState, now: Duration) {
        let slot = state.0.current(self.slot, now);
        slot.accepts = slot.accepts.saturating_add(1);
    }

    /// The probability of a refusal as a fraction, both parts in thousandths and far below 2^64.
    fn refused_share(&self, state: &mut ThrottleState, now: Duration) -> (u128, u128) {
        let counts = state.0.live(self.slot, now);
        let requests: u128 = counts.iter().map(|count| u128::from(count.requests)).sum();
        let accepts: u128 = counts.iter().map(|count| u128::from(count.accepts)).sum();
        let one = u128::from(ONE);
        ((requests * one).saturating_sub(accepts * u128::from(self.k)), (requests + 1) * one)
    }
}

#[cfg(test)]
mod tests {
    use super::{Throttle, ThrottleState};
    use brownout_draw::{Seed, Stream, draw};
    use proptest::prelude::*;
    use std::time::Duration;

    const NOW: Duration = Duration::from_secs(1);

    /// How many requests a second a service receives that takes a hundred, after twenty windows.
    fn received(k: f64, offered: u32) -> f64 {
        const WINDOW: u32 = 24;
        let rule = Throttle::new(k, Duration::from_secs(WINDOW.into())).unwrap();
        let mut state = rule.state();
        let mut received = 0_u32;
        for second in 0..WINDOW * 30 {
            let mut sent = 0;
            for request in 0..offered {
                let now = Duration::from_secs(second.into()) + Duration::from_secs(1) * request / offered;
                if rule.admit(&mut state, now, draw(Seed(3), Stream::OUTCOME, second.into(), request)) {
                    sent += 1;
                    if sent <= 100 {
                        rule.accepted(&mut state, now);
                    }
                }
            }
            received += if second < WINDOW * 20 { 0 } else { sent };
        }
        f64::from(received) / f64::from(WINDOW * 10)
    }

    /// In steady state the service receives min(offered, k · capacity).
    #[track_caller]
    fn check(k: f64, offered: u32, expected: f64) {
        let found = received(k, offered);
        assert!((found - expected).abs() <= 0.03 * expected, "{k} {offered}: {found}");
    }

    #[test]
    fn the_service_receives_k_times_what_it_takes() {
        check(2.0, 500, 200.0);
        check(1.1, 500, 110.0);
        check(2.0, 150, 150.0);
        check(2.0, 80, 80.0);
    }

    /// Ten requests that nobody took: refused with a probability of 10/11, one accept lowers that to 8/11.
    #[test]
    fn the_probability_follows_its_formula() {
        let rule = Throttle::new(2.0, Duration::from_secs(120)).unwrap();
        let mut state = rule.state();
        assert!(rule.admit(&mut state, NOW, 0));
        (0..9).for_each(|_| assert!(rule.admit(&mut state, NOW, u64::MAX)));
        let least = |parts: u128| u64::try_from((parts << 64).div_ceil(11)).unwrap();
        let admits = |state: &ThrottleState, draw| rule.admit(&mut state.clone(), NOW, draw);
        assert!(admits(&state, least(10)) && !admits(&state, least(10) - 1));
        rule.accepted(&mut state, NOW);
        assert!(admits(&state, least(8)) && !admits(&state, least(8) - 1));
        // A window later nothing is left of it.
        assert!(rule.admit(&mut state, NOW + Duration::from_secs(120), 0));
    }

    #[test]
    fn what_is_refused_here_counts_too() {
        let rule = Throttle::new(2.0, Duration::from_secs(120)).unwrap();
        let mut state = rule.state();
        assert!(rule.admit(&mut state, NOW, 0));
        // p = 1/2, 2/3, 3/4: a draw of 0.7 is admitted twice, then no more.
        let seven_tenths = u64::MAX / 10 * 7;
        let admitted = [(); 4].map(|()| rule.admit(&mut state, NOW, seven_tenths));
        assert_eq!(admitted, [true, true, false, false]);
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_its_rule() {
        let refusal = |k, window| Throttle::new(k, window).unwrap_err().to_string();
        assert!(refusal(0.9, NOW).contains("from 1 to 1000, found 0.9"));
        assert!(refusal(f64::NAN, NOW).contains("found NaN"));
        assert!(refusal(2.0, Duration::ZERO).contains("at least 1ms"));
    }

    proptest! {
        #[test]
        fn a_service_that_takes_everything_is_never_refused(
            steps in prop::collection::vec((any::<u32>(), any::<u64>()), 1..100),
        ) {
            let rule = Throttle::new(1.0, Duration::from_secs(120)).unwrap();
            let mut state = rule.state();
            let mut now = Duration::ZERO;
            for (millis, draw) in steps {
                now += Duration::from_millis(millis.into());
                prop_assert!(rule.admit(&mut state, now, draw));
                rule.accepted(&mut state, now);
            }
        }

        #[test]
        fn nothing_panics(steps in prop::collection::vec((any::<u64>(), any::<u64>(), any::<bool>()), 1..100)) {
            let rule = Throttle::new(1000.0, Duration::from_millis(1)).unwrap();
            let mut state = rule.state();
            for (secs, draw, taken) in steps {
                let now = Duration::from_secs(secs);
                let _ = rule.admit(&mut state, now, draw);
                if taken { rule.accepted(&mut state, now) }
            }
        }
    }
}
