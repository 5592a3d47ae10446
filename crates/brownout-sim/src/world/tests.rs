use super::World;
use brownout_draw::{Distribution, Seed};
use brownout_load::{Arrivals, Graph, Hop, Load, LoadResult, Node, Reply};
use brownout_policy::{DelaySource, JitterKind, Policy, Settings, StopReason, Transport, Verdict};
use brownout_service::{
    Abandoned, Behaviour, Capacity, Change, Factor, Factors, Only, Outcome, Outcomes, Phase, Queue, Ramp, Request,
    Service, Shed, Window,
};
use std::num::NonZeroU32;
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;
const GET: Request<'static> = Request { method: "GET", path: "/" };

fn service(error_rate: &str, latency: Duration) -> Service {
    let outcomes = Outcomes::new([(Outcome::Error, error_rate.parse().unwrap())]).unwrap();
    Service::new(Behaviour { outcomes, latency: Distribution::fixed(latency) }, vec![], vec![]).unwrap()
}

fn policy(settings: Settings) -> Policy {
    Policy::new(settings).unwrap()
}

fn load(service: &Service, policy: &Policy, seed: u64, load: &Load) -> LoadResult {
    World::new(service, policy, Seed(seed)).load(&GET, load)
}

fn clients(count: u64, clients: u32) -> Load {
    Load { count: Some(count), clients: NonZeroU32::new(clients).unwrap(), ..Load::default() }
}

#[test]
fn one_client_waits_for_each_answer() {
    let result = load(&service("0", MS(20)), &Policy::none(), 1, &clients(100, 1));
    assert!((result.duration_s - 2.0).abs() < 1e-9, "{}", result.duration_s);
    assert_eq!(result.calls.succeeded, 100);
}

#[test]
fn more_clients_take_less_time_and_think_time_takes_more() {
    let service = service("0", MS(20));
    let result = load(&service, &Policy::none(), 1, &clients(100, 10));
    assert!((result.duration_s - 0.2).abs() < 1e-9, "{}", result.duration_s);
    let think = Some(Distribution::fixed(MS(80)));
    let thinking = Load { arrivals: Arrivals::Closed { think, start: None }, ..clients(100, 10) };
    let result = load(&service, &Policy::none(), 1, &thinking);
    // Ten rounds of 20 ms, nine pauses of 80 ms between them.
    assert!((result.duration_s - 0.92).abs() < 1e-9, "{}", result.duration_s);
}

/// Independent failures p and r retries: amplification (1 - p^(r+1)) / (1 - p), success 1 - p^(r+1).
#[test]
fn amplification_follows_its_closed_form() {
    for (rate, amplification, success) in [("0.1", 1.111, 0.9999), ("0.5", 1.875, 0.9375), ("0.9", 3.439, 0.3439)] {
        let result = load(&service(rate, MS(1)), &policy(Settings::default()), 7, &clients(100_000, 1));
        assert!((result.amplification.unwrap() - amplification).abs() < 0.02, "{rate}: {:?}", result.amplification);
        assert!((result.success_rate.unwrap() - success).abs() < 0.01, "{rate}: {:?}", result.success_rate);
    }
}

#[test]
fn same_seed_same_result_and_another_seed_another() {
    let (service, policy) =
        (Service::default(), policy(Settings { jitter: Some(JitterKind::Full), ..Settings::default() }));
    let first = load(&service, &policy, 42, &clients(1000, 8));
    assert_eq!(first, load(&service, &policy, 42, &clients(1000, 8)));
    assert_ne!(first, load(&service, &policy, 43, &clients(1000, 8)));
}

#[test]
fn what_a_request_meets_does_not_depend_on_who_else_is_calling() {
    let (service, none) = (Service::default(), Policy::none());
    let alone = load(&service, &none, 42, &clients(1000, 1));
    let crowd = load(&service, &none, 42, &clients(1000, 64));
    assert_eq!(alone.by_status, crowd.by_status);
    let world = World::new(&service, &none, Seed(42));
    let one_by_one = (1..=1000)
        .filter(|number| world.request(&GET, *number, Duration::ZERO, None).reply == Reply::Status(200))
        .count();
    assert_eq!(one_by_one as u64, alone.by_status[&200]);
}

#[test]
fn two_policies_meet_the_same_luck() {
    let service = Service::default();
    let patient = policy(Settings { max_retries: Some(9), ..Settings::default() });
    let first_tries = |policy: &Policy| {
        let world = World::new(&service, policy, Seed(5));
        (1..=200).map(|number| world.trace(&GET, number).unwrap().trail.attempts[0].reply).collect::<Vec<_>>()
    };
    assert_eq!(first_tries(&Policy::none()), first_tries(&patient));
}

#[test]
fn a_call_is_cut_by_its_deadline_and_says_so() {
    let (service, limited) =
        (service("1", MS(100)), policy(Settings { deadline: Some(MS(250)), ..Settings::default() }));
    let trace = World::new(&service, &limited, Seed(1)).trace(&GET, 1).unwrap();
    // 100 ms of work, 100 ms of waiting, then 50 ms are left of the second attempt.
    assert_eq!(trace.end.failed, Some(StopReason::DeadlineExceeded));
    assert_eq!(trace.end.elapsed_ns, 250_000_000);
    assert_eq!(trace.trail.attempts[1].reply, Reply::Broken(Transport::Timeout));
    assert_eq!(trace.trail.attempts[1].latency_ns, 50_000_000);
    assert_eq!(trace.last.error.as_deref(), Some("no answer within 50ms"));
}

#[test]
fn an_attempt_is_cut_by_its_own_timeout_and_retried() {
    let hasty = policy(Settings { attempt_timeout: Some(MS(30)), max_retries: Some(2), ..Settings::default() });
    let result = load(&service("0", MS(100)), &hasty, 1, &clients(10, 1));
    assert_eq!((result.by_fault["timeout"], result.gave_up["exhausted"]), (30, 10));
    assert_eq!(result.latency_ms.service.censored, 30);
}

#[test]
fn a_limit_is_waited_out_as_asked() {
    let outcomes = Outcomes::new([(Outcome::RateLimit, "1".parse().unwrap())]).unwrap();
    let limited = Service::new(Behaviour { outcomes, ..Behaviour::default() }, vec![], vec![]).unwrap();
    let policy = policy(Settings { max_retries: Some(1), ..Settings::default() });
    let trace = World::new(&limited, &policy, Seed(1)).trace(&GET, 1).unwrap();
    let asked = Verdict::Retry { after: Duration::from_secs(60), source: DelaySource::RetryAfter };
    assert_eq!(trace.trail.attempts[0].verdict, Some(asked));
    assert_eq!(trace.last.retry_after, Some(Duration::from_secs(60)));
}

#[test]
fn what_a_service_behind_has_failed_is_answered_so() {
    let node = Node { name: "db".to_owned(), service: service("1", MS(5)), calls: vec![] };
    let calls = vec![Hop { to: 0, policy: Policy::none(), pass_deadline: false }];
    let (graph, entry, policy) = (Graph { calls, behind: vec![node] }, service("0", MS(10)), Policy::none());
    let last = World::new(&entry, &policy, Seed(1)).with_graph(&graph).trace(&GET, 1).unwrap().last;
    assert_eq!((last.reply, last.body.as_str()), (Reply::Status(502), r#"{"error": "Bad Gateway"}"#));
    let decision = "request=1;attempt=1;outcome=bad_gateway;latency_ms=15.000";
    assert_eq!(last.header("x-brownout-decision"), Some(decision));
}

#[test]
fn a_phase_is_met_by_those_who_call_in_it() {
    let change =
        Change { outcomes: Some(Outcomes::new([(Outcome::Error, "1".parse().unwrap())]).unwrap()), latency: None };
    let window = Window { from: Duration::from_secs(1), until: Some(Duration::from_secs(2)) };
    let outage = Phase {
        name: "outage".to_owned(),
        window,
        ramp: Ramp::default(),
        change,
        factors: Factors::default(),
        only: Only::default(),
    };
    let behaviour = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(MS(10)) };
    let service = Service::new(behaviour, vec![], vec![outage]).unwrap();
    let result = load(&service, &Policy::none(), 1, &clients(300, 1));
    assert_eq!((result.by_status[&200], result.by_status[&500]), (200, 100));
    assert_eq!((result.phases[0].calls, result.phases[0].succeeded), (100, 0));
    assert_eq!(result.per_interval.succeeded, [99, 1, 99, 1]);
}

#[test]
fn nothing_to_do_is_done() {
    let result = load(&Service::default(), &Policy::none(), 1, &clients(0, u32::MAX));
    assert_eq!((result.total_requests, result.calls.offered), (0, 0));
}

#[test]
fn a_lone_request_meets_all_that_a_load_does() {
    let down = |factors| {
        let window = Window { from: MS(1000), until: Some(MS(2000)) };
        Phase {
            name: "down".to_owned(),
            window,
            ramp: Ramp::default(),
            change: Change::default(),
            factors,
            only: Only::default(),
        }
    };
    let base = || Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(MS(10)) };
    let policy = Policy::none();
    let at = |world: &World<'_>, millis| {
        let exchange = world.request(&GET, 1, MS(millis), None);
        (exchange.reply, exchange.latency)
    };
    // An intake that is shut.
    let shut = Factors { intake: Factor::new(0.0), ..Factors::default() };
    let service = Service::new(base(), vec![], vec![down(shut)]).unwrap();
    let world = World::new(&service, &policy, Seed(1));
    assert_eq!(at(&world, 1500), (Reply::Status(503), Duration::ZERO));
    assert_eq!(at(&world, 500), (Reply::Status(200), MS(10)));
    // Workers that come back half a second later.
    let stopped = Factors { capacity: Factor::new(0.0), ..Factors::default() };
    let service = Service::new(base(), vec![], vec![down(stopped)]).unwrap();
    let capacity = Capacity {
        workers: NonZeroU32::MIN,
        service_time: Distribution::fixed(MS(30)),
        queue: Queue::default(),
        shed: Shed::default(),
        abandoned: Abandoned::KeepWorking,
    };
    let service = service.with_capacity(Some(capacity)).unwrap();
    let world = World::new(&service, &policy, Seed(1));
    assert_eq!(at(&world, 1500), (Reply::Status(200), MS(540)));
    // A service behind that always fails.
    let failing = Outcomes::new([(Outcome::Error, "100%".parse().unwrap())]).unwrap();
    let behind = Service::new(Behaviour { outcomes: failing, ..base() }, vec![], vec![]).unwrap();
    let hop = Hop { to: 0, policy: Policy::none(), pass_deadline: false };
    let graph =
        Graph { calls: vec![hop], behind: vec![Node { name: "db".to_owned(), service: behind, calls: vec![] }] };
    let service = Service::new(base(), vec![], vec![]).unwrap();
    let world = World::new(&service, &policy, Seed(1)).with_graph(&graph);
    assert_eq!(world.request(&GET, 1, MS(0), None).reply, Reply::Status(502));
}
