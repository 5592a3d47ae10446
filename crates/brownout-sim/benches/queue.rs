//! Nanoseconds for a pop and a push, one core: `cargo bench -p brownout-sim --bench queue`. `BENCH_ROUNDS` sets the
//! rounds.
//!
//! Hold model: a number of events is pending; each step pops one and pushes one, an exponential time of mean 1 s
//! after it. In the second half of the table every other event is due exactly 1 s after instead, as a time-out is;
//! the queue under test has a lane for those, or does without. The rival is the heap of the standard library with
//! the same packed keys. All take turns within a round, so that the ratios are worth more than the numbers.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench takes the time and prints it")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::time::Instant;

use brownout_sim::queue::Queue;

const PENDING: [u64; 4] = [100, 10_000, 100_000, 1_000_000];
const STEPS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// What can hold events, as far as the hold model goes.
trait Hold {
    fn push(&mut self, at: u64, constant: bool);
    fn pop(&mut self) -> u64;
}

#[derive(Default)]
struct Std {
    heap: BinaryHeap<Reverse<u128>>,
    pushed: u64,
}

impl Hold for Std {
    #[inline]
    fn push(&mut self, at: u64, _: bool) {
        self.heap.push(Reverse(u128::from(at) << 64 | u128::from(self.pushed << 28)));
        self.pushed += 1;
    }

    #[inline]
    fn pop(&mut self) -> u64 {
        self.heap.pop().map_or(0, |Reverse(key)| (key >> 64) as u64)
    }
}

/// The queue under test, with a lane if there is something to put in it.
#[derive(Default)]
struct Ours<const LANES: usize>(Queue<LANES>);

impl<const LANES: usize> Hold for Ours<LANES> {
    #[inline]
    fn push(&mut self, at: u64, constant: bool) {
        if constant && LANES != 0 {
            self.0.push_lane(0, at, 0);
        } else {
            self.0.push(at, 0);
        }
    }

    #[inline]
    fn pop(&mut self) -> u64 {
        self.0.pop().map_or(0, |fired| fired.at)
    }
}

/// Exponential delays from a table, so that the draw costs next to nothing beside what is measured.
struct Delays {
    table: Vec<u64>,
    state: u64,
}

impl Delays {
    fn new() -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0.0005 to 8 s")]
        let quantile = |place: u32| (-(1.0 - (f64::from(place) + 0.5) / 1024.0).ln() * SECOND as f64) as u64;
        Self { table: (0..1024).map(quantile).collect(), state: 42 }
    }

    /// A step of the table, and a place within a thousandth of the mean after it.
    #[inline]
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.table[(self.state >> 54) as usize] + (self.state >> 24) % (1 << 20)
    }
}

struct Run<H> {
    hold: H,
    delays: Delays,
    constants: bool,
    steps: u64,
}

impl<H: Hold + Default> Run<H> {
    fn new(pending: u64, constants: bool) -> Self {
        let mut run = Self { hold: H::default(), delays: Delays::new(), constants, steps: 0 };
        (0..pending).for_each(|_| run.push_after(0));
        // Past the beginning, in which all delays are counted from the same moment.
        run.nanoseconds_a_step(STEPS.max(2 * pending));
        run
    }

    #[inline]
    fn push_after(&mut self, now: u64) {
        self.steps += 1;
        let constant = self.constants && self.steps.is_multiple_of(2);
        let delay = if constant { SECOND } else { self.delays.next() };
        self.hold.push(now + delay, constant);
    }

    fn nanoseconds_a_step(&mut self, steps: u64) -> f64 {
        let start = Instant::now();
        for _ in 0..steps {
            let now = black_box(self.hold.pop());
            self.push_after(now);
        }
        start.elapsed().as_secs_f64() * 1e9 / steps as f64
    }
}

fn main() {
    let rounds = std::env::var("BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(9);
    println!("pop and push, {rounds} rounds of {STEPS}: ns, median (min to max)");
    for constants in [false, true] {
        println!("  {}", if constants { "every other delay constant" } else { "all delays exponential" });
        for pending in PENDING {
            compare(pending, constants, rounds);
        }
    }
}

/// Prints a line of the table.
fn compare(pending: u64, constants: bool, rounds: usize) {
    let mut rival = Run::<Std>::new(pending, constants);
    let mut plain = Run::<Ours<0>>::new(pending, constants);
    let mut laned = constants.then(|| Run::<Ours<1>>::new(pending, constants));
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        times[0].push(rival.nanoseconds_a_step(STEPS));
        times[1].push(plain.nanoseconds_a_step(STEPS));
        times[2].extend(laned.as_mut().map(|laned| laned.nanoseconds_a_step(STEPS)));
    }
    print!("  {pending:>9} pending");
    for (name, times) in ["BinaryHeap", "Queue", "with a lane"].iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        if let (Some(min), Some(max)) = (times.first(), times.last()) {
            print!("   {name} {:6.1} ({min:.1} to {max:.1})", times[times.len() / 2]);
        }
    }
    println!();
}
