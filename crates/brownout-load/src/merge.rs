//! Results of the shards of one load, added up.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{Attempts, Calls, CohortResult, Generator, Latencies, Latency, LoadResult, PhaseResult, ServiceResult};

/// Why two results do not add up.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MergeError {
    /// What a service with one state for all calls came to is not the sum of what it comes to for some.
    #[error("{0} of a service are those of all its callers together, and no sum of what shards saw of them")]
    Shared(&'static str),
    /// They do not tell of the same things.
    #[error("their {0} differ")]
    Differ(&'static str),
    /// What one of them says cannot be.
    #[error("{0}")]
    Torn(&'static str),
}

impl LoadResult {
    /// Both together, as one run of the calls of both would have come out: counts, histograms and series are added, ratios,
    /// percentiles and recovery are worked out anew.
    ///
    /// # Errors
    /// Where they are no parts of one load.
    pub fn merge(&self, other: &Self) -> Result<Self, MergeError> {
        for result in [self, other] {
            let behind = result.behind.iter().any(|service| service.capacity.is_some());
            for (there, what) in [
                (result.capacity.is_some() || behind, "queues and workers"),
                (result.limits.is_some(), "limits"),
                (!result.effects.is_empty(), "effects"),
            ] {
                if there {
                    return Err(MergeError::Shared(what));
                }
            }
        }
        let per_interval = self.per_interval.merge(&other.per_interval);
        let per_interval =
            per_interval.ok_or(MergeError::Torn("`per_interval` has columns or intervals that cannot be"))?;
        let recovery = match (&self.recovery, &other.recovery) {
            (None, None) => None,
            (Some(one), Some(other)) if spans(one) == spans(other) => {
                let merged = one.merge(other, &per_interval);
                Some(merged.map_err(|_| MergeError::Torn("`recovery` has moments that cannot be"))?)
            }
            _ => return Err(MergeError::Differ("phases")),
        };
        let merged = Self {
            total_requests: self.total_requests.saturating_add(other.total_requests),
            by_status: added(&self.by_status, &other.by_status),
            by_fault: added(&self.by_fault, &other.by_fault),
            fault_examples: other.fault_examples.clone().into_iter().chain(self.fault_examples.clone()).collect(),
            calls: self.calls.plus(other.calls),
            attempts: self.attempts.plus(other.attempts),
            gave_up: added(&self.gave_up, &other.gave_up),
            retry_after: self.retry_after.plus(other.retry_after),
            tries_to_success: added(&self.tries_to_success, &other.tries_to_success),
            success_rate: None,
            amplification: None,
            duration_s: self.duration_s.max(other.duration_s),
            goodput_per_second: None,
            latency_ms: Latencies {
                response: latency(&self.latency_ms.response, &other.latency_ms.response)?,
                success: latency(&self.latency_ms.success, &other.latency_ms.success)?,
                service: latency(&self.latency_ms.service, &other.latency_ms.service)?,
            },
            per_interval,
            phases: each(&self.phases, &other.phases, "phases", PhaseResult::plus)?,
            recovery,
            capacity: None,
            behind: each(&self.behind, &other.behind, "services behind", ServiceResult::plus)?,
            cohorts: each(&self.cohorts, &other.cohorts, "cohorts", CohortResult::plus)?,
            limits: None,
            effects: Vec::new(),
            guards: None,
            generator: match (&self.generator, &other.generator) {
                (Some(one), Some(other)) => Some(one.plus(other)?),
                (None, None) => None,
                _ => return Err(MergeError::Differ("kinds of time")),
            },
            events: self.events.zip(other.events).map(|(one, other)| one.saturating_add(other)),
            cut_short: self.cut_short.clone().or_else(|| other.cut_short.clone()),
        };
        Ok(merged.with_ratios().with_ratios_behind())
    }

    #[expect(clippy::cast_precision_loss, reason = "a ratio of counts")]
    fn with_ratios_behind(mut self) -> Self {
        let started = self.calls.started;
        for service in &mut self.behind {
            service.amplification = (started > 0).then(|| service.attempts as f64 / started as f64);
        }
        self
    }
}

/// When the trigger was, as bits: equal or not.
fn spans(recovery: &crate::Recovery) -> [u64; 2] {
    [recovery.trigger_from_s, recovery.trigger_until_s].map(f64::to_bits)
}

fn added<K: Ord + Copy>(one: &BTreeMap<K, u64>, other: &BTreeMap<K, u64>) -> BTreeMap<K, u64> {
    let mut sums = one.clone();
    for (key, count) in other {
        let sum = sums.entry(*key).or_default();
        *sum = sum.saturating_add(*count);
    }
    sums
}

fn latency(one: &Latency, other: &Latency) -> Result<Latency, MergeError> {
    let mut both = one.histogram().map_err(MergeError::Torn)?;
    both.merge(&other.histogram().map_err(MergeError::Torn)?);
    Ok(both.summary())
}

/// What `plus` makes of each pair; `what` names them where they are no pairs.
fn each<T>(
    one: &[T],
    other: &[T],
    what: &'static str,
    plus: impl Fn(&T, &T) -> Result<Option<T>, MergeError>,
) -> Result<Vec<T>, MergeError> {
    if one.len() != other.len() {
        return Err(MergeError::Differ(what));
    }
    one.iter().zip(other).map(|(one, other)| plus(one, other)?.ok_or(MergeError::Differ(what))).collect()
}

impl Calls {
    const fn plus(self, other: Self) -> Self {
        Self {
            offered: self.offered.saturating_add(other.offered),
            started: self.started.saturating_add(other.started),
            succeeded: self.succeeded.saturating_add(other.succeeded),
            failed: self.failed.saturating_add(other.failed),
            abandoned: self.abandoned.saturating_add(other.abandoned),
            unsent: self.unsent.saturating_add(other.unsent),
            returned: self.returned.saturating_add(other.returned),
        }
    }
}

impl Generator {
    fn plus(&self, other: &Self) -> Result<Self, MergeError> {
        Ok(Self {
            schedule_lag_ms: latency(&self.schedule_lag_ms, &other.schedule_lag_ms)?,
            own_failures: self.own_failures.saturating_add(other.own_failures),
            saturated: self.saturated.clone().or_else(|| other.saturated.clone()),
        })
    }
}

impl Attempts {
    const fn plus(self, other: Self) -> Self {
        Self {
            total: self.total.saturating_add(other.total),
            first: self.first.saturating_add(other.first),
            retries: self.retries.saturating_add(other.retries),
            hedges: self.hedges.saturating_add(other.hedges),
            budget_denied: self.budget_denied.saturating_add(other.budget_denied),
            succeeded: self.succeeded.saturating_add(other.succeeded),
        }
    }
}

impl PhaseResult {
    fn plus(&self, other: &Self) -> Result<Option<Self>, MergeError> {
        let window = |phase: &Self| (phase.name.clone(), phase.from_s.to_bits(), phase.until_s.map(f64::to_bits));
        Ok((window(self) == window(other)).then(|| Self {
            calls: self.calls.saturating_add(other.calls),
            succeeded: self.succeeded.saturating_add(other.succeeded),
            attempts: self.attempts.saturating_add(other.attempts),
            ..self.clone()
        }))
    }
}

impl ServiceResult {
    fn plus(&self, other: &Self) -> Result<Option<Self>, MergeError> {
        Ok((self.name == other.name).then(|| Self {
            calls: self.calls.saturating_add(other.calls),
            succeeded: self.succeeded.saturating_add(other.succeeded),
            attempts: self.attempts.saturating_add(other.attempts),
            budget_denied: self.budget_denied.saturating_add(other.budget_denied),
            ..self.clone()
        }))
    }
}

impl CohortResult {
    fn plus(&self, other: &Self) -> Result<Option<Self>, MergeError> {
        if self.name != other.name {
            return Ok(None);
        }
        Ok(Some(Self { name: self.name.clone(), result: self.result.merge(&other.result)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::MergeError;
    use crate::{Attempt, CallEnd, LoadResult, Reply, SeriesResult, Tally};
    use brownout_policy::{StopReason, Transport};
    use brownout_service::{Change, Factors, Only, Outcomes, Phase, Ramp, Window};
    use proptest::prelude::*;
    use std::time::Duration;

    /// An outage from 100 to 130 s.
    fn phases() -> [Phase; 1] {
        let change = Change { outcomes: Some(Outcomes::default()), latency: None };
        let window = Window { from: Duration::from_secs(100), until: Some(Duration::from_secs(130)) };
        let (ramp, factors, only) = (Ramp::default(), Factors::default(), Only::default());
        [Phase { name: "outage".to_owned(), window, ramp, change, factors, only }]
    }

    /// One call in a run: when it starts, how long its one attempt takes, and whether it fails.
    type OneCall = (u64, u64, bool);

    fn result(calls: &[OneCall], over: Option<Duration>) -> LoadResult {
        let mut tally = Tally::new(&phases()).with_latencies();
        for &(started_ns, latency_ns, fails) in calls {
            let reply = if fails { Reply::Broken(Transport::Timeout) } else { Reply::Status(200) };
            let number = 1.try_into().unwrap();
            tally.attempt(&Attempt { number, hedge: false, started_ns, latency_ns, reply, verdict: None });
            let failed = fails.then_some(StopReason::Exhausted);
            tally.call(&CallEnd { started_ns, elapsed_ns: latency_ns, attempts: 1, failed });
        }
        tally.result(calls.len() as u64, over)
    }

    fn calls() -> impl Strategy<Value = Vec<OneCall>> {
        prop::collection::vec((0_u64..900_000_000_000, 0_u64..20_000_000_000, any::<bool>()), 0..60)
    }

    proptest! {
        #[test]
        fn a_merge_is_the_run_of_all_calls(parts in prop::collection::vec(calls(), 1..5), lasts in prop::option::of(800_u64..1000)) {
            let over = lasts.map(Duration::from_secs);
            let results: Vec<_> = parts.iter().map(|part| result(part, over)).collect();
            let merged = results[1..].iter().try_fold(results[0].clone(), |sum, next| sum.merge(next)).unwrap();
            prop_assert_eq!(merged, result(&parts.concat(), over));
        }

        #[test]
        fn what_is_written_is_read(calls in calls()) {
            let result = result(&calls, None);
            let text = serde_json::to_string(&result).unwrap();
            prop_assert_eq!(serde_json::from_str::<LoadResult>(&text).unwrap(), result);
        }
    }

    #[test]
    fn what_is_no_part_of_the_same_is_refused() {
        let one = result(&[(5, 5, false)], None);
        let mut other = one.clone();
        other.phases[0].name = "night".to_owned();
        assert_eq!(one.merge(&other), Err(MergeError::Differ("phases")));
        let other = LoadResult { phases: Vec::new(), recovery: None, ..one.clone() };
        assert_eq!(one.merge(&other), Err(MergeError::Differ("phases")));
        let mut other = one.clone();
        other.latency_ms.success.count = 7;
        assert!(matches!(one.merge(&other), Err(MergeError::Torn(_))));
        let per_interval = SeriesResult { calls: Vec::new(), ..one.per_interval.clone() };
        assert!(matches!(one.merge(&LoadResult { per_interval, ..one.clone() }), Err(MergeError::Torn(_))));
    }
}
