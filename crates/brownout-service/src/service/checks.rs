//! What makes no service: routes and phases that could never count, limits that nobody could get through.

use std::time::Duration;

use thiserror::Error;

use super::{Change, Route, Service};
use crate::limit::{Cost, RetryAfterWait, UNIT, Units};
use crate::{Effect, Factors, Limit, LimitKey, LimitRule, Phase, Replicas};

/// Why settings make no service. The index is the place in the list, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ServiceError {
    /// A route that never gets a request.
    #[error(
        "route `{pattern}` can never match: `{by}` comes first and takes all its requests; put it before that one, or drop it"
    )]
    UnreachableRoute {
        /// Which route.
        index: usize,
        /// Its pattern.
        pattern: String,
        /// The pattern of the route that hides it.
        by: String,
    },
    /// A phase without length.
    #[error("phase `{name}` lasts no time at all; give it a longer `for` or a later `until`")]
    EmptyPhase {
        /// Which phase.
        index: usize,
        /// Its name.
        name: String,
    },
    /// A phase that changes nothing.
    #[error(
        "phase `{name}` changes nothing; give it `outcomes`, `latency`, `capacity`, `slowdown`, `load`, `intake`, `cache_lost` or `refuse`"
    )]
    IdlePhase {
        /// Which phase.
        index: usize,
        /// Its name.
        name: String,
    },
    /// A phase that a later one covers.
    #[error("phase `{name}` can never take effect: `{by}` comes later in the file and replaces all of it; swap them")]
    HiddenPhase {
        /// Which phase.
        index: usize,
        /// Its name.
        name: String,
        /// The name of the phase that hides it.
        by: String,
    },
    /// Ramps that do not fit into their phase.
    #[error("the ramps of phase `{name}` ({ramps:?}) are longer than the phase; shorten them")]
    RampTooLong {
        /// Which phase.
        index: usize,
        /// Its name.
        name: String,
        /// How long both ramps are together.
        ramps: Duration,
    },
    /// A ramp before an end that never comes.
    #[error("phase `{name}` has a `ramp_down` and no end; give it `for` or `until`")]
    RampWithoutEnd {
        /// Which phase.
        index: usize,
        /// Its name.
        name: String,
    },
    /// A phase that cuts workers where there are none to cut.
    #[error("phase `{name}` changes the capacity of a service that has none; give the service a `capacity`")]
    NoCapacity {
        /// Which phase.
        index: usize,
        /// Its name.
        name: String,
    },
    /// A phase of replicas, where there are none.
    #[error("phase `{name}` is of some replicas of a service that has none; give the service `replicas`")]
    NoReplicas {
        /// Which phase.
        index: usize,
        /// Its name.
        name: String,
    },
    /// A phase of a replica that there is not.
    #[error("phase `{name}` is of replica {replica}, and replicas are numbered from 1 to {count}; name one of these")]
    NoSuchReplica {
        /// Which phase.
        index: usize,
        /// Its name.
        name: String,
        /// The number found.
        replica: u32,
        /// How many there are.
        count: u32,
    },
    /// A phase of replicas that changes what they share.
    #[error(
        "phase `{name}` is of some replicas, which can have `outcomes`, `latency` and a `slowdown` of their own, and share everything else; \
         drop `{key}`, or make it a phase of all"
    )]
    ReplicasShare {
        /// Which phase.
        index: usize,
        /// Its name.
        name: String,
        /// What it changes.
        key: &'static str,
    },
    /// Two phases of one name.
    #[error("two phases are called `{name}`; rename one")]
    PhaseTwice {
        /// The second of them.
        index: usize,
        /// Their name.
        name: String,
    },
    /// One name for two effects.
    #[error(
        "`{name}` is one effect, and has another key or another `once` here than before; give this one another name"
    )]
    EffectTwice {
        /// The place of the second in the list.
        index: usize,
        /// Their name.
        name: String,
    },
    /// Two limits of one name.
    #[error("two limits are called `{name}`; give one a `name` of its own")]
    LimitTwice {
        /// The second of them.
        index: usize,
        /// Their name.
        name: String,
    },
    /// A request that a limit would never let through.
    #[error(
        "a request that costs {cost} never gets through `{name}`, which holds {holds} at the most; lower one or raise the other"
    )]
    CostTooHigh {
        /// Which limit.
        index: usize,
        /// Its name.
        name: String,
        /// Which of its `costs`; `None` for its `cost`.
        place: Option<usize>,
        /// What the request takes, in units.
        cost: String,
        /// What there ever is, in units.
        holds: String,
    },
    /// A limit by concurrency, where a request counts for more than one.
    #[error("`{name}` counts requests under way, each as one; drop its cost, or use a window or a bucket")]
    CostOfConcurrency {
        /// Which limit.
        index: usize,
        /// Its name.
        name: String,
    },
    /// A limit that speaks of the end of a phase that has none.
    #[error(
        "`{name}` tells callers to wait for the end of a phase, and no phase ends; give the file one, or say how long"
    )]
    NoPhaseEnds {
        /// Which limit.
        index: usize,
        /// Its name.
        name: String,
    },
    /// A limit by route, where there are no routes.
    #[error("`{name}` has an allowance for each route, and the service has no routes; give it some, or drop the key")]
    NoRoutes {
        /// Which limit.
        index: usize,
        /// Its name.
        name: String,
    },
}

pub(super) fn unreachable_routes(routes: &[Route]) -> Vec<ServiceError> {
    let hidden_by = |index: usize| routes[..index].iter().find(|other| other.pattern.covers(&routes[index].pattern));
    let error = |index: usize| {
        let by = hidden_by(index)?.pattern.to_string();
        Some(ServiceError::UnreachableRoute { index, pattern: routes[index].pattern.to_string(), by })
    };
    (0..routes.len()).filter_map(error).collect()
}

pub(super) fn ambiguous_effects(effects: &[Option<Effect>]) -> Vec<ServiceError> {
    let error = |(index, effect): (usize, &Option<Effect>)| {
        let effect = effect.as_ref()?;
        let differs = |other: &&Effect| other.name == effect.name && *other != effect;
        effects[..index].iter().flatten().find(differs)?;
        Some(ServiceError::EffectTwice { index, name: effect.name.clone() })
    };
    effects.iter().enumerate().filter_map(error).collect()
}

pub(super) fn pointless_limits(service: &Service, limits: &[Limit]) -> Vec<ServiceError> {
    let mut errors = Vec::new();
    for (index, limit) in limits.iter().enumerate() {
        let name = limit.name.clone();
        if limits[..index].iter().any(|other| other.name == name) {
            errors.push(ServiceError::LimitTwice { index, name: name.clone() });
        }
        if limit.key == LimitKey::Route && service.routes.is_empty() {
            errors.push(ServiceError::NoRoutes { index, name: name.clone() });
        }
        let ends = service.phases.iter().any(|phase| phase.window.until.is_some());
        if limit.retry_after.wait == RetryAfterWait::UntilPhaseEnd && !ends {
            errors.push(ServiceError::NoPhaseEnds { index, name: name.clone() });
        }
        if matches!(limit.rule, LimitRule::Concurrency(_)) {
            if limit.cost != Cost::Fixed(UNIT) || !limit.costs.is_empty() {
                errors.push(ServiceError::CostOfConcurrency { index, name });
            }
            continue;
        }
        let units = |thousandths: u64| Units(thousandths).to_string();
        let too_high = limit.fixed_costs().find(|(_, amount)| limit.rule.holds() < *amount);
        errors.extend(too_high.map(|(place, amount)| {
            let (cost, holds) = (units(amount), units(limit.rule.holds()));
            ServiceError::CostTooHigh { index, name, place, cost, holds }
        }));
    }
    errors
}

pub(super) fn misplaced_phases(phases: &[Phase], replicas: Option<&Replicas>) -> Vec<ServiceError> {
    let error = |(index, phase): (usize, &Phase)| {
        let name = phase.name.clone();
        let own = &phase.only.replicas;
        let ends = [*own.first()?, *own.last()?];
        let Some(Replicas { count, .. }) = replicas else { return Some(ServiceError::NoReplicas { index, name }) };
        if let Some(replica) = ends.into_iter().find(|replica| !(1..=count.get()).contains(replica)) {
            return Some(ServiceError::NoSuchReplica { index, name, replica, count: count.get() });
        }
        let Factors { capacity, slowdown: _, load, intake, cache_lost, refuse } = phase.factors;
        let shared = [
            ("capacity", capacity.is_some()),
            ("load", load.is_some()),
            ("intake", intake.is_some()),
            ("cache_lost", cache_lost > 0),
            ("refuse", refuse),
        ];
        let (key, _) = shared.into_iter().find(|(_, changes)| *changes)?;
        Some(ServiceError::ReplicasShare { index, name, key })
    };
    phases.iter().enumerate().filter_map(error).collect()
}

pub(super) fn pointless_phases(phases: &[Phase]) -> Vec<ServiceError> {
    let error = |(index, phase): (usize, &Phase)| {
        let name = phase.name.clone();
        if phases[..index].iter().any(|other| other.name == name) {
            return Some(ServiceError::PhaseTwice { index, name });
        }
        if phase.window.until.is_some_and(|until| until <= phase.window.from) {
            return Some(ServiceError::EmptyPhase { index, name });
        }
        if phase.change == Change::default() && phase.factors == Factors::default() {
            return Some(ServiceError::IdlePhase { index, name });
        }
        let ramps = phase.ramp.up.saturating_add(phase.ramp.down);
        if phase.window.until.is_none() && !phase.ramp.down.is_zero() {
            return Some(ServiceError::RampWithoutEnd { index, name });
        }
        if phase.window.until.is_some_and(|until| until - phase.window.from < ramps) {
            return Some(ServiceError::RampTooLong { index, name, ramps });
        }
        let by = phases[index + 1..].iter().find(|later| later.hides(phase))?.name.clone();
        Some(ServiceError::HiddenPhase { index, name, by })
    };
    phases.iter().enumerate().filter_map(error).collect()
}
