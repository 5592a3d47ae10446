//! What the service has done, once and more than once.

use brownout_draw::Distribution;
use brownout_load::{Carried, EffectResult, Graph, Hop, Load, Node};
use brownout_policy::{Guarded, Hedge, HedgeDelay, Policy, Settings};
use brownout_service::{
    Abandoned, Behaviour, Capacity, Effect, End, Fault, Outcome, Outcomes, Queue, Request, Service,
};

use super::{MS, ONE, Seed, at_once, capacity, hasty, none, open, run, service};
use crate::World;

/// The same service, each of whose requests is a payment.
fn paying(service: Service, once: bool) -> Service {
    service.with_effects(vec![Some(Effect { once, ..Effect::new("payment") })]).unwrap()
}

fn with_keys(load: Load) -> Load {
    Load { carried: Carried::new(vec![], true).unwrap(), ..load }
}

fn payments(service: &Service, settings: Settings, load: &Load) -> EffectResult {
    let [payments] = <[EffectResult; 1]>::try_from(run(service, settings, load).effects).unwrap();
    payments
}

/// Every reply is lost, and every call makes four attempts.
#[test]
fn a_lost_reply_that_is_retried_is_a_duplicate_unless_the_service_knows_its_key() {
    let lost = Outcomes::with_faults([], vec![(Fault::lost_reply(End::Reset).unwrap(), "1".parse().unwrap())]);
    let behaviour = Behaviour { outcomes: lost.unwrap(), latency: at_once() };
    let lossy = Service::new(behaviour, vec![], vec![]).unwrap();
    let again = Settings { max_retries: Some(3), base_delay: Some(MS(1)), ..Settings::default() };
    let count = |once, load: &Load| {
        let counts = payments(&paying(lossy.clone(), once), again.clone(), load);
        (counts.done, counts.keys, counts.duplicates, counts.prevented)
    };
    let load = Load { count: Some(10), ..Load::default() };
    assert_eq!(count(false, &load), (40, 10, 30, 0));
    assert_eq!(count(false, &with_keys(load.clone())), (40, 10, 30, 0));
    // Without a key of the client's, a service cannot tell a retry from another payment.
    assert_eq!(count(true, &load), (40, 10, 30, 0));
    assert_eq!(count(true, &with_keys(load.clone())), (10, 10, 0, 30));
    // One key for all calls makes one payment of ten.
    let same = Carried::new(vec![("idempotency-key".to_owned(), "x".to_owned())], false).unwrap();
    assert_eq!(count(true, &Load { carried: same, ..load }), (1, 1, 0, 39));
}

#[test]
fn what_fails_has_no_effect_and_what_is_late_has() {
    let load = Load { count: Some(10), ..Load::default() };
    let failing = paying(service(None, "1", at_once(), vec![]), false);
    assert_eq!(payments(&failing, none(), &load).done, 0);
    let slow = paying(service(None, "0", Distribution::fixed(MS(500)), vec![]), false);
    let impatient = Settings { max_retries: Some(1), base_delay: Some(MS(1)), ..hasty(100) };
    let late = payments(&slow, impatient, &load);
    assert_eq!((late.done, late.duplicates, late.repeated), (20, 10, 10));
    assert_eq!((late.worst.len(), late.worst[0].key.as_str(), late.worst[0].done), (5, "request 1", 2));
}

#[test]
fn a_copy_is_a_duplicate_though_its_caller_sees_one_answer() {
    let hedge = Guarded::each(Hedge::new(HedgeDelay::Fixed(MS(10)), ONE).unwrap());
    let settings = Settings { hedge: Some(hedge), ..none() };
    let slow = paying(service(None, "0", Distribution::fixed(MS(50)), vec![]), false);
    let load = Load { count: Some(10), ..Load::default() };
    assert_eq!(payments(&slow, settings.clone(), &load).duplicates, 10);
    let once = paying(service(None, "0", Distribution::fixed(MS(50)), vec![]), true);
    assert_eq!(payments(&once, settings, &with_keys(load)).prevented, 10);
}

/// Twice as many come as can be served; who waits longer than 120 ms is gone.
#[test]
fn with_a_capacity_what_is_worked_on_to_its_end_has_its_effect() {
    let outcome = |abandoned| {
        let rule = Capacity { abandoned, ..capacity() };
        let result = run(&paying(service(Some(rule), "0", at_once(), vec![]), false), hasty(120), &open(40.0, 50));
        (result.effects[0].done, result.capacity.unwrap())
    };
    let (done, blind) = outcome(Abandoned::KeepWorking);
    assert!(blind.shed > 0 && blind.wasted > 0, "{blind:?}");
    assert_eq!(done, blind.served + blind.wasted);
    // Work that is stopped has no effect.
    let (done, stops) = outcome(Abandoned::Drop);
    assert!(stops.wasted > 0, "{stops:?}");
    assert_eq!(done, stops.served);
    let full = Capacity { queue: Queue { length: Some(0), ..Queue::default() }, ..capacity() };
    let result = run(&paying(service(Some(full), "0", at_once(), vec![]), false), none(), &open(40.0, 10));
    assert_eq!(result.effects[0].done, result.by_status[&200]);
}

#[test]
fn what_a_service_behind_has_failed_has_no_effect_in_front() {
    let half = service(None, "0.5", at_once(), vec![]);
    let hop = Hop { to: 0, policy: Policy::none(), pass_deadline: false };
    let node = Node { name: "bank".to_owned(), service: half, calls: vec![] };
    let graph = Graph { calls: vec![hop], behind: vec![node] };
    let entry = paying(service(None, "0", at_once(), vec![]), false);
    let load = Load { count: Some(1000), ..Load::default() };
    let policy = Policy::none();
    let world = World::new(&entry, &policy, Seed(1)).with_graph(&graph);
    let result = world.load(&Request { method: "GET", path: "/" }, &load);
    assert_eq!(result.effects[0].done, result.by_status[&200]);
    assert!(result.by_status[&502] > 300, "{:?}", result.by_status);
}

#[test]
fn outcomes_have_the_effects_that_the_guide_says() {
    let outcomes = |outcome: Outcome| Outcomes::new([(outcome, "1".parse().unwrap())]).unwrap();
    let done = |outcome| {
        let behaviour = Behaviour { outcomes: outcomes(outcome), latency: at_once() };
        let service = paying(Service::new(behaviour, vec![], vec![]).unwrap(), false);
        payments(&service, hasty(1_000_000), &Load { count: Some(1), ..Load::default() }).done == 1
    };
    let with: Vec<_> = Outcome::failures().filter(|outcome| done(*outcome)).map(Outcome::name).collect();
    let expected = ["malformed_chunk", "truncate", "dribble", "bandwidth", "slow_close", "lost_reply", "stream_break"];
    assert_eq!(with, expected);
}
