//! The policy, as settings that are known to make one.

use std::time::Duration;

use brownout_policy::{Growth, JitterKind, PRESETS, Policy, PolicyError, Settings, TooLong, preset};

use super::{Fields, did_you_mean, guard, scalar};
use crate::grammar;
use crate::node::{Node, Value};
use crate::problem::Problems;

/// One policy, or several that stand around each other, the one nearest to the service first.
pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Settings> {
    let Value::List(layers) = &node.value else { return one(node, problems) };
    if layers.is_empty() {
        problems.add(&node.span, "a list of policies needs at least one; the first is the one nearest to the service");
        return None;
    }
    let read: Vec<_> = layers.iter().map(|layer| Some((one(layer, problems)?, layer))).collect();
    let mut layers = read.into_iter().collect::<Option<Vec<_>>>()?.into_iter();
    let (innermost, _) = layers.next()?;
    let around: Vec<Settings> = layers
        .inspect(|(settings, layer)| {
            if settings.hedge.is_some() {
                problems.add(&layer.span, PolicyError::HedgeAround);
            }
        })
        .map(|(settings, _)| settings)
        .collect();
    Some(Settings { around, ..innermost })
}

/// A preset by its name, or a table.
fn one(node: &Node, problems: &mut Problems) -> Option<Settings> {
    if let Value::Text(name) = &node.value {
        return named(name, node, problems);
    }
    let before = problems.count();
    let fields = Fields::open(node, &grammar::POLICY, problems)?;
    let settings = settings(&fields, problems);
    let under = fields.nested("preset", problems, |node, problems| match &node.value {
        Value::Text(name) => named(name, node, problems),
        other => {
            problems.add(&node.span, format!("a preset is a name in quotes, found {other}"));
            None
        }
    });
    // Settings that could not be read would look like settings left out, and contradict others that are well.
    if problems.count() > before {
        return None;
    }
    let settings = settings.over(under.unwrap_or_default());
    for error in Policy::new(settings.clone()).err().into_iter().flatten() {
        problems.add(fields.blame(error.setting()), error);
    }
    Some(settings)
}

fn settings(fields: &Fields<'_>, problems: &mut Problems) -> Settings {
    Settings {
        max_retries: fields.read("max_retries", problems, scalar::bound).map(|bound| bound.unwrap_or(u32::MAX)),
        growth: fields.read("backoff", problems, scalar::word(&Growth::NAMES)),
        base_delay: fields.read("base_delay", problems, scalar::duration),
        throttling_base_delay: fields.read("throttling_base_delay", problems, scalar::duration),
        factor: fields.read("factor", problems, scalar::float),
        delays: delays(fields, problems),
        max_delay: fields.read("max_delay", problems, scalar::duration),
        jitter: fields.read("jitter", problems, scalar::word(&JitterKind::NAMES)),
        jitter_ratio: fields.read("jitter_ratio", problems, scalar::probability),
        jitter_width: fields.read("jitter_width", problems, scalar::duration),
        deadline: fields.read("deadline", problems, scalar::duration),
        attempt_timeout: fields.read("attempt_timeout", problems, scalar::duration),
        retry_after: fields.read("retry_after", problems, scalar::pushback),
        retry_after_max: fields.read("retry_after_max", problems, scalar::duration),
        retry_after_over: fields.read("retry_after_over", problems, scalar::word(&TooLong::NAMES)),
        retry_on: fields.read("retry_on", problems, scalar::failures),
        budget: fields.nested("budget", problems, guard::budget),
        breaker: fields.nested("breaker", problems, guard::breaker),
        throttle: fields.nested("throttle", problems, guard::throttle),
        adaptive: fields.nested("adaptive", problems, guard::adaptive),
        concurrency: fields.nested("concurrency", problems, guard::concurrency),
        hedge: fields.nested("hedge", problems, guard::hedge),
        around: Vec::new(),
    }
}

fn named(name: &str, node: &Node, problems: &mut Problems) -> Option<Settings> {
    let found = preset(name);
    if found.is_none() {
        problems.add_with_hint(&node.span, format!("there is no preset `{name}`"), presets(name));
    }
    found
}

/// The preset nearest to `name`, where one is near, and all of them.
pub(crate) fn presets(name: &str) -> String {
    let names = PRESETS.iter().map(|preset| preset.name);
    let all = names.clone().chain(["retry-N", "retry-N-jitter", "budget-P"]).collect::<Vec<_>>().join(", ");
    did_you_mean(name, names, &format!("known presets: {all}"))
}

fn delays(fields: &Fields<'_>, problems: &mut Problems) -> Option<Vec<Duration>> {
    fields.get("delays")?;
    let nodes = fields.list("delays", problems);
    let delays: Vec<_> = nodes.iter().map(|node| problems.accept(&node.span, scalar::duration(&node.value))).collect();
    delays.into_iter().collect()
}
