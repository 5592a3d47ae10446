//! `storm`, as it is typed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{PROGRAM, Run, brownout_in};

/// A small service that is stopped for a second.
const STORM: &str = r#"
seed = 5
[service.capacity]
workers = 4
service_time = { exponential = "20ms" }
queue = { length = 160 }
[[phases]]
name = "stop"
from = "5s"
for = "1s"
capacity = 0
[load]
arrivals = { poisson = "130/s" }
duration = "10s"
clients = 100
[policy]
max_retries = 1
attempt_timeout = "200ms"
"#;

fn storm_in(folder: &Path, text: &str, arguments: &str) -> Run {
    std::fs::write(folder.join("storm.toml"), text).unwrap();
    let arguments: Vec<&str> = ["storm", "storm.toml"].into_iter().chain(arguments.split_whitespace()).collect();
    brownout_in(folder, &arguments)
}

fn storm(text: &str, arguments: &str) -> Run {
    storm_in(tempfile::tempdir().unwrap().path(), text, arguments)
}

#[test]
fn the_exit_code_is_the_verdict() {
    let check = |arguments: &str, code: i32, says: &str| {
        let run = storm(STORM, &format!("--verdict-only {arguments}"));
        assert_eq!(run.code, Some(code), "{arguments}: {run:?}");
        assert!(run.stdout.contains(says), "{arguments}: {}", run.stdout);
    };
    check("--seeds 35", 99, "scenario: metastable. 35 of 35 seeds did not recover within 30 s");
    check("--seeds 35 --policies none", 0, "none: stable. 0 of 35 seeds did not recover");
    check("--seeds 35 --policies none,scenario", 99, "no trigger can hold it down");
    check("--seeds 35 --expect metastable", 0, "scenario: metastable.");
    check("--seeds 35 --expect stable", 99, "scenario: metastable.");
    check("--seeds 6 --policies none", 98, "none: undecided.");
    check("--seeds 2 --max-events 1000", 98, "2 seeds were cut short: the bound of 1000 events was reached");
}

#[test]
fn what_can_be_told_before_comes_first_and_is_part_of_the_json() {
    let run = storm(STORM, "--seeds 2 --verdict-only");
    assert!(
        run.stdout.starts_with("Before any run, utilisation × attempts a call while all fail:\n"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("0.65 × 2.00 = 1.30: vulnerable; above 1 from 100/s on"), "{}", run.stdout);
    let json = storm(STORM, "--seeds 2 --verdict-only --json").json();
    let policy = &json["policies"][0];
    assert_eq!((&policy["precheck"]["vulnerable"], &policy["verdict"]), (&true.into(), &"undecided".into()));
    assert_eq!((&json["seed"], &policy["not_recovered"]["of"]), (&5.into(), &2.into()));
}

#[test]
fn the_result_is_the_same_on_one_thread_and_on_two() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("storm.toml"), STORM).unwrap();
    let with = |threads: &str, arguments: &str| {
        let mut command = Command::new(PROGRAM);
        command.args(["storm", "storm.toml", "--json"]).args(arguments.split_whitespace());
        command.env("RAYON_NUM_THREADS", threads).current_dir(folder.path()).output().unwrap().stdout
    };
    for arguments in ["--seeds 5", "--map --seeds 5 --loads 60%,100% --triggers 100ms,1s"] {
        let one = with("1", arguments);
        assert!(one.len() > 500);
        assert_eq!(one, with("2", arguments));
    }
}

#[test]
fn what_is_no_experiment_is_refused_before_anything_is_run() {
    let without = |part: &str| STORM.replace(part, "");
    let phases = &STORM[STORM.find("[[phases]]").unwrap()..STORM.find("[load]").unwrap()];
    storm(&without(phases), "").refused(&["has no phases", "give it a trigger"]);
    storm(&without("for = \"1s\""), "").refused(&["phase `stop` never ends", "`for` or `until`"]);
    storm(STORM, "--horizon 5s").refused(&["5s after the trigger is too short", "it takes 30s", "leave --horizon out"]);
    storm(&STORM.replace("130/s", "230/s"), "").refused(&["overloaded before anything goes wrong", "230/s take 1.15"]);
    let closed =
        STORM.replace("{ poisson = \"130/s\" }", "{ closed = { clients = 9 } }").replace("clients = 100\n", "");
    storm(&closed, "").refused(&["arrivals are closed", "poisson"]);
    storm(STORM, "--policies nonne").refused(&["there is no policy `nonne`", "did you mean `none`?"]);
    storm(STORM, "--seeds 0").refused(&["from 1 to"]);
    storm(STORM, "--loads 50%").refused(&["--map"]);
    storm(STORM, "--map --loads 0%..x").refused(&["loads are multiples of the scenario's"]);
}

#[test]
fn a_map_has_its_edge_where_the_pre_check_says() {
    let map = storm(STORM, "--map --seeds 35 --loads 70%,100%,160% --triggers 1s --policies scenario,none");
    assert_eq!(map.code, Some(0), "{map:?}");
    let lines: Vec<&str> = map.stdout.lines().collect();
    let rest = |start: &str| lines.iter().find_map(|line| line.trim_start().strip_prefix(start)).map(str::trim);
    assert_eq!(rest("208/s 160%"), Some("#   hopeless"), "{}", map.stdout);
    assert_eq!(rest("130/s 100%"), Some("M   vulnerable"));
    assert_eq!(rest("91/s 70%"), Some(".   safe"));
    let edge = lines.iter().position(|line| line.ends_with("vulnerable from 100/s on, says the pre-check")).unwrap();
    assert!(lines[edge - 1].contains("130/s") && lines[edge + 1].contains("91/s"));
    assert!(map.stdout.contains(". stable · M metastable · # overloaded"), "{}", map.stdout);
}

const MAP: &str = "--map --seeds 6 --loads 40%..100%:5 --triggers 200ms,400ms,600ms,1s --json --resume kept.json";

/// A real interrupt of a real process: what was finished is kept, and the same command comes to the same bytes.
#[cfg(unix)]
#[test]
fn a_map_that_was_interrupted_goes_on_and_comes_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let whole = storm_in(folder.path(), STORM, MAP);
    assert_eq!(whole.code, Some(0), "{whole:?}");
    let kept = folder.path().join("kept.json");
    let complete = std::fs::read(&kept).unwrap();
    std::fs::remove_file(&kept).unwrap();

    let mut command = Command::new(PROGRAM);
    command.args(["storm", "storm.toml"]).args(MAP.split_whitespace()).current_dir(folder.path());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while !kept.exists() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!((ended.status.code(), ended.stdout.len()), (Some(130), 0), "{said}");
    assert!(said.contains("of 20 cells are kept in kept.json, and the same command goes on from there"), "{said}");
    assert!(std::fs::read(&kept).unwrap().len() < complete.len());

    let resumed = storm_in(folder.path(), STORM, MAP);
    assert!(resumed.stderr.contains("are in kept.json already"), "{}", resumed.stderr);
    assert_eq!((resumed.code, &resumed.stdout), (Some(0), &whole.stdout));
    assert_eq!(std::fs::read(&kept).unwrap(), complete);

    storm_in(folder.path(), &STORM.replace("130/s", "131/s"), MAP)
        .refused(&["kept.json is of another map", "name another"]);
    storm_in(folder.path(), STORM, &format!("{MAP} --seed 6")).refused(&["kept.json is of another seed: 5, here 6"]);
    std::fs::write(&kept, "{}").unwrap();
    storm_in(folder.path(), STORM, MAP).refused(&["kept.json is no file of finished cells", "name another"]);
}
