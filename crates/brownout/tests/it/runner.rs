//! The retry runner. Real time, so the delays here are short.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{Run, brownout_in};

fn run(folder: &Path, arguments: &str) -> Run {
    let words: Vec<&str> = std::iter::once("run").chain(arguments.split_whitespace()).collect();
    brownout_in(folder, &words)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn report(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("data/retry_report.json")).unwrap()).unwrap()
}

#[test]
fn delays_double_and_the_report_is_written() {
    let folder = folder();
    let ran = run(folder.path(), "--max-retries 5 --base-delay 0.1 --output data/retry_report.json");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Success after 3 retries (total delay: 0.7s)\n"));
    assert_eq!(
        ran.stderr,
        "attempt 1 failed: flaky function failed (1 of 3 failures); next try in 0.1s\n\
         attempt 2 failed: flaky function failed (2 of 3 failures); next try in 0.2s\n\
         attempt 3 failed: flaky function failed (3 of 3 failures); next try in 0.4s\n"
    );
    let report = report(folder.path());
    assert_eq!((&report["status"], &report["attempts_total"]), (&"success".into(), &4.into()));
    assert_eq!(report["total_delay_ms"], 700.0);
    let left: Vec<_> = fs::read_dir(folder.path().join("data")).unwrap().collect();
    assert_eq!(left.len(), 1, "something was left beside the report");
}

#[test]
fn when_all_retries_are_spent_the_report_tells_everything() {
    let folder = folder();
    let ran = run(folder.path(), "--max-retries 5 --base-delay 1ms --fail-count 99 --output data/retry_report.json");
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.stdout, "Failed after 5 retries (total delay: 0.031s): flaky function failed (6 of 99 failures)\n");
    let report = report(folder.path());
    assert_eq!((&report["status"], &report["stop_reason"]), (&"failed".into(), &"exhausted".into()));
    assert_eq!(report["last_error"], "flaky function failed (6 of 99 failures)");
    let attempts = report["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 6);
    assert!(attempts.iter().all(|attempt| attempt["error"].is_string()), "{report}");
    let delays: Vec<_> = attempts.iter().map(|attempt| attempt["delay_ms"].as_f64()).collect();
    assert_eq!(delays, [Some(1.0), Some(2.0), Some(4.0), Some(8.0), Some(16.0), None]);
}

#[test]
fn fail_count_says_how_often_the_function_fails() {
    let folder = folder();
    let text = |count| run(folder.path(), &format!("--base-delay 1ms --fail-count {count}")).stdout;
    assert_eq!(text(0), "Success after 0 retries (total delay: 0s)\n");
    assert_eq!(text(1), "Success after 1 retry (total delay: 0.001s)\n");
}

#[test]
fn jitter_factor_cap_and_seed_work() {
    let folder = folder();
    let delays = |arguments: &str| {
        let common = "--base-delay 4ms --max-retries 4 --fail-count 9 --output data/retry_report.json";
        run(folder.path(), &format!("{common} {arguments}"));
        let report = report(folder.path());
        let attempts = report["attempts"].as_array().unwrap();
        attempts.iter().filter_map(|attempt| attempt["delay_ms"].as_f64()).collect::<Vec<_>>()
    };
    assert_eq!(delays("--factor 3 --max-delay 20ms"), [4.0, 12.0, 20.0, 20.0]);
    assert_eq!(delays("--backoff fibonacci"), [4.0, 4.0, 8.0, 12.0]);
    for jitter in ["full", "equal", "decorrelated", "proportional"] {
        let with_seed = |seed| delays(&format!("--jitter {jitter} --seed {seed}"));
        assert_eq!(with_seed(1), with_seed(1), "{jitter}");
        assert_ne!(with_seed(1), with_seed(2), "{jitter}");
    }
}

#[test]
fn a_timeout_ends_the_whole_and_is_told() {
    let folder = folder();
    let ran = run(folder.path(), "--base-delay 400ms --fail-count 9 --timeout 1s --output data/retry_report.json");
    assert_eq!(ran.code, Some(124));
    assert!(ran.stdout.starts_with("Failed after 1 retry (total delay: 0.4s): "), "{}", ran.stdout);
    assert!(ran.stdout.contains("[timeout of the whole run]"), "{}", ran.stdout);
    assert_eq!(report(folder.path())["stop_reason"], "deadline_near");
}

#[test]
fn bad_parameters_are_refused_before_anything_is_written() {
    let folder = folder();
    for (arguments, parts) in [
        ("--max-retries 0", ["--max-retries", "at least 1", "found 0"]),
        ("--max-retries -1", ["--max-retries", "-1", "0..="]),
        ("--max-retries abc", ["--max-retries", "abc", "invalid"]),
        ("--base-delay 0", ["--base-delay", "longer than 0", "found 0"]),
        ("--base-delay -1", ["--base-delay", "not negative", "-1"]),
        ("--base-delay abc", ["--base-delay", "a number with a unit", "abc"]),
        ("--base-delay nan", ["--base-delay", "a number with a unit", "nan"]),
        ("--factor 0.5", ["--factor", "from 1", "0.5"]),
        ("--factor nan", ["--factor", "from 1", "NaN"]),
        ("--max-delay 10ms --base-delay 1s", ["--max-delay", "10ms", "1s"]),
        ("--timeout 0", ["--timeout", "longer than zero", "no attempt"]),
        ("--jitter some", ["--jitter", "some", "decorrelated"]),
        ("--jitter-ratio 0.1", ["--jitter-ratio", "proportional", "0.1"]),
    ] {
        run(folder.path(), &format!("{arguments} --output data/retry_report.json")).refused(&parts);
    }
    assert!(!folder.path().join("data").exists(), "something was written");
}

#[test]
fn a_report_that_cannot_be_written_is_our_own_failure_and_nothing_is_begun() {
    let folder = folder();
    fs::write(folder.path().join("data"), "a file where a folder is wanted").unwrap();
    let ran = run(folder.path(), "--output data/retry_report.json");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(125), ""));
    assert!(ran.stderr.contains("data/retry_report.json"), "{}", ran.stderr);
}

/// What is no file is written to, not replaced; a link is followed; a mode is kept.
#[cfg(unix)]
#[test]
fn a_report_takes_the_place_of_a_file_and_of_nothing_else() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("private.json"), "old").unwrap();
    fs::set_permissions(at("private.json"), fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("private.json", at("link.json")).unwrap();
    let write = |output: &str| run(folder.path(), &format!("--fail-count 0 --output {output}")).code;
    assert_eq!(write("link.json"), Some(0));
    assert!(at("link.json").is_symlink());
    assert!(fs::read_to_string(at("private.json")).unwrap().contains("brownout-run-1"));
    assert_eq!(fs::metadata(at("private.json")).unwrap().permissions().mode() & 0o777, 0o600);

    let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
    assert!(made.success());
    let reader = std::thread::spawn({
        let pipe = at("pipe");
        move || fs::read_to_string(pipe).unwrap()
    });
    assert_eq!(write("pipe"), Some(0));
    assert!(reader.join().unwrap().contains("brownout-run-1"));

    fs::create_dir(at("folder")).unwrap();
    let refused = run(folder.path(), "--output folder -- sh -c 'echo ran'");
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(125), ""), "the command was run");
}

#[cfg(unix)]
#[test]
fn a_real_command_runs_until_it_succeeds() {
    let folder = folder();
    let script = "echo tried >> tries; echo out; [ $(wc -l < tries) -ge 3 ]";
    let ran =
        brownout_in(folder.path(), &["run", "--max-retries", "3", "--base-delay", "1ms", "--", "sh", "-c", script]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "out\nout\nout\n"));
    assert!(ran.stderr.ends_with("Success after 2 retries (total delay: 0.003s)\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("attempt 1 failed: exit status: 1; next try in 0.001s"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn an_exhausted_command_leaves_its_own_exit_code() {
    let folder = folder();
    let code = |script: &str| {
        brownout_in(folder.path(), &["run", "--max-retries", "1", "--base-delay", "1ms", "--", "sh", "-c", script]).code
    };
    assert_eq!(code("exit 7"), Some(7));
    assert_eq!(code("kill -TERM $$"), Some(143));
    let missing = run(folder.path(), "--base-delay 1ms -- /nonexistent/command");
    assert_eq!(missing.code, Some(127));
    assert!(!missing.stderr.contains("next try"), "{}", missing.stderr);
}

#[test]
fn a_plan_tells_the_schedule_and_what_is_doubtful_and_runs_nothing() {
    let folder = folder();
    let plan = |flags: &str| run(folder.path(), &format!("--plan --output report.json {flags} -- touch ran"));
    let doubling = plan("--max-retries 3 --base-delay 1 --attempt-timeout 10");
    assert_eq!(doubling.code, Some(0));
    for part in [
        "at most 4 attempts; nothing was run\n",
        "before retry 3: 4s\n",
        "waits: 7s at the most\n",
        "the whole: 47s at the most",
        "warning[no-jitter]",
        "warning[horizon-shorter-than-limit]",
        "--jitter full",
    ] {
        assert!(doubling.stdout.contains(part), "no `{part}` in {}", doubling.stdout);
    }
    let shrinking = plan("--delays 10,5,5 --format json").json();
    let rules: Vec<_> = shrinking["warnings"].as_array().unwrap().iter().map(|found| found["rule"].clone()).collect();
    assert!(rules.contains(&"delays-shrink".into()), "{rules:?}");
    // Eight doublings from a second outlast a minute's window, equal jitter is chance enough, and others share the budget.
    let fine =
        plan("--max-retries 8 --base-delay 1 --jitter equal --attempt-timeout 10 --budget shared --format json").json();
    assert_eq!((&fine["warnings"], &fine["waits"][1]["shortest_ms"]), (&Value::Array(vec![]), &1000.0.into()));
    plan("--format junit").refused(&["--plan", "junit"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_policy_can_be_a_preset_or_that_of_a_scenario() {
    let folder = folder();
    let waits = |flags: &str| {
        let plan = run(folder.path(), &format!("--plan --format json {flags}")).json();
        let waits = plan["waits"].as_array().unwrap().iter().map(|wait| wait["longest_ms"].as_f64().unwrap());
        waits.collect::<Vec<_>>()
    };
    fs::write(folder.path().join("mine.toml"), "[policy]\nmax_retries = 2\nbase_delay = \"30ms\"\n").unwrap();
    assert_eq!(waits("--policy mine.toml"), [30.0, 60.0]);
    assert_eq!(waits("--policy mine.toml --max-retries 3 --factor 3"), [30.0, 90.0, 270.0]);
    // The published schedule of AWS' standard mode of 2026 with the unluckiest draws, three attempts.
    assert_eq!(waits("--policy aws-standard-2.1")[..2], [50.0, 100.0]);
    fs::write(folder.path().join("none.toml"), "seed = 1\n").unwrap();
    run(folder.path(), "--policy none.toml").refused(&["none.toml", "no `policy`"]);
    run(folder.path(), "--policy aws-standart-2.1").refused(&["aws-standart-2.1", "aws-standard-2.1"]);
}

#[cfg(unix)]
#[test]
fn a_report_can_be_junit_or_a_line() {
    let folder = folder();
    let script = "echo '<oops>' >&2; exit 3";
    let words = ["run", "--max-retries", "1", "--base-delay", "1ms", "--output", "report", "--format"];
    let with = |format| {
        brownout_in(folder.path(), &[&words[..], &[format, "--", "sh", "-c", script]].concat());
        fs::read_to_string(folder.path().join("report")).unwrap()
    };
    let junit = with("junit");
    for part in ["failures=\"1\"", "<rerunFailure message=\"exit status: 3\" type=\"exit_code\">", "&lt;oops&gt;"] {
        assert!(junit.contains(part), "no `{part}` in {junit}");
    }
    assert_eq!(with("text"), "Failed after 1 retry (total delay: 0.001s): exit status: 3\n");
    let printed = run(folder.path(), "--fail-count 1 --base-delay 1ms --format json");
    assert_eq!(printed.json()["attempts_total"], 2);
    for verb in ["run", "rehearse"] {
        let schema = crate::program::brownout(&format!("schema --of {verb}-report")).json();
        assert_eq!(schema["title"], format!("report of brownout {verb}"));
    }
}
