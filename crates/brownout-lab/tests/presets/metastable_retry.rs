//! One retry makes a short outage last.

use brownout_scenario::{Scenario, preset_scenario};

use crate::{preset, run};

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
