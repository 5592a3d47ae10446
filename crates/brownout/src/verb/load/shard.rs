//! What a part of a load has to do with the rest of it.

use brownout_load::{AfterGiveUp, Hop, Load};
use brownout_policy::Policy;
use brownout_scenario::Scenario;
use brownout_service::{Effect, Service};

use crate::exit::Stop;
use crate::output::talk;

/// Refuses a shard that would come out otherwise than within the whole; warns where it cannot be known.
///
/// - `is_real`: the service is a real one, which all shards meet together.
pub(super) fn check(scenario: &Scenario, policy: &Policy, is_real: bool) -> Result<(), Stop> {
    let Scenario { service, graph, load, .. } = scenario;
    let parts = load.parts();
    let give_back = |load: &Load| load.after_give_up != AfterGiveUp::Drop;
    let hops = graph.hops().flatten().map(|Hop { policy, .. }| policy);
    let policies = parts.iter().map(|part| part.own.map_or(policy, |own| &own.policy));
    let remember = policies.chain(hops.filter(|_| !is_real)).any(Policy::remembers);
    let any =
        |of: fn(&Service) -> bool| !is_real && graph.behind.iter().map(|node| &node.service).chain([service]).any(of);
    let common: Vec<&str> = [
        (any(|service| service.capacity().is_some()), "the workers and the queue of a service"),
        (any(|service| !service.limits().is_empty()), "the limits of a service"),
        (any(|service| service.cache().is_some()), "the cache of a service"),
        (any(|service| service.effects().iter().any(Option::<Effect>::is_some)), "the effects of a service"),
        (parts.iter().any(|part| give_back(part.load)), "calls that are made again after others"),
        (!is_real && remember, "what callers remember"),
    ]
    .into_iter()
    .filter_map(|(is, what)| is.then_some(what))
    .collect();
    if !common.is_empty() {
        return Err(Stop::usage(format!(
            "a shard knows nothing of the calls of the others, and they have in common: {}; run the whole without --shard{}",
            common.join(", "),
            if is_real { "" } else { ", or shards of it against one real service with --url" }
        )));
    }
    if remember {
        talk(
            "note: what callers remember, each shard has for itself: a budget or breaker that many share is one for each shard",
        );
    }
    Ok(())
}
