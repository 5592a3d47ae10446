//! The waits of a client, and the rule behind them, as far as it can be told.

use serde::{Deserialize, Serialize};

/// The rule behind the waits between attempts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Backoff {
    /// Nothing was tried again.
    NoRetries,
    /// The waits do not tell.
    NotEnoughData {
        /// Why not.
        why: String,
    },
    /// No wait: all are below 20 ms.
    AtOnce,
    /// The same each time.
    Fixed {
        /// How long.
        delay_ms: f64,
    },
    /// Longer by the same each time.
    Linear {
        /// The first that is no retry at once.
        first_ms: f64,
        /// By how much.
        step_ms: f64,
        /// Whether the first retry comes at once, before these.
        first_at_once: bool,
    },
    /// Longer by a factor each time.
    Exponential {
        /// The first that is no retry at once.
        first_ms: f64,
        /// By which factor.
        factor: f64,
        /// What they stop growing at, where they do.
        cap_ms: Option<f64>,
        /// Whether the first retry comes at once, before these.
        first_at_once: bool,
    },
    /// Longer each time, with too few waits to tell linear from exponential.
    Growing {
        /// The first that is no retry at once.
        first_ms: f64,
        /// By which factor, on the mean.
        factor: f64,
        /// Whether the first retry comes at once, before these.
        first_at_once: bool,
    },
    /// Another in every call.
    Jittered {
        /// Which jitter it looks like; `None` where that cannot be told.
        like: Option<Jitter>,
        /// The shortest wait before the retry with the most waits.
        low_ms: f64,
        /// The longest.
        high_ms: f64,
        /// How many there are.
        waits: usize,
        /// By which factor the next wait is longer on the mean, where both have waits enough.
        factor: Option<f64>,
    },
}

impl Backoff {
    /// Whether waits grow, as they may with a jitter among them.
    #[must_use]
    pub const fn may_be_jittered(&self) -> bool {
        matches!(self, Self::Linear { .. } | Self::Exponential { .. } | Self::Growing { .. })
    }
}

/// A kind of jitter, as far as the shortest and the longest of some waits tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// From nothing to the full wait.
    Full,
    /// From half the wait to all of it; as much as a third more or less of three quarters of it.
    Equal,
    /// A part of the wait more or less.
    Proportional,
}

/// Below this, nobody waited: a new connection and a busy machine take as long.
pub(super) const AT_ONCE_MS: f64 = 20.0;
/// So much of a wait is put down to client and machine, and so many milliseconds besides, but no more than so much of a short wait.
const NOISE: f64 = 0.05;
const NOISE_MS: f64 = 60.0;
const NOISE_MS_SHARE: f64 = 0.3;
/// Fewer waits lie on a line by chance, where a jitter is among them.
const LINEAR_MIN: usize = 4;
/// From so many waits on, their shortest and longest tell equal and proportional jitter apart: of eight waits of equal jitter the
/// shortest is above 0.75 of the longest once in 66 times.
const WAITS_MIN: usize = 8;

/// The rule behind the waits of `calls`: for each retry of each call the wait before it in milliseconds, `None` where it cannot be told,
/// or where the service asked for it.
#[must_use]
pub fn fit(calls: &[Vec<Option<f64>>]) -> Backoff {
    let waits = waits_by_retry(calls);
    if waits.is_empty() {
        return Backoff::NoRetries;
    }
    if waits.iter().all(Vec::is_empty) {
        return not_enough("every wait was asked for by the service, or had no beginning that could be seen");
    }
    if waits.iter().flatten().all(|wait| *wait < AT_ONCE_MS) {
        return Backoff::AtOnce;
    }
    let alike = |waits: &Vec<f64>| waits.iter().all(|wait| near(*wait, median(waits)));
    if !waits.iter().all(alike) {
        return jitter(&waits);
    }
    let typical: Vec<f64> = waits.iter().take_while(|waits| !waits.is_empty()).map(|waits| median(waits)).collect();
    rule(&typical)
}

/// The waits before the first retry of all calls, before the second, and so on; without those that cannot be told.
pub(super) fn waits_by_retry(calls: &[Vec<Option<f64>>]) -> Vec<Vec<f64>> {
    let retries = calls.iter().map(Vec::len).max().unwrap_or_default();
    (0..retries).map(|retry| calls.iter().filter_map(|call| *call.get(retry)?).collect()).collect()
}

/// The rule behind waits without chance.
fn rule(waits: &[f64]) -> Backoff {
    let first_at_once = waits.len() > 1 && waits[0] < AT_ONCE_MS;
    let waits = if first_at_once { &waits[1..] } else { waits };
    let (Some(first), Some(last)) = (waits.first().copied(), waits.last().copied()) else {
        return not_enough("the wait before the first retry cannot be told");
    };
    if waits.len() == 1 {
        return not_enough(&format!("one wait, of {first:.0} ms, may be fixed, growing or jittered"));
    }
    if waits.iter().all(|wait| near(*wait, median(waits))) {
        return Backoff::Fixed { delay_ms: median(waits) };
    }
    if waits.len() == 2 {
        return match last / first {
            factor if factor > 1.0 => Backoff::Growing { first_ms: first, factor, first_at_once },
            _ => not_enough("two waits, the second shorter, follow no rule"),
        };
    }
    let linear = linear(waits).filter(|(step, _)| *step > 0.0);
    let exponential = exponential(waits);
    let is_clear = |line: f64| exponential.is_some_and(|(_, _, misses)| misses < line / 3.0);
    if waits.len() < LINEAR_MIN && linear.is_some_and(|(_, misses)| !is_clear(misses)) {
        return Backoff::Growing { first_ms: first, factor: mean_factor(waits), first_at_once };
    }
    match (linear, exponential) {
        (Some((step, residual)), other) if other.is_none_or(|(_, _, misses)| residual < misses) => {
            Backoff::Linear { first_ms: first, step_ms: step, first_at_once }
        }
        (_, Some((factor, cap_ms, _))) => Backoff::Exponential { first_ms: first, factor, cap_ms, first_at_once },
        _ => not_enough("the waits of a call follow no rule; several calls would tell jitter, as --repeat makes them"),
    }
}

/// The mean step and how far the waits are from it at the most, as a share.
#[expect(clippy::cast_precision_loss, reason = "few waits")]
fn linear(waits: &[f64]) -> Option<(f64, f64)> {
    let step = (waits[waits.len() - 1] - waits[0]) / (waits.len() - 1) as f64;
    let on_line = waits.iter().enumerate().map(|(place, wait)| (*wait, waits[0] + step * place as f64));
    misses(on_line).map(|misses| (step, misses))
}

/// The factor, the cap, and how far the waits are from it at the most, as a share.
fn exponential(waits: &[f64]) -> Option<(f64, Option<f64>, f64)> {
    if let Some((factor, misses)) = powers(waits) {
        return Some((factor, None, misses));
    }
    let cap = waits[waits.len() - 1];
    let capped = waits.iter().rev().take_while(|wait| near(**wait, cap)).count();
    let grown = &waits[..waits.len() - capped];
    if capped < 2 {
        return None;
    }
    // The first that is capped may be on the curve still.
    let with_first = &waits[..grown.len() + 1];
    let (factor, misses) = powers(with_first).or_else(|| powers(grown))?;
    (cap <= factor * grown[grown.len() - 1] * (1.0 + NOISE)).then_some((factor, Some(cap), misses))
}

/// By which factor waits grow, by the first and the last.
#[expect(clippy::cast_precision_loss, reason = "few waits")]
fn mean_factor(waits: &[f64]) -> f64 {
    libm::pow(waits[waits.len() - 1] / waits[0], 1.0 / (waits.len() - 1) as f64)
}

/// The factor of waits that grow by one: three at least, since two always do.
#[expect(clippy::cast_precision_loss, reason = "few waits")]
fn powers(waits: &[f64]) -> Option<(f64, f64)> {
    if waits.len() < 3 {
        return None;
    }
    let factor = mean_factor(waits);
    let on_curve = waits.iter().enumerate().map(|(place, wait)| (*wait, waits[0] * libm::pow(factor, place as f64)));
    misses(on_curve).filter(|_| factor > 1.0 + NOISE).map(|misses| (factor, misses))
}

/// How far waits are at the most from what a rule says, as a share; `None` where that is beyond noise.
fn misses(pairs: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let mut most: f64 = 0.0;
    for (wait, said) in pairs {
        if !near(wait, said) {
            return None;
        }
        most = most.max((wait - said).abs() / said);
    }
    Some(most)
}

/// Waits that differ from call to call.
#[expect(clippy::cast_precision_loss, reason = "few waits")]
fn jitter(waits: &[Vec<f64>]) -> Backoff {
    let (place, most) = waits
        .iter()
        .enumerate()
        .filter(|(_, waits)| waits.iter().any(|wait| *wait >= AT_ONCE_MS))
        .max_by_key(|(place, waits)| (waits.len(), usize::MAX - place))
        .expect("some wait was not at once");
    if most.len() < 3 {
        return not_enough("the waits of two calls differ; several would tell jitter, as --repeat makes them");
    }
    let (low_ms, high_ms) = ends(most);
    let many = most.len() >= WAITS_MIN;
    let like = match low_ms / high_ms {
        ..0.25 => Some(Jitter::Full),
        0.45..0.65 if many => Some(Jitter::Equal),
        0.75.. if many => Some(Jitter::Proportional),
        _ => None,
    };
    let mean = |waits: &[f64]| waits.iter().sum::<f64>() / waits.len() as f64;
    let next = waits.get(place + 1).filter(|next| many && next.len() >= WAITS_MIN);
    let factor = next.map(|next| mean(next) / mean(most));
    Backoff::Jittered { like, low_ms, high_ms, waits: most.len(), factor }
}

/// The shortest and the longest.
pub(super) fn ends(waits: &[f64]) -> (f64, f64) {
    waits.iter().fold((f64::INFINITY, 0.0), |(low, high), wait| (wait.min(low), wait.max(high)))
}

/// Whether two waits may be one, but for noise.
pub(super) fn near(wait: f64, other: f64) -> bool {
    let (short, long) = (wait.min(other), wait.max(other));
    long < AT_ONCE_MS || long - short <= NOISE * long + NOISE_MS.min(NOISE_MS_SHARE * short)
}

pub(super) fn median(waits: &[f64]) -> f64 {
    let mut sorted = waits.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn not_enough(why: &str) -> Backoff {
    Backoff::NotEnoughData { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, Jitter, fit};
    use brownout_draw::{Seed, Stream, draw};
    use proptest::prelude::*;

    fn one(waits: &[f64]) -> Backoff {
        fit(&[waits.iter().copied().map(Some).collect()])
    }

    fn is(number: f64, other: f64) -> bool {
        (number - other).abs() < 1e-9
    }

    #[track_caller]
    fn is_untold(backoff: &Backoff, part: &str) {
        let Backoff::NotEnoughData { why } = backoff else { panic!("{backoff:?}") };
        assert!(why.contains(part), "{why}");
    }

    #[test]
    fn what_few_waits_tell() {
        assert_eq!(fit(&[vec![], vec![]]), Backoff::NoRetries);
        assert_eq!(one(&[2.0, 9.0, 0.0]), Backoff::AtOnce);
        is_untold(&one(&[1000.0]), "one wait, of 1000 ms");
        is_untold(&fit(&[vec![None, None]]), "asked for by the service");
        is_untold(&one(&[2000.0, 1000.0]), "shorter");
        is_untold(&one(&[1000.0, 300.0, 2500.0]), "--repeat");
    }

    #[test]
    fn waits_that_a_client_makes_late_are_still_of_their_rule() {
        assert!(matches!(one(&[1004.0, 1011.0]), Backoff::Fixed { delay_ms } if is(delay_ms, 1011.0)));
        let growing = one(&[1004.0, 2008.0]);
        assert!(
            matches!(growing, Backoff::Growing { factor, first_at_once: false, .. } if is(factor, 2.0)),
            "{growing:?}"
        );
        let exponential = one(&[1003.0, 2009.0, 4002.0]);
        let Backoff::Exponential { first_ms, factor, cap_ms: None, first_at_once: false } = exponential else {
            panic!("{exponential:?}")
        };
        assert!(is(first_ms, 1003.0) && (factor - 2.0).abs() < 0.01, "{factor}");
        let linear = one(&[1000.0, 2005.0, 3001.0, 4002.0]);
        assert!(matches!(linear, Backoff::Linear { step_ms, .. } if (step_ms - 1000.0).abs() < 5.0), "{linear:?}");
    }

    /// As tenacity made them, by doubling from 200 ms with up to 200 ms more; and a fixed 200 ms of a client that was slow to begin.
    #[test]
    fn three_waits_of_a_jitter_are_no_line() {
        assert!(matches!(one(&[216.0, 505.0, 896.0]), Backoff::Growing { .. }));
        assert!(matches!(one(&[264.0, 216.0, 220.0]), Backoff::Fixed { .. }));
        assert!(matches!(one(&[50.0, 100.0, 200.0]), Backoff::Exponential { .. }));
    }

    #[test]
    fn a_first_retry_at_once_and_a_cap_are_told() {
        let waits = one(&[3.0, 200.0, 400.0, 800.0, 1000.0, 1004.0]);
        let Backoff::Exponential { first_ms, factor, cap_ms: Some(cap), first_at_once: true } = waits else {
            panic!("{waits:?}")
        };
        assert!(is(first_ms, 200.0) && (factor - 2.0).abs() < 0.01 && is(cap, 1004.0), "{factor} {cap}");
        // The last that grows has reached the cap.
        let waits = one(&[200.0, 400.0, 800.0, 800.0, 800.0]);
        assert!(matches!(waits, Backoff::Exponential { cap_ms: Some(_), .. }), "{waits:?}");
    }

    /// Calls of a client that draws each wait from `[from × c, to × c)`, where c is 8 s, 16 s and 32 s.
    fn drawn(calls: u64, from: f64, to: f64, seed: u64) -> Vec<Vec<Option<f64>>> {
        let wait = |call: u64, retry: u32| {
            let unit = draw(Seed(seed), Stream::JITTER, call, retry) as f64 / (u64::MAX as f64);
            Some(8000.0 * f64::from(1 << retry) * (from + (to - from) * unit))
        };
        (0..calls).map(|call| (0..3).map(|retry| wait(call, retry)).collect()).collect()
    }

    /// Over many seeds nearly every one is told for what it is, and none for another kind that it cannot be.
    #[test]
    fn kinds_of_jitter_are_told_from_enough_calls() {
        let told = |from: f64, to: f64, kind: Jitter| {
            let of_kind = |seed: &u64| match fit(&drawn(20, from, to, *seed)) {
                Backoff::Jittered { like, waits: 20, factor: Some(factor), .. } => {
                    assert!((1.2..3.3).contains(&factor), "{factor}");
                    like == Some(kind)
                }
                other => panic!("{other:?}"),
            };
            (0..100).filter(of_kind).count()
        };
        assert!(told(0.0, 1.0, Jitter::Full) >= 90);
        assert!(told(0.5, 1.0, Jitter::Equal) >= 90);
        assert!(told(0.8, 1.2, Jitter::Full) == 0);
        assert!(told(0.88, 1.12, Jitter::Proportional) >= 90);
    }

    #[test]
    fn few_calls_do_not_tell_the_kind() {
        is_untold(&fit(&drawn(2, 0.5, 1.0, 3)), "two calls");
        let few = fit(&drawn(4, 0.5, 1.0, 3));
        assert!(matches!(few, Backoff::Jittered { like: None, factor: None, .. }), "{few:?}");
    }

    proptest! {
        #[test]
        fn no_waits_panic(calls in prop::collection::vec(prop::collection::vec(prop::option::of(0.0..1e7), 0..9), 0..9)) {
            let _ = fit(&calls);
        }
    }
}
