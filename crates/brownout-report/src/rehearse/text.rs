//! A rehearsal in words.

use std::fmt::Write as _;

use brownout_lab::rehearse::{AttemptSeen, CallSeen, Effects, Judged, Rehearsal, RetryAfter, Summary, outcome};

use super::RehearseReport;
use super::words::{backoff, end, headline, in_seconds, layers, made, sentence, short};
use crate::number::counted;
use crate::table::table;
use crate::written;

/// So many calls are shown, each with so many attempts.
const CALLS_SHOWN: usize = 3;
const ATTEMPTS_SHOWN: usize = 12;

impl RehearseReport {
    /// For people: the number first, and then what it is made of; of several runs a line each, and then their sum.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| match self.runs.as_slice() {
            [run] => write_run(text, run),
            runs => {
                for run in runs {
                    let verdict = outcome(&run.expectations).map(|met| format!("; {}", met.name())).unwrap_or_default();
                    writeln!(text, "Seed {}: {}; {}{verdict}", run.seed, headline(run), end(run.command))?;
                }
                write_summary(text, &self.summary)
            }
        })
    }
}

fn write_run(text: &mut String, run: &Rehearsal) -> std::fmt::Result {
    writeln!(text, "{}", sentence(&headline(run)))?;
    if run.attempts > 0 {
        writeln!(text, "  calls told apart {}", run.grouping.why)?;
        for doubt in &run.grouping.doubts {
            writeln!(text, "  note: {doubt}")?;
        }
        for (number, call) in run.list.iter().enumerate().take(CALLS_SHOWN) {
            write_call(text, number + 1, call)?;
        }
        let more = run.list.len().saturating_sub(CALLS_SHOWN);
        if more > 0 {
            writeln!(text, "… and {}", counted(more as u64, "call more", "calls more"))?;
        }
        let retried = run.list.iter().filter(|call| call.attempts.len() > 1).count();
        let hides_jitter = retried == 1 && run.backoff.may_be_jittered();
        let hint = if hides_jitter { "; one call does not show jitter, --repeat would" } else { "" };
        writeln!(text, "Backoff: {}{hint}", backoff(&run.backoff, &run.layers))?;
        if let Some(layers) = layers(&run.layers) {
            writeln!(text, "Layers: {layers}")?;
        }
        write_told(text, run.retry_after, run.effects)?;
        writeln!(
            text,
            "Connections: {} for {}, at most {} at once",
            run.connections,
            counted(run.attempts, "request", "requests"),
            counted(run.peak, "request", "requests")
        )?;
    }
    writeln!(text, "Command: {}", end(run.command))?;
    write_verdict(text, &run.expectations)
}

fn write_summary(text: &mut String, all: &Summary) -> std::fmt::Result {
    let Summary { runs, runs_exit_0, calls, attempts, .. } = all;
    write!(text, "{}: {}", counted(*runs, "run", "runs"), made(*calls, *attempts, all.amplification))?;
    if let (Some(min), Some(max)) = (all.amplification_min, all.amplification_max) {
        write!(text, ", from {} to {} a run", short(min), short(max))?;
    }
    if let Some(worst) = all.attempts_worst {
        write!(text, ", {} of the worst call", counted(worst, "request", "requests"))?;
    }
    writeln!(text, "\nBackoff: {}", backoff(&all.backoff, &[]))?;
    write_told(text, all.retry_after, all.effects)?;
    writeln!(text, "Command: exit code 0 in {runs_exit_0} of {}", counted(*runs, "run", "runs"))?;
    if let Some(outcome) = all.outcome {
        writeln!(
            text,
            "Verdict: {}, missed in {} of {}",
            outcome.name(),
            all.runs_missed,
            counted(*runs, "run", "runs")
        )?;
    }
    Ok(())
}

fn write_told(text: &mut String, retry_after: RetryAfter, effects: Option<Effects>) -> std::fmt::Result {
    let RetryAfter { told, honoured, broken, given_up } = retry_after;
    if told > 0 {
        let times = counted(told, "time", "times");
        writeln!(
            text,
            "Retry-After: told {times}: {honoured} honoured, {broken} broken, {given_up} without another try"
        )?;
    }
    if let Some(Effects { done, duplicates }) = effects {
        let (done, duplicates) = (counted(done, "time", "times"), counted(duplicates, "duplicate", "duplicates"));
        writeln!(text, "Effects: done {done}, {duplicates}")?;
    }
    Ok(())
}

fn write_call(text: &mut String, number: usize, call: &CallSeen) -> std::fmt::Result {
    let attempts = counted(call.attempts.len() as u64, "attempt", "attempts");
    writeln!(text, "Call {number}, {} {}: {attempts}", call.method, call.path)?;
    let heads = ["  attempt", "at", "after a wait of", "answer", "Retry-After", "connection"];
    let time = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), in_seconds);
    let row = |(number, attempt): (usize, &AttemptSeen)| {
        let (wait, told) = (time(attempt.wait_ms), time(attempt.retry_after_ms));
        let (at, answer) = (in_seconds(attempt.at_ms), attempt.answer.to_string());
        vec![format!("  {}", number + 1), at, wait, answer, told, (attempt.connection + 1).to_string()]
    };
    let rows = call.attempts.iter().enumerate().take(ATTEMPTS_SHOWN).map(row);
    text.push_str(&table(&std::iter::once(heads.map(str::to_owned).to_vec()).chain(rows).collect::<Vec<_>>()));
    let more = call.attempts.len().saturating_sub(ATTEMPTS_SHOWN);
    if more > 0 { writeln!(text, "  … and {more} more") } else { Ok(()) }
}

fn write_verdict(text: &mut String, expectations: &[Judged]) -> std::fmt::Result {
    let Some(outcome) = outcome(expectations) else { return Ok(()) };
    writeln!(text, "Verdict: {}", outcome.name())?;
    let row =
        |judged: &Judged| vec![format!("  {}", judged.expectation), judged.shown(), judged.outcome.name().to_owned()];
    text.push_str(&table(&expectations.iter().map(row).collect::<Vec<_>>()));
    Ok(())
}
