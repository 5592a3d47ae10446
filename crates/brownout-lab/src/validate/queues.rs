//! Queues: one unit of time is one second, the mean service time is one unit.

use brownout_load::{CapacityResult, LoadResult};

use super::{Check, Study, seconds, share};
use crate::theory::{abandonment, closed, erlang, mg1, mm1, mmck, retrial};

const QUEUEING: &str = "L. Kleinrock, Queueing Systems 1 (1975)";
const BARRER: &str = "D. Y. Barrer, Queuing with Impatient Customers (1957)";
const PALM: &str = "C. Palm (1943); O. Garnett, A. Mandelbaum, M. Reiman, Designing a Call Center (2002)";
const RETRIAL: &str = "J. R. Artalejo, G. I. Falin, Standard and Retrial Queueing Systems (2002)";

pub(super) fn studies() -> Vec<Study> {
    let mut studies = Vec::new();
    studies.extend([0.5, 0.8, 0.9].map(one_server));
    studies.extend([(2, 1.6), (5, 4.0), (10, 9.0), (100, 95.0)].map(many_servers));
    for (servers, load) in [(1, 1.0), (5, 3.0), (10, 10.0), (100, 90.0)] {
        studies.extend(SHAPES.map(|shape| loss(servers, load, shape)));
    }
    studies.extend([(1, 5, 0.8), (1, 5, 1.5), (3, 10, 2.7)].map(bounded));
    studies.extend(services());
    studies.extend([constant_arrivals(0.8), last_come(0.8)]);
    studies.extend([(10, 9.0, 0.5), (10, 12.0, 0.5), (2, 1.8, 1.0)].map(exponential_patience));
    studies.extend([(0.8, 2.0), (1.2, 2.0), (0.9, 4.0)].map(fixed_patience));
    studies.extend([(0.5, 0.5), (0.8, 0.5), (0.8, 2.0)].map(come_back));
    studies.extend([10, 20, 30, 50].map(closed_loop));
    studies
}

/// Service times of mean 1, by name.
const SHAPES: [(&str, &str); 3] = [
    ("exponential", r#"{ exponential = "1s" }"#),
    ("deterministic", r#"{ fixed = "1s" }"#),
    // The mean of a lognormal is exp(σ²/2) of its median.
    ("lognormal", r#"{ lognormal = { median = "606530660ns", sigma = 1 } }"#),
];

/// A service of `workers`, and calls at `rate` a second, `count` of them.
fn text(workers: u32, service_time: &str, queue: &str, rate: f64, count: u64) -> String {
    format!(
        "[service.capacity]\nworkers = {workers}\nservice_time = {service_time}\nqueue = {queue}\n[load]\narrivals = {{ poisson = \
         \"{rate}/s\" }}\ncount = {count}\n"
    )
}

const ENDLESS: &str = r#"{ length = "unbounded" }"#;

fn capacity(result: &LoadResult) -> &CapacityResult {
    result.capacity.as_ref().expect("a study of a queue has a capacity")
}

fn mean_wait(result: &LoadResult) -> f64 {
    seconds(capacity(result).wait_ms.mean)
}

fn one_server(load: f64) -> Study {
    // The run-length rule says how many customers make the mean wait good to 2 %.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some millions")]
    let count = (mm1::customers(load, 0.02, 3.29) / f64::from(super::RUNS)).max(100_000.0) as u64;
    let quantile = |q| mm1::response_quantile(load, q);
    Study::new(
        format!("M/M/1, load {load}"),
        QUEUEING,
        &text(1, SHAPES[0].1, ENDLESS, load, count),
        vec![
            Check::new("customers inside", mm1::in_system(load), 0.05, |result| capacity(result).inside_mean),
            Check::new("response", mm1::response(load), 0.05, |result| seconds(result.latency_ms.response.mean)),
            Check::new("response p50", quantile(0.5), 0.05, |result| seconds(result.latency_ms.response.p50)),
            Check::new("response p99", quantile(0.99), 0.08, |result| seconds(result.latency_ms.response.p99)),
            Check::new("utilisation", load, 0.02, |result| capacity(result).utilisation),
        ],
    )
}

fn many_servers((servers, load): (u32, f64)) -> Study {
    let wait = erlang::wait(servers, load);
    Study::new(
        format!("M/M/{servers}, load {load}"),
        "A. K. Erlang (1917), formula C",
        &text(servers, SHAPES[0].1, ENDLESS, load, 400_000),
        vec![
            Check::new("must wait", erlang::delayed(servers, load), 0.08, |result| {
                share(capacity(result).waited, capacity(result).arrived)
            }),
            Check::new("wait", wait, 0.12, mean_wait),
        ],
    )
}

fn loss(servers: u32, load: f64, (shape, service_time): (&str, &str)) -> Study {
    Study::new(
        format!("M/G/{servers}/{servers}, load {load}, {shape}"),
        "A. K. Erlang (1917), formula B, for every distribution",
        &text(servers, service_time, "{ length = 0 }", load, 200_000),
        vec![Check::new("blocked", erlang::blocking(servers, load), 0.05, |result| {
            share(capacity(result).shed, capacity(result).arrived)
        })],
    )
}

fn bounded((servers, room, load): (u32, u32, f64)) -> Study {
    let solved = mmck::solve(servers, room, load);
    let length = room - servers;
    Study::new(
        format!("M/M/{servers}/{room}, load {load}"),
        QUEUEING,
        &text(servers, SHAPES[0].1, &format!("{{ length = {length} }}"), load, 200_000),
        vec![
            Check::new("blocked", solved.blocking, 0.05, |result| {
                share(capacity(result).shed, capacity(result).arrived)
            }),
            Check::new("customers inside", solved.in_system, 0.03, |result| capacity(result).inside_mean),
            Check::new("response of the taken", solved.response.unwrap_or(f64::NAN), 0.03, |result| {
                seconds(result.latency_ms.success.mean)
            }),
            Check::new("throughput", solved.throughput, 0.02, |result| {
                share(capacity(result).served, 1) / result.duration_s
            }),
        ],
    )
}

/// Pollaczek and Khinchine: the wait behind one server depends on the variance of its service time.
fn services() -> Vec<Study> {
    // Two exponentials, the slow one nearly eight times as slow; their means and weights as written.
    let (weight, quick, slow) = (0.8873, 0.5635, 4.4366);
    let mean = weight * quick + (1.0 - weight) * slow;
    let scv = 2.0 * (weight * quick * quick + (1.0 - weight) * slow * slow) / (mean * mean) - 1.0;
    let mixed = format!(
        "{{ mix = [{{ weight = {weight}, of = {{ exponential = \"{quick}s\" }} }}, {{ weight = {}, of = {{ exponential = \
         \"{slow}s\" }} }}] }}",
        1.0 - weight
    );
    let shapes = [
        ("deterministic", SHAPES[1].1, 1.0, 0.0),
        ("uniform from 0", r#"{ uniform = { min = "0s", max = "2s" } }"#, 1.0, 1.0 / 3.0),
        ("lognormal, sigma 1", SHAPES[2].1, 1.0, mg1::scv_lognormal(1.0)),
        ("hyperexponential", &mixed, mean, scv),
    ];
    let study = |load: f64, (shape, service_time, mean, scv): (&str, &str, f64, f64)| {
        Study::new(
            format!("M/G/1, load {load}, {shape}"),
            "F. Pollaczek (1930), A. Khinchine (1932)",
            &text(1, service_time, ENDLESS, load / mean, 400_000),
            vec![Check::new("wait", mg1::wait(load, scv) * mean, 0.12, mean_wait)],
        )
    };
    [0.5, 0.8].into_iter().flat_map(|load| shapes.map(|shape| study(load, shape))).collect()
}

/// Arrivals at equal distances: the wait is that of G/M/1 with σ = exp(-(1 - σ)/ρ).
fn constant_arrivals(load: f64) -> Study {
    let sigma = (0..10_000).fold(0.5, |sigma: f64, _| libm::exp(-(1.0 - sigma) / load));
    let text = text(1, SHAPES[0].1, ENDLESS, load, 400_000).replace("poisson", "constant");
    Study::new(
        format!("D/M/1, load {load}"),
        QUEUEING,
        &text,
        vec![Check::new("wait", sigma / (1.0 - sigma), 0.05, mean_wait)],
    )
}

/// Whom a worker takes next changes nobody's mean, only who waits.
fn last_come(load: f64) -> Study {
    Study::new(
        format!("M/M/1 last come first served, load {load}"),
        QUEUEING,
        &text(1, SHAPES[0].1, r#"{ length = "unbounded", order = "lifo" }"#, load, 400_000),
        vec![Check::new("wait", mm1::wait(load), 0.08, mean_wait)],
    )
}

fn exponential_patience((servers, load, theta): (u32, f64, f64)) -> Study {
    let solved = abandonment::exponential_patience(servers, load, theta);
    let queue = format!(r#"{{ length = "unbounded", max_wait = {{ exponential = "{}s" }} }}"#, 1.0 / theta);
    Study::new(
        format!("M/M/{servers}+M, load {load}, patience {}", 1.0 / theta),
        PALM,
        &text(servers, SHAPES[0].1, &queue, load, 200_000),
        vec![
            Check::new("lost patience", solved.abandoned, 0.06, |result| {
                share(capacity(result).shed, capacity(result).arrived)
            }),
            Check::new("waiting", solved.waiting, 0.06, |result| capacity(result).waiting_mean),
        ],
    )
}

fn fixed_patience((load, patience): (f64, f64)) -> Study {
    let solved = abandonment::fixed_patience(load, patience);
    let queue = format!(r#"{{ length = "unbounded", max_wait = {{ fixed = "{patience}s" }} }}"#);
    Study::new(
        format!("M/M/1+D, load {load}, patience {patience}"),
        BARRER,
        &text(1, SHAPES[0].1, &queue, load, 200_000),
        vec![
            Check::new("lost patience", solved.abandoned, 0.05, |result| {
                share(capacity(result).shed, capacity(result).arrived)
            }),
            Check::new("wait of the served", solved.wait_of_served, 0.03, mean_wait),
        ],
    )
}

/// Blocked callers who come back again and again.
fn come_back((load, theta): (f64, f64)) -> Study {
    let text = format!(
        "[service.capacity]\nworkers = 1\nservice_time = {{ exponential = \"1s\" }}\nqueue = {{ length = 0 }}\n[load]\narrivals = {{ \
         poisson = \"{load}/s\" }}\nduration = \"400000s\"\nafter_give_up = {{ come_back = {{ exponential = \"{}s\" }} }}\n",
        1.0 / theta
    );
    let retries = |result: &LoadResult| share(result.calls.returned, result.calls.started - result.calls.returned);
    let expected = retrial::retries(load, theta);
    Study::new(
        format!("M/M/1/1 with retrials, load {load}, rate {theta}"),
        RETRIAL,
        &text,
        vec![Check::new("retrials a call", expected, 0.1, retries)],
    )
}

fn closed_loop(clients: u32) -> Study {
    let solved = closed::solve(clients, 20.0);
    let text = format!(
        "[service.capacity]\nworkers = 1\nservice_time = {{ exponential = \"1s\" }}\nqueue = {{ length = \"unbounded\" }}\n[load]\narrivals \
         = {{ closed = {{ clients = {clients}, think = {{ exponential = \"20s\" }} }} }}\ncount = 200000\n"
    );
    Study::new(
        format!("closed loop, {clients} clients, think time 20"),
        "mean value analysis: M. Reiser, S. Lavenberg (1980)",
        &text,
        vec![
            Check::new("throughput", solved.throughput, 0.02, |result| {
                share(result.calls.succeeded, 1) / result.duration_s
            }),
            Check::new("response", solved.response, 0.04, |result| seconds(result.latency_ms.response.mean)),
        ],
    )
}
