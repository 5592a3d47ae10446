//! Requests a second against a bare hyper server: `cargo bench -p brownout --bench serve`. `BENCH_ROUNDS` sets the rounds.
//!
//! Load model: closed, 32 keep-alive connections from one client thread, no think time. The two servers run side by side
//! as processes of their own and are loaded in turn, A B A B, so that a noisy machine hits both. `brownout serve` draws an
//! outcome for each request (the practice rates) with no latency configured; the other is `examples/hello.rs`.
//!
//! Two ratios: requests a second as the client sees them, which the client's own cost pulls towards 1, and processor
//! time of the server for a request (Linux only), which nothing does.

#![expect(clippy::print_stdout, reason = "a bench prints ratios")]

use std::io::{BufRead, BufReader, Write};
use std::num::NonZeroU32;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use brownout_clock::Scale;
use brownout_draw::Seed;
use brownout_drive::{Drive, Target, Trust};
use brownout_load::Load;
use brownout_policy::Policy;

const REQUESTS: u64 = 40_000;
const CONNECTIONS: u32 = 32;

const SCENARIO: &str = "[service]\noutcomes = { error = 0.10, rate_limit = 0.05, gateway_timeout = 0.05 }\n";

/// A server in a process of its own, ended with this value.
struct Server {
    process: Child,
    drive: Drive,
}

/// Requests a second, and processor seconds of the server for each.
struct Round {
    rate: f64,
    cpu: Option<f64>,
}

fn main() {
    let wanted = std::env::var("BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(9);
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").expect("a temporary file");
    file.write_all(SCENARIO.as_bytes()).expect("a scenario");
    let mut ours = Command::new(env!("CARGO_BIN_EXE_brownout"));
    let ours = Server::start(ours.arg("serve").arg(file.path()).args(["--port", "0", "--seed", "42"]));
    let hello = Server::start(&mut Command::new(hello_example()));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let round = || (ours.load(&runtime), hello.load(&runtime));
    round();
    let rounds: Vec<(Round, Round)> = (0..wanted).map(|_| round()).collect();

    println!(
        "{REQUESTS} requests over {CONNECTIONS} connections, {wanted} rounds in turn; brownout serve ÷ bare hyper"
    );
    let rate = rounds.iter().map(|(ours, hello)| ours.rate / hello.rate);
    print_ratios("requests a second", rate.collect());
    let cpu = rounds.iter().filter_map(|(ours, hello)| Some(ours.cpu? / hello.cpu?));
    print_ratios("server processor time a request", cpu.collect());
    let median = |pick: fn(&(Round, Round)) -> f64| {
        let mut rates: Vec<f64> = rounds.iter().map(pick).collect();
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    println!("  median rates: brownout {:.0}/s, bare hyper {:.0}/s", median(|r| r.0.rate), median(|r| r.1.rate));
}

fn print_ratios(what: &str, mut ratios: Vec<f64>) {
    ratios.sort_by(f64::total_cmp);
    match (ratios.first(), ratios.get(ratios.len() / 2), ratios.last()) {
        (Some(min), Some(median), Some(max)) => println!("  {what}: min {min:.2}  median {median:.2}  max {max:.2}"),
        _ => println!("  {what}: not measured on this system"),
    }
}

/// Builds the example, and tells where it is.
fn hello_example() -> std::path::PathBuf {
    let arguments = ["build", "--release", "--quiet", "-p", "brownout-serve", "--example", "hello"];
    assert!(Command::new(env!("CARGO")).args(arguments).status().expect("cargo runs").success());
    let deps = std::env::current_exe().expect("a path");
    deps.parent().and_then(|deps| deps.parent()).expect("in target/release/deps").join("examples/hello")
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the server starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("an address");
        let url = line.trim().strip_prefix("serving ").expect("an address");
        let target = Arc::new(Target::new(url, "GET", None, &Trust::default()).expect("a URL"));
        Self { process, drive: Drive { target, policy: Arc::new(Policy::none()), seed: Seed(42), scale: Scale::ONE } }
    }

    fn load(&self, runtime: &tokio::runtime::Runtime) -> Round {
        let load =
            Load { count: Some(REQUESTS), clients: NonZeroU32::new(CONNECTIONS).expect("some"), ..Load::default() };
        let (cpu, start) = (self.cpu_seconds(), Instant::now());
        let result = runtime.block_on(self.drive.load(&load, None, std::future::pending(), |_, _| ()));
        assert_eq!(result.by_status.values().sum::<u64>(), REQUESTS, "{:?}", result.by_fault);
        let rate = REQUESTS as f64 / start.elapsed().as_secs_f64();
        Round { rate, cpu: self.cpu_seconds().zip(cpu).map(|(after, before)| after - before) }
    }

    /// User and system time of the process, from fields 14 and 15 of Linux' `/proc/PID/stat`, in hundredths.
    fn cpu_seconds(&self) -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
        Some((ticks(14)? + ticks(15)?) / 100.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
