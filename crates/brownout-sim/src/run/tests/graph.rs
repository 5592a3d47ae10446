//! Services that call services.

use brownout_draw::{Distribution, Seed};
use brownout_load::{Graph, Hop, Load, LoadResult, Node};
use brownout_policy::{Budget, DepositOn, Guarded, Policy, Settings, TokenBudget};
use brownout_service::{Abandoned, Request, Service};

use super::{MS, at_once, capacity, hasty, none, open, service};
use crate::World;

fn well() -> Service {
    service(None, "0", at_once(), vec![])
}

fn failing(rate: &str) -> Service {
    service(None, rate, at_once(), vec![])
}

fn hop(to: usize, settings: Settings) -> Hop {
    Hop { to, policy: Policy::new(settings).unwrap(), pass_deadline: false }
}

fn node(name: &str, service: Service, calls: Vec<Hop>) -> Node {
    Node { name: name.to_owned(), service, calls }
}

fn retries(count: u32) -> Settings {
    Settings { max_retries: Some(count), base_delay: Some(MS(1)), ..Settings::default() }
}

/// Services in a row, each called by the one before, the last being `last`.
fn chain(depth: usize, each: &Settings, last: &Service) -> Graph {
    let next = |at: usize| if at < depth { vec![hop(at, each.clone())] } else { vec![] };
    let service = |at| if at + 1 == depth { last.clone() } else { well() };
    let behind = (0..depth).map(|at| node(&format!("s{at}"), service(at), next(at + 1))).collect();
    Graph { calls: next(0), behind }
}

fn run(entry: &Service, graph: &Graph, settings: Settings, load: &Load) -> LoadResult {
    let policy = Policy::new(settings).unwrap();
    World::new(entry, &policy, Seed(1)).with_graph(graph).load(&Request { method: "GET", path: "/" }, load)
}

/// Published: three hops of four attempts make 64 of a call, five of three 243.
#[test]
fn retries_of_every_hop_multiply() {
    for (hops, attempts, expected) in [(3, 4, 64.0), (5, 3, 243.0)] {
        // The calls of the clients are the first hop.
        let graph = chain(hops - 1, &retries(attempts - 1), &failing("1"));
        let load = Load { count: Some(20), ..Load::default() };
        let result = run(&well(), &graph, retries(attempts - 1), &load);
        let leaf = result.behind.last().unwrap();
        assert_eq!((leaf.amplification, leaf.succeeded, result.calls.succeeded), (Some(expected), 0, 0));
        assert_eq!(result.amplification, Some(f64::from(attempts)));
        assert_eq!(result.by_status.keys().collect::<Vec<_>>(), [&502]);
    }
}

/// With a budget of 10 % at every hop, d hops make 1.1^d.
#[test]
fn budgets_at_every_hop_bring_it_down() {
    let bucket = TokenBudget::new(100.0, 0.1, DepositOn::Call).unwrap().with_initial(0.0).unwrap();
    let budgeted = Settings { budget: Some(Guarded::each(Budget::Tokens(bucket))), ..retries(50) };
    let graph = chain(4, &budgeted, &failing("1"));
    let result = run(&well(), &graph, budgeted, &Load { count: Some(10_000), ..Load::default() });
    let leaf = result.behind.last().unwrap().amplification.unwrap();
    assert!((leaf / 1.1_f64.powi(5) - 1.0).abs() < 0.005, "{leaf}");
}

#[test]
fn a_call_takes_as_long_as_all_that_is_behind_it() {
    let slow = |ms| service(None, "0", Distribution::fixed(MS(ms)), vec![]);
    let graph = Graph {
        calls: vec![hop(0, none()), hop(1, none())],
        behind: vec![
            node("a", slow(20), vec![hop(2, none())]),
            node("b", slow(30), vec![]),
            node("c", slow(5), vec![]),
        ],
    };
    let result = run(&slow(7), &graph, none(), &Load { count: Some(3), ..Load::default() });
    // One after another: 20 + 5, then 30, and the answer of the first service itself.
    let latency = &result.latency_ms.response;
    assert_eq!((latency.min, latency.max, result.calls.succeeded), (Some(62.0), Some(62.0), 3));
    let counts: Vec<_> = result.behind.iter().map(|node| (node.name.as_str(), node.calls, node.attempts)).collect();
    assert_eq!(counts, [("a", 3, 3), ("b", 3, 3), ("c", 3, 3)]);
}

#[test]
fn who_waits_for_others_holds_a_worker() {
    // Two workers of 100 ms that wait for 400 ms more: four calls a second, whatever is asked.
    let behind = vec![node("slow", service(None, "0", Distribution::fixed(MS(400)), vec![]), vec![])];
    let graph = Graph { calls: vec![hop(0, none())], behind };
    let entry = service(Some(capacity()), "0", at_once(), vec![]);
    let result = run(&entry, &graph, none(), &open(40.0, 60));
    let rate = result.capacity.as_ref().unwrap().served as f64 / 60.0;
    assert!((rate - 4.0).abs() < 0.2, "{rate}");
}

#[test]
fn a_service_that_fails_of_itself_calls_nobody() {
    let graph = Graph { calls: vec![hop(0, none())], behind: vec![node("db", well(), vec![])] };
    let result = run(&failing("0.25"), &graph, none(), &Load { count: Some(10_000), ..Load::default() });
    assert_eq!(result.behind[0].attempts, result.by_status[&200]);
    assert!(result.by_status[&500].abs_diff(2500) < 220, "{:?}", result.by_status);
}

#[test]
fn a_deadline_that_is_passed_on_ends_the_calls_behind() {
    let slow = service(None, "0", Distribution::fixed(MS(300)), vec![]);
    let patient = Settings { attempt_timeout: Some(MS(400)), ..retries(9) };
    let behind = |pass_deadline| Graph {
        calls: vec![Hop { pass_deadline, ..hop(0, patient.clone()) }],
        behind: vec![node("b", well(), vec![hop(1, hasty(100))]), node("c", slow.clone(), vec![])],
    };
    let load = Load { count: Some(1), ..Load::default() };
    let attempts = |pass| run(&well(), &behind(pass), hasty(250), &load).behind[0].attempts;
    // Service b gives up after 100 ms each time, and is asked again after ever longer waits: at 0, 101, 203, 307, …
    // The client has gone after 250 ms.
    assert_eq!(attempts(true), 3);
    assert_eq!(attempts(false), 10);
}

#[test]
fn who_has_left_is_still_worked_for_or_not_as_the_service_says() {
    let slow = service(None, "0", Distribution::fixed(MS(1000)), vec![]);
    let graph = Graph { calls: vec![hop(0, none())], behind: vec![node("db", slow, vec![])] };
    // Of two workers, each is held for 1.1 s, or until its caller leaves after half a second: three calls a second wait, or do not.
    for (abandoned, waits) in [(Abandoned::KeepWorking, true), (Abandoned::Drop, false)] {
        let rule = brownout_service::Capacity { abandoned, ..capacity() };
        let result = run(&service(Some(rule), "0", at_once(), vec![]), &graph, hasty(500), &open(3.0, 20));
        let capacity = result.capacity.unwrap();
        assert_eq!((capacity.served, capacity.waited > 0), (0, waits), "{abandoned:?}");
    }
}

#[test]
fn twenty_services_keep_their_accounts() {
    // Every account of every service is asserted at the end of a run.
    let station = |_| service(Some(capacity()), "0.1", at_once(), vec![]);
    let behind = (0..20_usize)
        .map(|at| {
            let calls = [2 * at + 1, 2 * at + 2].into_iter().filter(|to| *to < 20).map(|to| hop(to, hasty(9000)));
            node(&format!("n{at}"), station(at), calls.collect())
        })
        .collect();
    let graph = Graph { calls: vec![hop(0, hasty(9000))], behind };
    let once = || run(&station(0), &graph, Settings { attempt_timeout: Some(MS(9000)), ..retries(2) }, &open(2.0, 60));
    let result = once();
    assert!(result.behind.iter().all(|node| node.capacity.is_some()));
    assert!(result.behind.iter().filter(|node| node.attempts > 0).count() > 10);
    assert_eq!(once(), result);
}
