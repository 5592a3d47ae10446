//! Three worlds agree: one scenario in virtual time, over HTTP one call at a time, and over HTTP with 64 in flight.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use brownout_draw::{Distribution, Seed};
use brownout_drive::{Drive, Target, Trust};
use brownout_load::{Attempt, Load, LoadResult, Reply};
use brownout_policy::{JitterKind, Policy, Settings, Verdict};
use brownout_serve::{App, Limits, Server};
use brownout_service::{Behaviour, Outcomes, Request, Service};
use brownout_sim::World;
use tokio::sync::oneshot;

/// What each attempt met and what was made of it: (call, attempt) → (reply, verdict).
type Decisions = BTreeMap<(u64, u32), (Reply, Option<Verdict>)>;

const CALLS: u64 = 500;
const GET: Request<'static> = Request { method: "GET", path: "/orders/7" };

fn service() -> Service {
    let latency = Distribution::uniform(Duration::ZERO, Duration::from_millis(3)).unwrap();
    let routes = vec![brownout_service::Route { pattern: "/orders/{id}".parse().unwrap(), change: Default::default() }];
    Service::new(Behaviour { outcomes: Outcomes::default(), latency }, routes, vec![]).unwrap()
}

/// Deaf to `Retry-After`, so that nobody waits the minute that a 429 asks for.
fn policy() -> Policy {
    let settings = Settings {
        base_delay: Some(Duration::from_millis(2)),
        jitter: Some(JitterKind::Decorrelated),
        heed_retry_after: Some(false),
        ..Settings::default()
    };
    Policy::new(settings).unwrap()
}

fn in_virtual_time(seed: Seed) -> Decisions {
    let (service, policy) = (service(), policy());
    let world = World { service: &service, policy: &policy, seed };
    let mut decisions = Decisions::new();
    for number in 1..=CALLS {
        for attempt in world.trace(&GET, number).attempts {
            decisions.insert((number, attempt.number.get()), (attempt.reply, attempt.verdict));
        }
    }
    decisions
}

/// The same over sockets; the server and its clients take their luck from one seed.
async fn over_http(seed: Seed, clients: u32) -> (Decisions, LoadResult) {
    let server = Server::bind(([127, 0, 0, 1], 0).into(), Limits::default()).await.unwrap();
    let url = format!("http://{}", server.address());
    let app = Arc::new(App::new(service(), seed, None));
    let (end, ended) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(app, async { ended.await.unwrap_or(()) }));

    let target = Target::new(&url, GET.method, Some(GET.path), &Trust::default()).unwrap();
    let drive = Drive { target: Arc::new(target), policy: Arc::new(policy()), seed };
    let load = Load { count: CALLS, clients: NonZeroU32::new(clients).unwrap(), think: None };
    let seen = Arc::new(Mutex::new(Decisions::new()));
    let observe = {
        let seen = Arc::clone(&seen);
        move |number, attempt: &Attempt| {
            seen.lock().unwrap().insert((number, attempt.number.get()), (attempt.reply, attempt.verdict));
        }
    };
    let result = drive.load(&load, std::future::pending(), observe).await;
    drop(end);
    running.await.unwrap();
    let decisions = std::mem::take(&mut *seen.lock().unwrap());
    (decisions, result)
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
    assert_eq!(statuses.len(), 4, "the sequence is not mixed: {statuses:?}");
    assert_eq!(result.attempts.total, virtual_time.len() as u64);

    let (another, _) = over_http(Seed(43), 64).await;
    assert_ne!(virtual_time, another);
}
