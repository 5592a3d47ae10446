//! What a service does to a request, decided without a clock and without a socket.
//!
//! ```
//! use std::time::Duration;
//! use brownout_draw::Seed;
//! use brownout_service::{Identity, Request, Service};
//!
//! let service = Service::default();
//! let request = Request { method: "GET", path: "/hello" };
//! let route = service.route(&request);
//! let decision = service.decide(Seed(42), route, Identity::first(1), Duration::ZERO);
//! let response = decision.respond(&request);
//! assert_eq!(response.status, decision.outcome.status());
//! ```
//!
//! What is decided here: the route ([`Pattern`]), the identity of a request ([`Arrivals`]), one weighted outcome
//! and one latency an attempt ([`Service::decide`]), what load does to it ([`Capacity`]), how much each caller gets
//! ([`Limiters`]), what was done twice ([`Ledger`]), the [`Response`]. What is left out: waiting, sockets, and
//! what the caller does next.

mod burst;
mod cache;
mod capacity;
mod decision;
mod explain;
mod identity;
mod ledger;
mod limit;
mod live;
mod outcome;
mod phase;
mod replica;
mod route;
mod schedule;
mod service;
mod steady;
mod time_left;
mod worst;

pub use burst::{BURSTS_MAX, BurstAt, Bursts};
pub use cache::{Cache, Held};
pub use capacity::{Abandoned, Capacity, Entry, Order, Queue, Shed, Station};
pub use decision::{Decision, Request, Response};
pub use explain::Explanation;
pub use identity::{Arrivals, Claim, Identity, KEYS_MAX};
pub use ledger::{Done, EFFECT_KEYS_SHOWN, Effect, EffectCounts, EffectKey, LEDGER_KEYS_MAX, Ledger};
pub use limit::{
    Asked, Asker, Concurrency, Cost, EARLY_CLIENTS_SHOWN, EarlyReturns, FixedWindow, Hint, HintForm, LIMIT_KEYS_MAX,
    Leave, Limit, LimitCounts, LimitKey, LimitRule, Limiters, Permit, QuotaFields, Refill, Refused, RetryAfter,
    RetryAfterWait, SlidingWindow, Slope, TokenBucket, UNIT, UNITS_MAX, limit_key, shown_key,
};
pub use live::Live;
pub use outcome::{
    Delivery, End, ErrorCode, Fault, FaultError, Finish, Outcome, Outcomes, Pacing, Piece, Point, RatesError, Seen,
    Step,
};
pub use phase::{Factor, Factors, Only, Phase, Ramp, Window};
pub use replica::{Landed, Replicas, Sticky};
pub use route::{Pattern, PatternError};
pub use schedule::{Again, Recurring, TIMES_MAX};
pub use service::{Behaviour, Change, Holding, Route, RouteId, Service, ServiceError};
pub use steady::Steady;
pub use time_left::{NoTime, TimeLeft};
