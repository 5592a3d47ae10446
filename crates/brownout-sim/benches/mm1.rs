//! M/M/1 at 80 % from a scenario's own types, beside a loop written for nothing else: `cargo bench -p brownout-sim --bench mm1`.
//! `BENCH_ROUNDS` sets the rounds.
//!
//! An event is an arrival or a departure, two a customer. The loop keeps its events in a `BinaryHeap` of packed keys, draws
//! from a xorshift generator, and sums up waits; it counts nothing else. Both run in turn on one core.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "keys are cut into their parts")]
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench takes the time and prints it")]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use brownout_draw::{Distribution, Seed};
use brownout_load::{Arrivals, Load, Rate};
use brownout_policy::Policy;
use brownout_service::{Abandoned, Behaviour, Capacity, Outcomes, Queue, Request, Service, Shed};
use brownout_sim::World;

const CUSTOMERS: u64 = 2_000_000;

fn main() {
    let rounds_wanted = std::env::var("BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(9);
    let (service, policy) = (service(), Policy::none());
    let rate = Rate::per_second(0.8).expect("0.8 is a rate");
    let load = Load { arrivals: Arrivals::Poisson(rate), count: Some(CUSTOMERS), ..Load::default() };
    let world = World::new(&service, &policy, Seed(1));
    let ours = || world.load(&Request { method: "GET", path: "/" }, &load).capacity.map_or(0.0, |c| c.inside_mean);
    let rounds: Vec<(f64, f64)> = (0..rounds_wanted).map(|round| (rate_of(ours), rate_of(|| by_hand(round)))).collect();
    let column = |pick: fn(&(f64, f64)) -> f64| {
        let mut column: Vec<f64> = rounds.iter().map(pick).collect();
        column.sort_by(f64::total_cmp);
        format!("{:6.2} ({:.2} to {:.2})", column[column.len() / 2], column[0], column[column.len() - 1])
    };
    println!(
        "M/M/1 at 0.8, {CUSTOMERS} customers, {rounds_wanted} rounds, one core: million events a second, median (min to max)"
    );
    println!("  brownout          {}", column(|round| round.0));
    println!("  a loop by hand    {}", column(|round| round.1));
    println!("  by hand ÷ ours    {}", column(|round| round.1 / round.0));
}

fn service() -> Service {
    let second = Duration::from_secs(1);
    let capacity = Capacity {
        workers: NonZeroU32::MIN,
        service_time: Distribution::exponential(second, None).expect("a second is longer than zero"),
        queue: Queue { length: None, ..Queue::default() },
        shed: Shed::default(),
        abandoned: Abandoned::KeepWorking,
    };
    let outcomes = Outcomes::new([]).expect("nothing fails");
    let sound = Behaviour { outcomes, latency: Distribution::fixed(Duration::ZERO) };
    let service = Service::new(sound, vec![], vec![]).and_then(|service| service.with_capacity(Some(capacity)));
    service.expect("a capacity goes with everything")
}

/// Million events a second; the mean number of customers inside must be the one of the textbook.
fn rate_of(run: impl Fn() -> f64) -> f64 {
    let start = Instant::now();
    let inside = std::hint::black_box(run());
    let rate = 2.0 * CUSTOMERS as f64 / start.elapsed().as_secs_f64() / 1e6;
    assert!((inside / 4.0 - 1.0).abs() < 0.15, "ρ ÷ (1 - ρ) is 4, found {inside}");
    rate
}

/// The same queue, by hand: the mean number of customers inside.
fn by_hand(seed: u64) -> f64 {
    let mut state = 0x9E37_79B9_7F4A_7C15 ^ (seed + 1);
    let mut exponential = |mean_ns: f64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let unit = ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        (-unit.ln() * mean_ns) as u64
    };
    let mut events: BinaryHeap<Reverse<u128>> = BinaryHeap::new();
    let mut sequence: u64 = 0;
    let mut push = |events: &mut BinaryHeap<_>, at: u64, departure: bool| {
        sequence += 1;
        events.push(Reverse(u128::from(at) << 64 | u128::from(sequence << 1 | u64::from(departure))));
    };
    let mut line: VecDeque<u64> = VecDeque::new();
    let (mut arrived, mut spent, mut now) = (1, 0_u128, 0);
    push(&mut events, exponential(1.25e9), false);
    while let Some(Reverse(key)) = events.pop() {
        now = (key >> 64) as u64;
        if key & 1 == 0 {
            line.push_back(now);
            if line.len() == 1 {
                push(&mut events, now + exponential(1e9), true);
            }
            if arrived < CUSTOMERS {
                arrived += 1;
                push(&mut events, now + exponential(1.25e9), false);
            }
        } else {
            let since = line.pop_front().expect("who leaves was there");
            spent += u128::from(now - since);
            if !line.is_empty() {
                push(&mut events, now + exponential(1e9), true);
            }
        }
    }
    spent as f64 / now as f64
}
