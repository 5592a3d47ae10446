//! Mixed load with every fault on, for as long as `SOAK_SECONDS` says (half an hour if it says nothing): is memory flat, and does
//! every descriptor come back?
//!
//! Load model: open, 300 calls a second from 200 clients that give an attempt up after 300 ms and try twice more, over HTTP/1.1; where
//! curl is there, ten requests a second beside it over HTTP/2. The service has a capacity, a limit, effects, replicas, every fault, and
//! phases that shut its port and burst. Memory and descriptors are read every second; what the first tenth has is left out, since
//! the journal and other bounded memories fill up. Effects are known by the client, since the ledger keeps every key up to its
//! bound of a million: with a key for each call it grows by some 60 bytes a call until then, and by nothing else.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use brownout_load::{Arrivals, Load, Rate};
use brownout_policy::{Policy, Settings};

use crate::process::Server;

const SCENARIO: &str = r#"
[service]
latency = { lognormal = { median = "10ms", p99 = "200ms" } }
effect  = { name = "done", key = "header:x-brownout-client" }
[service.outcomes]
error = "4%"
rate_limit = "2%"
gateway_timeout = "2%"
connection_reset = { rate = "2%", at = "16B" }
empty_response = "2%"
malformed_chunk = "2%"
garbage_then_close = "2%"
truncate = "2%"
dribble = { rate = "2%", bytes = "8B", every = "10ms", size = "128B" }
bandwidth = { rate = "2%", speed = "64KiB/s", size = "8KiB" }
hang = { rate = "2%", for = "1s" }
slow_close = { rate = "2%", for = "1s" }
lost_reply = "2%"
stream_break = { rate = "2%", events = 3, every = "10ms" }
rst_stream = "2%"
goaway = "2%"
refused_stream = "2%"
[[service.outcomes.status]]
rate = "2%"
code = 529
body = "busy"
[service.capacity]
workers = 16
service_time = { exponential = "20ms" }
queue = { length = 64 }
[service.rate_limit]
token_bucket = { rate = "400/s", burst = 100 }
key = "client"
[service.replicas]
count = 5
sticky = "connection"
[[phases]]
name = "restart"
from = "20s"
for = "2s"
every = "1m"
refuse = true
[[phases]]
name = "bad node"
replica = 2
slowdown = 3
[[phases]]
name = "bad seconds"
bursts = { between = { exponential = "20s" }, last = { exponential = "2s" } }
outcomes = { error = 0.8 }
[[phases]]
name = "cut"
from = "40s"
for = "5s"
every = "1m"
capacity = 0.1
[load]
duration = "1h"
"#;

pub(crate) fn run() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(1800);
    let lasts = Duration::from_secs(seconds);
    let server = Server::ours(SCENARIO, &["--admin", "0"], false);
    let resting = server.descriptors();
    let policy = Policy::new(Settings {
        max_retries: Some(2),
        base_delay: Some(Duration::from_millis(20)),
        attempt_timeout: Some(Duration::from_millis(300)),
        ..Settings::default()
    });
    let mut drive = server.drive.clone();
    drive.policy = Arc::new(policy.expect("a policy"));
    let arrivals = Arrivals::Poisson(Rate::per_second(300.0).expect("a rate"));
    let load = Load { arrivals, duration: Some(lasts), clients: 200.try_into().expect("some"), ..Load::default() };

    let over = Arc::new(AtomicBool::new(false));
    let beside = {
        let (over, url) = (Arc::clone(&over), server.url.clone());
        std::thread::spawn(move || curls(&url, &over))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let start = Instant::now();
    let mut samples = Vec::new();
    let result = runtime.block_on(async {
        let mut load = std::pin::pin!(drive.load(&load, None, std::future::pending(), |_, _| ()));
        loop {
            tokio::select! {
                result = &mut load => return result,
                () = tokio::time::sleep(Duration::from_secs(1)) => {
                    samples.push((start.elapsed(), server.status("VmRSS").unwrap_or(0), server.descriptors()));
                }
            }
        }
    });
    over.store(true, Ordering::Relaxed);
    let curls = beside.join().expect("it only waits");
    // What is held open by a fault, or by a client that is gone, has its time.
    let mut left = server.descriptors();
    for _ in 0..300 {
        if left <= resting {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
        left = server.descriptors();
    }
    let warm: Vec<_> = samples.iter().filter(|(at, ..)| *at > lasts / 10).collect();
    let most = |part: &[&(Duration, u64, usize)]| part.iter().map(|(_, memory, _)| *memory).max().unwrap_or(0);
    let (first, last) = (most(&warm[..warm.len() / 3]), most(&warm[warm.len() * 2 / 3..]));
    println!(
        "{seconds} s of mixed load with every fault on: {} attempts, {curls} beside over HTTP/2",
        result.attempts.total
    );
    println!("  by status {:?}, by fault {:?}", result.by_status, result.by_fault);
    println!("  resident memory at the most: {first} KiB in the first third, {last} KiB in the last");
    println!(
        "  descriptors: {resting} at rest, {} at the most, {left} after",
        samples.iter().map(|own| own.2).max().unwrap_or(0)
    );
    assert!(last <= first + first / 10, "memory is not flat");
    assert!(left <= resting, "descriptors are lost");
}

/// Requests over HTTP/2 until it is over: how many.
fn curls(url: &str, over: &AtomicBool) -> u64 {
    let mut made = 0;
    while !over.load(Ordering::Relaxed) {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--max-time", "2", "--http2-prior-knowledge", "--output", "/dev/null", url]);
        if curl.stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            return 0;
        }
        made += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    made
}
