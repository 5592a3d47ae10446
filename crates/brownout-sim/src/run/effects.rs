//! What the service has done in a run.

use brownout_load::EffectResult;
use brownout_service::{EffectKey, Ledger, Service};

use super::node::ENTRY;
use super::{Observer, Run};

/// The effects of the service that clients call.
#[derive(Debug)]
pub(super) struct Books(Ledger);

impl Books {
    /// Those of `service`; `None` where it has no effects.
    pub(super) fn new(service: &Service) -> Option<Self> {
        Ledger::new(service).map(Self)
    }

    pub(super) fn result(&self) -> Vec<EffectResult> {
        self.0.account().into_iter().map(EffectResult::new).collect()
    }
}

impl<O: Observer> Run<'_, O> {
    /// Everything is done for attempt `index` but to answer it: what it has done is entered, if anything.
    #[cold]
    pub(super) fn enter_effect(&mut self, index: u32) {
        let attempt = &self.attempts[index];
        let Some(Books(ledger)) = &mut self.books else { return };
        if attempt.node != ENTRY || attempt.bad_gateway || !attempt.outcome.has_effect() {
            return;
        }
        let node = &self.nodes[usize::from(ENTRY)];
        let route = node.route_of(self.seed, attempt.request);
        let Some(effect) = node.service.effect(route) else { return };
        let value = self.load.carried.value(&effect.header, self.seed, attempt.request);
        let key = EffectKey::of(value.as_ref().map(|value| value.as_bytes()), Some(attempt.request));
        ledger.record(route, key);
    }
}
