use super::{Breaker, BreakerState, Trip, TripWindow};
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn n(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn ratio(text: &str, window: TripWindow, min_calls: u32) -> Trip {
    Trip::Ratio { ratio: text.parse().unwrap(), window, min_calls: n(min_calls) }
}

fn breaker(trip: Trip, half_open_calls: u32) -> Breaker {
    Breaker::new(trip, MINUTE, n(half_open_calls)).unwrap()
}

/// Records a row of results, `.` for a success and `x` for a failure, at one moment.
fn feed(rule: &Breaker, state: &mut BreakerState, now: Duration, results: &str) {
    results.chars().for_each(|result| rule.record(state, now, result == '.'));
}

/// After how many of these results, one each second, the breaker is open.
#[track_caller]
fn check(trip: Trip, results: &str, expected: Option<usize>) {
    let rule = breaker(trip, 1);
    let mut state = rule.state();
    let opened = results.chars().enumerate().find_map(|(index, result)| {
        let now = SECOND * u32::try_from(index).unwrap();
        assert!(rule.admit(&mut state, now));
        rule.record(&mut state, now, result == '.');
        rule.is_open(&state, now).then_some(index + 1)
    });
    assert_eq!(opened, expected, "{trip:?} {results}");
}

#[test]
fn a_run_of_failures_opens() {
    check(Trip::Consecutive(n(3)), "xx.xx.xxx", Some(9));
    check(Trip::Consecutive(n(1)), "..x", Some(3));
    check(Trip::Consecutive(n(3)), "xx.xx.xx.", None);
}

#[test]
fn a_share_of_the_last_results_opens_once_there_are_enough() {
    let last_four = |min_calls| ratio("50%", TripWindow::Count(n(4)), min_calls);
    check(last_four(4), "x..xx", Some(4));
    check(last_four(4), "xxxx", Some(4));
    check(last_four(2), ".x", Some(2));
    // A success may be the result that makes enough of them.
    check(last_four(2), "x.", Some(2));
    // The first failure has left the window when the second comes, the second when the third does.
    check(last_four(4), "...x...x...x", None);
    check(last_four(4), "...x..xx", Some(7));
}

#[test]
fn a_share_of_a_stretch_of_time_opens_once_there_are_enough() {
    let ten_seconds = |min_calls| ratio("50%", TripWindow::Time(SECOND * 10), min_calls);
    check(ten_seconds(5), "xxxxx", Some(5));
    check(ten_seconds(10), "....xxxxxx", Some(10));
    check(ten_seconds(10), "xxxxx......xxxx", Some(10));
    // One result a second: ten in the window, never eleven.
    check(ten_seconds(11), "xxxxxxxxxxxxxxxxxxxxxxxx", None);
}

/// A ratio over all results without a minimum would open here, and so would one over a window.
#[test]
fn the_first_failure_of_a_young_client_does_not_open() {
    check(ratio("50%", TripWindow::Count(n(100)), 100), "x", None);
    check(ratio("10%", TripWindow::Time(SECOND * 30), 100), "xxx", None);
    // Nor does a failure in a quiet hour, when all that is remembered is this one.
    let rule = breaker(ratio("50%", TripWindow::Time(SECOND * 30), 10), 1);
    let mut state = rule.state();
    feed(&rule, &mut state, SECOND, &".".repeat(1000));
    feed(&rule, &mut state, SECOND * 3600, "x");
    assert!(!rule.is_open(&state, SECOND * 3600));
}

#[test]
fn open_refuses_everything_until_its_time_is_over() {
    let rule = breaker(Trip::Consecutive(n(1)), 2);
    let mut state = rule.state();
    feed(&rule, &mut state, SECOND, "x");
    assert!(rule.is_open(&state, SECOND * 60) && !rule.admit(&mut state, SECOND * 60));
    // Results of attempts that were admitted before change nothing.
    feed(&rule, &mut state, SECOND * 60, "....x");
    assert!(!rule.is_open(&state, SECOND * 61));
    let admitted = [(); 3].map(|()| rule.admit(&mut state, SECOND * 61));
    assert_eq!(admitted, [true, true, false]);
}

/// A breaker whose time is over and which has admitted all it may.
fn half_open(rule: &Breaker) -> (BreakerState, Duration) {
    let mut state = rule.state();
    feed(rule, &mut state, SECOND, &"x".repeat(200));
    let now = SECOND + MINUTE;
    while rule.admit(&mut state, now) {}
    (state, now)
}

/// Whether these results leave a half-open breaker `open`, `closed` or `half-open`.
#[track_caller]
fn check_half_open(rule: &Breaker, results: &str, expected: &str) {
    let (mut state, now) = half_open(rule);
    feed(rule, &mut state, now, results);
    let admits = rule.admit(&mut state, now);
    let found = match (rule.is_open(&state, now), admits) {
        (true, false) => "open",
        (false, true) => "closed",
        (false, false) => "half-open",
        (true, true) => "both open and closed",
    };
    assert_eq!(found, expected, "{results}");
}

#[test]
fn half_open_decides_by_the_ratio_of_its_own_results() {
    let rule = breaker(ratio("50%", TripWindow::Count(n(100)), 100), 10);
    check_half_open(&rule, "xxxxxxxxx", "half-open");
    check_half_open(&rule, "xxxx......", "closed");
    check_half_open(&rule, "xxxxx.....", "open");
    check_half_open(&rule, ".....xxxxx", "open");
}

#[test]
fn one_call_half_open_or_a_run_of_failures_opens_at_the_first_failure() {
    let one = breaker(ratio("10%", TripWindow::Time(SECOND * 30), 100), 1);
    check_half_open(&one, "x", "open");
    check_half_open(&one, ".", "closed");
    let run = breaker(Trip::Consecutive(n(5)), 3);
    check_half_open(&run, ".x", "open");
    check_half_open(&run, "..", "half-open");
    check_half_open(&run, "...", "closed");
}

#[test]
fn a_breaker_that_closes_has_forgotten() {
    let rule = breaker(Trip::Consecutive(n(3)), 1);
    let (mut state, now) = half_open(&rule);
    feed(&rule, &mut state, now, ".");
    assert_eq!(state, rule.state());
}

#[test]
fn a_breaker_that_opens_again_waits_again() {
    let rule = breaker(Trip::Consecutive(n(3)), 1);
    let (mut state, now) = half_open(&rule);
    feed(&rule, &mut state, now + SECOND, "x");
    assert!(rule.is_open(&state, now + MINUTE));
    assert!(rule.admit(&mut state, now + SECOND + MINUTE));
}

#[test]
fn a_place_that_is_released_is_given_again() {
    let rule = breaker(Trip::Consecutive(n(3)), 2);
    let (mut state, now) = half_open(&rule);
    rule.release(&mut state);
    assert!(rule.admit(&mut state, now) && !rule.admit(&mut state, now));
    feed(&rule, &mut state, now, ".");
    // One result is still missing: no more than one place can be free.
    (0..5).for_each(|_| rule.release(&mut state));
    assert!(rule.admit(&mut state, now) && !rule.admit(&mut state, now));
}

#[test]
fn what_makes_no_breaker_is_refused_with_its_rule() {
    let refusal = |trip, open_for| Breaker::new(trip, open_for, n(1)).unwrap_err().to_string();
    let hundred = TripWindow::Count(n(100));
    assert!(refusal(ratio("0", hundred, 1), SECOND).contains("must be above 0, found 0"));
    assert!(
        refusal(ratio("1", hundred, 101), SECOND).contains("min_calls (101) are more than the breaker's window of 100")
    );
    assert!(refusal(ratio("1", TripWindow::Count(n(10_001)), 1), SECOND).contains("at most 10000 calls, found 10001"));
    assert!(
        refusal(ratio("1", TripWindow::Time(Duration::ZERO), 1), SECOND)
            .contains("window of a breaker must be at least 1ms")
    );
    assert!(refusal(Trip::Consecutive(n(1)), Duration::ZERO).contains("open_for"));
}

proptest! {
    /// A model that keeps every result of the window as it is.
    #[test]
    fn a_ring_counts_as_a_list_would(
        calls in 1_u32..200, min_calls in 1_u32..200, results in prop::collection::vec(prop::bool::weighted(0.6), 0..500),
    ) {
        let min_calls = min_calls.min(calls);
        let rule = breaker(ratio("50%", TripWindow::Count(n(calls)), min_calls), 1);
        let mut state = rule.state();
        for end in 1..=results.len() {
            rule.record(&mut state, SECOND, results[end - 1]);
            let recent = &results[end.saturating_sub(calls as usize)..end];
            let failed = recent.iter().filter(|ok| !**ok).count();
            let trips = recent.len() >= min_calls as usize && failed * 2 >= recent.len();
            prop_assert_eq!(rule.is_open(&state, SECOND), trips);
            if trips { break; }
        }
    }

    #[test]
    fn nothing_panics(
        events in prop::collection::vec((0..3, any::<u64>(), any::<bool>()), 0..200), half_open_calls in 1_u32..5, kind in 0..3,
    ) {
        let trip = match kind {
            0 => Trip::Consecutive(n(2)),
            1 => ratio("50%", TripWindow::Count(n(3)), 2),
            _ => ratio("50%", TripWindow::Time(SECOND), 2),
        };
        let rule = breaker(trip, half_open_calls);
        let mut state = rule.state();
        for (event, secs, ok) in events {
            let now = Duration::from_secs(secs);
            match event {
                0 => { let _ = rule.admit(&mut state, now); }
                1 => rule.record(&mut state, now, ok),
                _ => rule.release(&mut state),
            }
        }
    }
}
