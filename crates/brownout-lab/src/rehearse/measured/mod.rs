//! What a client did, as a policy: to be put beside others, checked and run.

mod follows;
#[cfg(test)]
mod tests;

use std::time::Duration;

use brownout_draw::{Probability, millis};
use brownout_policy::{Failures, Growth, JitterKind, Pushback, Settings};

use self::follows::Follows;
use super::backoff::{AT_ONCE_MS, ends, median, waits_by_retry};
use super::{Answer, Backoff, CallSeen, CommandEnd, Jitter, Rehearsal, RetryAfter, common_layers, fit};

/// The policy that a client was seen to follow.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// One for each layer of retries, the nearest to the service first.
    pub layers: Vec<Settings>,
    /// What it tries again, in the words of `retry_on`; empty where nothing speaks against the default.
    pub retry_on: Vec<String>,
    /// What another rehearsal might show to be otherwise, a sentence each.
    pub doubts: Vec<String>,
    /// What was tried again, as its client saw it.
    pub tried_again: Vec<String>,
}

/// The policy that `runs` of one command show.
///
/// - Retries: those of the call with the most.
/// - What is tried again: what was, and of the rest of the default all that was not seen to be left at that.
/// - Waits: by the rule that [`fit`] finds, to two digits; where it finds none, the median wait before each retry.
/// - With jitter, the delay before each retry. What the longest and the shortest of few draws are off on the mean is made good: of n draws
///   from U(0, b) the expectation of max · (n + 1) / n is b, and of n draws from U(a, b) that of (n · max - min) / (n - 1).
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
    if runs.iter().any(|run| !is_through(run.command)) {
        doubts.add("The command was ended before it was through, so it may try more often.");
    }
    if runs.iter().any(|run| run.grouping.is_by_likeness()) {
        doubts.add(
            "Requests alike count as one call until one succeeds; of calls alike --calls or --group-by would tell.",
        );
    }
    let follows = Follows::of(runs, worst);
    follows.doubt(worst, &mut doubts);
    let retry_on = if worst > 1 { follows.retry_on() } else { Vec::new() };
    let pushback = pushback(runs, &mut doubts);
    // Who does not do as asked waits by a rule of its own, however long that is.
    let waits: Vec<_> = runs.iter().flat_map(|run| waits(run, pushback == Some(Pushback::Ignore))).collect();
    let mut layers = layered(&waits, &mut doubts).unwrap_or_else(|| vec![waited(&waits, worst, &mut doubts)]);
    let failures = || Failures::new(retry_on.iter().map(String::as_str)).expect("they are words of `retry_on`");
    let failures = (!retry_on.is_empty()).then(failures);
    for layer in &mut layers {
        layer.retry_after = pushback;
        layer.retry_on.clone_from(&failures);
    }
    layers[0].attempt_timeout = patience(runs);
    doubts.add("Budgets, breakers and what else a client remembers of other calls do not show in a rehearsal.");
    Ok(Measured { layers, retry_on, doubts: doubts.0, tried_again: follows.tried_again() })
}

/// What is not sure.
#[derive(Default)]
struct Doubts(Vec<String>);

impl Doubts {
    fn add(&mut self, doubt: impl Into<String>) {
        self.0.push(doubt.into());
    }
}

/// Whether a command came to its own end.
const fn is_through(end: CommandEnd) -> bool {
    !end.timed_out && end.signal.is_none() && end.exit_code.is_some()
}

/// The calls of a run of which every attempt is listed.
fn calls(run: &Rehearsal) -> &[CallSeen] {
    // The last one listed may go on.
    let whole = if run.attempts_omitted > 0 { run.list.len().saturating_sub(1) } else { run.list.len() };
    &run.list[..whole]
}

/// The waits of each call of a run, its own alone or `all`.
fn waits(run: &Rehearsal, all: bool) -> Vec<Vec<Option<f64>>> {
    if !all || run.attempts_omitted > 0 {
        return run.waits.clone();
    }
    let of = |call: &CallSeen| call.attempts.iter().skip(1).map(|attempt| attempt.wait_ms).collect();
    run.list.iter().map(of).collect()
}

/// Layers that all `calls` show; `None` where there is one, or they cannot be told.
fn layered(calls: &[Vec<Option<f64>>], doubts: &mut Doubts) -> Option<Vec<Settings>> {
    let all = common_layers(calls);
    if all.is_empty() {
        return None;
    }
    let mut calls: Vec<Vec<Option<f64>>> = calls.iter().filter(|waits| !waits.is_empty()).cloned().collect();
    if calls.len() == 1 {
        doubts.add("The layers show in the waits of one call; --repeat would tell them from chance.");
    }
    let mut layers = Vec::new();
    for tries in &all {
        let own = |block: &[Option<f64>]| block[..(tries - 1).min(block.len())].to_vec();
        let within: Vec<_> = calls.iter().flat_map(|call| call.chunks(*tries)).map(own).collect();
        layers.push(waited(&within, *tries as u64, doubts));
        calls = calls.into_iter().map(|call| call.into_iter().skip(tries - 1).step_by(*tries).collect()).collect();
    }
    Some(layers)
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
    if retried == 1 && rule.may_be_jittered() {
        doubts.add("One call does not show jitter; --repeat would.");
    }
    let waits = waits_by_retry(calls);
    let longest = waits.iter().flatten().copied().fold(0.0, f64::max);
    let own = match rule {
        Backoff::Fixed { delay_ms } => {
            doubts.add("A jitter of a twentieth of the wait, or of 60 ms, would not show.");
            constant(rounded(delay_ms))
        }
        Backoff::Exponential { first_ms, factor, cap_ms, first_at_once: false } => Settings {
            growth: Some(Growth::Exponential),
            base_delay: Some(rounded(first_ms)),
            factor: Some((10.0 * factor).round() / 10.0),
            max_delay: cap_ms.or((longest > millis(Settings::MAX_DELAY)).then_some(longest)).map(rounded),
            ..Settings::default()
        },
        Backoff::Jittered { like, .. } => jittered(&waits, like, doubts),
        // One formula does not say them all: a first retry at once, or a line that does not begin at its step.
        Backoff::Linear { .. } | Backoff::Exponential { .. } | Backoff::Growing { .. } | Backoff::AtOnce => {
            listed(&waits, median, doubts)
        }
        Backoff::NotEnoughData { why } => {
            doubts.add(format!("Not enough data: {why}."));
            listed(&waits, median, doubts)
        }
        Backoff::NoRetries => Settings::default(),
    };
    own.over(with_retries)
}

/// Delays that differ by no more are taken for one, where there is jitter.
const ONE_DELAY: f64 = 1.25;

fn constant(delay: Duration) -> Settings {
    Settings { growth: Some(Growth::Constant), base_delay: Some(delay), ..Settings::default() }
}

/// The delay before each retry, `typical` of its waits.
fn listed(waits: &[Vec<f64>], typical: impl Fn(&[f64]) -> f64, doubts: &mut Doubts) -> Settings {
    let known: Vec<Option<f64>> = waits.iter().map(|waits| (!waits.is_empty()).then(|| typical(waits))).collect();
    let Some(first) = known.iter().copied().flatten().next() else {
        doubts.add("How long it waits by itself was not seen, so the delays are the defaults.");
        return Settings::default();
    };
    if known.contains(&None) {
        doubts.add("Some waits were asked for by the service, or could not be seen; the delay before stands for them.");
    }
    let filled = known.into_iter().scan(first, |before, delay| {
        *before = delay.unwrap_or(*before);
        Some(rounded(*before))
    });
    let mut delays: Vec<Duration> = filled.collect();
    // The last one is repeated.
    while let [.., one, other] = delays[..]
        && one == other
    {
        delays.pop();
    }
    Settings { delays: Some(delays), ..Settings::default() }
}

#[expect(clippy::cast_precision_loss, reason = "few waits")]
fn jittered(waits: &[Vec<f64>], like: Option<Jitter>, doubts: &mut Doubts) -> Settings {
    let waited = waits.iter().filter(|waits| !waits.is_empty() && AT_ONCE_MS <= median(waits));
    let Some(most) = waited.clone().rev().max_by_key(|waits| waits.len()) else {
        return listed(waits, median, doubts);
    };
    let mean = |waits: &[f64]| waits.iter().sum::<f64>() / waits.len() as f64;
    let (jitter, ratio) = match like {
        Some(Jitter::Full) => (JitterKind::Full, None),
        Some(Jitter::Equal) => (JitterKind::Equal, None),
        Some(Jitter::Proportional) => (JitterKind::Proportional, Some(reach(most))),
        None => {
            let seen = most.len();
            doubts.add(format!(
                "Which jitter it is cannot be told from {seen} waits, so they are drawn evenly from where they lay."
            ));
            (JitterKind::Proportional, Some(reach(most)))
        }
    };
    if waited.clone().any(|waits| waits.len() < ROUGH_BELOW) {
        doubts.add("Delays of which few waits were seen are rough; --repeat 20 would make them better.");
    }
    let delay = |waits: &[f64]| {
        let (n, (low, high)) = (waits.len() as f64, ends(waits));
        match jitter {
            _ if median(waits) < AT_ONCE_MS => 0.0,
            JitterKind::Full => high * (n + 1.0) / n,
            JitterKind::Equal if n > 1.0 => (n * high - low) / (n - 1.0),
            JitterKind::Equal => high,
            _ => mean(waits),
        }
    };
    let delays: Vec<f64> = waited.map(|waits| delay(waits)).collect();
    let (low, high) = ends(&delays);
    let own = if delays.len() == waits.len() && high < ONE_DELAY * low {
        constant(rounded(mean(&delays)))
    } else {
        listed(waits, delay, doubts)
    };
    Settings { jitter: Some(jitter), jitter_ratio: ratio, ..own }
}

/// From so many waits on the ends of what they are drawn from are known to a tenth.
const ROUGH_BELOW: usize = 8;

/// How far waits reach to either side of their middle, to the hundredth.
#[expect(clippy::cast_precision_loss, reason = "few waits")]
fn reach(waits: &[f64]) -> Probability {
    let (n, (low, high)) = (waits.len() as f64, ends(waits));
    let (low, high) = (((n * low - high) / (n - 1.0)).max(0.0), (n * high - low) / (n - 1.0));
    let hundredths = (100.0 * (high - low) / (high + low)).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
    let parts = hundredths.clamp(0.0, 100.0) as u32 * (Probability::PARTS / 100);
    Probability::from_parts(parts).unwrap_or(Probability::ZERO)
}

/// What it does when it is asked to stay away; `None` where it was not put to the test.
fn pushback(runs: &[Rehearsal], doubts: &mut Doubts) -> Option<Pushback> {
    let RetryAfter { told, honoured, broken, .. } = RetryAfter::of(runs);
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
        // Who waits longer each time comes to wait as long as asked, whether asked or not.
        (honoured, broken) => {
            let all = honoured + broken;
            doubts.add(format!(
                "It stayed away as long as it was asked to in {honoured} of {all} cases, perhaps by chance."
            ));
            Some(Pushback::Ignore)
        }
    }
}

/// How long it waits for an answer, where it left before one.
fn patience(runs: &[Rehearsal]) -> Option<Duration> {
    let through = runs.iter().filter(|run| is_through(run.command));
    let left = through.flat_map(calls).flat_map(|call| &call.attempts).filter(|attempt| attempt.answer == Answer::Left);
    let waited: Vec<f64> = left.filter_map(|attempt| Some(attempt.ended_ms? - attempt.at_ms)).collect();
    (!waited.is_empty()).then(|| rounded(median(&waited))).filter(|limit| !limit.is_zero())
}

/// To two digits, as far as noise lets it be told; none where nobody waited.
fn rounded(ms: f64) -> Duration {
    if ms < AT_ONCE_MS {
        return Duration::ZERO;
    }
    let unit = libm::pow(10.0, libm::floor(libm::log10(ms)) - 1.0);
    Duration::try_from_secs_f64((ms / unit).round() * unit / 1e3).unwrap_or(Duration::MAX)
}
