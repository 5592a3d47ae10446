//! A service, its callers and their luck.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::{Distribution, Seed};
use brownout_load::{
    Arrivals, Attempt, CallEnd, CallTrace, Carried, Exchange, Graph, Load, LoadResult, Numbers, Reply, RequestLine,
    Shard, Trail,
};
use brownout_policy::{Policy, Settings, Success, Transport};
use brownout_service::{Decision, Fault, Identity, Refused, Request, Response, Seen, Service, Shed};

use crate::heard;
use crate::run::{Limits, Observer, Run, landed};

/// What a run in virtual time is made of. Every method is a pure function.
#[derive(Clone, Copy, Debug)]
pub struct World<'w> {
    /// What the service does.
    pub service: &'w Service,
    /// What its callers do.
    pub policy: &'w Policy,
    /// The luck of both.
    pub seed: Seed,
    /// The services behind.
    pub graph: &'w Graph,
    /// What a call carries that is of no load; where it draws its request, no other is looked at.
    pub carried: &'w Carried,
    /// Which answers are a success for a call that is of no load.
    pub success: &'w Success,
    /// Which part of a load is run, where the whole is not.
    pub shard: Option<Shard>,
    /// Whether it is kept of each interval what takes time and memory: latencies, and what budgets and breakers leave open.
    pub details: bool,
}

/// Nothing behind the service that clients call.
const ALONE: &Graph = &Graph::NONE;

/// Nothing but a request.
const BARE: &Carried = &Carried::NOTHING;

impl<'w> World<'w> {
    /// A service that calls no others.
    #[must_use]
    pub const fn new(service: &'w Service, policy: &'w Policy, seed: Seed) -> Self {
        Self {
            service,
            policy,
            seed,
            graph: ALONE,
            carried: BARE,
            success: Success::BELOW_400,
            shard: None,
            details: false,
        }
    }

    /// The same with the services behind it that it calls.
    #[must_use]
    pub const fn with_graph(self, graph: &'w Graph) -> Self {
        Self { graph, ..self }
    }

    /// The same with calls that carry this, where they are of no load, which says so itself.
    #[must_use]
    pub const fn with_carried(self, carried: &'w Carried) -> Self {
        Self { carried, ..self }
    }

    /// The same with calls that take these answers for a success, where they are of no load, which says so itself.
    #[must_use]
    pub const fn with_success(self, success: &'w Success) -> Self {
        Self { success, ..self }
    }

    /// The same, of whose load only a part is run: as if nobody else were about.
    #[must_use]
    pub const fn with_shard(self, shard: Option<Shard>) -> Self {
        Self { shard, ..self }
    }

    /// The same, of whose loads the latencies of each interval are kept, and what budgets and breakers leave open; both take time and
    /// memory.
    #[must_use]
    pub const fn with_details(self, details: bool) -> Self {
        Self { details, ..self }
    }

    /// One attempt, without a policy: attempt 1 of call `number`, begun at `started`, within `allowance` if there is one.
    ///
    /// Nobody else is about: where the service has a capacity, a worker takes the attempt as soon as there is one.
    #[must_use]
    pub fn request(
        &self,
        request: &Request<'_>,
        number: u64,
        started: Duration,
        allowance: Option<Duration>,
    ) -> Exchange {
        let once = Settings { max_retries: Some(0), attempt_timeout: allowance, ..Settings::default() };
        let policy = Policy::new(once).expect("a timeout alone contradicts nothing");
        let traced = World { policy: &policy, ..*self }.call(request, number, started);
        traced.map_or_else(|why| Exchange::broken(Transport::Timeout, Duration::ZERO, why), |trace| trace.last)
    }

    /// Call `number` with all its attempts, begun at the beginning of the run, with nobody else about.
    ///
    /// # Errors
    /// What cut the run short, where no attempt was made to its end or the call did not end.
    pub fn trace(&self, request: &Request<'_>, number: u64) -> Result<CallTrace, String> {
        self.call(request, number, Duration::ZERO)
    }

    /// The same for a call that begins at `started`.
    fn call(&self, request: &Request<'_>, number: u64, started: Duration) -> Result<CallTrace, String> {
        let arrivals = Arrivals::Closed { think: None, start: Some(Distribution::fixed(started)) };
        let (carried, success) = (self.carried.clone(), self.success.clone());
        let load = Load { count: Some(1), arrivals, carried, success, ..Load::default() };
        let watch = Watch::default();
        let drawn = self.carried.drawn(self.seed, number).map(|drawn| drawn.line());
        let seen = drawn.as_ref().map(RequestLine::seen);
        let request = seen.as_ref().unwrap_or(request);
        let route = self.service.route(request);
        let run = Run::new(self.with_shard(None), &load, route, Numbers::from(number), Limits::default(), watch);
        let (cut_short, watch) = run.limited(request, Some(Duration::ZERO)).watched();
        let Watch { trail, last, end, refused } = watch;
        let (Some(end), Some((attempt, reached))) = (end, last) else {
            return Err(cut_short.unwrap_or_else(|| "the policy let no attempt through".to_owned()));
        };
        let last = match (attempt.reply, reached) {
            (Reply::Status(status), Some(reached)) => {
                let identity = Identity { request: number, attempt: attempt.number };
                let landed = landed(self.service, self.seed, identity, 0, self.carried);
                let mut decision = self.service.decide(self.seed, route, landed, reached);
                decision.latency = Duration::from_nanos(attempt.latency_ns);
                // What was refused or shed never came to its outcome.
                if let Some((_, refused)) = refused.filter(|(number, _)| *number == attempt.number) {
                    self.limited(*refused, &decision)
                } else if decision.seen() == Seen::Status(status) {
                    let lasts = decision.fault.map(Fault::lasts).unwrap_or_default();
                    decision.latency = decision.latency.saturating_sub(lasts);
                    exchange(&decision, request)
                } else if status == Service::BAD_GATEWAY && !self.graph.calls.is_empty() {
                    written(decision.bad_gateway(), decision.latency)
                } else {
                    Exchange::refused(status, decision.latency, self.shed_retry_after())
                }
            }
            (Reply::Broken(transport @ (Transport::Reset | Transport::Closed | Transport::Protocol)), Some(_)) => {
                let latency = Duration::from_nanos(attempt.latency_ns);
                let broken = Seen::BROKEN.into_iter().find(|seen| heard::reply(*seen) == Reply::Broken(transport));
                Exchange::broken(transport, latency, broken.and_then(heard::error).unwrap_or_default().to_owned())
            }
            (Reply::Broken(Transport::Connect), _) => refused_connection(Duration::from_nanos(attempt.latency_ns)),
            _ => Exchange::timed_out(Duration::from_nanos(attempt.latency_ns)),
        };
        Ok(CallTrace { trail, last, end })
    }

    /// The whole answer to a request that a limit refused.
    fn limited(&self, refused: Refused, decision: &Decision<'_>) -> Exchange {
        let (hint, latency) = (refused.hint, decision.latency);
        let response = refused.respond(self.service, decision);
        Exchange { retry_after: hint.map(|hint| hint.heard()), ..written(response, latency) }
    }

    /// What a request that is not taken is told to wait.
    fn shed_retry_after(&self) -> Option<Duration> {
        match self.service.capacity()?.shed {
            Shed::Answer { retry_after, .. } => retry_after,
            Shed::Silent => None,
        }
    }

    /// A whole load.
    ///
    /// Call numbers are given out in the order in which calls start, from 1, in each cohort its own; of clients that are free at the
    /// same instant, the one that became free first goes first.
    #[must_use]
    pub fn load(&self, request: &Request<'_>, load: &Load) -> LoadResult {
        self.watch(request, load, Limits::default(), ()).0
    }

    /// A whole load with an observer looking on; the observer is handed back.
    pub fn watch<O: Observer>(
        &self,
        request: &Request<'_>,
        load: &Load,
        limits: Limits,
        observer: O,
    ) -> (LoadResult, O) {
        Run::new(*self, load, self.service.route(request), Numbers::from(1), limits, observer)
            .limited(request, None)
            .finish()
    }
}

/// Keeps the attempts of one call.
#[derive(Default)]
struct Watch {
    trail: Trail,
    last: Option<(Attempt, Option<Duration>)>,
    end: Option<CallEnd>,
    /// The last refusal by a limit, and of which attempt.
    refused: Option<(NonZeroU32, Box<Refused>)>,
}

impl Observer for Watch {
    fn attempt(&mut self, _: u64, attempt: &Attempt, reached: Option<Duration>) {
        self.trail.push(*attempt);
        // Copies that are cancelled end after the one that was answered.
        if attempt.reply != Reply::Broken(Transport::Cancelled) {
            self.last = Some((*attempt, reached));
        }
    }

    fn refused(&mut self, _: u64, attempt: NonZeroU32, refused: &Refused) {
        self.refused = Some((attempt, Box::new(refused.clone())));
    }

    fn call(&mut self, _: u64, end: &CallEnd) {
        self.end = Some(*end);
    }
}

/// Nobody listened.
fn refused_connection(latency: Duration) -> Exchange {
    Exchange::broken(Transport::Connect, latency, "the connection was refused".to_owned())
}

/// The whole answer that a decision makes.
fn exchange(decision: &Decision<'_>, request: &Request<'_>) -> Exchange {
    let retry_after = decision.fault.map_or(decision.outcome.retry_after(), heard::wait);
    Exchange { retry_after, ..written(decision.respond(request), decision.until_seen()) }
}

/// An answer as its caller sees it; what it asks for is to be read.
fn written(response: Response, latency: Duration) -> Exchange {
    Exchange {
        reply: Reply::Status(response.status),
        retry_after: None,
        headers: response.headers.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        body: response.body.into_owned(),
        latency,
        error: None,
        own_failure: false,
    }
}

#[cfg(test)]
mod tests;
