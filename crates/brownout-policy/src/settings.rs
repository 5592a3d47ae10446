//! The settings of a policy before they are checked, so that files, flags and defaults can be laid over each other.

use std::time::Duration;

use crate::RetryOn;
use brownout_draw::Probability;

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
    /// No backoff waits longer, jitter included. Default 60 s, or the first delay (any of a list) where that is longer.
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
    /// Which failures are worth another try. Default 429, 5xx and broken exchanges, but for those of TLS.
    pub retry_on: Option<RetryOn>,
}

/// How the delay before retry n grows, n from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// `base`, every time.
    Constant,
    /// `base · n`.
    Linear,
    /// `base · factor^(n-1)`.
    Exponential,
    /// `base · F(n)`, F = 1, 1, 2, 3, 5, …
    Fibonacci,
}

/// Where a wait lies around the delay `e`. Formulas by M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JitterKind {
    /// `e` itself.
    None,
    /// `U(0, e)`.
    Full,
    /// `e/2 + U(0, e/2)`.
    Equal,
    /// `min(cap, U(base, 3 · previous))`; follows its own growth, not the delay's.
    Decorrelated,
    /// `e · U(1 - ratio, 1 + ratio)`.
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
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyError {
    /// A factor that shrinks, or is no number.
    Factor(f64),
    /// A factor where nothing is multiplied.
    FactorUnused(f64),
    /// A cap that would cut what was asked for.
    CapBelowDelay {
        /// The cap.
        max: Duration,
        /// The first delay, or one of a list.
        delay: Duration,
    },
    /// A list without a delay.
    NoDelays,
    /// A list beside a formula.
    DelaysAnd(&'static str),
    /// Decorrelated jitter beside a growth it would ignore.
    DecorrelatedAnd(&'static str),
    /// A ratio without proportional jitter.
    RatioUnused(Probability),
    /// A deadline of zero.
    DeadlineZero,
    /// An attempt timeout of zero.
    AttemptTimeoutZero,
}

impl PolicyError {
    /// The setting to blame, by its name in a scenario.
    #[must_use]
    pub const fn setting(&self) -> &'static str {
        match self {
            Self::Factor(_) | Self::FactorUnused(_) => "factor",
            Self::CapBelowDelay { .. } => "max_delay",
            Self::NoDelays | Self::DelaysAnd(_) => "delays",
            Self::DecorrelatedAnd(_) => "jitter",
            Self::RatioUnused(_) => "jitter_ratio",
            Self::DeadlineZero => "deadline",
            Self::AttemptTimeoutZero => "attempt_timeout",
        }
    }

    /// The message with settings called as `name` says: as keys of a scenario, or as flags.
    #[must_use]
    pub fn explain(&self, name: impl Fn(&'static str) -> String) -> String {
        let own = name(self.setting());
        match self {
            Self::Factor(found) => format!(
                "{own} must be a number from 1 to {FACTOR_MAX}, found {found}; below 1 the delay would shrink, 1 keeps it constant"
            ),
            Self::FactorUnused(found) => {
                let backoff = name("backoff");
                format!("{own} ({found}) only applies to exponential backoff; drop it, or set {backoff} to exponential")
            }
            Self::CapBelowDelay { max, delay } => {
                format!(
                    "{own} ({max:?}) would cut the delay of {delay:?} that was asked for; raise it or lower the delay"
                )
            }
            Self::NoDelays => format!("{own} must name at least one delay, found none"),
            Self::DelaysAnd(other) => format!("{own} stands in place of {}; drop one of the two", name(other)),
            Self::DecorrelatedAnd(other) => {
                format!("decorrelated {own} grows by itself and ignores {}; drop one of the two", name(other))
            }
            Self::RatioUnused(found) => {
                format!(
                    "{own} ({found}) only applies to proportional jitter; drop it, or set the jitter to proportional"
                )
            }
            Self::DeadlineZero => {
                format!("{own} must be longer than zero, or no attempt could be made; drop it to wait without end")
            }
            Self::AttemptTimeoutZero => {
                format!("{own} must be longer than zero, or no answer could come in time; drop it to wait without end")
            }
        }
    }
}

/// The message with settings called as in a scenario.
impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.explain(str::to_owned))
    }
}

impl std::error::Error for PolicyError {}

/// The largest growth from one retry to the next.
pub const FACTOR_MAX: f64 = 1e6;

impl Settings {
    /// These settings where they say something, else `under`'s.
    ///
    /// What a setting here makes meaningless below is dropped: a list takes the place of a formula and a formula that of a
    /// list, another growth that of a factor, another jitter that of a ratio, and decorrelated jitter that of any growth.
    #[must_use]
    pub fn over(self, mut under: Self) -> Self {
        let decorrelated = self.jitter == Some(JitterKind::Decorrelated);
        if self.growth.is_some() || self.base_delay.is_some() || self.factor.is_some() || decorrelated {
            under.delays = None;
        }
        if self.delays.is_some() {
            (under.growth, under.base_delay, under.factor) = (None, None, None);
        }
        if self.growth.is_some_and(|growth| growth != Growth::Exponential) {
            under.factor = None;
        }
        if decorrelated {
            (under.growth, under.factor) = (None, None);
        }
        if self.jitter.is_some_and(|jitter| jitter != JitterKind::Proportional) {
            under.jitter_ratio = None;
        }
        Self {
            max_retries: self.max_retries.or(under.max_retries),
            growth: self.growth.or(under.growth),
            base_delay: self.base_delay.or(under.base_delay),
            factor: self.factor.or(under.factor),
            delays: self.delays.or(under.delays),
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
