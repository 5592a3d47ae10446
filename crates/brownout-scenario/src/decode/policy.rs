//! The policy, as settings that are known to make one.

use std::time::Duration;

use brownout_policy::{Growth, JitterKind, Policy, Settings};

use super::{Fields, scalar};
use crate::grammar;
use crate::node::Node;
use crate::problem::Problems;

pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Settings> {
    let before = problems.count();
    let fields = Fields::open(node, &grammar::POLICY, problems)?;
    let settings = Settings {
        max_retries: fields.read("max_retries", problems, scalar::count32(0)),
        growth: fields.read("backoff", problems, scalar::word(&Growth::NAMES)),
        base_delay: fields.read("base_delay", problems, scalar::duration),
        factor: fields.read("factor", problems, scalar::float),
        delays: delays(&fields, problems),
        max_delay: fields.read("max_delay", problems, scalar::duration),
        jitter: fields.read("jitter", problems, scalar::word(&JitterKind::NAMES)),
        jitter_ratio: fields.read("jitter_ratio", problems, scalar::probability),
        deadline: fields.read("deadline", problems, scalar::duration),
        attempt_timeout: fields.read("attempt_timeout", problems, scalar::duration),
        heed_retry_after: fields.read("retry_after", problems, scalar::boolean),
        retry_after_max: fields.read("retry_after_max", problems, scalar::duration),
        retry_on: fields.read("retry_on", problems, scalar::retry_on),
    };
    // Settings that could not be read would look like settings left out, and contradict others that are well.
    if problems.count() > before {
        return None;
    }
    for error in Policy::new(settings.clone()).err().into_iter().flatten() {
        problems.add(fields.blame(error.setting()), error);
    }
    Some(settings)
}

fn delays(fields: &Fields<'_>, problems: &mut Problems) -> Option<Vec<Duration>> {
    fields.get("delays")?;
    let nodes = fields.list("delays", problems);
    let delays: Vec<_> = nodes.iter().map(|node| problems.accept(&node.span, scalar::duration(&node.value))).collect();
    delays.into_iter().collect()
}
