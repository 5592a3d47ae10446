//! Why numbers make no guard.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::Probability;
use thiserror::Error;

/// Why numbers make no guard. Each message names the rule, the value found and the way out.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum GuardError {
    /// A number that is negative, too large, or finer than it is kept.
    #[error("{what} is kept in thousandths and lies from 0 to 4000000, found {found}; write at most three decimals")]
    NotThousandths {
        /// The setting.
        what: &'static str,
        /// The value found.
        found: f64,
    },
    /// A window too short to be kept in slots.
    #[error("{what} must be at least 1ms, found {found:?}; the usual ones last seconds")]
    WindowShort {
        /// The setting.
        what: &'static str,
        /// The length found.
        found: Duration,
    },
    /// The ratio of a windowed budget.
    #[error(
        "ratio of a windowed budget must be 0 or from 0.001 to 1000 retries a request, found {0}; 0.2 allows one retry \
         for five requests"
    )]
    WindowedRatio(f64),
    /// The time to live of a windowed budget.
    #[error("ttl of a windowed budget must be from 1s to 60s, found {0:?}; Finagle and Linkerd keep 10s")]
    WindowedTtl(Duration),
    /// A token bucket that can never pay for one retry.
    #[error(
        "a retry that costs {cost} tokens never fits into a bucket of {capacity}; lower the cost or raise the capacity"
    )]
    CostAboveCapacity {
        /// The price of a retry, in tokens.
        cost: f64,
        /// The capacity of the bucket, in tokens.
        capacity: f64,
    },
    /// A token bucket in which retries are free.
    #[error("cost of a retry must be above 0 tokens, found 0; to allow every retry drop the budget")]
    CostZero,
    /// A token bucket that starts fuller than full.
    #[error("initial tokens ({initial}) are above the capacity ({capacity}); lower them or drop them to start full")]
    InitialAboveCapacity {
        /// The tokens to start with.
        initial: f64,
        /// The capacity of the bucket, in tokens.
        capacity: f64,
    },
    /// gRPC's bucket size.
    #[error("max_tokens of gRPC retry throttling must be from 1 to 1000, found {0}; the examples of gRPC use 10")]
    GrpcMaxTokens(u32),
    /// gRPC's deposit.
    #[error("token_ratio of gRPC retry throttling must be above 0, found {0}; 0.1 earns one retry with ten successes")]
    GrpcTokenRatio(f64),
    /// A breaker that would trip without a failure.
    #[error("failure ratio of a breaker must be above 0, found {0}; write a percentage such as \"50%\"")]
    BreakerRatio(Probability),
    /// A breaker that could never trip.
    #[error(
        "min_calls ({min_calls}) are more than the breaker's window of {window} calls holds; lower them or widen it"
    )]
    BreakerMinCalls {
        /// How many results are asked for.
        min_calls: NonZeroU32,
        /// How many the window holds.
        window: NonZeroU32,
    },
    /// A count window that would make every client heavy.
    #[error("window of a breaker holds at most {max} calls, found {found}; use a shorter one, or one over time")]
    BreakerWindow {
        /// The calls found.
        found: NonZeroU32,
        /// The most that are kept.
        max: u32,
    },
    /// A breaker that would not stay open.
    #[error(
        "open_for of a breaker must be longer than zero, or it would never refuse a call; the usual ones last seconds"
    )]
    BreakerOpenFor,
    /// Google's K.
    #[error(
        "k of client-side throttling must be from 1 to 1000, found {0}; below 1 it refuses what the service would \
         take, 2 is the book's"
    )]
    ThrottleK(f64),
    /// A hedge after a quantile that is none.
    #[error("hedge quantile must lie between 0 and 1, both excluded, found {0}; write a percentage such as \"95%\"")]
    HedgeQuantile(Probability),
    /// A hedge that does not know where to begin.
    #[error(
        "initial delay of a hedge after a quantile must be longer than zero; name a latency that is usual for the service"
    )]
    HedgeInitial,
}
