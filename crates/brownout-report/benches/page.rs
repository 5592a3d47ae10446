//! What a page costs to draw: `cargo bench -p brownout-report --bench page`. `BENCH_ROUNDS` sets the rounds.
//!
//! Of a load as long as a series gets, with latencies in every interval; beside the same result as JSON.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench takes the time and prints it")]

use std::time::Instant;

use brownout_draw::Seed;
use brownout_load::{CallEnd, Expectations, Tally};
use brownout_report::{Format, LoadReport, MadeOf, Origin, Repeat, json};

const SECONDS: u64 = 512;
const CALLS_A_SECOND: u64 = 200;

fn main() {
    let rounds = std::env::var("BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(99);
    let report = report();
    let page = || report.page(Repeat::Command("brownout load".to_owned())).html().len();
    let mut ratios: Vec<(f64, f64)> = (0..rounds).map(|_| (millis(page), millis(|| json(&report).len()))).collect();
    ratios.sort_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)));
    let (drawn, written) = ratios[ratios.len() / 2];
    println!("a page of {SECONDS} intervals, {} KiB, {rounds} rounds, the median one", page() / 1024);
    println!("  page {drawn:.1} ms  JSON {written:.1} ms  page ÷ JSON {:.2}", drawn / written);
}

fn millis(run: impl Fn() -> usize) -> f64 {
    let start = Instant::now();
    assert!(run() > 0);
    1e3 * start.elapsed().as_secs_f64()
}

fn report() -> LoadReport {
    let mut tally = Tally::new(&[]).with_latencies();
    for call in 0..SECONDS * CALLS_A_SECOND {
        let started_ns = call * 1_000_000_000 / CALLS_A_SECOND;
        let elapsed_ns = 1_000_000 * (1 + call * 7919 % 997);
        tally.call(&CallEnd { started_ns, elapsed_ns, attempts: 1, failed: None });
    }
    let part = String::new;
    LoadReport {
        result: tally.result(SECONDS * CALLS_A_SECOND, None),
        origin: Origin {
            seed: Seed(1),
            scenario: part(),
            scenario_digest: part(),
            time: "virtual".into(),
            version: "0".into(),
        },
        made_of: MadeOf { service: part(), load: part(), policy: part(), callee: part() },
        shard: None,
        shards: None,
        start: None,
        expect: Expectations::default(),
        verdict: None,
        success: part(),
        format: Format,
    }
}
