//! The result of a load, the same from every driver. Units stand in the field names.

use std::collections::BTreeMap;
use std::time::Duration;

use brownout_policy::Verdict;
use brownout_service::{EarlyReturns, EffectCounts, LimitCounts};
use serde::{Deserialize, Serialize};

use crate::{Generator, Latency, SeriesResult, read};

/// What a load came to. Ratios are `None` where there is nothing to divide by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadResult {
    /// Calls made.
    pub total_requests: u64,
    /// Attempts by the status of their answer. With `by_fault`, every attempt is here once.
    #[serde(deserialize_with = "read::statuses")]
    pub by_status: BTreeMap<u16, u64>,
    /// Attempts without a whole answer, by what broke.
    #[serde(deserialize_with = "read::faults")]
    pub by_fault: BTreeMap<&'static str, u64>,
    /// What broke first, kind by kind, in words; empty in virtual time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "read::examples")]
    pub fault_examples: BTreeMap<&'static str, String>,
    /// Calls by how they ended.
    pub calls: Calls,
    /// Attempts by why they were made.
    pub attempts: Attempts,
    /// Calls that did not succeed, by why their caller stopped.
    #[serde(deserialize_with = "read::reasons")]
    pub gave_up: BTreeMap<&'static str, u64>,
    /// Calls that succeeded, by how many attempts they took, copies included; those of a hundred stand for all of more.
    #[serde(default, deserialize_with = "read::tries")]
    pub tries_to_success: BTreeMap<u32, u64>,
    /// What became of the service's Retry-After.
    #[serde(default)]
    pub retry_after: RetryAfterCounts,
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
    /// Before, during and after the phases; `None` without phases, or where one never ends.
    pub recovery: Option<Recovery>,
    /// What the load did to the service; `None` without a capacity, or where it cannot be seen.
    pub capacity: Option<CapacityResult>,
    /// What became of the services behind the one that was called; empty without any, or where they cannot be seen.
    pub behind: Vec<ServiceResult>,
    /// The callers, population by population, where there are cohorts: the same numbers for each alone. What the service saw of
    /// them is told of all together.
    pub cohorts: Vec<CohortResult>,
    /// What the limits of the service did; `None` without any, or where they cannot be seen.
    pub limits: Option<LimitsResult>,
    /// What the service did, effect by effect, and what of it twice; empty without any, or where it cannot be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<EffectResult>,
    /// What the callers' budgets and breakers left open over time; `None` without any, of cohorts, and where
    /// nobody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guards: Option<GuardSeries>,
    /// How well this machine kept up; `None` in virtual time, which nothing keeps from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<Generator>,
    /// Events of virtual time; `None` in real time.
    pub events: Option<u64>,
    /// Why the run was ended before its end; `None` where it is whole.
    pub cut_short: Option<String>,
}

/// `offered = started + unsent` and `started = succeeded + failed + abandoned`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// Calls the load asked for.
    pub offered: u64,
    /// Calls that were begun.
    pub started: u64,
    /// Calls that got an answer that their callers take for a success.
    pub succeeded: u64,
    /// Calls that ended otherwise.
    pub failed: u64,
    /// Calls cut off before they ended, by their deadline or by the end of the run.
    pub abandoned: u64,
    /// Calls that were never begun because the run was ended first.
    pub unsent: u64,
    /// Of the calls begun, those that are one that failed before, made again.
    pub returned: u64,
}

/// `total = first + retries + hedges`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// All of them.
    pub total: u64,
    /// First tries.
    pub first: u64,
    /// Further tries, after a failure.
    pub retries: u64,
    /// Further tries, beside one in flight.
    pub hedges: u64,
    /// Retries and hedges that were wanted and that a budget refused.
    pub budget_denied: u64,
    /// Of all of them, those that brought what was wanted.
    #[serde(default)]
    pub succeeded: u64,
}

/// Failed attempts whose answer said when to come back. What is neither honoured nor broken was followed by no other attempt of its
/// call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryAfterCounts {
    /// All of them.
    pub received: u64,
    /// Those after which the next attempt of the call came no sooner than that.
    pub honoured: u64,
    /// Those after which it came sooner.
    pub broken: u64,
}

impl RetryAfterCounts {
    /// One more, which `asked` for so long, and what the caller made of it.
    pub(crate) fn heard(&mut self, asked: Duration, verdict: Verdict) {
        self.received += 1;
        if let Verdict::Retry { after, .. } = verdict {
            *if asked <= after { &mut self.honoured } else { &mut self.broken } += 1;
        }
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            received: self.received.saturating_add(other.received),
            honoured: self.honoured.saturating_add(other.honoured),
            broken: self.broken.saturating_add(other.broken),
        }
    }
}

/// Three views of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// Of calls, from when they were due, waits included.
    pub response: Latency,
    /// Of calls that succeeded.
    pub success: Latency,
    /// Of single attempts.
    pub service: Latency,
}

/// What the phases did to the callers: the *trigger* is the time from the start of the first phase to the end of the last.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// When the trigger began.
    pub trigger_from_s: f64,
    /// When it was over.
    pub trigger_until_s: f64,
    /// Calls that ended well before, during and after it.
    pub succeeded: [u64; 3],
    /// Up to when calls were looked at: the end of the load.
    pub seen_until_s: f64,
    /// Calls that ended well before it, a second. `None` where it begins with the run.
    pub goodput_before: Option<f64>,
    /// The same during the trigger.
    pub goodput_during: Option<f64>,
    /// The same after it, to the end of the load. `None` where that ended first.
    pub goodput_after: Option<f64>,
    /// From the end of the trigger to the first of five intervals in a row with goodput at least 90 % and amplification at
    /// most 110 % of what they were before. `None` is never, as long as the load lasted.
    pub recovered_after_s: Option<f64>,
    /// How many intervals after the trigger could be looked at: with fewer than five nothing can be told. None where no call
    /// succeeded before the trigger.
    pub intervals_after: u64,
}

/// What the load did to a service with a capacity. `arrived = served + wasted + shed + left + inside`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapacityResult {
    /// Attempts that reached the service.
    pub arrived: u64,
    /// Of them, those that found no worker free and were let into the queue.
    pub waited: u64,
    /// Attempts whose work was done while their caller waited for it.
    pub served: u64,
    /// Attempts whose work was done, or begun, for a caller that had gone.
    pub wasted: u64,
    /// Attempts that found the queue full, or waited too long in it.
    pub shed: u64,
    /// Attempts that left the queue with their caller.
    pub left: u64,
    /// Attempts that were inside when the run ended.
    pub inside: u64,
    /// From arrival to the start of the work, of attempts whose work was begun.
    pub wait_ms: Latency,
    /// Requests inside, waiting or worked on: the mean over the run.
    pub inside_mean: f64,
    /// Requests waiting: the mean over the run.
    pub waiting_mean: f64,
    /// Requests waiting: the most.
    pub waiting_max: u32,
    /// Workers busy: the mean over the run.
    pub busy_mean: f64,
    /// Workers busy ÷ workers there were, which phases may change.
    pub utilisation: f64,
    /// Work for callers that had gone ÷ all work.
    pub wasted_share: Option<f64>,
    /// The queue and the workers over time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_interval: Option<CapacitySeries>,
}

/// Queue and workers over time: the mean of each interval, the last of which is as long as it lasted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapacitySeries {
    /// The length of an interval, in seconds.
    pub interval_s: u64,
    /// Requests that wait.
    pub waiting: Vec<f64>,
    /// Workers busy.
    pub busy: Vec<f64>,
    /// Workers there were, those that finish what they had begun included.
    pub workers: Vec<f64>,
}

/// Budgets and breakers over time: how things stood at the end of each interval, the last of which is as long as it lasted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuardSeries {
    /// The length of an interval, in seconds.
    pub interval_s: u64,
    /// Retries that a budget would have granted at once, up to a thousand: the mean over the budgets. Empty without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budget_left: Vec<f64>,
    /// The share of breakers that refused everything. Empty without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breakers_open: Vec<f64>,
}

/// What happened at a service behind the one that clients call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceResult {
    /// As the scenario calls it.
    pub name: String,
    /// Calls that other services made of it.
    pub calls: u64,
    /// Of these, calls that succeeded.
    pub succeeded: u64,
    /// Attempts of these calls.
    pub attempts: u64,
    /// Retries and hedges that were wanted and that a budget refused.
    pub budget_denied: u64,
    /// Attempts ÷ calls that the clients started: how much one call of a client comes to here.
    pub amplification: Option<f64>,
    /// What the load did to it; `None` without a capacity.
    pub capacity: Option<CapacityResult>,
}

/// What became of the calls of one cohort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CohortResult {
    /// As the scenario calls it.
    pub name: String,
    /// Its own numbers.
    #[serde(flatten)]
    pub result: LoadResult,
}

/// What the limits of a service did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsResult {
    /// Each of them, in the order in which they are asked.
    pub limits: Vec<LimitResult>,
    /// Attempts that came before a refusal had said.
    pub early_returns: EarlyResult,
}

/// What one limit did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitResult {
    /// As the scenario calls it.
    pub name: String,
    /// Attempts that it had a say in.
    pub asked: u64,
    /// Of these, those that it refused.
    pub refused: u64,
}

/// Attempts that came before a refusal had said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlyResult {
    /// All of them.
    pub attempts: u64,
    /// Of these, retries: the same call again, before its time. The others are new calls of a client that was to wait.
    pub retries: u64,
    /// How many clients made them.
    pub clients: u64,
    /// The worst of those, the worst first.
    pub worst: Vec<EarlyClient>,
}

/// A client that came too early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlyClient {
    /// Its name.
    pub client: String,
    /// How many of its attempts came too early.
    pub attempts: u64,
}

impl LimitsResult {
    /// From the account of the limits.
    #[must_use]
    pub fn new(counts: Vec<LimitCounts>, early: EarlyReturns) -> Self {
        let limit = |LimitCounts { name, asked, refused }| LimitResult { name, asked, refused };
        let EarlyReturns { attempts, retries, clients, worst } = early;
        let worst = worst.into_iter().map(|(client, attempts)| EarlyClient { client, attempts }).collect();
        Self {
            limits: counts.into_iter().map(limit).collect(),
            early_returns: EarlyResult { attempts, retries, clients, worst },
        }
    }
}

/// What was done of one effect. `done = keys + duplicates + unkeyed + untracked`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectResult {
    /// As the scenario calls it.
    pub name: String,
    /// How often it was done.
    pub done: u64,
    /// For how many keys.
    pub keys: u64,
    /// How often it was done for a key beyond the first time.
    pub duplicates: u64,
    /// How many keys it was done for more than once.
    pub repeated: u64,
    /// How often it was asked for once more and not done.
    pub prevented: u64,
    /// How often it was done for nobody known.
    pub unkeyed: u64,
    /// How often it was done for a key that there was no room for.
    pub untracked: u64,
    /// The worst keys, the worst first.
    pub worst: Vec<EffectKeyResult>,
}

/// A key for which an effect was done more than once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectKeyResult {
    /// Its name.
    pub key: String,
    /// How often.
    pub done: u64,
}

impl LoadResult {
    /// Whether calls were made, and not one was answered.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.total_requests > 0 && self.by_status.is_empty()
    }

    /// Whether its numbers tell of the machine that made the calls rather than of the service.
    #[must_use]
    pub fn is_saturated(&self) -> bool {
        self.generator.as_ref().is_some_and(|generator| generator.saturated.is_some())
    }

    /// The same with the ratios that its counts make.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "ratios of counts")]
    pub(crate) fn with_ratios(self) -> Self {
        let per = |amount: u64, whole: u64| (whole > 0).then(|| amount as f64 / whole as f64);
        let Self { calls: Calls { started, succeeded, .. }, duration_s, .. } = self;
        Self {
            success_rate: per(succeeded, started),
            amplification: per(self.attempts.total, started),
            goodput_per_second: (duration_s > 0.0).then(|| succeeded as f64 / duration_s),
            ..self
        }
    }
}

impl EffectResult {
    /// From the account of the ledger.
    #[must_use]
    pub fn new(counts: EffectCounts) -> Self {
        let EffectCounts { name, done, keys, duplicates, repeated, prevented, unkeyed, untracked, worst } = counts;
        let worst = worst.into_iter().map(|(key, done)| EffectKeyResult { key, done }).collect();
        Self { name, done, keys, duplicates, repeated, prevented, unkeyed, untracked, worst }
    }
}

/// What happened in one phase; calls and attempts count where they started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
