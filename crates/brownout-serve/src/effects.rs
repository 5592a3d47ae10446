//! What a server has done, entered in its ledger once the work is done.

use std::sync::{Arc, Mutex, PoisonError};

use brownout_service::{EffectCounts, EffectKey, Identity, Ledger, RouteId, Service};
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
        Some(Posting { effects: Arc::clone(self), route, key })
    }

    /// What it came to so far, effect by effect.
    pub(crate) fn account(&self) -> Vec<EffectCounts> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).account()
    }
}

impl Posting {
    /// The work is done.
    pub(crate) fn done(self) {
        self.effects.ledger.lock().unwrap_or_else(PoisonError::into_inner).record(self.route, self.key);
    }
}
