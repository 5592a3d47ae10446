use std::time::Duration;

use brownout_load::{Met, Relation};

use super::visit::tests::{get, named};
use super::{
    Answer, Backoff, CommandEnd, Effects, Expectation, Heed, Lens, Measure, Rehearsal, RetryAfter, Summary, Visit,
    outcome, rehearse,
};

const ENDED: CommandEnd = CommandEnd { exit_code: Some(0), signal: None, timed_out: false };

fn of(visits: Vec<Visit>) -> Rehearsal {
    rehearse(visits, 1, ENDED, &Lens::default())
}

fn asking(visit: Visit, seconds: u64) -> Visit {
    Visit { retry_after: Some(Duration::from_secs(seconds)), ..visit }
}

#[test]
fn a_call_is_counted_by_its_attempts() {
    // Order of answers, not of arrivals.
    let rehearsal = of(vec![get(3010, 503), get(7020, 200), get(0, 503), get(1005, 503), get(9000, 200)]);
    assert_eq!((rehearsal.attempts, rehearsal.calls, rehearsal.amplification), (5, 2, Some(2.5)));
    assert_eq!((rehearsal.attempts_worst, rehearsal.calls_failed), (Some(4), Some(0)));
    let waits: Vec<_> = rehearsal.list[0].attempts.iter().map(|attempt| attempt.wait_ms).collect();
    assert_eq!(waits, [None, Some(1005.0), Some(2005.0), Some(4010.0)]);
    assert!(matches!(rehearsal.backoff, Backoff::Exponential { .. }), "{:?}", rehearsal.backoff);
}

#[test]
fn who_says_how_many_calls_there_are_is_believed() {
    let visits: Vec<Visit> = (0..12).map(|at| get(at, 503)).collect();
    assert_eq!(of(visits.clone()).amplification, Some(12.0));
    let lens = Lens { calls: Some(3), ..Lens::default() };
    let rehearsal = rehearse(visits, 1, ENDED, &lens);
    assert_eq!((rehearsal.calls, rehearsal.amplification, rehearsal.attempts_worst), (3, Some(4.0), None));
    assert!(rehearsal.grouping.why.starts_with("3, as --calls says; 1 can be told apart by method"), "{rehearsal:?}");
}

#[test]
fn what_was_asked_for_is_honoured_broken_or_given_up_and_no_backoff() {
    let visits = vec![asking(get(0, 429), 2), asking(get(2010, 429), 2), asking(get(3010, 429), 2)];
    let rehearsal = of(visits);
    assert_eq!(rehearsal.retry_after, RetryAfter { told: 3, honoured: 1, broken: 1, given_up: 1 });
    let attempts = &rehearsal.list[0].attempts;
    let heeds: Vec<_> = attempts.iter().map(|attempt| attempt.retry_after).collect();
    assert_eq!(heeds, [Some(Heed::Honoured), Some(Heed::Broken), Some(Heed::GivenUp)]);
    // The second came as it was told to, the third when it liked.
    assert_eq!(attempts.iter().map(|attempt| attempt.wait_asked).collect::<Vec<_>>(), [false, true, false]);
    // Only the wait of its own choice is looked at.
    assert!(
        matches!(&rehearsal.backoff, Backoff::NotEnoughData { why } if why.contains("first retry")),
        "{rehearsal:?}"
    );
}

#[test]
fn a_wait_begins_where_the_answer_ended() {
    let slow = Visit { until: Some(Duration::from_millis(900)), ..get(0, 503) };
    let hung = Visit { until: None, answer: Answer::Silence, ..get(1000, 0) };
    let rehearsal = of(vec![slow, hung, get(5000, 503)]);
    let attempts = &rehearsal.list[0].attempts;
    let waits: Vec<_> = attempts.iter().map(|attempt| attempt.wait_ms).collect();
    assert_eq!(waits, [None, Some(100.0), None]);
    assert_eq!(attempts.iter().map(|attempt| attempt.ended_ms).collect::<Vec<_>>(), [Some(900.0), None, Some(5000.0)]);
}

#[test]
fn what_is_done_again_for_a_call_is_a_duplicate() {
    let done = |visit, done| Visit { done: Some(done), ..visit };
    let visits = vec![
        done(named(get(0, 503), "idempotency-key", "a"), false),
        done(named(get(1, 0), "idempotency-key", "a"), true),
        done(named(get(2, 200), "idempotency-key", "a"), true),
        done(named(get(3, 200), "idempotency-key", "b"), true),
    ];
    assert_eq!(of(visits).effects, Some(Effects { done: 3, duplicates: 1 }));
    assert_eq!(of(vec![get(0, 200)]).effects, None);
}

#[test]
fn requests_at_once_and_connections_are_counted() {
    let long = |at, until, connection| Visit { until: Some(Duration::from_millis(until)), connection, ..get(at, 200) };
    let rehearsal = of(vec![long(0, 10, 1), long(5, 20, 2), long(10, 12, 1), long(30, 40, 2)]);
    assert_eq!((rehearsal.peak, rehearsal.connections), (2, 2));
    assert_eq!((of(vec![get(1, 200), get(1, 200)]).peak, of(vec![]).peak), (1, 0));
}

#[test]
fn expectations_are_met_missed_or_untold() {
    let at_most = |measure, bound| Expectation { measure, relation: Relation::AtMost, bound };
    let expect = vec![
        at_most(Measure::Amplification, 2.0),
        at_most(Measure::Attempts, 3.0),
        at_most(Measure::Duplicates, 0.0),
        Expectation { measure: Measure::ExitCode, relation: Relation::AtLeast, bound: 1.0 },
    ];
    let lens = Lens { expect, ..Lens::default() };
    let judged = rehearse(vec![get(0, 503), get(1, 503), get(2, 503)], 1, ENDED, &lens).expectations;
    let outcomes: Vec<Met> = judged.iter().map(|judged| judged.outcome).collect();
    assert_eq!(outcomes, [Met::Missed, Met::Met, Met::NotEnoughData, Met::Missed]);
    assert_eq!(judged[0].expectation.to_string(), "amplification <= 2");
    assert_eq!((judged[0].shown().as_str(), judged[2].shown().as_str()), ("3", "–"));
    assert_eq!(outcome(&judged), Some(Met::Missed));
    assert_eq!(
        (outcome(&judged[1..3]), outcome(&judged[1..2]), outcome(&[])),
        (Some(Met::NotEnoughData), Some(Met::Met), None)
    );
    // Nothing came: whatever was expected of requests cannot be told.
    assert_eq!(rehearse(vec![], 1, ENDED, &lens).expectations[1].outcome, Met::NotEnoughData);
}

/// Four requests of three calls are 1.333…, which no bound says exactly.
#[test]
fn a_bound_itself_is_within() {
    let judged = |text: &str| {
        let lens = Lens { expect: vec![text.parse().unwrap()], ..Lens::default() };
        rehearse(vec![get(0, 503), get(1, 200), get(2, 200), get(3, 200)], 1, ENDED, &lens).expectations[0].outcome
    };
    assert_eq!(judged("amplification <= 1.3333333333"), Met::Met);
    assert_eq!(judged("amplification <= 1.3333"), Met::Missed);
}

#[test]
fn a_summary_adds_up_and_pools_the_waits() {
    let runs: Vec<Rehearsal> = [100, 900, 400, 700, 200, 600, 300, 800]
        .map(|wait| of(vec![get(0, 503), get(wait, 503), get(wait + 9000, 200)]))
        .into();
    let summary = Summary::of(&runs);
    assert_eq!((summary.runs, summary.runs_exit_0, summary.attempts, summary.calls), (8, 8, 24, 8));
    assert_eq!((summary.amplification_min, summary.amplification_max), (Some(3.0), Some(3.0)));
    assert!(matches!(summary.backoff, Backoff::Jittered { waits: 8, .. }), "{:?}", summary.backoff);
    assert_eq!(summary.outcome, None);
}

#[test]
fn expectations_are_read_as_they_are_written() {
    for text in ["amplification <= 1.5", "attempts_worst <= 4", "exit_code >= 1"] {
        assert_eq!(text.parse::<Expectation>().unwrap().to_string(), text);
    }
    for (text, part) in [
        ("amplificaton <= 3", "did you mean `amplification`?"),
        ("amplification < 3", "an expectation is `<=` or `>=` and a bound"),
        ("attempts <= 1.5", "it is no whole number"),
        ("p99 <= 1s", "what can be expected of: amplification, attempts"),
    ] {
        let error = text.parse::<Expectation>().unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}
