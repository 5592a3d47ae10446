//! When a copy of an attempt is sent beside it.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::Probability;

use crate::GuardError;

/// Sends a copy when an attempt takes longer than usual, and takes whichever answer comes first.
///
/// Defaults of the sources: Polly 2 s, 1 copy; gRPC A6 none, at most 4 copies. J. Dean and L. A. Barroso, "The Tail at
/// Scale", Communications of the ACM, 2013, send it after the 95th percentile, which adds about 5 % of load.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use brownout_policy::{Hedge, HedgeDelay};
///
/// let delay = HedgeDelay::Quantile { q: "95%".parse()?, initial: Duration::from_millis(100) };
/// let hedge = Hedge::new(delay, NonZeroU32::MIN)?;
/// let mut state = hedge.state();
/// hedge.observe(&mut state, Duration::from_millis(180));
/// assert_eq!(hedge.delay(&state), Duration::from_micros(104_750));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedge {
    delay: HedgeDelay,
    max: NonZeroU32,
}

/// How long an attempt may take before a copy is sent, and that one before the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HedgeDelay {
    /// This long; zero sends all copies at once.
    Fixed(Duration),
    /// As long as this share of answers took.
    Quantile {
        /// The share, between 0 and 1, both excluded.
        q: Probability,
        /// The estimate before the first answer, above zero.
        initial: Duration,
    },
}

/// The estimate of a quantile, in nanoseconds; nothing to a fixed delay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HedgeState(f64);

/// How far one answer moves the estimate, γ.
///
/// A larger step follows a change faster and wanders more. With 0.05 the estimate of a p95 triples in 24 slow answers and
/// falls to a third in 440 fast ones. It wanders by `√(γ · q(1 - q) / 2xf(x))` of itself, x being the quantile and f the
/// density there: 9 % at the p95 of an exponential latency, 13 % at its median.
const STEP: f64 = 0.05;

impl Hedge {
    /// - `max`: copies beside the first attempt, at least 1; by default 1.
    ///
    /// # Errors
    /// When the quantile is 0 or 1, or its initial estimate zero.
    pub fn new(delay: HedgeDelay, max: NonZeroU32) -> Result<Self, GuardError> {
        if let HedgeDelay::Quantile { q, initial } = delay {
            if q == Probability::ZERO || q == Probability::ONE {
                return Err(GuardError::HedgeQuantile(q));
            }
            if initial.is_zero() {
                return Err(GuardError::HedgeInitial);
            }
        }
        Ok(Self { delay, max })
    }

    /// Copies beside the first attempt.
    #[must_use]
    pub const fn max(&self) -> NonZeroU32 {
        self.max
    }

    /// When a copy is sent.
    #[must_use]
    pub const fn when(&self) -> HedgeDelay {
        self.delay
    }

    /// The initial estimate.
    #[must_use]
    pub fn state(&self) -> HedgeState {
        match self.delay {
            HedgeDelay::Fixed(_) => HedgeState(0.0),
            HedgeDelay::Quantile { initial, .. } => HedgeState(nanos(initial)),
        }
    }

    /// How long to wait before the next copy, from when the attempt before it was sent.
    #[must_use]
    pub fn delay(&self, state: &HedgeState) -> Duration {
        match self.delay {
            HedgeDelay::Fixed(delay) => delay,
            HedgeDelay::Quantile { .. } => from_nanos(state.0),
        }
    }

    /// An attempt was answered after `latency`.
    ///
    /// One that was given up because its copy won took at least as long as it was waited for: told with that, it counts as
    /// slow; not told at all, it would make the service look faster than it is, and copies ever more frequent.
    ///
    /// A slower answer than the estimate makes it `1 + γq` times as long, a faster one `1 - γ(1 - q)` times: the two balance
    /// where a share q is faster. Source: H. Robbins and S. Monro, "A Stochastic Approximation Method", Annals of
    /// Mathematical Statistics, 1951, in steps proportional to the estimate.
    pub fn observe(&self, state: &mut HedgeState, latency: Duration) {
        let HedgeDelay::Quantile { q, .. } = self.delay else { return };
        let q = q.as_f64();
        let factor = if nanos(latency) > state.0 { 1.0 + STEP * q } else { 1.0 - STEP * (1.0 - q) };
        state.0 = (state.0 * factor).clamp(1.0, NANOS_MAX);
    }
}

/// 584 years, near enough.
const NANOS_MAX: f64 = 1.8e19;

#[expect(clippy::cast_precision_loss, reason = "a latency of over 104 days may lose nanoseconds")]
fn nanos(duration: Duration) -> f64 {
    (duration.as_nanos() as f64).min(NANOS_MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to NANOS_MAX")]
fn from_nanos(nanos: f64) -> Duration {
    Duration::from_nanos(nanos.round_ties_even() as u64)
}

#[cfg(test)]
mod tests {
    use super::{Hedge, HedgeDelay, from_nanos};
    use brownout_draw::{Distribution, Seed, Stream, draw};
    use proptest::prelude::*;
    use std::num::NonZeroU32;
    use std::time::Duration;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn quantile(q: &str, initial: Duration) -> Hedge {
        Hedge::new(HedgeDelay::Quantile { q: q.parse().unwrap(), initial }, NonZeroU32::MIN).unwrap()
    }

    /// Settled after 5000 answers, the estimate is on average within 5 % of the quantile, and always within a factor of 2,
    /// which is five times as far as it wanders; the share of answers above it is right within a tenth of itself.
    #[track_caller]
    fn check(latency: &Distribution, q: &str, initial_ms: u64, expected_ms: f64) {
        let rule = quantile(q, MS(initial_ms));
        let mut state = rule.state();
        let (mut sum, mut above) = (0.0, 0_u32);
        for key in 0..105_000_u64 {
            let sample = latency.sample(draw(Seed(11), Stream::LATENCY, key, 1));
            if key >= 5_000 {
                let estimate = rule.delay(&state).as_secs_f64() * 1000.0;
                assert!(estimate < expected_ms * 2.0 && estimate > expected_ms / 2.0, "{key}: {estimate}");
                sum += estimate;
                above += u32::from(sample > rule.delay(&state));
            }
            rule.observe(&mut state, sample);
        }
        let mean = sum / 100_000.0;
        assert!((mean - expected_ms).abs() < 0.05 * expected_ms, "{mean}");
        let (share, expected) = (f64::from(above) / 100_000.0, 1.0 - q.parse::<f64>().unwrap());
        assert!((share - expected).abs() < 0.1 * expected, "{share}");
    }

    /// Of an exponential: -mean · ln(1 - q).
    #[test]
    fn the_estimate_settles_near_the_quantile_of_an_exponential() {
        let latency = Distribution::exponential(MS(100), None).unwrap();
        check(&latency, "0.95", 1_000, 299.573);
        check(&latency, "0.5", 10, 69.315);
        check(&latency, "0.99", 10, 460.517);
    }

    /// Of a lognormal given by them: its median and its p99.
    #[test]
    fn the_estimate_settles_near_the_quantile_of_a_lognormal() {
        let latency = Distribution::lognormal_with_p99(MS(40), MS(400), None).unwrap();
        check(&latency, "0.5", 400, 40.0);
        check(&latency, "0.99", 40, 400.0);
    }

    #[test]
    fn one_answer_moves_the_estimate_by_its_step() {
        let rule = quantile("0.9", MS(100));
        let mut state = rule.state();
        rule.observe(&mut state, MS(101));
        assert_eq!(rule.delay(&state), Duration::from_micros(104_500));
        let mut state = rule.state();
        rule.observe(&mut state, MS(100));
        assert_eq!(rule.delay(&state), Duration::from_micros(99_500));
    }

    #[test]
    fn a_fixed_delay_stays() {
        let rule = Hedge::new(HedgeDelay::Fixed(MS(10)), NonZeroU32::MIN).unwrap();
        let mut state = rule.state();
        rule.observe(&mut state, MS(1000));
        assert_eq!((rule.delay(&state), rule.max()), (MS(10), NonZeroU32::MIN));
    }

    #[test]
    fn what_makes_no_quantile_is_refused_with_its_rule() {
        let refusal = |q: &str, initial| {
            let q = q.parse().unwrap();
            Hedge::new(HedgeDelay::Quantile { q, initial }, NonZeroU32::MIN).unwrap_err().to_string()
        };
        assert!(refusal("0", MS(1)).contains("both excluded, found 0"));
        assert!(refusal("1", MS(1)).contains("both excluded, found 1"));
        assert!(refusal("0.5", Duration::ZERO).contains("longer than zero"));
    }

    proptest! {
        #[test]
        fn no_latency_panics_and_the_estimate_can_always_come_back(
            parts in 1_u32..1_000_000_000, initial in 1_u64.., latencies in prop::collection::vec(any::<u64>(), 0..200),
        ) {
            let q = brownout_draw::Probability::from_parts(parts).unwrap();
            let rule = Hedge::new(HedgeDelay::Quantile { q, initial: Duration::from_secs(initial) }, NonZeroU32::MIN).unwrap();
            let mut state = rule.state();
            for secs in latencies {
                rule.observe(&mut state, Duration::from_secs(secs));
                prop_assert!(rule.delay(&state) >= from_nanos(1.0));
            }
        }
    }
}
