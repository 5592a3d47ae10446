//! `load --live` on a terminal: it is left as it was found, however the run ends, and the run still reports.
#![cfg(all(unix, feature = "tui"))]

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::program::{PROGRAM, brownout};
use crate::terminal::Terminal;

fn scenario(duration: &str) -> String {
    format!(
        r#"
seed = 7
[service]
latency = "20ms"
[[phases]]
name = "outage"
from = "1s"
for = "1s"
outcomes = {{ error = 0.5 }}
[load]
arrivals = {{ constant = "100/s" }}
duration = "{duration}"
"#
    )
}

/// A load of its own service that lasts so long.
fn load(folder: &Path, duration: &str, arguments: &[&str]) -> Command {
    std::fs::write(folder.join("open.toml"), scenario(duration)).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["load", "open.toml", "--real"]).args(arguments).current_dir(folder);
    command
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn it_is_left_clean_at_the_end() {
    let (folder, terminal) = (tempfile::tempdir().unwrap(), Terminal::new());
    let mut child = terminal.begin(&mut load(folder.path(), "3s", &["--live"]));
    // Only what is not there yet is drawn: of spaces nothing is.
    for seen in ["brownout", "second", "Attempts", "p50", "p99", "outage"] {
        terminal.wait_for(seen);
    }
    let (status, words) = terminal.left(&mut child, "Schedule lag");
    assert!(words.starts_with("Load test: 300 requests\n") && !words.contains("Cut short"), "{words}");
    // A machine that does not keep up says so.
    assert!(matches!(status.code(), Some(0 | 98)), "{status}: {words}");
}

#[test]
fn keys_and_signals_end_the_run_and_it_reports() {
    type How<'h> = &'h dyn Fn(&Terminal, &Child);
    let ways: [(How<'_>, i32, &str); 5] = [
        (&|terminal, _| terminal.press("q"), 1, "ended by a key"),
        (&|terminal, _| terminal.press("\x1b"), 1, "ended by a key"),
        (&|terminal, _| terminal.press("\x03"), 130, "ended by SIGINT"),
        (&|_, child| signal(child, "INT"), 130, "ended by SIGINT"),
        (&|_, child| signal(child, "TERM"), 143, "ended by SIGTERM"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (end, code, why) in ways {
        let terminal = Terminal::new();
        let mut child = terminal.begin(&mut load(folder.path(), "1000s", &["--live", "--output", "part.json"]));
        terminal.wait_for("flight");
        end(&terminal, &child);
        let (status, words) = terminal.left(&mut child, "Cut short");
        assert_eq!(status.code(), Some(code), "{words}");
        assert!(words.starts_with("Load test: ") && words.contains(&format!("Cut short: {why}")), "{words}");
        let kept = std::fs::read_to_string(folder.path().join("part.json")).unwrap();
        assert!(kept.contains(&format!("\"cut_short\": \"{why}\"")), "{kept}");
    }
}

#[test]
fn without_a_terminal_it_is_refused_before_anything_is_run() {
    brownout("load --real --live").refused(&["--live takes a whole terminal, and standard output is none", "drop it"]);
    brownout("load --live").refused(&["--live is of a load over sockets", "add --real, or --url URL"]);
}

#[test]
fn a_long_run_tells_how_far_it_is_and_wipes_it() {
    let (folder, terminal) = (tempfile::tempdir().unwrap(), Terminal::new());
    let mut command = load(folder.path(), "3s", &["--json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(terminal.end()).env("TERM", "xterm");
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    // Data is not touched by it.
    assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok());
    // Each line is wiped from its end on, and only the last from its beginning.
    terminal.wait_for("\r\x1b[K");
    let told = terminal.drawn();
    assert!(told.contains(" calls, ") && told.contains(" in flight, ") && told.contains(" left"), "{told:?}");
    assert!(told.ends_with("\r\x1b[K"), "{told:?}");

    let terminal = Terminal::new();
    let mut command = load(folder.path(), "2s", &["--json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(terminal.end()).env("TERM", "dumb");
    command.spawn().unwrap().wait_with_output().unwrap();
    terminal.wait_for("\n");
    assert_eq!(terminal.drawn(), "seed 7, scenario open.toml\r\n");
}
