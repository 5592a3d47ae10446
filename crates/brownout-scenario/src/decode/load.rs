//! The load.

use std::num::NonZeroU32;

use brownout_load::Load;

use super::{Fields, distribution, scalar};
use crate::grammar;
use crate::node::Node;
use crate::problem::Problems;

pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Load> {
    let fields = Fields::open(node, &grammar::LOAD, problems)?;
    let mut load = Load::default();
    load.count = fields.read("count", problems, scalar::count(0, u64::MAX)).unwrap_or(load.count);
    load.request = fields.read("request", problems, scalar::request_line).unwrap_or(load.request);
    fields.nested("arrivals", problems, |node, problems| {
        let arrivals = Fields::open(node, &grammar::ARRIVALS, problems)?;
        arrivals.nested("closed", problems, |node, problems| closed(node, problems, &mut load))
    });
    Some(load)
}

fn closed(node: &Node, problems: &mut Problems, load: &mut Load) -> Option<()> {
    let fields = Fields::open(node, &grammar::CLOSED, problems)?;
    let clients = fields.read("clients", problems, scalar::count32(1)).and_then(NonZeroU32::new);
    load.clients = clients.unwrap_or(load.clients);
    load.think = fields.nested("think", problems, distribution::read);
    Some(())
}
