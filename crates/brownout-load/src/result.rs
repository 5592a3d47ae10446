//! The result of a load, the same from every driver. Units stand in the field names.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Latency, SeriesResult};

/// What a load came to. Ratios are `None` where there is nothing to divide by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadResult {
    /// Calls made.
    pub total_requests: u64,
    /// Attempts by the status of their answer. With `by_fault`, every attempt is here once.
    pub by_status: BTreeMap<u16, u64>,
    /// Attempts without a whole answer, by what broke.
    pub by_fault: BTreeMap<&'static str, u64>,
    /// Calls by how they ended.
    pub calls: Calls,
    /// Attempts by why they were made.
    pub attempts: Attempts,
    /// Calls that did not succeed, by why their caller stopped.
    pub gave_up: BTreeMap<&'static str, u64>,
    /// Calls succeeded ÷ calls started.
    pub success_rate: Option<f64>,
    /// Attempts ÷ calls started.
    pub amplification: Option<f64>,
    /// From the start of the run to the end of its last call.
    pub duration_s: f64,
    /// Calls succeeded ÷ duration.
    pub goodput_per_second: Option<f64>,
    /// Latencies of calls and of attempts.
    pub latency_ms: Latencies,
    /// What happened when.
    pub per_interval: SeriesResult,
    /// What happened in each phase of the scenario.
    pub phases: Vec<PhaseResult>,
}

/// `offered = started + unsent` and `started = succeeded + failed + abandoned`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// Calls the load asked for.
    pub offered: u64,
    /// Calls that were begun.
    pub started: u64,
    /// Calls that got an answer with a status below 400.
    pub succeeded: u64,
    /// Calls that ended otherwise.
    pub failed: u64,
    /// Calls cut off before they ended, by their deadline or by the end of the run.
    pub abandoned: u64,
    /// Calls that were never begun because the run was ended first.
    pub unsent: u64,
}

/// `total = first + retries`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Attempts {
    /// All of them.
    pub total: u64,
    /// First tries.
    pub first: u64,
    /// Further tries.
    pub retries: u64,
}

/// Two views of time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Latencies {
    /// Of calls, from when they were due, waits included.
    pub response: Latency,
    /// Of single attempts.
    pub service: Latency,
}

/// What happened in one phase; calls and attempts count where they started.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseResult {
    /// As the scenario calls it.
    pub name: String,
    /// Since the run began.
    pub from_s: f64,
    /// `None` lasts to the end of the run.
    pub until_s: Option<f64>,
    /// Calls started.
    pub calls: u64,
    /// Of these, calls that succeeded.
    pub succeeded: u64,
    /// Attempts started.
    pub attempts: u64,
}
