//! The retry quota of the AWS SDKs.

use super::Grants;
use crate::{FailureKind, GuardError, Transport};

/// A quota that retries are paid from and successes pay back.
///
/// It starts full. A success without a retry gives 1 back, one after retries what its *last* retry cost, a final failure
/// nothing; never more than the capacity.
///
/// Defaults of the source: a capacity of 500, costs as [`AwsCosts::V2_1`] in most SDKs from 10 November 2026, until then
/// [`AwsCosts::V2_0`].
/// Source: AWS SDKs and Tools Reference Guide, "Retry behavior"; botocore, `retries/quota.py` and `retries/standard.py`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwsQuota {
    capacity: u32,
    costs: AwsCosts,
}

/// What a retry costs, by the failure it follows. Of the quota's units; 0 is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwsCosts {
    /// After a failure of any other kind.
    pub retry: u32,
    /// After an attempt that timed out.
    pub timeout: u32,
    /// When the service throttles: after a 429, or a body that says so.
    pub throttling: u32,
}

impl AwsCosts {
    /// Retry behaviour 2.0: 5, and 10 after a timeout.
    pub const V2_0: Self = Self { retry: 5, timeout: 10, throttling: 5 };
    /// Retry behaviour 2.1: 14, and 5 when throttled.
    pub const V2_1: Self = Self { retry: 14, timeout: 14, throttling: 5 };

    const fn of(self, kind: FailureKind) -> u32 {
        match kind {
            FailureKind::Transport(Transport::Timeout) => self.timeout,
            throttling if throttling.is_throttling() => self.throttling,
            _ => self.retry,
        }
    }
}

/// What a success pays back that was never retried.
const REWARD: u32 = 1;

impl AwsQuota {
    /// - `capacity`: 500 in every SDK.
    ///
    /// # Errors
    /// When a retry costs more than the capacity.
    pub fn new(capacity: u32, costs: AwsCosts) -> Result<Self, GuardError> {
        let dearest = costs.retry.max(costs.timeout).max(costs.throttling);
        if capacity < dearest {
            return Err(GuardError::CostAboveCapacity { cost: dearest.into(), capacity: capacity.into() });
        }
        Ok(Self { capacity, costs })
    }

    pub(super) const fn initial(&self) -> u32 {
        self.capacity
    }

    /// By the cost after a failure that is neither a timeout nor a 429.
    pub(super) fn grants(&self) -> Grants {
        let cost = self.costs.retry.max(1);
        let share = f64::from(REWARD) / f64::from(cost);
        Grants { at_once: self.capacity / cost, share, failing: 0.0, per_second: 0.0 }
    }

    pub(super) fn withdraw(&self, left: &mut u32, kind: FailureKind) -> Option<u32> {
        let cost = self.costs.of(kind);
        *left = left.checked_sub(cost)?;
        Some(cost)
    }

    pub(super) fn call_succeeded(&self, left: &mut u32, retried: bool, charge: u32) {
        let refund = if retried { charge } else { REWARD };
        *left = left.saturating_add(refund).min(self.capacity);
    }
}

#[cfg(test)]
mod tests {
    use super::{AwsCosts, AwsQuota};
    use crate::{FailureKind, Transport};
    use proptest::prelude::*;

    const UNAVAILABLE: FailureKind = FailureKind::Status(503);
    const THROTTLED: FailureKind = FailureKind::Status(429);
    const TIMEOUT: FailureKind = FailureKind::Transport(Transport::Timeout);

    /// What is left of a quota of 500 after each retry.
    #[track_caller]
    fn check(costs: AwsCosts, failures: &[FailureKind], expected: &[u32]) {
        let rule = AwsQuota::new(500, costs).unwrap();
        let mut left = rule.initial();
        let after = |kind: &FailureKind| rule.withdraw(&mut left, *kind).map(|_| left).unwrap();
        assert_eq!(failures.iter().map(after).collect::<Vec<_>>(), expected);
    }

    /// The first row is the published sequence of DynamoDB, whose fourth failure is final.
    #[test]
    fn each_kind_of_failure_has_its_price() {
        check(AwsCosts::V2_1, &[UNAVAILABLE; 3], &[486, 472, 458]);
        check(AwsCosts::V2_1, &[THROTTLED, TIMEOUT, FailureKind::Other], &[495, 481, 467]);
        check(AwsCosts::V2_1, &[FailureKind::Throttled(400)], &[495]);
        check(AwsCosts::V2_0, &[UNAVAILABLE, TIMEOUT, THROTTLED], &[495, 485, 480]);
    }

    #[test]
    fn a_success_pays_its_last_retry_back() {
        let rule = AwsQuota::new(500, AwsCosts::V2_0).unwrap();
        let mut left = rule.initial();
        let _ = rule.withdraw(&mut left, TIMEOUT);
        let last = rule.withdraw(&mut left, UNAVAILABLE).unwrap();
        assert_eq!((left, last), (485, 5));
        rule.call_succeeded(&mut left, true, last);
        assert_eq!(left, 490);
        rule.call_succeeded(&mut left, false, 0);
        assert_eq!(left, 491);
        for _ in 0..100 {
            rule.call_succeeded(&mut left, false, 0);
        }
        assert_eq!(left, 500);
    }

    #[test]
    fn an_empty_quota_denies_and_is_left_alone() {
        let rule = AwsQuota::new(500, AwsCosts::V2_1).unwrap();
        let mut left = rule.initial();
        let granted = (0..100).filter(|_| rule.withdraw(&mut left, UNAVAILABLE).is_some()).count();
        // 35 · 14 = 490; what is left still pays for being throttled.
        assert_eq!((granted, left), (35, 10));
        assert_eq!(rule.withdraw(&mut left, THROTTLED), Some(5));
    }

    #[test]
    fn a_quota_must_pay_for_one_retry() {
        let refusal = AwsQuota::new(9, AwsCosts::V2_0).unwrap_err().to_string();
        assert!(refusal.contains("costs 10 tokens never fits into a bucket of 9"), "{refusal}");
    }

    proptest! {
        #[test]
        fn the_quota_stays_within_its_capacity(
            capacity in 14_u32.., events in prop::collection::vec((any::<bool>(), any::<bool>(), any::<u32>()), 0..200),
        ) {
            let rule = AwsQuota::new(capacity, AwsCosts::V2_1).unwrap();
            let mut left = rule.initial();
            for (fails, retried, charge) in events {
                if fails {
                    let _ = rule.withdraw(&mut left, UNAVAILABLE);
                } else {
                    rule.call_succeeded(&mut left, retried, charge);
                }
                prop_assert!(left <= capacity);
            }
        }
    }
}
