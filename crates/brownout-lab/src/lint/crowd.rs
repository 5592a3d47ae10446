//! What all callers together do to the service.

use std::time::Duration;

use brownout_load::{Load, Rate};
use brownout_policy::{Budget, Failures, Grants, Luck, Scope};
use brownout_service::{Abandoned, Capacity, Order};

use super::case::{Case, Pressure, TIMED_OUT, work_each};
use super::finding::{About, Finding, Rule, counted, number, percent, time};

/// A queue that keeps requests for longer than their callers wait.
pub(super) fn queue(case: &Case<'_>) -> Option<Finding> {
    let capacity = case.capacity().filter(|capacity| capacity.abandoned == Abandoned::KeepWorking)?;
    // Where the work alone takes longer, no queue is short enough: that is for the rule on timeouts to say.
    let works_in_time = |patience: &Duration| capacity.service_time.mean() < *patience;
    let patience = case.policy.allowance(Duration::ZERO).filter(works_in_time)?;
    if !outlasts(capacity, patience) || !can_fill(case, capacity, patience) {
        return None;
    }
    let (what, wait) = match (Case::queue_wait(capacity), capacity.queue.length) {
        (None, _) => ("a queue without bound".to_owned(), f64::INFINITY),
        (Some(wait), Some(length)) => {
            (format!("a full queue of {length} is {} of work", time(wait)), wait.as_secs_f64())
        }
        (Some(wait), None) => (format!("requests wait for up to {} in the queue", time(wait)), wait.as_secs_f64()),
    };
    let room = patience.saturating_sub(capacity.service_time.mean()).as_secs_f64() / work_each(capacity);
    let finding = Finding::of(Rule::QueueOutlastsCallers, About::Scenario("service.capacity.queue.length"))
        .what(format!("{what}, and callers wait for {}", time(patience)))
        .so("while it is full, the service works for callers that have gone, and answers nobody in time")
        .mend(format!(
            "`length = {}`, so that who is let in is served in time; or `order = \"lifo\"`, or `abandoned = \"drop_waiting\"`",
            room.floor()
        ))
        .seconds("patience_s", patience);
    Some(if wait.is_finite() { finding.number("queue_s", wait) } else { finding })
}

/// Whether a request can be let in and then not be served within `patience`, in order of arrival.
fn outlasts(capacity: &Capacity, patience: Duration) -> bool {
    let wait = Case::queue_wait(capacity);
    let served = wait.map(|wait| wait.saturating_add(capacity.service_time.mean()));
    capacity.queue.order == Order::Fifo && served.is_none_or(|served| patience < served)
}

/// Whether callers that all run into their timeout ask for more than the service does. Open arrivals can pile up in any case.
fn can_fill(case: &Case<'_>, capacity: &Capacity, patience: Duration) -> bool {
    case.load.is_none_or(|load| {
        let again = f64::from(load.population().clients) / patience.as_secs_f64();
        load.is_open() || again * work_each(capacity) > 1.0
    })
}

/// Retries that can keep the service overloaded after the cause has gone.
pub(super) fn storm(case: &Case<'_>) -> Option<Finding> {
    let (load, capacity, pressure) = (case.load?, case.capacity()?, case.pressure()?);
    let timeout = case.policy.attempt_timeout()?;
    let retried = case.retries() > 0 && case.policy.retries(&TIMED_OUT);
    if !retried || !outlasts(capacity, timeout) || stops_asking(case) {
        return None;
    }
    let attempts = attempts_while_failing(case, load, pressure, timeout, |grants| grants.failing);
    let asked = pressure.utilisation * attempts;
    if asked <= 1.0 || attempts <= 1.0 {
        return None;
    }
    let Pressure { rate, utilisation } = pressure;
    let tenth = utilisation * 1.1;
    let mend = if tenth < 1.0 {
        format!("a budget: with `budget = {{ ratio = 0.1, min_per_second = 0 }}` it is {}", number(tenth))
    } else {
        "a budget that successes fill (`tokens`), and load that leaves room for its retries".to_owned()
    };
    let mean = time(capacity.service_time.mean());
    let many = if attempts < f64::from(u32::MAX) {
        format!("{} attempts a call {}", number(attempts), number(asked))
    } else {
        "attempts without bound more than all of it".to_owned()
    };
    Some(
        Finding::of(Rule::RetryStorm, About::Policy("max_retries"))
            .what(format!(
                "{}/s of {mean} on {} take {} of the capacity, and {many}",
                number(rate),
                counted(capacity.workers.get(), "worker", "workers"),
                number(utilisation),
            ))
            .so(
                "above 1, a service that has fallen behind stays behind: attempts time out and are made again faster than it \
                 answers, long after the cause has gone",
            )
            .mend(mend)
            .number("utilisation", utilisation)
            .number("attempts_per_call", attempts)
            .number("product", asked),
    )
}

/// What callers can ask of the service at the worst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct WorstCase {
    /// Of the capacity, what first tries take; `None` where there is no capacity, or no rate.
    pub(crate) utilisation: Option<f64>,
    /// Attempts a call, drawn failures aside, while nothing is overloaded.
    pub(crate) attempts_at_ease: f64,
    /// Attempts a call while they fail.
    pub(crate) attempts_failing: f64,
    /// Whether something counts timeouts and then sends less than that.
    pub(crate) stops_asking: bool,
}

/// What the callers of this case come to in the best and in the worst of states.
pub(super) fn worst_case(case: &Case<'_>) -> Option<WorstCase> {
    let (load, service) = (case.load?, case.service?);
    let timeout = case.policy.allowance(Duration::ZERO).unwrap_or(NO_TIMEOUT);
    let pressure = case.pressure();
    let rate = load.arrivals.rate()?.get();
    let bounded = pressure.unwrap_or(Pressure { rate, utilisation: 0.0 });
    Some(WorstCase {
        utilisation: pressure.map(|pressure| pressure.utilisation),
        attempts_at_ease: case.attempts_at_ease(service),
        // Where only successes earn, a service that still answers some calls is asked for most.
        attempts_failing: attempts_while_failing(case, load, bounded, timeout, |grants| {
            grants.failing.max(grants.share)
        }),
        stops_asking: stops_asking(case),
    })
}

/// What a caller without a timeout is taken to wait, where a rate of attempts is needed.
const NO_TIMEOUT: Duration = Duration::from_secs(1);

/// Whether something counts timeouts and then sends less, first tries included.
fn stops_asking(case: &Case<'_>) -> bool {
    case.policy.breaker().is_some_and(|guard| counts_timeouts(guard.counts.as_ref()))
        || case.policy.throttle().is_some_and(|guard| counts_timeouts(guard.counts.as_ref()))
}

/// Attempts of a call while every one of them times out, in the long run: what is left of a bucket at the start is spent by then.
///
/// `earned` is what a budget lets through a call, beside what it lets through a second.
fn attempts_while_failing(
    case: &Case<'_>,
    load: &Load,
    pressure: Pressure,
    timeout: Duration,
    earned: fn(&Grants) -> f64,
) -> f64 {
    let own = f64::from(case.policy.course(&TIMED_OUT, timeout, Luck::Mean).attempts);
    let copies = case.policy.hedge().map_or(0, |hedge| hedge.rule.max().get());
    let mut attempts = own + f64::from(copies);
    // Attempts a second of a limit on what is in flight, each holding its place for a whole timeout.
    let held = |count: u32, scope| f64::from(count) * memories(load, scope) / timeout.as_secs_f64() / pressure.rate;
    if let Some(guard) = case.policy.budget().filter(|guard| counts_timeouts(guard.counts.as_ref())) {
        let grants = guard.rule.grants();
        let least = match guard.rule {
            Budget::Concurrent(rule) => held(rule.min, guard.scope),
            _ => grants.per_second * memories(load, guard.scope) / pressure.rate,
        };
        attempts = attempts.min(1.0 + earned(&grants) + least);
    }
    if let Some(guard) = case.policy.concurrency() {
        attempts = attempts.min(held(guard.rule.limit.get(), guard.scope));
    }
    attempts
}

fn counts_timeouts(counts: Option<&Failures>) -> bool {
    counts.is_none_or(|counts| counts.includes(&TIMED_OUT))
}

fn memories(load: &Load, scope: Scope) -> f64 {
    f64::from(Case::memories(load, scope).get())
}

/// Nothing that bounds what all calls add, where it cannot be computed whether that matters.
pub(super) fn no_budget(case: &Case<'_>) -> Option<Finding> {
    let unknown = case.service.is_none() || (case.capacity().is_some() && case.load.is_none());
    let policy = &case.policy;
    let bounded = policy.budget().is_some() || policy.breaker().is_some() || policy.throttle().is_some();
    if !unknown || bounded || case.retries() == 0 || !case.has_crowd() {
        return None;
    }
    // Those of all layers.
    let (what, times) = match policy.attempts_max() {
        None => ("a call is made again without bound".to_owned(), "ever more of".to_owned()),
        Some(most) => (format!("a call makes up to {most} attempts"), format!("{most} times")),
    };
    Some(
        Finding::of(Rule::NoBudget, About::Policy("budget"))
            .what(format!("{what}, and no budget, breaker or throttle bounds those of all calls together"))
            .so(format!("a service that fails is sent {times} the load that made it fail"))
            .mend("`budget = { ratio = 0.1, min_per_second = 1 }`: retries are a tenth of the calls and one a second")
            .number("retries", case.retries()),
    )
}

/// A budget that so many have each that its percentage means little.
pub(super) fn budget_per_client(case: &Case<'_>) -> Option<Finding> {
    let (load, guard) = (case.load?, case.policy.budget()?);
    let (grants, memories) = (guard.rule.grants(), memories(load, guard.scope));
    if matches!(guard.rule, Budget::Concurrent(_)) || memories <= 1.0 || case.retries() == 0 {
        return None;
    }
    let sharers = if guard.scope == Scope::Process { "processes" } else { "clients" };
    let who = format!("{} {sharers}", number(memories));
    let rate = load.arrivals.rate().map(Rate::get);
    let retries = f64::from(case.retries());
    // Worth a word where it at least doubles what the percentage says, and is more than a few in a hundred.
    let much = |extra: f64| extra.min(retries) > grants.share.max(0.05);
    let finding = Finding::of(Rule::BudgetPerClient, About::Policy("budget"));
    let mend = "`scope = \"process\"` or `\"fleet\"`, where callers can share one";
    if grants.per_second > 0.0 {
        let (rate, together) = (rate?, grants.per_second * memories);
        return much(together / rate).then(|| {
            finding
                .what(format!(
                    "{who} may each retry {} a second beside the {} of their calls: {}/s together, with calls at {}/s",
                    number(grants.per_second),
                    percent(grants.share),
                    number(together),
                    number(rate)
                ))
                .so(format!(
                    "retries may be {} of the calls, not {}",
                    percent((together / rate).min(retries)),
                    percent(grants.share)
                ))
                .mend(format!("{mend}, or `min_per_second = 0`"))
                .number("retries_per_call", together / rate)
                .number("share", grants.share)
        });
    }
    let calls = calls(load).filter(|calls| *calls > 0.0)? / memories;
    let extra = f64::from(grants.at_once) / calls;
    much(extra).then(|| {
        finding
            .what(format!(
                "{who} start with {} each and make {} calls each: {} retries a call beside the {} that they earn",
                counted(grants.at_once, "retry", "retries"),
                number(calls),
                number(extra),
                percent(grants.share)
            ))
            .so(format!(
                "in an outage they may make {} retries before the budget binds: up to {} attempts a call",
                number(f64::from(grants.at_once) * memories),
                number(1.0 + (extra + grants.failing).min(retries))
            ))
            .mend(format!("{mend}, or a smaller bucket"))
            .number("retries_per_call", extra)
            .number("calls_per_memory", calls)
            .number("share", grants.share)
    })
}

/// How many calls a load makes.
#[expect(clippy::cast_precision_loss, reason = "a count of calls for a ratio")]
fn calls(load: &Load) -> Option<f64> {
    let by_time = load.ends().and_then(|end| load.arrivals.calls_by(end));
    let by_count = Some(load.count_max()).filter(|count| *count < u64::MAX).map(|count| count as f64);
    match (by_time, by_count) {
        (Some(time), Some(count)) => Some(time.min(count)),
        (time, count) => time.or(count),
    }
}
