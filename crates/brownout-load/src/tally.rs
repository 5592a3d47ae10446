//! Adding up what came back.

use std::collections::BTreeMap;
use std::time::Duration;

use brownout_draw::nanos;
use brownout_policy::{StopReason, Transport, Verdict};
use brownout_service::Phase;

use crate::latency::LatencyHistogram;
use crate::recovery::Trigger;
use crate::series::Series;
use crate::snapshot::Apart;
use crate::{
    Attempt, Attempts, CallEnd, Calls, Latencies, LoadResult, Pace, PhaseResult, Reply, RetryAfterCounts, Snapshot,
};

/// How much is kept of what broke.
const EXAMPLE_CHARS_MAX: usize = 200;

/// Calls that succeed at this try, or later, are counted together.
const TRIES_MAX: usize = 100;

/// Everything that a run counts, in memory that does not grow with the number of calls.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Calls and attempts, those of [`single`](Self::single) not counted.
    started: u64,
    succeeded: u64,
    /// A handful of each of these: a scan beats a tree.
    gave_up: Vec<(StopReason, u64)>,
    attempts: u64,
    retries: u64,
    hedges: u64,
    budget_denied: u64,
    returned: u64,
    by_status: Vec<(u16, u64)>,
    by_fault: Vec<(Transport, u64)>,
    /// In words, the first of each kind that somebody had words for.
    examples: Vec<(Transport, String)>,
    /// Attempts that succeeded.
    well: u64,
    retry_after: RetryAfterCounts,
    /// Of calls that succeeded, how many took one attempt, two, and so on.
    tries: Vec<u64>,
    /// Of calls that were nothing but one attempt that succeeded: their own latency and that of the attempt.
    single: LatencyHistogram,
    /// Of other calls that succeeded, of those that did not, and of their attempts.
    success: LatencyHistogram,
    failure: LatencyHistogram,
    service: LatencyHistogram,
    series: Series,
    phases: Vec<PhaseCounts>,
    trigger: Option<Trigger>,
    end_ns: u64,
}

#[derive(Clone, Debug)]
struct PhaseCounts {
    phase: Phase,
    /// Its window once more, in nanoseconds.
    from_ns: u64,
    until_ns: u64,
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
            gave_up: Vec::new(),
            attempts: 0,
            retries: 0,
            hedges: 0,
            budget_denied: 0,
            returned: 0,
            by_status: Vec::new(),
            by_fault: Vec::new(),
            examples: Vec::new(),
            well: 0,
            retry_after: RetryAfterCounts::default(),
            tries: Vec::new(),
            single: LatencyHistogram::default(),
            success: LatencyHistogram::default(),
            failure: LatencyHistogram::default(),
            service: LatencyHistogram::default(),
            series: Series::default(),
            phases: phases.iter().map(PhaseCounts::new).collect(),
            trigger: Trigger::of(phases),
            end_ns: 0,
        }
    }

    /// The same, which also keeps the latencies of the calls of each interval.
    #[must_use]
    pub fn with_latencies(self) -> Self {
        Self { series: self.series.with_latencies(), ..self }
    }

    /// Counts one attempt that is over.
    #[inline]
    pub fn attempt(&mut self, attempt: &Attempt) {
        self.attempts += 1;
        self.retries += u64::from(attempt.number.get() > 1 && !attempt.hedge);
        self.hedges += u64::from(attempt.hedge);
        match attempt.reply {
            Reply::Status(status) => {
                count(&mut self.by_status, status);
                self.well += u64::from(attempt.verdict.is_none());
            }
            Reply::Broken(transport) => count(&mut self.by_fault, transport),
        }
        self.service.record(attempt.latency_ns, attempt.reply.is_censored());
        self.series.at(attempt.started_ns).attempts += 1;
        if attempt.verdict.is_some() {
            self.series.failure(attempt.started_ns, attempt.reply);
        }
        self.phases_at(attempt.started_ns).for_each(|counts| counts.attempts += 1);
    }

    /// Counts an answer that `asked` its caller to stay away for so long, and what the caller made of it.
    pub fn retry_after(&mut self, asked: Duration, verdict: Verdict) {
        self.retry_after.heard(asked, verdict);
    }

    /// Keeps the words for what broke an attempt, where they are the first of their kind.
    pub fn broke(&mut self, transport: Transport, error: &str) {
        if !self.examples.iter().any(|(known, _)| *known == transport) {
            self.examples.push((transport, error.chars().take(EXAMPLE_CHARS_MAX).collect()));
        }
    }

    /// Counts one call that succeeded with the first attempt, which was sent when the call was due: what
    /// [`attempt`](Self::attempt) and [`call`](Self::call) count, at once.
    #[inline]
    pub fn single(&mut self, attempt: &Attempt) {
        let Attempt { started_ns, latency_ns, .. } = *attempt;
        if let Some(status) = attempt.reply.status() {
            count(&mut self.by_status, status);
        }
        // Which counts the calls and attempts as well.
        self.single.record(latency_ns, false);
        let slot = self.series.at(started_ns);
        slot.calls += 1;
        slot.attempts += 1;
        self.series.latency(started_ns, latency_ns);
        self.phases_at(started_ns).for_each(|counts| {
            counts.attempts += 1;
            counts.calls += 1;
            counts.succeeded += 1;
        });
        self.ended_well(started_ns.saturating_add(latency_ns));
    }

    /// A call ended well.
    #[inline]
    fn ended_well(&mut self, ended_ns: u64) {
        self.end_ns = self.end_ns.max(ended_ns);
        self.series.at(ended_ns).succeeded += 1;
        if let Some(trigger) = &mut self.trigger {
            trigger.succeeded(ended_ns);
        }
    }

    /// Counts one call that is over.
    #[inline]
    pub fn call(&mut self, end: &CallEnd) {
        self.started += 1;
        self.series.at(end.started_ns).calls += 1;
        self.series.latency(end.started_ns, end.elapsed_ns);
        let succeeded = u64::from(end.failed.is_none());
        self.phases_at(end.started_ns).for_each(|counts| {
            counts.calls += 1;
            counts.succeeded += succeeded;
        });
        if let Some(reason) = end.failed {
            return self.call_failed(end, reason);
        }
        self.succeeded += 1;
        let tries = (end.attempts.max(1) as usize).min(TRIES_MAX);
        if self.tries.len() < tries {
            self.tries.resize(tries, 0);
        }
        self.tries[tries - 1] += 1;
        self.success.record(end.elapsed_ns, false);
        self.ended_well(end.ended_ns());
    }

    fn call_failed(&mut self, end: &CallEnd, reason: StopReason) {
        count(&mut self.gave_up, reason);
        self.series.at(end.started_ns).failed += 1;
        let cut = matches!(reason, StopReason::DeadlineExceeded | StopReason::Interrupted);
        self.failure.record(end.elapsed_ns, cut);
        self.end_ns = self.end_ns.max(end.ended_ns());
        // The series reaches to the last end, however that was.
        self.series.at(end.ended_ns());
    }

    /// Counts one retry or hedge that was wanted and that a budget refused.
    pub const fn budget_denied(&mut self) {
        self.budget_denied += 1;
    }

    /// Counts one call, begun now, as one that failed before.
    pub const fn returned(&mut self) {
        self.returned += 1;
    }

    fn tries_to_success(&self) -> BTreeMap<u32, u64> {
        let mut tries: BTreeMap<u32, u64> = (1..).zip(self.tries.iter().copied()).collect();
        *tries.entry(1).or_default() += self.single.count();
        tries.retain(|_, calls| *calls > 0);
        tries
    }

    /// The phases that are on `ns` nanoseconds after the run began.
    #[inline]
    fn phases_at(&mut self, ns: u64) -> impl Iterator<Item = &mut PhaseCounts> {
        self.phases.iter_mut().filter(move |counts| counts.from_ns <= ns && ns < counts.until_ns)
    }

    fn attempts(&self) -> Attempts {
        let single = self.single.count();
        let total = single + self.attempts;
        Attempts {
            total,
            first: total - self.retries - self.hedges,
            retries: self.retries,
            hedges: self.hedges,
            budget_denied: self.budget_denied,
            succeeded: single + self.well,
        }
    }

    /// What is counted so far; when that is, how many calls were begun, and the pace are for the driver to say.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let single = self.single.count();
        Snapshot {
            elapsed: Duration::ZERO,
            begun: single + self.started,
            ended: single + self.started,
            succeeded: single + self.succeeded,
            attempts: self.attempts(),
            by_status: self.by_status.iter().copied().collect(),
            by_fault: self.by_fault.iter().map(|(transport, count)| (transport.name(), *count)).collect(),
            pace: Pace::default(),
            latencies: Apart {
                single: self.single.clone(),
                success: self.success.clone(),
                failure: self.failure.clone(),
                service: self.service.clone(),
            },
        }
    }

    /// The result of a run that was to make `offered` calls.
    ///
    /// - `over`: when the load was over, if it was; what comes later says nothing of recovery.
    #[must_use]
    pub fn result(&self, offered: u64, over: Option<Duration>) -> LoadResult {
        let gave_up =
            |wanted| self.gave_up.iter().filter(|(reason, _)| *reason == wanted).map(|(_, count)| count).sum::<u64>();
        let abandoned = gave_up(StopReason::DeadlineExceeded) + gave_up(StopReason::Interrupted);
        let end = Duration::from_nanos(self.end_ns);
        let single = self.single.count();
        let (started, succeeded) = (single + self.started, single + self.succeeded);
        let phase = |PhaseCounts { phase, calls, succeeded, attempts, .. }: &PhaseCounts| PhaseResult {
            name: phase.name.clone(),
            from_s: phase.window.from.as_secs_f64(),
            until_s: phase.window.until.map(|until| until.as_secs_f64()),
            calls: *calls,
            succeeded: *succeeded,
            attempts: *attempts,
        };
        let per_interval = self.series.result();
        let merged = |one: &LatencyHistogram, other: &LatencyHistogram| {
            let mut both = one.clone();
            both.merge(other);
            both
        };
        let (success, service) = (merged(&self.single, &self.success), merged(&self.single, &self.service));
        let result = LoadResult {
            total_requests: started,
            by_status: self.by_status.iter().copied().collect(),
            by_fault: self.by_fault.iter().map(|(transport, count)| (transport.name(), *count)).collect(),
            fault_examples: self.examples.iter().map(|(kind, error)| (kind.name(), error.clone())).collect(),
            calls: Calls {
                offered: offered.max(started),
                started,
                succeeded,
                failed: started - succeeded - abandoned,
                abandoned,
                unsent: offered.saturating_sub(started),
                returned: self.returned,
            },
            attempts: self.attempts(),
            retry_after: self.retry_after,
            tries_to_success: self.tries_to_success(),
            gave_up: self.gave_up.iter().map(|(reason, count)| (reason.name(), *count)).collect(),
            success_rate: None,
            amplification: None,
            duration_s: end.as_secs_f64(),
            goodput_per_second: None,
            latency_ms: Latencies {
                response: merged(&success, &self.failure).summary(),
                success: success.summary(),
                service: service.summary(),
            },
            recovery: self.trigger.map(|trigger| trigger.recovery(&per_interval, over.unwrap_or(end))),
            per_interval,
            phases: self.phases.iter().map(phase).collect(),
            capacity: None,
            behind: Vec::new(),
            cohorts: Vec::new(),
            limits: None,
            effects: Vec::new(),
            guards: None,
            generator: None,
            events: None,
            cut_short: None,
        };
        result.with_ratios()
    }
}

impl PhaseCounts {
    fn new(phase: &Phase) -> Self {
        let (from_ns, until_ns) = (nanos(phase.window.from), phase.window.until.map_or(u64::MAX, nanos));
        Self { phase: phase.clone(), from_ns, until_ns, calls: 0, succeeded: 0, attempts: 0 }
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
    use brownout_service::{Change, Factors, Only, Outcomes, Phase, Ramp, Window};
    use std::time::Duration;

    const MS: fn(u64) -> Duration = Duration::from_millis;
    const AGAIN: Verdict = Verdict::Retry { after: Duration::ZERO, source: DelaySource::Backoff };

    fn attempt(number: u32, reply: Reply, verdict: Option<Verdict>) -> Attempt {
        Attempt {
            number: number.try_into().unwrap(),
            hedge: false,
            started_ns: 1_500_000_000,
            latency_ns: 100_000_000,
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
            only: Only::default(),
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
        let end = |started: u64, attempts, failed| CallEnd {
            started_ns: started * 1_000_000,
            elapsed_ns: 500_000_000,
            attempts,
            failed,
        };
        tally.call(&end(0, 1, None));
        tally.call(&end(1500, 3, None));
        tally.call(&end(3500, 1, Some(StopReason::DeadlineExceeded)));
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
        assert_eq!(attempts.succeeded, 2);
        assert_eq!(result.tries_to_success.into_iter().collect::<Vec<_>>(), [(1, 1), (3, 1)]);
    }

    #[test]
    fn a_retry_after_is_honoured_or_broken_by_the_wait_that_follows() {
        let mut tally = Tally::new(&[]);
        let retry = |ms, source| Verdict::Retry { after: MS(ms), source };
        let (backoff, asked) = (DelaySource::Backoff, DelaySource::RetryAfter);
        let gave_up = Verdict::Stop(StopReason::RetryAfterTooLong);
        for verdict in [retry(1000, asked), retry(1500, backoff), retry(999, backoff), gave_up, Verdict::Await] {
            tally.retry_after(MS(1000), verdict);
        }
        let counts = tally.result(0, None).retry_after;
        assert_eq!((counts.received, counts.honoured, counts.broken), (5, 2, 1));
    }

    #[test]
    fn of_each_kind_of_breakage_the_first_words_are_kept() {
        let mut tally = Tally::new(&[]);
        for (kind, error) in [(Transport::Reset, "one"), (Transport::Connect, "two"), (Transport::Reset, "three")] {
            tally.broke(kind, error);
        }
        tally.broke(Transport::Tls, &"é".repeat(1000));
        let examples = tally.result(0, None).fault_examples;
        assert_eq!((examples["reset"].as_str(), examples["connect"].as_str()), ("one", "two"));
        assert_eq!(examples["tls"].chars().count(), 200);
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
        assert_eq!(result.per_interval.failed, [0, 0, 0, 1, 0]);
        assert_eq!((result.phases[0].calls, result.phases[0].attempts), (1, 5));
    }

    #[test]
    fn a_call_of_one_attempt_counts_as_both() {
        let (mut at_once, mut apart) = (Tally::new(&[]).with_latencies(), Tally::new(&[]).with_latencies());
        for (started_ns, latency_ns) in [(0, 5_000_000), (999_999_999, 2_000_000_000), (7_000_000_000, 0)] {
            let attempt = Attempt { started_ns, latency_ns, ..attempt(1, Reply::Status(200), None) };
            at_once.single(&attempt);
            apart.attempt(&attempt);
            apart.call(&CallEnd { started_ns, elapsed_ns: latency_ns, attempts: 1, failed: None });
        }
        assert_eq!(at_once.result(3, None), apart.result(3, None));
    }

    #[test]
    fn no_call_at_all_is_no_division_by_zero() {
        let result = Tally::new(&[]).result(0, None);
        assert_eq!((result.amplification, result.success_rate, result.goodput_per_second), (None, None, None));
        let json = serde_json::to_string(&result).unwrap();
        assert!(json.contains("\"amplification\":null"), "{json}");
    }
}
