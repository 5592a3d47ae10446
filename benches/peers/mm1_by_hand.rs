//! M/M/1 as a loop written for nothing else, the one of `crates/brownout-sim/benches/mm1.rs`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use peers::{Draws, GAP};

fn main() {
    peers::time(by_hand);
}

/// Events are packed keys: time, order of insertion, and in the last bit whether somebody leaves.
fn by_hand(customers: u64, seed: u64) -> f64 {
    let mut draws = Draws::new(seed);
    let mut events: BinaryHeap<Reverse<u128>> = BinaryHeap::new();
    let mut sequence: u64 = 0;
    let mut push = |events: &mut BinaryHeap<_>, at: u64, departure: bool| {
        sequence += 1;
        events.push(Reverse(u128::from(at) << 64 | u128::from(sequence << 1 | u64::from(departure))));
    };
    let mut line: VecDeque<u64> = VecDeque::new();
    let (mut arrived, mut spent, mut now) = (1, 0_u128, 0);
    push(&mut events, draws.exponential_ns(GAP), false);
    while let Some(Reverse(key)) = events.pop() {
        now = (key >> 64) as u64;
        if key & 1 == 0 {
            line.push_back(now);
            if line.len() == 1 {
                push(&mut events, now + draws.exponential_ns(1.0), true);
            }
            if arrived < customers {
                arrived += 1;
                push(&mut events, now + draws.exponential_ns(GAP), false);
            }
        } else {
            let since = line.pop_front().expect("who leaves was there");
            spent += u128::from(now - since);
            if !line.is_empty() {
                push(&mut events, now + draws.exponential_ns(1.0), true);
            }
        }
    }
    spent as f64 / now as f64
}
