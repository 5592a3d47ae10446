//! `compare`, as it is typed.

use std::path::Path;
use std::process::Command;

use crate::program::{PROGRAM, Run, brownout_in};

/// A small service that is stopped for two seconds.
const STORM: &str = r#"
seed = 5
[service.capacity]
workers = 4
service_time = { exponential = "20ms" }
queue = { length = 160 }
[[phases]]
name = "stop"
from = "5s"
for = "2s"
capacity = 0
[load]
arrivals = { poisson = "160/s" }
duration = "20s"
clients = 100
[policy]
max_retries = 2
attempt_timeout = "200ms"
[policies]
one = { max_retries = 1 }
sdk = "aws-standard-2.1"
"#;

fn compare(text: &str, arguments: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("storm.toml"), text).unwrap();
    let arguments: Vec<&str> = ["compare", "storm.toml"].into_iter().chain(arguments.split_whitespace()).collect();
    brownout_in(folder.path(), &arguments)
}

fn names(run: &Run) -> Vec<String> {
    let json = run.json();
    json["policies"].as_array().unwrap().iter().map(|arm| arm["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn policies_are_those_asked_for_else_those_of_the_file_else_the_usual() {
    assert_eq!(names(&compare(STORM, "--seeds 1 --json")), ["one", "sdk"]);
    assert_eq!(
        names(&compare(STORM, "--seeds 1 --json --policies sdk,scenario,retry-2")),
        ["sdk", "scenario", "retry-2"]
    );
    let bare = &STORM[..STORM.find("[policies]").unwrap()];
    assert_eq!(names(&compare(bare, "--seeds 1 --json")), ["none", "scenario", "retry-3-jitter", "budget-10"]);
}

#[test]
fn the_result_is_the_same_on_one_thread_and_on_four() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("storm.toml"), STORM).unwrap();
    let with = |threads: &str, folder: &Path| {
        let mut command = Command::new(PROGRAM);
        command.args(["compare", "storm.toml", "--seeds", "6", "--json"]).env("RAYON_NUM_THREADS", threads);
        command.current_dir(folder).output().unwrap().stdout
    };
    let one = with("1", folder.path());
    assert!(one.len() > 1000);
    assert_eq!(one, with("4", folder.path()));
}

#[test]
fn the_first_run_is_the_one_that_load_makes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("storm.toml"), STORM).unwrap();
    let load = brownout_in(folder.path(), &["load", "storm.toml", "--json"]).json();
    let compared =
        brownout_in(folder.path(), &["compare", "storm.toml", "--policies", "scenario", "--seeds", "1", "--json"])
            .json();
    assert_eq!(compared["policies"][0]["success_rate"]["mean"], load["success_rate"]);
    assert_eq!(compared["policies"][0]["amplification"]["mean"], load["amplification"]);
    assert_eq!(compared["events"], load["events"]);
}

#[test]
fn mistakes_are_refused_before_anything_is_run() {
    compare(STORM, "--policies nonne").refused(&["there is no policy `nonne`", "did you mean `none`?", "one, sdk"]);
    compare(STORM, "--seeds 0").refused(&["from 1 to"]);
    compare(STORM, "--max-events 0").refused(&["a bound on events"]);
    let silent = STORM.replace("queue =", "shed = \"silent\"\nqueue =").replace("attempt_timeout", "base_delay");
    compare(&silent, "").refused(&["leaves the callers of", "`attempt_timeout` or a `deadline`"]);
}

#[test]
fn a_run_that_is_cut_short_says_so_and_fails() {
    let run = compare(STORM, "--seeds 2 --max-events 100");
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("2 runs were cut short: the bound of 100 events was reached"), "{}", run.stdout);
}
