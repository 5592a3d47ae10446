//! A cache that is too cold to be filled.

use brownout_load::LoadResult;
use brownout_scenario::{Scenario, preset_scenario};

use crate::{preset, run_with};

/// Goodput a second of the last seconds, and what the clients asked for.
fn at_the_end(result: &LoadResult) -> (f64, f64) {
    let (series, seconds) = (&result.per_interval, result.per_interval.interval_s as f64);
    // The last interval is not whole; ten are more than ten seconds, at any resolution.
    let last = series.calls.len() - 11..series.calls.len() - 1;
    let rate = |column: &[u64]| column[last.clone()].iter().sum::<u64>() as f64 / (last.len() as f64 * seconds);
    (rate(&series.succeeded), rate(&series.calls))
}

#[test]
fn a_cold_cache_does_not_fill_by_itself() {
    let scenario = preset("cold-cache-boot", &[]);
    for seed in 1..=3 {
        let result = run_with(&scenario, scenario.policy.clone().unwrap(), seed);
        assert!(result.recovery.unwrap().recovered_after_s.is_none());
        // Three quarters of nine tenths are hits still, and the store answers next to nobody.
        let (goodput, offered) = at_the_end(&result);
        assert!((goodput / offered - 0.675).abs() < 0.08, "{goodput} of {offered}");
    }
}

#[test]
fn a_cold_cache_fills_behind_a_throttled_intake() {
    // The phases that the file has as a comment.
    let text = preset_scenario("cold-cache-boot").unwrap().text;
    let (before, after) = text.split_at(text.find("# [[phases]]").unwrap());
    let (phases, after) = after.split_at(after.find("[load]").unwrap());
    let phases: Vec<&str> = phases.lines().map(|line| line.trim_start_matches(['#', ' '])).collect();
    let text =
        [before, &phases.join("\n"), "\n", after].concat().replace("duration = \"300s\"", "duration = \"1500s\"");
    let scenario = Scenario::parse("throttled", &text).unwrap_or_else(|error| panic!("{error}"));
    let (goodput, offered) = at_the_end(&run_with(&scenario, scenario.policy.clone().unwrap(), 1));
    assert!(goodput > 0.99 * offered, "{goodput} of {offered}");
}
