//! A service at work from its beginning on: what it is now, who has asked, who waits and who may.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use brownout_clock::Clock;
use brownout_draw::Seed;
use brownout_service::{Arrivals, Service};
use tokio::sync::watch;

use crate::behind::{Behind, Calls};
use crate::effects::Effects;
use crate::gate::Gate;
use crate::site::Site;

/// A run of a service. What is sent to a service that is replaced by another stays with the run that it came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) seed: Seed,
    pub(crate) clock: Clock,
    /// As it is now: a live change puts another in its place.
    service: watch::Sender<Arc<Service>>,
    arrivals: Arc<Mutex<Arrivals>>,
    /// Only with a capacity.
    pub(crate) site: Option<Arc<Site>>,
    /// Only with limits.
    pub(crate) gate: Option<Arc<Gate>>,
    /// Only where it has effects.
    pub(crate) effects: Option<Arc<Effects>>,
    /// Only where it calls others.
    pub(crate) calls: Option<Arc<Calls>>,
}

impl Run {
    /// A run of `service` before its first request, in the time of `clock`; it calls `behind`.
    pub(crate) fn new(service: Service, seed: Seed, clock: Clock, behind: Arc<[Box<dyn Behind>]>) -> Self {
        Self::after(Arc::default(), service, seed, clock, behind)
    }

    fn after(
        arrivals: Arc<Mutex<Arrivals>>,
        service: Service,
        seed: Seed,
        clock: Clock,
        behind: Arc<[Box<dyn Behind>]>,
    ) -> Self {
        let (service, live) = watch::channel(Arc::new(service));
        let now = service.borrow();
        let (site, gate) = (Site::new(&live, seed, clock), Gate::new(&now, seed, clock));
        let calls = Calls::new(&now, seed, clock, behind).map(Arc::new);
        let effects = Effects::new(&now);
        drop(now);
        Self { seed, clock, service, arrivals, site, gate, effects, calls }
    }

    /// The same run, whose service calls `behind`.
    pub(crate) fn calling(&self, behind: Arc<[Box<dyn Behind>]>) -> Self {
        Self::after(Arc::clone(&self.arrivals), Service::clone(&self.service()), self.seed, self.clock, behind)
    }

    /// The same run with another service; who asked is remembered, who waits for a worker or a limit stays where they are.
    pub(crate) fn with(&self, service: Service) -> Self {
        let behind = self.calls.as_ref().map(|calls| calls.behind()).unwrap_or_default();
        Self::after(Arc::clone(&self.arrivals), service, self.seed, self.clock, behind)
    }

    /// The same from the beginning, in the time of `clock`.
    pub(crate) fn anew(&self, service: Service, clock: Clock) -> Self {
        let behind = self.calls.as_ref().map(|calls| calls.behind()).unwrap_or_default();
        Self::new(service, self.seed, clock, behind)
    }

    /// What the service is now.
    pub(crate) fn service(&self) -> Arc<Service> {
        Arc::clone(&self.service.borrow())
    }

    /// Tells of each service that takes the place of the one before.
    pub(crate) fn services(&self) -> watch::Receiver<Arc<Service>> {
        self.service.subscribe()
    }

    /// Puts `service` in the place of what it is now. Its limits and the rule of its capacity stay what they are.
    pub(crate) fn change(&self, service: Service) {
        self.service.send_replace(Arc::new(service));
    }

    pub(crate) fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it makes a difference who has gone before the answer.
    pub(crate) const fn minds_who_is_gone(&self) -> bool {
        self.site.is_some() || self.calls.is_some()
    }

    /// Whether connections are refused at `elapsed`, and the next time after that at which that may change.
    pub(crate) fn refusal(&self, elapsed: Duration) -> (bool, Option<Duration>) {
        let service = self.service();
        (service.refuses_at(elapsed), service.next_refusal_change(elapsed))
    }
}
