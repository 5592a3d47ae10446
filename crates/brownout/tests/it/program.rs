//! Running the program.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use serde_json::Value;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_brownout");

/// What a finished run left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

/// Runs the program with `arguments`, separated by spaces, in the repository's root.
pub(crate) fn brownout(arguments: &str) -> Run {
    brownout_in(&repository(), &arguments.split_whitespace().collect::<Vec<_>>())
}

/// Runs the program in a folder.
pub(crate) fn brownout_in(folder: &Path, arguments: &[&str]) -> Run {
    let output = Command::new(PROGRAM).args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code() }
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Run {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Holds the code, and that standard error has all of `parts` while standard output stays empty.
    #[track_caller]
    pub(crate) fn refused(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert_eq!(self.stdout, "");
        for part in parts {
            assert!(self.stderr.contains(part), "no `{part}` in {}", self.stderr);
        }
    }
}

/// A server in a process of its own, ended with this value.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) url: String,
    /// The services behind: name and URL.
    pub(crate) behind: Vec<(String, String)>,
    /// The admin API, where there is one.
    pub(crate) admin: Option<String>,
}

impl Server {
    /// Runs `brownout serve --port 0` with more `arguments` in the repository's root.
    pub(crate) fn start(arguments: &str) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--port", "0"]).args(arguments.split_whitespace()).current_dir(repository());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let next = |lines: &mut BufReader<ChildStdout>| {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            let (what, url) = line.trim().split_once(' ').unwrap_or_else(|| panic!("{line}"));
            (what.to_owned(), url.to_owned())
        };
        let (_, url) = next(&mut lines);
        let (mut behind, mut admin) = (Vec::new(), None);
        // All lines are printed at once.
        while !lines.buffer().is_empty() {
            let (what, line) = next(&mut lines);
            match what.as_str() {
                "admin" => admin = Some(line),
                "live" => assert_eq!(line, format!("page {}/live", admin.as_ref().unwrap())),
                _ => {
                    let (url, name) = line.split_once(" as ").unwrap();
                    behind.push((name.to_owned(), url.to_owned()));
                }
            }
        }
        Self { process, url, behind, admin }
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end: the exit code, and what was said.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let status = self.process.wait().unwrap();
        let mut said = String::new();
        self.process.stderr.take().map(|mut stderr: ChildStderr| stderr.read_to_string(&mut said)).unwrap().unwrap();
        (status.code(), said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
