//! Twenty services that call each other in a row beside one service, with about as many calls in flight, 100,000:
//! `cargo bench -p brownout-sim --bench graph`. `BENCH_ROUNDS` sets the rounds.
//!
//! The one is asked 50,000 times a second and answers after 2 s on the mean. In the row each answers after 100 ms on the mean,
//! and while a client's call is at the last of them, twenty are in flight; it is asked 5,000 times a second. An event is an
//! attempt that reaches a service or leaves it, two an attempt, as in the bench of M/M/1: how many of them share an entry of the
//! queue differs. Both run in turn on one core.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench takes the time and prints it")]

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use brownout_draw::{Distribution, Seed};
use brownout_load::{Arrivals, Graph, Hop, Load, Node, Rate};
use brownout_policy::Policy;
use brownout_service::{Behaviour, Outcomes, Request, Service};
use brownout_sim::World;

const ROW: usize = 20;

fn main() {
    let rounds_wanted = std::env::var("BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    let hop = |to| Hop { to, policy: Policy::none(), pass_deadline: false };
    let node = |place: usize| Node {
        name: format!("s{place}"),
        service: service(100),
        calls: if place + 2 < ROW { vec![hop(place + 1)] } else { vec![] },
    };
    let row = Graph { calls: vec![hop(0)], behind: (0..ROW - 1).map(node).collect() };
    let (one, first) = (service(2000), service(100));
    let mut rounds: Vec<(f64, f64)> =
        (0..rounds_wanted).map(|_| (rate_of(&one, &Graph::NONE, 50_000.0), rate_of(&first, &row, 5_000.0))).collect();
    rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let (least, middle, most) = (rounds[0], rounds[rounds.len() / 2], rounds[rounds.len() - 1]);
    println!("about 100,000 calls in flight, {rounds_wanted} rounds, one core: million events a second");
    println!("  one service        {:.2}", middle.0);
    println!("  {ROW} in a row       {:.2}", middle.1);
    let cost = |(one, row): (f64, f64)| one / row;
    println!("  cost of an event   {:.2} times as much ({:.2} to {:.2})", cost(middle), cost(least), cost(most));
}

fn service(mean_ms: u64) -> Service {
    let latency = Distribution::exponential(Duration::from_millis(mean_ms), None).expect("longer than zero");
    let outcomes = Outcomes::new([]).expect("nothing fails");
    Service::new(Behaviour { outcomes, latency }, vec![], vec![]).expect("a service")
}

/// Million events a second.
fn rate_of(service: &Service, graph: &Graph, calls_a_second: f64) -> f64 {
    let policy = Policy::none();
    let rate = Rate::per_second(calls_a_second).expect("a rate");
    let clients = NonZeroU32::new(1000).expect("not zero");
    let load =
        Load { arrivals: Arrivals::Poisson(rate), duration: Some(Duration::from_secs(10)), clients, ..Load::default() };
    let start = Instant::now();
    let world = World::new(service, &policy, Seed(1)).with_graph(graph);
    let result = world.load(&Request { method: "GET", path: "/" }, &load);
    let attempts = result.attempts.total + result.behind.iter().map(|node| node.attempts).sum::<u64>();
    2.0 * attempts as f64 / start.elapsed().as_secs_f64() / 1e6
}
