//! A service, its callers and their luck.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use brownout_draw::{Seed, Stream, draw};
use brownout_load::{Attempt, CallEnd, CallTrace, Exchange, Load, LoadResult, Reply, Tally, Trail};
use brownout_policy::{Call, Policy, Transport, Verdict};
use brownout_service::{Decision, Identity, Request, RouteId, Service};

/// What a run in virtual time is made of. Every method is a pure function.
#[derive(Clone, Copy, Debug)]
pub struct World<'w> {
    /// What the service does.
    pub service: &'w Service,
    /// What its callers do.
    pub policy: &'w Policy,
    /// The luck of both.
    pub seed: Seed,
}

/// A client that is free for its next call: when, and which of them; the lower number goes first.
type Free = Reverse<(Duration, u64)>;

impl<'w> World<'w> {
    /// One attempt, without a policy: attempt 1 of call `number`, begun at `started`, within `allowance` if there is one.
    #[must_use]
    pub fn request(
        &self,
        request: &Request<'_>,
        number: u64,
        started: Duration,
        allowance: Option<Duration>,
    ) -> Exchange {
        let route = self.service.route(request);
        let decision = self.service.decide(self.seed, route, Identity::first(number), started);
        match allowance {
            Some(allowance) if allowance < decision.latency => Exchange::timed_out(allowance),
            _ => exchange(&decision, request),
        }
    }

    /// Call `number` with all its attempts, begun at the beginning of the run.
    #[must_use]
    pub fn trace(&self, request: &Request<'_>, number: u64) -> CallTrace {
        let mut trail = Trail::default();
        let mut last = None;
        let end = self.call(self.service.route(request), number, Duration::ZERO, |attempt, decision| {
            trail.push(*attempt);
            last = Some((*attempt, *decision));
        });
        let last = match last {
            Some((Attempt { reply: Reply::Status(_), .. }, decision)) => exchange(&decision, request),
            Some((attempt, _)) => Exchange::timed_out(attempt.latency),
            None => unreachable!("a call makes at least one attempt"),
        };
        CallTrace { trail, last, end }
    }

    /// A whole load: closed clients that begin together, each making its next call when the last one ended.
    ///
    /// Call numbers are given out in the order in which calls start, from 1; of clients that are free at the
    /// same instant, the lowest goes first.
    #[must_use]
    pub fn load(&self, request: &Request<'_>, load: &Load) -> LoadResult {
        let route = self.service.route(request);
        let mut tally = Tally::new(self.service.phases());
        let clients = 0..load.busy_clients();
        let mut free: BinaryHeap<Free> = clients.map(|client| Reverse((Duration::ZERO, client))).collect();
        for number in 1..=load.count {
            let Some(Reverse((now, client))) = free.pop() else { break };
            let end = self.call(route, number, now, |attempt, _| tally.attempt(attempt));
            tally.call(&end);
            let pause = load.pause(self.seed, number);
            free.push(Reverse((now.saturating_add(end.elapsed).saturating_add(pause), client)));
        }
        tally.result(load.count)
    }

    /// Call `number` at `route`, begun at `started`; `observe` sees each attempt once it is over.
    pub fn call(
        &self,
        route: RouteId,
        number: u64,
        started: Duration,
        mut observe: impl FnMut(&Attempt, &Decision<'w>),
    ) -> CallEnd {
        let mut call = Call::new(self.policy);
        let mut elapsed = Duration::ZERO;
        loop {
            let identity = Identity { request: number, attempt: call.attempt() };
            let now = started.saturating_add(elapsed);
            let decision = self.service.decide(self.seed, route, identity, now);
            let allowance = match call.begin(elapsed) {
                Ok(allowance) => allowance,
                Err(reason) => return CallEnd { started, elapsed, failed: Some(reason) },
            };
            let (reply, latency) = match allowance {
                Some(allowance) if allowance < decision.latency => (Reply::Broken(Transport::Timeout), allowance),
                _ => (Reply::Status(decision.outcome.status()), decision.latency),
            };
            elapsed = elapsed.saturating_add(latency);
            let asked = matches!(reply, Reply::Status(_)).then(|| decision.outcome.retry_after()).flatten();
            let verdict = reply.failure(asked).map(|failure| {
                let draw = draw(self.seed, Stream::JITTER, number, identity.attempt.get());
                call.failed(elapsed, &failure, draw)
            });
            observe(&Attempt { number: identity.attempt, started: now, latency, reply, verdict }, &decision);
            match verdict {
                None => return CallEnd { started, elapsed, failed: None },
                Some(Verdict::Stop(reason)) => return CallEnd { started, elapsed, failed: Some(reason) },
                Some(Verdict::Retry { after, .. }) => elapsed = elapsed.saturating_add(after),
            }
        }
    }
}

/// The whole answer that a decision makes.
fn exchange(decision: &Decision<'_>, request: &Request<'_>) -> Exchange {
    let response = decision.respond(request);
    Exchange {
        reply: Reply::Status(response.status),
        retry_after: decision.outcome.retry_after(),
        headers: response.headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect(),
        body: response.body.into_owned(),
        latency: decision.latency,
        error: None,
    }
}

#[cfg(test)]
mod tests;
