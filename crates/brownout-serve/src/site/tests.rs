//! On a paused clock, which moves to the next timer when nobody has anything to do.

use std::sync::Arc;
use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_draw::{Distribution, Seed};
use brownout_service::{
    Abandoned, Behaviour, Capacity, Change, Factor, Factors, Identity, Only, Order, Outcomes, Phase, Queue, Ramp,
    Service, Shed, Window,
};
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Fate, Site};

const MICROS: fn(u64) -> Duration = Duration::from_micros;
const MS: fn(u64) -> Duration = Duration::from_millis;

/// One worker that takes `work` for everything.
fn one_worker(work: Duration) -> Capacity {
    Capacity {
        workers: 1.try_into().unwrap(),
        service_time: Distribution::fixed(work),
        queue: Queue::default(),
        shed: Shed::default(),
        abandoned: Abandoned::KeepWorking,
    }
}

/// A service that nobody changes.
fn live(service: Service) -> watch::Receiver<Arc<Service>> {
    watch::channel(Arc::new(service)).1
}

fn site_in(capacity: Capacity, phases: Vec<Phase>) -> Arc<Site> {
    let behaviour = Behaviour { outcomes: Outcomes::default(), latency: Distribution::fixed(Duration::ZERO) };
    let service = Service::new(behaviour, vec![], phases).unwrap().with_capacity(Some(capacity)).unwrap();
    Site::new(&live(service), Seed(1), Clock::start(Scale::ONE)).unwrap()
}

fn site(capacity: Capacity) -> Arc<Site> {
    site_in(capacity, vec![])
}

/// Sends a request and tells when, since the site began, it was done or `Err` shed.
async fn send(site: &Arc<Site>, request: u64) -> Result<Duration, Duration> {
    match site.enter(Identity::first(request).into(), None, (None, None)).await {
        Fate::Done(worked) => Ok(worked.at),
        Fate::Shed(waited) => Err(waited),
    }
}

/// Sends `count` requests at once.
async fn send_all(site: &Arc<Site>, count: u64) -> Vec<Result<Duration, Duration>> {
    let calls: Vec<_> = (1..=count)
        .map(|request| {
            let site = Arc::clone(site);
            tokio::spawn(async move { send(&site, request).await })
        })
        .collect();
    let mut fates = Vec::new();
    for call in calls {
        fates.push(call.await.unwrap());
    }
    fates
}

/// A request whose caller goes after `stay`.
fn leaver(site: &Arc<Site>, request: u64, stay: Duration) {
    let site = Arc::clone(site);
    tokio::spawn(async move { tokio::time::timeout(stay, send(&site, request)).await });
}

#[tokio::test(start_paused = true)]
async fn one_worker_serves_one_after_another_without_a_gap() {
    let fates = send_all(&site(one_worker(MICROS(300))), 10).await;
    // Timers are of whole milliseconds; work is not.
    let expected: Vec<_> = (1..=10).map(|place| Ok(MICROS(300 * place))).collect();
    assert_eq!(fates, expected);
}

#[tokio::test(start_paused = true)]
async fn workers_serve_side_by_side() {
    let capacity = Capacity { workers: 2.try_into().unwrap(), ..one_worker(MS(10)) };
    assert_eq!(send_all(&site(capacity), 4).await, [10, 10, 20, 20].map(|ms| Ok(MS(ms))));
}

#[tokio::test(start_paused = true)]
async fn the_last_to_come_can_be_the_next() {
    let queue = Queue { order: Order::Lifo, ..Queue::default() };
    let capacity = Capacity { queue, ..one_worker(MS(10)) };
    assert_eq!(send_all(&site(capacity), 3).await, [10, 30, 20].map(|ms| Ok(MS(ms))));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_sheds_at_once_and_lost_patience_later() {
    let queue = Queue { length: Some(2), patience: Some(Distribution::fixed(MS(15))), ..Queue::default() };
    let capacity = Capacity { queue, ..one_worker(MS(10)) };
    let fates = send_all(&site(capacity), 4).await;
    assert_eq!(fates, [Ok(MS(10)), Ok(MS(20)), Err(MS(15)), Err(Duration::ZERO)]);
}

/// The first is worked on and the second waits when their callers go, at 30 and at 40 ms; then comes a third.
async fn after_two_who_left(abandoned: Abandoned) -> Result<Duration, Duration> {
    let site = site(Capacity { abandoned, ..one_worker(MS(100)) });
    leaver(&site, 1, MS(30));
    leaver(&site, 2, MS(40));
    sleep(MS(50)).await;
    send(&site, 3).await
}

#[tokio::test(start_paused = true)]
async fn what_is_abandoned_is_worked_on_finished_or_dropped() {
    assert_eq!(after_two_who_left(Abandoned::KeepWorking).await, Ok(MS(300)));
    assert_eq!(after_two_who_left(Abandoned::DropWaiting).await, Ok(MS(200)));
    assert_eq!(after_two_who_left(Abandoned::Drop).await, Ok(MS(150)));
}

#[tokio::test(start_paused = true)]
async fn a_worker_whose_request_was_dropped_takes_who_waits_at_once() {
    let site = site(Capacity { abandoned: Abandoned::Drop, ..one_worker(MS(100)) });
    leaver(&site, 1, MS(30));
    tokio::task::yield_now().await;
    assert_eq!(send(&site, 2).await, Ok(MS(130)));
    // The timer of the first, which was called off, frees nobody a second time.
    assert_eq!(send_all(&site, 2).await, [230, 330].map(|ms| Ok(MS(ms))));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_shed_by_patience_though_his_caller_has_gone() {
    let queue = Queue { length: Some(1), patience: Some(Distribution::fixed(MS(50))), ..Queue::default() };
    let site = site(Capacity { queue, ..one_worker(MS(100)) });
    leaver(&site, 1, MS(200));
    leaver(&site, 2, MS(10));
    sleep(MS(20)).await;
    assert_eq!(send(&site, 3).await, Err(Duration::ZERO));
    sleep(MS(40)).await;
    assert_eq!(send(&site, 4).await, Ok(MS(200)));
}

#[tokio::test(start_paused = true)]
async fn workers_come_and_go_with_the_phases() {
    let phase = |name: &str, from, until, factor| Phase {
        name: name.to_owned(),
        window: Window { from: MS(from), until: Some(MS(until)) },
        ramp: Ramp::default(),
        change: Change::default(),
        factors: Factors { capacity: Factor::new(factor), ..Factors::default() },
        only: Only::default(),
    };
    let site = site_in(one_worker(MS(100)), vec![phase("stop", 0, 50, 0.0), phase("more", 150, 160, 3.0)]);
    tokio::spawn(Arc::clone(&site).follow_workers());
    // The first begins when the stop is over, two more when there are three workers, the last when there is one again.
    assert_eq!(send_all(&site, 4).await, [150, 250, 250, 250].map(|ms| Ok(MS(ms))));
    assert_eq!(send_all(&site, 2).await, [350, 450].map(|ms| Ok(MS(ms))));
}
