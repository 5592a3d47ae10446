use super::Policy;
use crate::stack::Place;
use crate::{Call, Callers, Failure, Growth, JitterKind, Pushback, Settings, StopReason, TooLong, Transport, Verdict};
use brownout_draw::{Seed, Stream, draw};
use proptest::prelude::*;
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn policy(settings: Settings) -> Policy {
    Policy::new(settings).unwrap()
}

/// What a call meets that fails with `failure` after `work` each time, as words: delays in ms, then the reason.
#[track_caller]
fn check(settings: Settings, work: Duration, failure: Failure, expected: &str) {
    let mut callers = Callers::one(&policy(settings));
    let mut elapsed = Duration::ZERO;
    let mut call = callers.call(0, elapsed);
    let mut seen = Vec::new();
    loop {
        let retry = call.next_attempt() > 1;
        let go = callers.begin(&mut call, elapsed, 0).unwrap();
        elapsed += go.allowance.map_or(work, |allowance| allowance.min(work));
        match callers.failed(&mut call, elapsed, &failure, u64::MAX, retry) {
            Verdict::Await => unreachable!("nothing is in flight"),
            Verdict::Retry { after, .. } => {
                seen.push(format!("{}", after.as_secs_f64() * 1000.0));
                elapsed += after;
            }
            Verdict::Stop(reason) => {
                seen.push(reason.name().to_owned());
                break;
            }
        }
    }
    assert_eq!(seen.join(" "), expected);
}

#[test]
fn the_delay_doubles_until_the_retries_are_spent() {
    check(Settings::default(), MS(10), Failure::status(500), "100 200 400 exhausted");
    let none = Settings { max_retries: Some(0), ..Settings::default() };
    check(none, MS(10), Failure::status(500), "exhausted");
}

#[test]
fn the_cap_holds() {
    let capped = Settings { max_retries: Some(5), max_delay: Some(MS(300)), ..Settings::default() };
    check(capped, MS(10), Failure::status(503), "100 200 300 300 300 exhausted");
}

#[test]
fn what_another_try_would_not_mend_stops_at_once() {
    check(Settings::default(), MS(10), Failure::status(404), "not_retryable");
    check(Settings::default(), MS(10), Failure::transport(Transport::Reset), "100 200 400 exhausted");
    check(Settings::default(), MS(10), Failure::OTHER, "100 200 400 exhausted");
}

#[test]
fn no_wait_is_begun_that_cannot_fit_before_the_deadline() {
    // 10 + 100 + 10 + 200 + 10 = 330 ms gone; 400 more would not fit into 700.
    let limited = Settings { deadline: Some(MS(700)), ..Settings::default() };
    check(limited, MS(10), Failure::status(500), "100 200 deadline_near");
}

#[test]
fn the_deadline_counts_the_work_too_and_cuts_it() {
    let limited = Settings { deadline: Some(MS(700)), ..Settings::default() };
    check(limited, MS(450), Failure::transport(Transport::Timeout), "100 deadline_exceeded");
}

#[test]
fn the_shorter_of_attempt_timeout_and_deadline_rules_an_attempt() {
    let both = policy(Settings { deadline: Some(MS(700)), attempt_timeout: Some(MS(500)), ..Settings::default() });
    assert_eq!(both.allowance(Duration::ZERO), Some(MS(500)));
    assert_eq!(both.allowance(MS(300)), Some(MS(400)));
    assert_eq!(both.allowance(MS(900)), Some(Duration::ZERO));
    let begin = |now| {
        let mut callers = Callers::one(&both);
        let mut call = callers.call(0, Duration::ZERO);
        callers.begin(&mut call, now, 0).map(|go| go.allowance)
    };
    assert_eq!(begin(MS(300)), Ok(Some(MS(400))));
    assert_eq!(begin(MS(700)), Err(StopReason::DeadlineExceeded));
    assert_eq!(Policy::none().allowance(MS(900)), None);
}

#[test]
fn a_longer_retry_after_takes_the_place_of_the_backoff() {
    let asked = |ms| Failure { retry_after: Some(MS(ms)), ..Failure::status(429) };
    check(Settings::default(), MS(1), asked(250), "250 250 400 exhausted");
    let deaf = Settings { retry_after: Some(Pushback::Ignore), ..Settings::default() };
    check(deaf, MS(1), asked(250), "100 200 400 exhausted");
    check(Settings::default(), MS(1), asked(300_001), "retry_after_too_long");
    let patient = Settings { retry_after_max: Some(MS(400_000)), max_retries: Some(1), ..Settings::default() };
    check(patient, MS(1), asked(300_001), "300001 exhausted");
    let limited = Settings { deadline: Some(MS(200)), ..Settings::default() };
    check(limited, MS(1), asked(250), "deadline_near");
}

#[test]
fn a_retry_after_does_as_the_policy_says() {
    let asked = |ms| Failure { retry_after: Some(MS(ms)), ..Failure::status(429) };
    let heed = |retry_after| Settings { retry_after: Some(retry_after), ..Settings::default() };
    // Exact replaces the delay, shorter or longer, and the backoff begins anew.
    check(heed(Pushback::Exact), MS(1), asked(7), "7 7 7 exhausted");
    check(heed(Pushback::Exact), MS(1), asked(0), "0 0 0 exhausted");
    // Into [t, t + 5 s] around delays of 100, 200 and 400 ms.
    check(heed(Pushback::Clamp), MS(1), asked(250), "250 250 400 exhausted");
    check(heed(Pushback::Clamp), MS(1), asked(10_000), "5100 5200 5400 exhausted");
    // U(x, 1.5 x), with the highest draw.
    check(heed(Pushback::Spread), MS(1), asked(1000), "1499.999999 1499.999999 1499.999999 exhausted");
    let overhears = Settings { retry_after_over: Some(TooLong::Ignore), ..heed(Pushback::Exact) };
    check(overhears, MS(1), asked(300_001), "100 200 400 exhausted");
}

/// The published vectors of the AWS SDKs' retry behaviour 2.1, all with the highest draw.
#[test]
fn a_throttling_error_has_a_backoff_of_its_own() {
    let settings = || Settings {
        base_delay: Some(MS(50)),
        throttling_base_delay: Some(MS(1000)),
        max_delay: Some(MS(20_000)),
        max_retries: Some(11),
        ..Settings::default()
    };
    let transient = "50 100 200 400 800 1600 3200 6400 12800 20000 20000 exhausted";
    check(settings(), MS(1), Failure::status(500), transient);
    let throttling = "1000 2000 4000 8000 16000 20000 20000 20000 20000 20000 20000 exhausted";
    check(settings(), MS(1), Failure::status(429), throttling);
}

#[test]
fn other_growths_and_lists() {
    let growth = |growth| Settings { growth: Some(growth), max_retries: Some(4), ..Settings::default() };
    check(growth(Growth::Constant), MS(1), Failure::OTHER, "100 100 100 100 exhausted");
    check(growth(Growth::Linear), MS(1), Failure::OTHER, "100 200 300 400 exhausted");
    check(growth(Growth::Fibonacci), MS(1), Failure::OTHER, "100 100 200 300 exhausted");
    let list = Settings { delays: Some(vec![MS(7), MS(3)]), ..Settings::default() };
    check(list, MS(1), Failure::OTHER, "7 3 3 exhausted");
}

/// The delays of a call that fails again and again.
fn walk(policy: &Policy, seed: Seed, key: u64) -> impl Iterator<Item = Duration> {
    let mut call = Call::new(0, Duration::ZERO, Place::NONE);
    std::iter::from_fn(move || {
        let draw = draw(seed, Stream::JITTER, key, call.retries + 1);
        let (verdict, own) = policy.decide(&call, Duration::ZERO, &Failure::OTHER, draw);
        call.retried(own, false);
        match verdict {
            Verdict::Retry { after, .. } => Some(after),
            _ => None,
        }
    })
}

/// Without a cap each step multiplies the mean by 3/2 and adds b/2, so E[s_n] = b · (2 · 1.5^n - 1). The medians are those of
/// an independent simulation of s_n = U(b, 3 · s_(n-1)) in Python (200,000 walks, b = 1).
#[test]
fn decorrelated_jitter_walks_as_the_formula_says() {
    const CALLS: u64 = 200_000;
    let policy = policy(Settings {
        jitter: Some(JitterKind::Decorrelated),
        base_delay: Some(Duration::from_secs(1)),
        max_delay: Some(Duration::from_secs(100_000)),
        max_retries: Some(6),
        ..Settings::default()
    });
    let mut delays = vec![Vec::new(); 6];
    for key in 0..CALLS {
        for (list, delay) in delays.iter_mut().zip(walk(&policy, Seed(1), key)) {
            list.push(delay.as_secs_f64());
        }
    }
    let medians = [2.00, 3.18, 4.60, 6.29, 8.26, 10.68];
    for (n, (list, median)) in (1..).zip(delays.iter_mut().zip(medians)) {
        list.sort_by(f64::total_cmp);
        let expected = 2.0 * 1.5_f64.powi(n) - 1.0;
        let mean = list.iter().sum::<f64>() / 200_000.0;
        assert!((mean / expected - 1.0).abs() < 0.02, "retry {n}: mean {mean}, expected {expected}");
        let found = list[100_000];
        assert!((found / median - 1.0).abs() < 0.02, "retry {n}: median {found}, expected {median}");
    }
}

/// With c = 20 b the clamped walk stands on its cap in 10 % of draws at n = 4 and in 36 % at n = 8 (an independent simulation
/// of s_n = min(c, U(b, 3 · s_(n-1))) in Python); the other variant, U(b, min(c, 3 · s_(n-1))), never does.
#[test]
fn decorrelated_jitter_is_clamped_as_aws_clamps_it() {
    let cap = Duration::from_secs(20);
    let policy = policy(Settings {
        jitter: Some(JitterKind::Decorrelated),
        base_delay: Some(Duration::from_secs(1)),
        max_delay: Some(cap),
        max_retries: Some(8),
        ..Settings::default()
    });
    let mut on_cap = [0_u32; 8];
    for key in 0..100_000 {
        for (count, delay) in on_cap.iter_mut().zip(walk(&policy, Seed(2), key)) {
            *count += u32::from(delay == cap);
        }
    }
    assert!(on_cap[3].abs_diff(10_450) < 700, "{on_cap:?}");
    assert!(on_cap[7].abs_diff(36_150) < 1_100, "{on_cap:?}");
}

#[test]
fn contradictions_are_refused_all_at_once_with_the_setting_to_blame() {
    let settings = Settings {
        factor: Some(0.5),
        max_delay: Some(MS(1)),
        jitter_ratio: Some("0.1".parse().unwrap()),
        deadline: Some(Duration::ZERO),
        attempt_timeout: Some(Duration::ZERO),
        ..Settings::default()
    };
    let errors = Policy::new(settings).unwrap_err();
    let blamed: Vec<_> = errors.iter().map(crate::PolicyError::setting).collect();
    assert_eq!(blamed, ["factor", "max_delay", "jitter_ratio", "deadline", "attempt_timeout"]);
    let refusal = |settings: Settings| Policy::new(settings).unwrap_err()[0].to_string();
    assert!(refusal(Settings { factor: Some(f64::NAN), ..Settings::default() }).contains("found NaN"));
    assert!(refusal(Settings { delays: Some(vec![]), ..Settings::default() }).contains("at least one"));
    let both = Settings { delays: Some(vec![MS(1)]), base_delay: Some(MS(1)), ..Settings::default() };
    assert!(refusal(both).contains("in place of base_delay"));
    let walk = Settings { jitter: Some(JitterKind::Decorrelated), growth: Some(Growth::Linear), ..Settings::default() };
    assert!(refusal(walk).contains("ignores backoff"));
    let unused = Settings { growth: Some(Growth::Linear), factor: Some(3.0), ..Settings::default() };
    assert!(refusal(unused).contains("only applies to exponential"));
}

#[test]
fn settings_lie_over_each_other_and_a_list_displaces_a_formula() {
    let file = Settings { base_delay: Some(MS(50)), factor: Some(3.0), max_retries: Some(9), ..Settings::default() };
    let flags = Settings { delays: Some(vec![MS(1)]), max_retries: Some(2), ..Settings::default() };
    check(flags.clone().over(file.clone()), MS(1), Failure::OTHER, "1 1 exhausted");
    let back = file.over(flags);
    assert_eq!((back.delays, back.factor, back.max_retries), (None, Some(3.0), Some(9)));
}

#[test]
fn what_a_higher_setting_makes_meaningless_is_dropped() {
    let over = |flags: Settings, file: Settings| Policy::new(flags.over(file));
    let proportional = Settings {
        jitter: Some(JitterKind::Proportional),
        jitter_ratio: Some("0.1".parse().unwrap()),
        factor: Some(3.0),
        ..Settings::default()
    };
    let flags = |jitter| Settings { jitter: Some(jitter), ..Settings::default() };
    assert!(over(flags(JitterKind::Full), proportional.clone()).is_ok());
    assert!(over(flags(JitterKind::Decorrelated), proportional.clone()).is_ok());
    assert!(over(Settings { growth: Some(Growth::Linear), ..Settings::default() }, proportional).is_ok());
    let list = Settings { delays: Some(vec![MS(1)]), ..Settings::default() };
    assert!(over(flags(JitterKind::Decorrelated), list).is_ok());
}

#[test]
fn a_list_is_not_cut_by_the_default_cap() {
    let list = Settings { delays: Some(vec![MS(1_000), MS(120_000)]), max_retries: Some(2), ..Settings::default() };
    check(list.clone(), MS(1), Failure::OTHER, "1000 120000 exhausted");
    let cut = Policy::new(Settings { max_delay: Some(MS(60_000)), ..list }).unwrap_err();
    assert_eq!(
        cut[0].to_string(),
        "max_delay (60s) would cut the delay of 120s that was asked for; raise it or lower the delay"
    );
}

#[test]
fn a_long_first_delay_lifts_the_default_cap() {
    let slow = Settings { base_delay: Some(Duration::from_secs(100)), max_retries: Some(2), ..Settings::default() };
    check(slow, MS(1), Failure::OTHER, "100000 100000 exhausted");
}

proptest! {
    #[test]
    fn the_cap_holds_after_jitter_at_any_attempt(
        kind in 0..JitterKind::NAMES.len(), base in 0_u64..10_000, cap in 0_u64..1_000_000,
        attempt in 1_u32.., draw in any::<u64>(), previous in any::<Option<u64>>(),
    ) {
        let cap = MS(base + cap);
        let policy = policy(Settings {
            jitter: Some(JitterKind::NAMES[kind].1),
            base_delay: Some(MS(base)),
            max_delay: Some(cap),
            max_retries: Some(u32::MAX),
            ..Settings::default()
        });
        let mut call = Call { steps: attempt - 1, ..Call::new(0, Duration::ZERO, Place::NONE) };
        if let Some(previous) = previous {
            call.retried(MS(previous), false);
        }
        prop_assert!(policy.delay(&call, &Failure::OTHER, draw) <= cap);
    }

    #[test]
    fn no_wait_reaches_past_the_deadline(deadline in 1_u64..10_000, elapsed in 0_u64..10_000, attempt in 1_u32..100, draw in any::<u64>()) {
        let policy = policy(Settings {
            deadline: Some(MS(deadline)),
            jitter: Some(JitterKind::Full),
            max_retries: Some(u32::MAX),
            ..Settings::default()
        });
        let call = Call { steps: attempt - 1, ..Call::new(0, Duration::ZERO, Place::NONE) };
        match policy.decide(&call, MS(elapsed), &Failure::OTHER, draw).0 {
            Verdict::Retry { after, .. } => prop_assert!(MS(elapsed) + after < MS(deadline)),
            Verdict::Stop(reason) => prop_assert!(matches!(reason, StopReason::DeadlineNear | StopReason::DeadlineExceeded)),
            Verdict::Await => prop_assert!(false),
        }
    }
}
