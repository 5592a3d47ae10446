//! The real loop on tokio's paused clock: exact times, no waiting.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::Seed;
use brownout_policy::{JitterKind, Policy, Settings};
use brownout_report::{Failing, Reason, RunReport};

use super::{Attempted, Runner, Work};
use crate::{Command, Flaky, Signals, Tries};

/// Work that takes its time and fails for ever.
struct Slow(Duration);

impl Work for Slow {
    async fn attempt(&mut self, _: NonZeroU32, allowance: Option<Duration>, _: &mut Signals) -> Attempted {
        tokio::time::sleep(allowance.map_or(self.0, |allowance| allowance.min(self.0))).await;
        Err(Failing::new("too slow", Reason::Error).into())
    }
}

fn settings() -> Settings {
    Settings { max_retries: Some(5), base_delay: Some(Duration::from_millis(100)), ..Settings::default() }
}

async fn run(settings: Settings, seed: u64, work: &mut impl Work) -> RunReport {
    let policy = Policy::new(settings).unwrap();
    Runner { policy: &policy, seed: Seed(seed), started: None, budget: None }
        .run(work, &mut Signals::none(), |_| ())
        .await
}

fn delays_ms(report: &RunReport) -> Vec<f64> {
    report.attempts.iter().filter_map(|attempt| attempt.delay_ms).collect()
}

#[tokio::test(start_paused = true)]
async fn delays_grow_until_the_work_succeeds() {
    let report = run(settings(), 1, &mut Flaky { fail_count: 3 }).await;
    assert_eq!(report.text(), "Success after 3 retries (total delay: 0.7s)\n");
    assert_eq!(delays_ms(&report), [100.0, 200.0, 400.0]);
    let starts: Vec<f64> = report.attempts.iter().map(|attempt| attempt.start_ms).collect();
    assert_eq!(starts, [0.0, 100.0, 300.0, 700.0]);
    assert_eq!((report.exit_code, &*report.stop_reason), (Some(0), "success"));
}

#[tokio::test(start_paused = true)]
async fn every_retry_is_spent_and_the_last_error_told() {
    let report = run(settings(), 1, &mut Flaky { fail_count: 99 }).await;
    assert_eq!(report.text(), "Failed after 5 retries (total delay: 3.1s): flaky function failed (6 of 99 failures)\n");
    assert_eq!((report.exit_code, &*report.stop_reason, report.attempts_total), (Some(1), "exhausted", 6));
    assert!(report.attempts.iter().all(|attempt| attempt.error.is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_the_delays_and_another_seed_does_not() {
    let jittered = || Settings { jitter: Some(JitterKind::Full), ..settings() };
    let mut work = Flaky { fail_count: 99 };
    let first = delays_ms(&run(jittered(), 42, &mut work).await);
    assert_eq!(first, delays_ms(&run(jittered(), 42, &mut work).await));
    assert_ne!(first, delays_ms(&run(jittered(), 43, &mut work).await));
    assert!(first.iter().zip([100.0, 200.0, 400.0, 800.0, 1600.0]).all(|(delay, ceiling)| *delay < ceiling));
}

/// Equal jitter draws from the upper half of the delay, decorrelated jitter between the base and three times the wait before.
#[tokio::test(start_paused = true)]
async fn a_report_has_the_range_of_each_wait() {
    let jittered = |jitter| Settings { jitter: Some(jitter), max_retries: Some(3), ..settings() };
    let equal = run(jittered(JitterKind::Equal), 7, &mut Flaky { fail_count: 99 }).await;
    let ranges: Vec<_> = equal.attempts.iter().map(|attempt| attempt.delay_ms_min.zip(attempt.delay_ms_max)).collect();
    assert_eq!(ranges, [Some((50.0, 100.0)), Some((100.0, 200.0)), Some((200.0, 400.0)), None]);
    let decorrelated = run(jittered(JitterKind::Decorrelated), 7, &mut Flaky { fail_count: 99 }).await;
    let waits = delays_ms(&decorrelated);
    for (place, before) in [100.0].iter().chain(&waits[..2]).enumerate() {
        let attempt = &decorrelated.attempts[place];
        let (shortest, longest) = attempt.delay_ms_min.zip(attempt.delay_ms_max).unwrap();
        assert!(
            (shortest - 100.0).abs() < 0.01 && (longest - 3.0 * before).abs() < 0.01,
            "{shortest} {longest} {waits:?}"
        );
        assert!((shortest..=longest).contains(&waits[place]), "{waits:?}");
    }
}

/// The third world: a runner around a command waits as a call of the same seed does in virtual time.
#[tokio::test(start_paused = true)]
async fn a_run_waits_as_a_call_does_in_virtual_time() {
    let jittered = Settings { jitter: Some(JitterKind::Decorrelated), max_retries: Some(8), ..settings() };
    let run = delays_ms(&run(jittered.clone(), 42, &mut Flaky { fail_count: 99 }).await);
    let failing = brownout_service::Outcomes::new([(brownout_service::Outcome::Error, "1".parse().unwrap())]).unwrap();
    let service = brownout_service::Service::default().with_outcomes(failing);
    let policy = Policy::new(jittered).unwrap();
    let world = brownout_sim::World::new(&service, &policy, Seed(42));
    let trace = world.trace(&brownout_service::Request { method: "GET", path: "/" }, 1).unwrap();
    let call = trace.trail.attempts.iter().filter_map(|attempt| match attempt.verdict {
        Some(brownout_policy::Verdict::Retry { after, .. }) => Some((after.as_secs_f64() * 1e6).round() / 1e3),
        _ => None,
    });
    assert_eq!(run, call.collect::<Vec<_>>());
    assert_eq!(run.len(), 8);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_counts_the_work_too() {
    let limited = Settings { deadline: Some(Duration::from_millis(500)), ..settings() };
    // 150 of work, 100 of waiting, 150 of work: 100 are left, and the next wait is 200.
    let report = run(limited.clone(), 1, &mut Slow(Duration::from_millis(150))).await;
    assert_eq!((&*report.stop_reason, report.exit_code, report.attempts_total), ("deadline_near", Some(124), 2));
    // 300 of work, 100 of waiting: 100 are left for the second attempt.
    let report = run(limited, 1, &mut Slow(Duration::from_millis(300))).await;
    assert_eq!((&*report.stop_reason, report.exit_code, report.attempts_total), ("deadline_exceeded", Some(124), 2));
    assert!((report.elapsed_ms - 500.0).abs() < 2.0, "{}", report.elapsed_ms);
}

fn shell(script: &str) -> Tries {
    Command::new("sh".into(), vec!["-c".into(), script.into()]).tries().unwrap()
}

fn once() -> Settings {
    Settings { max_retries: Some(1), base_delay: Some(Duration::from_millis(1)), ..Settings::default() }
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_keeps_its_own_exit_code() {
    let report = run(once(), 1, &mut shell("exit 7")).await;
    assert_eq!((report.exit_code, report.attempts_total), (Some(7), 2));
    assert_eq!(report.last_error.as_deref(), Some("exit status: 7"));
    let report = run(once(), 1, &mut shell("kill -9 $$")).await;
    assert_eq!((report.exit_code, report.attempts[0].exit.signal), (Some(137), Some(9)));
    assert_eq!(run(once(), 1, &mut shell("exit 0")).await.attempts_total, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_that_cannot_be_started_is_not_tried_again() {
    let command = |program: &str| Command::new(program.into(), vec![]).tries().unwrap();
    let report = run(once(), 1, &mut command("/nonexistent/command")).await;
    assert_eq!((report.exit_code, &*report.stop_reason, report.attempts_total), (Some(127), "spawn_error", 1));
    let report = run(once(), 1, &mut command("/")).await;
    assert_eq!((report.exit_code, report.attempts_total), (Some(126), 1));
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_past_its_time_is_ended() {
    let limited = Settings { deadline: Some(Duration::from_millis(200)), ..once() };
    let report = run(limited, 1, &mut shell("exec sleep 60")).await;
    assert_eq!((report.exit_code, &*report.stop_reason), (Some(124), "deadline_exceeded"));
    assert!(report.attempts[0].exit.timed_out);
}
