//! The services behind the first, and who calls whom.

use brownout_load::{Graph, Hop, Node as Behind};
use brownout_policy::Policy;
use brownout_service::Service;

use super::{Fields, did_you_mean, policy, scalar};
use crate::grammar;
use crate::node::{Entry, Node, Value};
use crate::problem::Problems;

/// How many services a file may have behind the first.
const SERVICES_MAX: usize = 1_000;

/// The entries of `services`, by their names.
pub(super) fn entries<'n>(scenario: &Fields<'n>, problems: &mut Problems) -> &'n [Entry] {
    let Some(entry) = scenario.get("services") else { return &[] };
    match &entry.node.value {
        Value::Table(entries) if entries.len() <= SERVICES_MAX => entries,
        Value::Table(entries) => {
            let found = entries.len();
            problems.add(&entry.key_span, format!("a file has at most {SERVICES_MAX} services, found {found}"));
            &[]
        }
        other => {
            problems.add(&entry.node.span, format!("services are tables by name, as [services.db], found {other}"));
            &[]
        }
    }
}

/// Who calls whom: of the services by name, and the calls that the first makes.
pub(super) fn read(
    entries: &[Entry],
    services: Vec<Service>,
    first: &[Node],
    problems: &mut Problems,
) -> Option<Graph> {
    let before = problems.count();
    let names: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    let calls = hops(first, &names, problems);
    let mut behind = Vec::new();
    for (entry, service) in entries.iter().zip(services) {
        let name = problems.accept(&entry.key_span, scalar::name(&Value::Text(entry.key.clone())));
        let fields = Fields::open(&entry.node, &grammar::BEHIND, problems)?;
        let calls = hops(fields.list("calls", problems), &names, problems);
        behind.extend(name.map(|name| Behind { name, service, calls }));
    }
    if problems.count() > before {
        return None;
    }
    let graph = Graph { calls, behind };
    if let Some(circle) = graph.circle() {
        let blame = entries.iter().find(|entry| circle.first() == Some(&entry.key.as_str()))?;
        let message =
            format!("services call each other in a circle, {}, so a call would never end", circle.join(" → "));
        problems.add(&blame.key_span, message);
    }
    for (place, entry) in entries.iter().enumerate() {
        let called = |hops: &[Hop]| hops.iter().any(|hop| hop.to == place);
        if !called(&graph.calls) && !graph.behind.iter().any(|node| called(&node.calls)) {
            let name = &entry.key;
            problems
                .add(&entry.key_span, format!("nobody calls `{name}`; name it in the `calls` of another, or drop it"));
        }
    }
    (problems.count() == before).then_some(graph)
}

fn hops(nodes: &[Node], names: &[&str], problems: &mut Problems) -> Vec<Hop> {
    nodes.iter().filter_map(|node| hop(node, names, problems)).collect()
}

/// A name, or a table with one.
fn hop(node: &Node, names: &[&str], problems: &mut Problems) -> Option<Hop> {
    if let Value::Text(_) = &node.value {
        return Some(Hop { to: to(node, names, problems)?, policy: Policy::none(), pass_deadline: false });
    }
    let fields = Fields::open(node, &grammar::CALL, problems)?;
    let to = to(&fields.get("to")?.node, names, problems);
    let settings = fields.nested("policy", problems, policy::read);
    let policy = settings.map_or_else(|| Some(Policy::none()), |settings| Policy::new(settings).ok());
    let pass_deadline = fields.read("pass_deadline", problems, scalar::boolean).unwrap_or_default();
    Some(Hop { to: to?, policy: policy?, pass_deadline })
}

/// The place of the service called.
fn to(node: &Node, names: &[&str], problems: &mut Problems) -> Option<usize> {
    let name = problems.accept(&node.span, scalar::name(&node.value))?;
    let place = names.iter().position(|own| *own == name);
    if place.is_none() {
        let known =
            format!("services there are: {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") });
        let hint = did_you_mean(&name, names.iter().copied(), &known);
        problems.add_with_hint(&node.span, format!("there is no service `{name}` behind"), hint);
    }
    place
}
