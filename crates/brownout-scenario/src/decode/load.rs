//! The load.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_load::{AfterGiveUp, Arrivals, Cohort, Load, OwnPolicy};
use brownout_policy::Settings;

use super::{Fields, arrivals, distribution, policy, requests, scalar};
use crate::Files;
use crate::grammar;
use crate::node::{Entry, Node, Value};
use crate::problem::Problems;

pub(super) fn read(node: &Node, around: &Around<'_>, problems: &mut Problems) -> Option<Load> {
    let fields = Fields::open(node, &grammar::LOAD, problems)?;
    let duration = fields.read("duration", problems, scalar::duration);
    let mut load = population(&fields, duration, around, problems);
    if let Some((request, carried)) = requests::read(&fields, problems) {
        (load.request, load.carried) = (request, carried);
    }
    load.success = fields.read("success", problems, scalar::success).unwrap_or_default();
    let read = |node: &_, problems: &mut _| cohorts(node, duration, around, problems);
    load.cohorts = fields.nested("cohorts", problems, read).unwrap_or_default();
    if fields.get("cohorts").is_some() {
        check_beside_cohorts(&fields, &load, problems);
    }
    Some(load)
}

/// What is around a load: the policies that the file has names for, its `policy`, and other files.
pub(super) struct Around<'a> {
    pub(super) named: &'a [(String, Settings)],
    pub(super) policy: Option<&'a Settings>,
    pub(super) files: &'a Files<'a>,
}

fn population(fields: &Fields<'_>, duration: Option<Duration>, around: &Around<'_>, problems: &mut Problems) -> Load {
    let mut load = Load {
        count: fields.read("count", problems, scalar::count(0, u64::MAX)),
        duration,
        connect_delay: fields.nested("connect_delay", problems, distribution::read),
        ..Load::default()
    };
    load.clients = clients(fields, "clients", problems).unwrap_or(load.clients);
    load.processes = clients(fields, "processes", problems).unwrap_or(load.processes);
    fields.nested("arrivals", problems, |node, problems| arrivals(fields, node, around, problems, &mut load));
    load.after_give_up = fields.nested("after_give_up", problems, after_give_up).unwrap_or_default();
    check(fields, &load, problems);
    load
}

/// Cohorts by the names that the file gives them.
fn cohorts(
    node: &Node,
    duration: Option<Duration>,
    around: &Around<'_>,
    problems: &mut Problems,
) -> Option<Vec<Cohort>> {
    let Value::Table(entries) = &node.value else {
        problems.add(&node.span, format!("cohorts are tables by name, as [load.cohorts.mobile], found {}", node.value));
        return None;
    };
    let mut read = |entry: &Entry| {
        let name = problems.accept(&entry.key_span, scalar::name(&Value::Text(entry.key.clone())))?;
        let fields = Fields::open(&entry.node, &grammar::COHORT, problems)?;
        let load = population(&fields, duration, around, problems);
        let own = match fields.get("policy") {
            Some(entry) => Some(own_policy(&entry.node, around, problems)?),
            None => None,
        };
        Some(Cohort { name, load, own })
    };
    let read: Vec<_> = entries.iter().map(&mut read).collect();
    read.into_iter().collect()
}

/// What a cohort's clients do after a failure. How long they wait is what the file's `policy` says, where theirs says nothing.
fn own_policy(node: &Node, around: &Around<'_>, problems: &mut Problems) -> Option<OwnPolicy> {
    let named = match &node.value {
        Value::Text(name) => around.named.iter().find(|(own, _)| own == name).map(|(_, settings)| settings.clone()),
        _ => None,
    };
    let settings = named.or_else(|| policy::read(node, problems))?;
    let own = OwnPolicy::new(settings.over(around.policy.map(Settings::patience).unwrap_or_default()));
    own.map_err(|errors| errors.into_iter().for_each(|error| problems.add(&node.span, error))).ok()
}

fn clients(fields: &Fields<'_>, key: &str, problems: &mut Problems) -> Option<NonZeroU32> {
    let read = |value: &_| scalar::count(1, grammar::CLIENTS_MAX.into())(value);
    let count = fields.read(key, problems, read)?;
    u32::try_from(count).ok().and_then(NonZeroU32::new)
}

fn arrivals(
    load_fields: &Fields<'_>,
    node: &Node,
    around: &Around<'_>,
    problems: &mut Problems,
    load: &mut Load,
) -> Option<()> {
    let fields = Fields::open(node, &grammar::ARRIVALS, problems)?;
    if let Some(open) = arrivals::read(&fields, around.files, problems) {
        load.arrivals = open;
    }
    fields.nested("closed", problems, |node, problems| {
        let fields = Fields::open(node, &grammar::CLOSED, problems)?;
        load.arrivals = Arrivals::Closed {
            think: fields.nested("think", problems, distribution::read),
            start: fields.nested("start", problems, distribution::read),
        };
        if let (Some(_), Some(entry)) = (load_fields.get("clients"), fields.get("clients")) {
            problems.add(&entry.key_span, "the clients are counted here and in `load`; drop one");
        }
        load.clients = clients(&fields, "clients", problems).unwrap_or(load.clients);
        Some(())
    })
}

fn after_give_up(node: &Node, problems: &mut Problems) -> Option<AfterGiveUp> {
    let fields = Fields::open(node, &grammar::AFTER_GIVE_UP, problems)?;
    let come_back = fields.nested("come_back", problems, distribution::read).map(AfterGiveUp::ComeBack);
    come_back.or_else(|| fields.nested("queue", problems, distribution::read).map(AfterGiveUp::Queue))
}

/// What could never be, or never end.
fn check(fields: &Fields<'_>, load: &Load, problems: &mut Problems) {
    if matches!(load.arrivals, Arrivals::Bursts(_)) && load.count.is_none() && load.duration.is_none() {
        problems.add(
            fields.blame("arrivals"),
            "bursts come again and again, without an end of their own; give the load a `count` or a `duration`",
        );
    }
    if load.after_give_up == AfterGiveUp::Drop {
        return;
    }
    if !load.is_open() {
        problems.add(
            fields.blame("after_give_up"),
            "closed clients make their next call whatever became of the last; with `after_give_up`, arrivals are open",
        );
    } else if load.ends().is_none() {
        problems.add(
            fields.blame("after_give_up"),
            "clients that come back for ever make a load without an end; give the load a `duration`",
        );
    }
}

/// What is said of the whole load, where it is said of each cohort.
fn check_beside_cohorts(fields: &Fields<'_>, load: &Load, problems: &mut Problems) {
    for key in grammar::COHORT.keys.iter().filter(|key| key.name != "policy") {
        if let Some(entry) = fields.get(key.name) {
            let message = format!("a load with cohorts has no `{}` of its own; say it in each cohort", key.name);
            problems.add(&entry.key_span, message);
        }
    }
    if load.cohorts.is_empty() && problems.is_empty() {
        problems.add(
            fields.blame("cohorts"),
            "there is no cohort in here; name one, as [load.cohorts.mobile], or drop the key",
        );
    }
    let clients: u64 = load.cohorts.iter().map(|cohort| u64::from(cohort.load.clients.get())).sum();
    if clients > grammar::CLIENTS_MAX.into() {
        let most = grammar::CLIENTS_MAX;
        problems
            .add(fields.blame("cohorts"), format!("all cohorts together have at most {most} clients, found {clients}"));
    }
}
