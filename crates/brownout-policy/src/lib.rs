//! What a caller does after a failure, decided without a clock.
//!
//! ```
//! use std::time::Duration;
//! use brownout_policy::{Callers, Failure, Policy, Settings, Verdict};
//!
//! let policy = Policy::new(Settings { base_delay: Some(Duration::from_millis(100)), ..Settings::default() })?;
//! let mut callers = Callers::one(&policy);
//! let mut call = callers.call(0, Duration::ZERO);
//! let _ = callers.begin(&mut call, Duration::ZERO, 0).expect("nothing stops a first try here");
//! let verdict = callers.failed(&mut call, Duration::from_millis(30), &Failure::status(503), 0, false);
//! assert!(matches!(verdict, Verdict::Retry { after, .. } if after == Duration::from_millis(100)));
//! # Ok::<(), Vec<brownout_policy::PolicyError>>(())
//! ```
//!
//! What is decided here: whether a failure is worth another try ([`Failures`]), how long to wait ([`Growth`],
//! [`JitterKind`], [`retry_after`]), when to stop ([`StopReason`]), and what callers remember from one call to the next ([`Callers`]):
//! [`Budget`], [`Breaker`], [`Throttle`], [`Adaptive`], [`Concurrency`], [`Hedge`]. What is left out: making the attempt, and
//! waiting.

mod backoff;
mod call;
mod callers;
mod failure;
mod guard;
mod jitter;
mod policy;
mod preset;
pub mod retry_after;
mod settings;
mod stack;
mod success;
mod throttling;
mod verdict;

pub use call::Call;
pub use callers::{Callers, Go, GuardLevels, Population, Scope};
pub use failure::{Failure, FailureKind, Failures, FailuresError, Transport};
pub use guard::{
    Adaptive, AdaptiveState, AwsCosts, AwsQuota, Breaker, BreakerState, Budget, Budgets, Concurrency, ConcurrentBudget,
    DepositOn, Grants, GrpcThrottling, GuardError, Hedge, HedgeDelay, HedgeState, InFlight, IntervalBudget, Throttle,
    ThrottleState, TokenBudget, Trip, TripWindow, WindowedBudget,
};
pub use policy::{Course, Guarded, Luck, Policy};
pub use preset::{PRESETS, Preset, preset};
pub use settings::{FACTOR_MAX, Growth, JitterKind, PolicyError, Pushback, Settings, TooLong};
pub use success::{Success, SuccessError};
pub use throttling::names_throttling;
pub use verdict::{DelaySource, StopReason, Verdict};
