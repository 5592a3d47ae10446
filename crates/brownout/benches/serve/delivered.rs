//! Asked against delivered.
//!
//! Load model: open, 1,000 requests a second at equal distances for five seconds a round, over kept connections. Three servers run
//! side by side and are loaded in turn: a lognormal latency, a uniform one, and none. The latency that was drawn for a request is
//! known, since it is a function of its number; what the client sees beyond it is what was added. Of that, what a route without any
//! latency shows in the same round is the client's and the wire's; the rest is the server's.
//!
//! A fourth run asks for 5 % of 503s, and holds what came against the binomial bound.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use brownout_draw::Seed;
use brownout_load::{Arrivals, Attempt, Load, Rate};
use brownout_scenario::Scenario;
use brownout_service::{Identity, RouteId};

use crate::process::{Server, spread};

const LATENCIES: [(&str, &str); 3] = [
    ("none", "[service]\nlatency = 0\n"),
    ("lognormal", "[service]\nlatency = { lognormal = { median = \"20ms\", p99 = \"100ms\" } }\n"),
    ("uniform", "[service]\nlatency = { uniform = { min = \"5ms\", max = \"50ms\" } }\n"),
];

pub(crate) fn run() {
    let wanted = crate::rounds(5);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let servers = LATENCIES.map(|(_, scenario)| Server::ours(scenario, &[], false));
    let round = || [0, 1, 2].map(|place| added(&servers[place], LATENCIES[place].1, &runtime));
    round();
    let rounds: Vec<[[f64; 2]; 3]> = (0..wanted).map(|_| round()).collect();
    println!("delivered minus drawn latency at 1,000 requests a second, {wanted} rounds in turn, in ms");
    for (place, (name, _)) in LATENCIES.iter().enumerate() {
        for (which, quantile) in ["median", "p99"].into_iter().enumerate() {
            let own = spread(rounds.iter().map(|round| round[place][which]).collect()).unwrap_or_default();
            let above = rounds.iter().map(|round| round[place][which] - round[0][which]);
            let above = spread(above.collect()).unwrap_or_default();
            println!(
                "  {name:>10} {quantile:>6}: {:.3} ({:.3} to {:.3}); above that of no latency {:.3} ({:.3} to {:.3})",
                own[1], own[0], own[2], above[1], above[0], above[2]
            );
        }
    }
    rates(&runtime);
}

fn load(count: Option<u64>) -> Load {
    let arrivals = Arrivals::Constant(Rate::per_second(1000.0).expect("a rate"));
    let duration = count.is_none().then_some(Duration::from_secs(5));
    Load { arrivals, count, duration, clients: 200.try_into().expect("some"), ..Load::default() }
}

/// The median and the 99th percentile of what a client sees beyond the drawn latency.
fn added(server: &Server, scenario: &str, runtime: &tokio::runtime::Runtime) -> [f64; 2] {
    let service = Scenario::parse("bench.toml", scenario).expect("a scenario").service;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let observe = {
        let seen = Arc::clone(&seen);
        move |number: u64, attempt: &Attempt| {
            let drawn = service.decide(Seed(42), RouteId::UNMATCHED, Identity::first(number), Duration::ZERO).latency;
            let ms = Duration::from_nanos(attempt.latency_ns).as_secs_f64() * 1e3 - drawn.as_secs_f64() * 1e3;
            seen.lock().expect("nobody panics").push(ms);
        }
    };
    runtime.block_on(server.drive.load(&load(None), None, std::future::pending(), observe));
    let mut seen = std::mem::take(&mut *seen.lock().expect("nobody panics"));
    seen.sort_by(f64::total_cmp);
    [seen[seen.len() / 2], seen[seen.len() * 99 / 100]]
}

/// Asked for one in twenty.
fn rates(runtime: &tokio::runtime::Runtime) {
    const COUNT: u64 = 20_000;
    let server = Server::ours("[service]\noutcomes = { status = [{ code = 503, rate = \"5%\" }] }\n", &[], false);
    let result = runtime.block_on(server.drive.load(&load(Some(COUNT)), None, std::future::pending(), |_, _| ()));
    let delivered = *result.by_status.get(&503).unwrap_or(&0) as f64 / COUNT as f64;
    // Five standard deviations of a binomial share.
    let bound = 5.0 * (0.05 * 0.95 / COUNT as f64).sqrt();
    println!("  asked for 5 % of 503s: delivered {:.2} % of {COUNT}; within 5 ± {:.2} %", delivered * 1e2, bound * 1e2);
    assert!((delivered - 0.05).abs() < bound);
}
