//! Failures that come together.

use brownout_draw::{Distribution, Seed};
use brownout_load::{Attempt, Load};
use brownout_policy::{Settings, Success};
use brownout_service::{Bursts, Capacity, Change, Factor, Factors, Only, Outcome, Outcomes, Phase, Ramp, Window};

use super::{Limits, MS, at_once, capacity, none, open, run, service, watch};

fn exponential(ms: u64) -> Distribution {
    Distribution::exponential(MS(ms), None).unwrap()
}

/// For a second of every ten, on the mean.
fn phase(change: Change, factors: Factors) -> Phase {
    let phase = Phase {
        name: "flaky".to_owned(),
        window: Window { from: MS(0), until: None },
        ramp: Ramp::default(),
        change,
        factors,
        only: Only { bursts: Some(Bursts::new(exponential(9000), exponential(1000))), ..Only::default() },
    };
    phase.with_bursts_of(Seed(1), MS(100_000_000), 1)
}

fn failing() -> Phase {
    let outcomes = Outcomes::new([(Outcome::Error, "1".parse().unwrap())]).unwrap();
    phase(Change { outcomes: Some(outcomes), latency: None }, Factors::default())
}

/// How many of `attempts` failed, and how many of those that followed a failure.
fn failures(attempts: &[(u64, Attempt)]) -> (f64, f64) {
    let failed: Vec<bool> = attempts.iter().map(|(_, attempt)| !attempt.reply.is_success(Success::BELOW_400)).collect();
    let after: Vec<bool> = failed.windows(2).filter(|pair| pair[0]).map(|pair| pair[1]).collect();
    let share = |of: &[bool]| of.iter().filter(|failed| **failed).count() as f64 / of.len() as f64;
    (share(&failed), share(&after))
}

#[test]
fn failures_come_together_and_yet_are_a_tenth_of_all() {
    // 20 calls a second for 10,000 s: the share of the time that is bad has a standard deviation of 0.004.
    let load = open(20.0, 10_000);
    let (_, log) = watch(&service(None, "0", at_once(), vec![failing()]), none(), &load, Limits::default());
    let (share, after) = failures(&log.0);
    assert!((share - 0.1).abs() < 5.0 * 0.004, "{share}");
    // The bad state outlasts 50 ms with a probability of e^(-1/20) = 0.951, of some 20,000 failures: ±0.0015.
    assert!((after - 0.951).abs() < 5.0 * 0.0015, "{after}");
    // As many failures that come each by itself: one says nothing of the next.
    let (_, log) = watch(&service(None, "0.1", at_once(), vec![]), none(), &load, Limits::default());
    let (share, after) = failures(&log.0);
    assert!((share - after).abs() < 0.015, "{share} {after}");
}

#[test]
fn retries_that_are_too_quick_meet_the_same_burst() {
    let quick = Settings { max_retries: Some(2), base_delay: Some(MS(50)), ..Settings::default() };
    let bursty = run(&service(None, "0", at_once(), vec![failing()]), quick.clone(), &open(20.0, 10_000));
    let apart = run(&service(None, "0.1", at_once(), vec![]), quick, &open(20.0, 10_000));
    let failed = |result: &brownout_load::LoadResult| 1.0 - result.success_rate.unwrap();
    // Waits of 50 and 100 ms: the bad state lasts for both with e^(-0.15) = 0.861, against 0.1³ by themselves.
    assert!((failed(&bursty) - 0.0861).abs() < 0.02, "{}", failed(&bursty));
    assert!((failed(&apart) - 0.001).abs() < 0.0005, "{}", failed(&apart));
}

#[test]
fn workers_latency_and_the_port_follow_the_bursts() {
    let slow = phase(Change { outcomes: None, latency: Some(Distribution::fixed(MS(70))) }, Factors::default());
    let load = open(20.0, 1000);
    let (_, log) = watch(&service(None, "0", at_once(), vec![slow]), none(), &load, Limits::default());
    let late = log.0.iter().filter(|(_, attempt)| attempt.latency_ns == 70_000_000).count();
    let shut = phase(Change::default(), Factors { refuse: true, ..Factors::default() });
    let shut = run(&service(None, "0", at_once(), vec![shut]), none(), &load);
    assert_eq!(shut.by_fault["connect"], late as u64);
    let stop = phase(Change::default(), Factors { capacity: Factor::new(0.0), ..Factors::default() });
    let fast = Capacity { service_time: Distribution::fixed(MS(1)), ..capacity() };
    let stopped = run(&service(Some(fast), "0", at_once(), vec![stop]), none(), &load);
    // Of those that come while it stands still, three wait at a time and the others are shed.
    let shed = stopped.by_status[&503];
    assert!(shed < late as u64 && shed > late as u64 / 2, "{shed} of {late}");
    assert_eq!(
        run(&service(None, "0", at_once(), vec![]), none(), &Load { count: Some(1), ..load }).calls.succeeded,
        1
    );
}
