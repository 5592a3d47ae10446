//! The settings of a policy before they are checked, so that files, flags and defaults can be laid over each other.

use std::time::Duration;

use brownout_draw::Probability;
use thiserror::Error;

use crate::RetryOn;

/// What a scenario or the command line says of a policy; `None` takes the default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Retries after the first try. Default 3; 0 never retries.
    pub max_retries: Option<u32>,
    /// How the delay grows. Default exponential.
    pub growth: Option<Growth>,
    /// The first delay. Default 100 ms; 0 retries at once.
    pub base_delay: Option<Duration>,
    /// Growth of an exponential backoff from one retry to the next. Default 2, at least 1.
    pub factor: Option<f64>,
    /// These delays in order, the last repeated, in place of `growth`, `base_delay` and `factor`.
    pub delays: Option<Vec<Duration>>,
    /// No backoff waits longer, jitter included. Default 60 s, or the first delay where that is longer.
    pub max_delay: Option<Duration>,
    /// Chance in the delay. Default none.
    pub jitter: Option<JitterKind>,
    /// How far proportional jitter reaches to either side. Default 0.2.
    pub jitter_ratio: Option<Probability>,
    /// Of the whole call, work time and waits included. Default none.
    pub deadline: Option<Duration>,
    /// Of each attempt. Default none.
    pub attempt_timeout: Option<Duration>,
    /// Whether a service's `Retry-After` is heeded. Default yes.
    pub heed_retry_after: Option<bool>,
    /// The longest `Retry-After` that is waited out; a longer one ends the call. Default 300 s, as Envoy's
    /// rate-limited backoff.
    pub retry_after_max: Option<Duration>,
    /// Which failures are worth another try. Default 429, 5xx and broken exchanges.
    pub retry_on: Option<RetryOn>,
}

/// How a delay grows: the shapes of [`Backoff`](crate::Backoff) without their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// The same every time.
    Constant,
    /// By the base each time.
    Linear,
    /// By a factor each time.
    Exponential,
    /// As the Fibonacci numbers.
    Fibonacci,
}

/// The kinds of [`Jitter`](crate::Jitter) without their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JitterKind {
    /// No chance.
    None,
    /// Anywhere from zero to the delay.
    Full,
    /// The upper half of the delay.
    Equal,
    /// From the base to three times the delay before.
    Decorrelated,
    /// Some way to either side of the delay.
    Proportional,
}

impl Growth {
    /// Every growth with its name in scenarios and flags.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("constant", Self::Constant),
        ("linear", Self::Linear),
        ("exponential", Self::Exponential),
        ("fibonacci", Self::Fibonacci),
    ];
}

impl JitterKind {
    /// Every kind with its name in scenarios and flags.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("none", Self::None),
        ("full", Self::Full),
        ("equal", Self::Equal),
        ("decorrelated", Self::Decorrelated),
        ("proportional", Self::Proportional),
    ];
}

/// Why settings make no policy. Each message names the rule, the value found and the way out.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PolicyError {
    /// A factor that shrinks, or is no number.
    #[error(
        "factor must be a number from 1 to 1000000, found {0}; below 1 the delay would shrink, 1 keeps it constant"
    )]
    Factor(f64),
    /// A factor where nothing is multiplied.
    #[error("factor ({0}) only applies to exponential backoff; drop it, or set the backoff to exponential")]
    FactorUnused(f64),
    /// A cap below the first delay.
    #[error("max_delay ({max:?}) is below the first delay ({first:?}); raise it or lower the first")]
    CapBelowFirst {
        /// The cap.
        max: Duration,
        /// The first delay.
        first: Duration,
    },
    /// A list without a delay.
    #[error("delays must name at least one delay, found none; write [\"1s\", \"5s\"]")]
    NoDelays,
    /// A list beside a formula.
    #[error("delays stands in place of {0}; drop one of the two")]
    DelaysAndFormula(&'static str),
    /// Decorrelated jitter beside a growth it would ignore.
    #[error("decorrelated jitter grows by itself and ignores {0}; drop one of the two")]
    DecorrelatedAnd(&'static str),
    /// A ratio without proportional jitter.
    #[error("jitter_ratio ({0}) only applies to proportional jitter; drop it, or set the jitter to proportional")]
    RatioUnused(Probability),
    /// A deadline of zero.
    #[error("deadline must be longer than zero: no attempt could be made; drop it to wait without end")]
    DeadlineZero,
    /// An attempt timeout of zero.
    #[error("attempt_timeout must be longer than zero: no answer could come in time; drop it to wait without end")]
    AttemptTimeoutZero,
}

impl PolicyError {
    /// The setting to blame, by its name in a scenario.
    #[must_use]
    pub const fn setting(&self) -> &'static str {
        match self {
            Self::Factor(_) | Self::FactorUnused(_) => "factor",
            Self::CapBelowFirst { .. } => "max_delay",
            Self::NoDelays | Self::DelaysAndFormula(_) => "delays",
            Self::DecorrelatedAnd(_) => "jitter",
            Self::RatioUnused(_) => "jitter_ratio",
            Self::DeadlineZero => "deadline",
            Self::AttemptTimeoutZero => "attempt_timeout",
        }
    }
}

impl Settings {
    /// These settings where they say something, else `under`'s.
    ///
    /// A list of delays takes the place of a formula below it, and a formula that of a list.
    #[must_use]
    pub fn over(self, under: Self) -> Self {
        let formula_here = self.growth.is_some() || self.base_delay.is_some() || self.factor.is_some();
        let list_here = self.delays.is_some();
        Self {
            max_retries: self.max_retries.or(under.max_retries),
            growth: self.growth.or(under.growth.filter(|_| !list_here)),
            base_delay: self.base_delay.or(under.base_delay.filter(|_| !list_here)),
            factor: self.factor.or(under.factor.filter(|_| !list_here)),
            delays: self.delays.or(under.delays.filter(|_| !formula_here)),
            max_delay: self.max_delay.or(under.max_delay),
            jitter: self.jitter.or(under.jitter),
            jitter_ratio: self.jitter_ratio.or(under.jitter_ratio),
            deadline: self.deadline.or(under.deadline),
            attempt_timeout: self.attempt_timeout.or(under.attempt_timeout),
            heed_retry_after: self.heed_retry_after.or(under.heed_retry_after),
            retry_after_max: self.retry_after_max.or(under.retry_after_max),
            retry_on: self.retry_on.or(under.retry_on),
        }
    }
}
