//! The settings of a policy before they are checked, so that files, flags and defaults can be laid over each other.

use std::time::Duration;

use brownout_draw::Probability;

use crate::{Adaptive, Breaker, Budget, Concurrency, Failures, Guarded, Hedge, Throttle};

/// What a scenario or the command line says of a policy; `None` takes the default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Retries after the first try. Default 3; 0 never retries.
    pub max_retries: Option<u32>,
    /// How the delay grows. Default exponential.
    pub growth: Option<Growth>,
    /// The first delay. Default 100 ms; 0 retries at once.
    pub base_delay: Option<Duration>,
    /// The first delay after a 429. Default as after any failure.
    pub throttling_base_delay: Option<Duration>,
    /// Growth of an exponential backoff from one retry to the next. Default 2, at least 1.
    pub factor: Option<f64>,
    /// These delays in order, the last repeated, in place of `growth`, `base_delay` and `factor`.
    pub delays: Option<Vec<Duration>>,
    /// No backoff waits longer, jitter included. Default 60 s, or the first delay (any of a list) where that is longer.
    pub max_delay: Option<Duration>,
    /// Chance in the delay. Default none.
    pub jitter: Option<JitterKind>,
    /// How far proportional jitter reaches to either side, and subtractive jitter down. Default 0.2 and 0.25.
    pub jitter_ratio: Option<Probability>,
    /// How far additive jitter reaches. Default: as far as the delay is long.
    pub jitter_width: Option<Duration>,
    /// Of the whole call, work time and waits included. Default none.
    pub deadline: Option<Duration>,
    /// Of each attempt. Default none.
    pub attempt_timeout: Option<Duration>,
    /// What a service's `Retry-After` does. Default: nobody comes back before.
    pub retry_after: Option<Pushback>,
    /// The longest `Retry-After` that is waited out. Default 300 s, as Envoy's rate-limited backoff.
    pub retry_after_max: Option<Duration>,
    /// What a longer one does. Default: it ends the call.
    pub retry_after_over: Option<TooLong>,
    /// Which failures are worth another try. Default 429, 5xx and broken exchanges, but for those of TLS.
    pub retry_on: Option<Failures>,
    /// What all calls together may add. Default: without bound.
    pub budget: Option<Guarded<Budget>>,
    /// When to stop asking a service that fails. Default: never.
    pub breaker: Option<Guarded<Breaker>>,
    /// When to send less to a service that refuses. Default: never.
    pub throttle: Option<Guarded<Throttle>>,
    /// Whether attempts are spaced out after a 429, as the adaptive mode of the AWS SDKs does. Default: no.
    pub adaptive: Option<Guarded<Adaptive>>,
    /// How many attempts may be in flight. Default: without bound.
    pub concurrency: Option<Guarded<Concurrency>>,
    /// When to send a second copy. Default: never.
    pub hedge: Option<Guarded<Hedge>>,
    /// The policies around this one, the nearest first: an SDK is inside a framework, and that inside a job queue. To each,
    /// a whole call of the one inside is one attempt. Default none.
    pub around: Vec<Settings>,
}

/// What a service's `Retry-After` does to the wait; `own` is the policy's delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushback {
    /// Nothing.
    Ignore,
    /// The longer of both: nobody comes back before being asked to.
    AtLeast,
    /// It replaces the delay, and the backoff begins anew: gRPC, most SDKs.
    Exact,
    /// It is brought into `[own, own + 5 s]`. Source: the retry behaviour "2.1" of the AWS SDKs, 2026.
    Clamp,
    /// `U(hint, 1.5 · hint)`, so that not all come back together. Source: Envoy, rate-limited retry backoff.
    Spread,
}

/// What a `Retry-After` does that asks for more than the policy waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLong {
    /// It ends the call.
    Stop,
    /// It is overheard.
    Ignore,
    /// It is waited out as far as the policy waits.
    Cap,
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
    /// `e · U(1 - ratio, 1)`.
    Subtractive,
    /// `e + U(0, width)`.
    Additive,
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
    pub const NAMES: [(&'static str, Self); 7] = [
        ("none", Self::None),
        ("full", Self::Full),
        ("equal", Self::Equal),
        ("decorrelated", Self::Decorrelated),
        ("proportional", Self::Proportional),
        ("subtractive", Self::Subtractive),
        ("additive", Self::Additive),
    ];
}

impl JitterKind {
    /// Whether a ratio says how far it reaches.
    pub(crate) const fn has_ratio(self) -> bool {
        matches!(self, Self::Proportional | Self::Subtractive)
    }
}

impl Pushback {
    /// Every case with its name in scenarios.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("ignore", Self::Ignore),
        ("at_least", Self::AtLeast),
        ("exact", Self::Exact),
        ("clamp", Self::Clamp),
        ("spread", Self::Spread),
    ];
}

impl TooLong {
    /// Every case with its name in scenarios.
    pub const NAMES: [(&'static str, Self); 3] = [("stop", Self::Stop), ("ignore", Self::Ignore), ("cap", Self::Cap)];
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
    /// A ratio without a jitter that has one.
    RatioUnused(Probability),
    /// A width without additive jitter.
    WidthUnused(Duration),
    /// A deadline of zero.
    DeadlineZero,
    /// An attempt timeout of zero.
    AttemptTimeoutZero,
    /// A policy around others that hedges.
    HedgeAround,
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
            Self::WidthUnused(_) => "jitter_width",
            Self::DeadlineZero => "deadline",
            Self::AttemptTimeoutZero => "attempt_timeout",
            Self::HedgeAround => "hedge",
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
                    "{own} ({found}) only applies to proportional and subtractive jitter; drop it, or set the jitter to one of them"
                )
            }
            Self::WidthUnused(found) => {
                format!("{own} ({found:?}) only applies to additive jitter; drop it, or set the jitter to additive")
            }
            Self::DeadlineZero => {
                format!("{own} must be longer than zero, or no attempt could be made; drop it to wait without end")
            }
            Self::AttemptTimeoutZero => {
                format!("{own} must be longer than zero, or no answer could come in time; drop it to wait without end")
            }
            Self::HedgeAround => {
                format!(
                    "{own} is for the policy nearest to the service; a policy around others cannot copy their calls; drop it"
                )
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
    /// The longest backoff where nothing else is said.
    pub const MAX_DELAY: Duration = Duration::from_secs(60);

    /// How long callers wait, for an attempt and for the whole, and nothing else.
    #[must_use]
    pub fn patience(&self) -> Self {
        Self { attempt_timeout: self.attempt_timeout, deadline: self.deadline, ..Self::default() }
    }

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
            under.throttling_base_delay = None;
        }
        if self.growth.is_some_and(|growth| growth != Growth::Exponential) {
            under.factor = None;
        }
        if decorrelated {
            (under.growth, under.factor) = (None, None);
        }
        if let Some(jitter) = self.jitter {
            under.jitter_ratio = under.jitter_ratio.filter(|_| jitter.has_ratio());
            under.jitter_width = under.jitter_width.filter(|_| jitter == JitterKind::Additive);
        }
        Self {
            max_retries: self.max_retries.or(under.max_retries),
            growth: self.growth.or(under.growth),
            base_delay: self.base_delay.or(under.base_delay),
            throttling_base_delay: self.throttling_base_delay.or(under.throttling_base_delay),
            factor: self.factor.or(under.factor),
            delays: self.delays.or(under.delays),
            max_delay: self.max_delay.or(under.max_delay),
            jitter: self.jitter.or(under.jitter),
            jitter_ratio: self.jitter_ratio.or(under.jitter_ratio),
            jitter_width: self.jitter_width.or(under.jitter_width),
            deadline: self.deadline.or(under.deadline),
            attempt_timeout: self.attempt_timeout.or(under.attempt_timeout),
            retry_after: self.retry_after.or(under.retry_after),
            retry_after_max: self.retry_after_max.or(under.retry_after_max),
            retry_after_over: self.retry_after_over.or(under.retry_after_over),
            retry_on: self.retry_on.or(under.retry_on),
            budget: self.budget.or(under.budget),
            breaker: self.breaker.or(under.breaker),
            throttle: self.throttle.or(under.throttle),
            adaptive: self.adaptive.or(under.adaptive),
            concurrency: self.concurrency.or(under.concurrency),
            hedge: self.hedge.or(under.hedge),
            around: if self.around.is_empty() { under.around } else { self.around },
        }
    }
}
