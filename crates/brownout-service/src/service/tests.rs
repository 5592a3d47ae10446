use super::{Behaviour, Change, Route, RouteId, Service, ServiceError};
use crate::{
    Abandoned, Capacity, Factor, Factors, Identity, Only, Outcome, Outcomes, Phase, Queue, Ramp, Replicas, Request,
    Shed, Sticky, Window,
};
use brownout_draw::{Distribution, Seed};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

const SECS: fn(u64) -> Duration = Duration::from_secs;

fn always(outcome: Outcome) -> Option<Outcomes> {
    Some(Outcomes::new([(outcome, "1".parse().unwrap())]).unwrap())
}

fn phase(name: &str, from: u64, until: Option<u64>, change: Change) -> Phase {
    let window = Window { from: SECS(from), until: until.map(SECS) };
    Phase {
        name: name.to_owned(),
        window,
        ramp: Ramp::default(),
        change,
        factors: Factors::default(),
        only: Only::default(),
    }
}

fn route(pattern: &str, outcomes: Option<Outcomes>) -> Route {
    Route { pattern: pattern.parse().unwrap(), change: Change { outcomes, latency: None } }
}

fn outage() -> Change {
    Change { outcomes: always(Outcome::Error), latency: None }
}

fn slow() -> Change {
    Change { outcomes: None, latency: Some(Distribution::fixed(SECS(3))) }
}

fn statuses(service: &Service, seed: u64) -> Vec<u16> {
    let decide = |request| service.decide(Seed(seed), RouteId::UNMATCHED, Identity::first(request), Duration::ZERO);
    (1..=1000).map(|request| decide(request).outcome.status()).collect()
}

#[test]
fn the_practice_service_answers_at_its_rates() {
    let mut counts = BTreeMap::new();
    let service = Service::default();
    for seed in 0..20 {
        for status in statuses(&service, seed) {
            *counts.entry(status).or_insert(0_i32) += 1;
        }
    }
    // Of 20,000; five standard deviations of each binomial count.
    for (status, expected, bound) in [(200, 16_000, 283), (500, 2_000, 212), (429, 1_000, 154), (504, 1_000, 154)] {
        assert!((counts[&status] - expected).abs() < bound, "{counts:?}");
    }
}

#[test]
fn what_is_decided_ahead_is_what_is_decided() {
    let own = |outcomes, latency| Route { pattern: "/own".parse().unwrap(), change: Change { outcomes, latency } };
    let spread = Some(Distribution::exponential(SECS(1), None).unwrap());
    let fails = Some(Outcomes::new([(Outcome::GatewayTimeout, "0.5".parse().unwrap())]).unwrap());
    for route in [own(None, None), own(None, spread), own(always(Outcome::Error), None), own(fails, slow().latency)] {
        let service = Service::new(Behaviour::default(), vec![route], vec![]).unwrap();
        for path in ["/", "/own"] {
            let id = service.route(&Request { method: "GET", path });
            let mut steady = service.steady(Seed(3), id).unwrap();
            for (request, attempt) in (1..200).flat_map(|request| [(request, 1), (request, 2), (request ^ 1, 1)]) {
                let identity = Identity { request, attempt: attempt.try_into().unwrap() };
                let decision = service.decide(Seed(3), id, identity, SECS(0));
                let latency_ns = u64::try_from(decision.latency.as_nanos()).unwrap();
                assert_eq!(steady.decide(identity), (decision.outcome, latency_ns));
            }
        }
    }
}

#[test]
fn a_phase_that_has_a_say_is_asked() {
    let with = |phase| Service::new(Behaviour::default(), vec![], vec![phase]).unwrap();
    assert!(with(phase("outage", 1, None, outage())).steady(Seed(1), RouteId::UNMATCHED).is_none());
    let busy = Factors { load: Factor::new(2.0), ..Factors::default() };
    let busy = Phase { factors: busy, ..phase("busy", 1, None, Change::default()) };
    assert!(with(busy).steady(Seed(1), RouteId::UNMATCHED).is_some());
}

#[test]
fn a_gateway_timeout_takes_the_longest_latency_and_the_others_stay_below() {
    let service = Service::default();
    for request in 1..=2000 {
        let decision = service.decide(Seed(1), RouteId::UNMATCHED, Identity::first(request), Duration::ZERO);
        let longest = Duration::from_millis(500);
        assert_eq!(decision.outcome == Outcome::GatewayTimeout, decision.latency == longest);
        assert!(decision.latency >= Duration::from_millis(10));
    }
}

#[test]
fn same_seed_same_decisions_and_another_seed_others() {
    let service = Service::default();
    assert_eq!(statuses(&service, 42), statuses(&service, 42));
    assert_ne!(statuses(&service, 42), statuses(&service, 43));
}

#[test]
fn attempts_of_one_request_have_luck_of_their_own() {
    let service = Service::default();
    let met: std::collections::BTreeSet<_> = (1..=100)
        .map(|attempt| Identity { request: 1, attempt: attempt.try_into().unwrap() })
        .map(|identity| service.decide(Seed(3), RouteId::UNMATCHED, identity, Duration::ZERO).outcome)
        .collect();
    assert!(met.len() > 1, "a hundred attempts all met {met:?}");
}

#[test]
fn the_first_route_that_matches_takes_the_request_and_the_rest_is_inherited() {
    let routes = vec![route("POST /pay/{id}", always(Outcome::RateLimit)), route("/pay/{id}", None)];
    let service = Service::new(Behaviour::default(), routes, Vec::new()).unwrap();
    let at = |method, path| {
        let id = service.route(&Request { method, path });
        service.decide(Seed(5), id, Identity::first(1), Duration::ZERO)
    };
    assert_eq!(at("POST", "/pay/7").outcome, Outcome::RateLimit);
    assert_eq!(at("POST", "/pay/7").route, Some("POST /pay/{id}"));
    assert_eq!(at("GET", "/pay/7").route, Some("/pay/{id}"));
    assert_eq!(at("GET", "/other").route, None);
    assert!(at("POST", "/pay/7").latency < Duration::from_millis(500));
}

#[test]
fn routes_do_not_share_their_luck() {
    let service = Service::new(Behaviour::default(), vec![route("/a", None), route("/b", None)], Vec::new()).unwrap();
    let sequence = |path| {
        let id = service.route(&Request { method: "GET", path });
        let decide = |request| service.decide(Seed(5), id, Identity::first(request), Duration::ZERO).latency;
        (1..=20).map(decide).collect::<Vec<_>>()
    };
    assert_ne!(sequence("/a"), sequence("/b"));
    assert_eq!(sequence("/other"), {
        let decide = |n| Service::default().decide(Seed(5), RouteId::UNMATCHED, Identity::first(n), SECS(0)).latency;
        (1..=20).map(decide).collect::<Vec<_>>()
    });
}

#[test]
fn phases_replace_outcomes_or_latency_and_the_later_wins() {
    let phases = vec![
        phase("slow", 10, None, slow()),
        phase("outage", 30, Some(40), outage()),
        phase("limited", 35, Some(50), Change { outcomes: always(Outcome::RateLimit), latency: None }),
    ];
    let service = Service::new(Behaviour::default(), vec![route("/calm", always(Outcome::Success))], phases).unwrap();
    let calm = service.route(&Request { method: "GET", path: "/calm" });
    let at = |secs| service.decide(Seed(1), calm, Identity::first(1), SECS(secs));
    let seen = |secs| (at(secs).outcome, at(secs).latency == SECS(3), at(secs).phase);
    assert_eq!(seen(0), (Outcome::Success, false, None));
    assert_eq!(seen(10), (Outcome::Success, true, Some("slow")));
    assert_eq!(seen(30), (Outcome::Error, true, Some("outage")));
    assert_eq!(seen(35), (Outcome::RateLimit, true, Some("limited")));
    assert_eq!(seen(49), (Outcome::RateLimit, true, Some("limited")));
    assert_eq!(seen(50), (Outcome::Success, true, Some("slow")));
}

#[test]
fn the_phase_that_chose_the_outcome_is_named() {
    let phases = vec![phase("outage", 0, None, outage()), phase("slow", 0, None, slow())];
    let service = Service::new(Behaviour::default(), vec![], phases).unwrap();
    let decision = service.decide(Seed(1), RouteId::UNMATCHED, Identity::first(1), SECS(0));
    assert_eq!((decision.outcome, decision.latency, decision.phase), (Outcome::Error, SECS(3), Some("outage")));
}

#[test]
fn a_phase_shifts_nobody_elses_luck() {
    let phases = vec![phase("slow", 10, Some(20), slow())];
    let changed = Service::new(Behaviour::default(), Vec::new(), phases).unwrap();
    for elapsed in [0, 15, 25] {
        let decide =
            |service: &Service| service.decide(Seed(1), RouteId::UNMATCHED, Identity::first(9), SECS(elapsed)).outcome;
        assert_eq!(decide(&changed), decide(&Service::default()));
    }
}

#[test]
fn what_can_never_happen_is_refused_all_at_once() {
    let routes = vec![route("/{any}", None), route("GET /orders", None)];
    let phases = vec![
        phase("hidden", 5, Some(6), outage()),
        phase("empty", 9, Some(9), outage()),
        phase("idle", 1, None, Change::default()),
        phase("outage", 1, None, outage()),
        phase("outage", 1, None, slow()),
    ];
    let errors = Service::new(Behaviour::default(), routes, phases).unwrap_err();
    let name = |name: &str| name.to_owned();
    assert_eq!(
        errors,
        [
            ServiceError::UnreachableRoute { index: 1, pattern: name("GET /orders"), by: name("/{any}") },
            ServiceError::HiddenPhase { index: 0, name: name("hidden"), by: name("outage") },
            ServiceError::EmptyPhase { index: 1, name: name("empty") },
            ServiceError::IdlePhase { index: 2, name: name("idle") },
            ServiceError::PhaseTwice { index: 4, name: name("outage") },
        ]
    );
}

#[test]
fn overridden_rates_reach_the_routes_that_had_the_services_own() {
    let routes = vec![route("/own", always(Outcome::RateLimit)), route("/same", None)];
    let service = Service::new(Behaviour::default(), routes, Vec::new()).unwrap();
    let service = service.with_outcomes(always(Outcome::Error).unwrap());
    let at = |path| {
        let id = service.route(&Request { method: "GET", path });
        service.decide(Seed(1), id, Identity::first(1), SECS(0)).outcome
    };
    assert_eq!([at("/"), at("/same"), at("/own")], [Outcome::Error, Outcome::Error, Outcome::RateLimit]);
    assert_eq!(service.own_outcomes(), ["route `/own`"]);
}

/// Five replicas, and a phase of the third: it fails there, takes longer, and works more slowly.
fn with_a_bad_replica(sticky: Sticky) -> Service {
    let factors = Factors { slowdown: Factor::new(4.0), ..Factors::default() };
    let only = Only { replicas: vec![3], ..Only::default() };
    let bad = Phase { factors, only, ..phase("bad", 0, None, Change { outcomes: always(Outcome::Error), ..slow() }) };
    let base = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(SECS(1)) };
    let capacity = Capacity {
        workers: NonZeroU32::MIN,
        service_time: Distribution::fixed(SECS(1)),
        queue: Queue::default(),
        shed: Shed::default(),
        abandoned: Abandoned::KeepWorking,
    };
    let service = Service::new(base, vec![], vec![bad]).unwrap().with_capacity(Some(capacity)).unwrap();
    service.with_replicas(Some(Replicas { count: NonZeroU32::new(5).unwrap(), sticky })).unwrap()
}

#[test]
fn a_phase_of_a_replica_befalls_what_lands_there_and_nothing_else() {
    let service = with_a_bad_replica(Sticky::Nothing);
    let mut met = 0;
    for request in 1..=500 {
        let landed = service.land(Seed(1), Identity::first(request), |_| None);
        let decision = service.decide(Seed(1), RouteId::UNMATCHED, landed, SECS(5));
        let work = service.work_ns(Seed(1), landed, SECS(5)) / 1_000_000_000;
        let bad = landed.replica == NonZeroU32::new(3);
        let expected =
            if bad { (Outcome::Error, SECS(12), Some("bad"), 4) } else { (Outcome::Success, SECS(1), None, 1) };
        assert_eq!((decision.outcome, decision.latency, decision.phase, work), expected);
        assert_eq!(decision.replica, landed.replica);
        let why = service.explain(Seed(1), RouteId::UNMATCHED, landed, SECS(5));
        assert_eq!((why.phases.len(), why.replica.unwrap().1), (usize::from(bad), 5));
        met += u32::from(bad);
    }
    // A fifth of 500, with a standard deviation of 9.
    assert!(met.abs_diff(100) < 45, "{met}");
    // Who landed nowhere meets what befalls all.
    let nowhere = service.decide(Seed(1), RouteId::UNMATCHED, Identity::first(1), SECS(5));
    assert_eq!((nowhere.outcome, nowhere.replica), (Outcome::Success, None));
}

#[test]
fn what_is_not_sticky_is_not_asked_for() {
    let ask = |sticky| {
        let mut asked = false;
        let service = with_a_bad_replica(sticky);
        let landed = service.land(Seed(1), Identity::first(7), |_| {
            asked = true;
            Some(7)
        });
        (asked, landed.replica.is_some())
    };
    assert_eq!((ask(Sticky::Nothing), ask(Sticky::Client)), ((false, true), (true, true)));
    assert_eq!(Service::default().land(Seed(1), Identity::first(7), |_| Some(7)), Identity::first(7).into());
}

#[test]
fn a_phase_of_a_replica_hides_only_what_is_of_no_other() {
    let on = |replicas: &[u32]| Phase {
        only: Only { replicas: replicas.to_vec(), ..Only::default() },
        ..phase("a", 0, None, outage())
    };
    let later = |replicas: &[u32]| Phase { name: "b".to_owned(), ..on(replicas) };
    let hidden = |earlier, later| Service::new(Behaviour::default(), vec![], vec![on(earlier), later]).is_err();
    assert!(hidden(&[2], later(&[])) && hidden(&[2], later(&[1, 2])));
    assert!(!hidden(&[], later(&[2])) && !hidden(&[1, 2], later(&[2, 3])));
}

#[test]
fn other_phases_leave_the_replicas_as_they_are() {
    let service = with_a_bad_replica(Sticky::Client);
    assert_eq!(service.with_phases(vec![]).unwrap().replicas(), service.replicas());
    assert_eq!(service.with_phases(service.phases().to_vec()).unwrap(), service);
}
