//! What each scenario of the program must show.

use brownout_draw::Seed;
use brownout_load::LoadResult;
use brownout_policy::{Policy, Settings};
use brownout_scenario::{Scenario, preset_scenario};
use brownout_service::Request;
use brownout_sim::World;

/// The preset called `name` with `changes` made to its text: (what, by what).
fn preset(name: &str, changes: &[(&str, &str)]) -> Scenario {
    let mut text = preset_scenario(name).unwrap().text.to_owned();
    for (what, by) in changes {
        assert!(text.contains(what), "{name} has no {what}");
        text = text.replacen(what, by, 1);
    }
    Scenario::parse(name, &text).unwrap_or_else(|error| panic!("{error}"))
}

fn run(scenario: &Scenario, policy: &str, seed: u64) -> LoadResult {
    let settings = scenario.named_policy(policy).unwrap_or_else(|| panic!("no policy {policy}"));
    run_with(scenario, settings, seed)
}

fn run_with(scenario: &Scenario, settings: Settings, seed: u64) -> LoadResult {
    let policy = Policy::new(settings).unwrap();
    let world = World::new(&scenario.service, &policy, Seed(seed)).with_graph(&scenario.graph);
    let request = Request { method: "GET", path: "/" };
    world.load(&request, &scenario.load)
}

/// Whether the service of `metastable-retry` comes back, of three seeds.
#[track_caller]
fn comes_back(scenario: &Scenario, policy: &str, expected: bool) {
    for seed in 1..=3 {
        let recovery = run(scenario, policy, seed).recovery.unwrap();
        assert_eq!(recovery.recovered_after_s.is_some(), expected, "{policy}, seed {seed}: {recovery:?}");
        // Either it is wholly well at the end, or nobody is served at all.
        let after = recovery.goodput_after.unwrap();
        assert!(expected || after < 5.0, "{policy}, seed {seed}: {after}");
    }
}

#[test]
fn metastable_retry_never_comes_back_with_one_retry_nor_with_jitter() {
    let scenario = preset("metastable-retry", &[]);
    comes_back(&scenario, "paper", false);
    comes_back(&scenario, "jitter", false);
}

#[test]
fn metastable_retry_comes_back_with_a_budget_or_without_retries() {
    let scenario = preset("metastable-retry", &[]);
    comes_back(&scenario, "none", true);
    comes_back(&scenario, "budget", true);
}

#[test]
fn metastable_retry_comes_back_with_a_short_queue_or_the_last_first() {
    comes_back(&preset("metastable-retry", &[("length = \"unbounded\"", "length = 100")]), "paper", true);
    let lifo = preset("metastable-retry", &[("length = \"unbounded\"", "length = \"unbounded\", order = \"lifo\"")]);
    comes_back(&lifo, "paper", true);
}

#[test]
fn metastable_retry_is_well_without_its_trigger_and_below_half_of_its_load() {
    let text = preset_scenario("metastable-retry").unwrap().text;
    let (before, rest) = text.split_once("[[phases]]").unwrap();
    let (_, after) = rest.split_once("[load]").unwrap();
    let quiet = Scenario::parse("quiet", &format!("{before}[load]{after}")).unwrap();
    for seed in 1..=3 {
        let rate = run(&quiet, "paper", seed).success_rate.unwrap();
        assert!(rate > 0.99, "{rate}");
    }
    comes_back(&preset("metastable-retry", &[("280/s", "140/s")]), "paper", true);
}

/// The way out that operators took: let in a tenth until the backlog is gone, and then more step by step. By then 18,600 requests
/// wait (10 s of 560, and 50 s of 560 less 300 a second), which takes 76 s at 56 a second.
#[test]
fn metastable_retry_is_brought_back_by_throttling_the_intake() {
    let steps = [(120, "10%"), (180, "10%"), (240, "50%"), (300, "90%")];
    let step = |(from, intake)| {
        format!("[[phases]]\nname = \"step {from}\"\nfrom = \"{from}s\"\nfor = \"60s\"\nintake = \"{intake}\"\n\n")
    };
    let phases: String = steps.map(step).concat();
    let scenario = preset("metastable-retry", &[("[load]", &format!("{phases}[load]"))]);
    for seed in 1..=3 {
        let result = run(&scenario, "paper", seed);
        let recovery = result.recovery.unwrap();
        assert_eq!((recovery.trigger_from_s, recovery.trigger_until_s), (60.0, 70.0));
        let last = &result.per_interval.succeeded[result.per_interval.succeeded.len() - 50..];
        let second = result.per_interval.interval_s as f64;
        assert!(last.iter().sum::<u64>() as f64 > 0.95 * 280.0 * 49.0 * second, "{last:?}");
    }
}

#[test]
fn stacked_retries_multiply_and_budgets_at_both_layers_bring_them_down() {
    let scenario = preset("stacked-retries", &[]);
    for (policy, attempts) in [("sdk", 3.0), ("in-framework", 12.0), ("in-job-queue", 36.0)] {
        assert_eq!(run(&scenario, policy, 1).amplification, Some(attempts), "{policy}");
    }
    let budgeted = run(&scenario, "budgeted", 1).amplification.unwrap();
    assert!((budgeted - 1.21).abs() < 0.02, "{budgeted}");
    // What the file runs by itself is the SDK inside the framework.
    assert_eq!(run_with(&scenario, scenario.policy.clone().unwrap(), 1).amplification, Some(12.0));
}

#[test]
fn a_restart_herd_never_gets_up_by_fixed_retries_and_does_by_longer_ones() {
    let scenario = preset("restart-herd", &[]);
    let hour = 3600.0;
    let fixed = run(&scenario, "fixed", 1);
    assert!(fixed.success_rate.unwrap() < 0.5, "only a small part within the hour");
    let up: Vec<(f64, f64)> = ["exponential", "full-jitter", "long-jitter"]
        .map(|policy| run(&scenario, policy, 1))
        .map(|result| (result.duration_s, result.amplification.unwrap()))
        .to_vec();
    for (seconds, amplification) in &up {
        assert!((60.0..hour / 4.0).contains(seconds), "minutes: {up:?}");
        assert!(*amplification < fixed.amplification.unwrap() / 10.0, "{up:?}");
    }
    assert!(up[1].0 > up[0].0 / 2.0, "jitter is no faster: {up:?}");
}

/// Google Cloud, 12 June 2025: small regions were back at once, the largest after hours.
#[test]
fn a_restart_herd_takes_longer_the_larger_it_is() {
    let herd =
        |clients: &str| run(&preset("restart-herd", &[("5_000", clients), ("5_000", clients)]), "full-jitter", 1);
    let (small, middle, large) = (herd("1_000"), herd("5_000"), herd("10_000"));
    assert!(small.success_rate == Some(1.0) && small.duration_s < 60.0, "{}", small.duration_s);
    assert!(middle.success_rate == Some(1.0) && middle.duration_s > 10.0 * small.duration_s, "{}", middle.duration_s);
    assert!(large.success_rate.unwrap() < 0.5, "within the hour");
}

#[test]
fn a_restart_herd_that_is_spread_or_turned_away_is_up_in_seconds() {
    let closed = "{ closed = { clients = 5_000 } }";
    let spread = run(&preset("restart-herd", &[(closed, "{ constant = \"250/s\" }")]), "fixed", 1);
    assert_eq!(spread.amplification, Some(1.0));
    assert!(spread.duration_s < 30.0, "{}", spread.duration_s);
    let shedding = run(&preset("restart-herd", &[("length = \"unbounded\"", "length = 300")]), "fixed", 1);
    assert_eq!(shedding.success_rate, Some(1.0));
    assert!(shedding.duration_s < 60.0, "{}", shedding.duration_s);
}

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
