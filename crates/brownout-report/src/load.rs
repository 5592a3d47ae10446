//! A load.

use std::fmt::Write as _;
use std::time::Duration;

use brownout_load::{
    CapacityResult, CohortResult, Expectations, Generator, Latency, LoadResult, PhaseResult, Recovery,
    RetryAfterCounts, ServiceResult, Shard, Verdict,
};
use brownout_policy::Success;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use thiserror::Error;

use crate::number::{counted, millis};
use crate::{MadeOf, Origin, Shards, written};

/// A load as `load` prints it, and reads it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    /// What it came to.
    #[serde(flatten)]
    pub result: LoadResult,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
    /// Of what the run was made.
    pub made_of: MadeOf,
    /// Which part of the load was run, where the whole was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Which parts were put together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<Shards>,
    /// When it was to start, and did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// What the run was expected to come to.
    #[serde(default, skip_serializing_if = "Expectations::is_empty")]
    pub expect: Expectations,
    /// What became of that; `None` where nothing was expected, and of a part of a load, which is not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Which answers counted as a success, in the words that scenarios say it in.
    #[serde(default = "below_400")]
    pub success: String,
    /// What this record is.
    pub format: Format,
}

fn below_400() -> String {
    Success::BELOW_400.to_string()
}

/// The start of a run by appointment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// When it was to be, as it was asked for.
    pub at: String,
    /// How much later it was; of several shards, at the most.
    pub late_ms: f64,
}

/// The kind and the version of the record: what is read must be what is written here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Format;

/// Why a text is no result of a load.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// Cut off, or never JSON.
    #[error("it is not JSON to its end ({0}); make it anew with `brownout load --output FILE`")]
    Torn(String),
    /// Some other JSON.
    #[error("it is no result of `brownout load`; make one with `brownout load --output FILE`")]
    Foreign,
    /// A result in words that are not known here.
    #[error("it is written as `{found}`, and this version of brownout reads `{NAME}`; make it anew, or read it with that version", NAME = Format::NAME)]
    Version {
        /// In the file.
        found: String,
    },
    /// A result in which something is missing or cannot be.
    #[error("something in it cannot be: {0}")]
    Broken(String),
}

impl Format {
    /// As it stands in files. The number is raised when what was written before can no longer be read.
    pub const NAME: &'static str = "brownout-load-1";
    /// That, without the number.
    const KIND: &'static str = "brownout-load-";
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Self::NAME)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = (name == Self::NAME).then_some(Self);
        known.ok_or_else(|| serde::de::Error::custom(format!("the format is `{name}`, not `{}`", Self::NAME)))
    }
}

impl Start {
    /// A start that was to be `at` a moment and came so much later.
    #[must_use]
    pub fn new(at: String, late: Duration) -> Self {
        Self { at, late_ms: millis(late) }
    }

    /// The appointment of two shards; `None` where they had none in common.
    pub(crate) fn later(one: Option<Self>, other: Option<&Self>) -> Option<Self> {
        let (one, other) = one.zip(other).filter(|(one, other)| one.at == other.at)?;
        Some(Self { late_ms: one.late_ms.max(other.late_ms), ..one })
    }
}

impl LoadReport {
    /// Reads what was written as JSON: nothing is lost.
    ///
    /// # Errors
    /// Where the text is not the whole of such a record.
    pub fn parse(text: &str) -> Result<Self, ReadError> {
        let value: Value = serde_json::from_str(text).map_err(|error| ReadError::Torn(error.to_string()))?;
        match value.get("format").and_then(Value::as_str) {
            Some(Format::NAME) => {}
            Some(other) if other.starts_with(Format::KIND) => {
                return Err(ReadError::Version { found: other.to_owned() });
            }
            _ => return Err(ReadError::Foreign),
        }
        let report: Self = serde_json::from_value(value).map_err(|error| ReadError::Broken(error.to_string()))?;
        report.check().map_err(|why| ReadError::Broken(why.to_owned()))?;
        Ok(report)
    }

    /// The same with what became of the expectations. A part of a load is not judged: what is to come of the whole need not come
    /// of it.
    #[must_use]
    pub fn judged(self) -> Self {
        let verdict = if self.is_part() { None } else { self.expect.judge(&self.result) };
        Self { verdict, ..self }
    }

    /// Whether it is of a part of a load, and not of the whole.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.shards.as_ref().map_or(self.shard.is_some(), |shards| !shards.missing.is_empty())
    }

    /// What reading alone does not find: histograms of which a part is missing.
    fn check(&self) -> Result<(), &'static str> {
        let of_cohorts = self.result.cohorts.iter().map(|cohort| &cohort.result);
        for result in of_cohorts.chain([&self.result]) {
            let latencies = &result.latency_ms;
            for latency in [&latencies.response, &latencies.success, &latencies.service] {
                latency.histogram()?;
            }
            if latencies.response.count != result.calls.started {
                return Err("`latency_ms.response.count` is not the number of calls");
            }
        }
        Ok(())
    }

    /// For people: the counts by status first, one a line.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| self.write(text))
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let result = &self.result;
        writeln!(text, "Load test: {} requests", result.total_requests)?;
        if result.total_requests == 0 {
            writeln!(text, "No request was made.")?;
            return self.write_cut(text);
        }
        for (status, count) in &result.by_status {
            writeln!(text, "  {status}: {count}")?;
        }
        for (fault, count) in &result.by_fault {
            match result.fault_examples.get(fault) {
                Some(example) => writeln!(text, "  {fault}: {count}, as in: {example}")?,
                None => writeln!(text, "  {fault}: {count}")?,
            }
        }
        let calls = result.calls;
        let well = percent(calls.succeeded, calls.started);
        write!(text, "Calls: {} of {} succeeded ({well:.1}%)", calls.succeeded, calls.started)?;
        for (count, what) in [(calls.abandoned, "abandoned"), (calls.unsent, "never sent")] {
            if count > 0 {
                write!(text, ", {count} {what}")?;
            }
        }
        writeln!(text, ", in {} of {} time", seconds(result.duration_s), self.origin.time)?;
        if self.success != below_400() {
            writeln!(text, "A success is an answer with one of these statuses: {}", self.success)?;
        }
        let attempts = result.attempts;
        // One attempt a call tells nothing that the counts above do not.
        if attempts.total != result.total_requests {
            let mut kinds = counted(attempts.retries, "retry", "retries");
            if attempts.hedges > 0 {
                write!(kinds, ", {}", counted(attempts.hedges, "hedge", "hedges"))?;
            }
            if attempts.budget_denied > 0 {
                write!(kinds, ", {} more denied by the budget", attempts.budget_denied)?;
            }
            let amplification = result.amplification.unwrap_or_default();
            writeln!(
                text,
                "Attempts: {}, as counted above ({kinds}), amplification {amplification:.2}",
                attempts.total
            )?;
            for (reason, count) in &result.gave_up {
                writeln!(text, "  gave up, {reason}: {count}")?;
            }
            write_tries(text, result)?;
            writeln!(text, "Latency of calls: {}", percentiles(&result.latency_ms.response))?;
        }
        writeln!(text, "Latency of attempts: {}", percentiles(&result.latency_ms.service))?;
        if let Some(generator) = &result.generator {
            write_generator(text, generator)?;
        }
        for cohort in &result.cohorts {
            write_cohort(text, cohort)?;
        }
        if let Some(capacity) = &result.capacity {
            write_capacity(text, "Service", capacity)?;
        }
        for behind in &result.behind {
            write_behind(text, behind)?;
        }
        if let Some(limits) = &result.limits {
            crate::limits::write(text, limits)?;
        }
        crate::effects::write(text, &result.effects)?;
        for PhaseResult { name, succeeded, calls, attempts, .. } in &result.phases {
            if *attempts == 0 {
                writeln!(text, "Phase {name}: not met by any attempt")?;
                continue;
            }
            let (begun, made) = (counted(*calls, "call", "calls"), counted(*attempts, "attempt", "attempts"));
            let percent = if *calls > 0 { format!(" ({:.1}%)", percent(*succeeded, *calls)) } else { String::new() };
            writeln!(text, "Phase {name}: {succeeded} of {begun} begun in it succeeded{percent}, {made}")?;
        }
        if let Some(recovery) = &result.recovery {
            write_recovery(text, recovery)?;
        }
        self.write_shards(text)?;
        if let Some(verdict) = &self.verdict {
            crate::verdict::write(text, verdict)?;
        } else if !self.expect.is_empty() {
            writeln!(
                text,
                "Expectations are of the whole load; `brownout merge` judges them once every shard is there."
            )?;
        }
        self.write_cut(text)
    }
}

/// How many attempts calls took, how many they took at their worst, and what became of Retry-After.
fn write_tries(text: &mut String, result: &LoadResult) -> std::fmt::Result {
    let tries: Vec<_> = result.tries_to_success.iter().map(|(tries, calls)| format!("{tries}: {calls}")).collect();
    if result.tries_to_success.keys().any(|tries| *tries > 1) {
        writeln!(text, "Tries to success: {}", tries.join(", "))?;
    }
    if let Some((at, amplification)) = result.per_interval.worst_amplification() {
        writeln!(text, "Amplification at its worst: {amplification:.2}, {at} s after the beginning")?;
    }
    let RetryAfterCounts { received, honoured, broken } = result.retry_after;
    if received > 0 {
        writeln!(text, "Retry-After: {received} received, {honoured} honoured, {broken} broken")?;
    }
    Ok(())
}

/// How late calls were begun, where that tells something.
fn write_generator(text: &mut String, generator: &Generator) -> std::fmt::Result {
    let lag = &generator.schedule_lag_ms;
    if lag.count > 0 {
        writeln!(text, "Schedule lag: {}", percentiles(lag))?;
    }
    match &generator.saturated {
        Some(why) => writeln!(text, "Generator saturated, do not trust p99: {why}."),
        None => Ok(()),
    }
}

impl LoadReport {
    /// That it is not the whole, where it is not.
    fn write_cut(&self, text: &mut String) -> std::fmt::Result {
        match &self.result.cut_short {
            Some(why) => writeln!(text, "Cut short: {why}; what stands above is what was counted by then."),
            None => Ok(()),
        }
    }

    /// Which part of a load it is, and when it was made.
    fn write_shards(&self, text: &mut String) -> std::fmt::Result {
        if let Some(shard) = self.shard {
            writeln!(text, "Shard {shard}: a part of the load; `brownout merge` puts all of them together")?;
        }
        if let Some(Start { at, late_ms }) = &self.start {
            writeln!(text, "Started {late_ms:.1} ms after {at}")?;
        }
        if let Some(shards) = &self.shards {
            write!(text, "Merged: {} of {} shards", shards.present.len(), shards.of)?;
            match shards.lack() {
                Some(lack) => writeln!(text, "; incomplete: {lack}")?,
                None => writeln!(text)?,
            }
        }
        Ok(())
    }
}

/// The same in short for one of several populations.
fn write_cohort(text: &mut String, CohortResult { name, result }: &CohortResult) -> std::fmt::Result {
    let LoadResult { calls, attempts, gave_up, goodput_per_second, amplification, .. } = result;
    if calls.started == 0 {
        return writeln!(text, "Cohort {name}: made no call");
    }
    let well = percent(calls.succeeded, calls.started);
    write!(text, "Cohort {name}: {} of {} calls succeeded ({well:.1}%)", calls.succeeded, calls.started)?;
    if let Some(goodput) = goodput_per_second {
        write!(text, ", goodput {goodput:.1}/s")?;
    }
    write!(
        text,
        ", {}, amplification {:.2}",
        counted(attempts.total, "attempt", "attempts"),
        amplification.unwrap_or_default()
    )?;
    if attempts.budget_denied > 0 {
        write!(text, ", {} more denied by the budget", attempts.budget_denied)?;
    }
    writeln!(text)?;
    for (reason, count) in gave_up {
        writeln!(text, "  gave up, {reason}: {count}")?;
    }
    writeln!(text, "  latency of calls: {}", percentiles(&result.latency_ms.response))
}

/// A line for each service behind the one that clients call.
#[must_use]
pub fn behind_text(behind: &[ServiceResult]) -> String {
    written(|text| behind.iter().try_for_each(|behind| write_behind(text, behind)))
}

fn write_behind(text: &mut String, behind: &ServiceResult) -> std::fmt::Result {
    let ServiceResult { name, calls, succeeded, attempts, budget_denied, amplification, capacity } = behind;
    if *calls == 0 {
        return writeln!(text, "Behind, {name}: not called");
    }
    let (made, well) = (counted(*calls, "call", "calls"), percent(*succeeded, *calls));
    write!(text, "Behind, {name}: {} for {made}, {well:.1}% succeeded", counted(*attempts, "attempt", "attempts"))?;
    if *budget_denied > 0 {
        write!(text, ", {budget_denied} more denied by the budget")?;
    }
    writeln!(text, ", {:.2} attempts for each call of a client", amplification.unwrap_or_default())?;
    capacity.as_ref().map_or(Ok(()), |capacity| write_capacity(text, name, capacity))
}

fn write_capacity(text: &mut String, name: &str, capacity: &CapacityResult) -> std::fmt::Result {
    let CapacityResult { arrived, served, wasted, shed, left, waiting_max, .. } = capacity;
    write!(text, "{name}: {arrived} attempts arrived, {served} served, {shed} shed")?;
    if *left > 0 {
        write!(text, ", {left} left the queue")?;
    }
    let share = 100.0 * capacity.wasted_share.unwrap_or_default();
    writeln!(text, ", {wasted} worked on for nobody ({share:.1}% of the work)")?;
    let utilisation = 100.0 * capacity.utilisation;
    writeln!(text, "  utilisation {utilisation:.1}%, at most {waiting_max} waiting")?;
    if capacity.wait_ms.count > 0 {
        writeln!(text, "  wait for a worker: {}", percentiles(&capacity.wait_ms))?;
    }
    Ok(())
}

fn write_recovery(text: &mut String, recovery: &Recovery) -> std::fmt::Result {
    let goodput = |goodput: Option<f64>| match goodput {
        None => "–".to_owned(),
        Some(rate) if rate >= 10.0 || rate <= 0.0 => format!("{rate:.0}"),
        Some(rate) => format!("{rate:.3}"),
    };
    let Recovery { trigger_from_s, trigger_until_s, goodput_before, goodput_during, goodput_after, .. } = *recovery;
    let [before, during, after] = [goodput_before, goodput_during, goodput_after].map(goodput);
    write!(
        text,
        "Goodput: {before}/s before {} s, {during}/s to {} s, {after}/s after; ",
        moment(trigger_from_s),
        moment(trigger_until_s)
    )?;
    match recovery.recovered_after_s {
        Some(seconds) => writeln!(text, "recovered after {seconds:.0} s"),
        None if recovery.intervals_after < 5 => {
            writeln!(text, "too little was seen before or after it to tell of recovery")
        }
        None => writeln!(text, "never recovered"),
    }
}

/// To the millisecond, without zeros that say nothing.
fn moment(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for showing")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole as f64
}

fn seconds(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.3} s") } else { format!("{seconds:.1} s") }
}

/// Percentiles in one line, those that the count can carry; the number of values and of those given up.
fn percentiles(latency: &Latency) -> String {
    let named = [
        ("p50", latency.p50),
        ("p90", latency.p90),
        ("p99", latency.p99),
        ("p99.9", latency.p99_9),
        ("max", latency.max),
    ];
    let known = named.iter().filter_map(|(name, value)| value.map(|ms| format!("{name} {ms:.1} ms")));
    let given_up = if latency.censored > 0 { format!(", {} given up", latency.censored) } else { String::new() };
    format!("{} (n = {}{given_up})", known.collect::<Vec<_>>().join(", "), latency.count)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Format, LoadReport, ReadError};
    use crate::{MadeOf, Origin, json};
    use brownout_draw::Seed;
    use brownout_load::{Attempt, CallEnd, CohortResult, Expectations, Reply, Tally};
    use brownout_policy::{DelaySource, StopReason, Transport, Verdict};
    use std::time::Duration;

    /// Twelve calls in as many seconds, one a second: every fourth fails at its third attempt, the others succeed at once.
    pub(crate) fn report() -> LoadReport {
        let mut tally = Tally::new(&[]);
        for call in 0..12_u64 {
            let started_ns = call * 1_000_000_000;
            let fails = call % 4 == 3;
            for number in 1..=if fails { 3 } else { 1 } {
                let reply = match (fails, number) {
                    (false, _) => Reply::Status(200),
                    (true, 3) => Reply::Broken(Transport::Timeout),
                    (true, _) => Reply::Status(503),
                };
                let again = Verdict::Retry { after: Duration::ZERO, source: DelaySource::Backoff };
                let verdict = fails.then_some(if number < 3 { again } else { Verdict::Stop(StopReason::Exhausted) });
                let latency_ns = 10_000_001 + call;
                let number = number.try_into().unwrap();
                tally.attempt(&Attempt { number, hedge: false, started_ns, latency_ns, reply, verdict });
            }
            let failed = fails.then_some(StopReason::Exhausted);
            let attempts = if fails { 3 } else { 1 };
            tally.call(&CallEnd { started_ns, elapsed_ns: 10_000_001 + call, attempts, failed });
        }
        let part = |name: &str| name.to_owned();
        LoadReport {
            result: tally.result(12, None),
            origin: Origin {
                seed: Seed(7),
                scenario: part("made.toml"),
                scenario_digest: part("d"),
                time: "virtual".into(),
                version: "0.1.0".into(),
            },
            made_of: MadeOf { service: part("s"), load: part("l"), policy: part("p"), callee: part("c") },
            shard: None,
            shards: None,
            start: None,
            expect: Expectations::default(),
            verdict: None,
            success: super::below_400(),
            format: Format,
        }
    }

    #[test]
    fn what_is_printed_is_read_and_printed_again() {
        let mut report = report();
        let cohort = CohortResult { name: "all".to_owned(), result: report.result.clone() };
        report.result.cohorts.push(cohort);
        let text = json(&report);
        let read = LoadReport::parse(&text).unwrap();
        assert_eq!(read, report);
        assert_eq!(json(&read), text);
    }

    #[test]
    fn what_is_no_whole_result_is_refused_with_the_reason() {
        let text = json(&report());
        assert!(matches!(LoadReport::parse(&text[..text.len() / 2]), Err(ReadError::Torn(_))));
        assert_eq!(LoadReport::parse("[1, 2]"), Err(ReadError::Foreign));
        assert_eq!(LoadReport::parse("{}"), Err(ReadError::Foreign));
        let later = text.replace(Format::NAME, "brownout-load-2");
        assert_eq!(LoadReport::parse(&later), Err(ReadError::Version { found: "brownout-load-2".to_owned() }));
        for (part, instead, why) in [
            ("\"timeout\": 3", "\"thunder\": 3", "`thunder` is no fault that this version knows"),
            ("\"count\": 12,", "\"count\": 13,", "`count` is not what `hdr_ns` counts"),
            ("\"started\": 12", "\"started\": 11", "`latency_ms.response.count` is not the number of calls"),
            ("\"seed\": 7", "\"sead\": 7", "missing field `seed`"),
        ] {
            assert!(text.contains(part), "{part}");
            let refused = LoadReport::parse(&text.replacen(part, instead, 1)).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
