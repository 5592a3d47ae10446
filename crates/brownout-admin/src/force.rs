//! What holds of a service, and what a change makes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use brownout_service::{Holding, Service};
use serde::Serialize;

use crate::control::Served;
use crate::views::Change;

/// What holds at a moment, where no route says otherwise.
#[derive(Debug, Serialize)]
pub(crate) struct InForce {
    /// How often each outcome comes, from 0 to 1; those that never do are left out.
    outcomes: BTreeMap<&'static str, f64>,
    /// What latency and service time are multiplied by.
    slowdown: f64,
    /// The share of requests that is let in.
    intake: f64,
    /// How many workers there are, where the service has a capacity.
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<u32>,
    /// Whether connections are refused.
    refuses: bool,
}

/// A change that was made or undone, with what held before and what holds since.
#[derive(Debug, Serialize)]
pub(crate) struct Changed {
    #[serde(flatten)]
    change: Change,
    before: InForce,
    after: InForce,
}

impl InForce {
    pub(crate) fn at(service: &Service, moment: Duration) -> Self {
        let Holding { outcomes, slowdown, intake, workers, refuses } = service.holding(moment);
        let outcomes = outcomes.into_iter().map(|(outcome, rate)| (outcome.name(), rate)).collect();
        Self { outcomes, slowdown, intake, workers, refuses }
    }

    fn now(served: &Served) -> Self {
        Self::at(&served.app.service(), served.app.clock().now())
    }
}

impl Changed {
    /// What `make` does to a service.
    pub(crate) fn by<E>(served: &Served, make: impl FnOnce() -> Result<brownout_serve::Change, E>) -> Result<Self, E> {
        let before = InForce::now(served);
        let change = Change::of(served, &make()?);
        Ok(Self { change, before, after: InForce::now(served) })
    }
}
