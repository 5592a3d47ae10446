//! Limits on what each caller gets.

use std::num::{NonZeroU32, NonZeroU64};

use brownout_draw::nanos;
use brownout_service::{
    Concurrency, Cost, FixedWindow, HintForm, Limit, LimitRule, Pattern, QuotaFields, RetryAfter, RetryAfterWait,
    SlidingWindow, Slope, TokenBucket,
};

use super::{Fields, distribution, scalar};
use crate::grammar;
use crate::node::{Entry, Node, Value};
use crate::problem::Problems;

/// Every request asks each of them.
const LIMITS_MAX: usize = 100;

/// How long the body of a refusal may be: the file holds it, and every refusal carries it.
const BODY_BYTES_MAX: usize = 64 << 10;

/// The limits of a service and their nodes: the one of `rate_limit`, or those of `rate_limits`.
pub(super) fn read<'n>(service: &Fields<'n>, problems: &mut Problems) -> (Vec<Limit>, Vec<&'n Node>) {
    let (one, several) = (service.get("rate_limit"), service.list("rate_limits", problems));
    if let (Some(_), Some(entry)) = (one, service.get("rate_limits")) {
        problems
            .add(&entry.key_span, "one limit is a `rate_limit`, several are `rate_limits`, found both; move it there");
    }
    if several.len() > LIMITS_MAX {
        let message = format!("a service has at most {LIMITS_MAX} limits, found {}", several.len());
        problems.add(service.blame("rate_limits"), message);
        return (Vec::new(), Vec::new());
    }
    let nodes: Vec<_> = one.map(|entry| &entry.node).into_iter().chain(several).collect();
    let mut limits: Vec<Limit> = Vec::new();
    for node in &nodes {
        if let Some((mut limit, named)) = limit(node, problems) {
            let same = limits.iter().filter(|other| other.rule.kind() == limit.rule.kind()).count();
            if !named && same > 0 {
                limit.name = format!("{}-{}", limit.name, same + 1);
            }
            limits.push(limit);
        }
    }
    (limits, nodes)
}

/// A limit, and whether the file gives it its name.
fn limit(node: &Node, problems: &mut Problems) -> Option<(Limit, bool)> {
    let fields = Fields::open(node, &grammar::LIMIT, problems)?;
    let given: Vec<&Entry> = KINDS.iter().filter_map(|kind| fields.get(kind)).collect();
    if given.len() != 1 {
        let message = format!("a limit takes exactly one of {}, found {}", KINDS.join(", "), given.len());
        problems.add(given.get(1).map_or(&node.span, |second| &second.key_span), message);
    }
    let rule = given.first().and_then(|kind| rule(&kind.key, &kind.node, problems));
    let name = fields.read("name", problems, scalar::name);
    let mut limit = Limit::new(rule?);
    let named = name.is_some();
    limit.name = name.unwrap_or(limit.name);
    limit.key = fields.read("key", problems, scalar::limit_key).unwrap_or(limit.key);
    limit.only = fields.read("match", problems, scalar::parsed);
    limit.cost = fields.nested("cost", problems, cost).unwrap_or(limit.cost);
    limit.costs = fields.list("costs", problems).iter().filter_map(|node| part(node, problems)).collect();
    limit.status = fields.read("status", problems, scalar::refusal).unwrap_or(limit.status);
    limit.body = fields.read("body", problems, scalar::text(BODY_BYTES_MAX)).map_or(limit.body, Into::into);
    limit.retry_after = RetryAfter {
        wait: fields.read("retry_after", problems, scalar::retry_after).unwrap_or_default(),
        form: fields.read("retry_after_form", problems, scalar::word(&HintForm::NAMES)).unwrap_or_default(),
    };
    if let (RetryAfterWait::Never, Some(entry)) = (limit.retry_after.wait, fields.get("retry_after_form")) {
        problems.add(&entry.key_span, "a Retry-After that is never sent has no form; drop one of the two");
    }
    limit.fields = fields.read("headers", problems, scalar::word(&QuotaFields::NAMES)).unwrap_or_default();
    Some((limit, named))
}

const KINDS: [&str; 5] = ["token_bucket", "fixed_window", "sliding_window", "concurrency", "slope"];

fn rule(kind: &str, node: &Node, problems: &mut Problems) -> Option<LimitRule> {
    match kind {
        "token_bucket" => {
            let fields = Fields::open(node, &grammar::TOKEN_BUCKET, problems)?;
            let refill = fields.read("rate", problems, scalar::refill);
            let burst = fields.read("burst", problems, scalar::units);
            Some(LimitRule::TokenBucket(TokenBucket { refill: refill?, burst: burst? }))
        }
        "fixed_window" => {
            let (count, window_ns) = counted(node, &grammar::FIXED_WINDOW, problems)?;
            Some(LimitRule::FixedWindow(FixedWindow { count, window_ns }))
        }
        "sliding_window" => {
            let (count, window_ns) = counted(node, &grammar::SLIDING_WINDOW, problems)?;
            Some(LimitRule::SlidingWindow(SlidingWindow { count, window_ns }))
        }
        "concurrency" => {
            let count = problems.accept(&node.span, scalar::count32(1)(&node.value))?;
            NonZeroU32::new(count).map(|count| LimitRule::Concurrency(Concurrency(count)))
        }
        _ => {
            let fields = Fields::open(node, &grammar::SLOPE, problems)?;
            let factor = fields.read("factor", problems, scalar::units);
            let min = fields.read("min", problems, scalar::units);
            let window_ns = window(&fields, problems);
            Some(LimitRule::Slope(Slope { factor: factor?, window_ns: window_ns?, min: min? }))
        }
    }
}

fn counted(node: &Node, table: &'static grammar::Table, problems: &mut Problems) -> Option<(NonZeroU64, NonZeroU64)> {
    let fields = Fields::open(node, table, problems)?;
    let count = fields.read("count", problems, scalar::units);
    let window = window(&fields, problems);
    Some((count?, window?))
}

fn window(fields: &Fields<'_>, problems: &mut Problems) -> Option<NonZeroU64> {
    let window = fields.read("window", problems, scalar::duration)?;
    let nonzero = NonZeroU64::new(nanos(window));
    nonzero.or_else(|| {
        problems.add(fields.blame("window"), "a window lasts longer than no time, found 0; write \"1m\"");
        None
    })
}

/// What some requests cost.
fn part(node: &Node, problems: &mut Problems) -> Option<(Pattern, Cost)> {
    let fields = Fields::open(node, &grammar::COST, problems)?;
    let pattern = fields.read("match", problems, scalar::parsed);
    let cost = fields.nested("cost", problems, cost);
    Some((pattern?, cost?))
}

/// A number of units, or a distribution of them: that of durations, in which a second is a unit.
fn cost(node: &Node, problems: &mut Problems) -> Option<Cost> {
    if !matches!(node.value, Value::Table(_)) {
        return problems.accept(&node.span, scalar::cost(&node.value)).map(Cost::Fixed);
    }
    if let Some(text) = first_text(node) {
        problems.add(&text.span, format!("a cost counts units, not time, found {}; write a bare number", text.value));
        return None;
    }
    distribution::read(node, problems).map(Cost::Drawn)
}

/// The first text in a table or list.
fn first_text(node: &Node) -> Option<&Node> {
    match &node.value {
        Value::Text(_) => Some(node),
        Value::List(nodes) => nodes.iter().find_map(first_text),
        Value::Table(entries) => entries.iter().find_map(|entry| first_text(&entry.node)),
        _ => None,
    }
}
