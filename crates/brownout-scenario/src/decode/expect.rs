//! What a run is expected to come to.

use brownout_load::{Expectations, Measure};

use super::{Fields, scalar};
use crate::expect::bound;
use crate::grammar;
use crate::node::{Node, Value};
use crate::problem::Problems;

pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Expectations> {
    let fields = Fields::open(node, &grammar::EXPECT, problems)?;
    let expected = |measure: Measure| {
        move |value: &Value| match value {
            Value::Text(text) => bound(measure, text).map_err(|error| error.to_string()),
            other => Err(format!("an expectation is text such as \"<= 300ms\" or \">= 99%\", found {other}")),
        }
    };
    let all =
        Measure::NAMES.iter().filter_map(|(name, measure)| fields.read(name, problems, expected(*measure))).collect();
    let missed = fields.read("verdict", problems, scalar::word(&grammar::VERDICTS)).unwrap_or_default();
    let expectations = Expectations { all, missed };
    if expectations.is_empty() && problems.is_empty() {
        problems.add(&node.span, "nothing is expected in here; say what, as p99 = \"<= 300ms\", or drop the table");
    }
    Some(expectations)
}
