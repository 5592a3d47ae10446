//! Runners that share one retry budget.

use std::fs;
use std::process::{Command, Stdio};

use crate::program::{PROGRAM, brownout_in};

/// Fifty steps at once against what is down: without a budget 150 retries, with one ten, or a fifth of the runs, which is ten as well.
#[cfg(unix)]
#[test]
fn fifty_steps_against_what_is_down_stop_hammering() {
    let folder = tempfile::tempdir().unwrap();
    let step = |_| {
        let mut command = Command::new(PROGRAM);
        command.args(["run", "--budget", "budget", "--max-retries", "3", "--base-delay", "1ms", "--"]);
        command.args(["sh", "-c", "echo asked >> asked; exit 9"]).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let steps: Vec<_> = (0..50).map(step).collect();
    let ended: Vec<_> = steps.into_iter().map(|step| step.wait_with_output().unwrap()).collect();
    assert!(ended.iter().all(|step| step.status.code() == Some(9)));
    assert_eq!(fs::read_to_string(folder.path().join("asked")).unwrap().lines().count(), 60);
    let denied =
        ended.iter().filter(|step| String::from_utf8_lossy(&step.stderr).contains("the retry budget is spent"));
    assert!(denied.count() >= 40);
}

#[test]
fn a_file_that_holds_no_budget_is_refused_before_anything_is_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes"), "my notes").unwrap();
    let words = |file| ["run", "--budget", file, "--output", "report.json", "--fail-count", "0"];
    brownout_in(folder.path(), &words("notes")).refused(&["--budget", "notes", "holds no retry budget"]);
    assert_eq!(fs::read_to_string(folder.path().join("notes")).unwrap(), "my notes");
    let nowhere = brownout_in(folder.path(), &words("nowhere/budget"));
    assert_eq!((nowhere.code, nowhere.stdout.as_str()), (Some(125), ""));
    assert!(nowhere.stderr.contains("nowhere/budget"), "{}", nowhere.stderr);
}
