//! What callers remember from one call to the next: budgets, breakers, limits.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::Probability;
use brownout_policy::{
    Adaptive, AwsCosts, AwsQuota, Breaker, Budget, Concurrency, ConcurrentBudget, DepositOn, Failures, GrpcThrottling,
    Guarded, Hedge, HedgeDelay, IntervalBudget, Scope, Throttle, TokenBudget, Trip, TripWindow, WindowedBudget,
};

use super::{Fields, scalar};
use crate::grammar::{self, Table};
use crate::node::Node;
use crate::problem::Problems;

/// A fifth, as Finagle, Linkerd, Envoy and the Gateway API have it.
const SHARE_PARTS: u32 = Probability::PARTS / 5;
const TEN_SECONDS: Duration = Duration::from_secs(10);

/// The guard in `node`, a `table` of the grammar, whose rule is read by `rule`.
fn guarded<R>(
    node: &Node,
    table: &'static Table,
    problems: &mut Problems,
    rule: impl FnOnce(&Fields<'_>, &mut Problems) -> Option<R>,
) -> Option<Guarded<R>> {
    let before = problems.count();
    let fields = Fields::open(node, table, problems)?;
    let scope = fields.read("scope", problems, scalar::word(&Scope::NAMES)).unwrap_or_default();
    let has_counts = table.keys.iter().any(|key| key.name == "counts");
    let counts = has_counts.then(|| fields.read("counts", problems, scalar::failures)).flatten();
    let rule = rule(&fields, problems);
    // A number that could not be read would look like one left out.
    (problems.count() == before).then_some(())?;
    Some(Guarded { rule: rule?, scope, counts })
}

pub(super) fn budget(node: &Node, problems: &mut Problems) -> Option<Guarded<Budget>> {
    guarded(node, &grammar::BUDGET, problems, |fields, problems| {
        let windowed = ["ratio", "min_per_second", "ttl"].iter().any(|key| fields.get(key).is_some());
        let kinds = ["tokens", "grpc", "aws", "concurrent", "interval"].iter().filter(|key| fields.get(key).is_some());
        let found = kinds.count() + usize::from(windowed);
        if found != 1 {
            problems.add(
                &node.span,
                format!("a budget is of one kind: ratio, tokens, grpc, aws, concurrent or interval, found {found}"),
            );
            return None;
        }
        if windowed {
            let ratio = fields.read("ratio", problems, scalar::float).unwrap_or(0.2);
            let min = fields.read("min_per_second", problems, scalar::count32(0)).unwrap_or(10);
            let ttl = fields.read("ttl", problems, scalar::duration).unwrap_or(TEN_SECONDS);
            return problems.accept(&node.span, WindowedBudget::new(ratio, min, ttl)).map(Budget::Windowed);
        }
        let tokens = fields.nested("tokens", problems, tokens);
        let grpc = fields.nested("grpc", problems, grpc);
        let aws = fields.nested("aws", problems, aws);
        let concurrent = fields.nested("concurrent", problems, concurrent);
        let interval = fields.nested("interval", problems, interval);
        tokens.or(grpc).or(aws).or(concurrent).or(interval)
    })
}

fn tokens(node: &Node, problems: &mut Problems) -> Option<Budget> {
    let fields = Fields::open(node, &grammar::TOKENS, problems)?;
    let capacity = fields.read("capacity", problems, scalar::float)?;
    let deposit = fields.read("deposit", problems, scalar::float)?;
    let on = fields.read("deposit_on", problems, scalar::word(&DepositOn::NAMES)).unwrap_or(DepositOn::Success);
    let cost = fields.read("cost", problems, scalar::float).unwrap_or(1.0);
    let initial = fields.read("initial", problems, scalar::float).unwrap_or(capacity);
    let bucket = TokenBudget::new(capacity, deposit, on)
        .and_then(|bucket| bucket.with_cost(cost))
        .and_then(|bucket| bucket.with_initial(initial));
    problems.accept(&node.span, bucket).map(Budget::Tokens)
}

fn grpc(node: &Node, problems: &mut Problems) -> Option<Budget> {
    let fields = Fields::open(node, &grammar::GRPC, problems)?;
    let max = fields.read("max_tokens", problems, scalar::count32(1))?;
    let ratio = fields.read("token_ratio", problems, scalar::float)?;
    problems.accept(&node.span, GrpcThrottling::new(max, ratio)).map(Budget::Grpc)
}

fn aws(node: &Node, problems: &mut Problems) -> Option<Budget> {
    let fields = Fields::open(node, &grammar::AWS, problems)?;
    let default = AwsCosts::V2_1;
    let mut cost = |key, default| fields.read(key, problems, scalar::count32(1)).unwrap_or(default);
    let capacity = cost("capacity", 500);
    let costs = AwsCosts {
        retry: cost("retry_cost", default.retry),
        timeout: cost("timeout_cost", default.timeout),
        throttling: cost("throttling_cost", default.throttling),
    };
    problems.accept(&node.span, AwsQuota::new(capacity, costs)).map(Budget::Aws)
}

fn concurrent(node: &Node, problems: &mut Problems) -> Option<Budget> {
    let fields = Fields::open(node, &grammar::CONCURRENT, problems)?;
    let min = fields.read("min", problems, scalar::count32(0)).unwrap_or(3);
    Some(Budget::Concurrent(ConcurrentBudget { ratio: share(&fields, problems), min }))
}

fn interval(node: &Node, problems: &mut Problems) -> Option<Budget> {
    let fields = Fields::open(node, &grammar::INTERVAL, problems)?;
    let interval = fields.read("interval", problems, scalar::duration).unwrap_or(TEN_SECONDS);
    let min = fields.read("min_retries", problems, scalar::count32(0)).unwrap_or(10);
    let min_interval = fields.read("min_interval", problems, scalar::duration).unwrap_or(Duration::from_secs(1));
    let budget = IntervalBudget::new(share(&fields, problems), interval, min, min_interval);
    problems.accept(&node.span, budget).map(Budget::Interval)
}

fn share(fields: &Fields<'_>, problems: &mut Problems) -> Probability {
    let share = fields.read("ratio", problems, scalar::probability);
    share.or(Probability::from_parts(SHARE_PARTS)).unwrap_or(Probability::ZERO)
}

pub(super) fn breaker(node: &Node, problems: &mut Problems) -> Option<Guarded<Breaker>> {
    guarded(node, &grammar::BREAKER, problems, |fields, problems| {
        let consecutive = count(fields, "consecutive", problems);
        let ratio = fields.read("failure_ratio", problems, scalar::probability);
        let time = fields.read("window", problems, scalar::duration).map(TripWindow::Time);
        let calls = count(fields, "window_calls", problems).map(TripWindow::Count);
        let min_calls = count(fields, "min_calls", problems);
        let trip = match (consecutive, ratio, time.or(calls)) {
            (Some(consecutive), None, None) if min_calls.is_none() => Trip::Consecutive(consecutive),
            (None, Some(ratio), Some(window)) if time.is_none() || calls.is_none() => {
                let fits = |calls: NonZeroU32| match window {
                    TripWindow::Count(window) => calls.min(window),
                    TripWindow::Time(_) => calls,
                };
                Trip::Ratio { ratio, window, min_calls: min_calls.unwrap_or_else(|| fits(TEN)) }
            }
            _ => {
                let rule = "a breaker opens after `consecutive` failures, or at a `failure_ratio` over a `window` (a duration) or \
                            `window_calls`; give one of the two";
                problems.add(&node.span, rule);
                return None;
            }
        };
        let open_for = fields.read("open_for", problems, scalar::duration)?;
        let half_open = count(fields, "half_open_calls", problems).unwrap_or(NonZeroU32::MIN);
        problems.accept(&node.span, Breaker::new(trip, open_for, half_open))
    })
}

const TEN: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");

pub(super) fn throttle(node: &Node, problems: &mut Problems) -> Option<Guarded<Throttle>> {
    let mut guard = guarded(node, &grammar::THROTTLE, problems, |fields, problems| {
        let k = fields.read("k", problems, scalar::float).unwrap_or(2.0);
        let window = fields.read("window", problems, scalar::duration).unwrap_or(Duration::from_secs(120));
        problems.accept(&node.span, Throttle::new(k, window))
    })?;
    let refusals = || Failures::new(["429", "503", "transport"]).expect("these are failures");
    guard.counts.get_or_insert_with(refusals);
    Some(guard)
}

pub(super) fn adaptive(node: &Node, problems: &mut Problems) -> Option<Guarded<Adaptive>> {
    guarded(node, &grammar::ADAPTIVE, problems, |_, _| Some(Adaptive))
}

pub(super) fn concurrency(node: &Node, problems: &mut Problems) -> Option<Guarded<Concurrency>> {
    guarded(node, &grammar::CONCURRENCY, problems, |fields, problems| {
        Some(Concurrency { limit: count(fields, "limit", problems)? })
    })
}

pub(super) fn hedge(node: &Node, problems: &mut Problems) -> Option<Guarded<Hedge>> {
    guarded(node, &grammar::HEDGE, problems, |fields, problems| {
        let after = fields.read("after", problems, scalar::duration);
        let quantile = fields.read("quantile", problems, scalar::probability);
        let initial = fields.read("initial", problems, scalar::duration);
        let delay = match (after, quantile, initial) {
            (Some(after), None, None) => HedgeDelay::Fixed(after),
            (None, Some(q), Some(initial)) => HedgeDelay::Quantile { q, initial },
            _ => {
                let rule = "a hedge is sent `after` a duration, or at a `quantile` with an `initial` guess of it; give one of the two";
                problems.add(&node.span, rule);
                return None;
            }
        };
        let max = count(fields, "max", problems).unwrap_or(NonZeroU32::MIN);
        problems.accept(&node.span, Hedge::new(delay, max))
    })
}

fn count(fields: &Fields<'_>, key: &str, problems: &mut Problems) -> Option<NonZeroU32> {
    fields.read(key, problems, scalar::count32(1)).and_then(NonZeroU32::new)
}
