//! Callers: retries, budgets, hedges.

use brownout_load::LoadResult;

use super::{Check, Study, seconds, share};
use crate::theory::{hedge, retry};

const BINOMIAL: &str = "independent failures: a geometric sum";
const BUDGET: &str = "fixed point of deposits and withdrawals";
const STACK: &str = "tiers of retries: a product";
const HOPS: &str = "hops that each retry the next: a product";
const HEDGE: &str = "the lesser of an exponential and one begun later";

pub(super) fn studies() -> Vec<Study> {
    let mut studies = Vec::new();
    studies.extend([(0.1, 4), (0.5, 4), (0.9, 4), (0.5, 10), (0.75, 2), (1.0, 4)].map(retries));
    studies.extend([0.3, 0.5].map(budget_per_call));
    studies.extend([0.3, 0.5].map(budget_per_success));
    studies.extend([windowed(), full_buckets(100), full_buckets(10)]);
    studies.extend([1.0, 20.0_f64.ln()].map(one_hedge));
    let stacks: [&[u32]; 4] = [&[3, 4], &[3, 4, 3], &[4, 4, 4], &[3, 3, 3, 3, 3]];
    studies.extend(stacks.map(|tiers| stack(1.0, tiers)));
    studies.extend([0.5, 0.7, 0.9].map(|failure| stack(failure, &[4, 4])));
    studies.push(budget_at_every_layer());
    studies.extend([(3, 4), (5, 3)].map(hops));
    studies.push(budget_at_every_hop());
    studies
}

fn amplification(result: &LoadResult) -> f64 {
    result.amplification.unwrap_or(f64::NAN)
}

/// Calls that fail with probability `failure`, one after another, under `policy`.
fn text(failure: f64, count: u64, policy: &str) -> String {
    format!(
        "[service]\nlatency = \"1ms\"\noutcomes = {{ error = {failure} }}\n[load]\ncount = {count}\n[policy]\nbase_delay = \"1ms\"\nbackoff = \
         \"constant\"\n{policy}\n"
    )
}

fn retries((failure, attempts): (f64, u32)) -> Study {
    let mut checks = vec![Check::new("amplification", retry::amplification(failure, attempts), 0.01, amplification)];
    let success = retry::success(failure, attempts);
    if success > 0.0 {
        checks.push(Check::new("success", success, 0.02, |result| result.success_rate.unwrap_or(f64::NAN)));
    }
    let policy = format!("max_retries = {}", attempts - 1);
    Study::new(format!("{attempts} attempts, failure {failure}"), BINOMIAL, &text(failure, 100_000, &policy), checks)
}

/// A token bucket that calls fill: it pays for a fifth of a retry a call, as far as retries are wanted.
fn budget_per_call(failure: f64) -> Study {
    let policy = "max_retries = \"unbounded\"\nbudget = { tokens = { capacity = 1000, deposit = 0.2, deposit_on = \"call\", initial = 0 } }";
    let expected = retry::budget_per_request(failure, 1000, 0.2);
    Study::new(
        format!("bucket filled by calls, 0.2, failure {failure}"),
        BUDGET,
        &text(failure, 100_000, policy),
        vec![Check::new("amplification", expected, 0.01, amplification)],
    )
}

/// The same, filled by successes.
fn budget_per_success(failure: f64) -> Study {
    let policy = "max_retries = \"unbounded\"\nbudget = { tokens = { capacity = 1000, deposit = 0.2, initial = 0 } }";
    let expected = retry::budget_per_success(failure, 1000, 0.2);
    Study::new(
        format!("bucket filled by successes, 0.2, failure {failure}"),
        BUDGET,
        &text(failure, 100_000, policy),
        vec![Check::new("amplification", expected, 0.01, amplification)],
    )
}

/// In a total outage the windowed budget adds its ratio and nothing more.
fn windowed() -> Study {
    let policy = "max_retries = \"unbounded\"\nbudget = { ratio = 0.2, min_per_second = 0 }";
    Study::new(
        "windowed budget, 0.2, total outage",
        "Finagle, RetryBudget",
        &text(1.0, 100_000, policy),
        vec![Check::new("amplification", 1.2, 0.01, amplification)],
    )
}

/// Many small clients, each with a full bucket of 10, spend far more than one big one: the middle of the bounds.
fn full_buckets(calls_each: u32) -> Study {
    let (low, high) = retry::full_bucket(0.1, 10.0, calls_each, 1000);
    let clients = 1000;
    let text = format!(
        "[service]\noutcomes = {{ error = 1.0 }}\n[load]\narrivals = {{ constant = \"1000/s\" }}\nclients = {clients}\ncount = {}\n[policy]\nmax_retries = \
         \"unbounded\"\nbase_delay = \"0s\"\nbudget = {{ tokens = {{ capacity = 10, deposit = 0.1, deposit_on = \"call\" }} }}\n",
        clients * calls_each
    );
    let middle = f64::midpoint(low, high);
    Study::new(
        format!("{clients} full buckets of 10, {calls_each} calls each, total outage"),
        "bounds of a bucket that starts full",
        &text,
        vec![Check::new("amplification, within its bounds", middle, 0.01, move |result| {
            let found = amplification(result);
            // Within the bounds is as expected; outside, what was found.
            if (low..=high).contains(&found) { middle } else { found }
        })],
    )
}

fn one_hedge(delay: f64) -> Study {
    let text = format!(
        "[service]\nlatency = {{ exponential = \"1s\" }}\n[load]\narrivals = {{ poisson = \"10/s\" }}\ncount = 100000\n[policy]\nmax_retries = \
         0\nhedge = {{ after = \"{delay:.9}s\" }}\n"
    );
    Study::new(
        format!("one hedge after {delay:.4}"),
        HEDGE,
        &text,
        vec![
            Check::new("response", hedge::mean(delay), 0.02, |result| seconds(result.latency_ms.response.mean)),
            Check::new("response p99", hedge::quantile(delay, 0.99), 0.02, |result| {
                seconds(result.latency_ms.response.p99)
            }),
            Check::new("hedges a call", hedge::hedges(delay), 0.03, |result| {
                share(result.attempts.hedges, result.calls.started)
            }),
        ],
    )
}

/// Policies around each other, of so many attempts each, over attempts that fail with probability `failure`.
fn stack(failure: f64, tiers: &[u32]) -> Study {
    let layer =
        |attempts: &u32| format!("{{ max_retries = {}, base_delay = \"1ms\", backoff = \"constant\" }}", attempts - 1);
    let layers: Vec<String> = tiers.iter().map(layer).collect();
    let count = if failure < 1.0 { 100_000 } else { 1_000 };
    let shown: Vec<String> = tiers.iter().map(u32::to_string).collect();
    Study::new(
        format!("{} attempts around each other, failure {failure}", shown.join(" × ")),
        STACK,
        &failing(failure, count, &layers),
        vec![Check::new("amplification", retry::leaf_attempts(failure, tiers), 0.01, amplification)],
    )
}

/// Five policies around each other that would retry for ever, each with a bucket to which a call brings a tenth of a retry.
fn budget_at_every_layer() -> Study {
    let layer = "{ max_retries = \"unbounded\", base_delay = \"1ms\", backoff = \"constant\", budget = { tokens = { capacity = 100, deposit = 0.1, \
                 deposit_on = \"call\", initial = 0 } } }";
    Study::new(
        "5 budgets of 10 % around each other, total outage",
        STACK,
        &failing(1.0, 10_000, &[(); 5].map(|()| layer.to_owned())),
        vec![Check::new("amplification", 1.1_f64.powi(5), 0.01, amplification)],
    )
}

fn failing(failure: f64, count: u64, layers: &[String]) -> String {
    format!(
        "policy = [{}]\n[service]\nlatency = \"1ms\"\noutcomes = {{ error = {failure} }}\n[load]\ncount = {count}\n",
        layers.join(", ")
    )
}

/// Attempts at the last service, for each call of a client.
fn leaf_amplification(result: &LoadResult) -> f64 {
    let leaf = result.behind.iter().find(|service| service.name == LEAF);
    leaf.and_then(|leaf| leaf.amplification).unwrap_or(f64::NAN)
}

const LEAF: &str = "leaf";

/// Clients and services in a row, so many hops in all, each with this policy for the next; the last fails always.
fn chain(hops: u32, policy: &str, count: u64) -> String {
    let name = |place: u32| if place + 1 == hops { LEAF.to_owned() } else { format!("s{place}") };
    let calls = |to: u32| format!("calls = [{{ to = \"{}\", policy = {policy} }}]\n", name(to));
    let mut text = format!("policy = {policy}\n[load]\ncount = {count}\n[service]\n{}", calls(1));
    for place in 1..hops {
        let rest = if place + 1 == hops { "outcomes = { error = 1.0 }\n".to_owned() } else { calls(place + 1) };
        text += &format!("[services.{}]\nlatency = \"1ms\"\n{rest}", name(place));
    }
    text
}

fn hops((hops, attempts): (u32, u32)) -> Study {
    let policy = format!("{{ max_retries = {}, base_delay = \"1ms\" }}", attempts - 1);
    let tiers = vec![attempts; hops as usize];
    Study::new(
        format!("{hops} hops of {attempts} attempts, total outage of the last service"),
        HOPS,
        &chain(hops, &policy, 100),
        vec![Check::new("attempts there for a call", retry::leaf_attempts(1.0, &tiers), 0.01, leaf_amplification)],
    )
}

fn budget_at_every_hop() -> Study {
    let policy = "{ max_retries = \"unbounded\", base_delay = \"1ms\", budget = { tokens = { capacity = 100, deposit = 0.1, deposit_on = \"call\", \
                  initial = 0 } } }";
    Study::new(
        "5 hops with a budget of 10 % each, total outage of the last service",
        HOPS,
        &chain(5, policy, 10_000),
        vec![Check::new("attempts there for a call", 1.1_f64.powi(5), 0.01, leaf_amplification)],
    )
}
