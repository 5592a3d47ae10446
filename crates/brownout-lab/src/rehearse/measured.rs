//! What a client did, as a policy: to be put beside others, checked and run.

use std::collections::BTreeMap;
use std::time::Duration;

use brownout_draw::Probability;
use brownout_policy::{Failures, Growth, JitterKind, Pushback, Settings};

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
    for layer in &mut layers {
        layer.retry_after = pushback;
        layer.retry_on = Failures::new(retry_on.iter().map(String::as_str)).ok().filter(|_| !retry_on.is_empty());
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

/// What followed failures, by what they were.
#[derive(Default)]
struct Follows(BTreeMap<&'static str, BTreeMap<String, Follow>>);

/// What followed failures of one kind.
#[derive(Default)]
struct Follow {
    /// As `retry_on` says it.
    word: String,
    /// Another try.
    again: u64,
    /// None, though calls have had more.
    left: u64,
    /// None, and no call has had more.
    last: u64,
}

impl Follows {
    fn of(runs: &[Rehearsal], worst: u64) -> Self {
        let mut follows = Self::default();
        for call in runs.iter().flat_map(calls) {
            for (place, attempt) in call.attempts.iter().enumerate().filter(|(_, attempt)| !attempt.answer.is_success())
            {
                let (class, word) = named(attempt.answer);
                let kind = follows.0.entry(class).or_default().entry(attempt.answer.to_string()).or_default();
                kind.word = word;
                let is_last = place + 1 == call.attempts.len();
                let count = match is_last {
                    false => &mut kind.again,
                    true if (place as u64) + 1 < worst => &mut kind.left,
                    true => &mut kind.last,
                };
                *count += 1;
            }
        }
        follows
    }

    fn kinds(&self) -> impl Iterator<Item = (&String, &Follow)> {
        self.0.values().flatten()
    }

    fn tried_again(&self) -> Vec<String> {
        self.kinds().filter(|(_, follow)| follow.again > 0).map(|(name, _)| name.clone()).collect()
    }

    /// What of that is not sure, with calls of at most `worst` attempts.
    fn doubt(&self, worst: u64, doubts: &mut Doubts) {
        let gave_up = self.kinds().any(|(_, follow)| follow.last > 0 && (worst == 1 || follow.again > 0));
        if !gave_up {
            doubts.add("No call was seen to fail at its last try, so there may be more; preset:always-503 would tell.");
        }
        let left = self.kinds().filter(|(_, follow)| worst > 1 && follow.again == 0);
        let left: Vec<&str> = left.map(|(name, _)| name.as_str()).collect();
        if !left.is_empty() {
            doubts.add(format!("It was not seen to try again after: {}.", left.join(", ")));
        }
    }

    /// What is tried again; empty where nothing speaks against the default.
    fn retry_on(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut as_default = true;
        for class in DEFAULT {
            let kinds = self.0.get(class);
            let refused = kinds.is_some_and(|kinds| kinds.values().any(|follow| follow.again == 0 && follow.left > 0));
            match kinds {
                Some(kinds) if refused => {
                    as_default = false;
                    words.extend(kinds.values().filter(|follow| follow.again > 0).map(|follow| follow.word.clone()));
                }
                _ => words.push(class.to_owned()),
            }
        }
        let others = self.0.get(OTHER).into_iter().flat_map(BTreeMap::values).filter(|follow| follow.again > 0);
        for other in others {
            as_default = false;
            words.push(other.word.clone());
        }
        if as_default { Vec::new() } else { words }
    }
}

/// The words of the default of `retry_on`.
const DEFAULT: [&str; 3] = ["429", "5xx", "transport"];
/// Whatever is in none of them.
const OTHER: &str = "other";

/// Which word of the default has an answer in it, and the word for that one alone.
fn named(answer: Answer) -> (&'static str, String) {
    let word = match answer {
        Answer::Status(status) => status.to_string(),
        Answer::Reset => "reset".to_owned(),
        Answer::Closed => "closed".to_owned(),
        Answer::NotHttp => "protocol".to_owned(),
        Answer::Silence | Answer::Left => "timeout".to_owned(),
    };
    let class = match answer {
        Answer::Status(429) => DEFAULT[0],
        Answer::Status(500..=599) => DEFAULT[1],
        Answer::Status(_) => OTHER,
        _ => DEFAULT[2],
    };
    (class, word)
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
    if retried == 1 && matches!(rule, Backoff::Linear { .. } | Backoff::Exponential { .. } | Backoff::Growing { .. }) {
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
            max_delay: cap_ms.or((longest > MAX_DELAY_MS).then_some(longest)).map(rounded),
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

/// No backoff waits longer by default.
const MAX_DELAY_MS: f64 = 60e3;
/// Delays that differ by no more are taken for one, where there is jitter.
const ONE_DELAY: f64 = 1.25;

fn constant(delay: Duration) -> Settings {
    Settings { growth: Some(Growth::Constant), base_delay: Some(delay), ..Settings::default() }
}

/// The delay before each retry, `typical` of its waits.
fn listed(waits: &[Vec<f64>], typical: impl Fn(&[f64]) -> f64, doubts: &mut Doubts) -> Settings {
    let known: Vec<Option<f64>> = waits.iter().map(|waits| (!waits.is_empty()).then(|| typical(waits))).collect();
    let Some(first) = known.iter().copied().find_map(|delay| delay) else {
        doubts.add("How long it waits by itself was not seen, so the delays are the defaults.");
        return Settings::default();
    };
    if known.contains(&None) {
        doubts.add("Some waits were asked for by the service, or could not be seen; the delay before stands for them.");
    }
    let mut before = first;
    let mut all: Vec<f64> = Vec::new();
    for delay in known {
        before = delay.unwrap_or(before);
        all.push(before);
    }
    let mut delays: Vec<Duration> = all.into_iter().map(rounded).collect();
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use brownout_draw::{Seed, Stream, draw};
    use brownout_policy::{Failures, Growth, JitterKind, Pushback, Settings};

    use super::super::visit::tests::{get, named};
    use super::super::{Answer, CommandEnd, Lens, Rehearsal, Visit, rehearse};
    use super::{Measured, measured};

    const MS: fn(u64) -> Duration = Duration::from_millis;
    const ENDED: CommandEnd = CommandEnd { exit_code: Some(0), signal: None, timed_out: false };

    fn of(visits: Vec<Visit>) -> Rehearsal {
        rehearse(visits, 1, ENDED, &Lens::default())
    }

    /// A call that meets `status` at once, and again after each of these waits.
    fn waiting(status: u16, waits_ms: &[u64]) -> Vec<Visit> {
        let mut at = 0;
        let later = waits_ms.iter().map(|wait| {
            at += wait;
            get(at, status)
        });
        std::iter::once(get(0, status)).chain(later).collect()
    }

    fn failing(waits_ms: &[u64]) -> Rehearsal {
        of(waiting(503, waits_ms))
    }

    /// So many calls that fail, whose waits are drawn from `[from × c, to × c)`, c being each of these seconds.
    fn drawn(calls: u64, seed: u64, (from, to): (f64, f64), seconds: &[f64]) -> Rehearsal {
        let call = |number: u64| {
            let id = number.to_string();
            let failed = |at: Duration| named(Visit { at, until: Some(at), ..get(0, 503) }, "x-request-id", &id);
            let mut at = Duration::from_secs(1000 * number);
            let mut visits = vec![failed(at)];
            for (retry, wait) in (0..).zip(seconds) {
                let unit = draw(Seed(seed), Stream::JITTER, number, retry) as f64 / (u64::MAX as f64);
                at += Duration::from_secs_f64(wait * (from + (to - from) * unit));
                visits.push(failed(at));
            }
            visits
        };
        of((0..calls).flat_map(call).collect())
    }

    #[track_caller]
    fn one(runs: &[Rehearsal]) -> (Settings, String) {
        let Measured { mut layers, doubts, .. } = measured(runs).unwrap();
        assert_eq!(layers.len(), 1);
        (layers.remove(0), doubts.join("\n"))
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
        assert!(doubts.contains("One call does not show jitter") && doubts.contains("rate-limited"), "{doubts}");
        assert!(!doubts.contains("there may be more"), "{doubts}");
        let (settings, _) = one(&[failing(&[303, 306])]);
        assert_eq!((settings.growth, settings.base_delay), (Some(Growth::Constant), Some(MS(310))));
        // urllib3's first retry comes at once.
        let (settings, _) = one(&[failing(&[2, 403, 806])]);
        assert_eq!(settings.delays, Some(vec![MS(0), MS(400), MS(810)]));
        let (settings, doubts) = one(&[failing(&[])]);
        assert_eq!(settings, Settings { max_retries: Some(0), ..Settings::default() });
        assert!(!doubts.contains("there may be more"), "{doubts}");
        // Longer than any backoff by default.
        let (settings, _) = one(&[failing(&[1000, 10_000, 100_000])]);
        assert_eq!((settings.factor, settings.max_delay), (Some(10.0), Some(MS(100_000))));
    }

    /// The mean over `seeds` rehearsals of what each of them has for the delay before a retry, in seconds.
    fn mean_delays(seeds: u64, range: (f64, f64), kind: JitterKind, seconds: &[f64]) -> Vec<f64> {
        let run = |seed: u64| one(&[drawn(20, seed, range, seconds)]).0;
        let fitted: Vec<Settings> = (0..seeds).map(run).filter(|fitted| fitted.jitter == Some(kind)).collect();
        assert!(fitted.len() as u64 > seeds * 4 / 5, "{kind:?}: {}", fitted.len());
        let of = |settings: &Settings, retry: usize| {
            let delays = settings.delays.clone().unwrap_or_else(|| vec![settings.base_delay.unwrap()]);
            delays.get(retry).or(delays.last()).unwrap().as_secs_f64()
        };
        let mean = |retry| fitted.iter().map(|fitted| of(fitted, retry)).sum::<f64>() / fitted.len() as f64;
        (0..seconds.len()).map(mean).collect()
    }

    /// What is drawn from a known range comes back as that range, on the mean over many rehearsals; a first retry at once and a cap too.
    #[test]
    fn jitter_comes_back_as_what_it_was_drawn_from() {
        for seconds in [&[4.0, 8.0][..], &[0.0, 1.0, 2.0], &[0.5, 1.0, 1.0, 1.0], &[2.0, 2.0]] {
            for (range, kind) in [((0.0, 1.0), JitterKind::Full), ((0.5, 1.0), JitterKind::Equal)] {
                let found = mean_delays(60, range, kind, seconds);
                for (found, drawn) in found.iter().zip(seconds) {
                    assert!((found - drawn).abs() <= 0.04 * drawn, "{kind:?} {seconds:?}: {found}");
                }
            }
        }
        let (part, _) = one(&[drawn(20, 1, (0.8, 1.2), &[4.0, 8.0])]);
        let ratio = part.jitter_ratio.unwrap().as_f64();
        assert!(part.jitter == Some(JitterKind::Proportional) && (0.15..0.25).contains(&ratio), "{part:?}");
        let (few, doubts) = one(&[drawn(4, 1, (0.5, 1.0), &[4.0])]);
        assert!(few.jitter.is_some() && doubts.contains("cannot be told from 4 waits"), "{doubts}");
        let (untold, doubts) = one(&[drawn(2, 1, (0.2, 1.0), &[4.0, 4.0])]);
        assert!(untold.jitter.is_none() && doubts.contains("several would tell jitter"), "{doubts}");
    }

    #[test]
    fn layers_are_policies_around_each_other() {
        let measured = measured(&[failing(&[100, 200, 1500, 100, 200, 1500, 100, 200])]).unwrap();
        let said: Vec<_> =
            measured.layers.iter().map(|layer| (layer.max_retries, layer.delays.clone(), layer.base_delay)).collect();
        assert_eq!(said, [(Some(2), Some(vec![MS(100), MS(200)]), None), (Some(2), None, Some(MS(1500)))]);
        assert!(measured.doubts.iter().any(|doubt| doubt.contains("tell them from chance")), "{:?}", measured.doubts);
    }

    fn retried_on(calls: &[&[u16]]) -> Option<Failures> {
        let call = |(number, statuses): (usize, &&[u16])| {
            let visit = move |(place, status): (usize, &u16)| {
                let at = 10_000 * number as u64 + 300 * place as u64;
                named(get(at, *status), "x-request-id", &number.to_string())
            };
            statuses.iter().enumerate().map(visit).collect::<Vec<_>>()
        };
        one(&[of(calls.iter().enumerate().flat_map(call).collect())]).0.retry_on
    }

    #[test]
    fn what_is_left_at_that_is_not_tried_again() {
        let only = |words: &[&str]| Some(Failures::new(words.iter().copied()).unwrap());
        assert_eq!(retried_on(&[&[504, 504, 504], &[504, 200]]), None);
        // A 500 ended a call that had tries left, and a 504 did not.
        assert_eq!(retried_on(&[&[504, 504, 504], &[500], &[504, 500]]), only(&["429", "504", "transport"]));
        assert_eq!(retried_on(&[&[404, 404], &[404, 200]]), only(&["429", "5xx", "transport", "404"]));
        let (_, doubts) = one(&[of(vec![get(0, 503), get(300, 529)])]);
        assert!(
            doubts.contains("not seen to try again after: 529") && doubts.contains("there may be more"),
            "{doubts}"
        );
    }

    #[test]
    fn what_was_not_put_to_the_test_is_a_doubt_and_no_setting() {
        let asked = |heeds: u64| {
            let told = Visit { retry_after: Some(Duration::from_secs(2)), ..get(0, 429) };
            one(&[of(vec![told, get(heeds, 200)])])
        };
        let (honours, doubts) = asked(2010);
        assert_eq!(honours.retry_after, Some(Pushback::AtLeast));
        assert!(doubts.contains("there may be more") && doubts.contains("by itself was not seen"), "{doubts}");
        assert_eq!(asked(500).0.retry_after, Some(Pushback::Ignore));
        let (untold, _) = one(&[failing(&[300, 300])]);
        assert_eq!((untold.retry_after, untold.attempt_timeout), (None, None));
        let left = |at| Visit { until: Some(MS(at + 1510)), answer: Answer::Left, ..get(at, 200) };
        let (leaves, _) = one(&[of(vec![left(0), get(2000, 200)])]);
        assert_eq!(leaves.attempt_timeout, Some(MS(1500)));
        assert_eq!(one(&[of(vec![left(0)])]).0.attempt_timeout, Some(MS(1500)));
        let cut = rehearse(waiting(503, &[300, 300]), 1, CommandEnd { timed_out: true, ..ENDED }, &Lens::default());
        assert!(one(&[cut]).1.contains("ended before it was through"));
    }

    /// A backoff that grows comes to wait as long as it is asked to, and is still its own.
    #[test]
    fn who_does_not_do_as_asked_waits_by_its_own_rule() {
        let told = |visit| Visit { retry_after: Some(Duration::from_secs(2)), ..visit };
        let (own, doubts) = one(&[of(waiting(429, &[300, 600, 1200, 2400]).into_iter().map(told).collect())]);
        assert_eq!((own.retry_after, own.base_delay, own.factor), (Some(Pushback::Ignore), Some(MS(300)), Some(2.0)));
        assert!(doubts.contains("in 1 of 4 cases"), "{doubts}");
    }

    #[test]
    fn without_calls_there_is_no_policy() {
        assert!(measured(&[of(vec![])]).unwrap_err().contains("no request"));
        let lens = Lens { calls: Some(3), ..Lens::default() };
        let blurred = rehearse((0..12).map(|at| get(at, 503)).collect(), 1, ENDED, &lens);
        assert!(measured(&[blurred]).unwrap_err().contains("--group-by"));
    }
}
