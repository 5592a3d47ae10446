//! Who waits for whom: policies around each other, and services that call services.

use std::time::Duration;

use brownout_load::{Graph, Hop};
use brownout_policy::{Course, Luck, Policy, Settings};

use super::case::{Case, TIMED_OUT};
use super::finding::{About, Finding, Rule, counted, time, time_at_least};

/// A policy that still retries when the one around it has given up.
pub(super) fn cut_short(case: &Case<'_>) -> Option<Finding> {
    let innermost = Settings { around: Vec::new(), ..case.settings.clone() };
    let mut layers =
        [&innermost].into_iter().chain(&case.settings.around).filter_map(|layer| Policy::new(layer.clone()).ok());
    let mut inside = slowest(&layers.next()?, None)?;
    for around in layers {
        let limit = around.allowance(Duration::ZERO);
        if let Some(limit) = limit.filter(|limit| *limit < inside.lasts) {
            return Some(
                Finding::of(Rule::LayerCutsShort, About::Policy("attempt_timeout"))
                    .what(format!(
                        "a policy goes on for up to {} ({}), and the one around it gives up after {}",
                        time(inside.lasts),
                        made_of(&inside),
                        time(limit)
                    ))
                    .so("the last of its attempts are never made or never waited for, and the next layer begins anew")
                    .mend(format!(
                        "an `attempt_timeout` around it of {}, or fewer retries inside; best is to retry in one layer alone",
                        time_at_least(inside.lasts)
                    ))
                    .seconds("inside_s", inside.lasts)
                    .seconds("limit_s", limit),
            );
        }
        inside = slowest(&around, Some(inside.lasts))?;
    }
    None
}

/// Services that are still calling others for somebody who has given up.
pub(super) fn hops(case: &Case<'_>) -> Vec<Finding> {
    let Some(graph) = case.graph else { return Vec::new() };
    let first = ("the service", graph.calls.as_slice(), case.policy.allowance(Duration::ZERO));
    let behind = graph.behind.iter().enumerate().map(|(place, node)| {
        // Of several callers, the least patient.
        let callers = hops_to(graph, place).filter_map(|hop| hop.policy.allowance(Duration::ZERO));
        (node.name.as_str(), node.calls.as_slice(), callers.min())
    });
    let late = |(name, calls, limit): (&str, &[Hop], Option<Duration>)| outlasts(graph, name, calls, limit?);
    [first].into_iter().chain(behind).filter_map(late).collect()
}

fn hops_to(graph: &Graph, place: usize) -> impl Iterator<Item = &Hop> {
    let behind = graph.behind.iter().flat_map(|node| &node.calls);
    graph.calls.iter().chain(behind).filter(move |hop| hop.to == place)
}

/// The calls of one service, one after another, against what its caller waits; those that end with it aside.
fn outlasts(graph: &Graph, name: &str, calls: &[Hop], limit: Duration) -> Option<Finding> {
    let kept = calls.iter().filter(|hop| !hop.pass_deadline);
    let courses: Vec<_> = kept.filter_map(|hop| Some((hop, slowest(&hop.policy, None)?))).collect();
    let lasts: Duration = courses.iter().map(|(_, course)| course.lasts).sum();
    let (longest, course) = courses.iter().max_by_key(|(_, course)| course.lasts)?;
    (limit < lasts).then(|| {
        let to = &graph.behind[longest.to].name;
        let others = if courses.len() > 1 { " and others" } else { "" };
        Finding::of(Rule::HopOutlastsCaller, About::Scenario(if name == "the service" { "service.calls" } else { "services" }))
            .what(format!(
                "{name} calls `{to}`{others} for up to {} ({}), and its caller waits for {}",
                time(lasts),
                made_of(course),
                time(limit)
            ))
            .so("what is called after that is called for nobody, holds workers on the way, and is called again when its caller retries")
            .mend("`pass_deadline = true`, or fewer and shorter attempts on the way".to_owned())
            .seconds("calls_s", lasts)
            .seconds("limit_s", limit)
    })
}

/// The course of a call of which every attempt takes as long as it may, where that has an end; `attempt` where the policy has no
/// timeout of its own.
fn slowest(policy: &Policy, attempt: Option<Duration>) -> Option<Course> {
    let attempt = policy.attempt_timeout().into_iter().chain(attempt).min()?;
    let endless = policy.max_retries() == u32::MAX && policy.deadline().is_none();
    (!endless).then(|| policy.course(&TIMED_OUT, attempt, Luck::Longest))
}

fn made_of(course: &Course) -> String {
    format!("{}, {} of waits", counted(course.attempts, "attempt", "attempts"), time(course.waits))
}
