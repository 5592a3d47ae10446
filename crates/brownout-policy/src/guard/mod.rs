//! What callers remember from one call to the next, and the rules over it.
//!
//! A guard is a rule, checked when it is made and never changed, and a small memory that a caller, or all callers
//! together, keep beside it. Every answer is a function of the rule, the memory, the time since the run began and, where
//! there is chance, one draw.
//!
//! What is decided here: whether a retry may be made ([`Budget`]), whether an attempt may be sent ([`Breaker`],
//! [`Throttle`], [`Concurrency`]), how long it waits before that ([`Adaptive`]), and when a copy is sent beside it
//! ([`Hedge`]). What is left out: who shares a memory, and what becomes of an attempt that was refused.

mod adaptive;
mod breaker;
mod budget;
mod concurrency;
mod error;
mod hedge;
mod thousandths;
mod throttle;
mod window;

pub use adaptive::{Adaptive, AdaptiveState};
pub use breaker::{Breaker, BreakerState, Trip, TripWindow};
pub use budget::{
    AwsCosts, AwsQuota, Budget, Budgets, ConcurrentBudget, DepositOn, Grants, GrpcThrottling, IntervalBudget,
    TokenBudget, WindowedBudget,
};
pub use concurrency::{Concurrency, InFlight};
pub use error::GuardError;
pub use hedge::{Hedge, HedgeDelay, HedgeState};
pub use throttle::{Throttle, ThrottleState};
