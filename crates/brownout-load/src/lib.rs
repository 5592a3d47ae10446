//! When calls start and what came back.
//!
//! A *call* is one logical request; an *attempt* is one try of it. Every driver, in virtual time and over sockets,
//! hands its [`Attempt`]s and [`CallEnd`]s to a [`Tally`], and a finished tally is a [`LoadResult`].
//!
//! ```
//! use brownout_load::{CallEnd, Tally};
//!
//! let mut tally = Tally::new(&[]);
//! tally.call(&CallEnd { started_ns: 0, elapsed_ns: 40_000_000, attempts: 1, failed: None });
//! assert_eq!(tally.result(1, None).calls.succeeded, 1);
//! ```
//!
//! What is decided here: when calls start ([`Load`], [`Schedule`]), what counts as success ([`Reply::is_success`]), what a
//! number in a result means. What is left out: making calls, and printing.

mod buckets;
mod bursts;
mod carried;
mod coarse;
mod cohort;
mod curve;
mod expect;
mod generator;
mod given_up;
mod graph;
mod guards;
mod intervals;
mod latency;
mod load;
mod merge;
mod read;
mod record;
mod recovery;
mod replay;
mod requests;
mod result;
mod schedule;
mod series;
mod shard;
mod snapshot;
mod tally;
mod template;

pub use bursts::{Bursts, BurstsError};
pub use carried::{Carried, CarriedError};
pub use cohort::{Cohort, Numbers, OwnPolicy, Part};
pub use curve::{Curve, CurveError, Segment};
pub use expect::{Expectation, Expectations, Judged, Measure, Met, Relation, Unit, Verdict};
pub use generator::{Generator, Pace};
pub use given_up::{GivenUp, Over};
pub use graph::{Graph, Hop, HopCounts, Node, inner_number};
pub use guards::GuardLog;
pub use intervals::{Intervals, to_the_thousandth};
pub use latency::{Latency, LatencyHistogram};
pub use load::{AfterGiveUp, Arrivals, Load, Rate, RequestLine, Spacing};
pub use merge::MergeError;
pub use record::{Attempt, CallEnd, CallTrace, Exchange, Reply, Trail};
pub use replay::{Replay, ReplayError};
pub use requests::{Drawn, Kind, Requests, RequestsError, Spot, Values};
pub use result::{
    Attempts, Calls, CapacityResult, CapacitySeries, CohortResult, EarlyClient, EarlyResult, EffectKeyResult,
    EffectResult, GuardSeries, Latencies, LimitResult, LimitsResult, LoadResult, PhaseResult, Recovery,
    RetryAfterCounts, ServiceResult,
};
pub use schedule::{Arrival, Schedule, Step};
pub use series::SeriesResult;
pub use shard::{Shard, ShardError};
pub use snapshot::Snapshot;
pub use tally::Tally;
pub use template::Template;
