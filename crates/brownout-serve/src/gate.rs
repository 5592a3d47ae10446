//! The limits of a service under the real clock.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brownout_clock::Clock;
use brownout_draw::{Seed, nanos};
use brownout_service::{
    Asked, Asker, EarlyReturns, Leave, Limit, LimitCounts, LimitKey, Limiters, Permit, Refused, Service, limit_key,
    shown_key,
};
use hyper::HeaderMap;

use crate::books::Client;

/// The limits at work.
#[derive(Debug)]
pub(crate) struct Gate {
    seed: Seed,
    clock: Clock,
    limiters: Mutex<Limiters>,
}

/// Leave to go on, given back when the last who needs it is gone: whoever makes the answer, or the worker.
#[derive(Debug)]
pub(crate) struct Held {
    gate: Arc<Gate>,
    permit: Permit,
}

/// Who sent a request, as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer<'h> {
    pub(crate) headers: &'h HeaderMap,
    pub(crate) address: IpAddr,
}

impl Gate {
    /// The limits of `service`, in the time of `clock`; `None` where it has none.
    pub(crate) fn new(service: &Service, seed: Seed, clock: Clock) -> Option<Arc<Self>> {
        // By this clock and that of the system it began at the same moment.
        let limiters = Limiters::new(service, Some(time_of_day().saturating_sub(clock.now())))?;
        Some(Arc::new(Self { seed, clock, limiters: Mutex::new(limiters) }))
    }

    /// Asks leave of `service` for a request that has just come.
    pub(crate) fn ask(
        self: &Arc<Self>,
        service: &Service,
        asked: &Asked<'_>,
        peer: &Peer<'_>,
    ) -> Result<Held, Box<Refused>> {
        let mut limiters = self.limiters();
        // Taken once it is this request's turn, so that time never goes back for the limits.
        let now = nanos(self.clock.now());
        match limiters.ask(service, self.seed, asked, peer, (now, now)) {
            Leave::Granted(permit) => Ok(Held { gate: Arc::clone(self), permit }),
            Leave::Refused(refused) => Err(refused),
        }
    }

    /// What each limit of `service` did, and who came back too early.
    pub(crate) fn account(&self, service: &Service) -> (Vec<LimitCounts>, EarlyReturns) {
        let limiters = self.limiters();
        (limiters.counts(service), limiters.early_returns())
    }

    fn limiters(&self) -> MutexGuard<'_, Limiters> {
        self.limiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Since the Unix epoch.
pub(crate) fn time_of_day() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Held {
    /// The client that came before it was told to, if it did.
    pub(crate) fn take_early(&mut self) -> Option<String> {
        self.permit.early.take()
    }

    /// What the answer tells of what is left.
    pub(crate) fn fields(&self) -> &[(&'static str, std::borrow::Cow<'static, str>)] {
        &self.permit.fields
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.permit.counts() {
            self.gate.limiters().give_back(std::mem::take(&mut self.permit));
        }
    }
}

impl Peer<'_> {
    fn text(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(hyper::header::HeaderValue::as_bytes).filter(|value| !value.is_empty())
    }

    fn named(&self) -> Option<&str> {
        self.text(LimitKey::CLIENT_HEADER).and_then(|text| std::str::from_utf8(text).ok())
    }

    /// Who it is: by the header that a limit of `service` tells clients apart by, else by what it says of itself, else by its address.
    pub(crate) fn client(&self, service: &Service) -> Client {
        let header = |limit: &Limit| match &limit.key {
            LimitKey::Header(name) => Some(shown_key(name, limit_key(self.text(name)?))),
            _ => None,
        };
        match service.limits().iter().find_map(header) {
            Some(key) => Client::Keyed(key.into()),
            None => self.named().map_or(Client::Address(self.address), Client::named),
        }
    }
}

impl Asker for Peer<'_> {
    fn key(&self, key: &LimitKey) -> u64 {
        let address = || limit_key(self.address.to_string().as_bytes());
        match key {
            LimitKey::Header(name) => limit_key(self.text(name).unwrap_or_default()),
            LimitKey::Client => self.named().map_or_else(address, |client| limit_key(client.as_bytes())),
            _ => address(),
        }
    }

    /// The value of a header may be a secret, so that only its fingerprint is shown.
    fn name(&self, key: &LimitKey) -> String {
        match (key, self.named()) {
            (LimitKey::Header(name), _) => match self.text(name) {
                Some(value) => shown_key(name, limit_key(value)),
                None => format!("no {name}"),
            },
            (LimitKey::Client, Some(name)) => Client::named(name).to_string(),
            _ => self.address.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
