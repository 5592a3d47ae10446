//! Servers in processes of their own, and how they are called.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use brownout_clock::{Clock, Scale};
use brownout_draw::Seed;
use brownout_drive::{Drive, Target, Trust};
use brownout_policy::Policy;
use tempfile::NamedTempFile;

/// A server in a process of its own, ended with this value.
pub(crate) struct Server {
    process: Child,
    pub(crate) drive: Drive,
    pub(crate) url: String,
    /// The admin API of ours, where there is one.
    pub(crate) admin: Option<String>,
    /// What it reads, there for as long as it runs.
    file: Option<NamedTempFile>,
}

impl Server {
    /// `brownout serve` of a scenario, with seed 42 and more arguments; on one thread, where `alone`.
    pub(crate) fn ours(scenario: &str, arguments: &[&str], alone: bool) -> Self {
        let file = file(".toml", scenario);
        let mut command = Command::new(env!("CARGO_BIN_EXE_brownout"));
        command.arg("serve").arg(file.path()).args(["--port", "0", "--seed", "42"]).args(arguments);
        let mut own = Self::start(if alone { one_thread(&mut command) } else { &mut command });
        own.file = Some(file);
        own
    }

    /// A server that prints `serving URL` when it is ready.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the server starts");
        let mut stdout = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = || {
            let mut line = String::new();
            stdout.read_line(&mut line).expect("an address");
            (line.trim().to_owned(), !stdout.buffer().is_empty())
        };
        let (first, mut is_more) = line();
        let url = first.strip_prefix("serving ").expect("an address");
        let mut admin = None;
        // All lines are printed at once.
        while is_more {
            let next = line();
            is_more = next.1;
            admin = admin.or(next.0.strip_prefix("admin ").map(ToOwned::to_owned));
        }
        Self { process, drive: drive(url), url: url.to_owned(), admin, file: None }
    }

    /// A server of somebody else's that listens at `url` soon, and reads `file`.
    pub(crate) fn other(command: &mut Command, url: &str, file: NamedTempFile) -> Self {
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the server starts");
        let address = url.trim_start_matches("http://");
        while std::net::TcpStream::connect(address).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Self { process, drive: drive(url), url: url.to_owned(), admin: None, file: Some(file) }
    }

    /// User and system time of the process and of those it has begun, from Linux' `/proc`, in seconds.
    pub(crate) fn cpu_seconds(&self) -> Option<f64> {
        let own = cpu_ticks(self.process.id())?;
        let children = format!("/proc/{0}/task/{0}/children", self.process.id());
        let children = std::fs::read_to_string(children).unwrap_or_default();
        let ticks: f64 = children.split_whitespace().filter_map(|child| cpu_ticks(child.parse().ok()?)).sum();
        Some((own + ticks) / 100.0)
    }

    /// How many files and sockets it has open.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.process.id())).map_or(0, Iterator::count)
    }

    /// A number of `/proc/PID/status`, such as `VmRSS` in KiB, or `Threads`.
    pub(crate) fn status(&self, key: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with(&format!("{key}:")))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

/// The same command, whose runtime has one thread.
pub(crate) fn one_thread(command: &mut Command) -> &mut Command {
    command.env("TOKIO_WORKER_THREADS", "1")
}

/// A file with this text, gone with the value.
pub(crate) fn file(suffix: &str, text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::with_suffix(suffix).expect("a temporary file");
    file.write_all(text.as_bytes()).expect("room for it");
    file
}

/// The least, the one in the middle, and the most.
pub(crate) fn spread(mut values: Vec<f64>) -> Option<[f64; 3]> {
    values.sort_by(f64::total_cmp);
    Some([*values.first()?, *values.get(values.len() / 2)?, *values.last()?])
}

fn drive(url: &str) -> Drive {
    let target = Arc::new(Target::new(url, "GET", None, &Trust::default()).expect("a URL"));
    Drive { target, policy: Arc::new(Policy::none()), seed: Seed(42), clock: Clock::start(Scale::ONE) }
}

/// Fields 14 and 15 of `/proc/PID/stat`, in hundredths of a second.
fn cpu_ticks(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    Some(ticks(14)? + ticks(15)?)
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server with workers of its own ends them when it is asked to, and not when it is killed.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}
