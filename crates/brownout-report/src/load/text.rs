//! A load in words.

use std::fmt::{Result, Write as _};

use brownout_load::{
    Attempts, CapacityResult, CohortResult, Generator, Latency, LoadResult, PhaseResult, Recovery, RetryAfterCounts,
    ServiceResult,
};

use super::{LoadReport, Start, below_400};
use crate::number::counted;
use crate::written;

impl LoadReport {
    /// For people: the counts by status first, one a line.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| self.write(text))
    }

    fn write(&self, text: &mut String) -> Result {
        let result = &self.result;
        writeln!(text, "Load test: {} requests", result.total_requests)?;
        if result.total_requests == 0 {
            writeln!(text, "No request was made.")?;
            return self.write_cut(text);
        }
        write_answers(text, result)?;
        self.write_calls(text)?;
        // One attempt a call tells nothing that the counts above do not.
        if result.attempts.total != result.total_requests {
            write_attempts(text, result)?;
            writeln!(text, "Latency of calls: {}", percentiles(&result.latency_ms.response))?;
        }
        writeln!(text, "Latency of attempts: {}", percentiles(&result.latency_ms.service))?;
        if let Some(generator) = &result.generator {
            write_generator(text, generator)?;
        }
        result.cohorts.iter().try_for_each(|cohort| write_cohort(text, cohort))?;
        if let Some(capacity) = &result.capacity {
            write_capacity(text, "Service", capacity)?;
        }
        result.behind.iter().try_for_each(|behind| write_behind(text, behind))?;
        if let Some(limits) = &result.limits {
            crate::limits::write(text, limits)?;
        }
        crate::effects::write(text, &result.effects)?;
        result.phases.iter().try_for_each(|phase| write_phase(text, phase))?;
        if let Some(recovery) = &result.recovery {
            write_recovery(text, recovery)?;
        }
        self.write_shards(text)?;
        self.write_verdict(text)?;
        self.write_cut(text)
    }

    /// How many calls succeeded, and what that is.
    fn write_calls(&self, text: &mut String) -> Result {
        let LoadResult { calls, duration_s, .. } = &self.result;
        let well = percent(calls.succeeded, calls.started);
        write!(text, "Calls: {} of {} succeeded ({well:.1}%)", calls.succeeded, calls.started)?;
        for (count, what) in [(calls.abandoned, "abandoned"), (calls.unsent, "never sent")] {
            if count > 0 {
                write!(text, ", {count} {what}")?;
            }
        }
        writeln!(text, ", in {} of {} time", seconds(*duration_s), self.origin.time)?;
        if self.success != below_400() {
            writeln!(text, "A success is an answer with one of these statuses: {}", self.success)?;
        }
        Ok(())
    }

    /// That it is not the whole, where it is not.
    fn write_cut(&self, text: &mut String) -> Result {
        match &self.result.cut_short {
            Some(why) => writeln!(text, "Cut short: {why}; what stands above is what was counted by then."),
            None => Ok(()),
        }
    }

    /// Which part of a load it is, and when it was made.
    fn write_shards(&self, text: &mut String) -> Result {
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

    /// What became of what was expected.
    fn write_verdict(&self, text: &mut String) -> Result {
        match &self.verdict {
            Some(verdict) => crate::verdict::write(text, verdict),
            None if self.expect.is_empty() => Ok(()),
            None => writeln!(
                text,
                "Expectations are of the whole load; `brownout merge` judges them once every shard is there."
            ),
        }
    }
}

/// Which answers and which faults attempts met.
fn write_answers(text: &mut String, result: &LoadResult) -> Result {
    for (status, count) in &result.by_status {
        writeln!(text, "  {status}: {count}")?;
    }
    for (fault, count) in &result.by_fault {
        match result.fault_examples.get(fault) {
            Some(example) => writeln!(text, "  {fault}: {count}, as in: {example}")?,
            None => writeln!(text, "  {fault}: {count}")?,
        }
    }
    Ok(())
}

/// How many attempts there were beyond one a call, and why there were no more.
fn write_attempts(text: &mut String, result: &LoadResult) -> Result {
    let Attempts { total, retries, hedges, budget_denied, .. } = result.attempts;
    let mut kinds = counted(retries, "retry", "retries");
    if hedges > 0 {
        write!(kinds, ", {}", counted(hedges, "hedge", "hedges"))?;
    }
    if budget_denied > 0 {
        write!(kinds, ", {budget_denied} more denied by the budget")?;
    }
    let amplification = result.amplification.unwrap_or_default();
    writeln!(text, "Attempts: {total}, as counted above ({kinds}), amplification {amplification:.2}")?;
    for (reason, count) in &result.gave_up {
        writeln!(text, "  gave up, {reason}: {count}")?;
    }
    write_tries(text, result)
}

/// How many attempts calls took, how many they took at their worst, and what became of Retry-After.
fn write_tries(text: &mut String, result: &LoadResult) -> Result {
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
fn write_generator(text: &mut String, generator: &Generator) -> Result {
    let lag = &generator.schedule_lag_ms;
    if lag.count > 0 {
        writeln!(text, "Schedule lag: {}", percentiles(lag))?;
    }
    match &generator.saturated {
        Some(why) => writeln!(text, "Generator saturated, do not trust p99: {why}."),
        None => Ok(()),
    }
}

/// The same in short for one of several populations.
fn write_cohort(text: &mut String, CohortResult { name, result }: &CohortResult) -> Result {
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

fn write_behind(text: &mut String, behind: &ServiceResult) -> Result {
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

fn write_capacity(text: &mut String, name: &str, capacity: &CapacityResult) -> Result {
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

fn write_phase(text: &mut String, phase: &PhaseResult) -> Result {
    let PhaseResult { name, succeeded, calls, attempts, .. } = phase;
    if *attempts == 0 {
        return writeln!(text, "Phase {name}: not met by any attempt");
    }
    let (begun, made) = (counted(*calls, "call", "calls"), counted(*attempts, "attempt", "attempts"));
    let percent = if *calls > 0 { format!(" ({:.1}%)", percent(*succeeded, *calls)) } else { String::new() };
    writeln!(text, "Phase {name}: {succeeded} of {begun} begun in it succeeded{percent}, {made}")
}

fn write_recovery(text: &mut String, recovery: &Recovery) -> Result {
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
