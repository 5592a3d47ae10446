//! The last answers, and why they are what they are.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_report::ExplainReport;
use brownout_serve::Record;
use brownout_service::{Identity, Landed, Request, Seen};
use serde::Serialize;

use crate::api::{Asked, Failure};
use crate::control::{Control, Served};

/// The last answers.
#[derive(Debug, Serialize)]
pub(crate) struct Journal {
    service: String,
    /// How many were ever written, and how many are kept.
    written: u64,
    kept: usize,
    pub(crate) records: Vec<RecordView>,
}

/// One answer.
#[derive(Debug, Serialize)]
pub(crate) struct RecordView {
    number: u64,
    at_s: f64,
    request: u64,
    attempt: u32,
    method: String,
    path: String,
    client: String,
    route: Option<String>,
    outcome: &'static str,
    /// Where an answer came.
    status: Option<u16>,
    /// Where none came: `reset`, `closed`, `protocol`, or `none`.
    broken: Option<&'static str>,
    phase: Option<String>,
    replica: Option<NonZeroU32>,
    limit: Option<String>,
    /// The client that came before it was told to.
    came_back_early: Option<String>,
    /// How long the scenario asked it to take, and how long it took.
    asked_ms: f64,
    took_ms: f64,
}

/// Why an attempt meets what it meets, and what it met.
#[derive(Debug, Serialize)]
pub(crate) struct Explained {
    #[serde(flatten)]
    why: ExplainReport,
    /// What the journal has of it.
    journal: Vec<RecordView>,
}

impl Journal {
    /// The `last` records that `wanted` wants; `None` where there is no journal.
    pub(crate) fn of(served: &Served, last: usize, wanted: impl Fn(&Record) -> bool) -> Option<Self> {
        served.app.journal(|journal| {
            let newest_first = journal.records().rev().filter(|record| wanted(record)).take(last);
            let mut records: Vec<_> = newest_first.map(RecordView::of).collect();
            records.reverse();
            Self { service: served.name.clone(), written: journal.written(), kept: journal.records().len(), records }
        })
    }
}

impl RecordView {
    fn of(record: &Record) -> Self {
        let text = |text: &Option<Box<str>>| text.as_deref().map(ToOwned::to_owned);
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        let (status, broken) = match record.seen {
            Some(Seen::Status(status)) => (Some(status), None),
            Some(Seen::Reset) => (None, Some("reset")),
            Some(Seen::Closed) => (None, Some("closed")),
            Some(Seen::NotHttp) => (None, Some("protocol")),
            None => (None, Some("none")),
        };
        Self {
            number: record.number,
            at_s: record.at.as_secs_f64(),
            request: record.identity.request,
            attempt: record.identity.attempt.get(),
            method: record.method.to_string(),
            path: record.path.to_string(),
            client: record.client.to_string(),
            route: text(&record.route),
            outcome: record.outcome,
            status,
            broken,
            phase: text(&record.phase),
            replica: record.replica,
            limit: text(&record.limit),
            came_back_early: text(&record.early),
            asked_ms: millis(record.asked),
            took_ms: millis(record.took),
        }
    }
}

impl Explained {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = self.why.text();
        if self.journal.is_empty() {
            text.push_str("  the journal has nothing of it\n");
        }
        for record in &self.journal {
            let RecordView { number, at_s, outcome, asked_ms, took_ms, .. } = record;
            let status = record.status.map(|status| format!(" {status}")).unwrap_or_default();
            let broken = record.broken.map(|broken| format!(", broken: {broken}")).unwrap_or_default();
            let early =
                record.came_back_early.as_ref().map(|client| format!(", too early for {client}")).unwrap_or_default();
            text.push_str(&format!(
                "  journal {number}: came at {at_s:.3} s, met {outcome}{status}{broken}{early}; {took_ms:.3} ms of {asked_ms:.3} ms asked\n"
            ));
        }
        text
    }
}

/// Why an attempt meets what it meets.
pub(crate) fn explain(control: &Control, asked: &Asked<'_>) -> Result<Explained, Failure> {
    let served = asked.served(control)?;
    let request = asked.count("request", u64::MAX)?.unwrap_or_default();
    let attempt = asked.count("attempt", u32::MAX.into())?.unwrap_or(1);
    let attempt = u32::try_from(attempt).ok().and_then(NonZeroU32::new);
    let attempt = attempt.ok_or_else(|| Failure::bad("attempts are counted from 1"))?;
    let identity = Identity { request, attempt };
    let own = Journal::of(served, usize::MAX, |record| record.identity == identity);
    let journal = own.map(|journal| journal.records).unwrap_or_default();
    let came = journal.first();
    let seconds = |came: &RecordView| Duration::try_from_secs_f64(came.at_s).unwrap_or_default();
    let at = asked.duration("at")?.or(came.map(seconds)).unwrap_or_else(|| served.app.clock().now());
    let request = Request {
        method: asked.get("method").or(came.map(|came| came.method.as_str())).unwrap_or("GET"),
        path: asked.get("path").or(came.map(|came| came.path.as_str())).unwrap_or("/"),
    };
    let service = served.app.service();
    // What came is known to have landed there; of what did not, the client has to be told where that decides.
    let client = asked.count("client", u32::MAX.into())?;
    let landed = match came {
        Some(came) => Landed { identity, replica: came.replica },
        None => service.land(served.app.seed(), identity, |_| client),
    };
    let why = service.explain(served.app.seed(), service.route(&request), landed, at);
    Ok(Explained { why: ExplainReport::new(&why, at.as_secs_f64(), control.origin()), journal })
}
