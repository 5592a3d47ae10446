//! What a server has done, entered in its ledger once the work is done.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use brownout_service::{Done, EffectCounts, EffectKey, Identity, Ledger, RouteId, Service};
use hyper::HeaderMap;
use hyper::header::HeaderValue;

/// The effects of a service.
#[derive(Debug)]
pub(crate) struct Effects {
    service: Arc<Service>,
    ledger: Mutex<Ledger>,
}

/// What is to be entered once the work of a request is done; dropped, it was not.
#[derive(Debug)]
pub(crate) struct Posting {
    effects: Arc<Effects>,
    route: RouteId,
    key: Option<EffectKey>,
    /// Told what became of it.
    told: Option<Arc<OnceLock<Done>>>,
}

impl Effects {
    /// Those of `service`; `None` where it has no effects.
    pub(crate) fn new(service: &Arc<Service>) -> Option<Arc<Self>> {
        let ledger = Mutex::new(Ledger::new(service)?);
        Some(Arc::new(Self { service: Arc::clone(service), ledger }))
    }

    /// What a request at `route` with these `headers` is to do; `told` is who it says it is, if it says so.
    pub(crate) fn posting(
        self: &Arc<Self>,
        route: RouteId,
        headers: &HeaderMap,
        told: Option<Identity>,
    ) -> Option<Posting> {
        let effect = self.service.effect(route)?;
        let value = headers.get(&*effect.header).map(HeaderValue::as_bytes);
        let key = EffectKey::of(value, told.map(|identity| identity.request));
        Some(Posting { effects: Arc::clone(self), route, key, told: None })
    }

    /// What it came to so far, effect by effect.
    pub(crate) fn account(&self) -> Vec<EffectCounts> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).account()
    }
}

impl Posting {
    /// The same, which tells `told` what became of it.
    pub(crate) fn telling(self, told: Option<&Arc<OnceLock<Done>>>) -> Self {
        Self { told: told.map(Arc::clone), ..self }
    }

    /// The work is done.
    pub(crate) fn done(self) {
        let done = self.effects.ledger.lock().unwrap_or_else(PoisonError::into_inner).record(self.route, self.key);
        if let (Some(told), Some(done)) = (self.told, done) {
            // Each is done once.
            let _ = told.set(done);
        }
    }
}
