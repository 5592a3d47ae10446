//! Adding up what came back.

use std::collections::BTreeMap;
use std::time::Duration;

use brownout_policy::{StopReason, Transport};
use brownout_service::Phase;

use crate::latency::LatencyHistogram;
use crate::recovery::Trigger;
use crate::series::Series;
use crate::{Attempt, Attempts, CallEnd, Calls, Latencies, LoadResult, PhaseResult, Reply};

/// Everything that a run counts, in memory that does not grow with the number of calls.
#[derive(Clone, Debug)]
pub struct Tally {
    started: u64,
    succeeded: u64,
    gave_up: BTreeMap<StopReason, u64>,
    attempts: u64,
    retries: u64,
    hedges: u64,
    budget_denied: u64,
    returned: u64,
    /// A handful of each: a scan beats a tree.
    by_status: Vec<(u16, u64)>,
    by_fault: Vec<(Transport, u64)>,
    /// Of calls that succeeded, and of those that did not: both together are the latency of calls.
    success: LatencyHistogram,
    failure: LatencyHistogram,
    service: LatencyHistogram,
    series: Series,
    phases: Vec<(Phase, PhaseCounts)>,
    trigger: Option<Trigger>,
    end: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
struct PhaseCounts {
    calls: u64,
    succeeded: u64,
    attempts: u64,
}

impl Tally {
    /// Nothing yet. Calls and attempts are counted to the `phases` they start in.
    #[must_use]
    pub fn new(phases: &[Phase]) -> Self {
        Self {
            started: 0,
            succeeded: 0,
            gave_up: BTreeMap::new(),
            attempts: 0,
            retries: 0,
            hedges: 0,
            budget_denied: 0,
            returned: 0,
            by_status: Vec::new(),
            by_fault: Vec::new(),
            success: LatencyHistogram::default(),
            failure: LatencyHistogram::default(),
            service: LatencyHistogram::default(),
            series: Series::default(),
            phases: phases.iter().map(|phase| (phase.clone(), PhaseCounts::default())).collect(),
            trigger: Trigger::of(phases),
            end: Duration::ZERO,
        }
    }

    /// Counts one attempt that is over.
    pub fn attempt(&mut self, attempt: &Attempt) {
        self.attempts += 1;
        self.retries += u64::from(attempt.number.get() > 1 && !attempt.hedge);
        self.hedges += u64::from(attempt.hedge);
        match attempt.reply {
            Reply::Status(status) => count(&mut self.by_status, status),
            Reply::Broken(transport) => count(&mut self.by_fault, transport),
        }
        self.service.record(attempt.latency, attempt.reply.is_censored());
        self.series.at(attempt.started).attempts += 1;
        self.phases_at(attempt.started).for_each(|counts| counts.attempts += 1);
    }

    /// Counts one call that is over.
    pub fn call(&mut self, end: &CallEnd) {
        self.started += 1;
        let succeeded = u64::from(end.failed.is_none());
        self.succeeded += succeeded;
        if let Some(reason) = end.failed {
            *self.gave_up.entry(reason).or_default() += 1;
        }
        let ended = end.started.saturating_add(end.elapsed);
        if end.failed.is_none() {
            self.success.record(end.elapsed, false);
            if let Some(trigger) = &mut self.trigger {
                trigger.succeeded(ended);
            }
        } else {
            let cut = matches!(end.failed, Some(StopReason::DeadlineExceeded | StopReason::Interrupted));
            self.failure.record(end.elapsed, cut);
        }
        self.series.at(end.started).calls += 1;
        self.series.at(ended).succeeded += succeeded;
        self.phases_at(end.started).for_each(|counts| {
            counts.calls += 1;
            counts.succeeded += succeeded;
        });
        self.end = self.end.max(ended);
    }

    /// Counts one retry or hedge that was wanted and that a budget refused.
    pub const fn budget_denied(&mut self) {
        self.budget_denied += 1;
    }

    /// Counts one call, begun now, as one that failed before.
    pub const fn returned(&mut self) {
        self.returned += 1;
    }

    fn phases_at(&mut self, elapsed: Duration) -> impl Iterator<Item = &mut PhaseCounts> {
        self.phases.iter_mut().filter(move |(phase, _)| phase.window.contains(elapsed)).map(|(_, counts)| counts)
    }

    /// The result of a run that was to make `offered` calls.
    ///
    /// - `over`: when the load was over, if it was; what comes later says nothing of recovery.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "ratios of counts")]
    pub fn result(&self, offered: u64, over: Option<Duration>) -> LoadResult {
        let per = |amount: u64, whole: u64| (whole > 0).then(|| amount as f64 / whole as f64);
        let gave_up = |reason| self.gave_up.get(&reason).copied().unwrap_or(0);
        let abandoned = gave_up(StopReason::DeadlineExceeded) + gave_up(StopReason::Interrupted);
        let seconds = self.end.as_secs_f64();
        let phase = |(phase, counts): &(Phase, PhaseCounts)| PhaseResult {
            name: phase.name.clone(),
            from_s: phase.window.from.as_secs_f64(),
            until_s: phase.window.until.map(|until| until.as_secs_f64()),
            calls: counts.calls,
            succeeded: counts.succeeded,
            attempts: counts.attempts,
        };
        let per_interval = self.series.result();
        let mut response = self.success.clone();
        response.merge(&self.failure);
        LoadResult {
            total_requests: self.started,
            by_status: self.by_status.iter().copied().collect(),
            by_fault: self.by_fault.iter().map(|(transport, count)| (transport.name(), *count)).collect(),
            calls: Calls {
                offered: offered.max(self.started),
                started: self.started,
                succeeded: self.succeeded,
                failed: self.started - self.succeeded - abandoned,
                abandoned,
                unsent: offered.saturating_sub(self.started),
                returned: self.returned,
            },
            attempts: Attempts {
                total: self.attempts,
                first: self.attempts - self.retries - self.hedges,
                retries: self.retries,
                hedges: self.hedges,
                budget_denied: self.budget_denied,
            },
            gave_up: self.gave_up.iter().map(|(reason, count)| (reason.name(), *count)).collect(),
            success_rate: per(self.succeeded, self.started),
            amplification: per(self.attempts, self.started),
            duration_s: seconds,
            goodput_per_second: (seconds > 0.0).then(|| self.succeeded as f64 / seconds),
            latency_ms: Latencies {
                response: response.summary(),
                success: self.success.summary(),
                service: self.service.summary(),
            },
            recovery: self.trigger.map(|trigger| trigger.recovery(&per_interval, over.unwrap_or(self.end))),
            per_interval,
            phases: self.phases.iter().map(phase).collect(),
            capacity: None,
            events: None,
            cut_short: None,
        }
    }
}

/// One more of `key`.
#[inline]
fn count<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: K) {
    match counts.iter_mut().find(|(known, _)| *known == key) {
        Some((_, count)) => *count += 1,
        None => counts.push((key, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;
    use crate::{Attempt, CallEnd, LoadResult, Reply};
    use brownout_policy::{DelaySource, StopReason, Transport, Verdict};
    use brownout_service::{Change, Factors, Outcomes, Phase, Ramp, Window};
    use std::time::Duration;

    const MS: fn(u64) -> Duration = Duration::from_millis;
    const AGAIN: Verdict = Verdict::Retry { after: Duration::ZERO, source: DelaySource::Backoff };

    fn attempt(number: u32, reply: Reply, verdict: Option<Verdict>) -> Attempt {
        Attempt {
            number: number.try_into().unwrap(),
            hedge: false,
            started: MS(1500),
            latency: MS(100),
            reply,
            verdict,
        }
    }

    /// Three calls: one at once, one at the third try, one given up at its deadline.
    fn three_calls() -> LoadResult {
        let change = Change { outcomes: Some(Outcomes::default()), latency: None };
        let window = Window { from: MS(1000), until: Some(MS(2000)) };
        let mut tally = Tally::new(&[Phase {
            name: "outage".to_owned(),
            window,
            ramp: Ramp::default(),
            change,
            factors: Factors::default(),
        }]);
        let stop = Verdict::Stop(StopReason::DeadlineExceeded);
        for attempt in [
            attempt(1, Reply::Status(200), None),
            attempt(1, Reply::Status(503), Some(AGAIN)),
            attempt(2, Reply::Broken(Transport::Reset), Some(AGAIN)),
            attempt(3, Reply::Status(200), None),
            attempt(1, Reply::Broken(Transport::Timeout), Some(stop)),
        ] {
            tally.attempt(&attempt);
        }
        let end = |started, failed| CallEnd { started: MS(started), elapsed: MS(500), failed };
        tally.call(&end(0, None));
        tally.call(&end(1500, None));
        tally.call(&end(3500, Some(StopReason::DeadlineExceeded)));
        tally.result(5, None)
    }

    #[test]
    fn every_call_and_every_attempt_is_somewhere() {
        let result = three_calls();
        let calls = result.calls;
        assert_eq!(calls.offered, calls.started + calls.unsent);
        assert_eq!(calls.started, calls.succeeded + calls.failed + calls.abandoned);
        assert_eq!((calls.succeeded, calls.failed, calls.abandoned, calls.unsent), (2, 0, 1, 2));
        let attempts = result.attempts;
        assert_eq!((attempts.total, attempts.first, attempts.retries), (5, 3, 2));
        let answered: u64 = result.by_status.values().sum();
        let broken: u64 = result.by_fault.values().sum();
        assert_eq!(attempts.total, answered + broken);
        assert_eq!(result.by_fault["timeout"], 1);
        assert_eq!(result.gave_up["deadline_exceeded"], 1);
    }

    #[test]
    fn rates_are_ratios_of_those_counts() {
        let result = three_calls();
        assert_eq!(result.amplification, Some(5.0 / 3.0));
        assert_eq!(result.success_rate, Some(2.0 / 3.0));
        assert_eq!(result.duration_s.to_string(), "4");
        assert_eq!(result.goodput_per_second, Some(0.5));
    }

    #[test]
    fn given_up_work_stays_in_the_distribution() {
        let latency = three_calls().latency_ms;
        assert_eq!((latency.response.count, latency.response.censored), (3, 1));
        assert_eq!((latency.service.count, latency.service.censored), (5, 1));
    }

    #[test]
    fn counts_fall_into_their_seconds_and_phases() {
        let result = three_calls();
        assert_eq!(result.per_interval.calls, [1, 1, 0, 1, 0]);
        assert_eq!(result.per_interval.succeeded, [1, 0, 1, 0, 0]);
        assert_eq!(result.per_interval.attempts, [0, 5, 0, 0, 0]);
        assert_eq!((result.phases[0].calls, result.phases[0].attempts), (1, 5));
    }

    #[test]
    fn no_call_at_all_is_no_division_by_zero() {
        let result = Tally::new(&[]).result(0, None);
        assert_eq!((result.amplification, result.success_rate, result.goodput_per_second), (None, None, None));
        let json = serde_json::to_string(&result).unwrap();
        assert!(json.contains("\"amplification\":null"), "{json}");
    }
}
