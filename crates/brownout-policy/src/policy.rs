//! A checked policy, and its one decision.

use std::time::Duration;

use brownout_draw::{Probability, scale};

use crate::backoff::Backoff;
use crate::jitter::{Delay, Jitter};
use crate::settings::FACTOR_MAX;
use crate::{
    Adaptive, Breaker, Budget, Call, Concurrency, DelaySource, Failure, Failures, Growth, Hedge, JitterKind,
    PolicyError, Pushback, Scope, Settings, StopReason, Throttle, TooLong, Verdict,
};

mod course;

pub use course::{Course, Luck};

/// What a caller does after failures. Checked when it is built; deciding cannot fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    max_retries: u32,
    backoff: Backoff,
    /// After a 429, where that differs.
    throttling_backoff: Option<Backoff>,
    jitter: Jitter,
    max_delay: Duration,
    deadline: Option<Duration>,
    attempt_timeout: Option<Duration>,
    retry_after: Pushback,
    retry_after_max: Duration,
    retry_after_over: TooLong,
    retry_on: Failures,
    guards: Guards,
    around: Option<Box<Policy>>,
}

/// A rule over what callers remember between calls, and who shares the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded<R> {
    /// The rule.
    pub rule: R,
    /// Who shares one memory. Default each client its own.
    pub scope: Scope,
    /// Which failures it counts; `None` all of them. A budget gives retries after the others away.
    pub counts: Option<Failures>,
}

/// Everything that callers remember between calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Guards {
    pub(crate) budget: Option<Guarded<Budget>>,
    pub(crate) breaker: Option<Guarded<Breaker>>,
    pub(crate) throttle: Option<Guarded<Throttle>>,
    pub(crate) adaptive: Option<Guarded<Adaptive>>,
    pub(crate) concurrency: Option<Guarded<Concurrency>>,
    pub(crate) hedge: Option<Guarded<Hedge>>,
}

const MAX_RETRIES: u32 = 3;
const BASE_DELAY: Duration = Duration::from_millis(100);
const FACTOR: f64 = 2.0;
const JITTER_RATIO_PARTS: u32 = Probability::PARTS / 5;
const SUBTRACTIVE_RATIO_PARTS: u32 = Probability::PARTS / 4;
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);
/// How far a clamped `Retry-After` may lie above the policy's own delay.
const CLAMP_WIDTH: Duration = Duration::from_secs(5);

impl<R> Guarded<R> {
    /// Each client its own, counting every failure.
    pub const fn each(rule: R) -> Self {
        Self { rule, scope: Scope::Client, counts: None }
    }

    /// Whether it counts this failure.
    pub(crate) fn counts(&self, failure: &Failure) -> bool {
        self.counts.as_ref().is_none_or(|failures| failures.includes(failure))
    }
}

impl Policy {
    /// The policy that these settings make.
    ///
    /// # Errors
    /// All that is wrong with the settings, at once.
    pub fn new(mut settings: Settings) -> Result<Self, Vec<PolicyError>> {
        let mut errors = contradictions(&settings);
        let layers = std::mem::take(&mut settings.around);
        let mut around = None;
        for layer in layers.into_iter().rev() {
            if layer.hedge.is_some() {
                errors.push(PolicyError::HedgeAround);
            }
            match Self::new(layer) {
                Ok(policy) => around = Some(Box::new(Self { around, ..policy })),
                Err(more) => errors.extend(more),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let backoff = backoff(&settings, settings.base_delay);
        let throttling = settings.throttling_base_delay.map(|base| self::backoff(&settings, Some(base)));
        let least_cap = throttling.iter().chain([&backoff]).map(Backoff::least_cap).max().unwrap_or_default();
        Ok(Self {
            max_retries: settings.max_retries.unwrap_or(MAX_RETRIES),
            max_delay: settings.max_delay.unwrap_or(Settings::MAX_DELAY.max(least_cap)),
            backoff,
            throttling_backoff: throttling,
            jitter: jitter(&settings),
            deadline: settings.deadline,
            attempt_timeout: settings.attempt_timeout,
            retry_after: settings.retry_after.unwrap_or(Pushback::AtLeast),
            retry_after_max: settings.retry_after_max.unwrap_or(RETRY_AFTER_MAX),
            retry_after_over: settings.retry_after_over.unwrap_or(TooLong::Stop),
            retry_on: settings.retry_on.unwrap_or_default(),
            guards: Guards {
                budget: settings.budget,
                breaker: settings.breaker,
                throttle: settings.throttle,
                adaptive: settings.adaptive,
                concurrency: settings.concurrency,
                hedge: settings.hedge,
            },
            around,
        })
    }

    /// One try, no timeout: what a caller without a policy does.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Settings { max_retries: Some(0), ..Settings::default() }).expect("the defaults make a policy")
    }

    /// The same policy, whose attempts are given up after `timeout` where it names none itself: on a wire nothing waits for ever.
    #[must_use]
    pub fn or_attempt_timeout(self, timeout: Duration) -> Self {
        Self { attempt_timeout: self.attempt_timeout.or(Some(timeout)), ..self }
    }

    /// How many retries it makes after the first try, at the most.
    #[must_use]
    pub const fn max_retries(&self) -> u32 {
        self.max_retries
    }

    /// How many attempts one call makes at the most, those that the policies around it ask for and copies included; `None`
    /// without bound.
    #[must_use]
    pub fn attempts_max(&self) -> Option<u32> {
        let copies = self.guards.hedge.as_ref().map_or(0, |hedge| hedge.rule.max().get());
        let own = self.max_retries.checked_add(1)?.checked_add(copies)?;
        own.checked_mul(self.around().map_or(Some(1), Self::attempts_max)?)
    }

    /// Whether its verdicts depend on a draw, so that a seed is needed to repeat them.
    #[must_use]
    pub fn uses_chance(&self) -> bool {
        self.jitter != Jitter::None || self.around().is_some_and(Self::uses_chance)
    }

    /// How long an attempt may take that begins `elapsed` after the call did: the attempt's own timeout or what is
    /// left of the deadline, whichever is shorter; `None` without either.
    #[must_use]
    #[inline]
    pub fn allowance(&self, elapsed: Duration) -> Option<Duration> {
        let left = self.deadline.map(|deadline| deadline.saturating_sub(elapsed));
        match (self.attempt_timeout, left) {
            (Some(timeout), Some(left)) => Some(timeout.min(left)),
            (timeout, left) => timeout.or(left),
        }
    }

    pub(crate) const fn has_deadline(&self) -> bool {
        self.deadline.is_some()
    }

    pub(crate) const fn guards(&self) -> &Guards {
        &self.guards
    }

    /// Whether an attempt is given up at some time, so that a service that never answers cannot hold a call for ever.
    #[must_use]
    pub fn gives_up(&self) -> bool {
        let own = self.attempt_timeout.is_some() || self.deadline.is_some();
        own || self.around().is_some_and(Self::gives_up)
    }

    /// The policy around this one, if there is one.
    #[must_use]
    pub fn around(&self) -> Option<&Self> {
        self.around.as_deref()
    }

    /// Whether a call may come out otherwise for what became of those before.
    #[must_use]
    pub fn remembers(&self) -> bool {
        self.guards != Guards::default() || self.around().is_some_and(Self::remembers)
    }

    /// Whether leave to make an attempt depends on a draw.
    #[must_use]
    pub fn throttles(&self) -> bool {
        self.guards.throttle.is_some() || self.around().is_some_and(Self::throttles)
    }

    /// Whether a failure is worth another try.
    #[must_use]
    pub fn retries(&self, failure: &Failure) -> bool {
        self.retry_on.includes(failure)
    }

    /// What follows a failure of `call`, `elapsed` after it began, and the policy's own delay before it. A budget has not been asked yet.
    ///
    /// A wait that would reach past the deadline is not begun.
    pub(crate) fn decide(&self, call: &Call, elapsed: Duration, failure: &Failure, draw: u64) -> (Verdict, Duration) {
        let stop = |reason| (Verdict::Stop(reason), Duration::ZERO);
        if self.deadline.is_some_and(|deadline| deadline <= elapsed) {
            return stop(StopReason::DeadlineExceeded);
        }
        if !self.retries(failure) {
            return stop(StopReason::NotRetryable);
        }
        if self.max_retries <= call.retries {
            return stop(StopReason::Exhausted);
        }
        let own = self.delay(call, failure, draw);
        let Some((after, source)) = self.wait(own, failure.retry_after, draw) else {
            return stop(StopReason::RetryAfterTooLong);
        };
        if self.deadline.is_some_and(|deadline| deadline <= elapsed.saturating_add(after)) {
            return stop(StopReason::DeadlineNear);
        }
        (Verdict::Retry { after, source }, own)
    }

    /// The wait where the policy's own would be `own` and the service asked for `hint`; `None` where it asked for too much.
    fn wait(&self, own: Duration, hint: Option<Duration>, draw: u64) -> Option<(Duration, DelaySource)> {
        let hint = match (hint, self.retry_after_over) {
            (None, _) => None,
            (Some(_), _) if self.retry_after == Pushback::Ignore => None,
            (Some(hint), TooLong::Stop) if self.retry_after_max < hint => return None,
            (Some(hint), TooLong::Cap) => Some(hint.min(self.retry_after_max)),
            (Some(hint), _) => Some(hint).filter(|hint| *hint <= self.retry_after_max),
        };
        let heeded = hint.and_then(|hint| match self.retry_after {
            Pushback::Ignore => None,
            Pushback::AtLeast => (own < hint).then_some(hint),
            Pushback::Exact => Some(hint),
            Pushback::Clamp => Some(hint.clamp(own, own.saturating_add(CLAMP_WIDTH))).filter(|hint| *hint != own),
            Pushback::Spread => Some(hint.saturating_add(scale(hint / 2, draw))),
        });
        Some(heeded.map_or((own, DelaySource::Backoff), |hint| (hint, DelaySource::RetryAfter)))
    }

    /// The policy's own wait after a failure of `call`: the backoff's delay with jitter, capped after the jitter.
    fn delay(&self, call: &Call, failure: &Failure, draw: u64) -> Duration {
        let throttling = self.throttling_backoff.as_ref().filter(|_| failure.is_throttling());
        let backoff = throttling.unwrap_or(&self.backoff);
        let n = call.steps.saturating_add(1);
        let delay =
            Delay { backoff: backoff.delay(n).min(self.max_delay), base: backoff.base(), previous: call.previous() };
        self.jitter.apply(delay, draw).min(self.max_delay)
    }

    /// Whether a heeded `Retry-After` makes the backoff begin anew.
    pub(crate) fn begins_anew_after(&self, source: DelaySource) -> bool {
        source == DelaySource::RetryAfter && self.retry_after == Pushback::Exact
    }
}

fn jitter(settings: &Settings) -> Jitter {
    let ratio = |default| settings.jitter_ratio.or(Probability::from_parts(default)).unwrap_or(Probability::ONE);
    match settings.jitter.unwrap_or(JitterKind::None) {
        JitterKind::None => Jitter::None,
        JitterKind::Full => Jitter::Full,
        JitterKind::Equal => Jitter::Equal,
        JitterKind::Decorrelated => Jitter::Decorrelated,
        JitterKind::Proportional => Jitter::Proportional { ratio: ratio(JITTER_RATIO_PARTS) },
        JitterKind::Subtractive => Jitter::Subtractive { ratio: ratio(SUBTRACTIVE_RATIO_PARTS) },
        JitterKind::Additive => Jitter::Additive { width: settings.jitter_width },
    }
}

fn backoff(settings: &Settings, base: Option<Duration>) -> Backoff {
    if let Some(delays) = &settings.delays {
        return Backoff::List(delays.clone());
    }
    let base = base.unwrap_or(BASE_DELAY);
    match settings.growth.unwrap_or(Growth::Exponential) {
        Growth::Constant => Backoff::Constant { base },
        Growth::Linear => Backoff::Linear { base },
        Growth::Exponential => Backoff::Exponential { base, factor: settings.factor.unwrap_or(FACTOR) },
        Growth::Fibonacci => Backoff::Fibonacci { base },
    }
}

/// Every rule that the settings break.
fn contradictions(settings: &Settings) -> Vec<PolicyError> {
    let mut errors = Vec::new();
    let exponential = matches!(settings.growth, None | Some(Growth::Exponential));
    let decorrelated = settings.jitter == Some(JitterKind::Decorrelated);
    if let Some(factor) = settings.factor {
        if !(1.0..=FACTOR_MAX).contains(&factor) {
            errors.push(PolicyError::Factor(factor));
        } else if !exponential {
            errors.push(PolicyError::FactorUnused(factor));
        } else if decorrelated {
            errors.push(PolicyError::DecorrelatedAnd("factor"));
        }
    }
    if settings.growth.is_some() && decorrelated {
        errors.push(PolicyError::DecorrelatedAnd("backoff"));
    }
    if let Some(delays) = &settings.delays {
        let formula = [
            (settings.growth.is_some(), "backoff"),
            (settings.base_delay.is_some(), "base_delay"),
            (settings.factor.is_some(), "factor"),
            (settings.throttling_base_delay.is_some(), "throttling_base_delay"),
        ];
        errors.extend(formula.into_iter().filter(|(given, _)| *given).map(|(_, name)| PolicyError::DelaysAnd(name)));
        if delays.is_empty() {
            errors.push(PolicyError::NoDelays);
        } else if decorrelated {
            errors.push(PolicyError::DecorrelatedAnd("delays"));
        }
    }
    if let Some(max) = settings.max_delay {
        let delay = backoff(settings, settings.base_delay).least_cap();
        let delay = delay.max(settings.throttling_base_delay.unwrap_or_default());
        if max < delay {
            errors.push(PolicyError::CapBelowDelay { max, delay });
        }
    }
    if let Some(ratio) = settings.jitter_ratio.filter(|_| !settings.jitter.is_some_and(JitterKind::has_ratio)) {
        errors.push(PolicyError::RatioUnused(ratio));
    }
    if let Some(width) = settings.jitter_width.filter(|_| settings.jitter != Some(JitterKind::Additive)) {
        errors.push(PolicyError::WidthUnused(width));
    }
    if settings.deadline.is_some_and(|deadline| deadline.is_zero()) {
        errors.push(PolicyError::DeadlineZero);
    }
    if settings.attempt_timeout.is_some_and(|timeout| timeout.is_zero()) {
        errors.push(PolicyError::AttemptTimeoutZero);
    }
    errors
}

#[cfg(test)]
mod tests;
