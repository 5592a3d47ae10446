//! The service, its routes and its phases.

use std::time::Duration;

use brownout_draw::Distribution;
use brownout_service::{
    Behaviour, Change, Factors, Outcome, Outcomes, Phase, Ramp, Route, Service, ServiceError, Window,
};

use super::{Fields, capacity, distribution, scalar};
use crate::grammar;
use crate::node::{Node, Value};
use crate::problem::Problems;

/// Every route is compared with every other.
const ROUTES_MAX: usize = 1_000;

/// The service of a scenario, and the header in which its requests say who they are.
pub(super) fn read(scenario: &Fields<'_>, problems: &mut Problems) -> Option<(Service, Option<String>)> {
    let before = problems.count();
    let phase_nodes = scenario.list("phases", problems);
    let phases: Vec<Phase> = phase_nodes.iter().filter_map(|node| phase(node, problems)).collect();
    let mut base = Behaviour { outcomes: sound(), latency: Distribution::fixed(Duration::ZERO) };
    let mut identity = None;
    let mut route_nodes: &[Node] = &[];
    let mut routes = Vec::new();
    let mut capacity = None;
    if let Some(entry) = scenario.get("service") {
        let fields = Fields::open(&entry.node, &grammar::SERVICE, problems)?;
        let given = change(&fields, problems);
        base.outcomes = given.outcomes.unwrap_or(base.outcomes);
        base.latency = given.latency.unwrap_or(base.latency);
        identity = fields.read("identity", problems, scalar::identity);
        capacity = fields.nested("capacity", problems, capacity::read);
        route_nodes = fields.list("routes", problems);
        if route_nodes.len() > ROUTES_MAX {
            let message = format!("a service has at most {ROUTES_MAX} routes, found {}", route_nodes.len());
            problems.add(fields.blame("routes"), message);
            return None;
        }
        routes = route_nodes.iter().filter_map(|node| route(node, problems)).collect();
    }
    // A route or a phase that could not be read would be missed, and others blamed for it.
    if problems.count() > before {
        return None;
    }
    let service = Service::new(base, routes, phases).and_then(|service| service.with_capacity(capacity));
    let service = service.map_err(|errors| {
        for error in errors {
            problems.add(&blame(&error, route_nodes, phase_nodes).span, error);
        }
    });
    service.ok().map(|service| (service, identity))
}

/// A service that nothing befalls: what a file says nothing about does not happen.
fn sound() -> Outcomes {
    Outcomes::new([]).expect("no rates add up to nothing")
}

/// The node to blame for an error: the match of a route, the name of a phase.
fn blame<'n>(error: &ServiceError, routes: &'n [Node], phases: &'n [Node]) -> &'n Node {
    let (node, key) = match error {
        ServiceError::UnreachableRoute { index, .. } => (&routes[*index], "match"),
        ServiceError::EmptyPhase { index, .. } => (&phases[*index], "for"),
        ServiceError::RampTooLong { index, .. } => (&phases[*index], "ramp_up"),
        ServiceError::RampWithoutEnd { index, .. } => (&phases[*index], "ramp_down"),
        ServiceError::NoCapacity { index, .. } => (&phases[*index], "capacity"),
        ServiceError::IdlePhase { index, .. }
        | ServiceError::HiddenPhase { index, .. }
        | ServiceError::PhaseTwice { index, .. } => (&phases[*index], "name"),
    };
    let Value::Table(entries) = &node.value else { return node };
    entries.iter().find(|entry| entry.key == key).map_or(node, |entry| &entry.node)
}

fn route(node: &Node, problems: &mut Problems) -> Option<Route> {
    let fields = Fields::open(node, &grammar::ROUTE, problems)?;
    let pattern = fields.read("match", problems, scalar::parsed);
    let change = change(&fields, problems);
    Some(Route { pattern: pattern?, change })
}

fn phase(node: &Node, problems: &mut Problems) -> Option<Phase> {
    let fields = Fields::open(node, &grammar::PHASE, problems)?;
    let name = fields.read("name", problems, scalar::name);
    let from = fields.read("from", problems, scalar::duration).unwrap_or_default();
    let lasts = fields.read("for", problems, scalar::duration);
    let until = fields.read("until", problems, scalar::duration);
    if let (Some(_), Some(entry)) = (fields.get("for"), fields.get("until")) {
        problems.add(&entry.key_span, "a phase ends after `for` or at `until`, found both; drop one");
    }
    let until = until.or(lasts.map(|lasts| from.saturating_add(lasts)));
    let change = change(&fields, problems);
    let ramp = Ramp {
        up: fields.read("ramp_up", problems, scalar::duration).unwrap_or_default(),
        down: fields.read("ramp_down", problems, scalar::duration).unwrap_or_default(),
    };
    let factors = Factors {
        capacity: fields.read("capacity", problems, scalar::multiple),
        slowdown: fields.read("slowdown", problems, scalar::multiple),
        load: fields.read("load", problems, scalar::multiple),
    };
    Some(Phase { name: name?, window: Window { from, until }, ramp, change, factors })
}

fn change(fields: &Fields<'_>, problems: &mut Problems) -> Change {
    let outcomes = fields.nested("outcomes", problems, outcomes);
    let latency = fields.nested("latency", problems, distribution::read);
    Change { outcomes, latency }
}

fn outcomes(node: &Node, problems: &mut Problems) -> Option<Outcomes> {
    let fields = Fields::open(node, &grammar::OUTCOMES, problems)?;
    let mut rates = Vec::new();
    for outcome in Outcome::failures() {
        rates.extend(fields.read(outcome.name(), problems, scalar::probability).map(|rate| (outcome, rate)));
    }
    problems.accept(&node.span, Outcomes::new(rates))
}
