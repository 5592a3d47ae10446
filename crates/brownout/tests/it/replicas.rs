//! One bad replica of five, in virtual time and over sockets.

use crate::limits::scenario;
use crate::program::{Server, brownout, repository};

/// The example, its callers kept together by `sticky`.
fn example(sticky: &str) -> tempfile::NamedTempFile {
    let text = std::fs::read_to_string(repository().join("examples/bad-replica.toml")).unwrap();
    assert!(text.contains("sticky = \"client\""));
    scenario(&text.replacen("sticky = \"client\"", &format!("sticky = \"{sticky}\""), 1))
}

/// The share of the calls begun in the bad phase that failed.
fn failed(file: &std::path::Path, seed: u32) -> f64 {
    let result = brownout(&format!("load {} --seed {seed} --json", file.display())).json();
    let phase = &result["phases"][0];
    let count = |key: &str| phase[key].as_f64().unwrap();
    1.0 - count("succeeded") / count("calls")
}

#[test]
fn the_example_shows_that_who_is_drawn_anew_escapes_and_who_is_kept_does_not() {
    let (kept, anew) = (example("client"), example("none"));
    for seed in 1..=5 {
        // Some 40 of 200 clients land there, with a standard deviation of 5.7, and all their calls fail.
        let share = failed(kept.path(), seed);
        assert!((share - 0.2).abs() < 5.0 * 0.0283, "seed {seed}: {share}");
        // Three attempts all land there: 0.2³ of some 12,000 calls, with a standard deviation of 0.0008.
        let share = failed(anew.path(), seed);
        assert!((share - 0.008).abs() < 5.0 * 0.0008, "seed {seed}: {share}");
    }
}

/// One in five attempts fails, whatever keeps them together; which, both worlds know.
#[test]
fn virtual_time_and_http_land_on_the_same_replicas() {
    for (sticky, load, clients) in [
        ("none", "", 8),
        // Whose turn it is among closed clients is a matter of real time; open ones take turns.
        ("client", "", 1),
        ("client", "arrivals = { constant = \"500/s\" }\nclients = 20\n", 20),
        ("connection", "", 1),
        ("address", "", 8),
        ("header:x-shard", "request = { headers = { X-Shard = \"blue\" } }\n", 8),
        ("header:x-shard", "", 8),
        ("header:idempotency-key", "request = { idempotency_key = true }\n", 8),
    ] {
        let file = scenario(&format!(
            "[service.replicas]\ncount = 3\nsticky = \"{sticky}\"\n[[phases]]\nname = \"bad\"\nreplica = 2\noutcomes = {{ error = 0.5 }}\n\
             [[phases]]\nname = \"worse\"\nreplicas = [1, 3]\noutcomes = {{ status = [{{ rate = 0.2, code = 403 }}] }}\n\
             [load]\ncount = 200\n{load}[policy]\nmax_retries = 1\nbase_delay = 0\n"
        ));
        let server = Server::start(&format!("{} --seed 42", file.path().display()));
        let clients = if load.contains("arrivals") { String::new() } else { format!("--clients {clients}") };
        let common = format!("load {} --seed 42 --json {clients}", file.path().display());
        let (foretold, met) = (brownout(&common).json(), brownout(&format!("{common} --url {}", server.url)).json());
        assert_eq!(foretold["by_status"], met["by_status"], "{sticky} {load}");
        assert!(foretold["by_status"].as_object().unwrap().len() > 1, "{sticky}: {foretold}");
    }
}

#[test]
fn the_replica_is_named_on_the_wire_and_by_explain() {
    let file = scenario(
        "seed = 7\n[service.replicas]\ncount = 5\nsticky = \"client\"\n[[phases]]\nname = \"bad\"\nreplica = 4\nlatency = \"1ms\"\n",
    );
    let file = file.path().display();
    let server = Server::start(&file.to_string());
    let decision = |answer: &serde_json::Value| answer["headers"]["x-brownout-decision"].as_str().unwrap().to_owned();
    let met = decision(&brownout(&format!("request {file} --url {}", server.url)).json());
    assert_eq!(met, decision(&brownout(&format!("request {file}")).json()));
    let mut seen = std::collections::BTreeSet::new();
    for client in 0..40 {
        let explain = brownout(&format!("explain {file} 1 --client {client}")).stdout;
        let replica = explain.split("  lands on replica ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        assert!(explain.contains(&format!(";replica={replica}\n")), "{explain}");
        assert_eq!(explain.contains("  phase bad: on\n"), replica == "4", "{explain}");
        assert!(client > 0 || met.ends_with(&format!(";replica={replica}")), "{met} {explain}");
        seen.insert(replica);
    }
    assert_eq!(seen.len(), 5);
    let timeline = brownout(&format!("explain {file} --timeline")).stdout;
    assert!(timeline.contains("bad on replica 4: another latency"), "{timeline}");
}
