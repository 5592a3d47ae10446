//! One load in virtual time and over sockets: do both worlds tell the same of it?
//!
//! Both take every decision from the same draws. Where nothing that is decided depends on *when* it is decided, each attempt must
//! have met the same in both. Where something does, sockets are late by what they and this machine take, a call may fall on the
//! other side of a moment, and what is held against each other are rates and latencies, within bounds that are told.

use std::collections::BTreeMap;

use brownout_load::{AfterGiveUp, Graph, Load, LoadResult, Node, Reply};
use brownout_policy::Policy;
use brownout_service::Service;
use serde::Serialize;

/// What the attempts of a load met, by call and attempt.
pub type Fates = BTreeMap<(u64, u32), Reply>;

/// A load in one of the worlds.
#[derive(Clone, Copy, Debug)]
pub struct Side<'s> {
    /// What it came to.
    pub result: &'s LoadResult,
    /// What its attempts met.
    pub fates: &'s Fates,
}

/// How far two worlds tell the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// What of the scenario depends on when something happens; empty where every attempt must have met the same.
    pub timing: Vec<&'static str>,
    /// Attempts that were made in either world.
    pub attempts: u64,
    /// Those of them that met something else in the other, or were not made there.
    pub differing: u64,
    /// The first of these, by call and attempt: [`SHOWN`] at the most.
    pub first: Vec<Differing>,
    /// Rates and latencies.
    pub rows: Vec<Row>,
    /// Whether both worlds agree.
    pub agree: bool,
}

/// An attempt that met one thing here and another there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// The call.
    pub call: u64,
    /// The attempt, from 1.
    pub attempt: u32,
    /// What it met in virtual time; `None` where it was not made.
    pub virtual_time: Option<String>,
    /// What it met over sockets.
    pub sockets: Option<String>,
}

/// A number of both worlds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What it is.
    pub name: &'static str,
    /// In virtual time.
    pub virtual_time: f64,
    /// Over sockets.
    pub sockets: f64,
    /// How far apart they may be.
    pub bound: f64,
    /// Whether they are no further apart.
    pub holds: bool,
}

/// How many attempts that differ are shown.
pub const SHOWN: usize = 10;

/// How far shares and ratios may be apart beside what chance explains: 2 percentage points, or 2 % of more than one.
const RATE_SLACK: f64 = 0.02;

/// How many standard errors chance may explain.
const ERRORS: f64 = 4.0;

/// How far latencies may be apart: a tenth, and 10 ms of real time, which is what timers and a busy machine take.
const LATENCY_SLACK: f64 = 0.1;
const LATENCY_SLACK_MS: f64 = 10.0;

/// What of a scenario depends on when something happens.
#[must_use]
pub fn timing(service: &Service, graph: &Graph, load: &Load, policy: &Policy) -> Vec<&'static str> {
    let services = || std::iter::once(service).chain(graph.behind.iter().map(|Node { service, .. }| service));
    let any = |of: fn(&Service) -> bool| services().any(of);
    let parts = load.parts();
    let policies: Vec<&Policy> = parts.iter().map(|part| part.own.map_or(policy, |own| &own.policy)).collect();
    [
        (any(|service| !service.phases().is_empty()), "phases"),
        (any(|service| service.capacity().is_some()), "capacity"),
        (any(|service| !service.limits().is_empty()), "limits"),
        (any(|service| service.cache().is_some()), "a cache"),
        (any(|service| service.replicas().is_some()), "replicas"),
        (policies.iter().any(|policy| policy.remembers()), "what callers remember"),
        (policies.iter().any(|policy| policy.gives_up()), "timeouts"),
        (
            graph.hops().flatten().any(|hop| hop.policy.remembers() || hop.policy.gives_up()),
            "timeouts between services",
        ),
        (parts.iter().any(|part| part.load.after_give_up != AfterGiveUp::Drop), "calls that are made again"),
        (
            parts.iter().any(|part| !part.load.is_open() && part.load.duration.is_some()),
            "a closed load with a duration",
        ),
    ]
    .into_iter()
    .filter_map(|(is, what)| is.then_some(what))
    .collect()
}

impl Agreement {
    /// Holds one world against the other, which went `scale` times faster than real time.
    #[must_use]
    pub fn new(virtual_time: Side<'_>, sockets: Side<'_>, timing: Vec<&'static str>, scale: f64) -> Self {
        let mut differing = 0;
        let mut first = Vec::new();
        let mut attempts = 0;
        let told = |reply: Option<&Reply>| reply.map(Reply::to_string);
        let keys: std::collections::BTreeSet<_> = virtual_time.fates.keys().chain(sockets.fates.keys()).collect();
        for key in keys {
            attempts += 1;
            let (here, there) = (virtual_time.fates.get(key), sockets.fates.get(key));
            if here != there {
                differing += 1;
                if first.len() < SHOWN {
                    let (call, attempt) = *key;
                    first.push(Differing { call, attempt, virtual_time: told(here), sockets: told(there) });
                }
            }
        }
        let rows = rows(virtual_time.result, sockets.result, scale);
        let agree = if timing.is_empty() { differing == 0 } else { rows.iter().all(|row| row.holds) };
        Self { timing, attempts, differing, first, rows, agree }
    }
}

fn rows(here: &LoadResult, there: &LoadResult, scale: f64) -> Vec<Row> {
    #[expect(clippy::cast_precision_loss, reason = "counts for an error")]
    let calls = here.calls.started.min(there.calls.started).max(1) as f64;
    let of = |result: &LoadResult| {
        let latency = &result.latency_ms.response;
        [result.success_rate, result.amplification, latency.p50, latency.p90, latency.p99]
    };
    let names = ["success rate", "amplification", "p50 of calls, ms", "p90 of calls, ms", "p99 of calls, ms"];
    let pairs = names.into_iter().zip(of(here)).zip(of(there));
    let row = |((name, here), there): ((&'static str, Option<f64>), Option<f64>)| {
        let (virtual_time, sockets) = here.zip(there)?;
        let bound = match name {
            // Of two independent shares; both worlds share their luck, so that it is less.
            "success rate" => RATE_SLACK + ERRORS * (2.0 * virtual_time * (1.0 - virtual_time) / calls).sqrt(),
            "amplification" => {
                // Of two means of retries that each follow with the same chance: a geometric distribution.
                let variance = (virtual_time - 1.0).max(0.0) * virtual_time;
                RATE_SLACK * virtual_time + ERRORS * (2.0 * variance / calls).sqrt()
            }
            _ => LATENCY_SLACK * virtual_time + LATENCY_SLACK_MS * scale,
        };
        Some(Row { name, virtual_time, sockets, bound, holds: (virtual_time - sockets).abs() <= bound })
    };
    pairs.filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::{Agreement, Fates, Side};
    use brownout_load::{CallEnd, LoadResult, Reply, Tally};

    /// A hundred calls, of which the first `failed` fail, each after so many milliseconds.
    fn side(failed: u64, ms: u64) -> (LoadResult, Fates) {
        let mut tally = Tally::new(&[]);
        let mut fates = Fates::new();
        for call in 1..=100 {
            let fails = call <= failed;
            let failed = fails.then_some(brownout_policy::StopReason::Exhausted);
            tally.call(&CallEnd { started_ns: call * 1_000_000, elapsed_ns: ms * 1_000_000, attempts: 1, failed });
            fates.insert((call, 1), Reply::Status(if fails { 500 } else { 200 }));
        }
        (tally.result(100, None), fates)
    }

    fn agreement(here: (u64, u64), there: (u64, u64), timing: &[&'static str]) -> Agreement {
        let ((here, here_fates), (there, there_fates)) = (side(here.0, here.1), side(there.0, there.1));
        let (here, there) = (Side { result: &here, fates: &here_fates }, Side { result: &there, fates: &there_fates });
        Agreement::new(here, there, timing.to_vec(), 1.0)
    }

    #[test]
    fn where_nothing_depends_on_time_one_attempt_is_enough_to_differ() {
        assert!(agreement((30, 100), (30, 105), &[]).agree);
        let one = agreement((30, 100), (31, 100), &[]);
        assert!(!one.agree);
        assert_eq!((one.attempts, one.differing), (100, 1));
        assert_eq!((one.first[0].call, one.first[0].virtual_time.as_deref()), (31, Some("200")));
    }

    #[test]
    fn where_something_does_rates_and_latencies_have_bounds() {
        assert!(agreement((30, 100), (31, 119), &["phases"]).agree);
        assert!(!agreement((30, 100), (30, 125), &["phases"]).agree, "10 % and 10 ms are the bound");
        assert!(!agreement((0, 100), (10, 100), &["phases"]).agree, "no chance explains ten of a hundred");
    }
}
