//! What a command reads and writes through the runner.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::program::PROGRAM;

/// The runner with these flags around `script`, by `sh`.
fn runner(folder: &Path, flags: &str, script: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("run").args(["--base-delay", "1ms"]).args(flags.split_whitespace());
    command.args(["--", "sh", "-c", script]).current_dir(folder).stdin(Stdio::null());
    command
}

fn output(folder: &Path, flags: &str, script: &str) -> Output {
    runner(folder, flags, script).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Starts the runner with a pipe for standard input and hands it `input`; the pipe is kept open where `open` says so.
fn with_pipe(mut command: Command, input: &[u8], open: bool) -> (Child, Option<std::process::ChildStdin>) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input).unwrap();
    (child, open.then_some(stdin))
}

/// What each attempt reads is told on standard output; all three fail.
const READ: &str = "wc -c; exit 1";

#[test]
fn every_attempt_reads_all_of_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    // More than a pipe holds, and more than is read at once.
    let input = vec![b'x'; 300_000];
    let (child, _) = with_pipe(runner(folder.path(), "--max-retries 2", READ), &input, false);
    let ended = child.wait_with_output().unwrap();
    let counts: Vec<&str> = text(&ended.stdout).split_whitespace().collect();
    assert_eq!((ended.status.code(), counts), (Some(1), vec!["300000"; 3]));
}

#[test]
fn a_file_is_read_again_from_where_it_stood() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("input"), "first line\nrest").unwrap();
    let script = format!(
        "{{ read line; {PROGRAM} run --base-delay 1ms --max-retries 1 -- sh -c 'cat; echo; exit 1'; }} < input"
    );
    let ended = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    assert_eq!(text(&ended.stdout), "rest\nrest\n");
}

#[test]
fn stdin_can_be_read_once_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    for (mode, counts) in [("once", ["5", "0"]), ("none", ["0", "0"])] {
        let flags = format!("--max-retries 1 --stdin {mode}");
        let (child, _) = with_pipe(runner(folder.path(), &flags, READ), b"12345", false);
        let ended = child.wait_with_output().unwrap();
        assert_eq!(text(&ended.stdout).split_whitespace().collect::<Vec<_>>(), counts, "{mode}");
    }
}

/// The pipe here stays open as long as the run lasts.
#[test]
fn an_input_without_end_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let script = "read line; echo got $line; exit 1";
    let (child, stdin) = with_pipe(runner(folder.path(), "--max-retries 2", script), b"one\n", true);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(text(&ended.stdout), "got one\n".repeat(3));
    drop(stdin);
}

#[test]
fn an_input_too_long_to_keep_ends_the_run_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "--max-retries 2 --stdin-max 1KiB";
    let (child, _) = with_pipe(runner(folder.path(), flags, "wc -c; exit 7"), &[b'x'; 5000], false);
    let ended = child.wait_with_output().unwrap();
    // The one attempt had all of it.
    assert_eq!((ended.status.code(), text(&ended.stdout).trim()), (Some(7), "5000"));
    assert!(text(&ended.stderr).contains("--stdin-max (1024 bytes)"), "{}", text(&ended.stderr));
}

#[test]
fn held_output_is_that_of_the_last_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo out $BROWNOUT_ATTEMPT; echo err $BROWNOUT_ATTEMPT >&2; [ $BROWNOUT_ATTEMPT = 2 ]";
    let ended = output(folder.path(), "--hold-output", script);
    assert_eq!((ended.status.code(), text(&ended.stdout)), (Some(0), "out 2\n"));
    let stderr = text(&ended.stderr);
    assert!(stderr.contains("err 2\n") && !stderr.contains("err 1"), "{stderr}");
    let through = output(folder.path(), "", script);
    assert_eq!(text(&through.stdout), "out 1\nout 2\n");
}

/// Where standard output is looked at, it comes through a pipe, else it does not.
#[test]
fn large_output_comes_through_whole_in_every_way() {
    let folder = tempfile::tempdir().unwrap();
    let script = "head -c 20000000 /dev/zero; exit 3";
    for flags in ["--max-retries 1", "--max-retries 1 --stop-on-output denied", "--max-retries 1 --hold-output"] {
        let ended = output(folder.path(), flags, script);
        let attempts = if flags.contains("hold") { 1 } else { 2 };
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(3), attempts * 20_000_000), "{flags}");
    }
}

/// A process that the command leaves behind keeps its pipes for far longer than this test lasts.
#[test]
fn a_grandchild_that_keeps_the_pipe_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo before; sleep 1000 & echo $! >> left; exit 4";
    for flags in ["--stop-on-output denied --output report.json", "--hold-output"] {
        let mut command = runner(folder.path(), &format!("--max-retries 1 {flags}"), script);
        let mut child =
            command.stdout(File::create(folder.path().join("out")).unwrap()).stderr(Stdio::null()).spawn().unwrap();
        let code = child.wait().unwrap().code();
        let left = fs::read_to_string(folder.path().join("left")).unwrap();
        assert!(Command::new("kill").args(left.split_whitespace()).status().unwrap().success());
        fs::remove_file(folder.path().join("left")).unwrap();
        assert_eq!(code, Some(4), "{flags}");
        assert!(fs::read_to_string(folder.path().join("out")).unwrap().starts_with("before\n"), "{flags}");
    }
}

/// Whoever reads the runner's output has gone, so the command is told, as it would be without a runner.
#[test]
fn a_reader_that_goes_away_ends_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = runner(folder.path(), "--max-retries 1 --stop-on-output denied", "yes");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut some = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    // 128 + SIGPIPE
    assert_eq!(child.wait().unwrap().code(), Some(141));
}

fn report(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("report.json")).unwrap()).unwrap()
}

#[test]
fn rules_decide_what_is_tried_again_and_the_report_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let check = |flags: &str, script: &str, code, attempts: usize, stop: &str, rule: Option<&str>| {
        let ended = output(folder.path(), &format!("--max-retries 2 --output report.json {flags}"), script);
        let report = report(folder.path());
        assert_eq!(ended.status.code(), Some(code), "{flags}: {}", text(&ended.stderr));
        assert_eq!((&report["attempts_total"], &report["stop_reason"]), (&attempts.into(), &stop.into()), "{flags}");
        assert_eq!(report["attempts"][attempts - 1]["rule"].as_str(), rule, "{flags}");
    };
    check("--retry-on-exit 7", "exit 7", 7, 3, "exhausted", Some("--retry-on-exit 7"));
    check("--retry-on-exit 7", "exit 8", 8, 1, "stop_rule", Some("not among --retry-on-exit 7"));
    check("--stop-on-exit 2-4", "exit 3", 3, 1, "stop_rule", Some("--stop-on-exit 2-4"));
    check("--stop-on-exit 137", "kill -9 $$", 137, 3, "exhausted", None);
    check("--stop-on-exit SIGKILL", "kill -9 $$", 137, 1, "stop_rule", Some("--stop-on-exit SIGKILL"));
    check("--retry-on-output stderr:busy", "echo busy >&2", 1, 3, "exhausted", Some("--retry-on-output stderr:busy"));
    check("--retry-on-output stderr:busy", "echo busy", 0, 1, "success", None);
    check("--stop-on-output denied", "echo access denied; exit 5", 5, 1, "stop_rule", Some("--stop-on-output denied"));
    check(
        "--stop-on-output denied --hold-output",
        "echo denied; exit 5",
        5,
        1,
        "stop_rule",
        Some("--stop-on-output denied"),
    );
}

#[test]
fn a_command_that_says_when_to_come_back_is_heeded() {
    let folder = tempfile::tempdir().unwrap();
    let asked = |flags: &str, seconds: &str| {
        let flags = format!("--max-retries 1 --output report.json {flags}");
        let mut command = runner(folder.path(), &flags, &format!("echo retry after {seconds} s >&2; exit 1"));
        // A pattern with a space is one word.
        let flagged = command.get_args().map(ToOwned::to_owned).collect::<Vec<_>>();
        let (before, after) = flagged.split_at(flagged.iter().position(|word| word == "--").unwrap());
        let mut whole = Command::new(PROGRAM);
        whole.args(before).args(["--retry-after-from", r"retry after (\S+) s"]).args(after).current_dir(folder.path());
        command = whole;
        assert_eq!(command.stdin(Stdio::null()).output().unwrap().status.code(), Some(1));
        report(folder.path())
    };
    let heeded = asked("", "0.05");
    assert_eq!(heeded["attempts"][0]["delay_ms"], 50.0);
    assert_eq!(
        (&heeded["attempts"][0]["delay_source"], &heeded["attempts"][0]["retry_after_ms"]),
        (&"retry_after".into(), &50.0.into())
    );
    // Nobody comes back earlier than the policy says, either.
    assert_eq!(asked("", "0.0001")["attempts"][0]["delay_source"], "backoff");
    let refused = asked("", "1e30");
    assert_eq!(refused["stop_reason"], "exhausted", "what is no time says nothing");
    let refused = asked("--retry-after-max 10s", "11");
    assert_eq!((&refused["stop_reason"], &refused["attempts_total"]), (&"retry_after_too_long".into(), &1.into()));
}

#[test]
fn the_report_has_the_end_of_what_was_said_whatever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let script = r"head -c 100000 /dev/zero | tr '\0' x >&2; printf 'bad \377 byte' >&2; exit 1";
    output(folder.path(), "--max-retries 1 --output report.json", script);
    let tail = report(folder.path())["attempts"][0]["stderr_tail"].as_str().unwrap().to_owned();
    assert!(tail.ends_with("bad \u{fffd} byte") && tail.len() < 5000, "{tail}");
}

#[test]
fn a_line_is_run_between_two_tries_and_may_fail() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = runner(folder.path(), "--max-retries 2", "exit 6");
    let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let mut whole = Command::new(PROGRAM);
    whole.args(&words[..words.len() - 4]);
    whole.args(["--on-retry", "echo $BROWNOUT_ATTEMPT $BROWNOUT_LAST_EXIT $BROWNOUT_DELAY_MS >> hooks; exit 9"]);
    whole.args(&words[words.len() - 4..]).current_dir(folder.path());
    command = whole;
    let ended = command.output().unwrap();
    assert_eq!(ended.status.code(), Some(6));
    assert_eq!(fs::read_to_string(folder.path().join("hooks")).unwrap(), "1 6 1\n2 6 2\n");
    assert!(text(&ended.stderr).contains("exit 9: exit status: 9\n"), "{}", text(&ended.stderr));
}

#[test]
fn rules_that_make_no_sense_are_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, parts) in [
        (
            &["--retry-on-output", "a(b", "--", "true"][..],
            &["--retry-on-output", "`a(b`", "unclosed group at character 2"][..],
        ),
        (&["--stop-on-output", "stderr:*", "--", "true"], &["--stop-on-output", "`*`", "repetition"]),
        (&["--retry-after-from", r"\d+", "--", "true"], &["--retry-after-from", "no group"]),
        (&["--retry-on-exit", "1,300", "--", "true"], &["--retry-on-exit", "1 to 255", "`300`"]),
        (&["--stop-on-exit", "0", "--", "true"], &["--stop-on-exit", "exit code 0 is success"]),
        (&["--retry-on-exit", "1"], &["--retry-on-exit is about a command", "after `--`"]),
        (&["--base-delay", "1e30", "--", "true"], &["--base-delay", "1e30"]),
        (&["--stdin", "twice", "--", "true"], &["--stdin", "twice", "replay"]),
        (&["--", ""], &["must name a program"]),
        (&["--"], &["the command after `--` is empty"]),
    ] {
        let mut words = vec!["run", "--output", "report.json"];
        words.extend(arguments);
        crate::program::brownout_in(folder.path(), &words).refused(parts);
    }
    assert!(!folder.path().join("report.json").exists());
}

/// A disk that fills, as a limit of the size of files: the report that was whole stays, the run goes on, and its end is told.
#[cfg(target_os = "linux")]
#[test]
fn a_report_that_no_longer_fits_does_not_stop_the_run() {
    let folder = tempfile::tempdir().unwrap();
    // Blocks of 512 or of 1024 bytes: of 40 attempts with a tail each, no report fits, and one of the first does.
    let script = format!(
        "trap '' XFSZ; ulimit -f 8; {PROGRAM} run --base-delay 1ms --max-delay 1ms --max-retries 40 --output report.json -- \
         sh -c 'echo tried >> tries; echo $PATH$PATH$PATH >&2; exit 3'"
    );
    let ended =
        Command::new("sh").args(["-c", &script]).current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
    assert_eq!(ended.status.code(), Some(125));
    assert_eq!(fs::read_to_string(folder.path().join("tries")).unwrap().lines().count(), 41);
    assert_eq!(text(&ended.stderr).matches("the run goes on").count(), 1);
    let report = report(folder.path());
    assert_eq!(report["status"], "running");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "something was left beside the report");
    let full = output(folder.path(), "--output /dev/full", "exit 0");
    assert_eq!(full.status.code(), Some(125));
    assert!(text(&full.stderr).contains("/dev/full"), "{}", text(&full.stderr));
}
