//! What a storm is made of, and what makes none.

use std::time::Duration;

use brownout_draw::Seed;
use brownout_load::{Graph, Load};
use brownout_policy::{Policy, Settings};
use brownout_service::{Phase, Request, Service};
use brownout_sim::Limits;
use thiserror::Error;

use super::precheck::rate_of;

/// A scenario and one policy. The phases of all its services are the trigger.
#[derive(Clone, Copy, Debug)]
pub struct Experiment<'e> {
    /// What the callers meet.
    pub service: &'e Service,
    /// The services behind it.
    pub graph: &'e Graph,
    /// When they call. How long and how often is for the experiment to say.
    pub load: &'e Load,
    /// What they ask for.
    pub request: Request<'e>,
    /// What they do after a failure, as it was set.
    pub settings: &'e Settings,
    /// The same, to be run.
    pub policy: &'e Policy,
    /// The luck of the first run.
    pub seed: Seed,
    /// How many runs of each arm.
    pub seeds: u32,
    /// Bounds of each run.
    pub limits: Limits,
    /// How long to look on after the trigger; `None` for as long as it takes.
    pub horizon: Option<Duration>,
}

/// Where on the map: multiples of what the scenario says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct At {
    /// Of its rate of arrivals.
    pub load: f64,
    /// Of the length of its trigger.
    pub trigger: f64,
}

/// Why there is nothing to run. Each message says the way out.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum StormError {
    /// No phases.
    #[error(
        "the scenario has no phases, so nothing sets a storm off; give it a trigger, such as [[phases]] with `from = \"20s\"`, \
         `for = \"5s\"` and `capacity = 0`"
    )]
    NoTrigger,
    /// A phase without end.
    #[error("phase `{0}` never ends, so there is nothing to recover from; give it `for` or `until`")]
    NeverEnds(String),
    /// Callers that wait for their answers.
    #[error(
        "the arrivals are closed: such clients wait for their answers and slow down with the service; a storm takes open ones, \
         `arrivals = {{ poisson = \"200/s\" }}`"
    )]
    Closed,
    /// Arrivals that change by themselves.
    #[error(
        "the arrivals change by themselves, so it could not be told from what a trigger does; a storm takes a rate that stays, \
         `arrivals = {{ poisson = \"200/s\" }}`"
    )]
    Unsteady,
    /// Too short an observation.
    #[error(
        "a horizon of {horizon:?} after the trigger is too short for a verdict: it takes {needed:?}, which is {why}; leave --horizon \
         out and it is found"
    )]
    TooShort {
        /// What was asked for.
        horizon: Duration,
        /// What it takes.
        needed: Duration,
        /// Where that comes from.
        why: String,
    },
    /// More than the service can do before anything goes wrong.
    #[error(
        "the service is overloaded before anything goes wrong: {rate}/s take {utilisation:.2} of its capacity, so the control arm \
         cannot be healthy; lower the rate or give it more workers"
    )]
    Overloaded {
        /// Calls a second.
        rate: f64,
        /// Of the capacity, what they take with the retries of drawn failures.
        utilisation: f64,
    },
    /// A rate that is none.
    #[error("a rate of {0}/s is none; pick other loads")]
    NoRate(f64),
    /// A trigger that is none.
    #[error("a trigger of {0:?} is none; pick other lengths")]
    NoLength(Duration),
}

impl At {
    /// What the scenario says.
    pub const FILE: Self = Self { load: 1.0, trigger: 1.0 };
}

impl Experiment<'_> {
    /// From the start of the first phase to the end of the last.
    ///
    /// # Errors
    /// Where there is no phase, or one without end.
    pub fn trigger(&self) -> Result<(Duration, Duration), StormError> {
        let phases = self.graph.phases(self.service);
        if let Some(phase) = phases.iter().find(|phase| phase.window.until.is_none() && !phase.is_remedy()) {
            return Err(StormError::NeverEnds(phase.name.clone()));
        }
        Phase::span(&phases).ok_or(StormError::NoTrigger)
    }

    /// Calls a second, as the scenario says.
    ///
    /// # Errors
    /// Where arrivals are closed, or change by themselves.
    pub fn rate(&self) -> Result<f64, StormError> {
        self.load.parts().iter().map(|part| rate_of(part.load)).sum()
    }

    /// What the clients of each population do after a failure.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.load.parts().into_iter().map(|part| part.own.map_or(self.policy, |own| &own.policy))
    }
}
