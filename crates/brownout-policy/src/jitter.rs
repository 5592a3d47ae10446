//! Chance in the wait, so that callers who failed together do not come back together.

use std::time::Duration;

use brownout_draw::{Probability, scale};

/// How a drawn delay lies around the backoff's delay `e`.
///
/// Source of the first four: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. U is uniform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jitter {
    /// `e` itself.
    None,
    /// `U(0, e)`.
    Full,
    /// `e/2 + U(0, e/2)`.
    Equal,
    /// `min(cap, U(base, 3 · previous))`, the previous delay being `base` before the first. Follows its own growth,
    /// not the backoff's.
    ///
    /// Clamped to the cap as AWS does, which lets delays gather on it. The other variant in use draws from
    /// `U(base, min(cap, 3 · previous))`, which does not.
    Decorrelated,
    /// `e · U(1 - ratio, 1 + ratio)`: gRPC's ±20 % is a ratio of 0.2.
    Proportional {
        /// How far to either side, as a share of `e`.
        ratio: Probability,
    },
    /// `e · U(1 - ratio, 1)`: the OpenAI and Anthropic SDKs' is a ratio of 0.25.
    Subtractive {
        /// How far down, as a share of `e`.
        ratio: Probability,
    },
    /// `e + U(0, width)`: stamina's is a width of one second, backon's the delay itself.
    Additive {
        /// How far up; `None` as far as `e` is long.
        width: Option<Duration>,
    },
}

/// What a jitter works on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delay {
    /// What the backoff says, already capped.
    pub(crate) backoff: Duration,
    /// The backoff's first delay.
    pub(crate) base: Duration,
    /// The delay drawn before this one, if there was one.
    pub(crate) previous: Option<Duration>,
}

impl Jitter {
    /// The delay at a uniform `draw`, before the cap is applied again.
    pub(crate) fn apply(self, delay: Delay, draw: u64) -> Duration {
        let e = delay.backoff;
        match self {
            Self::None => e,
            Self::Full => scale(e, draw),
            Self::Equal => e / 2 + scale(e - e / 2, draw),
            Self::Decorrelated => {
                let previous = delay.previous.unwrap_or(delay.base);
                let width = previous.saturating_mul(3).saturating_sub(delay.base);
                delay.base.saturating_add(scale(width, draw))
            }
            Self::Proportional { ratio } => {
                let side = share(e, ratio);
                (e - side).saturating_add(scale(side.saturating_mul(2), draw))
            }
            Self::Subtractive { ratio } => {
                let side = share(e, ratio);
                (e - side).saturating_add(scale(side, draw))
            }
            Self::Additive { width } => e.saturating_add(scale(width.unwrap_or(e), draw)),
        }
    }
}

/// `ratio` of `whole`, rounded down to the nanosecond.
fn share(whole: Duration, ratio: Probability) -> Duration {
    let nanos = whole.as_nanos() * u128::from(ratio.parts()) / u128::from(Probability::PARTS);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)).min(whole)
}

#[cfg(test)]
mod tests {
    use super::{Delay, Jitter};
    use brownout_draw::{Seed, Stream, draw};
    use proptest::prelude::*;
    use std::time::Duration;

    const DRAWS: u32 = 100_000;

    /// The mean and the ends, in milliseconds, of many delays around 1000 ms.
    #[track_caller]
    fn check(jitter: Jitter, mean: f64, low: f64, high: f64) {
        let delay = Delay { backoff: Duration::from_secs(1), base: Duration::from_millis(500), previous: None };
        let draws = (0..DRAWS).map(|key| draw(Seed(1), Stream::JITTER, u64::from(key), 1));
        let delays: Vec<f64> = draws.map(|draw| jitter.apply(delay, draw).as_secs_f64() * 1000.0).collect();
        let found = delays.iter().sum::<f64>() / f64::from(DRAWS);
        let error = (high - low) / 12_f64.sqrt() / f64::from(DRAWS).sqrt();
        assert!((found - mean).abs() <= 5.0 * error, "{jitter:?}: mean {found}");
        let least = delays.iter().copied().fold(f64::MAX, f64::min);
        let most = delays.iter().copied().fold(0.0, f64::max);
        let near = (high - low) * 0.001;
        assert!(least >= low && least <= low + near, "{jitter:?}: least {least}");
        assert!(most <= high && most >= high - near, "{jitter:?}: most {most}");
    }

    #[test]
    fn each_jitter_is_uniform_between_its_ends() {
        check(Jitter::None, 1000.0, 1000.0, 1000.0);
        check(Jitter::Full, 500.0, 0.0, 1000.0);
        check(Jitter::Equal, 750.0, 500.0, 1000.0);
        check(Jitter::Decorrelated, 1000.0, 500.0, 1500.0);
        check(Jitter::Proportional { ratio: "20%".parse().unwrap() }, 1000.0, 800.0, 1200.0);
        check(Jitter::Proportional { ratio: "1".parse().unwrap() }, 1000.0, 0.0, 2000.0);
        check(Jitter::Subtractive { ratio: "25%".parse().unwrap() }, 875.0, 750.0, 1000.0);
        check(Jitter::Additive { width: None }, 1500.0, 1000.0, 2000.0);
        check(Jitter::Additive { width: Some(Duration::from_secs(3)) }, 2500.0, 1000.0, 4000.0);
    }

    proptest! {
        #[test]
        fn nothing_panics(secs in any::<u64>(), base in any::<u64>(), previous in any::<Option<u64>>(), draw in any::<u64>()) {
            let delay = Delay {
                backoff: Duration::from_secs(secs),
                base: Duration::from_secs(base),
                previous: previous.map(Duration::from_secs),
            };
            let ratio = "0.5".parse().unwrap();
            for jitter in [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated, Jitter::Proportional { ratio }, Jitter::Subtractive { ratio }, Jitter::Additive { width: previous.map(Duration::from_secs) }] {
                let _ = jitter.apply(delay, draw);
            }
        }
    }
}
