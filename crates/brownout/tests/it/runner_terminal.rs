//! The runner at a terminal, which `script` plays.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::program::PROGRAM;
use crate::runner_processes::{lives, within_patience};

/// A shell at a terminal, in a folder of its own.
struct Terminal {
    folder: tempfile::TempDir,
    process: Child,
    keyboard: ChildStdin,
}

const CTRL_C: &str = "\x03";
const CTRL_Z: &str = "\x1a";

impl Terminal {
    /// `None` where there is no `script`.
    fn start(command: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut script = Command::new("script");
        script.args(["-qec", command, "/dev/null"]).current_dir(folder.path()).env("BROWNOUT", PROGRAM);
        script.env("SHELL", "/bin/sh").stdin(Stdio::piped()).stdout(Stdio::null());
        let mut process = script.spawn().ok()?;
        let keyboard = process.stdin.take().unwrap();
        Some(Self { folder, process, keyboard })
    }

    fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    fn at(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Waits for a file with a line.
    fn line(&self, file: &str) -> String {
        let path = self.at(file);
        within_patience(|| fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n'))).trim().to_owned()
    }

    fn end(&mut self) -> Option<i32> {
        within_patience(|| self.process.try_wait().unwrap()).code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_command_has_the_terminal_and_leaves_it_as_it_was() {
    let script = "stty -a > before; $BROWNOUT run --base-delay 1ms --max-retries 1 -- \
                  sh -c 'test -t 0 && test -t 1 || exit 9; echo $BROWNOUT_ATTEMPT > ready; read line; echo $line >> lines; stty -echo raw; exit 5'; \
                  echo $? > code; stty -a > after";
    let Some(mut terminal) = Terminal::start(script) else { return };
    assert_eq!(terminal.line("ready"), "1");
    terminal.types("one\n");
    within_patience(|| (terminal.line("ready") == "2").then_some(()));
    terminal.types("two\n");
    terminal.end();
    assert_eq!((terminal.line("lines").as_str(), terminal.line("code").as_str()), ("one\ntwo", "5"));
    assert_eq!(terminal.line("before"), terminal.line("after"));
}

/// A command that makes an exit code of its own of Ctrl-C is not tried again.
#[test]
fn ctrl_c_ends_the_run_whatever_the_command_makes_of_it() {
    for trap in ["", "trap \"exit 1\" INT;"] {
        let script = format!(
            "trap : INT; $BROWNOUT run --base-delay 1ms -- sh -c '{trap} echo $$ > child; while :; do sleep 0.05; done'; echo $? > code"
        );
        let Some(mut terminal) = Terminal::start(&script) else { return };
        let child = terminal.line("child").parse().unwrap();
        terminal.types(CTRL_C);
        assert_eq!(terminal.line("code"), "130", "{trap}");
        assert!(!lives(child));
        terminal.end();
    }
}

/// What handles Ctrl-C itself goes on; pressed twice, it ends with all that it started.
#[test]
fn ctrl_c_twice_ends_what_ignores_it() {
    let script = "trap : INT; $BROWNOUT run --grace 1h -- \
                  sh -c 'trap \"echo once >> asked\" INT; (trap \"\" INT; echo $$ > child; sleep 1000) & while :; do sleep 0.05; done'; echo $? > code";
    let Some(mut terminal) = Terminal::start(script) else { return };
    let child = terminal.line("child").parse().unwrap();
    terminal.types(CTRL_C);
    terminal.line("asked");
    assert!(lives(child));
    terminal.types(CTRL_C);
    assert_eq!(terminal.line("code"), "130");
    assert!(!lives(child));
}

#[test]
fn a_shell_stops_and_continues_the_run_as_one_job() {
    let Some(mut terminal) = Terminal::start("bash --norc --noprofile -i") else { return };
    terminal.types("$BROWNOUT run -- sh -c 'echo $$ > child; exec sleep 1000'; echo $? > code\n");
    let child: u32 = terminal.line("child").parse().unwrap();
    let state = || {
        let listed = Command::new("ps").args(["-o", "stat=", "-p", &child.to_string()]).output().unwrap();
        String::from_utf8(listed.stdout).unwrap().chars().next()
    };
    terminal.types(CTRL_Z);
    within_patience(|| (state() == Some('T')).then_some(()));
    terminal.types("rm -f code; fg; echo $? > code\n");
    within_patience(|| (state() == Some('S')).then_some(()));
    terminal.types(CTRL_C);
    assert_eq!(terminal.line("code"), "130");
    assert!(!lives(child));
    terminal.types("exit\n");
    terminal.end();
}

#[test]
fn holding_output_back_from_a_terminal_is_refused() {
    let Some(mut terminal) = Terminal::start("$BROWNOUT run --hold-output -- touch ran 2> said; echo $? > code") else {
        return;
    };
    assert_eq!(terminal.line("code"), "2");
    assert!(terminal.line("said").contains("--hold-output") && !terminal.at("ran").exists());
    terminal.end();
}
