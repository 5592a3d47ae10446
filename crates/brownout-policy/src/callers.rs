//! The memory of a whole population of clients, and the questions a driver asks it.

mod levels;

use std::time::Duration;

pub use self::levels::GuardLevels;
use crate::policy::Guards;
use crate::stack::{Around, Place};
use crate::{
    Adaptive, AdaptiveState, Breaker, BreakerState, Budget, Budgets, Call, Concurrency, Failure, Guarded, Hedge,
    HedgeState, InFlight, Policy, StopReason, Throttle, ThrottleState, Transport, Verdict,
};

/// Who calls: how many clients, and over how many processes they are spread. A client is number 0 and up; client n
/// lives in process n modulo the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Population {
    /// How many clients.
    pub clients: u32,
    /// How many processes.
    pub processes: u32,
}

/// Who shares one memory: one budget, one breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Each client has its own.
    #[default]
    Client,
    /// The clients of a process share one.
    Process,
    /// All share one.
    Fleet,
}

/// What a population of clients remembers between calls: budgets, breakers, limits.
///
/// A driver makes each attempt between [`begin`](Self::begin) and one of [`succeeded`](Self::succeeded),
/// [`failed`](Self::failed) and [`cancelled`](Self::cancelled); what they answer is obeyed. `now` is the time since the run
/// began, and never goes back.
///
/// ```
/// use std::time::Duration;
/// use brownout_policy::{Callers, Failure, Policy, Settings, Verdict};
///
/// let policy = Policy::new(Settings { base_delay: Some(Duration::from_millis(100)), ..Settings::default() })?;
/// let mut callers = Callers::one(&policy);
/// let mut call = callers.call(0, Duration::ZERO);
/// let go = callers.begin(&mut call, Duration::ZERO, 0).expect("nothing stops a first try here");
/// assert_eq!((go.after, go.allowance), (Duration::ZERO, None));
/// let verdict = callers.failed(&mut call, Duration::from_millis(30), &Failure::status(503), 0, false);
/// assert!(matches!(verdict, Verdict::Retry { after, .. } if after == Duration::from_millis(100)));
/// # Ok::<(), Vec<brownout_policy::PolicyError>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Callers {
    policy: Policy,
    population: Population,
    /// Whether no attempt may take longer or less long than another: no deadline, and no policy around.
    timeless: bool,
    /// Whether nothing is remembered and no attempt is ever refused: timeless, and no guards.
    free: bool,
    budgets: Option<Budgets>,
    breakers: Vec<BreakerState>,
    throttles: Vec<ThrottleState>,
    limiters: Vec<AdaptiveState>,
    limits: Vec<InFlight>,
    hedges: Vec<HedgeState>,
    around: Option<Box<Around>>,
}

/// Leave to make an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Go {
    /// How long to wait first: a limiter spaces attempts out. Mostly no time.
    pub after: Duration,
    /// How long the attempt may take once it is sent: its own timeout or what is left of the deadline, whichever is
    /// shorter; `None` without either.
    pub allowance: Option<Duration>,
}

impl Scope {
    /// Every scope with its name in scenarios.
    pub const NAMES: [(&'static str, Self); 3] =
        [("client", Self::Client), ("process", Self::Process), ("fleet", Self::Fleet)];
}

impl Population {
    /// One client.
    pub const ONE: Self = Self { clients: 1, processes: 1 };

    /// How many memories there are of this scope.
    const fn count(self, scope: Scope) -> usize {
        match scope {
            Scope::Client => self.clients as usize,
            Scope::Process => self.processes as usize,
            Scope::Fleet => 1,
        }
    }

    /// Which of them is that of `client`.
    const fn index(self, scope: Scope, client: u32) -> usize {
        match scope {
            Scope::Client => client as usize,
            Scope::Process => (client % self.processes) as usize,
            Scope::Fleet => 0,
        }
    }
}

impl Callers {
    /// The memory of a population in which every client follows `policy`; nothing has happened yet.
    #[must_use]
    pub fn new(policy: &Policy, population: Population) -> Self {
        fn memory<R, S: Clone>(guard: Option<&Guarded<R>>, of: Population, state: impl Fn(&R) -> S) -> Vec<S> {
            guard.map_or_else(Vec::new, |guard| vec![state(&guard.rule); of.count(guard.scope)])
        }
        let guards = policy.guards();
        let timeless = !policy.has_deadline() && policy.around().is_none();
        Self {
            timeless,
            free: timeless && *guards == Guards::default(),
            around: policy.around().map(|around| Box::new(Around::new(Self::new(around, population)))),
            budgets: guards.budget.as_ref().map(|budget| budget.rule.memory(population.count(budget.scope))),
            breakers: memory(guards.breaker.as_ref(), population, Breaker::state),
            throttles: memory(guards.throttle.as_ref(), population, Throttle::state),
            limiters: memory(guards.adaptive.as_ref(), population, Adaptive::state),
            limits: memory(guards.concurrency.as_ref(), population, Concurrency::state),
            hedges: memory(guards.hedge.as_ref(), population, Hedge::state),
            policy: policy.clone(),
            population,
        }
    }

    /// The memory of one client.
    #[must_use]
    pub fn one(policy: &Policy) -> Self {
        Self::new(policy, Population::ONE)
    }

    /// A call of `client` begins.
    ///
    /// # Panics
    /// When the population has no such client.
    #[inline]
    pub fn call(&mut self, client: u32, now: Duration) -> Call {
        assert!(client < self.population.clients, "client {client} of {}", self.population.clients);
        if let Some((guard, budgets, index)) = self.budget(client) {
            budgets.call_began(&guard.rule, index, now);
        }
        let around = self.around.as_mut().map_or(Place::NONE, |around| around.call(client, now));
        Call::new(client, now, around)
    }

    /// Asks for leave to make the next attempt of `call`.
    ///
    /// - `draw`: uniform over `u64`, for callers that throttle themselves.
    ///
    /// # Errors
    /// Why it is not made: the call is over then.
    #[inline]
    pub fn begin(&mut self, call: &mut Call, now: Duration, draw: u64) -> Result<Go, StopReason> {
        if !self.free {
            return self.begin_guarded(call, now, draw);
        }
        call.attempt_begun();
        Ok(Go { after: Duration::ZERO, allowance: self.policy.allowance(Duration::ZERO) })
    }

    fn begin_guarded(&mut self, call: &mut Call, now: Duration, draw: u64) -> Result<Go, StopReason> {
        let mut held_back = Duration::ZERO;
        if call.is_fresh()
            && let Some(around) = &mut self.around
        {
            match around.begin(call.around, now, draw) {
                Ok(go) => held_back = go.after,
                Err(reason) => {
                    around.forget(call.around);
                    return Err(reason);
                }
            }
            if call.attempts > 0
                && let Some((guard, budgets, index)) = self.budget(call.client)
            {
                budgets.call_began(&guard.rule, index, now);
            }
        }
        match self.admit(call, now, draw) {
            Ok(mut go) => {
                go.after = go.after.max(held_back);
                if let Some((guard, budgets, index)) = self.budget(call.client) {
                    budgets.attempt_began(&guard.rule, index);
                }
                call.attempt_begun();
                Ok(go)
            }
            Err(reason) => {
                if call.in_flight == 0 {
                    self.abandoned(call, now);
                } else if let Some((guard, budgets, index)) = self.budget(call.client) {
                    // A copy: the others are in flight still.
                    budgets.retry_abandoned(&guard.rule, index);
                }
                Err(reason)
            }
        }
    }

    /// `call` is given up between two attempts: the next, which was granted, is not made.
    pub fn abandoned(&mut self, call: &Call, now: Duration) {
        if !call.is_fresh()
            && let Some((guard, budgets, index)) = self.budget(call.client)
        {
            budgets.retry_abandoned(&guard.rule, index);
        }
        self.let_go(call, now);
    }

    /// The policies around `call` hear no more of it.
    pub(crate) fn let_go(&mut self, call: &Call, now: Duration) {
        if let Some(around) = &mut self.around {
            around.abandoned(call.around, now);
        }
    }

    /// Asks every guard for leave. What was taken of one is given back where the next refuses.
    fn admit(&mut self, call: &Call, now: Duration, draw: u64) -> Result<Go, StopReason> {
        let guards = self.policy.guards();
        let at = |scope| self.population.index(scope, call.client);
        let mut allowance = self.allowance(call, now);
        if allowance == Some(Duration::ZERO) {
            return Err(StopReason::DeadlineExceeded);
        }
        if let Some(guard) = &guards.throttle
            && !guard.rule.admit(&mut self.throttles[at(guard.scope)], now, draw)
        {
            return Err(StopReason::Throttled);
        }
        if let Some(guard) = &guards.breaker
            && !guard.rule.admit(&mut self.breakers[at(guard.scope)], now)
        {
            return Err(StopReason::BreakerOpen);
        }
        let mut after = Duration::ZERO;
        let mut refused = None;
        if let Some(guard) = &guards.concurrency
            && !guard.rule.admit(&mut self.limits[at(guard.scope)])
        {
            refused = Some(StopReason::ConcurrencyLimit);
        } else if let Some(guard) = &guards.adaptive {
            after = guard.rule.acquire(&mut self.limiters[at(guard.scope)], now);
        }
        if !after.is_zero() {
            allowance = self.allowance(call, now.saturating_add(after));
        }
        if refused.is_none() && allowance == Some(Duration::ZERO) {
            refused = Some(StopReason::DeadlineNear);
            if let Some(guard) = &guards.concurrency {
                guard.rule.ended(&mut self.limits[at(guard.scope)]);
            }
        }
        let Some(reason) = refused else { return Ok(Go { after, allowance }) };
        if let Some(guard) = &guards.breaker {
            guard.rule.release(&mut self.breakers[at(guard.scope)]);
        }
        Err(reason)
    }

    /// How long `call` has been under way, or, where a policy around has it made anew, since it began last.
    fn elapsed(&self, call: &Call, now: Duration) -> Duration {
        self.around.as_ref().map_or_else(|| call.elapsed(now), |around| around.elapsed(call.around, now))
    }

    /// How long an attempt of `call` that is sent now may take: its own timeout, what is left of the deadline, or what a policy
    /// around has left for it, whichever is shortest; `None` without any.
    #[must_use]
    #[inline]
    pub fn allowance(&self, call: &Call, now: Duration) -> Option<Duration> {
        if self.timeless { self.policy.allowance(Duration::ZERO) } else { self.shortest_allowance(call, now) }
    }

    fn shortest_allowance(&self, call: &Call, now: Duration) -> Option<Duration> {
        let own = self.policy.allowance(self.elapsed(call, now));
        let left = self.around.as_ref().and_then(|around| around.left(call.around, now));
        own.into_iter().chain(left).min()
    }

    /// When a copy of the attempt of `call` that was just begun is sent beside it, if it has not come back by then.
    #[must_use]
    pub fn hedge_after(&self, call: &Call) -> Option<Duration> {
        let guard = self.policy.guards().hedge.as_ref()?;
        let state = &self.hedges[self.population.index(guard.scope, call.client)];
        (call.hedges < guard.rule.max().get()).then(|| guard.rule.delay(state))
    }

    /// Asks for leave to send a copy beside the attempts of `call` that are in flight. A copy is paid for as a retry is.
    ///
    /// # Errors
    /// Why it is not sent; the call goes on without it.
    pub fn hedge(&mut self, call: &mut Call, now: Duration, draw: u64) -> Result<Go, StopReason> {
        let mut charge = call.charge;
        if let Some((guard, budgets, index)) = self.budget(call.client) {
            let granted = budgets.withdraw(&guard.rule, index, now, Failure::OTHER.kind);
            charge = granted.ok_or(StopReason::BudgetDenied)?;
        }
        let go = self.begin_guarded(call, now, draw)?;
        call.charge = charge;
        call.hedges += 1;
        Ok(go)
    }

    /// An attempt of `call` that took `latency` succeeded; the call is over.
    ///
    /// - `retry`: whether it was another than the first.
    #[inline]
    pub fn succeeded(&mut self, call: &mut Call, now: Duration, latency: Duration, retry: bool) {
        if self.free {
            call.attempt_ended();
        } else {
            self.count_success(call, now, latency, retry);
        }
    }

    fn count_success(&mut self, call: &mut Call, now: Duration, latency: Duration, retry: bool) {
        self.ended(call, retry);
        self.observe_latency(call, latency);
        let guards = self.policy.guards();
        let at = |scope| self.population.index(scope, call.client);
        if let Some(guard) = &guards.breaker {
            guard.rule.record(&mut self.breakers[at(guard.scope)], now, true);
        }
        if let Some(guard) = &guards.throttle {
            guard.rule.accepted(&mut self.throttles[at(guard.scope)], now);
        }
        if let Some(guard) = &guards.adaptive {
            guard.rule.update(&mut self.limiters[at(guard.scope)], now, false);
        }
        if let Some((guard, budgets, index)) = self.budget(call.client) {
            budgets.call_succeeded(&guard.rule, index, call.retries > 0, call.charge);
        }
        if let Some(around) = &mut self.around {
            around.succeeded(call.around, now);
        }
    }

    /// An attempt of `call` failed: what follows. On [`Verdict::Retry`] the call goes on to its next attempt.
    ///
    /// - `draw`: uniform over `u64`, the only chance in here. Equal histories give equal verdicts.
    /// - `retry`: whether the attempt was another than the first.
    pub fn failed(&mut self, call: &mut Call, now: Duration, failure: &Failure, draw: u64, retry: bool) -> Verdict {
        self.count_failure(call, now, failure, retry);
        if call.in_flight > 0 {
            return Verdict::Await;
        }
        let elapsed = self.elapsed(call, now);
        let (verdict, own) = self.policy.decide(call, elapsed, failure, draw);
        let left = self.around.as_ref().and_then(|around| around.left(call.around, now));
        match verdict {
            // The policy around gives up before the wait is over.
            Verdict::Retry { after, .. } if left.is_some_and(|left| left <= after) => {
                let failure = Failure::transport(Transport::Timeout);
                return self.ask_around(call, now, &failure, draw, left.unwrap_or_default(), StopReason::DeadlineNear);
            }
            Verdict::Stop(reason) => return self.ask_around(call, now, failure, draw, Duration::ZERO, reason),
            _ => {}
        }
        if let Verdict::Retry { source, .. } = verdict {
            if let Some((guard, budgets, index)) = self.budget(call.client)
                && guard.counts(failure)
            {
                match budgets.withdraw(&guard.rule, index, now, failure.kind) {
                    Some(charge) => call.charge = charge,
                    None => {
                        return self.ask_around(call, now, failure, draw, Duration::ZERO, StopReason::BudgetDenied);
                    }
                }
            }
            call.retried(own, self.policy.begins_anew_after(source));
        }
        verdict
    }

    /// A policy of its own has given `call` up for this `reason`: what the policy around makes of it, `later` from now.
    fn ask_around(
        &mut self,
        call: &mut Call,
        now: Duration,
        failure: &Failure,
        draw: u64,
        later: Duration,
        reason: StopReason,
    ) -> Verdict {
        let Some(around) = &mut self.around else { return Verdict::Stop(reason) };
        let verdict = around.failed(call.around, now, failure, draw);
        if let Verdict::Retry { after, source } = verdict {
            call.begin_anew();
            return Verdict::Retry { after: after.saturating_add(later), source };
        }
        verdict
    }

    /// An attempt of `call` was given up after `latency`, before it ended: another copy was answered first, or the run was
    /// ended.
    pub fn cancelled(&mut self, call: &mut Call, latency: Duration, retry: bool) {
        self.ended(call, retry);
        self.observe_latency(call, latency);
        if let Some(guard) = &self.policy.guards().breaker {
            guard.rule.release(&mut self.breakers[self.population.index(guard.scope, call.client)]);
        }
    }

    fn count_failure(&mut self, call: &mut Call, now: Duration, failure: &Failure, retry: bool) {
        self.ended(call, retry);
        let guards = self.policy.guards();
        let at = |scope| self.population.index(scope, call.client);
        if let Some(guard) = &guards.breaker {
            guard.rule.record(&mut self.breakers[at(guard.scope)], now, !guard.counts(failure));
        }
        if let Some(guard) = &guards.throttle
            && !guard.counts(failure)
        {
            guard.rule.accepted(&mut self.throttles[at(guard.scope)], now);
        }
        if let Some(guard) = &guards.adaptive {
            guard.rule.update(&mut self.limiters[at(guard.scope)], now, failure.is_throttling());
        }
        let retries = self.policy.retries(failure);
        if let Some((guard, budgets, index)) = self.budget(call.client)
            && retries
            && guard.counts(failure)
        {
            budgets.attempt_failed(&guard.rule, index);
        }
    }

    /// What took `latency`, or longer, is one more to tell by when a copy is worth sending.
    fn observe_latency(&mut self, call: &Call, latency: Duration) {
        if let Some(guard) = &self.policy.guards().hedge {
            let index = self.population.index(guard.scope, call.client);
            guard.rule.observe(&mut self.hedges[index], latency);
        }
    }

    /// An attempt is no longer in flight.
    fn ended(&mut self, call: &mut Call, retry: bool) {
        call.attempt_ended();
        // The first try of a call that a policy around has made anew is none that this policy granted.
        let retry = retry && (call.retries > 0 || call.hedges > 0);
        let guards = self.policy.guards();
        let at = |scope| self.population.index(scope, call.client);
        if let Some(guard) = &guards.concurrency {
            guard.rule.ended(&mut self.limits[at(guard.scope)]);
        }
        if let Some((guard, budgets, index)) = self.budget(call.client) {
            budgets.attempt_ended(&guard.rule, index, retry);
        }
    }

    /// The memory of the first budget of the policy's own as numbers, to be kept for another program; `None` without one, or
    /// where it ends with the program.
    #[must_use]
    pub fn budget_numbers(&self) -> Option<Vec<i64>> {
        self.budgets.as_ref()?.numbers(0)
    }

    /// Puts back what [`budget_numbers`](Self::budget_numbers) gave, or, without any, begins it anew; whether it was that of a
    /// budget of the same rule.
    pub fn restore_budget(&mut self, numbers: Option<&[i64]>) -> bool {
        let (Some(guard), Some(budgets)) = (&self.policy.guards().budget, &mut self.budgets) else { return false };
        match numbers {
            Some(numbers) => budgets.restore(0, numbers),
            None => {
                *budgets = guard.rule.memory(self.population.count(guard.scope));
                true
            }
        }
    }

    /// The budget of `client`: its rule, the memory, and the place in it.
    const fn budget(&mut self, client: u32) -> Option<(&Guarded<Budget>, &mut Budgets, usize)> {
        match (&self.policy.guards().budget, &mut self.budgets) {
            (Some(guard), Some(budgets)) => Some((guard, budgets, self.population.index(guard.scope, client))),
            _ => None,
        }
    }
}
