//! Budgets: whether the traffic as a whole leaves room for a retry.

mod aws;
mod buckets;
mod concurrent;
mod grants;
mod grpc;
mod interval;
mod kept;
mod memory;
mod room;
mod tokens;
mod windowed;

pub use aws::{AwsCosts, AwsQuota};
pub use concurrent::ConcurrentBudget;
pub use grants::Grants;
pub use grpc::GrpcThrottling;
pub use interval::IntervalBudget;
pub use memory::Budgets;
pub use tokens::{DepositOn, TokenBudget};
pub use windowed::WindowedBudget;

/// A rule that grants retries, and hedges, out of something that other calls earn.
///
/// A count of retries bounds each call; only a budget bounds what all calls together add to a service in trouble.
///
/// ```
/// use std::time::Duration;
/// use brownout_policy::{AwsCosts, AwsQuota, Budget, Failure};
///
/// let rule = Budget::Aws(AwsQuota::new(500, AwsCosts::V2_1)?);
/// let mut budgets = rule.memory(1);
/// let charge = budgets.withdraw(&rule, 0, Duration::ZERO, Failure::status(503).kind);
/// assert_eq!(charge, Some(14));
/// budgets.call_succeeded(&rule, 0, true, 14);
/// # Ok::<(), brownout_policy::GuardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// A share of the requests of the last seconds: Finagle, Linkerd.
    Windowed(WindowedBudget),
    /// A bucket of tokens: Brooker.
    Tokens(TokenBudget),
    /// gRPC's retry throttling.
    Grpc(GrpcThrottling),
    /// The quota of the AWS SDKs.
    Aws(AwsQuota),
    /// A share of the attempts in flight: Envoy.
    Concurrent(ConcurrentBudget),
    /// A share of the requests of an interval: Gateway API.
    Interval(IntervalBudget),
}
