//! Clients whose policy is known.

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
    assert!(doubts.contains("not seen to try again after: 529") && doubts.contains("there may be more"), "{doubts}");
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
