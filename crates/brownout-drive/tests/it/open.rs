//! Open loads: calls start when they are due.

use std::io::Write;
use std::net::TcpListener;
use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::{Distribution, Seed};
use brownout_load::{
    AfterGiveUp, Arrivals, Bursts, Cohort, Curve, Load, OwnPolicy, Rate, Replay, Schedule, Segment, Spacing,
};
use brownout_policy::{JitterKind, Settings};
use brownout_service::{Change, Factor, Factors, Only, Phase, Ramp, Service, Window};

use crate::both::{Scenario, drive, failing};
use crate::raw::{head, server};

const MS: fn(u64) -> Duration = Duration::from_millis;

fn rate(per_second: f64) -> Rate {
    Rate::per_second(per_second).unwrap()
}

fn clients(clients: u32) -> NonZeroU32 {
    clients.try_into().unwrap()
}

/// No retries.
fn once() -> Settings {
    Settings { max_retries: Some(0), ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poisson_arrivals_are_those_of_the_schedule_and_meet_the_same_in_both_worlds() {
    let load = Load {
        arrivals: Arrivals::Poisson(rate(120.0)),
        duration: Some(MS(2200)),
        clients: clients(7),
        ..Load::default()
    };
    let mut schedule = Schedule::new(&load, Seed(42), None);
    let due = std::iter::from_fn(|| schedule.next(|_| 1.0)).count() as u64;
    let settings = Settings { base_delay: Some(MS(1)), jitter: Some(JitterKind::Full), ..Settings::default() };
    let service = failing("0.3", Distribution::uniform(Duration::ZERO, MS(5)).unwrap());
    let scenario = Scenario { service, settings, load };
    let (virtual_time, http) = (scenario.in_virtual_time(), scenario.over_http().await);
    let calls = http.result.calls;
    assert_eq!((calls.offered, calls.started, calls.unsent), (due, due, 0));
    assert_eq!(http.sorted(), virtual_time.sorted());
    // Calls count in the second they were due in, whenever they were begun.
    assert_eq!(http.result.per_interval.calls, virtual_time.result.per_interval.calls);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arrivals_of_any_shape_are_the_same_in_both_worlds() {
    let ramp = Segment { from: 20.0, to: 180.0, lasts: Some(MS(600)) };
    let pause = Segment { from: 0.0, to: 0.0, lasts: Some(MS(200)) };
    let curve = Curve::new(&[ramp, pause, Segment { from: 100.0, to: 100.0, lasts: Some(MS(300)) }]).unwrap();
    let every_ms = |ms: u64| ms * 1_000_000;
    let shapes = [
        (Arrivals::Varying { curve: curve.clone(), spacing: Spacing::Even }, Some(90)),
        (Arrivals::Varying { curve, spacing: Spacing::Random }, None),
        (Arrivals::Bursts(Bursts::new(clients(20), MS(400), MS(50)).unwrap()), Some(60)),
        (Arrivals::Replay(Replay::new([0, 5, 5, 700, 1050].map(every_ms).to_vec(), 1.0).unwrap()), Some(5)),
    ];
    for (arrivals, calls) in shapes {
        let load = Load { arrivals, duration: Some(MS(1100)), clients: clients(7), ..Load::default() };
        let settings = Settings { base_delay: Some(MS(1)), jitter: Some(JitterKind::Full), ..Settings::default() };
        let scenario = Scenario { service: failing("0.3", Distribution::fixed(MS(1))), settings, load };
        let (virtual_time, http) = (scenario.in_virtual_time(), scenario.over_http().await);
        assert_eq!(http.sorted(), virtual_time.sorted());
        assert_eq!(http.result.per_interval.calls, virtual_time.result.per_interval.calls);
        assert!(calls.is_none_or(|calls| http.result.calls.started == calls), "{:?}", http.result.calls);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_intake_turns_away_the_same_in_both_worlds() {
    let factors = Factors { intake: Factor::new(0.5), ..Factors::default() };
    let window = Window { from: MS(0), until: None };
    let phase = Phase {
        name: "door".to_owned(),
        window,
        ramp: Ramp::default(),
        change: Change::default(),
        factors,
        only: Only::default(),
    };
    let base = failing("0.2", Distribution::fixed(MS(1)));
    let service = Service::new(base.base().clone(), vec![], vec![phase]).unwrap();
    let load = Load { count: Some(100), clients: clients(4), ..Load::default() };
    let scenario = Scenario { service, settings: once(), load };
    let (virtual_time, http) = (scenario.in_virtual_time(), scenario.over_http().await);
    assert_eq!(http.sorted(), virtual_time.sorted());
    let away = http.result.by_status[&503];
    assert!(away.abs_diff(50) < 25, "{away}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_around_each_other_multiply_in_both_worlds() {
    let load = Load { count: Some(60), clients: clients(6), ..Load::default() };
    let retries = |count| Settings { max_retries: Some(count), base_delay: Some(MS(1)), ..Settings::default() };
    let settings = Settings { around: vec![retries(3)], jitter: Some(JitterKind::Full), ..retries(2) };
    let scenario = Scenario { service: failing("0.8", Distribution::fixed(MS(1))), settings, load };
    let (virtual_time, http) = (scenario.in_virtual_time(), scenario.over_http().await);
    assert_eq!(http.sorted(), virtual_time.sorted());
    let most = http.sorted().iter().map(|step| step.attempt).max();
    assert_eq!(most, Some(12), "seven calls in a hundred fail as often as that");
}

#[tokio::test]
async fn constant_arrivals_do_not_wait_for_each_other() {
    let load = Load { arrivals: Arrivals::Constant(rate(100.0)), count: Some(20), ..Load::default() };
    // One after another they would take eight seconds.
    let service = failing("0", Distribution::fixed(MS(400)));
    let run = Scenario { service, settings: once(), load }.over_http().await;
    assert_eq!(run.result.calls.succeeded, 20);
    assert!(run.result.duration_s < 4.0, "{}", run.result.duration_s);
}

#[tokio::test]
async fn a_surge_brings_more_calls_where_the_phases_are_known() {
    let surge = Phase {
        name: "surge".to_owned(),
        window: Window { from: MS(200), until: Some(MS(400)) },
        ramp: Ramp::default(),
        change: Change::default(),
        factors: Factors { load: Factor::new(5.0), ..Factors::default() },
        only: Only::default(),
    };
    let base = failing("0", Distribution::fixed(Duration::ZERO)).base().clone();
    let service = Service::new(base, vec![], vec![surge]).unwrap();
    let arrivals = Arrivals::Constant(rate(100.0));
    let load = Load { arrivals, duration: Some(MS(600)), ..Load::default() };
    let scenario = Scenario { service, settings: once(), load };
    let (virtual_time, http) = (scenario.in_virtual_time(), scenario.over_http().await);
    assert!(http.result.calls.started > 100, "{:?}", http.result.calls);
    assert_eq!(http.result.calls, virtual_time.result.calls);
}

#[tokio::test]
async fn what_was_held_up_here_counts_from_when_it_was_due() {
    let url = server(60, |_, mut stream| {
        std::thread::spawn(move || {
            while head(&mut stream).contains("http") {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
        });
    });
    let load = Load { arrivals: Arrivals::Constant(rate(100.0)), count: Some(60), ..Load::default() };
    // The whole runtime stands still when the first call is answered.
    let observe = |number, _: &_| {
        if number == 1 {
            std::thread::sleep(MS(500));
        }
    };
    let result = drive(&url, once(), Seed(1)).load(&load, None, std::future::pending(), observe).await;
    assert_eq!(result.calls.succeeded, 60);
    let held_up = result.latency_ms.response.max.unwrap();
    assert!(held_up > 400.0, "{held_up}");
    assert_eq!(result.per_interval.calls, [60]);
}

/// Somebody who listens and never answers.
fn mute() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test]
async fn an_open_load_that_is_ended_reports_what_it_has() {
    let (_listener, url) = mute();
    let load = Load { arrivals: Arrivals::Constant(rate(50.0)), count: Some(1_000_000), ..Load::default() };
    let end = async {
        tokio::time::sleep(MS(300)).await;
        "ended here".to_owned()
    };
    let load = drive(&url, once(), Seed(1)).load(&load, None, end, |_, _| ()).await;
    let calls = load.calls;
    assert!(calls.started > 0 && calls.started < 1000, "{calls:?}");
    assert_eq!((calls.offered, calls.abandoned), (1_000_000, calls.started));
    assert_eq!((load.gave_up["interrupted"], load.by_fault["interrupted"]), (calls.started, calls.started));
    // What was still to come is no lag of this machine's.
    assert_eq!(load.cut_short.as_deref(), Some("ended here"));
    assert!(load.generator.unwrap().saturated.is_none_or(|why| !why.contains("could not be begun")));
}

#[tokio::test]
async fn a_load_of_a_duration_offers_what_fits_into_it() {
    let service = || failing("0", Distribution::fixed(MS(5)));
    let closed = Load { duration: Some(MS(200)), ..Load::default() };
    let open = Load { arrivals: Arrivals::Constant(rate(100.0)), ..closed.clone() };
    // A client that thinks past the end is not waited for.
    let think = Some(Distribution::fixed(Duration::from_secs(3600)));
    let thoughtful = Load { arrivals: Arrivals::Closed { think, start: None }, ..closed.clone() };
    for (load, expected) in [(closed, None), (open, Some(20)), (thoughtful, Some(1))] {
        let calls = Scenario { service: service(), settings: once(), load }.over_http().await.result.calls;
        assert_eq!((calls.offered, calls.unsent), (calls.started, 0));
        assert!(calls.started > 0 && expected.is_none_or(|expected| calls.started == expected), "{calls:?}");
    }
}

#[tokio::test]
async fn cohorts_make_the_same_calls_in_both_times() {
    let retries = |max_retries| Settings { max_retries: Some(max_retries), base_delay: Some(MS(10)), ..once() };
    let cohort = |name: &str, arrivals, own: Option<Settings>| Cohort {
        name: name.to_owned(),
        load: Load { arrivals, count: Some(40), clients: clients(3), ..Load::default() },
        own: own.map(|settings| OwnPolicy::new(settings).unwrap()),
    };
    let cohorts = vec![
        cohort("patient", Arrivals::Poisson(rate(200.0)), None),
        cohort("hasty", Arrivals::Constant(rate(150.0)), Some(retries(3))),
        cohort("closed", Arrivals::CLOSED, Some(retries(2))),
    ];
    let load = Load { cohorts, ..Load::default() };
    let scenario = Scenario { service: failing("0.3", Distribution::fixed(MS(3))), settings: retries(1), load };
    let (real, simulated) = (scenario.over_http().await, scenario.in_virtual_time());
    assert_eq!(real.sorted(), simulated.sorted());
    for (real, simulated) in real.result.cohorts.iter().zip(&simulated.result.cohorts) {
        assert_eq!(real.name, simulated.name);
        let (real, simulated) = (&real.result, &simulated.result);
        assert_eq!(
            (&real.by_status, real.calls, real.attempts),
            (&simulated.by_status, simulated.calls, simulated.attempts)
        );
        assert_eq!(real.calls.offered, 40);
    }
    assert_eq!((real.result.cohorts.len(), real.result.calls.offered), (3, 120));
}

#[tokio::test]
async fn the_way_to_the_service_is_part_of_the_attempt() {
    let service = failing("0", Distribution::fixed(Duration::ZERO));
    let connect_delay = Some(Distribution::fixed(MS(100)));
    let load = Load { count: Some(3), connect_delay, ..Load::default() };
    let patient = Scenario { service, settings: once(), load };
    let run = patient.over_http().await;
    assert_eq!(run.result.by_status, [(200, 3)].into());
    assert!(run.result.latency_ms.service.min.unwrap() >= 100.0);

    let hasty = Scenario { settings: Settings { attempt_timeout: Some(MS(20)), ..once() }, ..patient };
    assert_eq!(hasty.over_http().await.result.by_fault, [("timeout", 3)].into());
}

/// All that failed is made again until it succeeds.
async fn made_again(after_give_up: AfterGiveUp) {
    let load = Load {
        arrivals: Arrivals::Poisson(rate(400.0)),
        count: Some(40),
        clients: clients(4),
        after_give_up,
        ..Load::default()
    };
    let service = failing("0.4", Distribution::fixed(Duration::ZERO));
    let run = Scenario { service, settings: once(), load }.over_http().await;
    let calls = run.result.calls;
    assert_eq!((calls.succeeded, calls.returned, calls.unsent), (40, calls.failed, 0));
    assert!(calls.returned > 5, "{calls:?}");
}

#[tokio::test]
async fn what_failed_comes_back_until_it_is_done() {
    made_again(AfterGiveUp::ComeBack(Distribution::fixed(MS(10)))).await;
    made_again(AfterGiveUp::Queue(Distribution::fixed(MS(10)))).await;
}
