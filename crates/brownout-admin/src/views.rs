//! What is told, as records.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use brownout_load::EffectResult;
use brownout_report::{ExplainReport, Origin, TimelineReport};
use brownout_serve::Record;
use brownout_service::{Identity, Landed, Live, Phase, Request, Seen};
use serde::Serialize;

use crate::api::{Asked, Failure};
use crate::control::{Control, Served};

/// What runs.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    /// The time of the run.
    time_s: f64,
    time_scale: f64,
    /// How often another scenario took the place of the one that ran.
    reloads: u64,
    /// Why the last one did not.
    reload_refused: Option<String>,
    services: Vec<ServiceStatus>,
    #[serde(flatten)]
    origin: Origin,
}

#[derive(Debug, Serialize)]
struct ServiceStatus {
    name: String,
    url: String,
    /// Whether connections are refused.
    refuses: bool,
    phases: Vec<PhaseStatus>,
    requests: u64,
    active: u64,
    /// Of these, how many a worker is busy with, and how many wait for one, where the service has a capacity.
    working: Option<usize>,
    waiting: Option<usize>,
    connections_open: u64,
    changes: Vec<Change>,
}

/// A phase that is on.
#[derive(Debug, Serialize)]
struct PhaseStatus {
    name: String,
    /// How far, from 0 to 1.
    strength: f64,
    until_s: Option<f64>,
}

/// A change of a running service.
#[derive(Debug, Serialize)]
pub(crate) struct Change {
    number: u64,
    service: String,
    /// What was done: `begun` or `ended`.
    did: &'static str,
    phase: String,
    /// Since when.
    from_s: f64,
    /// When it is over by itself.
    until_s: Option<f64>,
}

/// What a service has done.
#[derive(Debug, Serialize)]
pub(crate) struct Counters {
    service: String,
    requests: u64,
    first_attempts: u64,
    active: u64,
    connections: u64,
    connections_open: u64,
    by_outcome: BTreeMap<&'static str, u64>,
    by_status: BTreeMap<u16, u64>,
    /// Those that no route took stand under an empty name.
    by_route: BTreeMap<String, u64>,
    by_phase: BTreeMap<String, u64>,
    /// Answers that broke on the wire, by how.
    broken: BTreeMap<&'static str, u64>,
    /// What bounds of the server refused, by which.
    refused: BTreeMap<&'static str, u64>,
    limits: Vec<LimitView>,
    came_back_early: Option<EarlyView>,
}

#[derive(Debug, Serialize)]
struct LimitView {
    name: String,
    asked: u64,
    refused: u64,
}

#[derive(Debug, Serialize)]
struct EarlyView {
    attempts: u64,
    retries: u64,
    clients: u64,
    /// The worst clients with their attempts.
    worst: Vec<(String, u64)>,
}

/// The last answers.
#[derive(Debug, Serialize)]
pub(crate) struct Journal {
    service: String,
    /// How many were ever written, and how many are kept.
    written: u64,
    kept: usize,
    records: Vec<RecordView>,
}

/// What a service has done, effect by effect, and what of it twice.
#[derive(Debug, Serialize)]
pub(crate) struct Ledger {
    service: String,
    effects: Vec<EffectResult>,
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

impl Status {
    pub(crate) fn of(control: &Control) -> Self {
        let (clock, reloaded) = (control.clock(), control.reloaded());
        Self {
            time_s: clock.now().as_secs_f64(),
            time_scale: clock.scale().get(),
            reloads: reloaded.times,
            reload_refused: reloaded.refused,
            services: control.services.iter().map(ServiceStatus::of).collect(),
            origin: control.origin(),
        }
    }
}

impl ServiceStatus {
    fn of(served: &Served) -> Self {
        let Served { name, url, app } = served;
        let (service, now) = (app.service(), app.clock().now());
        let occupancy = app.occupancy();
        Self {
            name: name.clone(),
            url: url.clone(),
            refuses: service.refuses_at(now),
            phases: on(service.phases(), now).map(|(phase, strength)| PhaseStatus::of(phase, strength)).collect(),
            requests: app.requests(),
            active: app.active(),
            working: occupancy.map(|(working, _)| working),
            waiting: occupancy.map(|(_, waiting)| waiting),
            connections_open: app.connections().1,
            changes: changes(served),
        }
    }
}

/// The phases that are on at `now`, each with how far.
pub(crate) fn on(phases: &[Phase], now: Duration) -> impl Iterator<Item = (&Phase, f64)> {
    phases.iter().map(move |phase| (phase, phase.strength(now))).filter(|(_, strength)| *strength > 0.0)
}

impl PhaseStatus {
    fn of(phase: &Phase, strength: f64) -> Self {
        let until_s = phase.window.until.map(|until| until.as_secs_f64());
        Self { name: phase.name.clone(), strength, until_s }
    }
}

impl Change {
    pub(crate) fn of(served: &Served, change: &brownout_serve::Change) -> Self {
        let (did, phase, from, until) = match &change.live {
            Live::Begun(Phase { name, window, .. }) => ("begun", name, window.from, window.until),
            Live::Ended { phase, at } => ("ended", phase, *at, None),
        };
        Self {
            number: change.number,
            service: served.name.clone(),
            did,
            phase: phase.clone(),
            from_s: from.as_secs_f64(),
            until_s: until.map(|until| until.as_secs_f64()),
        }
    }
}

/// The changes of a service that are not over.
pub(crate) fn changes(served: &Served) -> Vec<Change> {
    served.app.changes().iter().map(|change| Change::of(served, change)).collect()
}

impl Counters {
    pub(crate) fn of(served: &Served) -> Self {
        let Served { name, app, .. } = served;
        let counts = app.counts();
        let (connections, connections_open) = app.connections();
        let (limits, early) = app.limits().unzip();
        let limit = |limit: brownout_service::LimitCounts| LimitView {
            name: limit.name,
            asked: limit.asked,
            refused: limit.refused,
        };
        let named = |(name, count): (Box<str>, u64)| (name.into_string(), count);
        Self {
            service: name.clone(),
            requests: counts.requests,
            first_attempts: counts.firsts,
            active: app.active(),
            connections,
            connections_open,
            by_outcome: counts.by_outcome,
            by_status: counts.by_status,
            by_route: counts
                .by_route
                .into_iter()
                .map(|(route, count)| named((route.unwrap_or_default(), count)))
                .collect(),
            by_phase: counts.by_phase.into_iter().map(named).collect(),
            broken: counts.broken,
            refused: counts.refused,
            limits: limits.into_iter().flatten().map(limit).collect(),
            came_back_early: early.map(|early| EarlyView {
                attempts: early.attempts,
                retries: early.retries,
                clients: early.clients,
                worst: early.worst,
            }),
        }
    }
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

impl Ledger {
    pub(crate) fn of(served: &Served) -> Self {
        let effects = served.app.effects().into_iter().map(EffectResult::new).collect();
        Self { service: served.name.clone(), effects }
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

/// What happens when.
pub(crate) fn timeline(control: &Control) -> TimelineReport {
    let services: Vec<_> = control.services.iter().map(|served| served.app.service()).collect();
    let names = control.services.iter().map(|served| served.name.as_str());
    let named = names.enumerate().map(|(place, name)| (place > 0).then_some(name));
    TimelineReport::of(named.zip(services.iter().map(AsRef::as_ref)), control.origin())
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
