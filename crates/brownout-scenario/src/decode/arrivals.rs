//! Arrivals that wait for no answer.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_load::{Arrivals, Bursts, Curve, Segment, Spacing};

use super::{Fields, scalar};
use crate::Files;
use crate::grammar;
use crate::node::{Node, Value};
use crate::problem::Problems;

/// The open one among `fields`, if it is one.
pub(super) fn read(fields: &Fields<'_>, files: &Files<'_>, problems: &mut Problems) -> Option<Arrivals> {
    let constant = fields.nested("constant", problems, |node, problems| at_rate(node, Spacing::Even, problems));
    let poisson = fields.nested("poisson", problems, |node, problems| at_rate(node, Spacing::Random, problems));
    let burst = fields.nested("burst", problems, burst);
    let replay = fields.nested("replay", problems, |node, problems| replay(node, files, problems));
    constant.or(poisson).or(burst).or(replay)
}

/// A rate, or a list of segments of one that changes.
fn at_rate(node: &Node, spacing: Spacing, problems: &mut Problems) -> Option<Arrivals> {
    if let Value::List(nodes) = &node.value {
        let curve = curve(node, nodes, problems)?;
        return Some(Arrivals::Varying { curve, spacing });
    }
    let rate = problems.accept(&node.span, scalar::rate(&node.value))?;
    Some(match spacing {
        Spacing::Even => Arrivals::Constant(rate),
        Spacing::Random => Arrivals::Poisson(rate),
    })
}

fn curve(list: &Node, nodes: &[Node], problems: &mut Problems) -> Option<Curve> {
    let segments: Vec<_> = nodes.iter().map(|node| segment(node, problems)).collect();
    let segments = segments.into_iter().collect::<Option<Vec<_>>>()?;
    let refuse = |error: brownout_load::CurveError| {
        let place = error.segment().map_or(list, |number| &nodes[number - 1]);
        problems.add(&place.span, error);
    };
    Curve::new(&segments).map_err(refuse).ok()
}

fn segment(node: &Node, problems: &mut Problems) -> Option<Segment> {
    let fields = Fields::open(node, &grammar::SEGMENT, problems)?;
    let known = problems.count();
    let lasts = fields.read("for", problems, scalar::duration);
    let mut rate = |key| fields.read(key, problems, scalar::rate_or_zero);
    let (level, from, to) = (rate("rate"), rate("from"), rate("to"));
    if problems.count() > known {
        return None;
    }
    let (from, to) = match (level, from, to) {
        (Some(level), None, None) => (level, level),
        (None, Some(from), Some(to)) => (from, to),
        _ => {
            problems.add(
                &node.span,
                "a segment is a level with a `rate`, or a ramp with `from` and `to`; write one of the two",
            );
            return None;
        }
    };
    Some(Segment { from, to, lasts })
}

fn burst(node: &Node, problems: &mut Problems) -> Option<Arrivals> {
    let fields = Fields::open(node, &grammar::BURST, problems)?;
    let calls = fields.read("calls", problems, scalar::count32(1)).and_then(NonZeroU32::new);
    let every = fields.read("every", problems, scalar::duration);
    let spread = match fields.get("spread") {
        Some(_) => fields.read("spread", problems, scalar::duration)?,
        None => Duration::ZERO,
    };
    problems.accept(&node.span, Bursts::new(calls?, every?, spread)).map(Arrivals::Bursts)
}

fn replay(node: &Node, files: &Files<'_>, problems: &mut Problems) -> Option<Arrivals> {
    let fields = Fields::open(node, &grammar::REPLAY, problems)?;
    let speed = match fields.get("speed") {
        Some(_) => fields.read("speed", problems, scalar::float)?,
        None => 1.0,
    };
    let file = fields.read("file", problems, scalar::text(grammar::FILE_BYTES_MAX))?;
    let moments = problems.accept(fields.blame("file"), files(&file))?;
    problems.accept(&node.span, moments.replay(speed)).map(Arrivals::Replay)
}
