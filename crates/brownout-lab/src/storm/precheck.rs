//! What can be said without a run.

use brownout_load::{Arrivals, Cohort, Load, Rate};
use serde::Serialize;

use super::{At, Experiment, StormError};
use crate::lint::{Subject, WorstCase, worst_case};

/// Utilisation × attempts a call while all of them fail. Above 1 the bad state, once it is there, asks for more than the
/// service can do; below 1 no trigger can hold it down, as long as the bad state keeps its capacity.
///
/// Attempts a call are all that the policy's retries and copies come to, or what a budget or a limit of concurrency leaves of
/// them in the long run while every attempt fails.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Precheck {
    /// Of the capacity, what first tries take; `None` for a service without a capacity. Services behind are not looked at.
    pub utilisation: Option<f64>,
    /// Attempts a call while every one of them fails; `None` without bound.
    pub amplification: Option<f64>,
    /// Utilisation × amplification. `None` where either is.
    pub product: Option<f64>,
    /// Whether the product is above 1.
    pub vulnerable: bool,
    /// Whether a breaker or a throttle counts timeouts and then sends less than that.
    pub guarded: bool,
    /// Calls a second from which on the product is above 1; `None` without a capacity.
    pub vulnerable_from_per_second: Option<f64>,
    /// Utilisation with the retries of failures that are drawn and no overload: from 1 on nothing can be healthy.
    #[serde(skip)]
    pub(super) at_ease: f64,
    /// Attempts a call, with the retries of failures that are drawn and no overload.
    #[serde(skip)]
    pub(super) attempts_at_ease: f64,
}

/// More attempts a call than these are without bound.
const BOUND: f64 = 1e9;

impl Precheck {
    /// Of an experiment at one load.
    ///
    /// # Errors
    /// Where arrivals are closed or change by themselves, or the load makes no rate.
    pub fn new(experiment: &Experiment<'_>, at: At) -> Result<Self, StormError> {
        let worst = worst(experiment, at.load)?;
        let finite = Some(worst.attempts_failing).filter(|attempts| *attempts < BOUND);
        let product = |worst: &WorstCase| worst.utilisation.map(|utilisation| utilisation * worst.attempts_failing);
        Ok(Self {
            utilisation: worst.utilisation,
            amplification: finite,
            product: product(&worst).filter(|_| finite.is_some()),
            vulnerable: product(&worst).is_some_and(|product| product > 1.0),
            guarded: worst.stops_asking,
            vulnerable_from_per_second: product(&worst).and_then(|_| {
                let above = |load| worst_product(experiment, load);
                Some(experiment.rate().ok()? * threshold(above)?)
            }),
            at_ease: worst.utilisation.unwrap_or(0.0) * worst.attempts_at_ease,
            attempts_at_ease: worst.attempts_at_ease,
        })
    }
}

fn worst(experiment: &Experiment<'_>, load: f64) -> Result<WorstCase, StormError> {
    let load = scaled(experiment.load, load)?;
    let mut all = Vec::new();
    for part in load.parts() {
        let settings = part.own.map_or(experiment.settings, |own| &own.settings);
        let subject = Subject { service: Some(experiment.service), load: Some(part.load), graph: None, settings };
        all.push((rate_of(part.load)?, worst_case(&subject).ok_or(StormError::Closed)?));
    }
    let rate: f64 = all.iter().map(|(rate, _)| rate).sum();
    let mean = |pick: fn(&WorstCase) -> f64| all.iter().map(|(own, worst)| own * pick(worst)).sum::<f64>() / rate;
    Ok(WorstCase {
        utilisation: all.iter().map(|(_, worst)| worst.utilisation).sum(),
        attempts_at_ease: mean(|worst| worst.attempts_at_ease),
        attempts_failing: mean(|worst| worst.attempts_failing),
        stops_asking: all.iter().any(|(_, worst)| worst.stops_asking),
    })
}

/// Calls a second of one population.
pub(super) fn rate_of(load: &Load) -> Result<f64, StormError> {
    match load.arrivals {
        Arrivals::Constant(rate) | Arrivals::Poisson(rate) => Ok(rate.get()),
        Arrivals::Closed { .. } => Err(StormError::Closed),
        Arrivals::Varying { .. } | Arrivals::Bursts(_) | Arrivals::Replay(_) => Err(StormError::Unsteady),
    }
}

fn worst_product(experiment: &Experiment<'_>, load: f64) -> Option<f64> {
    let worst = worst(experiment, load).ok()?;
    Some(worst.utilisation? * worst.attempts_failing)
}

/// The least multiple of the load whose product is above 1, to a ten-thousandth. The product rises with the load.
fn threshold(product: impl Fn(f64) -> Option<f64>) -> Option<f64> {
    let (mut low, mut high) = (1e-3, 1e3);
    if product(low)? > 1.0 || product(high).is_none_or(|product| product <= 1.0) {
        return None;
    }
    while high / low > 1.0001 {
        let middle = libm::sqrt(low * high);
        (low, high) = if product(middle)? > 1.0 { (low, middle) } else { (middle, high) };
    }
    Some(high)
}

/// The same load at a multiple of its rate, that of each cohort where it has any.
pub(super) fn scaled(load: &Load, by: f64) -> Result<Load, StormError> {
    let cohort = |cohort: &Cohort| Ok(Cohort { load: scaled(&cohort.load, by)?, ..cohort.clone() });
    let cohorts = load.cohorts.iter().map(cohort).collect::<Result<Vec<_>, _>>()?;
    if !cohorts.is_empty() {
        return Ok(Load { cohorts, ..load.clone() });
    }
    let times = |rate: Rate| Rate::per_second(rate.get() * by).ok_or_else(|| StormError::NoRate(rate.get() * by));
    let arrivals = match load.arrivals {
        Arrivals::Closed { .. } => return Err(StormError::Closed),
        Arrivals::Constant(rate) => Arrivals::Constant(times(rate)?),
        Arrivals::Poisson(rate) => Arrivals::Poisson(times(rate)?),
        Arrivals::Varying { .. } | Arrivals::Bursts(_) | Arrivals::Replay(_) => return Err(StormError::Unsteady),
    };
    Ok(Load { arrivals, ..load.clone() })
}
