//! Phases that hold in bursts, as they are typed.

use crate::limits::scenario;
use crate::program::{Server, brownout};

const FILE: &str = "examples/flaky-network.toml";

#[test]
fn the_example_shows_that_failures_that_come_together_outlast_retries() {
    let apart = std::fs::read_to_string(crate::program::repository().join(FILE)).unwrap();
    let apart: String =
        apart.lines().filter(|line| !line.starts_with("bursts")).map(|line| format!("{line}\n")).collect();
    assert!(apart.contains("connection_reset = 1.0"));
    let apart = scenario(&apart.replace("connection_reset = 1.0", "connection_reset = 0.1"));
    for seed in 1..=5 {
        let run = |file: &str| brownout(&format!("load {file} --seed {seed} --json")).json();
        let failed = |result: &serde_json::Value| 1.0 - result["success_rate"].as_f64().unwrap();
        let (bursty, apart) = (failed(&run(FILE)), failed(&run(&apart.path().display().to_string())));
        // Ten minutes have a tenth of bad time, ±0.017; most of it outlasts both retries, which 0.1³ of others do not.
        assert!(
            (0.1 - 5.0 * 0.017..0.1 + 5.0 * 0.017).contains(&bursty) && apart < 0.004,
            "seed {seed}: {bursty} {apart}"
        );
    }
}

#[test]
fn the_schedule_is_the_same_for_a_seed_and_another_for_another() {
    let timeline = |seed: u32| brownout(&format!("explain {FILE} --timeline --seed {seed}")).stdout;
    assert_eq!(timeline(1), timeline(1));
    assert_ne!(timeline(1), timeline(2));
    assert_eq!(timeline(1).lines().count(), 1, "one line for all bursts");
    let load = |seed: u32| brownout(&format!("load {FILE} --seed {seed} --json")).stdout;
    assert_eq!(load(1), load(1));
    assert_ne!(load(1), load(2));
}

/// Bursts of one second after every three, from the tenth on.
const REGULAR: &str = "seed = 1\n[[phases]]\nname = \"flaky\"\nfrom = \"10s\"\nuntil = \"30s\"\nbursts = { between = \"3s\", last = \"1s\" }\n";

#[test]
fn explain_says_whether_a_moment_is_in_a_burst() {
    let file = scenario(&format!("{REGULAR}outcomes = {{ error = 1 }}\n"));
    let at = |moment: &str| brownout(&format!("explain {} 1 --at {moment}", file.path().display())).stdout;
    let within = at("17.5s");
    assert!(within.contains("  phase flaky: in burst 2, from 17.000 s to 18.000 s\n"), "{within}");
    assert!(within.contains("  phase flaky: on\n") && within.contains("meets: error"), "{within}");
    let between = at("18s");
    assert!(between.contains("  phase flaky: between bursts; the next begins at 21.000 s\n"), "{between}");
    assert!(between.contains("  phases: none is on\n") && between.contains("meets: success"), "{between}");
    assert!(at("29.5s").contains("  phase flaky: in burst 5, from 29.000 s to 30.000 s\n"));
    assert!(!at("30s").contains("flaky"));
    let timeline = brownout(&format!("explain {} --timeline", file.path().display())).stdout;
    assert!(timeline.ends_with("flaky: error 1, in 5 bursts, 25.0% of the time\n"), "{timeline}");
}

#[test]
fn a_server_knows_its_bursts() {
    let file = scenario(
        "seed = 1\n[[phases]]\nname = \"flaky\"\nbursts = { between = 0, last = \"1h\" }\noutcomes = { error = 1 }\n",
    );
    let server = Server::start(&file.path().display().to_string());
    let load = brownout(&format!("load --url {} --count 5 --seed 1", server.url));
    assert!(load.stdout.contains("  500: 5\n"), "{load:?}");
    let never = scenario(
        "seed = 1\n[[phases]]\nname = \"flaky\"\nbursts = { between = \"1h\", last = 1 }\noutcomes = { error = 1 }\n",
    );
    let server = Server::start(&never.path().display().to_string());
    let load = brownout(&format!("load --url {} --count 5 --seed 1", server.url));
    assert!(load.stdout.contains("  200: 5\n"), "{load:?}");
}

#[test]
fn bursts_that_cannot_be_are_refused_at_their_place() {
    let refused = |text: &str, parts: &[&str]| {
        let file = scenario(text);
        brownout(&format!("check {}", file.path().display())).refused(parts);
    };
    let many = "[[phases]]\nname = \"flaky\"\nlatency = 1\nbursts = { between = \"200ms\", last = \"200ms\" }\n";
    refused(many, &["phase `flaky` would hold in 216000 bursts within 86400s, and at most 100000 can be looked at"]);
    let fine = scenario(&format!("{many}[load]\nduration = \"10h\"\n"));
    assert_eq!(brownout(&format!("check {}", fine.path().display())).code, Some(0));
    refused(&format!("{many}every = \"2s\"\nfor = \"1s\"\n[load]\nduration = \"24h\"\n"), &["phase `flaky` would"]);
    refused("[[phases]]\nname = \"a\"\nlatency = 1\nbursts = { last = 1 }\n", &[":4:10", "needs the key `between`"]);
    let cache = "[service]\ncalls = [\"db\"]\ncache = { keys = 1, hits = 1 }\n[services.db]\n";
    let lost = "[[phases]]\nname = \"a\"\ncache_lost = 1\nbursts = { between = 1, last = 1 }\n";
    refused(&format!("{cache}{lost}"), &[":7:1", "a cache loses its nodes once"]);
}

/// To callers each burst is an outage, which a policy has to outlast; the hour around them is none.
#[test]
fn check_holds_policies_against_one_burst() {
    let file = |last: &str| {
        scenario(&format!(
            "[[phases]]\nname = \"flaky\"\nfrom = \"60s\"\nfor = \"1h\"\nbursts = {{ between = \"10m\", last = \"{last}\" }}\noutcomes = {{ error = 1 }}\n\
             [load]\narrivals = {{ poisson = \"10/s\" }}\nduration = \"2h\"\n\
             [policy]\nmax_retries = 3\nbase_delay = \"1s\"\njitter = \"full\"\nattempt_timeout = \"1s\"\n"
        ))
    };
    let says = |last: &str| {
        let file = file(last);
        brownout(&format!("check {} --json", file.path().display())).stdout.contains("horizon")
    };
    assert!(!says("200ms") && says("5m"));
}
