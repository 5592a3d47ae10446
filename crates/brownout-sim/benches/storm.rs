//! A whole retry storm: `cargo bench -p brownout-sim --bench storm`. `BENCH_ROUNDS` sets the rounds.
//!
//! 70,000 calls a second for 30 virtual seconds on 10,000 workers (100 ms of work each, exponential, 70 % used), which stop
//! for two seconds; a timeout of one second on every attempt, three retries with full jitter, a token bucket for each client.
//! And a closed loop, in which every client has a timer of its own. Each case is a process of its own, so that its peak of
//! memory can be told; an event is anything that leaves the queue, stale timers included.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench takes the time and prints it")]

use std::num::NonZeroU32;
use std::process::Command;
use std::time::{Duration, Instant};

use brownout_draw::{Distribution, Seed};
use brownout_load::{Arrivals, Load, Rate};
use brownout_policy::{Budget, DepositOn, Guarded, JitterKind, Policy, Settings, TokenBudget};
use brownout_service::{
    Abandoned, Behaviour, Capacity, Change, Factor, Factors, Only, Outcomes, Phase, Queue, Ramp, Request, Service,
    Shed, Window,
};
use brownout_sim::World;

const MS: fn(u64) -> Duration = Duration::from_millis;
/// Which case a child is to run.
const CASE: &str = "BENCH_CASE";
const CASES: [(&str, u32, bool); 4] = [
    ("storm, 1,000 clients", 1_000, false),
    ("storm, 1,000,000 clients", 1_000_000, false),
    ("closed loop, 1,000 clients", 1_000, true),
    ("closed loop, 1,000,000 clients", 1_000_000, true),
];

fn main() {
    if let Some(case) = std::env::var(CASE).ok().and_then(|case| case.parse::<usize>().ok()) {
        let (_, clients, closed) = CASES[case];
        let (events, seconds) = if closed { closed_loop(clients) } else { storm(clients) };
        println!("{events} {seconds} {}", peak_kib());
        return;
    }
    let rounds = std::env::var("BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    println!("{rounds} rounds, one core: million events a second, median (min to max), and the peak of memory");
    for (case, (name, clients, _)) in CASES.iter().enumerate() {
        let mut runs: Vec<(f64, f64)> = (0..rounds).map(|_| child(case)).collect();
        runs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (low, (median, kib), high) = (runs[0].0, runs[runs.len() / 2], runs[runs.len() - 1].0);
        let each = kib * 1024.0 / f64::from(*clients);
        println!(
            "  {name:32} {median:5.2} ({low:.2} to {high:.2})  {:5.0} MiB, {each:.0} bytes a client",
            kib / 1024.0
        );
    }
}

/// Million events a second, and KiB at the peak.
fn child(case: usize) -> (f64, f64) {
    let program = std::env::current_exe().expect("a running bench has a file");
    let output = Command::new(program).env(CASE, case.to_string()).output().expect("the bench runs itself");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    (numbers[0] / numbers[1] / 1e6, numbers[2])
}

fn storm(clients: u32) -> (u64, f64) {
    let capacity = Capacity {
        workers: NonZeroU32::new(10_000).expect("not zero"),
        service_time: Distribution::exponential(MS(100), None).expect("longer than zero"),
        queue: Queue { length: Some(20_000), ..Queue::default() },
        shed: Shed::default(),
        abandoned: Abandoned::KeepWorking,
    };
    let factors = Factors { capacity: Factor::new(0.0), ..Factors::default() };
    let window = Window { from: MS(10_000), until: Some(MS(12_000)) };
    let stop = Phase {
        name: "stop".to_owned(),
        window,
        ramp: Ramp::default(),
        change: Change::default(),
        factors,
        only: Only::default(),
    };
    let service = service(Distribution::fixed(Duration::ZERO), vec![stop]).with_capacity(Some(capacity));
    let bucket = TokenBudget::new(10.0, 0.1, DepositOn::Success).expect("a bucket of ten");
    let policy = Policy::new(Settings {
        max_retries: Some(3),
        jitter: Some(JitterKind::Full),
        attempt_timeout: Some(MS(1000)),
        budget: Some(Guarded::each(Budget::Tokens(bucket))),
        ..Settings::default()
    });
    let rate = Rate::per_second(70_000.0).expect("a rate");
    let clients = NonZeroU32::new(clients).expect("not zero");
    let load = Load { arrivals: Arrivals::Poisson(rate), duration: Some(MS(30_000)), clients, ..Load::default() };
    timed(&service.expect("a service"), &policy.expect("a policy"), &load)
}

/// Clients who call, are answered after 100 ms, and think for ten seconds.
fn closed_loop(clients: u32) -> (u64, f64) {
    let service = service(Distribution::fixed(MS(100)), vec![]);
    let think = Distribution::exponential(MS(10_000), None).expect("longer than zero");
    let clients = NonZeroU32::new(clients).expect("not zero");
    let load = Load {
        arrivals: Arrivals::Closed { think: Some(think), start: None },
        count: Some(3_000_000),
        clients,
        ..Load::default()
    };
    timed(&service, &Policy::none(), &load)
}

fn service(latency: Distribution, phases: Vec<Phase>) -> Service {
    let outcomes = Outcomes::new([]).expect("nothing fails");
    Service::new(Behaviour { outcomes, latency }, vec![], phases).expect("a service")
}

fn timed(service: &Service, policy: &Policy, load: &Load) -> (u64, f64) {
    let start = Instant::now();
    let result = World::new(service, policy, Seed(1)).load(&Request { method: "GET", path: "/" }, load);
    (result.events.unwrap_or_default(), start.elapsed().as_secs_f64())
}

/// The most memory this process ever had, in KiB; 0 where the system does not say.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse().ok()).unwrap_or_default()
}
