//! How long retries last, against outages and limits.

use std::time::Duration;

use brownout_policy::{Course, Failure, Luck, Policy, Pushback, Settings, StopReason};

use super::case::{Case, Outage, Refusal};
use super::finding::{About, Finding, Rule, counted, time, time_at_least};

/// The window that limits are usually counted in, where the service does not say.
const WINDOW: Duration = Duration::from_secs(60);

/// Retries that are over before an outage is.
pub(super) fn outages(case: &Case<'_>) -> Vec<Finding> {
    case.outages().iter().filter_map(|outage| outlasts(case, outage)).collect()
}

fn outlasts(case: &Case<'_>, outage: &Outage<'_>) -> Option<Finding> {
    let length = outage.until - outage.from;
    let failures = case.failures_in(outage);
    let retried = || failures.iter().filter(|failure| case.policy.retries(failure));
    let course = |luck| {
        let attempt = case.attempt_in(outage, luck == Luck::Longest)?;
        // Of several failures the one that keeps the call going longest, so that what is found holds for all of them.
        let longest = retried().map(|failure| (case.policy.course(failure, attempt, luck), *failure));
        longest.max_by_key(|(course, _)| course.lasts).map(|(course, failure)| (course, failure, attempt))
    };
    let (course, failure, attempt) = course(Luck::Mean)?;
    let gives_up = course.attempts < u32::MAX && course.end != StopReason::RetryAfterTooLong;
    if case.retries() == 0 || course.lasts >= length || !gives_up {
        return None;
    }
    let most = case.policy.course(&failure, case.attempt_in(outage, true)?, Luck::Longest);
    let (shown, how) = if most.lasts < length { (most, "at the most") } else { (course, "on the mean") };
    let name = outage.phase;
    let so = if most.lasts < length {
        format!("every call begun in its first {} fails for good", time(length - most.lasts))
    } else {
        "more calls than not that are begun at its start give up before it ends".to_owned()
    };
    let finding = Finding::of(Rule::HorizonShorterThanOutage, ended_by(&course))
        .what(format!(
            "a call gives up after {} {how} ({}, {} of waits); `{name}` lasts {}",
            time(shown.lasts),
            counted(shown.attempts, "attempt", "attempts"),
            time(shown.waits),
            time(length)
        ))
        .so(so)
        .mend(reach(case, &failure, attempt, length))
        .seconds("call_s", shown.lasts)
        .seconds("waits_s", shown.waits)
        .seconds("outage_s", length)
        .number("attempts", shown.attempts);
    Some(finding)
}

/// Retries against refusals: too short for the window of a limit, or not allowed to wait it out.
pub(super) fn limits(case: &Case<'_>) -> Vec<Finding> {
    if case.retries() == 0 {
        return Vec::new();
    }
    if case.service.is_none() {
        return unhinted(case).into_iter().collect();
    }
    let answered_in = case.met().iter().map(|met| case.answer(met.latency).mean()).max().unwrap_or_default();
    let refusals = case.refusals().into_iter().map(|refusal| {
        let Refusal { status, retry_after } = refusal;
        let asks = format!("the service's {status} asks for");
        Pause { failure: refusal.failure(), attempt: answered_in, lasts: retry_after, asks }
    });
    let windows = case.windows().into_iter().map(|(limit, lasts, failure)| {
        let asks = format!("the window of `{}` lasts", limit.name);
        Pause { failure, attempt: case.refused_in(), lasts, asks }
    });
    refusals.chain(windows).filter_map(|pause| held_against(case, &pause)).collect()
}

/// A time in which nothing but refusals is to be had.
struct Pause {
    failure: Failure,
    /// How long an attempt takes that is refused.
    attempt: Duration,
    lasts: Duration,
    /// What makes it last so long, as a phrase that its length ends.
    asks: String,
}

fn held_against(case: &Case<'_>, pause: &Pause) -> Option<Finding> {
    let Pause { failure, lasts, asks, .. } = pause;
    if !case.policy.retries(failure) || lasts.is_zero() {
        return None;
    }
    let attempt = pause.attempt;
    let course = case.policy.course(failure, attempt, Luck::Mean);
    let (refused, asked) = (course.attempts == 1, failure.retry_after.unwrap_or_default());
    let deadline = case.policy.deadline().filter(|deadline| *deadline <= asked.saturating_add(attempt));
    if refused && course.end == StopReason::RetryAfterTooLong {
        return Some(too_long(case, failure, asks, asked, "retry_after_max", case.policy.retry_after_max()));
    }
    if let (true, StopReason::DeadlineNear, Some(deadline)) = (refused, course.end, deadline) {
        return Some(too_long(case, failure, asks, asked, "deadline", deadline));
    }
    (course.lasts < *lasts && course.attempts < u32::MAX)
        .then(|| too_short(case, failure, &course, attempt, *lasts, asks))
}

/// Of a policy alone: a 429 that says nothing of when to come back.
fn unhinted(case: &Case<'_>) -> Option<Finding> {
    let failure = Failure::status(429);
    let course = case.policy.course(&failure, Duration::ZERO, Luck::Mean);
    (case.policy.retries(&failure) && course.lasts < WINDOW && course.attempts < u32::MAX)
        .then(|| too_short(case, &failure, &course, Duration::ZERO, WINDOW, "the window of a limit usually lasts"))
}

fn too_short(
    case: &Case<'_>,
    failure: &Failure,
    course: &Course,
    attempt: Duration,
    window: Duration,
    asks: &str,
) -> Finding {
    let retries = counted(course.attempts - 1, "retry is", "retries are");
    let ignores = case.policy.retry_after() == Pushback::Ignore;
    let heed = if ignores { "heed the service's Retry-After (`retry_after = true`); else " } else { "" };
    let unless = if ignores || failure.retry_after.is_some() { "" } else { ", unless its Retry-After says more" };
    Finding::of(Rule::HorizonShorterThanLimit, ended_by(course))
        .what(format!("{retries} over after {}; {asks} {}", time(course.lasts), time(window)))
        .so(format!("all {} attempts of a call fall into one window and are refused{unless}", course.attempts))
        .mend(format!("{heed}{}", reach(case, failure, attempt, window)))
        .seconds("call_s", course.lasts)
        .seconds("waits_s", course.waits)
        .seconds("window_s", window)
        .number("attempts", course.attempts)
}

fn too_long(
    case: &Case<'_>,
    failure: &Failure,
    asks: &str,
    asked: Duration,
    key: &'static str,
    limit: Duration,
) -> Finding {
    let status = name(failure);
    let retries = counted(case.retries(), "retry", "retries");
    let mend = if key == "deadline" {
        format!("a `deadline` well above {}, or `retry_on` without {status}, if failing at once is meant", time(asked))
    } else {
        format!("`retry_after_max = \"{}\"`, or `retry_after_over = \"cap\"`", time_at_least(asked))
    };
    Finding::of(Rule::RetryAfterTooLong, About::Policy(key))
        .what(format!("{asks} {}, and `{key}` is {}", time(asked), time(limit)))
        .so(format!("a call ends at its first {status}, without any of its {retries}"))
        .mend(mend)
        .seconds("asked_s", asked)
        .seconds("limit_s", limit)
}

/// A `retry_after_max` that the deadline never lets be waited out.
pub(super) fn beyond_deadline(case: &Case<'_>) -> Option<Finding> {
    let (max, deadline) = (case.settings.retry_after_max?, case.policy.deadline()?);
    let heeded = case.retries() > 0 && case.policy.retry_after() != Pushback::Ignore;
    (heeded && deadline < max).then(|| {
        Finding::of(Rule::RetryAfterBeyondDeadline, About::Policy("retry_after_max"))
            .what(format!("`retry_after_max` ({}) is longer than `deadline` ({})", time(max), time(deadline)))
            .so(format!("a Retry-After from {} on ends the call at once instead of being waited out", time(deadline)))
            .mend(format!("a `deadline` above {}, or a `retry_after_max` below {}", time(max), time(deadline)))
            .seconds("retry_after_max_s", max)
            .seconds("deadline_s", deadline)
    })
}

/// Retries of failures that the service does not have.
pub(super) fn nothing_retried(case: &Case<'_>) -> Option<Finding> {
    let failures = case.failures();
    if case.retries() == 0 || failures.is_empty() || failures.iter().any(|failure| case.policy.retries(failure)) {
        return None;
    }
    let mut names: Vec<String> = failures.iter().map(name).collect();
    names.dedup();
    let names = names.join(", ");
    Some(
        Finding::of(Rule::RetriesNothing, About::Policy("retry_on"))
            .what(format!("the service fails by {names}, and the policy retries none of them"))
            .so("every call is one attempt, as if there were no policy")
            .mend("name in `retry_on` what is worth another try, or `max_retries = 0` if nothing is"),
    )
}

fn name(failure: &Failure) -> String {
    match failure.kind {
        brownout_policy::FailureKind::Status(status) | brownout_policy::FailureKind::Throttled(status) => {
            status.to_string()
        }
        brownout_policy::FailureKind::Transport(transport) => transport.to_string(),
        brownout_policy::FailureKind::Other => "other failures".to_owned(),
    }
}

/// The key that ends a call: its retries, or the deadline.
fn ended_by(course: &Course) -> About {
    let by_time = matches!(course.end, StopReason::DeadlineNear | StopReason::DeadlineExceeded);
    About::Policy(if by_time { "deadline" } else { "max_retries" })
}

/// How the policy could last for `goal`.
fn reach(case: &Case<'_>, failure: &Failure, attempt: Duration, goal: Duration) -> String {
    let lasts = |max_retries| {
        let settings = Settings { max_retries: Some(max_retries), deadline: None, ..case.settings.clone() };
        Policy::new(settings).is_ok_and(|policy| policy.course(failure, attempt, Luck::Mean).lasts >= goal)
    };
    let retries = match (case.retries().min(RETRIES_MAX)..=RETRIES_MAX).find(|retries| lasts(*retries)) {
        Some(retries) if case.retries() < retries => {
            format!("longer delays, or `max_retries = {retries}` under a budget; ")
        }
        Some(_) => String::new(),
        None => "delays that grow, up to a larger `max_delay`; ".to_owned(),
    };
    let deadline = case.policy.deadline().filter(|deadline| *deadline <= goal);
    let deadline = deadline.map(|_| format!("a `deadline` above {}; ", time(goal))).unwrap_or_default();
    format!("{retries}{deadline}or accept that such calls fail")
}

/// More retries than these are no proposal.
const RETRIES_MAX: u32 = 20;
