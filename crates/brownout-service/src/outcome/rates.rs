//! How often each outcome comes.

use brownout_draw::{Probability, Weights};
use thiserror::Error;

use super::Outcome;

/// The weight of each outcome. What the failures leave over is the success.
///
/// ```
/// use brownout_service::{Outcome, Outcomes};
///
/// let outcomes = Outcomes::new([(Outcome::Error, "10%".parse()?)])?;
/// assert_eq!(outcomes.rate(Outcome::Success), 0.9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    /// In the order of [`Outcome::ALL`].
    weights: Weights,
    /// The one that has all the weight.
    certain: Option<Outcome>,
}

/// Why rates do not go together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RatesError {
    /// More than everything.
    #[error("rates must add up to at most 1, found {}", in_parts(*.sum))]
    OverOne {
        /// What they add up to, in parts of a billion.
        sum: u64,
    },
    /// Every rate was named, and they leave a gap.
    #[error("with every rate given they must add up to 1, found {}; leave one out and it takes the rest", in_parts(*.sum))]
    UnderOne {
        /// What they add up to, in parts of a billion.
        sum: u64,
    },
}

impl RatesError {
    fn over(sum: u128) -> Self {
        Self::OverOne { sum: u64::try_from(sum).unwrap_or(u64::MAX) }
    }
}

/// Parts of a billion as a decimal.
#[expect(clippy::cast_precision_loss, reason = "at most a few billion")]
fn in_parts(sum: u64) -> f64 {
    sum as f64 / f64::from(Probability::PARTS)
}

impl Outcomes {
    /// From the rates of failures; the success is what they leave. A failure that is not named never happens.
    ///
    /// # Errors
    /// When the failures add up to more than 1.
    pub fn new(failures: impl IntoIterator<Item = (Outcome, Probability)>) -> Result<Self, RatesError> {
        let always_well = Self::from_parts(|outcome| u128::from(outcome == Outcome::Success));
        always_well.with_rates(&failures.into_iter().collect::<Vec<_>>())
    }

    /// The same with the `given` rates in place of its own; a rate named twice takes the last.
    ///
    /// Failures that are not given keep their rates and the success takes the rest. Where the success itself is
    /// given, the failures that are not given share the rest in the proportions they have now (evenly, if they
    /// have none).
    ///
    /// # Errors
    /// When the rates add up to more than 1, or when all are given and add up to less.
    pub fn with_rates(&self, given: &[(Outcome, Probability)]) -> Result<Self, RatesError> {
        let named = |outcome| given.iter().rev().find(|(o, _)| *o == outcome).map(|(_, rate)| u128::from(rate.parts()));
        let own = |outcome: Outcome| u128::from(self.weights.weight(outcome as usize));
        let open: Vec<Outcome> = Outcome::failures().filter(|outcome| named(*outcome).is_none()).collect();
        let kept: u128 = open.iter().map(|outcome| own(*outcome)).sum();
        let (whole, total) = (u128::from(Probability::PARTS), u128::from(self.weights.total()));
        let sum: u128 = Outcome::ALL.into_iter().filter_map(named).sum();
        let gap = whole.checked_sub(sum).ok_or_else(|| RatesError::over(sum))?;

        // Every part is scaled up by what it would be divided by, so that nothing is rounded.
        if named(Outcome::Success).is_none() {
            let used = kept * whole + sum * total;
            let left = (whole * total).checked_sub(used).ok_or_else(|| RatesError::over(used / total))?;
            return Ok(Self::from_parts(|outcome| match (outcome, named(outcome)) {
                (Outcome::Success, _) => left,
                (_, Some(parts)) => parts * total,
                (_, None) => own(outcome) * whole,
            }));
        }
        if open.is_empty() && gap > 0 {
            return Err(RatesError::UnderOne { sum: u64::try_from(sum).unwrap_or(u64::MAX) });
        }
        let (shares, even) = if kept > 0 { (kept, false) } else { (open.len().max(1) as u128, true) };
        Ok(Self::from_parts(|outcome| match named(outcome) {
            Some(parts) => parts * shares,
            None => gap * if even { 1 } else { own(outcome) },
        }))
    }

    /// From parts of any scale, brought down to their smallest whole numbers.
    fn from_parts(part: impl Fn(Outcome) -> u128) -> Self {
        let parts = Outcome::ALL.map(part);
        let common = parts.into_iter().fold(0, gcd).max(1);
        // Only rates overridden several times over can be finer than this; they lose what lies below 2^-60.
        let excess = (parts.iter().sum::<u128>() / common).checked_ilog2().unwrap_or(0).saturating_sub(62);
        let small = parts.map(|part| u64::try_from((part / common) >> excess).unwrap_or(u64::MAX));
        let weights = Weights::new(small).expect("rates that were checked add up to something");
        let has_all = |outcome: &Outcome| weights.weight(*outcome as usize) == weights.total();
        Self { certain: Outcome::ALL.into_iter().find(has_all), weights }
    }

    /// How often `outcome` comes, from 0 to 1, for showing.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for showing")]
    pub fn rate(&self, outcome: Outcome) -> f64 {
        self.weights.weight(outcome as usize) as f64 / self.weights.total() as f64
    }

    /// The outcome, where there is only one.
    #[must_use]
    #[inline]
    pub fn certain(&self) -> Option<Outcome> {
        self.certain
    }

    /// The outcome at a uniform `draw`.
    #[must_use]
    pub fn pick(&self, draw: u64) -> Outcome {
        Outcome::ALL[self.weights.choose(draw)]
    }
}

/// The practice service: 10 % errors, 5 % rate limits, 5 % gateway timeouts, 80 % successes.
impl Default for Outcomes {
    fn default() -> Self {
        Self::from_parts(|outcome| match outcome {
            Outcome::Success => 80,
            Outcome::Error => 10,
            Outcome::RateLimit | Outcome::GatewayTimeout => 5,
        })
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Outcomes};
    use brownout_draw::{Seed, Stream, draw};

    const RATES: [(&str, Outcome); 4] = [
        ("success", Outcome::Success),
        ("error", Outcome::Error),
        ("limit", Outcome::RateLimit),
        ("timeout", Outcome::GatewayTimeout),
    ];

    /// Overrides the practice rates as `"error=0.5 …"` says and shows what comes out, or why it is refused.
    #[track_caller]
    fn check(overrides: &str, expected: &str) {
        let given: Vec<_> = overrides
            .split_whitespace()
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, rate)| (RATES.iter().find(|(n, _)| *n == name).unwrap().1, rate.parse().unwrap()))
            .collect();
        let found = match Outcomes::default().with_rates(&given) {
            Ok(outcomes) => RATES.map(|(_, outcome)| outcomes.rate(outcome).to_string()).join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{overrides}");
    }

    #[test]
    fn one_failure_rate_takes_from_the_success() {
        check("", "0.8 0.1 0.05 0.05");
        check("error=0.5", "0.4 0.5 0.05 0.05");
        check("error=0 timeout=0 limit=0", "1 0 0 0");
        check("error=0.9", "0 0.9 0.05 0.05");
    }

    #[test]
    fn a_success_rate_shares_the_rest_in_the_proportions_of_the_failures() {
        check("success=0", "0 0.5 0.25 0.25");
        check("success=0.9", "0.9 0.05 0.025 0.025");
        check("success=1", "1 0 0 0");
        check("success=0.5 error=0.3", "0.5 0.3 0.1 0.1");
        check("success=0.5 error=0.2 limit=0.2 timeout=0.1", "0.5 0.2 0.2 0.1");
    }

    #[test]
    fn rates_that_do_not_add_up_are_refused_with_their_sum() {
        check("error=0.95", "rates must add up to at most 1, found 1.05");
        check("success=0.6 error=0.6", "rates must add up to at most 1, found 1.2");
        check(
            "success=0.1 error=0.1 limit=0.1 timeout=0.1",
            "with every rate given they must add up to 1, found 0.4; leave one out and it takes the rest",
        );
    }

    #[test]
    fn overriding_twice_stays_exact() {
        let third = [(Outcome::Success, "0.333333333".parse().unwrap())];
        let twice = Outcomes::default().with_rates(&third).unwrap().with_rates(&third).unwrap();
        assert!((twice.rate(Outcome::Success) - 0.333_333_333).abs() < 1e-15);
        let again = twice.with_rates(&[(Outcome::Error, "0.1".parse().unwrap())]).unwrap();
        assert!((again.rate(Outcome::RateLimit) - 0.25 * 0.666_666_667).abs() < 1e-15);
    }

    #[test]
    fn failures_without_proportions_share_evenly() {
        let sound = Outcomes::new([]).unwrap().with_rates(&[(Outcome::Success, "0.4".parse().unwrap())]).unwrap();
        assert!((sound.rate(Outcome::RateLimit) - 0.2).abs() < 1e-15);
    }

    #[test]
    fn picks_come_at_their_rates() {
        let outcomes = Outcomes::default();
        let mut counts = [0_u32; 4];
        for key in 0..100_000 {
            counts[outcomes.pick(draw(Seed(42), Stream::OUTCOME, key, 1)) as usize] += 1;
        }
        // Five standard deviations of each binomial count.
        for (count, (expected, bound)) in
            counts.into_iter().zip([(80_000, 633), (10_000, 475), (5_000, 345), (5_000, 345)])
        {
            assert!(count.abs_diff(expected) < bound, "{counts:?}");
        }
    }
}
