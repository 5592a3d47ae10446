//! The delays of a policy by themselves.

use brownout_policy::Growth;

use super::case::Case;
use super::finding::{About, Finding, Rule, counted, time};

/// Delays without chance, where several callers can fail together.
pub(super) fn no_jitter(case: &Case<'_>) -> Option<Finding> {
    let policy = &case.policy;
    let shown = case.retries().min(SHOWN_MAX);
    let delays: Vec<String> = (1..=shown).map(|n| time(policy.delay_before(n))).collect();
    let waits = (1..=shown).any(|n| !policy.delay_before(n).is_zero());
    if policy.uses_chance() || !waits || !case.has_crowd() {
        return None;
    }
    let more = if shown < case.retries() { ", …" } else { "" };
    let retries = counted(case.retries(), "retry waits", "retries wait");
    Some(
        Finding::of(Rule::NoJitter, About::Policy("jitter"))
            .what(format!("{retries} {}{more}, without jitter", delays.join(", ")))
            .so("callers that failed at one moment come back at one moment, at every retry")
            .mend("`jitter = \"full\"`"),
    )
}

/// As many delays as are worth reading.
const SHOWN_MAX: u32 = 4;

/// Delays that get shorter. A factor below 1 and a cap below the first delay are refused when they are read, so only a list
/// can do it.
pub(super) fn shrink(case: &Case<'_>) -> Option<Finding> {
    let delays = case.settings.delays.as_ref()?;
    let made = usize::try_from(case.retries()).unwrap_or(usize::MAX);
    let pair = delays.windows(2).take(made.saturating_sub(1)).find(|pair| pair[1] < pair[0])?;
    Some(
        Finding::of(Rule::DelaysShrink, About::Policy("delays"))
            .what(format!("a delay of {} follows one of {}", time(pair[1]), time(pair[0])))
            .so("the longer a service is in trouble, the more often it is asked")
            .mend("delays that grow")
            .seconds("earlier_s", pair[0])
            .seconds("later_s", pair[1]),
    )
}

/// From so many retries on, equal delays are many.
const MANY: u32 = 5;

/// Many retries after equal delays, and nothing else that would hold them back.
pub(super) fn never_grow(case: &Case<'_>) -> Option<Finding> {
    let (policy, retries) = (&case.policy, case.retries());
    let held_back = policy.budget().is_some() || policy.breaker().is_some() || policy.throttle().is_some();
    let [first, last] = [1, retries.min(1000)].map(|n| policy.delay_before(n));
    if retries < MANY || policy.is_decorrelated() || held_back || first != last {
        return None;
    }
    let delay = if first.is_zero() { "at once".to_owned() } else { format!("after {}", time(first)) };
    let (key, mend) = if case.settings.delays.is_some() {
        ("delays", "delays that grow")
    } else if first.is_zero() {
        ("base_delay", "a `base_delay` above zero, with `jitter = \"full\"`")
    } else if case.settings.growth == Some(Growth::Constant) {
        ("backoff", "`backoff = \"exponential\"`")
    } else if case.settings.factor.is_some_and(|factor| factor <= 1.0) {
        ("factor", "a `factor` of 2")
    } else {
        ("max_delay", "a larger `max_delay`")
    };
    Some(
        Finding::of(Rule::DelaysNeverGrow, About::Policy(key))
            .what(format!("{} come, each {delay}", counted(retries, "retry", "retries")))
            .so("a service in trouble is asked as often at the end as at the beginning")
            .mend(mend)
            .number("retries", retries)
            .seconds("delay_s", first),
    )
}
