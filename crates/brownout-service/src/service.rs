//! A service: what it does by default, on its routes, and in its phases.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::{Ahead, Distribution, ROW, Seed, Stream, draw, draw_row, nanos, unit};

use crate::outcome::Pace;
use crate::steady::first_or;
use crate::{
    Cache, Capacity, Decision, Effect, Factor, Identity, Landed, Limit, Outcomes, Pattern, Phase, Replicas, Request,
    Steady, phase,
};

mod checks;
mod holding;

pub use checks::ServiceError;
use checks::{ambiguous_effects, misplaced_phases, pointless_limits, pointless_phases, unreachable_routes};
pub use holding::Holding;

/// How attempts go: which outcomes at what rates, and how long they take.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    /// One weighted draw an attempt.
    pub outcomes: Outcomes,
    /// One draw an attempt.
    pub latency: Distribution,
}

/// A behaviour in part: what is `None` stays as it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Other outcomes.
    pub outcomes: Option<Outcomes>,
    /// Another latency.
    pub latency: Option<Distribution>,
}

/// A route and what is different on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Which requests it takes.
    pub pattern: Pattern,
    /// What it changes of the service's own behaviour.
    pub change: Change,
}

/// Which route took a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(Option<usize>);

/// A service. Checked when it is built; deciding cannot fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    base: Behaviour,
    routes: Vec<Route>,
    phases: Vec<Phase>,
    capacity: Option<Capacity>,
    cache: Option<Cache>,
    limits: Vec<Limit>,
    /// By the place of the route; empty without any.
    effects: Vec<Option<Effect>>,
    replicas: Option<Replicas>,
    /// Whether a phase makes anything take longer.
    slows: bool,
    /// Whether a phase throttles the intake.
    throttles: bool,
    /// Whether a phase refuses connections.
    refuses: bool,
}

/// The practice service: see [`Outcomes::default`]; latency uniform from 10 to 500 ms.
impl Default for Behaviour {
    fn default() -> Self {
        let latency = Distribution::uniform(Duration::from_millis(10), Duration::from_millis(500));
        Self { outcomes: Outcomes::default(), latency: latency.expect("10 ms is below 500 ms") }
    }
}

impl RouteId {
    /// No route of the service took it, so the service's own behaviour holds.
    pub const UNMATCHED: Self = Self(None);

    /// A number for each route; 0 for the requests that none takes.
    pub(crate) const fn ordinal(self) -> u64 {
        match self.0 {
            None => 0,
            Some(index) => index as u64 + 1,
        }
    }

    /// Its place in a list in which what no route takes comes first.
    pub(crate) const fn place(self) -> usize {
        match self.0 {
            None => 0,
            Some(index) => index + 1,
        }
    }
}

/// What holds for an attempt: the behaviour of the service, its route and the phases that the attempt meets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InForce<'s> {
    /// The route's pattern.
    pub(crate) label: Option<&'s str>,
    pub(crate) outcomes: &'s Outcomes,
    pub(crate) latency: &'s Distribution,
    /// The phase that they are of, where they are of one.
    pub(crate) outcomes_phase: Option<&'s Phase>,
    pub(crate) latency_phase: Option<&'s Phase>,
}

/// What is drawn for attempt `identity` from the part of `stream` that its route has.
pub(crate) fn drawn(seed: Seed, stream: Stream, label: Option<&str>, identity: Identity) -> u64 {
    draw(seed, stream.within(label.unwrap_or_default()), identity.request, identity.attempt.get())
}

impl Service {
    /// A service with this `base` behaviour. The first route that matches takes a request; a request that
    /// none takes meets the base. Phases change every route.
    ///
    /// # Errors
    /// All that is wrong at once: routes that can never match, phases that can never take effect.
    pub fn new(base: Behaviour, routes: Vec<Route>, phases: Vec<Phase>) -> Result<Self, Vec<ServiceError>> {
        let mut errors = unreachable_routes(&routes);
        errors.extend(pointless_phases(&phases));
        if !errors.is_empty() {
            return Err(errors);
        }
        let (slows, throttles, refuses) = says_of(&phases);
        let (capacity, cache, limits, effects) = (None, None, Vec::new(), Vec::new());
        let replicas = None;
        Ok(Self { base, routes, phases, capacity, cache, limits, effects, replicas, slows, throttles, refuses })
    }

    /// The same service with a bound on what it does at once.
    ///
    /// # Errors
    /// Without a capacity, where a phase changes it.
    pub fn with_capacity(mut self, capacity: Option<Capacity>) -> Result<Self, Vec<ServiceError>> {
        let cuts = |phase: &Phase| phase.factors.capacity.is_some();
        if capacity.is_none()
            && let Some(index) = self.phases.iter().position(cuts)
        {
            let name = self.phases[index].name.clone();
            return Err(vec![ServiceError::NoCapacity { index, name }]);
        }
        self.capacity = capacity;
        Ok(self)
    }

    /// The same service as several alike.
    ///
    /// # Errors
    /// Phases of replicas that there are not, or that change what replicas share.
    pub fn with_replicas(mut self, replicas: Option<Replicas>) -> Result<Self, Vec<ServiceError>> {
        let errors = misplaced_phases(&self.phases, replicas.as_ref());
        if !errors.is_empty() {
            return Err(errors);
        }
        self.replicas = replicas;
        Ok(self)
    }

    /// The same service with a cache in front of what it calls.
    #[must_use]
    pub const fn with_cache(mut self, cache: Option<Cache>) -> Self {
        self.cache = cache;
        self
    }

    /// The cache in front of what it calls.
    #[must_use]
    pub const fn cache(&self) -> Option<Cache> {
        self.cache
    }

    /// The same service with other phases. A limit that tells callers to wait for the end of one is honest where none is left.
    ///
    /// # Errors
    /// As [`new`](Self::new), [`with_capacity`](Self::with_capacity) and [`with_replicas`](Self::with_replicas).
    pub fn with_phases(&self, phases: Vec<Phase>) -> Result<Self, Vec<ServiceError>> {
        let same = Self::new(self.base.clone(), self.routes.clone(), phases)?.with_capacity(self.capacity.clone())?;
        let same = same.with_replicas(self.replicas.clone())?;
        let (limits, effects) = (self.limits.clone(), self.effects.clone());
        Ok(Self { limits, effects, ..same.with_cache(self.cache) })
    }

    /// The same service with the times of its phases worked out. They are not held against each other as those of a file are:
    /// what comes by chance may come while something else hides it.
    #[must_use]
    pub fn scheduled(self, phases: Vec<Phase>) -> Self {
        let (slows, throttles, refuses) = says_of(&phases);
        Self { phases, slows, throttles, refuses, ..self }
    }

    /// The same service with limits on what callers get, in the order in which they are asked.
    ///
    /// # Errors
    /// Two limits of one name, requests that could never get through, and limits that speak of routes or phases that there are
    /// not.
    pub fn with_limits(mut self, limits: Vec<Limit>) -> Result<Self, Vec<ServiceError>> {
        let errors = pointless_limits(&self, &limits);
        if !errors.is_empty() {
            return Err(errors);
        }
        self.limits = limits;
        Ok(self)
    }

    /// The same service with what its requests do: those that no route takes first, then those of each route, in their order.
    ///
    /// # Errors
    /// Where one name stands for effects that differ.
    pub fn with_effects(mut self, effects: Vec<Option<Effect>>) -> Result<Self, Vec<ServiceError>> {
        let errors = ambiguous_effects(&effects);
        if !errors.is_empty() {
            return Err(errors);
        }
        self.effects = if effects.iter().any(Option::is_some) { effects } else { Vec::new() };
        Ok(self)
    }

    /// Which route takes `request`.
    #[must_use]
    pub fn route(&self, request: &Request<'_>) -> RouteId {
        RouteId(self.routes.iter().position(|route| route.pattern.matches(request)))
    }

    /// What an attempt at `route` meets, `elapsed` after the run began; one that [`land`](Self::land)ed somewhere, what is there.
    ///
    /// One weighted outcome draw and one latency draw, both keyed by the identity. Each route draws from a part
    /// of the stream that carries its pattern, so the tenth request of one route says nothing of the tenth of another.
    #[must_use]
    pub fn decide(&self, seed: Seed, route: RouteId, attempt: impl Into<Landed>, elapsed: Duration) -> Decision<'_> {
        let landed @ Landed { identity, replica } = attempt.into();
        let InForce { label, outcomes, latency, outcomes_phase, latency_phase } =
            self.in_force(seed, route, landed, elapsed);
        let draw = |stream: Stream| drawn(seed, stream, label, identity);
        // What is certain needs no draw; draws shift nobody else's luck, made or not.
        let outcome = outcomes.certain().unwrap_or_else(|| outcomes.pick(draw(Stream::OUTCOME)));
        let fault = if outcome.is_fault() { outcomes.fault(outcome, || draw(Stream::OUTCOME)) } else { None };
        let latency = match outcome.pace() {
            Pace::Drawn if latency.is_fixed() => latency.sample(0),
            Pace::Drawn => latency.sample(draw(Stream::LATENCY)),
            Pace::Longest => latency.longest(),
        };
        let latency = self.slowed_on(replica, latency, elapsed);
        // Where two phases are on, the one that chose the outcome says more.
        let phase = outcomes_phase.or(latency_phase);
        let phase = phase.map(|phase| phase.name.as_str());
        Decision { identity, outcome, fault, latency, route: label, phase, replica }
    }

    /// What holds for an attempt at `route`, `elapsed` after the run began.
    pub(crate) fn in_force(&self, seed: Seed, route: RouteId, attempt: Landed, elapsed: Duration) -> InForce<'_> {
        let Landed { identity, replica } = attempt;
        let route = route.0.and_then(|index| self.routes.get(index));
        let own = route.map(|route| &route.change);
        let label = route.map(|route| route.pattern.as_str());
        let meets = |phase: &Phase, strength: f64| {
            meets(drawn(seed, Stream::PHASE.within(&phase.name), label, identity), strength)
        };
        let (mut outcomes_phase, mut latency_phase) = (None, None);
        if !self.phases.is_empty() {
            outcomes_phase = phase::replacing(&self.phases, elapsed, replica, meets, |change| change.outcomes.as_ref());
            latency_phase = phase::replacing(&self.phases, elapsed, replica, meets, |change| change.latency.as_ref());
        }
        let outcomes = outcomes_phase.map(|(_, outcomes)| outcomes).or(own.and_then(|own| own.outcomes.as_ref()));
        let latency = latency_phase.map(|(_, latency)| latency).or(own.and_then(|own| own.latency.as_ref()));
        InForce {
            label,
            outcomes: outcomes.unwrap_or(&self.base.outcomes),
            latency: latency.unwrap_or(&self.base.latency),
            outcomes_phase: outcomes_phase.map(|(phase, _)| phase),
            latency_phase: latency_phase.map(|(phase, _)| phase),
        }
    }

    /// What attempts at `route` meet, where no phase has a say in it.
    #[must_use]
    pub fn steady(&self, seed: Seed, route: RouteId) -> Option<Steady<'_>> {
        let changes = |phase: &Phase| phase.change != Change::default() || phase.factors.slowdown.is_some();
        if self.phases.iter().any(changes) {
            return None;
        }
        let route = route.0.and_then(|index| self.routes.get(index));
        let own = route.map(|route| &route.change);
        let outcomes = own.and_then(|own| own.outcomes.as_ref()).unwrap_or(&self.base.outcomes);
        let latency = own.and_then(|own| own.latency.as_ref()).unwrap_or(&self.base.latency);
        let label = route.map(|route| route.pattern.as_str()).unwrap_or_default();
        Some(Steady::new(outcomes, latency, seed, label))
    }

    /// How long a worker is busy with an attempt that it begins at `elapsed`, in nanoseconds; no time without a
    /// capacity.
    #[must_use]
    #[inline]
    pub fn work_ns(&self, seed: Seed, attempt: impl Into<Landed>, elapsed: Duration) -> u64 {
        let Some(capacity) = &self.capacity else { return 0 };
        let Landed { identity, replica } = attempt.into();
        self.slowed_ns(work_ns(&capacity.service_time, seed, identity), elapsed, || replica)
    }

    /// The same, for a driver that asks for the work of first attempts mostly in the order of their requests; where it landed is
    /// asked only where that matters.
    #[must_use]
    #[inline]
    pub fn work_ahead_ns(
        &self,
        seed: Seed,
        identity: Identity,
        elapsed: Duration,
        ahead: &mut Ahead,
        replica: impl FnOnce() -> Option<NonZeroU32>,
    ) -> u64 {
        let Some(Capacity { service_time, .. }) = &self.capacity else { return 0 };
        let alone = || work_ns(service_time, seed, identity);
        let row = |first, row: &mut _| {
            draw_row(seed, Stream::WORK, first, 1, (row, &mut [0; ROW]));
            service_time.sample_row(row);
        };
        let Identity { request, attempt } = identity;
        let work = if service_time.is_fixed() { alone() } else { first_or(ahead, request, attempt, row, alone) };
        self.slowed_ns(work, elapsed, replica)
    }

    #[inline]
    fn slowed_ns(&self, time: u64, elapsed: Duration, replica: impl FnOnce() -> Option<NonZeroU32>) -> u64 {
        if self.slows { nanos(self.slowed_on(replica(), Duration::from_nanos(time), elapsed)) } else { time }
    }

    /// Whether attempt `identity`, which reaches the service at `elapsed`, is let in. Who is not is answered at once with
    /// [`TURNED_AWAY`](Self::TURNED_AWAY), and never waits nor is worked on.
    #[must_use]
    #[inline]
    pub fn lets_in(&self, seed: Seed, identity: Identity, elapsed: Duration) -> bool {
        !self.throttles || self.is_lucky(seed, identity, elapsed)
    }

    /// Whether a phase throttles the intake, so that somebody may not be let in.
    #[must_use]
    #[inline]
    pub const fn throttles(&self) -> bool {
        self.throttles
    }

    /// Whether a phase refuses connections, so that there may be moments when nobody listens.
    #[must_use]
    #[inline]
    pub const fn refuses(&self) -> bool {
        self.refuses
    }

    /// Whether connections are refused at `elapsed`.
    #[must_use]
    #[inline]
    pub fn refuses_at(&self, elapsed: Duration) -> bool {
        self.refuses && phase::refuses(&self.phases, elapsed)
    }

    /// The next moment after `elapsed` at which that may change.
    #[must_use]
    pub fn next_refusal_change(&self, elapsed: Duration) -> Option<Duration> {
        phase::next_refusal(&self.phases, elapsed)
    }

    /// The status of who is not let in.
    pub const TURNED_AWAY: u16 = 503;

    /// The status of what was failed by a service behind.
    pub const BAD_GATEWAY: u16 = 502;

    fn is_lucky(&self, seed: Seed, identity: Identity, elapsed: Duration) -> bool {
        let share = self.intake(elapsed);
        share >= 1.0 || meets(draw(seed, Stream::INTAKE, identity.request, identity.attempt.get()), share)
    }

    /// The share of requests that is let in at `elapsed`.
    fn intake(&self, elapsed: Duration) -> f64 {
        phase::factor(&self.phases, elapsed, |factors| factors.intake)
    }

    /// The share that is let in, and what is drawn for attempt `identity`, as a share.
    pub(crate) fn intake_of(&self, seed: Seed, identity: Identity, elapsed: Duration) -> (f64, f64) {
        (self.intake(elapsed), unit(draw(seed, Stream::INTAKE, identity.request, identity.attempt.get())))
    }

    /// How long attempt `identity` waits in the queue before it is shed; `None` for ever.
    #[must_use]
    #[inline]
    pub fn patience(&self, seed: Seed, identity: Identity) -> Option<Duration> {
        let patience = self.capacity.as_ref()?.queue.patience.as_ref()?;
        Some(patience.sample(draw(seed, Stream::PATIENCE, identity.request, identity.attempt.get())))
    }

    /// What takes `time` otherwise, when it is begun at `elapsed`, on a replica that nothing befalls but what befalls all.
    #[must_use]
    pub fn slowed(&self, time: Duration, elapsed: Duration) -> Duration {
        self.slowed_on(None, time, elapsed)
    }

    fn slowed_on(&self, replica: Option<NonZeroU32>, time: Duration, elapsed: Duration) -> Duration {
        if !self.slows {
            return time;
        }
        let factor = phase::factor_on(&self.phases, elapsed, replica, |factors| factors.slowdown);
        Duration::try_from_secs_f64(time.as_secs_f64() * factor).unwrap_or(Duration::MAX)
    }

    /// How many workers there are at `elapsed`; none without a capacity.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is meant")]
    pub fn workers(&self, elapsed: Duration) -> u32 {
        let Some(capacity) = &self.capacity else { return 0 };
        let factor = phase::factor(&self.phases, elapsed, |factors| factors.capacity);
        (f64::from(capacity.workers.get()) * factor).round() as u32
    }

    /// The next moment after `elapsed` at which the number of workers may change.
    #[must_use]
    pub fn next_workers_change(&self, elapsed: Duration) -> Option<Duration> {
        phase::next_change(&self.phases, elapsed, |factors| factors.capacity)
    }

    /// What the rate of open arrivals is multiplied by at `elapsed`.
    #[must_use]
    pub fn load_factor(&self, elapsed: Duration) -> f64 {
        phase::factor(&self.phases, elapsed, |factors| factors.load)
    }

    /// What that can be at the most; `None` where it never changes.
    #[must_use]
    pub fn load_factor_max(&self) -> Option<f64> {
        let factors = self.phases.iter().filter_map(|phase| phase.factors.load);
        factors.map(Factor::get).reduce(f64::max).map(|most| most.max(1.0))
    }

    /// The same service with other outcomes where no route and no phase has its own.
    #[must_use]
    pub fn with_outcomes(mut self, outcomes: Outcomes) -> Self {
        self.base.outcomes = outcomes;
        self
    }

    /// The routes and phases with outcomes of their own, by name: where those of the service do not hold.
    #[must_use]
    pub fn own_outcomes(&self) -> Vec<String> {
        let routes = self.routes.iter().filter(|route| route.change.outcomes.is_some());
        let phases = self.phases.iter().filter(|phase| phase.change.outcomes.is_some());
        let routes = routes.map(|route| format!("route `{}`", route.pattern));
        routes.chain(phases.map(|phase| format!("phase `{}`", phase.name))).collect()
    }

    /// The routes, in the order of the file.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The behaviour where no route and no phase says otherwise.
    #[must_use]
    pub const fn base(&self) -> &Behaviour {
        &self.base
    }

    /// What it can do at once; `None` is without bound.
    #[must_use]
    #[inline]
    pub const fn capacity(&self) -> Option<&Capacity> {
        self.capacity.as_ref()
    }

    /// The limits, in the order in which they are asked.
    #[must_use]
    #[inline]
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// The replicas that it is made of, where they are told apart.
    #[must_use]
    #[inline]
    pub const fn replicas(&self) -> Option<&Replicas> {
        self.replicas.as_ref()
    }

    /// What requests do: those that no route takes first, then those of each route; empty where none has an effect.
    #[must_use]
    pub fn effects(&self) -> &[Option<Effect>] {
        &self.effects
    }

    /// What the requests of `route` do.
    #[must_use]
    pub fn effect(&self, route: RouteId) -> Option<&Effect> {
        self.effects.get(route.place())?.as_ref()
    }

    /// The phases, in the order of the file.
    #[must_use]
    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }
}

/// The practice service: one behaviour for every path, no phases.
impl Default for Service {
    fn default() -> Self {
        Self {
            base: Behaviour::default(),
            routes: Vec::new(),
            phases: Vec::new(),
            capacity: None,
            cache: None,
            limits: Vec::new(),
            effects: Vec::new(),
            replicas: None,
            slows: false,
            throttles: false,
            refuses: false,
        }
    }
}

/// What `service_time` makes of the luck of attempt `identity`, in nanoseconds.
#[inline]
fn work_ns(service_time: &Distribution, seed: Seed, identity: Identity) -> u64 {
    let draw = || draw(seed, Stream::WORK, identity.request, identity.attempt.get());
    service_time.sample_nanos(if service_time.is_fixed() { 0 } else { draw() })
}

/// Whether a uniform `draw` meets what is on with this `strength`.
#[expect(clippy::cast_precision_loss, reason = "a share of the whole range")]
fn meets(draw: u64, strength: f64) -> bool {
    (draw as f64) < strength * u64::MAX as f64
}

/// Whether phases slow anything down, and whether they throttle the intake.
fn says_of(phases: &[Phase]) -> (bool, bool, bool) {
    let any = |says: fn(&Phase) -> bool| phases.iter().any(says);
    let slows = any(|phase| phase.factors.slowdown.is_some());
    (slows, any(|phase| phase.factors.intake.is_some()), any(|phase| phase.factors.refuse))
}

#[cfg(test)]
mod tests;
