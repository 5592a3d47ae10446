use super::{Exit, Failing, Reason, RunAttempt, RunOrigin, RunReport, RunStop};
use brownout_draw::Seed;
use brownout_policy::{DelaySource, StopReason};
use std::time::Duration;

pub(crate) fn origin() -> RunOrigin {
    RunOrigin { command: None, seed: Seed(1), started: None, attempts_max: None }
}

fn failed(n: u32, exit: Exit) -> RunAttempt {
    let failing = Failing { exit, ..Failing::new("it broke", Reason::ExitCode) };
    RunAttempt::new(n, Duration::ZERO, Duration::ZERO, Some(failing))
}

pub(crate) fn waited(n: u32, ms: u64) -> RunAttempt {
    failed(n, Exit::default()).then_wait(Duration::from_millis(ms), DelaySource::Backoff)
}

pub(crate) fn done(n: u32) -> RunAttempt {
    RunAttempt::new(n, Duration::ZERO, Duration::ZERO, None)
}

pub(crate) fn failed_code(n: u32, code: i32) -> RunAttempt {
    failed(n, Exit { exit_code: Some(code), ..Exit::default() })
}

pub(crate) fn report(attempts: Vec<RunAttempt>, stop: RunStop) -> RunReport {
    let mut report = RunReport::new(origin());
    attempts.into_iter().for_each(|attempt| report.push(attempt, Duration::ZERO));
    report.end(stop, Duration::ZERO);
    report
}

#[track_caller]
fn check(attempts: Vec<RunAttempt>, stop: RunStop, code: u8, text: &str) {
    let report = report(attempts, stop);
    assert_eq!((report.exit_code, report.text().trim_end()), (Some(code), text));
}

#[test]
fn a_run_says_how_it_ended_in_one_line() {
    let done = RunAttempt::new(3, Duration::ZERO, Duration::ZERO, None);
    let exhausted = RunStop::GaveUp(StopReason::Exhausted);
    check(
        vec![waited(1, 100), waited(2, 200), done],
        RunStop::Success,
        0,
        "Success after 2 retries (total delay: 0.3s)",
    );
    check(
        vec![waited(1, 100), failed(2, Exit::default())],
        exhausted,
        1,
        "Failed after 1 retry (total delay: 0.1s): it broke",
    );
    check(
        vec![failed(1, Exit::default())],
        RunStop::GaveUp(StopReason::DeadlineNear),
        124,
        "Failed after 0 retries (total delay: 0s): it broke [timeout of the whole run]",
    );
}

#[test]
fn the_exit_code_is_the_commands_own() {
    let with = |exit| vec![failed(1, exit)];
    let code = |code| Exit { exit_code: Some(code), ..Exit::default() };
    let text = "Failed after 0 retries (total delay: 0s): it broke";
    let exhausted = RunStop::GaveUp(StopReason::Exhausted);
    check(with(code(7)), exhausted, 7, text);
    check(with(code(255)), RunStop::Rule, 255, text);
    check(with(Exit { signal: Some(9), ..Exit::default() }), exhausted, 137, text);
    check(with(Exit { timed_out: true, ..code(7) }), exhausted, 124, text);
    check(with(Exit::default()), RunStop::Spawn(127), 127, text);
    check(with(code(7)), RunStop::Interrupted(15), 143, text);
    // It failed by what it printed.
    check(with(code(0)), exhausted, 1, text);
    check(with(code(0)), RunStop::Rule, 1, text);
}

#[test]
fn a_log_line_tells_attempt_error_and_delay() {
    assert_eq!(waited(2, 200).log_line().unwrap(), "attempt 2 failed: it broke; next try in 0.2s");
    let asked = failed(2, Exit::default()).then_wait(Duration::from_secs(3), DelaySource::RetryAfter);
    assert_eq!(asked.log_line().unwrap(), "attempt 2 failed: it broke; next try in 3s, as it asked");
    let last = failed(3, Exit::default()).then_give_up(StopReason::Exhausted);
    assert_eq!(last.log_line().unwrap(), "attempt 3 failed: it broke; giving up: every retry is spent");
    let mut ruled = failed(3, Exit::default()).then_stop();
    ruled.rule = Some("--stop-on-exit 3".to_owned());
    assert_eq!(ruled.log_line().unwrap(), "attempt 3 failed: it broke; giving up: --stop-on-exit 3");
    assert_eq!(RunAttempt::new(4, Duration::ZERO, Duration::ZERO, None).log_line(), None);
}

#[test]
fn a_run_that_is_not_over_says_so() {
    let mut report = RunReport::new(origin());
    report.push(waited(1, 100), Duration::from_millis(40));
    assert_eq!((&*report.status, &*report.stop_reason, report.exit_code), ("running", "running", None));
    assert_eq!((report.attempts_total, report.total_delay_ms, report.elapsed_ms), (1, 100.0, 40.0));
}

#[test]
fn of_very_many_attempts_the_first_and_the_last_are_kept() {
    let report = report((1..=2500).map(|n| waited(n, 1)).collect(), RunStop::Success);
    let kept: Vec<u32> = report.attempts.iter().map(|attempt| attempt.n).collect();
    assert_eq!(kept, (1..=100).chain(1601..=2500).collect::<Vec<_>>());
    assert_eq!((report.attempts_total, report.attempts_omitted, report.total_delay_ms), (2500, 1500, 2500.0));
}

#[test]
fn a_name_of_a_reason_is_what_json_says() {
    for (name, reason) in Reason::NAMES {
        assert_eq!(serde_json::to_value(reason).unwrap(), name);
    }
}
