//! What it costs to start: `cargo bench -p brownout --bench startup`.
//!
//! Runs `brownout request` and `/bin/true` in turn as whole processes, many times, and prints the ratio pair by pair.

#![expect(clippy::print_stdout, reason = "a bench prints ratios")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PAIRS: usize = 200;

fn main() {
    let once = |program: &str, arguments: &[&str]| {
        let start = Instant::now();
        let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.expect("the program starts").success());
        start.elapsed()
    };
    let ours = || once(env!("CARGO_BIN_EXE_brownout"), &["request", "--seed", "42"]);
    let bare = || once("/bin/true", &[]);
    for _ in 0..20 {
        ours();
        bare();
    }
    let mut ratios: Vec<f64> = (0..PAIRS).map(|_| ratio(ours(), bare())).collect();
    ratios.sort_by(f64::total_cmp);
    let percentile = |percent: usize| ratios[percent * (PAIRS - 1) / 100];
    println!("brownout request ÷ /bin/true, wall time of whole processes, {PAIRS} pairs");
    println!("  p10 {:.2}  median {:.2}  p90 {:.2}", percentile(10), percentile(50), percentile(90));
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
