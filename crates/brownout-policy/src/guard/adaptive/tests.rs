use super::{Adaptive, Bucket, Cubic, Measured};
use proptest::prelude::*;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The rates of one response a second from second 5, `.` for a success and `x` where the service throttles.
///
/// The curve begins at W = 10 and a cut at second 5, and a throttled client was sending at the rate last set.
#[track_caller]
fn check(responses: &str, expected: &[f64]) {
    let mut cubic = Cubic::from_cut(10.0, 5.0);
    let mut rate = 0.0;
    for (second, (response, expected)) in responses.chars().zip(expected).enumerate() {
        let now = 5.0 + f64::from(u32::try_from(second).unwrap());
        rate = if response == '.' { cubic.succeeded(now) } else { cubic.throttled(rate, now) };
        assert!((rate - expected).abs() < 1e-9, "{now}: {rate}, not {expected}");
    }
    assert_eq!(responses.len(), expected.len());
}

/// The vectors of the tests of the AWS SDKs; the second keeps W at the rate before the cut, as botocore does.
#[test]
fn the_curve_follows_the_published_vectors() {
    let all_well = [
        7.0,
        9.648_936_009_66,
        10.000_030_849_917_364,
        10.453_284_520_772_092,
        13.408_697_022_224_185,
        21.266_268_354_273_64,
        36.425_998_516_920_465,
    ];
    check(".......", &all_well);
    let throttled_twice = [
        7.0,
        9.648_936_009_66,
        6.754_255_206_761_999,
        4.727_978_644_733_399,
        6.606_547_753_887_045,
        6.763_279_816_944_947,
        7.598_174_833_907_107,
        11.511_232_804_773_524,
    ];
    check("..xx....", &throttled_twice);
}

/// rate = 0.8 · count/Δt + 0.2 · rate, at each half second.
#[test]
fn the_rate_is_measured_in_half_seconds() {
    let mut measured = Measured::NEW;
    let mut record = |now| measured.record(now);
    for now in [0.0, 0.1, 0.2, 0.4] {
        assert!(record(now).abs() < 1e-12);
    }
    // Five in half a second: 10 a second, of which 0.8 counts.
    assert!((record(0.5) - 8.0).abs() < 1e-12);
    assert!((record(0.9) - 8.0).abs() < 1e-12);
    // Two in two and a half: 0.8 a second.
    assert!((record(3.2) - (0.8 * 0.8 + 0.2 * 8.0)).abs() < 1e-12);
}

/// Ten attempts a second for a second, the last response of which throttles.
fn throttled() -> super::AdaptiveState {
    let mut state = Adaptive.state();
    for tenth in 1..=20 {
        assert_eq!(Adaptive.acquire(&mut state, SECOND * tenth / 10), Duration::ZERO);
        Adaptive.update(&mut state, SECOND * tenth / 10, tenth == 20);
    }
    state
}

/// Measured: at 0.5 s 10 · 0.8 = 8, at 1 s 0.8 · 10 + 0.2 · 8 = 9.6, at 1.5 s 9.92, at 2 s 9.984. Cut to 0.7 of that.
#[test]
fn nothing_is_held_back_before_the_first_throttling_and_then_seven_tenths_are_sent() {
    let state = throttled();
    assert!((state.rate().unwrap() - 0.7 * 9.984).abs() < 1e-9, "{state:?}");
    assert_eq!(Adaptive.state().rate(), None);
}

#[test]
fn attempts_that_wait_stand_in_a_row() {
    let mut state = throttled();
    let rate = state.rate().unwrap();
    // A bucket as large as its rate is full a second later: what is whole in it goes at once.
    let waits: Vec<Duration> = (0..9).map(|_| Adaptive.acquire(&mut state, SECOND * 3)).collect();
    assert!(waits[..6].iter().all(Duration::is_zero), "{waits:?}");
    for (place, wait) in [7.0, 8.0, 9.0].into_iter().zip(&waits[6..]) {
        assert!((wait.as_secs_f64() - (place - rate) / rate).abs() < 1e-6, "{waits:?}");
    }
}

#[test]
fn the_rate_never_falls_below_one_in_two_seconds_and_the_capacity_never_below_one() {
    let mut state = throttled();
    for second in 3..100 {
        Adaptive.update(&mut state, SECOND * second, true);
    }
    assert!((state.bucket.rate - Bucket::RATE_MIN).abs() < 1e-12);
    assert!((state.bucket.capacity - Bucket::CAPACITY_MIN).abs() < 1e-12);
    assert_eq!(Adaptive.acquire(&mut state, SECOND * 200), Duration::ZERO);
    assert_eq!(Adaptive.acquire(&mut state, SECOND * 200), SECOND * 2);
    assert_eq!(Adaptive.acquire(&mut state, SECOND * 200), SECOND * 4);
}

#[test]
fn the_rate_is_at_most_twice_the_one_measured() {
    let mut state = throttled();
    // One response a second for a hundred: the curve would be at hundreds of thousands.
    for second in 3..100 {
        Adaptive.update(&mut state, SECOND * second, false);
    }
    assert!((state.rate().unwrap() - 2.0).abs() < 1e-9, "{state:?}");
}

proptest! {
    #[test]
    fn no_history_panics_and_tokens_stay_within_the_capacity(
        steps in prop::collection::vec((any::<u64>(), any::<bool>(), any::<bool>()), 1..200),
    ) {
        let mut state = Adaptive.state();
        for (nanos, sends, throttled) in steps {
            let now = Duration::from_nanos(nanos);
            if sends {
                let _ = Adaptive.acquire(&mut state, now);
            } else {
                Adaptive.update(&mut state, now, throttled);
            }
            prop_assert!(state.bucket.tokens <= state.bucket.capacity && state.bucket.rate >= Bucket::RATE_MIN);
            prop_assert!(state.bucket.rate.is_finite() && state.bucket.tokens.is_finite());
        }
    }

    #[test]
    fn who_comes_later_is_sent_later(steps in prop::collection::vec(0_u64..300, 1..100)) {
        let mut state = throttled();
        let (mut now, mut last) = (SECOND * 2, Duration::ZERO);
        for millis in steps {
            now += Duration::from_millis(millis);
            let sent = now + Adaptive.acquire(&mut state, now);
            // A nanosecond is lost where a wait is rounded.
            prop_assert!(sent + Duration::from_nanos(2) >= last);
            last = sent;
        }
    }
}
