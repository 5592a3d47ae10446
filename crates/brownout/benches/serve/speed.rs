//! Requests a second against a bare hyper server, and nginx.
//!
//! Load model: closed, 32 keep-alive connections from one client thread, no think time. The servers run side by side as
//! processes of their own, each with one worker thread, and are loaded in turn, A B C D A B C D, so that a noisy machine hits
//! all. `brownout serve` draws an outcome for each request (the practice rates) with no latency configured, once without and
//! once with its journal and metrics; the others are `examples/hello.rs` and, where it is installed, nginx with `return 200`.
//!
//! Two ratios to the bare hyper server: requests a second as the client sees them, which the client's own cost pulls towards
//! 1, and processor time of the server for a request (Linux only), which nothing does.

use std::num::NonZeroU32;
use std::process::Command;
use std::time::Instant;

use brownout_load::Load;

use crate::process::{Server, file, one_thread, spread};

const REQUESTS: u64 = 40_000;
const CONNECTIONS: u32 = 32;

pub(crate) const SCENARIO: &str = "[service]\noutcomes = { error = 0.10, rate_limit = 0.05, gateway_timeout = 0.05 }\n";

/// Requests a second, and processor seconds of the server for all of them.
pub(crate) struct Round {
    pub(crate) rate: f64,
    pub(crate) cpu: Option<f64>,
}

pub(crate) fn run() {
    let wanted = crate::rounds(9);
    let mut servers = vec![
        ("bare hyper", Server::start(one_thread(&mut Command::new(hello_example())))),
        ("brownout serve", Server::ours(SCENARIO, &[], true)),
        ("the same with journal and metrics", Server::ours(SCENARIO, &["--admin", "0"], true)),
    ];
    servers.extend(nginx().map(|server| ("nginx return 200", server)));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let round = || -> Vec<Round> { servers.iter().map(|(_, server)| load(server, &runtime, REQUESTS)).collect() };
    round();
    let rounds: Vec<Vec<Round>> = (0..wanted).map(|_| round()).collect();

    println!(
        "{REQUESTS} requests over {CONNECTIONS} connections, one worker thread each, {wanted} rounds in turn; ÷ bare hyper"
    );
    println!("{:>36}  {:>24}  {:>24}  {:>10}", "", "requests a second", "processor time of each", "rate");
    for (place, (name, _)) in servers.iter().enumerate() {
        let rates = rounds.iter().map(|round| round[place].rate / round[0].rate);
        let cpus = rounds.iter().filter_map(|round| Some(round[place].cpu? / round[0].cpu?));
        let rate = spread(rounds.iter().map(|round| round[place].rate).collect()).map_or(0.0, |[_, median, _]| median);
        println!("{name:>36}  {:>24}  {:>24}  {rate:>8.0}/s", text(rates.collect()), text(cpus.collect()));
    }
}

pub(crate) fn text(ratios: Vec<f64>) -> String {
    spread(ratios).map_or("not measured".to_owned(), |[min, median, max]| format!("{median:.2} ({min:.2} to {max:.2})"))
}

/// So many requests of a server, as fast as it answers them.
pub(crate) fn load(server: &Server, runtime: &tokio::runtime::Runtime, requests: u64) -> Round {
    let load = Load { count: Some(requests), clients: NonZeroU32::new(CONNECTIONS).expect("some"), ..Load::default() };
    let (cpu, start) = (server.cpu_seconds(), Instant::now());
    let result = runtime.block_on(server.drive.load(&load, None, std::future::pending(), |_, _| ()));
    assert_eq!(result.by_status.values().sum::<u64>(), requests, "{:?}", result.by_fault);
    let rate = requests as f64 / start.elapsed().as_secs_f64();
    Round { rate, cpu: server.cpu_seconds().zip(cpu).map(|(after, before)| after - before) }
}

/// Nginx with one worker, where it is installed.
fn nginx() -> Option<Server> {
    let address = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?;
    // A file of its own: nginx removes it when it ends, whatever it is.
    let pid = std::env::temp_dir().join(format!("brownout-bench-nginx-{}.pid", address.port()));
    let configuration = format!(
        "daemon off; worker_processes 1; pid {}; error_log /dev/null;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; keepalive_requests 1000000000;\n\
           server {{ listen {address}; default_type text/plain; location / {{ return 200 'Hello, world!'; }} }} }}\n",
        pid.display()
    );
    let file = file(".conf", &configuration);
    let mut command = Command::new("nginx");
    command.arg("-c").arg(file.path());
    let is_there = Command::new("nginx").arg("-v").output().is_ok();
    is_there.then(|| Server::other(&mut command, &format!("http://{address}"), file))
}

/// Builds the example as this bench is built, and tells where it is.
fn hello_example() -> std::path::PathBuf {
    let arguments = ["build", "--quiet", "-p", "brownout-serve", "--example", "hello"];
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let built = Command::new(env!("CARGO")).args(arguments).args(["--profile", profile]).status();
    assert!(built.expect("cargo runs").success());
    let deps = std::env::current_exe().expect("a path");
    deps.parent().and_then(|deps| deps.parent()).expect("in deps of a profile").join("examples/hello")
}
