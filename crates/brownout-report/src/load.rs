//! A load.

use std::fmt::Write as _;

use brownout_load::{
    CapacityResult, CohortResult, Generator, Latency, LoadResult, PhaseResult, Recovery, ServiceResult,
};
use serde::Serialize;

use crate::number::counted;
use crate::{Origin, written};

/// A load as `load` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadReport {
    /// What it came to.
    #[serde(flatten)]
    pub result: LoadResult,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
}

impl LoadReport {
    /// For people: the counts by status first, one a line.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| self.write(text))
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let result = &self.result;
        writeln!(text, "Load test: {} requests", result.total_requests)?;
        if result.total_requests == 0 {
            return writeln!(text, "No request was made.");
        }
        for (status, count) in &result.by_status {
            writeln!(text, "  {status}: {count}")?;
        }
        for (fault, count) in &result.by_fault {
            writeln!(text, "  {fault}: {count}")?;
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
        if let Some(why) = &result.cut_short {
            writeln!(text, "Cut short: {why}; what stands above is what was counted by then.")?;
        }
        Ok(())
    }
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
