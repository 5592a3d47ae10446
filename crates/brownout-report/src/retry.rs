//! One call with its retries.

use std::time::Duration;

use brownout_load::{Attempt, CallTrace, Reply};
use brownout_policy::Verdict;
use serde::Serialize;

use crate::number::{counted, millis, seconds};
use crate::{Origin, ResponseReport, json};

/// A call as `retry` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RetryReport {
    /// Of the last answer; `null` where none came.
    pub status_code: Option<u16>,
    /// Whether the call succeeded.
    pub success: bool,
    /// Why it ended: `success`, or a stop reason such as `exhausted`.
    pub stop_reason: &'static str,
    /// Attempts made.
    pub attempts_total: u64,
    /// From the first attempt to the end, waits included.
    pub elapsed_ms: f64,
    /// The attempts, in order; the first 10,000 of a call that makes more.
    pub attempts: Vec<AttemptReport>,
    /// What the last attempt brought.
    pub response: ResponseReport,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
    #[serde(skip)]
    ending: String,
}

/// One attempt of a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttemptReport {
    /// From 1.
    pub n: u32,
    /// Since the call began.
    pub start_ms: f64,
    /// Until its answer, or until it was given up.
    pub latency_ms: f64,
    /// `null` where no answer came.
    pub status_code: Option<u16>,
    /// What broke, where no answer came.
    pub fault: Option<&'static str>,
    /// The wait after it; `null` after the last.
    pub delay_ms: Option<f64>,
    /// Where the wait comes from: `backoff` or `retry_after`.
    pub delay_source: Option<&'static str>,
}

impl RetryReport {
    /// From a call.
    #[must_use]
    pub fn new(trace: &CallTrace, origin: Origin) -> Self {
        let response = ResponseReport::from(&trace.last);
        let elapsed = Duration::from_nanos(trace.end.elapsed_ns);
        let made = counted(trace.trail.total, "attempt", "attempts");
        let ending = match trace.end.failed {
            None => String::new(),
            Some(reason) => format!("Gave up after {made} and {}: {reason}.\n", seconds(elapsed)),
        };
        Self {
            status_code: response.status_code,
            success: trace.end.failed.is_none(),
            stop_reason: trace.end.failed.map_or("success", |reason| reason.name()),
            attempts_total: trace.trail.total,
            elapsed_ms: millis(elapsed),
            attempts: trace.trail.attempts.iter().map(|attempt| attempt_report(attempt, trace)).collect(),
            response,
            origin,
            ending,
        }
    }

    /// For people: how it ended, then the last response.
    #[must_use]
    pub fn text(&self) -> String {
        let status = self.status_code.map_or_else(|| "none".to_owned(), |status| status.to_string());
        let attempts = self.attempts_total;
        format!("Status: {status} after {attempts} attempt(s)\n{}{}", self.ending, json(&self.response))
    }
}

fn attempt_report(attempt: &Attempt, trace: &CallTrace) -> AttemptReport {
    let (delay, source) = match attempt.verdict {
        Some(Verdict::Retry { after, source }) => (Some(millis(after)), Some(source.name())),
        _ => (None, None),
    };
    let fault = match attempt.reply {
        Reply::Status(_) => None,
        Reply::Broken(transport) => Some(transport.name()),
    };
    let started = attempt.started_ns.saturating_sub(trace.end.started_ns);
    AttemptReport {
        n: attempt.number.get(),
        start_ms: millis(Duration::from_nanos(started)),
        latency_ms: millis(Duration::from_nanos(attempt.latency_ns)),
        status_code: attempt.reply.status(),
        fault,
        delay_ms: delay,
        delay_source: source,
    }
}
