//! What a caller does after a failure, decided without a clock.
//!
//! ```
//! use std::time::Duration;
//! use brownout_policy::{Call, Failure, Policy, Settings, Verdict};
//!
//! let policy = Policy::new(Settings { base_delay: Some(Duration::from_millis(100)), ..Settings::default() })?;
//! let mut call = Call::new(&policy);
//! let verdict = call.failed(Duration::from_millis(30), &Failure::status(503), 0);
//! assert!(matches!(verdict, Verdict::Retry { after, .. } if after == Duration::from_millis(100)));
//! # Ok::<(), Vec<brownout_policy::PolicyError>>(())
//! ```
//!
//! What is decided here: whether a failure is worth another try ([`RetryOn`]), how long to wait ([`Growth`],
//! [`JitterKind`], [`retry_after`]), when to stop ([`StopReason`]). What is left out: making the attempt, and waiting.

mod backoff;
mod call;
mod failure;
mod jitter;
mod policy;
pub mod retry_after;
mod settings;
mod verdict;

pub use call::Call;
pub use failure::{Failure, FailureKind, RetryOn, RetryOnError, Transport};
pub use policy::Policy;
pub use settings::{FACTOR_MAX, Growth, JitterKind, PolicyError, Settings};
pub use verdict::{DelaySource, StopReason, Verdict};
