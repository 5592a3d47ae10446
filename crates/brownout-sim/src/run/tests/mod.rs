use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::time::Duration;

use brownout_draw::{Distribution, Seed};
use brownout_load::{AfterGiveUp, Arrivals, Attempt, CallEnd, Load, LoadResult, Rate, Reply};
use brownout_policy::{
    Breaker, Budget, Concurrency, DepositOn, Guarded, Hedge, HedgeDelay, Policy, Settings, TokenBudget, Transport, Trip,
};
use brownout_service::{
    Abandoned, Behaviour, Capacity, Change, Factor, Factors, Only, Order, Outcome, Outcomes, Phase, Queue, Ramp,
    Request, Service, Shed, Window,
};

use crate::{Limits, Observer, World};

const MS: fn(u64) -> Duration = Duration::from_millis;
const ONE: NonZeroU32 = NonZeroU32::MIN;

/// Two workers, 100 ms of work, room for three; 40 calls a second, twice what it can do.
fn capacity() -> Capacity {
    Capacity {
        workers: NonZeroU32::new(2).unwrap(),
        service_time: Distribution::fixed(MS(100)),
        queue: Queue { length: Some(3), order: Order::Fifo, patience: None },
        shed: Shed::default(),
        abandoned: Abandoned::KeepWorking,
    }
}

fn service(capacity: Option<Capacity>, error_rate: &str, latency: Distribution, phases: Vec<Phase>) -> Service {
    let outcomes = Outcomes::new([(Outcome::Error, error_rate.parse().unwrap())]).unwrap();
    let service = Service::new(Behaviour { outcomes, latency }, vec![], phases).unwrap();
    service.with_capacity(capacity).unwrap()
}

fn at_once() -> Distribution {
    Distribution::fixed(Duration::ZERO)
}

fn open(rate: f64, seconds: u64) -> Load {
    let duration = Some(Duration::from_secs(seconds));
    Load { arrivals: Arrivals::Constant(Rate::per_second(rate).unwrap()), duration, ..Load::default() }
}

fn run(service: &Service, settings: Settings, load: &Load) -> LoadResult {
    watch(service, settings, load, Limits::default()).0
}

/// Everything that was observed, in order.
#[derive(Debug, Default, PartialEq)]
struct Log(Vec<(u64, Attempt)>, Vec<(u64, CallEnd)>);

impl Observer for Log {
    fn attempt(&mut self, number: u64, attempt: &Attempt, _: Option<Duration>) {
        self.0.push((number, *attempt));
    }

    fn call(&mut self, number: u64, end: &CallEnd) {
        self.1.push((number, *end));
    }
}

fn watch(service: &Service, settings: Settings, load: &Load, limits: Limits) -> (LoadResult, Log) {
    let policy = Policy::new(settings).unwrap();
    let world = World::new(service, &policy, Seed(1));
    let (result, log) = world.watch(&Request { method: "GET", path: "/" }, load, limits, Log::default());
    let answered: u64 = result.by_status.values().sum();
    let broken: u64 = result.by_fault.values().sum();
    assert_eq!(result.attempts.total, answered + broken, "every attempt is somewhere");
    let Attempts { first, retries, hedges } = parts(&result);
    assert_eq!(result.attempts.total, first + retries + hedges);
    (result, log)
}

struct Attempts {
    first: u64,
    retries: u64,
    hedges: u64,
}

fn parts(result: &LoadResult) -> Attempts {
    Attempts { first: result.attempts.first, retries: result.attempts.retries, hedges: result.attempts.hedges }
}

fn none() -> Settings {
    Settings { max_retries: Some(0), ..Settings::default() }
}

fn hasty(ms: u64) -> Settings {
    Settings { attempt_timeout: Some(MS(ms)), ..none() }
}

#[test]
fn what_does_not_fit_is_shed_and_the_workers_are_never_idle() {
    let result = run(&service(Some(capacity()), "0", at_once(), vec![]), none(), &open(40.0, 10));
    let capacity = result.capacity.unwrap();
    // Forty come and twenty are served each second; up to five are inside when the load ends.
    assert_eq!(capacity.arrived, 400);
    assert!(capacity.served.abs_diff(203) <= 3);
    assert_eq!(capacity.served + capacity.shed, 400);
    assert_eq!(result.by_status[&503], capacity.shed);
    assert!(capacity.utilisation > 0.97);
    assert_eq!(capacity.waiting_max, 3);
}

#[test]
fn callers_who_left_are_worked_for_unless_the_service_looks() {
    let outcome = |abandoned| {
        let service_time = Distribution::exponential(MS(100), None).unwrap();
        let rule = Capacity { abandoned, service_time, ..capacity() };
        run(&service(Some(rule), "0", at_once(), vec![]), hasty(120), &open(40.0, 100)).capacity.unwrap()
    };
    let (blind, looks, stops) =
        (outcome(Abandoned::KeepWorking), outcome(Abandoned::DropWaiting), outcome(Abandoned::Drop));
    assert!(blind.wasted > 50 && blind.left == 0);
    assert!(looks.left > 0 && looks.wasted < blind.wasted && looks.served > blind.served);
    assert!(stops.served > looks.served);
    assert!(stops.wasted_share.unwrap() < looks.wasted_share.unwrap());
}

/// A slot is used again at once; the line must not take the newcomer for the one that left.
#[test]
fn who_takes_the_slot_of_one_that_left_the_queue_does_not_take_its_place() {
    let rule = Capacity {
        workers: ONE,
        queue: Queue { patience: Some(Distribution::fixed(MS(150))), ..Queue::default() },
        ..capacity()
    };
    let (_, log) = watch(&service(Some(rule), "0", at_once(), vec![]), none(), &open(30.0, 20), Limits::default());
    let served: Vec<u64> = log.1.iter().filter(|(_, end)| end.failed.is_none()).map(|(number, _)| *number).collect();
    assert!(served.len() > 150 && served.is_sorted(), "{served:?}");
}

#[test]
fn a_silent_shed_costs_the_caller_its_timeout() {
    let rule = Capacity { shed: Shed::Silent, ..capacity() };
    let result = run(&service(Some(rule), "0", at_once(), vec![]), hasty(1000), &open(40.0, 10));
    assert_eq!(result.by_fault["timeout"], result.capacity.unwrap().shed);
    assert_eq!(result.latency_ms.response.max, Some(1000.0));
}

#[test]
fn an_answer_at_the_very_moment_of_the_timeout_counts() {
    let idle = open(1.0, 10);
    let exact = run(&service(Some(capacity()), "0", at_once(), vec![]), hasty(100), &idle);
    assert_eq!(exact.calls.succeeded, 10);
    let short = run(&service(Some(capacity()), "0", at_once(), vec![]), hasty(99), &idle);
    assert_eq!(short.calls.succeeded, 0);
    let alone = run(&service(None, "0", Distribution::fixed(MS(100)), vec![]), hasty(100), &idle);
    assert_eq!(alone.calls.succeeded, 10);
}

#[test]
fn a_cut_of_the_workers_lasts_as_long_as_its_phase() {
    let factors = Factors { capacity: Factor::new(0.0), ..Factors::default() };
    let window = Window { from: MS(2000), until: Some(MS(4000)) };
    let stop = Phase {
        name: "stop".to_owned(),
        window,
        ramp: Ramp::default(),
        change: Change::default(),
        factors,
        only: Only::default(),
    };
    let (result, log) =
        watch(&service(Some(capacity()), "0", at_once(), vec![stop]), none(), &open(10.0, 6), Limits::default());
    let ended = |from: u64, until: u64| {
        let well = log.1.iter().filter(|(_, end)| end.failed.is_none());
        well.filter(|(_, end)| (MS(from)..MS(until)).contains(&Duration::from_nanos(end.ended_ns()))).count()
    };
    // The two that were begun before the stop are finished in it.
    assert!(ended(2200, 4100) == 0 && ended(4100, 4200) >= 2, "{:?}", result.per_interval);
    let recovery = result.recovery.unwrap();
    assert_eq!(
        (recovery.trigger_from_s.to_string(), recovery.trigger_until_s.to_string()),
        ("2".to_owned(), "4".to_owned())
    );
    assert_eq!(recovery.intervals_after, 2);
}

#[test]
fn a_slowdown_and_a_heavier_load_last_as_long_as_theirs() {
    let phase = |factors| Phase {
        name: "worse".to_owned(),
        window: Window { from: MS(5000), until: Some(MS(10_000)) },
        ramp: Ramp::default(),
        change: Change::default(),
        factors,
        only: Only::default(),
    };
    let slow = phase(Factors { slowdown: Factor::new(4.0), ..Factors::default() });
    let result = run(&service(None, "0", Distribution::fixed(MS(10)), vec![slow]), none(), &open(10.0, 15));
    assert_eq!((result.latency_ms.response.min, result.latency_ms.response.max), (Some(10.0), Some(40.0)));
    let crowd = phase(Factors { load: Factor::new(3.0), ..Factors::default() });
    let result = run(&service(None, "0", at_once(), vec![crowd]), none(), &open(10.0, 15));
    assert_eq!(result.per_interval.calls[..5], [10; 5]);
    assert_eq!(result.per_interval.calls[5..10], [30; 5]);
}

#[test]
fn a_throttled_intake_turns_the_others_away_at_once() {
    let factors = Factors { intake: Factor::new(0.25), ..Factors::default() };
    let window = Window { from: MS(0), until: Some(MS(500_000)) };
    let throttle = Phase {
        name: "t".to_owned(),
        window,
        ramp: Ramp::default(),
        change: Change::default(),
        factors,
        only: Only::default(),
    };
    let result = run(&service(None, "0", Distribution::fixed(MS(10)), vec![throttle]), none(), &open(20.0, 1000));
    // Of 20,000, half come while it lasts; five standard deviations.
    let away = result.by_status[&503];
    assert!(away.abs_diff(7500) < 217, "{away}");
    assert_eq!(result.by_status[&200] + away, 20_000);
    assert!(result.recovery.is_none(), "a throttled intake is no trouble of its own");
}

#[test]
fn the_first_success_of_copies_wins_and_the_others_are_cancelled() {
    let hedge = Guarded::each(Hedge::new(HedgeDelay::Fixed(MS(50)), ONE).unwrap());
    let settings = Settings { hedge: Some(hedge), ..none() };
    let latency = Distribution::uniform(MS(10), MS(500)).unwrap();
    let (result, log) = watch(&service(None, "0", latency, vec![]), settings, &open(10.0, 60), Limits::default());
    assert_eq!(result.calls.succeeded, 600);
    assert_eq!(result.by_fault["cancelled"], result.attempts.hedges);
    assert!(result.attempts.hedges > 450 && result.attempts.hedges < 600);
    let copies = log.0.iter().filter(|(_, attempt)| attempt.hedge);
    assert!(copies.clone().all(|(_, attempt)| attempt.number.get() == 2));
    assert!(copies.filter(|(_, attempt)| attempt.reply == Reply::Status(200)).count() > 150);
}

#[test]
fn a_failed_copy_waits_for_the_other() {
    let hedge = Guarded::each(Hedge::new(HedgeDelay::Fixed(MS(50)), ONE).unwrap());
    let settings = Settings { hedge: Some(hedge), max_retries: Some(1), ..Settings::default() };
    let (result, _) = watch(
        &service(None, "0.5", Distribution::fixed(MS(100)), vec![]),
        settings,
        &open(10.0, 100),
        Limits::default(),
    );
    // Two copies at first, one more try when both have failed: one call in eight, at most four attempts each.
    let failed = result.calls.failed as f64 / result.calls.started as f64;
    assert!((failed - 0.125).abs() < 0.06, "{failed}");
    assert!(result.attempts.retries.abs_diff(250) < 70, "{:?}", result.attempts);
}

#[test]
fn a_budget_for_each_client_is_another_thing_than_one_for_all() {
    let settings = |scope| {
        let bucket = TokenBudget::new(5.0, 0.0, DepositOn::Success).unwrap();
        let budget = Guarded { rule: Budget::Tokens(bucket), scope, counts: None };
        Settings { max_retries: Some(3), base_delay: Some(MS(1)), budget: Some(budget), ..Settings::default() }
    };
    let load =
        Load { clients: NonZeroU32::new(10).unwrap(), processes: NonZeroU32::new(2).unwrap(), ..open(100.0, 10) };
    let retries = |scope| run(&service(None, "1", at_once(), vec![]), settings(scope), &load).attempts.retries;
    use brownout_policy::Scope;
    assert_eq!([retries(Scope::Client), retries(Scope::Process), retries(Scope::Fleet)], [50, 10, 5]);
}

#[test]
fn a_breaker_opens_and_a_limit_of_concurrency_refuses() {
    let breaker = Breaker::new(Trip::Consecutive(NonZeroU32::new(5).unwrap()), MS(10_000), ONE).unwrap();
    let settings = Settings { breaker: Some(Guarded::each(breaker)), ..none() };
    let result = run(&service(None, "1", at_once(), vec![]), settings, &open(10.0, 10));
    assert_eq!((result.attempts.total, result.gave_up["breaker_open"]), (5, 95));

    let limit = Guarded::each(Concurrency { limit: NonZeroU32::new(2).unwrap() });
    let settings = Settings { concurrency: Some(limit), ..none() };
    let result = run(&service(None, "0", Distribution::fixed(MS(1000)), vec![]), settings, &open(10.0, 10));
    assert_eq!(result.attempts.total, 20);
    assert_eq!(result.gave_up["concurrency_limit"], 80);
}

#[test]
fn callers_who_come_back_do_so_and_those_who_queue_do_so_one_at_a_time() {
    let failing = service(None, "1", at_once(), vec![]);
    let load = |after_give_up| Load { after_give_up, ..open(1.0, 100) };
    let second = || Distribution::fixed(Duration::from_secs(10));
    let crowd = run(&failing, none(), &load(AfterGiveUp::ComeBack(second())));
    // Each call comes back every ten seconds: the k-th second has ⌊k/10⌋ of them.
    assert_eq!(crowd.calls.returned, (0..100).map(|second| second / 10).sum::<u64>());
    let queue = run(&failing, none(), &load(AfterGiveUp::Queue(second())));
    assert_eq!(queue.calls.returned, 9);
}

#[test]
fn a_run_without_an_end_is_cut_and_says_so() {
    let forever = Settings { max_retries: Some(u32::MAX), base_delay: Some(Duration::ZERO), ..Settings::default() };
    let limits = Limits { events: 1000, ..Limits::default() };
    let (result, _) = watch(&service(None, "1", at_once(), vec![]), forever, &open(1.0, 10), limits);
    assert!(result.cut_short.unwrap().contains("the bound of 1000 events"));
    assert_eq!((result.calls.started, result.calls.abandoned), (1, 1));

    let limits = Limits { in_flight: 100, ..Limits::default() };
    let endless = service(None, "0", Distribution::fixed(MS(100_000)), vec![]);
    let (result, _) = watch(&endless, none(), &open(100.0, 10), limits);
    assert!(result.cut_short.unwrap().contains("100 calls in flight"));
}

#[test]
fn whoever_looks_on_can_end_a_run_and_it_says_so() {
    struct Enough(u64);
    impl Observer for Enough {
        fn progress(&mut self, events: u64, _: Duration) -> ControlFlow<String> {
            if events < self.0 { ControlFlow::Continue(()) } else { ControlFlow::Break("enough was seen".to_owned()) }
        }
    }
    let (service, policy) = (service(None, "0", Distribution::fixed(MS(20)), vec![]), Policy::none());
    let world = World::new(&service, &policy, Seed(1));
    let request = Request { method: "GET", path: "/" };
    let load = open(100.0, 100_000);
    let (result, _) = world.watch(&request, &load, Limits::default(), Enough(1_000_000));
    let why = result.cut_short.unwrap();
    assert!(why.starts_with("enough was seen after ") && why.ends_with(" of virtual time"), "{why}");
    // It is asked every quarter of a million events.
    let events = result.events.unwrap();
    assert!((1_000_000..1_300_000).contains(&events), "{events}");
    assert_eq!(result.calls.started, result.calls.succeeded + result.calls.abandoned);
    assert!(result.calls.abandoned > 0 && result.calls.unsent == 0, "{:?}", result.calls);
}

#[test]
fn the_way_to_the_service_takes_its_time() {
    let load = Load { connect_delay: Some(Distribution::fixed(MS(30))), ..open(1.0, 10) };
    let result = run(&service(None, "0", Distribution::fixed(MS(20)), vec![]), none(), &load);
    assert_eq!((result.latency_ms.response.min, result.latency_ms.response.max), (Some(50.0), Some(50.0)));
    let result = run(&service(None, "0", Distribution::fixed(MS(20)), vec![]), hasty(40), &load);
    assert_eq!(result.by_fault[Transport::Timeout.name()], 10);
}

#[test]
fn same_seed_same_bytes_and_another_seed_others() {
    let storm = || {
        let bucket = TokenBudget::new(5.0, 0.1, DepositOn::Success).unwrap();
        Settings {
            attempt_timeout: Some(MS(300)),
            jitter: Some(brownout_policy::JitterKind::Full),
            budget: Some(Guarded::each(Budget::Tokens(bucket))),
            ..Settings::default()
        }
    };
    let load = Load {
        arrivals: Arrivals::Poisson(Rate::per_second(40.0).unwrap()),
        clients: NonZeroU32::new(50).unwrap(),
        ..open(1.0, 30)
    };
    let service = service(Some(capacity()), "0.05", Distribution::exponential(MS(20), None).unwrap(), vec![]);
    let result = |seed| {
        let policy = Policy::new(storm()).unwrap();
        World::new(&service, &policy, Seed(seed)).load(&Request { method: "GET", path: "/" }, &load)
    };
    assert_eq!(result(7), result(7));
    assert_ne!(result(7), result(8));
}

/// A copy's timer is armed before the attempt can be shed on the spot, so that the end of the call stops it.
#[test]
fn a_shed_on_the_spot_leaves_no_copy_behind() {
    let rule = Capacity {
        workers: ONE,
        service_time: Distribution::fixed(MS(100_000)),
        queue: Queue { length: Some(0), ..Queue::default() },
        ..capacity()
    };
    let hedge = Guarded::each(Hedge::new(HedgeDelay::Fixed(MS(10_000)), ONE).unwrap());
    let settings = Settings { hedge: Some(hedge), ..none() };
    let (result, _) = watch(&service(Some(rule), "0", at_once(), vec![]), settings, &open(1.0, 3), Limits::default());
    let Attempts { first, retries, hedges } = parts(&result);
    assert_eq!((result.calls.started, first, retries, hedges), (3, 3, 0, 1));
}

#[test]
fn what_can_never_go_on_is_ended_with_the_reason() {
    let why = |service: &Service, settings: Settings, load: &Load| run(service, settings, load).cut_short.unwrap();
    // Nobody ever waits for anything, so time stands still.
    let closed = Load { duration: Some(MS(1000)), ..Load::default() };
    assert!(why(&service(None, "0", at_once(), vec![]), none(), &closed).contains("virtual time stood still"));
    // The service stops for ever, and nobody gives up.
    let factors = Factors { capacity: Factor::new(0.0), ..Factors::default() };
    let window = Window { from: MS(1000), until: None };
    let stop = Phase {
        name: "stop".to_owned(),
        window,
        ramp: Ramp::default(),
        change: Change::default(),
        factors,
        only: Only::default(),
    };
    let stopped = service(Some(capacity()), "0", at_once(), vec![stop]);
    assert!(why(&stopped, none(), &open(10.0, 2)).contains("wait for ever"));
    // A load that is all but stopped: looks at the schedule are events too.
    let factors = Factors { load: Factor::new(1e-9), ..Factors::default() };
    let thin = Phase {
        name: "thin".to_owned(),
        window,
        ramp: Ramp::default(),
        change: Change::default(),
        factors,
        only: Only::default(),
    };
    let thin = service(None, "0", at_once(), vec![thin]);
    let load = Load { count: Some(20), duration: None, ..open(10.0, 1) };
    let limits = Limits { events: 1000, ..Limits::default() };
    assert!(watch(&thin, none(), &load, limits).0.cut_short.unwrap().contains("1000 events"));
    // Time ends after 584 years.
    let year = Distribution::fixed(Duration::from_secs(365 * 24 * 3600));
    let load = Load { count: Some(1000), ..Load::default() };
    assert!(why(&service(None, "0", year, vec![]), none(), &load).contains("the end of virtual time"));
}

mod bursts;
mod cohorts;
mod effects;
mod faults;
mod graph;
mod levels;
mod shards;
