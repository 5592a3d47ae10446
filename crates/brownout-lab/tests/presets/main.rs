//! What each scenario of the program must show; a file for each.

mod checkout;
mod ci_registry_429;
mod client_count;
mod cold_cache_boot;
mod dynamodb_throttle;
mod github_api_limits;
mod llm_api_overload;
mod metastable_retry;
mod rehearsals;
mod restart_herd;
mod stacked_retries;

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
    let line = &scenario.load.request;
    let request = Request { method: &line.method, path: &line.path };
    world.load(&request, &scenario.load)
}

/// The mean over five seeds of what `measure` sees in a run of `policy`.
fn mean(scenario: &Scenario, policy: &str, measure: fn(&LoadResult) -> f64) -> f64 {
    (1..=5).map(|seed| measure(&run(scenario, policy, seed))).sum::<f64>() / 5.0
}

fn success(result: &LoadResult) -> f64 {
    result.success_rate.unwrap()
}

fn amplification(result: &LoadResult) -> f64 {
    result.amplification.unwrap()
}
