//! The load.

use std::num::NonZeroU32;

use brownout_load::{AfterGiveUp, Arrivals, Load};

use super::{Fields, distribution, scalar};
use crate::grammar;
use crate::node::Node;
use crate::problem::Problems;

pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Load> {
    let fields = Fields::open(node, &grammar::LOAD, problems)?;
    let mut load = Load {
        count: fields.read("count", problems, scalar::count(0, u64::MAX)),
        duration: fields.read("duration", problems, scalar::duration),
        connect_delay: fields.nested("connect_delay", problems, distribution::read),
        ..Load::default()
    };
    load.request = fields.read("request", problems, scalar::request_line).unwrap_or(load.request);
    load.clients = clients(&fields, "clients", problems).unwrap_or(load.clients);
    load.processes = clients(&fields, "processes", problems).unwrap_or(load.processes);
    fields.nested("arrivals", problems, |node, problems| arrivals(&fields, node, problems, &mut load));
    load.after_give_up = fields.nested("after_give_up", problems, after_give_up).unwrap_or_default();
    check(&fields, &load, problems);
    Some(load)
}

fn clients(fields: &Fields<'_>, key: &str, problems: &mut Problems) -> Option<NonZeroU32> {
    let read = |value: &_| scalar::count(1, grammar::CLIENTS_MAX.into())(value);
    let count = fields.read(key, problems, read)?;
    u32::try_from(count).ok().and_then(NonZeroU32::new)
}

fn arrivals(load_fields: &Fields<'_>, node: &Node, problems: &mut Problems, load: &mut Load) -> Option<()> {
    let fields = Fields::open(node, &grammar::ARRIVALS, problems)?;
    if let Some(rate) = fields.read("constant", problems, scalar::rate) {
        load.arrivals = Arrivals::Constant(rate);
    }
    if let Some(rate) = fields.read("poisson", problems, scalar::rate) {
        load.arrivals = Arrivals::Poisson(rate);
    }
    fields.nested("closed", problems, |node, problems| {
        let fields = Fields::open(node, &grammar::CLOSED, problems)?;
        load.arrivals = Arrivals::Closed { think: fields.nested("think", problems, distribution::read) };
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
    if load.after_give_up == AfterGiveUp::Drop {
        return;
    }
    if !load.is_open() {
        problems.add(
            fields.blame("after_give_up"),
            "closed clients make their next call whatever became of the last; with `after_give_up`, arrivals are open",
        );
    } else if load.duration.is_none() {
        problems.add(
            fields.blame("after_give_up"),
            "clients that come back for ever make a load without an end; give the load a `duration`",
        );
    }
}
