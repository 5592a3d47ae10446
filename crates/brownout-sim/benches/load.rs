//! Decided calls a second in virtual time, one core: `cargo bench -p brownout-sim`. `BENCH_ROUNDS` sets the rounds.
//!
//! Load model: one closed client, the practice service, no retries. Each round runs a tenth and then the whole of
//! the calls, so that the ratio shows whether a call costs the same however many there are.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench takes the time and prints it")]

use std::num::NonZeroU32;
use std::time::Instant;

use brownout_draw::Seed;
use brownout_load::Load;
use brownout_policy::Policy;
use brownout_service::{Request, Service};
use brownout_sim::World;

const CALLS: u64 = 1_000_000;

fn main() {
    let rounds_wanted = std::env::var("BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(9);
    let (service, policy) = (Service::default(), Policy::none());
    let world = World::new(&service, &policy, Seed(42));
    let request = Request { method: "GET", path: "/" };
    let rate = |count: u64| {
        let load = Load { count: Some(count), clients: NonZeroU32::MIN, ..Load::default() };
        let start = Instant::now();
        let result = std::hint::black_box(world.load(&request, &load));
        assert_eq!(result.total_requests, count);
        count as f64 / start.elapsed().as_secs_f64() / 1e6
    };
    rate(CALLS / 10);
    let mut rounds: Vec<(f64, f64)> = (0..rounds_wanted).map(|_| (rate(CALLS / 10), rate(CALLS))).collect();
    rounds.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (tenth, whole) = rounds[rounds.len() / 2];
    println!("virtual load of {CALLS} calls, {rounds_wanted} rounds: million calls a second");
    println!("  min {:.2}  median {whole:.2}  max {:.2}", rounds[0].1, rounds[rounds.len() - 1].1);
    println!("  whole ÷ tenth, in the median round: {:.2}", whole / tenth);
}
