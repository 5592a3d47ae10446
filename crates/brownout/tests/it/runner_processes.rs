//! What becomes of the processes that a command starts: real children and grandchildren, looked for by their numbers.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::PROGRAM;

/// A machine with many neighbours takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run in a folder of its own, whose command writes the numbers of its processes into files.
struct Running {
    folder: tempfile::TempDir,
    process: Child,
}

impl Running {
    /// Runs `script` by `sh` with these flags.
    fn start(flags: &str, script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(PROGRAM);
        command.arg("run").args(flags.split_whitespace()).args(["--", "sh", "-c", script]).current_dir(folder.path());
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { folder, process }
    }

    /// Waits for a file that a process wrote its number to: the number.
    fn number(&self, file: &str) -> u32 {
        let path = self.folder.path().join(file);
        let text = within_patience(|| fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n')));
        text.trim().parse().unwrap()
    }

    fn signal(&self, name: &str) {
        kill(name, self.process.id());
    }

    /// The exit code.
    fn end(mut self) -> (Option<i32>, tempfile::TempDir) {
        let status = within_patience(|| self.process.try_wait().unwrap());
        assert_eq!(status.signal(), None);
        (status.code(), std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn within_patience<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "it does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kill(name: &str, process: u32) {
    assert!(Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap().success());
}

/// Whether a process is there, and is more than an exit code that nobody asked for.
pub(crate) fn lives(process: u32) -> bool {
    let listed = Command::new("ps").args(["-o", "stat=", "-p", &process.to_string()]).output().unwrap();
    let state = String::from_utf8(listed.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// A child, a grandchild in the same group, and all of them wait for ever.
const FAMILY: &str = "sleep 1000 & echo $! > grandchild; echo $$ > child; wait";

#[track_caller]
fn all_are_gone(numbers: &[u32]) {
    for number in numbers {
        assert!(!lives(*number), "process {number} of {numbers:?} is there still");
    }
}

#[test]
fn a_signal_reaches_the_whole_group() {
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131)] {
        // A shell has what it runs in the background ignore SIGINT and SIGQUIT.
        let run = Running::start("--base-delay 1ms --grace 500ms", FAMILY);
        let numbers = [run.number("child"), run.number("grandchild")];
        run.signal(signal);
        assert_eq!(run.end().0, Some(code), "{signal}");
        all_are_gone(&numbers);
    }
}

#[test]
fn what_ignores_a_signal_is_killed_after_the_grace_period() {
    let script = "trap '' TERM INT; echo $$ > child; while :; do sleep 0.05; done";
    let run = Running::start("--grace 200ms", script);
    let child = run.number("child");
    run.signal("TERM");
    assert_eq!(run.end().0, Some(143));
    all_are_gone(&[child]);
}

/// The grace period here is longer than the test waits.
#[test]
fn a_second_signal_kills_at_once() {
    let script = "trap 'echo 1 > asked' INT; trap '' TERM; echo $$ > child; while :; do sleep 0.05; done";
    let run = Running::start("--grace 1h", script);
    let child = run.number("child");
    run.signal("INT");
    run.number("asked");
    assert!(lives(child));
    run.signal("INT");
    assert_eq!(run.end().0, Some(130));
    all_are_gone(&[child]);
}

#[test]
fn a_timeout_ends_grandchildren_too() {
    for flags in ["--attempt-timeout 2s --max-retries 1 --base-delay 1ms", "--timeout 2s"] {
        let run = Running::start(flags, FAMILY);
        let (code, folder) = run.end();
        assert_eq!(code, Some(124), "{flags}");
        let number = |file| fs::read_to_string(folder.path().join(file)).unwrap().trim().parse().unwrap();
        all_are_gone(&[number("child"), number("grandchild")]);
    }
}

/// Who leaves the group and the session, and whose parent is gone, is found all the same.
#[cfg(target_os = "linux")]
#[test]
fn what_leaves_the_group_is_ended_too() {
    let script = "setsid sh -c '(trap \"\" TERM; echo $$ > escaped; sleep 1000 & echo $! > beside; wait) & exit' & \
                  wait; echo $$ > child; sleep 1000";
    for flags in ["--grace 300ms", "--grace 0"] {
        let run = Running::start(flags, script);
        let numbers = [run.number("child"), run.number("escaped"), run.number("beside")];
        run.signal("TERM");
        assert_eq!(run.end().0, Some(143));
        all_are_gone(&numbers[..1]);
        all_are_gone(&numbers[2..]);
    }
}

/// What a command that ended by itself left running is none of the runner's business.
#[test]
fn what_an_attempt_leaves_behind_is_left() {
    let script = "setsid sleep 1000 > /dev/null 2>&1 & echo $! >> left; exit 3";
    let (code, folder) = Running::start("--max-retries 1 --base-delay 1ms", script).end();
    assert_eq!(code, Some(3));
    let left = fs::read_to_string(folder.path().join("left")).unwrap();
    let left: Vec<u32> = left.lines().map(|number| number.parse().unwrap()).collect();
    let still = left.iter().filter(|process| lives(**process)).count();
    left.iter().for_each(|process| kill("KILL", *process));
    assert_eq!(still, 2);
}

#[test]
fn a_signal_between_two_tries_ends_the_run() {
    let run = Running::start("--base-delay 1h --max-delay 1h --output report.json", "echo $$ > child; exit 3");
    let report = run.folder.path().join("report.json");
    let waits = || fs::read_to_string(&report).ok().filter(|text| text.contains("\"running\""));
    within_patience(waits);
    run.signal("TERM");
    let (code, folder) = run.end();
    let report = report_in(folder.path());
    assert_eq!((code, &report["stop_reason"], &report["exit_code"]), (Some(143), &"interrupted".into(), &143.into()));
}

/// `nohup` has its commands ignore SIGHUP, and so has the runner what it runs.
#[cfg(target_os = "linux")]
#[test]
fn what_was_ignored_stays_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("trap '' HUP; exec {PROGRAM} run -- sh -c 'echo $$ > child; exec sleep 1000'");
    let process = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).spawn().unwrap();
    let run = Running { folder, process };
    let child = run.number("child");
    run.signal("HUP");
    run.signal("TERM");
    assert_eq!(run.end().0, Some(143), "the first signal ended it");
    all_are_gone(&[child]);
}

#[test]
fn a_stop_stops_the_command_until_the_runner_goes_on() {
    let run = Running::start("", "echo $$ > child; exec sleep 1000");
    let child = run.number("child");
    let state = |process: u32| {
        let listed = Command::new("ps").args(["-o", "stat=", "-p", &process.to_string()]).output().unwrap();
        String::from_utf8(listed.stdout).unwrap().trim().chars().next()
    };
    run.signal("TSTP");
    within_patience(|| (state(child) == Some('T') && state(run.process.id()) == Some('T')).then_some(()));
    run.signal("CONT");
    within_patience(|| (state(child) == Some('S')).then_some(()));
    run.signal("TERM");
    assert_eq!(run.end().0, Some(143));
    all_are_gone(&[child]);
}

/// What was done is known though the runner was killed in the middle of an attempt.
#[test]
fn a_runner_that_is_killed_leaves_the_report_of_what_was_before() {
    let script = "echo tried >> tries; [ $(wc -l < tries) -lt 3 ] && exit 4; echo $$ > child; exec sleep 1000";
    let run = Running::start("--base-delay 1ms --output report.json", script);
    let child = run.number("child");
    run.signal("KILL");
    within_patience(|| (!lives(run.process.id())).then_some(()));
    kill("KILL", child);
    let report = report_in(run.folder.path());
    assert_eq!((&report["status"], &report["exit_code"]), (&"running".into(), &serde_json::Value::Null));
    let codes: Vec<_> = report["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["exit_code"]).collect();
    assert_eq!(codes, [4, 4]);
}

fn report_in(folder: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(folder.join("report.json")).unwrap()).unwrap()
}

#[test]
fn a_command_knows_which_attempt_it_is() {
    let script = "echo $BROWNOUT_ATTEMPT of $BROWNOUT_MAX_ATTEMPTS after ${BROWNOUT_LAST_EXIT-nothing} >> seen; exit 5";
    let (code, folder) = Running::start("--max-retries 2 --base-delay 1ms", script).end();
    let seen = fs::read_to_string(folder.path().join("seen")).unwrap();
    assert_eq!((code, seen.as_str()), (Some(5), "1 of 3 after nothing\n2 of 3 after 5\n3 of 3 after 5\n"));
}
