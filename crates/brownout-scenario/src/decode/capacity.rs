//! What a service can do at once.

use std::num::NonZeroU32;

use brownout_service::{Abandoned, Capacity, Order, Queue, Shed};

use super::{Fields, distribution, scalar};
use crate::grammar;
use crate::node::{Node, Value};
use crate::problem::Problems;

pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Capacity> {
    let fields = Fields::open(node, &grammar::CAPACITY, problems)?;
    let workers = fields.read("workers", problems, scalar::count32(1)).and_then(NonZeroU32::new);
    let service_time = fields.nested("service_time", problems, distribution::read);
    let queue = fields.nested("queue", problems, queue).unwrap_or_default();
    let shed = fields.nested("shed", problems, shed).unwrap_or_default();
    let abandoned = fields.read("abandoned", problems, scalar::word(&Abandoned::NAMES));
    let abandoned = abandoned.unwrap_or(Abandoned::KeepWorking);
    Some(Capacity { workers: workers?, service_time: service_time?, queue, shed, abandoned })
}

fn queue(node: &Node, problems: &mut Problems) -> Option<Queue> {
    let fields = Fields::open(node, &grammar::QUEUE, problems)?;
    let default = Queue::default();
    Some(Queue {
        length: fields.read("length", problems, scalar::bound).unwrap_or(default.length),
        order: fields.read("order", problems, scalar::word(&Order::NAMES)).unwrap_or(default.order),
        patience: fields.nested("max_wait", problems, distribution::read),
    })
}

fn shed(node: &Node, problems: &mut Problems) -> Option<Shed> {
    if !matches!(node.value, Value::Table(_)) {
        let word = scalar::word(&[("silent", Shed::Silent)])(&node.value);
        let rule = |_| format!("shed is \"silent\" or a table such as {{ status = 503 }}, found {}", node.value);
        return problems.accept(&node.span, word.map_err(rule));
    }
    let fields = Fields::open(node, &grammar::SHED, problems)?;
    Some(Shed::Answer {
        status: fields.read("status", problems, scalar::refusal).unwrap_or(503),
        retry_after: fields.read("retry_after", problems, scalar::duration),
    })
}
