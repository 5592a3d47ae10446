//! How the wait grows from one retry to the next.

use std::time::Duration;

/// The delay before each retry, before jitter and before the cap.
///
/// Retries count from 1. Every formula saturates: no retry number overflows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Backoff {
    /// `base`, every time.
    Constant {
        /// The delay.
        base: Duration,
    },
    /// `base · n`.
    Linear {
        /// The first delay.
        base: Duration,
    },
    /// `base · factor^(n-1)`: the first retry waits `base`.
    ///
    /// Some tools raise one power earlier, so that their first retry waits `base · factor` (the simulator of the
    /// AWS article does), or raise the base itself, so that a base below one second *shrinks*.
    Exponential {
        /// The first delay.
        base: Duration,
        /// The growth from one retry to the next, at least 1.
        factor: f64,
    },
    /// `base · F(n)` with F = 1, 1, 2, 3, 5, …
    Fibonacci {
        /// The first delay.
        base: Duration,
    },
    /// These delays in order, then the last of them for ever. Never empty.
    List(Vec<Duration>),
}

impl Backoff {
    /// The delay before retry `n`, counted from 1 (0 is read as 1).
    pub(crate) fn delay(&self, n: u32) -> Duration {
        let n = n.max(1);
        match self {
            Self::Constant { base } => *base,
            Self::Linear { base } => base.saturating_mul(n),
            Self::Exponential { base, factor } => exponential(*base, *factor, n),
            Self::Fibonacci { base } => fibonacci(*base, n),
            Self::List(delays) => {
                let index = usize::try_from(n - 1).unwrap_or(usize::MAX).min(delays.len().saturating_sub(1));
                delays.get(index).copied().unwrap_or_default()
            }
        }
    }

    /// The first delay: what decorrelated jitter never goes below.
    pub(crate) fn base(&self) -> Duration {
        self.delay(1)
    }

    /// The lowest cap that leaves what was asked for as it is: the first delay of a formula, every delay of a list.
    pub(crate) fn least_cap(&self) -> Duration {
        match self {
            Self::List(delays) => delays.iter().copied().max().unwrap_or_default(),
            _ => self.base(),
        }
    }
}

/// In nanoseconds as `f64`, which is exact for delays up to 104 days grown by whole factors.
///
/// `libm` rather than the platform's power function, so that every platform waits equally long.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "saturates")]
fn exponential(base: Duration, factor: f64, n: u32) -> Duration {
    let growth = libm::pow(factor, f64::from(n - 1));
    let nanos = base.as_nanos() as f64 * growth;
    // An infinite growth of a delay of zero is no number, and still no delay: `as` makes it 0.
    Duration::from_nanos(nanos.round_ties_even() as u64)
}

fn fibonacci(base: Duration, n: u32) -> Duration {
    let (mut delay, mut next) = (base, base);
    for _ in 1..n {
        (delay, next) = (next, delay.saturating_add(next));
        if delay == Duration::MAX || delay.is_zero() {
            break;
        }
    }
    delay
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use proptest::prelude::*;
    use std::time::Duration;

    const BASE: Duration = Duration::from_millis(100);

    #[track_caller]
    fn check(backoff: &Backoff, expected_ms: [u64; 6]) {
        let delays = [1, 2, 3, 4, 5, 6].map(|n| backoff.delay(n));
        assert_eq!(delays, expected_ms.map(Duration::from_millis));
    }

    #[test]
    fn each_growth_follows_its_formula() {
        check(&Backoff::Constant { base: BASE }, [100, 100, 100, 100, 100, 100]);
        check(&Backoff::Linear { base: BASE }, [100, 200, 300, 400, 500, 600]);
        check(&Backoff::Exponential { base: BASE, factor: 2.0 }, [100, 200, 400, 800, 1600, 3200]);
        check(&Backoff::Exponential { base: BASE, factor: 1.0 }, [100; 6]);
        check(&Backoff::Exponential { base: Duration::from_millis(64), factor: 1.5 }, [64, 96, 144, 216, 324, 486]);
        check(&Backoff::Fibonacci { base: BASE }, [100, 100, 200, 300, 500, 800]);
        let list = [1, 5, 20].map(Duration::from_millis).to_vec();
        check(&Backoff::List(list), [1, 5, 20, 20, 20, 20]);
    }

    #[test]
    fn the_last_of_all_retries_waits_as_long_as_can_be_said() {
        let backoff = Backoff::Exponential { base: BASE, factor: 2.0 };
        assert_eq!(backoff.delay(u32::MAX), Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn a_base_below_one_second_still_grows() {
        let backoff = Backoff::Exponential { base: Duration::from_millis(1), factor: 10.0 };
        assert!(backoff.delay(1) < backoff.delay(2) && backoff.delay(2) < backoff.delay(3));
    }

    proptest! {
        #[test]
        fn no_retry_number_panics_and_none_waits_less_than_the_one_before(
            secs in 0_u64..=u64::MAX, nanos in 0_u32..1_000_000_000, factor in 1.0_f64..1e6, n in 1_u32..u32::MAX,
        ) {
            let base = Duration::new(secs, nanos);
            for backoff in [
                Backoff::Constant { base },
                Backoff::Linear { base },
                Backoff::Exponential { base: base.min(Duration::from_secs(1 << 33)), factor },
                Backoff::Fibonacci { base },
            ] {
                prop_assert!(backoff.delay(n) <= backoff.delay(n + 1), "{:?}", backoff);
            }
        }
    }
}
