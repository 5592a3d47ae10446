//! When calls start and what came back.
//!
//! A *call* is one logical request; an *attempt* is one try of it. Every driver, in virtual time and over sockets,
//! hands its [`Attempt`]s and [`CallEnd`]s to a [`Tally`], and a finished tally is a [`LoadResult`].
//!
//! ```
//! use std::time::Duration;
//! use brownout_load::{CallEnd, Tally};
//!
//! let mut tally = Tally::new(&[]);
//! tally.call(&CallEnd { started: Duration::ZERO, elapsed: Duration::from_millis(40), failed: None });
//! assert_eq!(tally.result(1).calls.succeeded, 1);
//! ```
//!
//! What is decided here: how a client paces its calls ([`Load`]), what counts as success ([`Reply::is_success`]), what a
//! number in a result means. What is left out: making calls, and printing.

mod latency;
mod load;
mod record;
mod result;
mod series;
mod tally;

pub use latency::Latency;
pub use load::{Load, RequestLine};
pub use record::{Attempt, CallEnd, CallTrace, Exchange, Reply, Trail};
pub use result::{Attempts, Calls, Latencies, LoadResult, PhaseResult};
pub use series::SeriesResult;
pub use tally::Tally;
