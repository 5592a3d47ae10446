//! What is told, as records.

use std::collections::BTreeMap;
use std::time::Duration;

use brownout_load::EffectResult;
use brownout_report::{Origin, TimelineReport};
use brownout_service::{EarlyReturns, LimitCounts, Live, Phase};
use serde::Serialize;

use crate::control::{Control, Served};
use crate::force::InForce;
use crate::lately::Quantiles;

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
pub(crate) struct ServiceStatus {
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
    holding: InForce,
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
    /// How long the scenario asked answers to take, and how long they took.
    asked_ms: Quantiles,
    took_ms: Quantiles,
}

#[derive(Debug, Serialize)]
pub(crate) struct LimitView {
    name: String,
    asked: u64,
    refused: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct EarlyView {
    attempts: u64,
    retries: u64,
    clients: u64,
    /// The worst clients with their attempts.
    worst: Vec<(String, u64)>,
}

/// What a service has done, effect by effect, and what of it twice.
#[derive(Debug, Serialize)]
pub(crate) struct Ledger {
    service: String,
    effects: Vec<EffectResult>,
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
    pub(crate) fn of(served: &Served) -> Self {
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
            holding: InForce::at(&service, now),
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
        let [asked, took] = &counts.asked_and_took;
        let (asked_ms, took_ms) = (Quantiles::of(asked), Quantiles::of(took));
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
            limits: limits.into_iter().flatten().map(LimitView::of).collect(),
            came_back_early: early.map(EarlyView::of),
            asked_ms,
            took_ms,
        }
    }
}

impl LimitView {
    pub(crate) fn of(limit: LimitCounts) -> Self {
        let LimitCounts { name, asked, refused } = limit;
        Self { name, asked, refused }
    }
}

impl EarlyView {
    pub(crate) fn of(early: EarlyReturns) -> Self {
        let EarlyReturns { attempts, retries, clients, worst } = early;
        Self { attempts, retries, clients, worst }
    }
}

impl Ledger {
    pub(crate) fn of(served: &Served) -> Self {
        let effects = served.app.effects().into_iter().map(EffectResult::new).collect();
        Self { service: served.name.clone(), effects }
    }
}

/// What happens when.
pub(crate) fn timeline(control: &Control) -> TimelineReport {
    let services: Vec<_> = control.services.iter().map(|served| served.app.service()).collect();
    let names = control.services.iter().map(|served| served.name.as_str());
    let named = names.enumerate().map(|(place, name)| (place > 0).then_some(name));
    TimelineReport::of(named.zip(services.iter().map(AsRef::as_ref)), control.origin())
}
