//! Timeouts against the service, and against each other.

use std::time::Duration;

use brownout_policy::{Failure, HedgeDelay, Luck, Policy, Settings};
use brownout_service::Shed;

use super::case::{Case, Cause, TIMED_OUT};
use super::finding::{About, Finding, Rule, counted, percent, time, time_at_least};

/// Healthy answers that come too late for their caller.
pub(super) fn below_p99(case: &Case<'_>) -> Option<Finding> {
    let limit = case.policy.allowance(Duration::ZERO)?;
    let key = if case.policy.attempt_timeout() == Some(limit) { "attempt_timeout" } else { "deadline" };
    let shares = case.met().into_iter().map(|met| (case.answer(met.latency).share_above(limit), met));
    let worst = shares.max_by(|(one, _), (other, _)| one.total_cmp(other));
    let (share, met) = worst.filter(|(share, _)| *share > LATE_MAX)?;
    let p99 = case.answer(met.latency).longer_than_all_but(0.01);
    let on = met.route.map(|route| format!(" on `{route}`")).unwrap_or_default();
    let again = key == "attempt_timeout" && case.retries() > 0 && case.policy.retries(&TIMED_OUT);
    let so = if again {
        "each of them is given up and made again, so the service does its work twice"
    } else {
        "each of them fails for its caller, though the service would have answered"
    };
    Some(
        Finding::of(Rule::TimeoutBelowP99, About::Policy(key))
            .what(format!(
                "{} of the healthy answers{on} take longer than {} (p99 is {})",
                percent(share),
                time(limit),
                time(p99)
            ))
            .so(so)
            .mend(format!("`{key} = \"{}\"` or longer", time_at_least(p99)))
            .number("late_share", share)
            .seconds("limit_s", limit)
            .seconds("p99_s", p99),
    )
}

/// One in a hundred, and the roundings of a p99 that was given.
const LATE_MAX: f64 = 0.01 + 1e-6;

/// A deadline that one attempt can use up.
pub(super) fn deadline_within(case: &Case<'_>) -> Option<Finding> {
    let (deadline, timeout) = (case.policy.deadline()?, case.policy.attempt_timeout()?);
    (case.retries() > 0 && deadline <= timeout).then(|| {
        let retries = counted(case.retries(), "retry is", "retries is");
        let waits = case.policy.course(&TIMED_OUT, Duration::ZERO, Luck::Longest).waits;
        let room = case.retries().checked_add(1).map(|attempts| deadline.saturating_sub(waits) / attempts);
        let mend = match room.filter(|room| !room.is_zero() && case.policy.retries(&TIMED_OUT)) {
            Some(room) => format!("an `attempt_timeout` of at most {} leaves room for all of them", time(room)),
            None => format!("an `attempt_timeout` well below {}", time(deadline)),
        };
        Finding::of(Rule::DeadlineWithinTimeout, About::Policy("deadline"))
            .what(format!("`deadline` ({}) is not longer than `attempt_timeout` ({})", time(deadline), time(timeout)))
            .so(format!("an attempt that gets no answer takes all of it, and none of the {retries} made"))
            .mend(mend)
            .seconds("deadline_s", deadline)
            .seconds("attempt_timeout_s", timeout)
    })
}

/// A deadline too short for the retries that are asked for.
pub(super) fn deadline_cuts(case: &Case<'_>) -> Option<Finding> {
    let (deadline, retries) = (case.policy.deadline()?, case.retries());
    let timeout = case.policy.attempt_timeout();
    if retries == 0 || retries == u32::MAX || timeout.is_some_and(|timeout| deadline <= timeout) {
        return None;
    }
    let failure = timeout.map_or(Failure::OTHER, |_| TIMED_OUT);
    let course = case.policy.course(&failure, timeout.unwrap_or_default(), Luck::Mean);
    if !case.policy.retries(&failure) || course.attempts > retries {
        return None;
    }
    let endless = Policy::new(Settings { deadline: None, ..case.settings.clone() }).ok()?;
    let whole = endless.course(&failure, timeout.unwrap_or_default(), Luck::Mean).lasts;
    let how = match timeout {
        Some(timeout) => format!("attempts that run into their timeout of {}", time(timeout)),
        None => "attempts that fail at once".to_owned(),
    };
    let (made, wanted) = (course.attempts, retries.saturating_add(1));
    Some(
        Finding::of(Rule::DeadlineCutsRetries, About::Policy("deadline"))
            .what(format!("with {how}, `deadline` ({}) leaves room for {made} of {wanted}", time(deadline)))
            .so(format!("the last {} that the policy counts on are never made", wanted - made))
            .mend(format!("a `deadline` of {}, or `max_retries = {}`", time_at_least(whole), made - 1))
            .seconds("deadline_s", deadline)
            .seconds("needed_s", whole)
            .number("attempts_made", made)
            .number("attempts_wanted", wanted),
    )
}

/// Nothing that ends an attempt, where the service may leave one without an answer.
pub(super) fn none(case: &Case<'_>) -> Option<Finding> {
    let capacity = case.capacity().filter(|_| case.policy.attempt_timeout().is_none())?;
    let stop = case.outages().into_iter().find(|outage| outage.cause == Cause::Stopped && !case.turns_away());
    let why = match stop {
        _ if capacity.shed == Shed::Silent => "the service sheds without a word".to_owned(),
        _ if capacity.queue.length.is_none() => "the service's queue has no bound".to_owned(),
        Some(stop) => format!("the service stops for {} in `{}`", time(stop.until - stop.from), stop.phase),
        None => return None,
    };
    let so = match case.policy.deadline() {
        Some(_) if case.retries() == 0 => return None,
        Some(deadline) => {
            let retries = counted(case.retries(), "retry is", "retries is");
            format!(
                "an attempt that waits takes the whole deadline of {}, and none of the {retries} made",
                time(deadline)
            )
        }
        None => "a call waits for as long as the service keeps it, and its retries do not help".to_owned(),
    };
    let share = 1.0 / f64::from(case.retries().saturating_add(1).min(1000));
    let mend = match case.policy.deadline() {
        Some(deadline) => format!("an `attempt_timeout` of at most {}", time(deadline.mul_f64(share))),
        None => "an `attempt_timeout` a little above the service's p99".to_owned(),
    };
    Some(
        Finding::of(Rule::NoAttemptTimeout, About::Policy("attempt_timeout"))
            .what(format!("{why}, and the policy has no `attempt_timeout`"))
            .so(so)
            .mend(mend),
    )
}

/// A copy that comes too late to be sent.
pub(super) fn hedge_late(case: &Case<'_>) -> Option<Finding> {
    let HedgeDelay::Fixed(after) = case.policy.hedge()?.rule.when() else { return None };
    let limit = case.policy.allowance(Duration::ZERO)?;
    (limit <= after).then(|| {
        Finding::of(Rule::HedgeAfterTimeout, About::Policy("hedge.after"))
            .what(format!("a copy is sent after {}, and an attempt is given up after {}", time(after), time(limit)))
            .so("no copy is ever sent")
            .mend(format!(
                "`after` well below {}: at the p95 of the latency, a copy for one attempt in 20",
                time(limit)
            ))
            .seconds("after_s", after)
            .seconds("limit_s", limit)
    })
}
