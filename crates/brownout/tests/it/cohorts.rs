//! Cohorts, as they are typed.

use serde_json::Value;

use crate::program::{Run, Server, brownout_in};

/// Three kinds of callers of a service with luck and no capacity; two follow policies of their own.
const COHORTS: &str = r#"
seed = 7
[service.outcomes]
error = 0.3
[load.cohorts.naive]
arrivals = { poisson = "300/s" }
count = 60
policy = "retry-3"
[load.cohorts.plain]
arrivals = { constant = "200/s" }
count = 40
[load.cohorts.patient]
arrivals = { closed = { clients = 4 } }
count = 40
policy = "patient"
[policies.patient]
max_retries = 1
base_delay = "5ms"
"#;

fn run(text: &str, arguments: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cohorts.toml"), text).unwrap();
    brownout_in(folder.path(), &arguments.split_whitespace().collect::<Vec<_>>())
}

/// Of each cohort its name, what it met, and how many attempts it made.
fn met(run: &Run) -> Vec<Value> {
    let cohorts = run.json()["cohorts"].as_array().unwrap().clone();
    let parts = |cohort: &Value| {
        let attempts = &cohort["attempts"];
        serde_json::json!([
            cohort["name"],
            cohort["by_status"],
            attempts["total"],
            attempts["retries"],
            cohort["gave_up"]
        ])
    };
    cohorts.iter().map(parts).collect()
}

#[test]
fn cohorts_meet_the_same_in_virtual_time_and_over_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cohorts.toml");
    std::fs::write(&file, COHORTS).unwrap();
    let file = file.to_str().unwrap();
    let simulated = brownout_in(folder.path(), &["load", file, "--json"]);
    let server = Server::start(file);
    let real = brownout_in(folder.path(), &["load", file, "--json", "--url", &server.url]);
    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0));
    assert_eq!(met(&simulated), met(&real));
    let names: Vec<Value> = met(&simulated).iter().map(|cohort| cohort[0].clone()).collect();
    assert_eq!(names, ["naive", "plain", "patient"]);
    assert_eq!(simulated.json()["calls"]["offered"], 140);
}

#[test]
fn flags_that_would_change_nothing_are_refused() {
    run(COHORTS, "load cohorts.toml --count 5").refused(&["--count is for one population", "has cohorts", "drop it"]);
    run(COHORTS, "load cohorts.toml --concurrency 5").refused(&["--concurrency is for one population"]);
    run(COHORTS, "agree cohorts.toml --count 5").refused(&["--count is for one population", "has cohorts", "drop it"]);
    let all_own =
        COHORTS.replace("count = 40\n[load.cohorts.patient]", "count = 40\npolicy = \"none\"\n[load.cohorts.patient]");
    run(&all_own, "load cohorts.toml --max-retries 2")
        .refused(&["every cohort of the scenario has a policy of its own"]);
    run(&all_own, "compare cohorts.toml").refused(&["no other would change anything", "drop the `policy`"]);
    run(&all_own, "storm cohorts.toml --policies none").refused(&["no other would change anything"]);
}

#[test]
fn comparing_changes_those_who_follow() {
    let run = run(COHORTS, "compare cohorts.toml --policies none,retry-2 --seeds 2 --json");
    let success = |arm: usize| run.json()["policies"][arm]["success_rate"]["mean"].as_f64().unwrap();
    assert!(success(0) < success(1), "{run:?}");
}

#[test]
fn each_cohorts_policy_is_linted_beside_its_own_load() {
    let risky = COHORTS.replace(
        "[service.outcomes]\nerror = 0.3",
        "[service.capacity]\nworkers = 1\nservice_time = \"2ms\"\n[policy]\nattempt_timeout = \"100ms\"\nmax_retries = 0",
    );
    let run = run(&risky, "check cohorts.toml --json");
    let findings = run.json()["findings"].as_array().unwrap().clone();
    let storm = findings.iter().find(|finding| finding["rule"] == "retry-storm").unwrap();
    assert_eq!(storm["policies"], serde_json::json!(["cohort naive"]));
    assert_eq!(storm["key"].as_str().unwrap(), "load.cohorts.naive.policy.max_retries");
}
