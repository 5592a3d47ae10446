//! A checked policy, and its one decision.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::Probability;

use crate::backoff::Backoff;
use crate::jitter::{Delay, Jitter};
use crate::settings::FACTOR_MAX;
use crate::{DelaySource, Failure, Growth, JitterKind, PolicyError, RetryOn, Settings, StopReason, Verdict};

/// What a caller does after failures. Checked when it is built; deciding cannot fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    max_retries: u32,
    backoff: Backoff,
    jitter: Jitter,
    max_delay: Duration,
    deadline: Option<Duration>,
    attempt_timeout: Option<Duration>,
    /// The longest `Retry-After` that is waited out; `None` heeds none.
    retry_after_max: Option<Duration>,
    retry_on: RetryOn,
}

const MAX_RETRIES: u32 = 3;
const BASE_DELAY: Duration = Duration::from_millis(100);
const FACTOR: f64 = 2.0;
const MAX_DELAY: Duration = Duration::from_secs(60);
const JITTER_RATIO_PARTS: u32 = Probability::PARTS / 5;
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

impl Policy {
    /// The policy that these settings make.
    ///
    /// # Errors
    /// All that is wrong with the settings, at once.
    pub fn new(settings: Settings) -> Result<Self, Vec<PolicyError>> {
        let errors = contradictions(&settings);
        if !errors.is_empty() {
            return Err(errors);
        }
        let ratio = settings.jitter_ratio.or(Probability::from_parts(JITTER_RATIO_PARTS));
        let jitter = match settings.jitter.unwrap_or(JitterKind::None) {
            JitterKind::None => Jitter::None,
            JitterKind::Full => Jitter::Full,
            JitterKind::Equal => Jitter::Equal,
            JitterKind::Decorrelated => Jitter::Decorrelated,
            JitterKind::Proportional => Jitter::Proportional { ratio: ratio.unwrap_or(Probability::ONE) },
        };
        let heed = settings.heed_retry_after.unwrap_or(true);
        let backoff = backoff(&settings);
        Ok(Self {
            max_retries: settings.max_retries.unwrap_or(MAX_RETRIES),
            max_delay: settings.max_delay.unwrap_or(MAX_DELAY.max(backoff.least_cap())),
            backoff,
            jitter,
            deadline: settings.deadline,
            attempt_timeout: settings.attempt_timeout,
            retry_after_max: heed.then(|| settings.retry_after_max.unwrap_or(RETRY_AFTER_MAX)),
            retry_on: settings.retry_on.unwrap_or_default(),
        })
    }

    /// One try, no timeout: what a caller without a policy does.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Settings { max_retries: Some(0), ..Settings::default() }).expect("the defaults make a policy")
    }

    /// How many retries it makes after the first try, at the most.
    #[must_use]
    pub const fn max_retries(&self) -> u32 {
        self.max_retries
    }

    /// Whether its verdicts depend on a draw, so that a seed is needed to repeat them.
    #[must_use]
    pub fn uses_chance(&self) -> bool {
        self.jitter != Jitter::None
    }

    /// How long an attempt may take that begins `elapsed` after the call did: the attempt's own timeout or what is
    /// left of the deadline, whichever is shorter; `None` without either.
    pub(crate) fn allowance(&self, elapsed: Duration) -> Option<Duration> {
        let left = self.deadline.map(|deadline| deadline.saturating_sub(elapsed));
        match (self.attempt_timeout, left) {
            (Some(timeout), Some(left)) => Some(timeout.min(left)),
            (timeout, left) => timeout.or(left),
        }
    }

    /// Why nothing follows failed attempt number `attempt`, `elapsed` after the call began, whatever the wait would be.
    pub(crate) fn stop(&self, attempt: NonZeroU32, elapsed: Duration, failure: &Failure) -> Option<StopReason> {
        if self.deadline.is_some_and(|deadline| deadline <= elapsed) {
            return Some(StopReason::DeadlineExceeded);
        }
        if !self.retry_on.includes(failure.kind) {
            return Some(StopReason::NotRetryable);
        }
        (self.max_retries < attempt.get()).then_some(StopReason::Exhausted)
    }

    /// The wait after a failure that may be retried, where the policy's own would be `backoff`.
    ///
    /// A heeded `Retry-After` that is longer takes the place of the wait, so that nobody comes back before being asked
    /// to. A wait that would reach past the deadline is not begun.
    pub(crate) fn wait(&self, elapsed: Duration, failure: &Failure, backoff: Duration) -> Verdict {
        let (after, source) = match (failure.retry_after, self.retry_after_max) {
            (Some(asked), Some(max)) if max < asked => return Verdict::Stop(StopReason::RetryAfterTooLong),
            (Some(asked), Some(_)) if backoff < asked => (asked, DelaySource::RetryAfter),
            _ => (backoff, DelaySource::Backoff),
        };
        if self.deadline.is_some_and(|deadline| deadline <= elapsed.saturating_add(after)) {
            return Verdict::Stop(StopReason::DeadlineNear);
        }
        Verdict::Retry { after, source }
    }

    /// The policy's own wait after failed attempt number `attempt`: the backoff's delay with jitter, capped after the
    /// jitter. `previous` is the one before, if there was one.
    pub(crate) fn delay(&self, attempt: NonZeroU32, previous: Option<Duration>, draw: u64) -> Duration {
        let backoff = self.backoff.delay(attempt.get()).min(self.max_delay);
        let delay = Delay { backoff, base: self.backoff.base(), previous };
        self.jitter.apply(delay, draw).min(self.max_delay)
    }
}

fn backoff(settings: &Settings) -> Backoff {
    if let Some(delays) = &settings.delays {
        return Backoff::List(delays.clone());
    }
    let base = settings.base_delay.unwrap_or(BASE_DELAY);
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
        ];
        errors.extend(formula.into_iter().filter(|(given, _)| *given).map(|(_, name)| PolicyError::DelaysAnd(name)));
        if delays.is_empty() {
            errors.push(PolicyError::NoDelays);
        } else if decorrelated {
            errors.push(PolicyError::DecorrelatedAnd("delays"));
        }
    }
    if let Some(max) = settings.max_delay {
        let delay = backoff(settings).least_cap();
        if max < delay {
            errors.push(PolicyError::CapBelowDelay { max, delay });
        }
    }
    if let Some(ratio) = settings.jitter_ratio.filter(|_| settings.jitter != Some(JitterKind::Proportional)) {
        errors.push(PolicyError::RatioUnused(ratio));
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
