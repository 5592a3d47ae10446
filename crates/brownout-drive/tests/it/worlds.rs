//! Three worlds agree: one scenario in virtual time, over HTTP one call at a time, and over HTTP with 64 in flight.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_draw::{Distribution, Seed};
use brownout_drive::{Drive, Target, Trust};
use brownout_load::{Attempt, Load, LoadResult, Reply};
use brownout_policy::{JitterKind, Policy, Settings, StopReason, Verdict};
use brownout_serve::{App, Limits, Server};
use brownout_service::{
    Behaviour, Change, Factors, Only, Outcome, Outcomes, Phase, Ramp, Request, Route, Service, Window,
};
use brownout_sim::World;
use tokio::sync::oneshot;

/// What each attempt met and what was made of it: (call, attempt) → (reply, verdict).
type Decisions = BTreeMap<(u64, u32), (Reply, Option<Verdict>)>;

const CALLS: u64 = 100;
const GET: Request<'static> = Request { method: "GET", path: "/orders/7" };

/// Most answers come at once, some after any patience; a phase that lasts adds to the failures of one route.
fn service() -> Service {
    let uniform = Distribution::uniform(Duration::ZERO, Duration::from_millis(3)).unwrap();
    let latency = Distribution::mix([(95, uniform), (5, Distribution::fixed(Duration::from_secs(30)))]).unwrap();
    let failing = |rate: &str| Outcomes::default().with_rates(&[(Outcome::Error, rate.parse().unwrap())]).unwrap();
    let change = |outcomes| Change { outcomes: Some(outcomes), latency: None };
    let route = Route { pattern: "/orders/{id}".parse().unwrap(), change: change(failing("0.2")) };
    let window = Window { from: Duration::ZERO, until: None };
    let phase = Phase {
        name: "all day".to_owned(),
        window,
        ramp: Ramp::default(),
        change: change(failing("0.3")),
        factors: Factors::default(),
        only: Only::default(),
    };
    let base = Behaviour { outcomes: Outcomes::default(), latency };
    Service::new(base, vec![route], vec![phase]).unwrap()
}

/// Impatient with slow answers, and not ready to wait the minute that a 429 asks for.
fn policy() -> Policy {
    let settings = Settings {
        base_delay: Some(Duration::from_millis(2)),
        jitter: Some(JitterKind::Decorrelated),
        attempt_timeout: Some(Duration::from_millis(400)),
        retry_after_max: Some(Duration::from_secs(1)),
        ..Settings::default()
    };
    Policy::new(settings).unwrap()
}

fn in_virtual_time(seed: Seed) -> Decisions {
    let (service, policy) = (service(), policy());
    let world = World::new(&service, &policy, seed);
    let mut decisions = Decisions::new();
    for number in 1..=CALLS {
        for attempt in world.trace(&GET, number).unwrap().trail.attempts {
            decisions.insert((number, attempt.number.get()), (attempt.reply, attempt.verdict));
        }
    }
    decisions
}

/// The same over sockets; the server and its clients take their luck from one seed.
async fn over_http(seed: Seed, clients: u32) -> (Decisions, LoadResult) {
    // Answers to callers who left are still being waited for when the run is over.
    let limits = Limits { drain_time: Duration::from_millis(100), ..Limits::default() };
    let server = Server::bind(([127, 0, 0, 1], 0).into(), limits).await.unwrap();
    let url = format!("http://{}", server.address());
    let app = Arc::new(App::new(service(), seed, None, Clock::start(Scale::ONE)));
    let (end, ended) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(app, async { ended.await.unwrap_or(()) }));

    let target = Target::new(&url, GET.method, Some(GET.path), &Trust::default()).unwrap();
    let drive = Drive { target: Arc::new(target), policy: Arc::new(policy()), seed, clock: Clock::start(Scale::ONE) };
    let load = Load { count: Some(CALLS), clients: NonZeroU32::new(clients).unwrap(), ..Load::default() };
    let seen = Arc::new(Mutex::new(Decisions::new()));
    let observe = {
        let seen = Arc::clone(&seen);
        move |number, attempt: &Attempt| {
            seen.lock().unwrap().insert((number, attempt.number.get()), (attempt.reply, attempt.verdict));
        }
    };
    let result = drive.load(&load, None, std::future::pending(), observe).await;
    drop(end);
    running.await.unwrap();
    let decisions = std::mem::take(&mut *seen.lock().unwrap());
    (decisions, result)
}

fn stopped(verdict: Option<Verdict>) -> Option<StopReason> {
    match verdict {
        Some(Verdict::Stop(reason)) => Some(reason),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_worlds_agree_on_every_outcome_and_every_delay() {
    let virtual_time = in_virtual_time(Seed(42));
    let (one_at_a_time, _) = over_http(Seed(42), 1).await;
    let (many_at_a_time, result) = over_http(Seed(42), 64).await;
    assert_eq!(virtual_time, one_at_a_time);
    assert_eq!(virtual_time, many_at_a_time);

    let statuses: std::collections::BTreeSet<_> =
        virtual_time.values().map(|(reply, _)| format!("{reply:?}")).collect();
    let four = ["Status(200)", "Status(429)", "Status(500)", "Broken(Timeout)"];
    assert_eq!(statuses, four.map(str::to_owned).into(), "the sequence is not mixed");
    let verdicts: std::collections::BTreeSet<_> = virtual_time.values().map(|(_, verdict)| stopped(*verdict)).collect();
    assert!(verdicts.contains(&Some(StopReason::RetryAfterTooLong)), "{verdicts:?}");
    assert_eq!(result.attempts.total, virtual_time.len() as u64);

    let (another, _) = over_http(Seed(43), 64).await;
    assert_ne!(virtual_time, another);
}
