//! What callers remember: budgets, breakers, copies.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

use brownout_draw::{Distribution, Seed};
use brownout_load::{Attempt, Load, Reply, RetryAfterCounts};
use brownout_policy::{
    Breaker, Budget, DepositOn, Guarded, Hedge, HedgeDelay, JitterKind, Pushback, Scope, Settings, StopReason,
    TokenBudget, Transport, Trip, Verdict,
};
use brownout_service::{Abandoned, Capacity, Queue, Shed};

use crate::both::{Scenario, drive, failing};
use crate::raw::{head, server};

const MS: fn(u64) -> Duration = Duration::from_millis;
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const BUSY: &[u8] = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";

fn hedging(after: Duration, copies: u32) -> Settings {
    let hedge = Hedge::new(HedgeDelay::Fixed(after), copies.try_into().unwrap()).unwrap();
    Settings { base_delay: Some(MS(1)), hedge: Some(Guarded::each(hedge)), ..Settings::default() }
}

fn bucket(capacity: f64, initial: f64) -> Guarded<Budget> {
    let rule = TokenBudget::new(capacity, 0.1, DepositOn::Call).unwrap().with_initial(initial).unwrap();
    Guarded::each(Budget::Tokens(rule))
}

/// The attempts of one call: number, whether it is a copy, reply, verdict.
fn told(attempts: &[Attempt]) -> Vec<(u32, bool, Reply, Option<Verdict>)> {
    attempts.iter().map(|attempt| (attempt.number.get(), attempt.hedge, attempt.reply, attempt.verdict)).collect()
}

/// A server that hears two attempts, then lets `answer` speak to the first and the second of them.
fn two_attempts(answer: impl Fn(&mut TcpStream, &mut TcpStream) + Send + 'static) -> String {
    let first = Mutex::new(None);
    server(2, move |number, mut stream| {
        assert!(head(&mut stream).contains(&format!("x-brownout-attempt: {}\r\n", number + 1)));
        if number == 0 {
            *first.lock().unwrap() = Some(stream);
        } else {
            answer(first.lock().unwrap().as_mut().unwrap(), &mut stream);
        }
    })
}

#[tokio::test]
async fn a_copy_wins_over_a_slow_first_attempt_which_is_cancelled() {
    let (tell, closed) = std::sync::mpsc::channel();
    let url = two_attempts(move |first, second| {
        second.write_all(OK).unwrap();
        tell.send(first.read(&mut [0])).unwrap();
    });
    let trace = drive(&url, hedging(MS(50), 1), Seed(1)).trace(5).await.unwrap();
    let expected = [(2, true, Reply::Status(200), None), (1, false, Reply::Broken(Transport::Cancelled), None)];
    assert_eq!(told(&trace.trail.attempts), expected);
    assert_eq!((trace.end.failed, trace.last.reply), (None, Reply::Status(200)));
    assert!(trace.trail.attempts[1].latency_ns >= 50_000_000);
    let closed = tokio::task::spawn_blocking(move || closed.recv_timeout(Duration::from_secs(20))).await.unwrap();
    assert!(matches!(closed, Ok(Ok(0) | Err(_))), "the server was not told: {closed:?}");
}

#[tokio::test]
async fn a_copy_that_fails_leaves_the_first_attempt_to_be_waited_for() {
    let url = two_attempts(|first, second| {
        second.write_all(BUSY).unwrap();
        std::thread::sleep(MS(200));
        first.write_all(OK).unwrap();
    });
    let trace = drive(&url, hedging(MS(50), 1), Seed(1)).trace(5).await.unwrap();
    let expected = [(2, true, Reply::Status(503), Some(Verdict::Await)), (1, false, Reply::Status(200), None)];
    assert_eq!(told(&trace.trail.attempts), expected);
    assert_eq!(trace.end.failed, None);
}

#[tokio::test]
async fn an_answer_in_time_is_copied_by_nobody_and_its_connection_is_used_again() {
    let url = server(1, |_, mut stream| {
        for _ in 0..3 {
            head(&mut stream);
            stream.write_all(OK).unwrap();
        }
    });
    let load = Load { count: Some(3), ..Load::default() };
    let drive = drive(&url, hedging(Duration::from_secs(20), 1), Seed(1));
    let result = drive.load(&load, None, std::future::pending(), |_, _| ()).await;
    assert_eq!((result.calls.succeeded, result.attempts.total, result.attempts.hedges), (3, 3, 0));
}

#[tokio::test]
async fn a_copy_that_the_budget_denies_is_counted_and_not_sent() {
    let url = server(1, |_, mut stream| {
        head(&mut stream);
        std::thread::sleep(MS(800));
        stream.write_all(OK).unwrap();
    });
    let settings = Settings { budget: Some(bucket(1.0, 0.0)), ..hedging(MS(50), 1) };
    let load = Load { count: Some(1), ..Load::default() };
    let result = drive(&url, settings, Seed(1)).load(&load, None, std::future::pending(), |_, _| ()).await;
    let attempts = result.attempts;
    assert_eq!((attempts.total, attempts.hedges, attempts.budget_denied, result.calls.succeeded), (1, 0, 1, 1));
}

/// Most attempts are answered at once, the others not before they are given up; copies go out long before that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn worlds_agree_on_copies() {
    let latency = [(7, Distribution::fixed(MS(1))), (3, Distribution::fixed(Duration::from_secs(30)))];
    let scenario = Scenario {
        service: failing("0.2", Distribution::mix(latency).unwrap()),
        settings: Settings { attempt_timeout: Some(MS(1800)), jitter: Some(JitterKind::Full), ..hedging(MS(500), 2) },
        load: Load { count: Some(60), clients: 20.try_into().unwrap(), ..Load::default() },
    };
    let (virtual_time, http) = (scenario.in_virtual_time(), scenario.over_http().await);
    assert_eq!(http.sorted(), virtual_time.sorted());
    assert_eq!(http.result.attempts, virtual_time.result.attempts);
    let seen = |wanted: fn(&crate::both::Step) -> bool| http.steps.iter().any(wanted);
    assert!(seen(|step| step.hedge && step.reply == Reply::Status(200)), "no copy won");
    assert!(seen(|step| step.reply == Reply::Broken(Transport::Cancelled)), "nothing was cancelled");
    assert!(seen(|step| step.verdict == Some(Verdict::Await)), "nothing failed beside a copy");
    assert!(seen(|step| step.reply == Reply::Broken(Transport::Timeout)), "nothing was given up");
}

/// One client and nothing but seeded outcomes.
fn one_client(rate: &str, settings: Settings) -> Scenario {
    let settings = Settings { base_delay: Some(MS(1)), max_delay: Some(MS(2)), ..settings };
    let service = failing(rate, Distribution::fixed(Duration::ZERO));
    Scenario { service, settings, load: Load { count: Some(200), ..Load::default() } }
}

#[tokio::test]
async fn worlds_agree_on_what_a_token_budget_denies() {
    let jitter = Some(JitterKind::Decorrelated);
    let scenario = one_client("0.5", Settings { budget: Some(bucket(10.0, 10.0)), jitter, ..Settings::default() });
    let (virtual_time, http) = (scenario.in_virtual_time(), scenario.over_http().await);
    assert_eq!(http.steps, virtual_time.steps);
    let (denied, gave_up) = (http.result.attempts.budget_denied, &http.result.gave_up);
    assert_eq!((denied, gave_up), (virtual_time.result.attempts.budget_denied, &virtual_time.result.gave_up));
    assert_eq!(denied, gave_up["budget_denied"]);
    assert!(denied > 20 && http.result.attempts.retries > 20, "{denied} denied");
}

#[tokio::test]
async fn a_breaker_opens_over_http_as_in_virtual_time() {
    let five_in_a_row = Trip::Consecutive(5.try_into().unwrap());
    let rule = Breaker::new(five_in_a_row, Duration::from_secs(3600), 1.try_into().unwrap()).unwrap();
    let breaker = Some(Guarded { rule, scope: Scope::Fleet, counts: None });
    let scenario = one_client("0.6", Settings { breaker, ..Settings::default() });
    let (virtual_time, http) = (scenario.in_virtual_time(), scenario.over_http().await);
    assert_eq!(http.steps, virtual_time.steps);
    assert_eq!(http.result.gave_up, virtual_time.result.gave_up);
    assert!(http.result.gave_up[StopReason::BreakerOpen.name()] > 100, "{:?}", http.result.gave_up);
}

#[tokio::test]
async fn a_breaker_that_lets_nothing_through_makes_a_call_without_an_attempt() {
    let rule = Breaker::new(Trip::Consecutive(1.try_into().unwrap()), MS(3_600_000), 1.try_into().unwrap()).unwrap();
    let scenario = one_client("1", Settings { breaker: Some(Guarded::each(rule)), ..Settings::default() });
    let result = scenario.over_http().await.result;
    assert_eq!((result.attempts.total, result.calls.started, result.gave_up["breaker_open"]), (1, 200, 200));
}

#[tokio::test]
async fn who_is_shed_in_silence_gives_up_by_the_timeout_of_the_attempt() {
    let capacity = Capacity {
        workers: 1.try_into().unwrap(),
        service_time: Distribution::fixed(MS(500)),
        queue: Queue { length: Some(0), ..Queue::default() },
        shed: Shed::Silent,
        abandoned: Abandoned::KeepWorking,
    };
    let service = failing("0", Distribution::fixed(Duration::ZERO)).with_capacity(Some(capacity)).unwrap();
    let settings = Settings { attempt_timeout: Some(MS(2000)), max_retries: Some(0), ..Settings::default() };
    let load = Load { count: Some(2), clients: 2.try_into().unwrap(), ..Load::default() };
    let scenario = Scenario { service, settings, load };
    for run in [scenario.in_virtual_time(), scenario.over_http().await] {
        assert_eq!((&run.result.by_status, &run.result.by_fault), (&[(200, 1)].into(), &[("timeout", 1)].into()));
    }
}

/// What is a success is what the load says: a 500 is, a 200 is not, and is not retried; so in both worlds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_success_is_what_the_load_calls_one() {
    let load = Load { count: Some(50), success: "500".parse().unwrap(), ..Load::default() };
    let service = failing("0.4", Distribution::fixed(Duration::ZERO));
    let settings = Settings { base_delay: Some(MS(1)), ..Settings::default() };
    let scenario = Scenario { service, settings, load };
    let (here, there) = (scenario.in_virtual_time(), scenario.over_http().await);
    assert_eq!(here.steps, there.steps);
    for result in [here.result, there.result] {
        let fails = result.by_status[&500];
        assert!(0 < fails && fails < 50);
        assert_eq!((result.calls.succeeded, result.attempts.succeeded, result.attempts.total), (fails, fails, 50));
        assert_eq!(result.gave_up["not_retryable"], 50 - fails);
    }
}

/// A service that says when to come back, and callers that do so, or come sooner.
#[tokio::test]
async fn who_honours_retry_after_is_told() {
    const LATER: &[u8] = b"HTTP/1.1 503 Busy\r\nretry-after-ms: 50\r\ncontent-length: 0\r\n\r\n";
    for (heeded, counts) in [(Pushback::AtLeast, (1, 1, 0)), (Pushback::Ignore, (1, 0, 1))] {
        let url = server(2, |number, mut stream| {
            head(&mut stream);
            stream.write_all(if number == 0 { LATER } else { OK }).unwrap();
        });
        let settings = Settings { base_delay: Some(MS(1)), retry_after: Some(heeded), ..Settings::default() };
        let load = Load { count: Some(1), ..Load::default() };
        let result = drive(&url, settings, Seed(1)).load(&load, None, std::future::pending(), |_, _| ()).await;
        let RetryAfterCounts { received, honoured, broken } = result.retry_after;
        assert_eq!((received, honoured, broken), counts);
        assert_eq!(result.tries_to_success.into_iter().collect::<Vec<_>>(), [(2, 1)]);
    }
}
