//! Loads that are ended before their end: they report what they have, and say that it is not all.
#![cfg(unix)]

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::program::{PROGRAM, Server, brownout_in};

/// More calls than anybody waits for.
const ENDLESS: &str = r#"
seed = 7
[service]
latency = "20ms"
[load]
arrivals = { poisson = "200/s" }
duration = "1000000s"
[expect]
success_rate = ">= 1%"
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("endless.toml"), ENDLESS).unwrap();
    folder
}

/// A load with `arguments`, begun and under way.
fn begun(folder: &Path, arguments: &str) -> Child {
    let mut command = Command::new(PROGRAM);
    command.arg("load").args(arguments.split_whitespace()).current_dir(folder);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It says what repeats it, and listens for signals a moment later.
    let mut byte = [0];
    while byte != *b"\n" {
        child.stderr.as_mut().unwrap().read_exact(&mut byte).unwrap();
    }
    std::thread::sleep(Duration::from_millis(1000));
    child
}

/// What it left, once it was told to end.
fn ended(child: Child, signal: &str) -> Output {
    assert!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap().success());
    child.wait_with_output().unwrap()
}

#[test]
fn virtual_time_stops_and_tells_what_it_has() {
    let folder = folder();
    let output = ended(begun(folder.path(), "endless.toml --output part.json"), "INT");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{text}");
    // What was met so far is no verdict.
    assert!(text.contains("Verdict: not enough data"), "{text}");
    assert!(text.contains("Cut short: ended by SIGINT after "), "{text}");

    let kept = std::fs::read_to_string(folder.path().join("part.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert!(kept["cut_short"].as_str().unwrap().starts_with("ended by SIGINT after "), "{}", kept["cut_short"]);
    assert_eq!((&kept["verdict"]["met"], &kept["verdict"]["as_expected"]), (&Value::Null, &Value::Null));
    assert!(kept["calls"]["started"].as_u64().unwrap() > 0);
    // Neither `merge` nor `diff` takes it for a whole.
    let merged = brownout_in(folder.path(), &["merge", "part.json"]);
    assert!(merged.code != Some(0) && !merged.stdout.contains("Verdict: met"), "{merged:?}");
    let compared = brownout_in(folder.path(), &["diff", "part.json", "part.json"]);
    assert!(compared.stdout.contains("2 runs were cut short"), "{compared:?}");
}

#[test]
fn over_sockets_too() {
    let (folder, server) = (folder(), Server::start("--seed 42 --success-rate 1"));
    for (arguments, signal, code) in
        [(format!("endless.toml --url {}", server.url), "TERM", 143), ("endless.toml --real".to_owned(), "INT", 130)]
    {
        let output = ended(begun(folder.path(), &format!("{arguments} --output part.json --json")), signal);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["cut_short"], format!("ended by SIG{signal}"));
        assert_eq!(printed["verdict"]["as_expected"], Value::Null);
        assert_eq!(std::fs::read(folder.path().join("part.json")).unwrap(), output.stdout);
    }
}
