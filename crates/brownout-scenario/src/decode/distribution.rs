//! Distributions: a bare duration is a fixed one, a table names its kind.

use std::time::Duration;

use brownout_draw::{Distribution, Percentiles, Probability};

use super::{Fields, scalar};
use crate::grammar;
use crate::node::{Node, Value};
use crate::problem::Problems;

type Reader = fn(&Node, &mut Problems) -> Option<Distribution>;

pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Distribution> {
    if !matches!(node.value, Value::Table(_)) {
        return problems.accept(&node.span, scalar::duration(&node.value)).map(Distribution::fixed);
    }
    let fields = Fields::open(node, &grammar::DISTRIBUTION, problems)?;
    if let Some(fixed) = fields.read("fixed", problems, scalar::duration) {
        return Some(Distribution::fixed(fixed));
    }
    let shapes: [(&str, Reader); 5] = [
        ("uniform", uniform),
        ("exponential", exponential),
        ("lognormal", lognormal),
        ("percentiles", percentiles),
        ("mix", mix),
    ];
    shapes.into_iter().find_map(|(key, read)| fields.nested(key, problems, read))
}

fn uniform(node: &Node, problems: &mut Problems) -> Option<Distribution> {
    let fields = Fields::open(node, &grammar::UNIFORM, problems)?;
    let min = fields.read("min", problems, scalar::duration);
    let max = fields.read("max", problems, scalar::duration);
    problems.accept(&node.span, Distribution::uniform(min?, max?))
}

fn exponential(node: &Node, problems: &mut Problems) -> Option<Distribution> {
    if !matches!(node.value, Value::Table(_)) {
        let mean = problems.accept(&node.span, scalar::duration(&node.value))?;
        return problems.accept(&node.span, Distribution::exponential(mean, None));
    }
    let fields = Fields::open(node, &grammar::EXPONENTIAL, problems)?;
    let mean = fields.read("mean", problems, scalar::duration);
    let max = max(&fields, problems)?;
    problems.accept(&node.span, Distribution::exponential(mean?, max))
}

fn lognormal(node: &Node, problems: &mut Problems) -> Option<Distribution> {
    let fields = Fields::open(node, &grammar::LOGNORMAL, problems)?;
    let median = fields.read("median", problems, scalar::duration);
    let max = max(&fields, problems)?;
    match (fields.get("p99"), fields.get("sigma")) {
        (Some(_), None) => {
            let p99 = fields.read("p99", problems, scalar::duration)?;
            problems.accept(&node.span, Distribution::lognormal_with_p99(median?, p99, max))
        }
        (None, Some(_)) => {
            let sigma = fields.read("sigma", problems, scalar::float)?;
            problems.accept(&node.span, Distribution::lognormal_with_sigma(median?, sigma, max))
        }
        (given, _) => {
            let found = if given.is_some() { "both" } else { "neither" };
            problems
                .add(&node.span, format!("a lognormal takes its median and one of `p99` and `sigma`, found {found}"));
            None
        }
    }
}

/// The cap, if the file has one; `None` where it cannot be read.
#[expect(clippy::option_option, reason = "what is left out is not what cannot be read")]
fn max(fields: &Fields<'_>, problems: &mut Problems) -> Option<Option<Duration>> {
    match fields.get("max") {
        None => Some(None),
        Some(_) => fields.read("max", problems, scalar::duration).map(Some),
    }
}

fn percentiles(node: &Node, problems: &mut Problems) -> Option<Distribution> {
    let Value::Table(entries) = &node.value else {
        problems
            .add(&node.span, format!("percentiles are a table such as {{ p50 = \"120ms\" }}, found {}", node.value));
        return None;
    };
    let mut points = Vec::new();
    for entry in entries {
        let percent = entry.key.strip_prefix('p').and_then(|digits| format!("{digits}%").parse::<Probability>().ok());
        if matches!(entry.node.value, Value::Table(_)) {
            let message = format!("a percentile has a duration, found a table behind `{}`", entry.key);
            problems.add_with_hint(&entry.key_span, message, "quote a key with a point in it: \"p99.9\"");
            continue;
        }
        let value = problems.accept(&entry.node.span, scalar::duration(&entry.node.value));
        match percent {
            Some(percent) => points.extend(value.map(|value| (percent, value))),
            None => problems.add_with_hint(
                &entry.key_span,
                format!("a percentile is a key from p0 to p100, found `{}`", entry.key),
                "write p50, p99 or \"p99.9\"",
            ),
        }
    }
    if points.len() < entries.len() {
        return None;
    }
    problems.accept(&node.span, Percentiles::new(points)).map(Distribution::percentiles)
}

fn mix(node: &Node, problems: &mut Problems) -> Option<Distribution> {
    let Value::List(nodes) = &node.value else {
        problems.add(&node.span, format!("a mix is a list of parts with `weight` and `of`, found {}", node.value));
        return None;
    };
    let mut part = |node: &Node| {
        let fields = Fields::open(node, &grammar::MIX, problems)?;
        let weight = fields.read("weight", problems, scalar::weight);
        let of = fields.nested("of", problems, read);
        Some((weight?, of?))
    };
    let parts: Vec<_> = nodes.iter().map(&mut part).collect();
    let parts: Option<Vec<_>> = parts.into_iter().collect();
    problems.accept(&node.span, Distribution::mix(parts?))
}
