//! A load.

use std::fmt::Write as _;

use brownout_load::{Latency, LoadResult, PhaseResult};
use serde::Serialize;

use crate::Origin;
use crate::number::counted;

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
        let mut text = String::new();
        self.write(&mut text).expect("writing to a string cannot fail");
        text
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
        if result.attempts.retries > 0 {
            let retries = counted(result.attempts.retries, "retry", "retries");
            let amplification = result.amplification.unwrap_or_default();
            let total = result.attempts.total;
            writeln!(text, "Attempts: {total}, as counted above ({retries}), amplification {amplification:.2}")?;
            for (reason, count) in &result.gave_up {
                writeln!(text, "  gave up, {reason}: {count}")?;
            }
            writeln!(text, "Latency of calls: {}", percentiles(&result.latency_ms.response))?;
        }
        writeln!(text, "Latency of attempts: {}", percentiles(&result.latency_ms.service))?;
        for PhaseResult { name, succeeded, calls, attempts, .. } in &result.phases {
            if *attempts == 0 {
                writeln!(text, "Phase {name}: not met by any attempt")?;
                continue;
            }
            let (begun, made) = (counted(*calls, "call", "calls"), counted(*attempts, "attempt", "attempts"));
            let percent = if *calls > 0 { format!(" ({:.1}%)", percent(*succeeded, *calls)) } else { String::new() };
            writeln!(text, "Phase {name}: {succeeded} of {begun} begun in it succeeded{percent}, {made}")?;
        }
        Ok(())
    }
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
