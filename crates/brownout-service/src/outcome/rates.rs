//! How often each outcome comes.

use brownout_draw::{Probability, Weights};
use thiserror::Error;

use super::{Fault, Outcome};

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
    /// The one that has all the weight, and is but one.
    certain: Option<Outcome>,
    faults: Faults,
}

/// What faults take that a scenario describes; the others take what they do by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Faults {
    /// At most one of each outcome, and no status.
    terms: Vec<Fault>,
    statuses: Vec<Fault>,
    /// Of the statuses among themselves, where there are several.
    shares: Option<Weights>,
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

    /// The same, from the rates of `plain` failures and of `faults` with what each takes: of each kind one, of statuses any number.
    ///
    /// # Errors
    /// When they add up to more than 1.
    pub fn with_faults(
        plain: impl IntoIterator<Item = (Outcome, Probability)>,
        faults: impl IntoIterator<Item = (Fault, Probability)>,
    ) -> Result<Self, RatesError> {
        let mut rates: Vec<_> = plain.into_iter().collect();
        let (mut terms, mut statuses, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for (fault, rate) in faults {
            if fault.outcome() == Outcome::Status {
                statuses.push(fault);
                parts.push(u64::from(rate.parts()));
            } else {
                rates.push((fault.outcome(), rate));
                terms.push(fault);
            }
        }
        let sum: u64 = parts.iter().sum();
        let status = u32::try_from(sum).ok().and_then(Probability::from_parts);
        rates.push((Outcome::Status, status.ok_or_else(|| RatesError::over(sum.into()))?));
        let shares = if statuses.len() > 1 { Weights::new(parts) } else { None };
        Ok(Self::new(rates)?.meaning(Faults { terms, statuses, shares }))
    }

    /// The same rates, of these `faults`.
    fn meaning(self, faults: Faults) -> Self {
        // Which of several statuses it is takes a draw.
        let several = faults.shares.is_some();
        let certain = self.certain.filter(|outcome| *outcome != Outcome::Status || !several);
        Self { certain, faults, ..self }
    }

    /// The same with the `given` rates in place of its own; a rate named twice takes the last.
    ///
    /// Failures that are not given keep their rates and the success takes the rest. Where the success itself is
    /// given, the failures that are not given share the rest in the proportions they have now. If they have none, those of
    /// the practice service share it evenly.
    ///
    /// # Errors
    /// When the rates add up to more than 1, or when all are given and add up to less.
    pub fn with_rates(&self, given: &[(Outcome, Probability)]) -> Result<Self, RatesError> {
        let named = |outcome| given.iter().rev().find(|(o, _)| *o == outcome).map(|(_, rate)| u128::from(rate.parts()));
        let own = |outcome: Outcome| u128::from(self.weights.weight(outcome as usize));
        let open = || Outcome::failures().filter(|outcome| named(*outcome).is_none());
        let kept: u128 = open().map(own).sum();
        let even = || open().filter(|outcome| !outcome.is_fault()).count();
        let (whole, total) = (u128::from(Probability::PARTS), u128::from(self.weights.total()));
        let sum: u128 = Outcome::ALL.into_iter().filter_map(named).sum();
        let gap = whole.checked_sub(sum).ok_or_else(|| RatesError::over(sum))?;

        // Every part is scaled up by what it would be divided by, so that nothing is rounded.
        if named(Outcome::Success).is_none() {
            let used = kept * whole + sum * total;
            let left = (whole * total).checked_sub(used).ok_or_else(|| RatesError::over(used / total))?;
            return Ok(self.like(|outcome| match (outcome, named(outcome)) {
                (Outcome::Success, _) => left,
                (_, Some(parts)) => parts * total,
                (_, None) => own(outcome) * whole,
            }));
        }
        if kept == 0 && even() == 0 && gap > 0 {
            return Err(RatesError::UnderOne { sum: u64::try_from(sum).unwrap_or(u64::MAX) });
        }
        let shares = if kept > 0 { kept } else { even().max(1) as u128 };
        let share = |outcome| if kept > 0 { own(outcome) } else { u128::from(!outcome.is_fault()) };
        Ok(self.like(|outcome| match named(outcome) {
            Some(parts) => parts * shares,
            None => gap * share(outcome),
        }))
    }

    /// From parts of any scale, with the faults as they are.
    fn like(&self, part: impl Fn(Outcome) -> u128) -> Self {
        Self::from_parts(part).meaning(self.faults.clone())
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
        Self { certain: Outcome::ALL.into_iter().find(has_all), weights, faults: Faults::default() }
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

    /// What `outcome` takes, where it is a fault. Of several statuses the `draw` that chose the outcome tells which.
    #[must_use]
    pub fn fault(&self, outcome: Outcome, draw: impl FnOnce() -> u64) -> Option<&Fault> {
        let given = match (&self.faults, outcome) {
            (Faults { statuses, shares: Some(shares), .. }, Outcome::Status) => {
                statuses.get(shares.choose(self.weights.pick(draw()).rest))
            }
            (Faults { statuses, .. }, Outcome::Status) => statuses.first(),
            (Faults { terms, .. }, _) => terms.iter().find(|fault| fault.outcome() == outcome),
        };
        given.or(outcome.profile().fault)
    }

    /// Every fault that comes at all.
    pub fn faults(&self) -> impl Iterator<Item = (&Fault, f64)> {
        let comes = |outcome: &Outcome| outcome.is_fault() && self.rate(*outcome) > 0.0;
        let single = Outcome::ALL.into_iter().filter(comes).filter(|outcome| *outcome != Outcome::Status);
        let single = single.filter_map(|outcome| Some((self.fault(outcome, || 0)?, self.rate(outcome))));
        let Faults { statuses, shares, .. } = &self.faults;
        let all = self.rate(Outcome::Status);
        #[expect(clippy::cast_precision_loss, reason = "for showing")]
        let share = move |index| match shares {
            Some(shares) => all * shares.weight(index) as f64 / shares.total() as f64,
            None => all,
        };
        let statuses = statuses.iter().enumerate().map(move |(index, fault)| (fault, share(index)));
        single.chain(statuses.filter(|(_, rate)| *rate > 0.0))
    }
}

/// The practice service: 10 % errors, 5 % rate limits, 5 % gateway timeouts, 80 % successes.
impl Default for Outcomes {
    fn default() -> Self {
        Self::from_parts(|outcome| match outcome {
            Outcome::Success => 80,
            Outcome::Error => 10,
            Outcome::RateLimit | Outcome::GatewayTimeout => 5,
            _ => 0,
        })
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Outcome, Outcomes};
    use crate::Point;
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
    fn faults_keep_what_they_take_and_statuses_share_a_weight() {
        let rate = |text: &str| text.parse().unwrap();
        let status = |code| Fault::status_of_its_own(code, vec![], String::new()).unwrap();
        let reset = Fault::connection_reset(Point::Head).unwrap();
        let faults = [(status(529), rate("30%")), (reset.clone(), rate("10%")), (status(503), rate("10%"))];
        let outcomes = Outcomes::with_faults([(Outcome::Error, rate("10%"))], faults).unwrap();
        let told: Vec<_> = outcomes.faults().map(|(fault, rate)| (fault.status(), format!("{rate:.3}"))).collect();
        assert_eq!(told, [(200, "0.100".to_owned()), (529, "0.300".to_owned()), (503, "0.100".to_owned())]);
        assert_eq!(outcomes.fault(Outcome::ConnectionReset, || 0), Some(&reset));
        let mut counts = std::collections::BTreeMap::<u16, u32>::new();
        for key in 0..100_000 {
            let draw = draw(Seed(42), Stream::OUTCOME, key, 1);
            let outcome = outcomes.pick(draw);
            let fault = outcomes.fault(outcome, || draw);
            *counts.entry(fault.map_or(outcome.status(), Fault::status)).or_default() += 1;
        }
        // Five standard deviations: 200 and the resets, 500, 503, 529.
        for (status, expected, bound) in
            [(200, 50_000, 790), (500, 10_000, 475), (503, 10_000, 475), (529, 30_000, 725)]
        {
            assert!(counts[&status].abs_diff(expected) < bound, "{counts:?}");
        }

        // Another rate of errors leaves the faults as they are; a success rate takes from them in proportion.
        let other = outcomes.with_rates(&[(Outcome::Error, rate("20%"))]).unwrap();
        assert_eq!(
            other.faults().map(|(_, rate)| format!("{rate:.3}")).collect::<Vec<_>>(),
            ["0.100", "0.300", "0.100"]
        );
        let other = outcomes.with_rates(&[(Outcome::Success, rate("40%"))]).unwrap();
        assert_eq!(
            other.faults().map(|(_, rate)| format!("{rate:.3}")).collect::<Vec<_>>(),
            ["0.100", "0.300", "0.100"]
        );
        let over = [(status(500), rate("60%")), (status(501), rate("60%"))];
        assert_eq!(
            Outcomes::with_faults([], over).unwrap_err().to_string(),
            "rates must add up to at most 1, found 1.2"
        );
        let certain = [(status(500), rate("60%")), (status(501), rate("40%"))];
        assert_eq!(Outcomes::with_faults([], certain).unwrap().certain(), None);
        assert_eq!(Outcomes::with_faults([], [(status(500), rate("1"))]).unwrap().certain(), Some(Outcome::Status));
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
