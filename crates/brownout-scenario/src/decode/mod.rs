//! From the tree to valid types, finding every mistake on the way.
//!
//! Each reader returns `None` once it has put at least one problem down; a file without problems is whole.

mod arrivals;
mod capacity;
mod distribution;
mod effect;
mod expect;
mod fault;
mod graph;
mod guard;
mod limit;
mod load;
pub(crate) mod policy;
mod requests;
mod scalar;
mod service;

use std::fmt;

use brownout_draw::Seed;
use brownout_load::Part;
use brownout_policy::{Policy, Settings, preset};
use brownout_service::{BURSTS_MAX, Capacity, Phase, Shed, TIMES_MAX};

use crate::grammar::{self, Rule, Table};
use crate::node::{Entry, Node, Span, Value};
use crate::problem::Problems;
use crate::{Files, Scenario};
pub(crate) use fault::{BREAK_WORDS, LOSS_WORDS, POINT_WORDS};
pub(crate) use scalar::RETRY_AFTER_WORDS;

/// The whole file; `None` once problems are put down.
///
/// - `files`: what reads the other files that it names.
pub(crate) fn scenario(root: &Node, files: &Files<'_>, problems: &mut Problems) -> Option<Scenario> {
    let fields = Fields::open(root, &grammar::SCENARIO, problems)?;
    let seed = fields.read("seed", problems, scalar::seed);
    let service = service::read(&fields, problems);
    let policy = fields.nested("policy", problems, policy::read);
    let policies = fields.nested("policies", problems, policies).unwrap_or_default();
    let known = load::Around { named: &policies, policy: policy.as_ref(), files };
    let load = fields.nested("load", problems, |node, problems| load::read(node, &known, problems)).unwrap_or_default();
    let expect = fields.nested("expect", problems, expect::read).unwrap_or_default();
    let service::Read { service, identity_header, graph, recurring } = service?;
    let scenario =
        Scenario { seed: seed.map(Seed), service, identity_header, graph, recurring, load, policy, policies, expect };
    if problems.is_empty() {
        check(&fields, &scenario, problems);
    }
    problems.is_empty().then_some(scenario)
}

pub(crate) use service::live_phase;

/// Policies by the names that the file gives them, in its order.
fn policies(node: &Node, problems: &mut Problems) -> Option<Vec<(String, Settings)>> {
    let Value::Table(entries) = &node.value else {
        problems.add(&node.span, format!("policies are tables by name, as [policies.patient], found {}", node.value));
        return None;
    };
    let mut read = |entry: &Entry| {
        let name = problems.accept(&entry.key_span, scalar::name(&Value::Text(entry.key.clone())))?;
        if name == "scenario" || preset(&name).is_some() {
            let meant = if name == "scenario" { "the file's own `policy`" } else { "a preset" };
            problems.add(&entry.key_span, format!("`{name}` already names {meant}; call this policy something else"));
        }
        Some((name, policy::read(&entry.node, problems)?))
    };
    let read: Vec<_> = entries.iter().map(&mut read).collect();
    read.into_iter().collect()
}

/// What goes together only as a whole: a run that could never end.
fn check(fields: &Fields<'_>, scenario: &Scenario, problems: &mut Problems) {
    let pause =
        |phase: &Phase| phase.window.until.is_none() && phase.factors.load.is_some_and(|factor| factor.get() <= 0.0);
    for recurring in &scenario.recurring {
        let (end, name) = (scenario.horizon(), &recurring.phase.name);
        let expected = recurring.expected(end);
        if expected > TIMES_MAX.into() {
            let message = format!(
                "phase `{name}` would come {expected:.0} times within {end:?}, and at most {TIMES_MAX} can be looked at; give it `times`, or more \
                 time between"
            );
            problems.add(fields.blame("phases"), message);
        }
    }
    for phase in scenario.graph.phases(&scenario.service) {
        let Some(bursts) = &phase.only.bursts else { continue };
        let again = scenario.recurring.iter().find(|recurring| recurring.phase == phase);
        let times = again.map_or(1.0, |recurring| recurring.expected(scenario.horizon()).max(1.0));
        let expected = times * bursts.expected(phase.window, scenario.horizon());
        if expected > BURSTS_MAX.into() {
            let (name, end) = (&phase.name, scenario.horizon());
            let message = format!(
                "phase `{name}` would hold in {expected:.0} bursts within {end:?}, and at most {BURSTS_MAX} can be looked at; end the \
                 phase or the load sooner, or leave more time between them"
            );
            problems.add(fields.blame("phases"), message);
        }
    }
    let parts = scenario.load.parts();
    let (open, closed): (Vec<&Part<'_>>, Vec<_>) = parts.iter().partition(|part| part.load.is_open());
    if open.iter().any(|part| part.load.ends().is_none()) {
        for phase in scenario.service.phases().iter().filter(|phase| pause(phase)) {
            let message = format!(
                "phase `{}` stops the load for ever, so its calls would never all be made; give the phase an end or the load a \
                 `duration`",
                phase.name
            );
            problems.add(fields.blame("phases"), message);
        }
    }
    if !closed.is_empty() {
        for phase in scenario.service.phases().iter().filter(|phase| phase.factors.load.is_some()) {
            let message = format!(
                "phase `{}` changes the load of closed clients, who call when their last call has ended; make the arrivals constant \
                 or poisson",
                phase.name
            );
            problems.add(fields.blame("phases"), message);
        }
    }
    let silent = |capacity: &Capacity| capacity.shed == Shed::Silent;
    if scenario.service.capacity().is_some_and(silent) {
        if scenario.policy.is_none() && scenario.policies.is_empty() && scenario.load.follows_policy() {
            problems.add(
                fields.blame("service"),
                "a service that sheds silently leaves callers without a policy waiting for ever; give the file a `policy` with an \
                 `attempt_timeout` or a `deadline`",
            );
        }
        let policies = scenario.policy.iter().map(|policy| ("policy", "policy", policy));
        let named = scenario.policies.iter().map(|(name, policy)| ("policies", name.as_str(), policy));
        let own = parts.iter().filter_map(|part| Some(("load", part.name?, &part.own?.settings)));
        for (key, name, settings) in policies.chain(named).chain(own) {
            if Policy::new(settings.clone()).is_ok_and(|policy| !policy.gives_up()) {
                let message = format!(
                    "a service that sheds silently leaves the callers of `{name}` without an answer for ever; give the policy an \
                     `attempt_timeout` or a `deadline`"
                );
                problems.add(fields.blame(key), message);
            }
        }
    }
}

/// A table whose keys are all known.
pub(crate) struct Fields<'n> {
    entries: &'n [Entry],
    span: &'n Span,
    table: &'static Table,
}

impl<'n> Fields<'n> {
    /// Opens `node` as the `table` of the grammar: refuses unknown keys, missing ones, and a wrong number of them.
    pub(crate) fn open(node: &'n Node, table: &'static Table, problems: &mut Problems) -> Option<Self> {
        let Value::Table(entries) = &node.value else {
            let keys = names(table);
            problems.add(&node.span, format!("{} is a table with the keys {keys}, found {}", table.name, node.value));
            return None;
        };
        for entry in entries.iter().filter(|entry| table.keys.iter().all(|key| key.name != entry.key)) {
            let message = format!("{} has no key `{}`", table.name, entry.key);
            problems.add_with_hint(&entry.key_span, message, suggestion(&entry.key, table));
        }
        let fields = Self { entries, span: &node.span, table };
        fields.check_rule(problems);
        Some(fields)
    }

    fn check_rule(&self, problems: &mut Problems) {
        match self.table.rule {
            Rule::Any => {}
            Rule::One if self.entries.len() == 1 => {}
            Rule::One => {
                let (name, keys, found) = (self.table.name, names(self.table), self.entries.len());
                problems.add(self.span, format!("{name} takes exactly one of {keys}, found {found} keys"));
            }
            Rule::Required(keys) => {
                for key in keys.iter().filter(|key| self.get(key).is_none()) {
                    let doc = self.table.keys.iter().find(|k| k.name == *key).map_or("", |key| key.doc);
                    problems.add_with_hint(self.span, format!("{} needs the key `{key}`", self.table.name), doc);
                }
            }
        }
    }

    /// The entry of `key`, if the file has it.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Entry> {
        debug_assert!(self.table.keys.iter().any(|k| k.name == key), "`{key}` is missing in the grammar");
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The scalar behind `key`.
    pub(crate) fn read<T, E: fmt::Display>(
        &self,
        key: &str,
        problems: &mut Problems,
        read: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Option<T> {
        let node = &self.get(key)?.node;
        problems.accept(&node.span, read(&node.value))
    }

    /// What a reader of its own makes of the node behind `key`.
    pub(crate) fn nested<T>(
        &self,
        key: &str,
        problems: &mut Problems,
        read: impl FnOnce(&Node, &mut Problems) -> Option<T>,
    ) -> Option<T> {
        read(&self.get(key)?.node, problems)
    }

    /// The nodes of the list behind `key`; none where the file has no such key.
    pub(crate) fn list(&self, key: &str, problems: &mut Problems) -> &'n [Node] {
        let Some(entry) = self.get(key) else { return &[] };
        let Value::List(nodes) = &entry.node.value else {
            problems.add(&entry.node.span, format!("`{key}` is a list, found {}; write [ … ]", entry.node.value));
            return &[];
        };
        nodes
    }

    /// The place to blame for `key`: its value, or the table where the file does not have it.
    pub(crate) fn blame(&self, key: &str) -> &'n Span {
        self.get(key).map_or(self.span, |entry| &entry.node.span)
    }
}

fn names(table: &Table) -> String {
    table.keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")
}

/// The nearest known key, where one is near, and all of them.
fn suggestion(key: &str, table: &Table) -> String {
    if table.name == grammar::OUTCOMES.name && key == "success" {
        return "the success is what the failures leave over; give their rates".to_owned();
    }
    did_you_mean(key, table.keys.iter().map(|key| key.name), &format!("known keys: {}", names(table)))
}

/// What is `known`, after the nearest of `names` to `word` where one is near.
pub(crate) fn did_you_mean<'a>(word: &str, names: impl Iterator<Item = &'a str>, known: &str) -> String {
    match names.map(|name| (strsim::damerau_levenshtein(name, word), name)).min() {
        Some((distance, name)) if distance <= 2.max(word.chars().count() / 3) => {
            format!("did you mean `{name}`? {known}")
        }
        _ => known.to_owned(),
    }
}

#[cfg(test)]
mod tests;
