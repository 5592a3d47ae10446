//! Scenario files on the command line.

use crate::program::{brownout, repository};
use snapbox::{assert_data_eq, str};

fn examples() -> Vec<String> {
    let files = std::fs::read_dir(repository().join("examples")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".toml")).collect();
    names.sort();
    names
}

#[test]
fn every_example_is_fine_and_runs() {
    assert!(examples().len() >= 3);
    for name in examples() {
        let check = brownout(&format!("check examples/{name}"));
        // Some are there to show what check warns of, and a bad day is one for any policy.
        let verdict = match name.as_str() {
            "retry-storm.toml" => "valid, 4 warnings",
            "cohorts.toml" => "valid, 7 warnings",
            "bad-day.toml" => "valid, 3 warnings",
            "flaky-network.toml" => "valid, 1 warning",
            _ => "fine",
        };
        assert!(check.code == Some(0) && check.stdout.contains(&format!("examples/{name}: {verdict}\n")), "{check:?}");
        let load = brownout(&format!("load examples/{name} --seed 42"));
        assert!(load.code == Some(0) && load.stdout.starts_with("Load test: "), "{load:?}");
    }
}

/// The file that shows the default must be the default.
#[test]
fn the_practice_example_is_what_runs_without_a_file() {
    let stdout = |file: &str| brownout(&format!("load {file} --count 1000 --seed 9")).stdout;
    assert_eq!(stdout(""), stdout("examples/practice.toml"));
}

#[test]
fn mistakes_are_shown_with_file_line_and_column_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.toml");
    std::fs::write(&file, "seed = \"x\"\n\n[service]\nlatancy = \"40ms\"\noutcomes = { error = 5 }\n").unwrap();
    let run = crate::program::brownout_in(folder.path(), &["check", "bad.toml"]);
    assert_eq!(run.code, Some(2));
    assert_data_eq!(
        &run.stderr,
        str![[r#"
error: a seed is a whole number from 0 to 18446744073709551615, found "x"
 --> bad.toml:1:8
  |
1 | seed = "x"
  |        ^^^

error: service has no key `latancy`
 --> bad.toml:4:1
  |
4 | latancy = "40ms"
  | ^^^^^^^
  |
  = help: did you mean `latency`? known keys: latency, outcomes, routes, capacity, rate_limit, rate_limits, identity, calls, cache, effect, replicas

error: a probability lies from 0 to 1, found 5; for a percentage write "5%"
 --> bad.toml:5:22
  |
5 | outcomes = { error = 5 }
  |                      ^

"#]]
    );
    // No verb begins on a file that is wrong.
    for verb in ["request", "load", "retry", "health", "serve"] {
        let run = crate::program::brownout_in(folder.path(), &[verb, "bad.toml"]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{verb}");
    }
}

#[test]
fn a_file_that_is_not_there_is_told() {
    brownout("check examples/none.toml").refused(&["failed to read the scenario examples/none.toml", "No such file"]);
}

#[test]
fn flags_go_over_the_file() {
    let load = |arguments: &str| brownout(&format!("load examples/payments.toml --json --count 300 {arguments}"));
    let result = load("--path / --failure-rate 1 --max-retries 0 --seed 1").json();
    assert_eq!((&result["total_requests"], &result["seed"]), (&300.into(), &1.into()));
    assert_eq!(result["by_status"].to_string(), r#"{"500":300}"#);
    // A route with outcomes of its own keeps them, and that is said.
    let own = load("--path /search --method GET --failure-rate 1 --max-retries 0");
    assert!(own.json()["by_status"]["200"].as_u64() > Some(200), "{own:?}");
    assert!(
        own.stderr.contains("note: --failure-rate 1 does not reach") && own.stderr.contains("route `/search`"),
        "{own:?}"
    );

    let digest = |arguments: &str| load(arguments).json()["scenario_digest"].clone();
    assert_eq!(digest(""), digest("--seed 5"));
    for other in ["--failure-rate 0.2", "--max-retries 1", "--path /search", "--method GET", "--concurrency 2"] {
        assert_ne!(digest(""), digest(other), "{other}");
    }
}

#[test]
fn a_scenario_says_what_its_load_asks_for() {
    let text = brownout("check examples/payments.toml").stdout;
    assert!(text.contains("load: 1000 × POST /payments/1, clients: 1"), "{text}");
    let text = brownout("load examples/payments.toml").stdout;
    assert!(text.contains("  500: "), "the payments route was not met: {text}");
}

#[test]
fn a_policy_flag_is_a_policy() {
    let retries = |arguments: &str| {
        brownout(&format!("load --seed 1 --count 50 --failure-rate 0.5 --json {arguments}")).json()["attempts"]["retries"].as_u64()
    };
    assert_eq!(retries(""), Some(0));
    assert_eq!(retries("--attempt-timeout 10s --timeout 100s"), Some(0));
    assert!(retries("--jitter full") > Some(0));
    assert_eq!(retries("--jitter full --max-retries 0"), Some(0));
}

#[test]
fn phases_are_counted_apart() {
    let text = brownout("load examples/outage.toml").stdout;
    assert!(text.contains("\nPhase outage: ") && text.contains("\nPhase warming up: "), "{text}");
}

#[test]
fn the_schema_is_json() {
    let schema = brownout("schema").json();
    assert_eq!(schema["title"], "brownout scenario");
}

#[test]
fn moments_are_replayed_from_a_file_beside_the_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    write("in/replay.toml", "seed = 1\n[load]\narrivals.replay = { file = \"list.txt\", speed = 2 }\n");
    write("in/list.txt", "# a log\n2025-03-01T12:00:03Z\n\n2025-03-01T13:00:00.5+01:00\n2025-03-01T12:00:01.5Z\n");
    let run = |arguments: &[&str]| crate::program::brownout_in(folder.path(), arguments);
    let load = run(&["load", "in/replay.toml", "--json"]);
    let result: serde_json::Value = serde_json::from_str(&load.stdout).unwrap();
    // From the first, in half the time: 0, 0.5 and 1.25 s.
    assert_eq!(result["per_interval"]["calls"], serde_json::json!([2, 1]), "{load:?}");
    let check = run(&["check", "in/replay.toml"]);
    assert!(check.stdout.contains("GET /, replayed at 3 moments, for 1.250000001s"), "{check:?}");
    let refused = |list: &str, words: &[&str]| {
        write("in/list.txt", list);
        let run = run(&["check", "in/replay.toml"]);
        assert!(run.code == Some(2) && words.iter().all(|word| run.stderr.contains(word)), "{run:?}");
    };
    refused("1\nnoon\n", &["list.txt: line 2: a moment is", "found `noon`", "in/replay.toml:3:28"]);
    refused(&"1".repeat(5000), &["a line has at most 1024 bytes"]);
    refused("# nothing\n", &["there is no moment to replay"]);
    std::fs::remove_file(folder.path().join("in/list.txt")).unwrap();
    let run = run(&["load", "in/replay.toml"]);
    assert!(run.code == Some(2) && run.stderr.contains("list.txt: No such file"), "{run:?}");
}
