//! What a client did, as a policy: to be put beside others, checked and run.

use std::collections::BTreeSet;
use std::time::Duration;

use brownout_draw::Probability;
use brownout_policy::{Growth, JitterKind, Pushback, Settings};

use super::backoff::{AT_ONCE_MS, median, waits_by_retry};
use super::{Answer, Backoff, Jitter, Rehearsal, RetryAfter, fit};

/// The policy that a client was seen to follow.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// One for each layer of retries, the nearest to the service first.
    pub layers: Vec<Settings>,
    /// What another rehearsal might show to be otherwise, a sentence each.
    pub doubts: Vec<String>,
    /// What was tried again, as its client saw it; ascending.
    pub tried_again: Vec<String>,
}

/// The policy that `runs` of one command show.
///
/// - Retries: those of the call with the most.
/// - Waits: by the rule that [`fit`] finds, to two digits; where it finds none, the median wait before each retry.
/// - The upper end of a jitter: what its longest and shortest wait are off on the mean for so few draws is made good. Of n draws from
///   U(a, b) the expectation of (n · max - min) / (n - 1) is b, and that of (n · min - max) / (n - 1) is a.
/// - `Retry-After`, and how long an answer is waited for: only where they were put to the test.
///
/// # Errors
/// Why no policy can be told.
pub fn measured(runs: &[Rehearsal]) -> Result<Measured, &'static str> {
    if runs.iter().all(|run| run.attempts == 0) {
        return Err("the service saw no request");
    }
    let worst = runs.iter().filter(|run| run.attempts > 0).map(|run| run.attempts_worst).collect::<Option<Vec<u64>>>();
    let worst = worst.and_then(|worst| worst.into_iter().max());
    let worst =
        worst.ok_or("its calls cannot be told apart; --group-by says what the requests of one have in common")?;
    let mut doubts = Doubts::default();
    if runs.iter().all(|run| run.calls_failed == Some(0)) {
        doubts.add("Every call got through in the end, so it may try more often; preset:always-503 would tell.");
    }
    let mut layers = layered(runs, &mut doubts).unwrap_or_else(|| vec![single(runs, worst, &mut doubts)]);
    layers[0].retry_after = pushback(runs, &mut doubts);
    layers[0].attempt_timeout = patience(runs);
    doubts.add("Budgets, breakers and what else a client remembers of other calls do not show in a rehearsal.");
    Ok(Measured { layers, doubts: doubts.0, tried_again: tried_again(runs) })
}

/// What is not sure.
#[derive(Default)]
struct Doubts(Vec<String>);

impl Doubts {
    fn add(&mut self, doubt: impl Into<String>) {
        self.0.push(doubt.into());
    }
}

/// Layers that every run shows; `None` where there is one, or they cannot be told.
fn layered(runs: &[Rehearsal], doubts: &mut Doubts) -> Option<Vec<Settings>> {
    let tries = &runs.iter().find(|run| !run.waits.is_empty())?.layers;
    if tries.is_empty() || runs.iter().any(|run| run.layers != *tries) {
        return None;
    }
    let calls = runs.iter().flat_map(|run| &run.waits).filter(|waits| !waits.is_empty());
    let mut calls: Vec<Vec<Option<f64>>> = calls.cloned().collect();
    let mut layers = Vec::new();
    for tries in tries {
        let own = calls
            .iter()
            .flat_map(|call| call.chunks(*tries))
            .map(|block| block[..(tries - 1).min(block.len())].to_vec());
        layers.push(waited(&own.collect::<Vec<_>>(), *tries as u64, doubts));
        calls = calls.into_iter().map(|call| call.into_iter().skip(tries - 1).step_by(*tries).collect()).collect();
    }
    Some(layers)
}

fn single(runs: &[Rehearsal], worst: u64, doubts: &mut Doubts) -> Settings {
    let calls: Vec<_> = runs.iter().flat_map(|run| run.waits.iter().cloned()).collect();
    waited(&calls, worst, doubts)
}

/// A policy that tries so often, and waits as these calls did.
fn waited(calls: &[Vec<Option<f64>>], tries: u64, doubts: &mut Doubts) -> Settings {
    let retries = u32::try_from(tries.saturating_sub(1)).unwrap_or(u32::MAX);
    let with_retries = Settings { max_retries: Some(retries), ..Settings::default() };
    if retries == 0 {
        return with_retries;
    }
    let rule = fit(calls);
    let retried = calls.iter().filter(|waits| !waits.is_empty()).count();
    if retried == 1 && matches!(rule, Backoff::Linear { .. } | Backoff::Exponential { .. } | Backoff::Growing { .. }) {
        doubts.add("One call does not show jitter; --repeat would.");
    }
    let waits = waits_by_retry(calls);
    let own = match rule {
        Backoff::Fixed { delay_ms } => constant(delay_ms),
        Backoff::Exponential { first_ms, factor, cap_ms, first_at_once: false } => Settings {
            growth: Some(Growth::Exponential),
            base_delay: Some(rounded(first_ms)),
            factor: Some(tenths(factor)),
            max_delay: cap_ms.map(rounded),
            ..Settings::default()
        },
        Backoff::Jittered { like, waits: seen, factor, .. } => jittered(&waits, like, seen, factor, doubts),
        // One formula does not say them all: a first retry at once, or a line that does not begin at its step.
        _ => listed(&waits, doubts),
    };
    own.over(with_retries)
}

fn constant(delay_ms: f64) -> Settings {
    Settings { growth: Some(Growth::Constant), base_delay: Some(rounded(delay_ms)), ..Settings::default() }
}

/// The median wait before each retry.
fn listed(waits: &[Vec<f64>], doubts: &mut Doubts) -> Settings {
    let seen: Vec<Duration> =
        waits.iter().take_while(|waits| !waits.is_empty()).map(|waits| rounded(median(waits))).collect();
    if seen.is_empty() {
        doubts.add("How long it waits by itself was not seen, so the delays are the defaults.");
        return Settings::default();
    }
    if seen.len() < waits.len() {
        doubts.add("Later waits were asked for by the service, or could not be seen; the last delay stands for them.");
    }
    // All alike are one.
    let delays = if seen.iter().all(|delay| *delay == seen[0]) { seen[..1].to_vec() } else { seen };
    Settings { delays: Some(delays), ..Settings::default() }
}

#[expect(clippy::cast_precision_loss, reason = "few waits")]
fn jittered(
    waits: &[Vec<f64>],
    like: Option<Jitter>,
    seen: usize,
    factor: Option<f64>,
    doubts: &mut Doubts,
) -> Settings {
    let place = waits.iter().position(|waits| waits.len() == seen).unwrap_or_default();
    let (low, high) = super::backoff::ends(&waits[place]);
    let n = seen as f64;
    let (low, high) = (((n * low - high) / (n - 1.0)).max(0.0), (n * high - low) / (n - 1.0));
    if like.is_none() {
        doubts.add(format!(
            "Which jitter it is cannot be told from {seen} waits, so they are drawn evenly from where they lay."
        ));
    }
    if factor.is_none() && waits.len() > place + 1 {
        doubts.add("Whether the waits grow cannot be told from so few; --repeat 20 would.");
    }
    // A factor about 1 is none.
    let growing = factor.map(tenths).filter(|factor| *factor > 1.1);
    let growth = Settings {
        growth: Some(if growing.is_some() { Growth::Exponential } else { Growth::Constant }),
        factor: growing,
        ..Settings::default()
    };
    let (base, kind, ratio) = match like {
        Some(Jitter::Full) => (high, JitterKind::Full, None),
        Some(Jitter::Equal) => (high, JitterKind::Equal, None),
        Some(Jitter::Proportional) | None => {
            let parts = f64::from(Probability::PARTS) * (high - low) / (high + low);
            // To the hundredth, as far as a dozen waits can tell.
            let hundredth = f64::from(Probability::PARTS / 100);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to all parts")]
            let parts = ((parts / hundredth).round() * hundredth) as u32;
            (f64::midpoint(low, high), JitterKind::Proportional, Probability::from_parts(parts.min(Probability::PARTS)))
        }
    };
    // Before a later retry than the first they had grown already.
    let grown = growing.map_or(1.0, |factor| libm::pow(factor, place as f64));
    Settings { base_delay: Some(rounded(base / grown)), jitter: Some(kind), jitter_ratio: ratio, ..growth }
}

/// What it does when it is asked to stay away; `None` where it was not put to the test.
fn pushback(runs: &[Rehearsal], doubts: &mut Doubts) -> Option<Pushback> {
    let RetryAfter { told, honoured, broken, .. } =
        runs.iter().fold(RetryAfter::default(), |sum, run| sum.plus(run.retry_after));
    match (honoured, broken) {
        (0, 0) if told == 0 => {
            doubts.add("No answer asked it to stay away; preset:rate-limited would tell whether it does.");
            None
        }
        (0, 0) => {
            doubts.add("It gave up where it was asked to stay away; that it does is not in the policy.");
            None
        }
        (_, 0) => Some(Pushback::AtLeast),
        (0, _) => Some(Pushback::Ignore),
        (honoured, broken) => {
            doubts.add(format!(
                "Of the times it was asked to stay away, it did {honoured} times and did not {broken} times."
            ));
            Some(Pushback::AtLeast)
        }
    }
}

/// How long it waits for an answer, where it left before one and tried again.
fn patience(runs: &[Rehearsal]) -> Option<Duration> {
    let calls = runs.iter().flat_map(|run| &run.list);
    let left = calls.flat_map(|call| call.attempts.windows(2)).filter(|pair| pair[0].answer == Answer::Left);
    let waited: Vec<f64> = left.filter_map(|pair| Some(pair[0].ended_ms? - pair[0].at_ms)).collect();
    (!waited.is_empty()).then(|| rounded(median(&waited))).filter(|limit| !limit.is_zero())
}

fn tried_again(runs: &[Rehearsal]) -> Vec<String> {
    let calls = runs.iter().flat_map(|run| &run.list);
    let retried = calls.flat_map(|call| call.attempts.windows(2)).map(|pair| pair[0].answer.to_string());
    retried.collect::<BTreeSet<String>>().into_iter().collect()
}

/// To two digits, as far as noise lets it be told; none where nobody waited.
fn rounded(ms: f64) -> Duration {
    if ms < AT_ONCE_MS {
        return Duration::ZERO;
    }
    let unit = libm::pow(10.0, libm::floor(libm::log10(ms)) - 1.0);
    Duration::try_from_secs_f64((ms / unit).round() * unit / 1e3).unwrap_or(Duration::MAX)
}

/// To one digit after the point.
fn tenths(factor: f64) -> f64 {
    (10.0 * factor).round() / 10.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use brownout_draw::{Seed, Stream, draw};
    use brownout_policy::{Growth, JitterKind, Pushback, Settings};

    use super::super::visit::tests::{get, named};
    use super::super::{Answer, CommandEnd, Lens, Rehearsal, Visit, rehearse};
    use super::{Measured, measured};

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn of(visits: Vec<Visit>) -> Rehearsal {
        rehearse(visits, 1, CommandEnd::default(), &Lens::default())
    }

    /// A call that fails, and comes again after each of these waits.
    fn failing(waits_ms: &[u64]) -> Rehearsal {
        let mut at = 0;
        let later = waits_ms.iter().map(|wait| {
            at += wait;
            get(at, 503)
        });
        of(std::iter::once(get(0, 503)).chain(later).collect())
    }

    #[track_caller]
    fn one(runs: &[Rehearsal]) -> (Settings, Vec<String>) {
        let Measured { mut layers, doubts, .. } = measured(runs).unwrap();
        assert_eq!(layers.len(), 1);
        (layers.remove(0), doubts)
    }

    #[test]
    fn rules_become_their_formulas() {
        let (settings, doubts) = one(&[failing(&[1004, 2009, 3998])]);
        let said = Settings {
            max_retries: Some(3),
            growth: Some(Growth::Exponential),
            base_delay: Some(MS(1000)),
            factor: Some(2.0),
            ..Settings::default()
        };
        assert_eq!(settings, said);
        assert!(doubts[0].contains("jitter") && doubts[1].contains("rate-limited"), "{doubts:?}");
        let (settings, _) = one(&[failing(&[303, 306])]);
        assert_eq!((settings.growth, settings.base_delay), (Some(Growth::Constant), Some(MS(310))));
        // urllib3's first retry comes at once.
        let (settings, _) = one(&[failing(&[2, 403, 806])]);
        assert_eq!(settings.delays, Some(vec![MS(0), MS(400), MS(810)]));
        let (settings, doubts) = one(&[failing(&[])]);
        assert_eq!(settings, Settings { max_retries: Some(0), ..Settings::default() });
        assert!(doubts.len() == 2, "{doubts:?}");
    }

    /// What is drawn from a known range comes back as that range, over many rehearsals and on the mean.
    #[test]
    fn jitter_comes_back_as_what_it_was_drawn_from() {
        let run = |seed: u64, from: f64, to: f64| {
            let call = |number: u64| {
                let failed = |at: Duration| {
                    named(Visit { at, until: Some(at), ..get(0, 503) }, "x-request-id", &number.to_string())
                };
                let mut at = Duration::from_secs(100 * number);
                let mut visits = vec![failed(at)];
                for retry in 0..2 {
                    let unit = draw(Seed(seed), Stream::JITTER, number, retry) as f64 / (u64::MAX as f64);
                    at += Duration::from_secs_f64(4.0 * f64::from(1 << retry) * (from + (to - from) * unit));
                    visits.push(failed(at));
                }
                visits
            };
            one(&[of((0..20).flat_map(call).collect())]).0
        };
        for (from, to, kind) in [(0.0, 1.0, JitterKind::Full), (0.5, 1.0, JitterKind::Equal)] {
            let fitted: Vec<Settings> =
                (0..60).map(|seed| run(seed, from, to)).filter(|fitted| fitted.jitter == Some(kind)).collect();
            assert!(fitted.len() > 50, "{kind:?}: {}", fitted.len());
            let mean = |of: fn(&Settings) -> f64| fitted.iter().map(of).sum::<f64>() / fitted.len() as f64;
            let base = mean(|fitted| fitted.base_delay.unwrap().as_secs_f64());
            assert!((3.8..4.2).contains(&base), "{kind:?}: {base}");
            let factor = mean(|fitted| fitted.factor.unwrap_or(1.0));
            assert!((1.8..2.3).contains(&factor), "{kind:?}: {factor}");
        }
        let part = run(1, 0.8, 1.2);
        let ratio = part.jitter_ratio.unwrap().as_f64();
        assert!(part.jitter == Some(JitterKind::Proportional) && (0.15..0.25).contains(&ratio), "{part:?}");
    }

    #[test]
    fn layers_are_policies_around_each_other() {
        let measured = measured(&[failing(&[100, 200, 1500, 100, 200, 1500, 100, 200])]).unwrap();
        let said: Vec<_> =
            measured.layers.iter().map(|layer| (layer.max_retries, layer.delays.clone(), layer.base_delay)).collect();
        assert_eq!(said, [(Some(2), Some(vec![MS(100), MS(200)]), None), (Some(2), None, Some(MS(1500)))]);
    }

    #[test]
    fn what_was_not_put_to_the_test_is_a_doubt_and_no_setting() {
        let asked = |heeds: u64| {
            let told = Visit { retry_after: Some(Duration::from_secs(2)), ..get(0, 429) };
            one(&[of(vec![told, get(heeds, 200)])])
        };
        let (honours, doubts) = asked(2010);
        assert_eq!(honours.retry_after, Some(Pushback::AtLeast));
        assert!(doubts[0].contains("may try more often") && doubts[1].contains("was not seen"), "{doubts:?}");
        assert_eq!(asked(500).0.retry_after, Some(Pushback::Ignore));
        let (untold, _) = one(&[failing(&[300, 300])]);
        assert_eq!((untold.retry_after, untold.attempt_timeout), (None, None));
        let left = Visit { until: Some(MS(1510)), answer: Answer::Left, ..get(0, 200) };
        let (leaves, _) = one(&[of(vec![left, get(2000, 200)])]);
        assert_eq!(leaves.attempt_timeout, Some(MS(1500)));
    }

    #[test]
    fn without_calls_there_is_no_policy() {
        assert!(measured(&[of(vec![])]).unwrap_err().contains("no request"));
        let lens = Lens { calls: Some(3), ..Lens::default() };
        let blurred = rehearse((0..12).map(|at| get(at, 503)).collect(), 1, CommandEnd::default(), &lens);
        assert!(measured(&[blurred]).unwrap_err().contains("--group-by"));
    }
}
