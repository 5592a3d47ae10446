//! The limits of the service in a run: who is let in, and what the others are told.

use std::collections::BTreeMap;
use std::time::Duration;

use brownout_draw::Seed;
use brownout_load::{Carried, LimitsResult, Reply, RequestLine};
use brownout_policy::{Failure, names_throttling};
use brownout_service::{
    Asked, Asker, Leave, LimitKey, Limiters, Permit, Refused, Request, Service, limit_key, shown_key,
};

use super::crowd::Crowd;
use super::node::{ENTRY, Node};
use super::{Observer, Run, Stage};

/// What lets attempts in.
#[derive(Debug)]
pub(super) struct Gate<'w> {
    /// What all requests ask for, where that is the same.
    request: &'w Request<'w>,
    limiters: Limiters,
    /// Of each limit, whether its refusals say in their body what they are.
    throttling: Vec<bool>,
    /// What attempts hold that count as under way, by their slots.
    held: BTreeMap<u32, Permit>,
}

/// A client in virtual time: a number, in one of the processes that its crowd lives in. Both are counted through all crowds.
struct Caller<'c> {
    client: u32,
    process: u32,
    /// What its requests carry, in which run, and in which of its calls.
    carried: (&'c Carried, Seed, u64),
}

impl<'c> Caller<'c> {
    /// Client number `client` of all, which is number `own` of its crowd.
    const fn new(client: u32, crowd: &Crowd<'_>, own: u32, carried: (&'c Carried, Seed, u64)) -> Self {
        Self { client, process: crowd.first.1 + own % crowd.load.processes.get(), carried }
    }

    /// What tells the value of the header that `key` names from others, where its requests carry one.
    fn header<'k>(&self, key: &'k LimitKey) -> Option<(&'k str, u64)> {
        let LimitKey::Header(name) = key else { return None };
        let (carried, seed, call) = self.carried;
        Some((name, limit_key(carried.value(name, seed, call)?.as_bytes())))
    }
}

impl Asker for Caller<'_> {
    fn key(&self, key: &LimitKey) -> u64 {
        if let Some((_, value)) = self.header(key) {
            return value;
        }
        u64::from(if matches!(key, LimitKey::Address) { self.process } else { self.client })
    }

    fn name(&self, key: &LimitKey) -> String {
        if let Some((name, value)) = self.header(key) {
            return shown_key(name, value);
        }
        match key {
            LimitKey::Address => format!("process {}", self.process),
            _ => format!("client {}", self.client),
        }
    }
}

impl Gate<'_> {
    /// The service is done with the attempt in slot `index`.
    pub(super) fn release(&mut self, index: u32) {
        if let Some(permit) = self.held.remove(&index) {
            self.limiters.give_back(permit);
        }
    }

    pub(super) fn result(&self, service: &Service) -> LimitsResult {
        LimitsResult::new(self.limiters.counts(service), self.limiters.early_returns())
    }
}

impl<'w, O: Observer> Run<'w, O> {
    /// The same run with the limits of the service that clients call, whose calls all ask for `request`, unless each draws its own.
    ///
    /// - `epoch`: the time of day when it begins, where answers are written out.
    pub(crate) fn limited(mut self, request: &'w Request<'w>, epoch: Option<Duration>) -> Self {
        let service = self.nodes[usize::from(ENTRY)].service;
        self.gate = Limiters::new(service, epoch).map(|limiters| Gate {
            request,
            limiters,
            throttling: service.limits().iter().map(|limit| names_throttling(&limit.body)).collect(),
            held: BTreeMap::new(),
        });
        self
    }

    /// Whether the limits let in attempt `index`, which has reached the service. If not, it has been answered.
    pub(super) fn let_in(&mut self, index: u32) -> bool {
        let attempt = &mut self.attempts[index];
        let Some(gate) = self.gate.as_mut().filter(|_| attempt.node == ENTRY) else { return true };
        let Node { service, route, .. } = self.nodes[usize::from(ENTRY)];
        attempt.reached = self.now;
        let drawn = self.load.carried.drawn(self.seed, attempt.request).map(|drawn| drawn.line());
        let seen = drawn.as_ref().map(RequestLine::seen);
        let route = seen.as_ref().map_or(route, |seen| service.route(seen));
        let request = seen.as_ref().unwrap_or(gate.request);
        let asked = Asked { request, route, identity: attempt.identity() };
        let (crowd, own) = self.crowds.of_client(attempt.client);
        let carried = (&self.load.carried, self.seed, attempt.request);
        let caller = Caller::new(attempt.client, self.crowds.at(crowd), own, carried);
        match gate.limiters.ask(service, self.seed, &asked, &caller, (attempt.sent, self.now)) {
            Leave::Granted(permit) => {
                if permit.counts() {
                    gate.held.insert(index, permit);
                }
                true
            }
            Leave::Refused(refused) => {
                self.refuse(index, &refused);
                false
            }
        }
    }

    fn refuse(&mut self, index: u32, refused: &Refused) {
        let attempt = &mut self.attempts[index];
        attempt.stage = Stage::Answered;
        self.observer.refused(attempt.request, attempt.number, refused);
        let reply = Reply::Status(self.nodes[usize::from(ENTRY)].service.limits()[refused.limit].status);
        let failure = reply.failure(&self.load.success, refused.hint.map(|hint| hint.heard()));
        let says_so = self.gate.as_ref().is_some_and(|gate| gate.throttling[refused.limit]);
        self.bring(index, reply, if says_so { failure.map(Failure::throttled) } else { failure });
    }
}

#[cfg(test)]
mod tests;
