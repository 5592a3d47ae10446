//! Limits in whole runs, against numbers worked out by hand.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use brownout_draw::{Distribution, Seed};
use brownout_load::{Arrivals, Load, LoadResult, Rate};
use brownout_policy::{Policy, Pushback, Settings};
use brownout_service::{
    Abandoned, Behaviour, Capacity, Concurrency, FixedWindow, Limit, LimitKey, LimitRule, Outcomes, Queue, Refill,
    Request, Service, Shed, TokenBucket, UNIT,
};

use crate::World;

const SECS: fn(u64) -> Duration = Duration::from_secs;
const MS: fn(u64) -> Duration = Duration::from_millis;
const GET: Request<'static> = Request { method: "GET", path: "/" };

fn number(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap()
}

fn bucket(per_second: u64, burst: u64) -> Limit {
    let refill = Refill { amount: number(per_second * UNIT), per_ns: number(1_000_000_000) };
    Limit::new(LimitRule::TokenBucket(TokenBucket { refill, burst: number(burst * UNIT) }))
}

fn window(count: u64, seconds: u64) -> Limit {
    let window_ns = number(seconds * 1_000_000_000);
    Limit::new(LimitRule::FixedWindow(FixedWindow { count: number(count * UNIT), window_ns }))
}

fn concurrency(count: u32) -> Limit {
    Limit::new(LimitRule::Concurrency(Concurrency(NonZeroU32::new(count).unwrap())))
}

fn service(limits: Vec<Limit>, latency: Duration, capacity: Option<Capacity>) -> Service {
    let base = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(latency) };
    let service = Service::new(base, vec![], vec![]).unwrap().with_capacity(capacity).unwrap();
    service.with_limits(limits).unwrap()
}

fn run(service: &Service, settings: Settings, load: &Load) -> LoadResult {
    let policy = Policy::new(settings).unwrap();
    World::new(service, &policy, Seed(7)).load(&GET, load)
}

fn open(arrivals: Arrivals, seconds: u64) -> Load {
    Load { arrivals, duration: Some(SECS(seconds)), ..Load::default() }
}

fn constant(rate: f64) -> Arrivals {
    Arrivals::Constant(Rate::per_second(rate).unwrap())
}

fn none() -> Settings {
    Settings { max_retries: Some(0), ..Settings::default() }
}

#[test]
fn twice_what_a_bucket_gives_is_half_let_in() {
    let arrivals = Arrivals::Poisson(Rate::per_second(2_000.0).unwrap());
    let result = run(&service(vec![bucket(1_000, 100)], MS(5), None), none(), &open(arrivals, 100));
    // A hundred at once, and a thousand a second after that; at this load the bucket is all but never full.
    assert!(result.by_status[&200].abs_diff(100_100) <= 2, "{:?}", result.by_status);
    let limits = result.limits.unwrap();
    assert_eq!((limits.limits[0].asked, limits.limits[0].refused), (result.attempts.total, result.by_status[&429]));
    // Half of what a bucket gives, a hundred deep, is let in whole.
    let arrivals = Arrivals::Poisson(Rate::per_second(500.0).unwrap());
    let result = run(&service(vec![bucket(1_000, 100)], MS(5), None), none(), &open(arrivals, 100));
    assert_eq!(result.by_status.keys().collect::<Vec<_>>(), [&200]);
}

#[test]
fn a_window_lets_in_its_count_and_clients_have_their_own() {
    let load = |clients: u32| Load { clients: clients.try_into().unwrap(), ..open(constant(10.0), 30) };
    let result = run(&service(vec![window(25, 10)], MS(0), None), none(), &load(1));
    assert_eq!((result.by_status[&200], result.by_status[&429]), (75, 225));
    let own = Limit { key: LimitKey::Client, ..window(25, 10) };
    let result = run(&service(vec![own.clone()], MS(0), None), none(), &load(2));
    assert_eq!((result.by_status[&200], result.by_status[&429]), (150, 150));
    // Two clients in one process have one address.
    let address = Limit { key: LimitKey::Address, ..own };
    let result = run(&service(vec![address], MS(0), None), none(), &load(2));
    assert_eq!((result.by_status[&200], result.by_status[&429]), (75, 225));
}

#[test]
fn who_waits_as_told_gets_through_and_is_not_early() {
    let policy = |retry_after| Settings { retry_after: Some(retry_after), base_delay: Some(SECS(1)), ..none() };
    let policy = |retry_after| Settings { max_retries: Some(3), ..policy(retry_after) };
    let service = service(vec![Limit { key: LimitKey::Client, ..window(1, 60) }], MS(0), None);
    let load = Load { count: Some(2), ..Load::default() };
    let result = run(&service, policy(Pushback::AtLeast), &load);
    assert_eq!((result.calls.succeeded, result.attempts.total), (2, 3));
    assert_eq!(result.limits.unwrap().early_returns.attempts, 0);
    // One that overhears the minute comes back after 1, 3 and 7 s: three times too early.
    let result = run(&service, policy(Pushback::Ignore), &load);
    let early = result.limits.unwrap().early_returns;
    assert_eq!((result.calls.succeeded, early.attempts, early.retries, early.clients), (1, 3, 3, 1));
    assert_eq!((&*early.worst[0].client, early.worst[0].attempts), ("client 0", 3));
}

#[test]
fn a_refusal_is_answered_at_once_and_holds_no_worker() {
    let capacity = Capacity {
        workers: NonZeroU32::MIN,
        service_time: Distribution::fixed(SECS(1)),
        queue: Queue { length: Some(0), ..Queue::default() },
        shed: Shed::default(),
        abandoned: Abandoned::KeepWorking,
    };
    let result = run(&service(vec![bucket(1, 1)], MS(500), Some(capacity)), none(), &open(constant(10.0), 10));
    assert_eq!((result.by_status[&429], result.capacity.unwrap().arrived), (90, 10));
    assert_eq!(result.latency_ms.service.p50.map(|ms| ms < 0.01), Some(true));
}

/// Requests under way, counted on the way in and given back however they end.
#[test]
fn places_are_given_back_however_an_attempt_ends() {
    let slow = |abandoned, shed| Capacity {
        workers: NonZeroU32::MIN,
        service_time: Distribution::fixed(MS(400)),
        queue: Queue { length: Some(1), patience: Some(Distribution::fixed(MS(300))), ..Queue::default() },
        shed,
        abandoned,
    };
    let impatient = Settings { attempt_timeout: Some(MS(250)), ..none() };
    for abandoned in [Abandoned::KeepWorking, Abandoned::DropWaiting, Abandoned::Drop] {
        for shed in [Shed::default(), Shed::Silent] {
            let service = service(vec![concurrency(3)], MS(10), Some(slow(abandoned, shed)));
            // The last call comes long after all others have ended, and finds every place free.
            let load = Load { count: Some(200), ..open(constant(10.0), 100) };
            let result = run(&service, impatient.clone(), &load);
            let limits = result.limits.unwrap();
            assert_eq!(limits.limits[0].asked, 200);
            // What is inside the service at once is two at the most, so that only who is shed in silence could fill it.
            assert_eq!(limits.limits[0].refused, 0, "{abandoned:?} {shed:?}");
        }
    }
}

/// Ten a second for half a second each need five places; with three, the Erlang loss is deterministic.
#[test]
fn concurrency_is_a_loss_system() {
    let result = run(&service(vec![concurrency(3)], MS(500), None), none(), &open(constant(10.0), 10));
    // Three come at 0, 100 and 200 ms, the places are free again from 500 ms on: three in every five.
    assert_eq!((result.by_status[&200], result.by_status[&429]), (60, 40));
    assert_eq!(result.limits.unwrap().early_returns.attempts, 0);
}

/// A caller that leaves does not take its place with it: the service is still at work for it.
#[test]
fn who_left_holds_a_place_until_the_service_is_done() {
    let impatient = Settings { attempt_timeout: Some(MS(50)), ..none() };
    let result = run(&service(vec![concurrency(3)], MS(500), None), impatient, &open(constant(10.0), 10));
    assert_eq!((result.by_fault["timeout"], result.by_status[&429]), (60, 40));
}

#[test]
fn a_body_that_names_throttling_is_throttling_to_those_who_read_it() {
    let body = r#"{"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}"#;
    let limit = Limit { status: 400, body: body.into(), ..window(1, 2) };
    let service = service(vec![limit], MS(0), None);
    let load = Load { count: Some(2), ..Load::default() };
    let retries = |words: [&str; 2]| Settings {
        retry_on: Some(brownout_policy::Failures::new(words).unwrap()),
        ..Settings::default()
    };
    assert_eq!(run(&service, retries(["429", "5xx"]), &load).calls.succeeded, 1);
    assert_eq!(run(&service, retries(["5xx", "throttling"]), &load).calls.succeeded, 2);
}

#[test]
fn a_trace_shows_the_refusal() {
    let latency = Distribution::fixed(MS(0));
    let outcomes = Outcomes::new([(brownout_service::Outcome::Error, "1".parse().unwrap())]).unwrap();
    let service = Service::new(Behaviour { outcomes, latency }, vec![], vec![]).unwrap();
    let service = service.with_limits(vec![window(2, 60)]).unwrap();
    let policy = Policy::new(Settings { max_retries: Some(2), ..Settings::default() }).unwrap();
    let trace = World::new(&service, &policy, Seed(1)).trace(&GET, 1).unwrap();
    let statuses: Vec<_> = trace.trail.attempts.iter().map(|attempt| attempt.reply.status().unwrap()).collect();
    assert_eq!(statuses, [500, 500, 429]);
    assert_eq!(trace.last.retry_after, Some(SECS(60)));
    assert_eq!(trace.last.header("retry-after"), Some("60"));
    assert!(trace.last.header("x-brownout-decision").unwrap().ends_with(";limit=\"fixed_window\""));
}
