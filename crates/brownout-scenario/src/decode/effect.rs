//! What requests do that is not undone by doing it again.

use brownout_service::Effect;

use super::{Fields, scalar};
use crate::grammar;
use crate::node::{Node, Value};
use crate::problem::Problems;

/// What a route says that has no effect, where the service has one.
const NONE: &str = "none";

/// The effects of a service: of the requests that no route takes first, then of those of each of the `routes`.
pub(super) fn read(service: &Fields<'_>, routes: &[Node], problems: &mut Problems) -> Vec<Option<Effect>> {
    let own = service.nested("effect", problems, |node, problems| {
        if is_none(node) {
            problems
                .add(&node.span, "a service that names no effect has none; drop `effect`, or say \"none\" for a route");
            return None;
        }
        effect(node, problems)
    });
    let of_route = |node: &Node, problems: &mut Problems| {
        let Value::Table(entries) = &node.value else { return None };
        let Some(entry) = entries.iter().find(|entry| entry.key == "effect") else { return own.clone() };
        if !is_none(&entry.node) {
            return effect(&entry.node, problems);
        }
        if service.get("effect").is_none() {
            problems.add(&entry.node.span, "the service has no effect that this route could be without; drop `effect`");
        }
        None
    };
    let of_routes: Vec<_> = routes.iter().map(|node| of_route(node, problems)).collect();
    [own.clone()].into_iter().chain(of_routes).collect()
}

fn is_none(node: &Node) -> bool {
    matches!(&node.value, Value::Text(text) if text == NONE)
}

/// A name, or a table with one.
fn effect(node: &Node, problems: &mut Problems) -> Option<Effect> {
    if !matches!(node.value, Value::Table(_)) {
        return problems.accept(&node.span, scalar::name(&node.value)).map(|name| Effect::new(&name));
    }
    let fields = Fields::open(node, &grammar::EFFECT, problems)?;
    let name = fields.read("name", problems, scalar::name);
    let header = fields.read("key", problems, scalar::effect_key);
    let once = fields.read("once", problems, scalar::boolean).unwrap_or_default();
    let name = name?;
    if name == NONE {
        problems.add(fields.blame("name"), "`none` stands for no effect; call it something else");
    }
    let effect = Effect::new(&name);
    Some(Effect { header: header.unwrap_or(effect.header), once, name })
}
