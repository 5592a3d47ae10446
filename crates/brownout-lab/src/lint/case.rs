//! What the rules ask about a scenario.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::Distribution;
use brownout_load::{Graph, Load};
use brownout_policy::{Failure, FailureKind, Policy, Scope, Settings, Success, Transport, names_throttling};
use brownout_service::{
    Capacity, Fault, Limit, LimitRule, Outcome, Outcomes, Phase, Request, RetryAfterWait, Service, Shed,
};

/// A policy, and what is known of those who meet it.
#[derive(Debug)]
pub(super) struct Case<'c> {
    pub(super) service: Option<&'c Service>,
    pub(super) load: Option<&'c Load>,
    pub(super) graph: Option<&'c Graph>,
    pub(super) settings: &'c Settings,
    pub(super) policy: Policy,
}

/// How a request can go, phases aside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met<'c> {
    /// The route, where it is one.
    pub(super) route: Option<&'c str>,
    pub(super) outcomes: &'c Outcomes,
    pub(super) latency: &'c Distribution,
}

/// A stretch of time in which as good as nothing succeeds.
#[derive(Clone, Debug)]
pub(super) struct Outage<'c> {
    /// The phase that brings it.
    pub(super) phase: &'c str,
    pub(super) from: Duration,
    pub(super) until: Duration,
    pub(super) cause: Cause<'c>,
}

/// What an attempt meets in an outage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cause<'c> {
    /// It fails by these.
    Fails(&'c Outcomes),
    /// No worker takes it up.
    Stopped,
    /// Nobody listens.
    Refuses,
}

impl Cause<'_> {
    /// How long after it has begun an answer is seen for what it is, at the most or on the mean.
    fn lasts(self, longest: bool) -> Duration {
        let Self::Fails(outcomes) = self else { return Duration::ZERO };
        if longest {
            return outcomes.faults().map(|(fault, _)| fault.lasts()).max().unwrap_or_default();
        }
        outcomes.faults().map(|(fault, rate)| fault.lasts().mul_f64(rate)).sum()
    }
}

/// A refusal that says when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) retry_after: Duration,
}

/// An open load on a service with a capacity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pressure {
    /// Calls a second.
    pub(super) rate: f64,
    /// Of the capacity, what first tries take; 1 is all of it.
    pub(super) utilisation: f64,
}

/// The time of a healthy answer of an idle service: the sum of some parts, each drawn by itself.
#[derive(Clone, Debug)]
pub(super) struct Answer<'c> {
    fixed: Duration,
    drawn: Vec<&'c Distribution>,
}

/// From this share of failures on, a phase is an outage: of four tries in a row one in 25 still gets through.
const OUTAGE_MIN: f64 = 0.99;

/// An attempt that is given up by its caller.
pub(super) const TIMED_OUT: Failure = Failure::transport(Transport::Timeout);

impl Refusal {
    pub(super) const fn failure(self) -> Failure {
        Failure { retry_after: Some(self.retry_after), ..Failure::status(self.status) }
    }
}

impl<'c> Case<'c> {
    pub(super) const fn retries(&self) -> u32 {
        self.policy.max_retries()
    }

    /// Whether there may be more than one caller at a time. Where no load is known, it is taken to be so: a policy has many
    /// callers in its life.
    pub(super) fn has_crowd(&self) -> bool {
        self.load.is_none_or(|load| load.is_open() || load.population().clients > 1)
    }

    /// How many share-alike memories of this scope there are.
    pub(super) fn memories(load: &Load, scope: Scope) -> NonZeroU32 {
        match scope {
            Scope::Client => NonZeroU32::new(load.population().clients).unwrap_or(NonZeroU32::MIN),
            Scope::Process => load.processes,
            Scope::Fleet => NonZeroU32::MIN,
        }
    }

    pub(super) fn capacity(&self) -> Option<&'c Capacity> {
        self.service.and_then(Service::capacity)
    }

    /// What requests can meet: every route, and the base where the load's request takes none.
    pub(super) fn met(&self) -> Vec<Met<'c>> {
        let Some(service) = self.service else { return Vec::new() };
        let base = service.base();
        let routes = service.routes().iter().map(|route| Met {
            route: Some(route.pattern.as_str()),
            outcomes: route.change.outcomes.as_ref().unwrap_or(&base.outcomes),
            latency: route.change.latency.as_ref().unwrap_or(&base.latency),
        });
        let own = Met { route: None, outcomes: &base.outcomes, latency: &base.latency };
        let routes: Vec<_> = routes.collect();
        if self.asked_route(service).is_some() { routes } else { [own].into_iter().chain(routes).collect() }
    }

    /// What the load's request meets.
    fn asked(&self, service: &'c Service) -> Met<'c> {
        let met = self.met();
        let route = self.asked_route(service);
        met[route.unwrap_or(0)]
    }

    /// The route that takes the load's request.
    fn asked_route(&self, service: &Service) -> Option<usize> {
        let line = self.load.map_or_else(|| Load::default().request, |load| load.request.clone());
        let path = line.path.split_once('?').map_or(line.path.as_str(), |(path, _)| path);
        let request = Request { method: &line.method, path };
        service.routes().iter().position(|route| route.pattern.matches(&request))
    }

    /// How long an answer takes that nothing delays.
    pub(super) fn answer(&self, latency: &'c Distribution) -> Answer<'c> {
        let way = self.load.and_then(|load| load.connect_delay.as_ref());
        let work = self.capacity().map(|capacity| &capacity.service_time);
        let (fixed, drawn): (Vec<_>, Vec<_>) =
            [way, work, Some(latency)].into_iter().flatten().partition(|part| part.is_fixed());
        Answer { fixed: fixed.into_iter().map(Distribution::mean).sum(), drawn }
    }

    /// Every way in which an attempt can fail, phases included.
    pub(super) fn failures(&self) -> Vec<Failure> {
        let limits = self.limits().map(|limit| {
            let asked = match limit.retry_after.wait {
                RetryAfterWait::Fixed(wait) => Some(wait),
                RetryAfterWait::Never => None,
                RetryAfterWait::Honest | RetryAfterWait::UntilPhaseEnd => limit.rule.window(),
            };
            refused_by(limit, asked)
        });
        self.failures_but_limits().into_iter().chain(limits).collect()
    }

    fn limits(&self) -> impl Iterator<Item = &'c Limit> {
        self.service.map(Service::limits).unwrap_or_default().iter()
    }

    /// What a request meets in a window that is used up, when that window has only begun: the window, its length, and the
    /// failure.
    pub(super) fn windows(&self) -> Vec<(&'c Limit, Duration, Failure)> {
        let window = |limit: &'c Limit| {
            let (LimitRule::FixedWindow(_) | LimitRule::SlidingWindow(_)) = limit.rule else { return None };
            let window = limit.rule.window()?;
            let asked = match limit.retry_after.wait {
                RetryAfterWait::Honest => Some(window),
                RetryAfterWait::Fixed(wait) => Some(wait),
                // When a phase ends has nothing to do with the window.
                RetryAfterWait::Never | RetryAfterWait::UntilPhaseEnd => None,
            };
            Some((limit, window, refused_by(limit, asked)))
        };
        self.limits().filter_map(window).collect()
    }

    fn failures_but_limits(&self) -> Vec<Failure> {
        let Some(service) = self.service else { return Vec::new() };
        let phases = service.phases().iter().filter_map(|phase| phase.change.outcomes.as_ref());
        let outcomes: Vec<_> = self.met().into_iter().map(|met| met.outcomes).chain(phases).collect();
        let comes = |outcome: &Outcome| outcomes.iter().any(|outcomes| outcomes.rate(*outcome) > 0.0);
        let plain = Outcome::failures().filter(|outcome| !outcome.is_fault()).filter(comes).map(failure);
        let mut failures: Vec<Failure> = plain.collect();
        for failure in outcomes.iter().flat_map(|outcomes| outcomes.faults()).filter_map(|(fault, _)| failed_by(fault))
        {
            if !failures.contains(&failure) {
                failures.push(failure);
            }
        }
        let failures = failures.into_iter().chain(self.shed()).filter(|failure| self.is_failure(failure));
        let late = |timeout: &Duration| {
            let above = |met: Met<'_>| self.answer(met.latency).share_above(*timeout) > 0.0;
            service.capacity().is_some() || self.met().into_iter().any(above)
        };
        failures.chain(self.policy.attempt_timeout().filter(late).map(|_| TIMED_OUT)).collect()
    }

    /// Whether callers take it for one, and not for a success.
    fn is_failure(&self, failure: &Failure) -> bool {
        let success = self.load.map_or(Success::BELOW_400, |load| &load.success);
        !matches!(failure.kind, FailureKind::Status(status) | FailureKind::Throttled(status) if success.includes(status))
    }

    /// Whether nobody waits for a worker: who finds none free is told so at once.
    pub(super) fn turns_away(&self) -> bool {
        self.capacity().is_some_and(|capacity| capacity.queue.length == Some(0) && capacity.shed != Shed::Silent)
    }

    /// How long a request that is refused without a look takes, on the mean: its way.
    pub(super) fn refused_in(&self) -> Duration {
        self.load.and_then(|load| load.connect_delay.as_ref()).map(Distribution::mean).unwrap_or_default()
    }

    /// What a request meets that the queue does not take, or keeps too long.
    fn shed(&self) -> Option<Failure> {
        let capacity = self.capacity()?;
        let bounded = capacity.queue.length.is_some() || capacity.queue.patience.is_some();
        match capacity.shed {
            Shed::Answer { status, retry_after } if bounded => Some(Failure { retry_after, ..Failure::status(status) }),
            _ => None,
        }
    }

    /// Refusals that say when to come back, each once.
    pub(super) fn refusals(&self) -> Vec<Refusal> {
        let hinted = |failure: &Failure| match (failure.kind, failure.retry_after) {
            (FailureKind::Status(status), Some(retry_after)) => Some(Refusal { status, retry_after }),
            _ => None,
        };
        let mut refusals: Vec<Refusal> = self.failures_but_limits().iter().filter_map(hinted).collect();
        refusals.sort_unstable();
        refusals.dedup();
        refusals
    }

    /// The outages that end.
    pub(super) fn outages(&self) -> Vec<Outage<'c>> {
        let Some(service) = self.service else { return Vec::new() };
        let mut corners: Vec<Duration> = service.phases().iter().flat_map(corners).collect();
        corners.sort();
        corners.dedup();
        let mut outages: Vec<Outage<'_>> = Vec::new();
        for pair in corners.windows(2) {
            let [from, until] = [pair[0], pair[1]];
            let Some((phase, cause)) = down(service, from + (until - from) / 2) else { continue };
            match outages.last_mut() {
                Some(last) if last.until == from && last.cause == cause => last.until = until,
                _ => outages.push(Outage { phase, from, until, cause }),
            }
        }
        // What began with the run and never changes is no outage to outlast, and what lasts to its end cannot be.
        let lasting = |outage: &Outage<'_>| down(service, outage.until).is_some_and(|(_, cause)| cause == outage.cause);
        outages.retain(|outage| !lasting(outage));
        outages
    }

    /// How long an attempt takes in an outage, at the most or on the mean; `None` where it may take for ever.
    pub(super) fn attempt_in(&self, outage: &Outage<'_>, longest: bool) -> Option<Duration> {
        let service = self.service?;
        let long = |time: &Distribution| if longest { time.longest() } else { time.mean() };
        let timeout = self.policy.attempt_timeout();
        let way = self.load.and_then(|load| load.connect_delay.as_ref()).map(long).unwrap_or_default();
        if outage.cause == Cause::Refuses {
            return Some(way);
        }
        if outage.cause == Cause::Stopped {
            if self.turns_away() {
                return Some(timeout.map_or(way, |timeout| timeout.min(way)));
            }
            let patience = self.capacity()?.queue.patience.as_ref().map(long);
            return timeout.into_iter().chain(patience).min();
        }
        if let (Some(_), Some(timeout), true) = (self.capacity(), timeout, longest) {
            return Some(timeout);
        }
        let middle = outage.from + (outage.until - outage.from) / 2;
        let own = service.phases().iter().rev().filter(|phase| phase.befalls(None) && phase.strength(middle) >= 1.0);
        let own = own.filter_map(|phase| phase.change.latency.as_ref()).next();
        let latency = long(own.unwrap_or(self.asked(service).latency));
        let work = self.capacity().map(|capacity| long(&capacity.service_time)).unwrap_or_default();
        let whole = service.slowed(latency.saturating_add(work), middle).saturating_add(way);
        // What faults add to that their callers wait for only as long as they wait at all.
        let lasts = outage.cause.lasts(longest);
        let within = |whole: Duration| timeout.map_or(whole, |timeout| whole.min(timeout));
        Some(if lasts.is_zero() { whole } else { within(whole.saturating_add(lasts)) })
    }

    /// The failures that an outage brings.
    pub(super) fn failures_in(&self, outage: &Outage<'_>) -> Vec<Failure> {
        match outage.cause {
            Cause::Refuses => vec![Failure::transport(Transport::Connect)],
            Cause::Fails(outcomes) => {
                failures(outcomes).map(|(failure, _)| failure).filter(|failure| self.is_failure(failure)).collect()
            }
            Cause::Stopped => {
                let waits = self.capacity().and_then(|capacity| capacity.queue.patience.as_ref());
                let leaves_first = |timeout| !self.turns_away() && waits.is_none_or(|waits| timeout < waits.longest());
                if self.policy.attempt_timeout().is_some_and(leaves_first) {
                    return vec![TIMED_OUT];
                }
                self.shed().into_iter().collect()
            }
        }
    }

    /// What the load asks of the capacity, where both are known and calls come whatever became of those before.
    pub(super) fn pressure(&self) -> Option<Pressure> {
        let capacity = self.capacity()?;
        let rate = self.load?.arrivals.rate()?.get();
        Some(Pressure { rate, utilisation: rate * work_each(capacity) })
    }

    /// Attempts a call where nothing fails but what the outcomes of the service draw.
    pub(super) fn attempts_at_ease(&self, service: &'c Service) -> f64 {
        let outcomes = self.asked(service).outcomes;
        let again = |(failure, _): &(Failure, f64)| self.policy.retries(failure);
        let share: f64 = failures(outcomes).filter(again).map(|(_, rate)| rate).sum();
        crate::theory::retry::amplification(share, self.retries().saturating_add(1))
    }

    /// How long a request can wait in a full queue; `None` for ever.
    pub(super) fn queue_wait(capacity: &Capacity) -> Option<Duration> {
        let full = capacity.queue.length.map(|length| {
            Duration::try_from_secs_f64(f64::from(length) * work_each(capacity)).unwrap_or(Duration::MAX)
        });
        full.into_iter().chain(capacity.queue.patience.as_ref().map(Distribution::longest)).min()
    }
}

/// Seconds of the whole service that one request takes.
pub(super) fn work_each(capacity: &Capacity) -> f64 {
    capacity.service_time.mean().as_secs_f64() / f64::from(capacity.workers.get())
}

/// A refusal by a limit, as its caller sees it.
fn refused_by(limit: &Limit, retry_after: Option<Duration>) -> Failure {
    let failure = Failure { retry_after, ..Failure::status(limit.status) };
    if names_throttling(&limit.body) { failure.throttled() } else { failure }
}

fn failure(outcome: Outcome) -> Failure {
    Failure { retry_after: outcome.retry_after(), ..Failure::status(outcome.status()) }
}

/// What callers see of a fault, where that is a failure.
fn failed_by(fault: &Fault) -> Option<Failure> {
    brownout_sim::failure_of(fault, Success::BELOW_400)
}

/// The failures that come at all, and how often each does.
fn failures(outcomes: &Outcomes) -> impl Iterator<Item = (Failure, f64)> {
    let plain = Outcome::failures().filter(|outcome| !outcome.is_fault() && outcomes.rate(*outcome) > 0.0);
    let plain = plain.map(|outcome| (failure(outcome), outcomes.rate(outcome)));
    plain.chain(outcomes.faults().filter_map(|(fault, rate)| Some((failed_by(fault)?, rate))))
}

/// The moments at which a phase is wholly on or off.
fn corners(phase: &Phase) -> Vec<Duration> {
    let (from, ramp) = (phase.window.from, phase.ramp);
    let last = phase.window.until.into_iter().flat_map(|until| [until.saturating_sub(ramp.down), until]);
    [from, from.saturating_add(ramp.up)].into_iter().chain(last).collect()
}

/// Whether a phase has the service down at `elapsed`, and how.
fn down(service: &Service, elapsed: Duration) -> Option<(&str, Cause<'_>)> {
    // A bad replica is no outage: whoever tries again may meet another.
    let on = || service.phases().iter().rev().filter(|phase| phase.befalls(None) && phase.strength(elapsed) >= 1.0);
    if service.capacity().is_some() && service.workers(elapsed) == 0 {
        let stops = on().find(|phase| phase.factors.capacity.is_some())?;
        return Some((&stops.name, Cause::Stopped));
    }
    if service.refuses_at(elapsed) {
        return Some((&on().find(|phase| phase.factors.refuse)?.name, Cause::Refuses));
    }
    let (phase, outcomes) = on().find_map(|phase| Some((phase, phase.change.outcomes.as_ref()?)))?;
    let sound = outcomes.faults().filter(|(fault, _)| failed_by(fault).is_none()).map(|(_, rate)| rate);
    let sound: f64 = sound.fold(outcomes.rate(Outcome::Success), |sum, rate| sum + rate);
    (1.0 - sound >= OUTAGE_MIN).then_some((&phase.name, Cause::Fails(outcomes)))
}

impl Answer<'_> {
    /// The share of answers that take longer than `limit`, from 0 to 1.
    ///
    /// Exact for one drawn part. Of more, all but the last are averaged over the points of a lattice, which is good to about
    /// a thousandth of the share.
    pub(super) fn share_above(&self, limit: Duration) -> f64 {
        let Some(limit) = limit.checked_sub(self.fixed) else { return 1.0 };
        let Some((last, rest)) = self.drawn.split_last() else { return 0.0 };
        if rest.is_empty() {
            return last.share_above(limit);
        }
        let above = |point: u32| {
            let mut left = Some(limit);
            for (part, step) in rest.iter().zip(LATTICE) {
                let place = (f64::from(point) + 0.5) * step;
                left = left.and_then(|left| left.checked_sub(part.quantile(place - place.floor())));
            }
            left.map_or(1.0, |left| last.share_above(left))
        };
        (0..POINTS).map(above).sum::<f64>() / f64::from(POINTS)
    }

    /// The duration that all answers but a share of `above` do not pass, to the thousandth.
    pub(super) fn longer_than_all_but(&self, above: f64) -> Duration {
        if let [part] = self.drawn[..] {
            return self.fixed.saturating_add(part.quantile(1.0 - above));
        }
        let end = self.drawn.iter().fold(self.fixed, |sum, part| sum.saturating_add(part.longest()));
        let (mut low, mut high) = (self.fixed, end);
        while high.saturating_sub(low) > end / 1000 {
            let middle = low + (high - low) / 2;
            (low, high) = if self.share_above(middle) > above { (middle, high) } else { (low, middle) };
        }
        high
    }

    /// On the mean.
    pub(super) fn mean(&self) -> Duration {
        self.drawn.iter().fold(self.fixed, |sum, part| sum.saturating_add(part.mean()))
    }
}

const POINTS: u32 = 1000;

/// The steps of a lattice over the unit square: every thousandth, and the golden ratio, whose multiples keep apart.
const LATTICE: [f64; 2] = [1.0 / POINTS as f64, 0.618_033_988_749_894_9];
