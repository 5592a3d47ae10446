//! What the Rust models share: draws, and the clock around a run.

use std::time::Instant;

/// The mean time between two arrivals, in seconds; a service takes one second in the mean, so the load is 0.8.
pub const GAP: f64 = 1.25;

/// Exponential draws from a xorshift generator, those of the loop by hand: no tool is slower for its generator.
#[cfg_attr(feature = "nexosim", derive(serde::Serialize, serde::Deserialize))]
pub struct Draws(u64);

impl Draws {
    pub fn new(seed: u64) -> Draws {
        Draws(0x9E37_79B9_7F4A_7C15 ^ (seed + 1))
    }

    /// A time in whole nanoseconds, around a `mean` in seconds.
    pub fn exponential_ns(&mut self, mean: f64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let unit = ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        (-unit.ln() * mean * 1e9) as u64
    }
}

/// Runs a model with the customers and the seed of the command line, and prints what `mm1` expects of every program.
/// The model returns the mean number of customers inside.
pub fn time(model: impl FnOnce(u64, u64) -> f64) {
    let number = |at: usize| std::env::args().nth(at).and_then(|number| number.parse().ok());
    let (Some(customers), Some(seed)) = (number(1), number(2)) else {
        eprintln!("two numbers are needed: CUSTOMERS SEED");
        std::process::exit(2);
    };
    let start = Instant::now();
    let inside = std::hint::black_box(model(customers, seed));
    let rate = 2.0 * customers as f64 / start.elapsed().as_secs_f64();
    println!("{{\"events_per_second\": {rate:.0}, \"inside_mean\": {inside:.4}}}");
}
