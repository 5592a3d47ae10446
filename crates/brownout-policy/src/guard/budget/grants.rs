//! What a budget lets through, told of the rule alone.

use super::Budget;

/// What one memory of a budget lets through. A population has as many memories as the budget's scope says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grants {
    /// Retries that it grants at once when nothing was earned yet: a bucket full at the start, a reserve, a minimum.
    pub at_once: u32,
    /// Retries that it grants a call in the long run, while other calls succeed.
    pub share: f64,
    /// The same while every call fails.
    pub failing: f64,
    /// Retries a second beside the share, whatever the traffic.
    pub per_second: f64,
}

impl Budget {
    /// What one memory of it lets through.
    ///
    /// ```
    /// use brownout_policy::{AwsCosts, AwsQuota, Budget};
    ///
    /// let grants = Budget::Aws(AwsQuota::new(500, AwsCosts::V2_1)?).grants();
    /// assert_eq!((grants.at_once, grants.failing), (35, 0.0));
    /// # Ok::<(), brownout_policy::GuardError>(())
    /// ```
    #[must_use]
    pub fn grants(&self) -> Grants {
        match self {
            Self::Windowed(rule) => rule.grants(),
            Self::Tokens(rule) => rule.grants(),
            Self::Grpc(rule) => rule.grants(),
            Self::Aws(rule) => rule.grants(),
            Self::Concurrent(rule) => rule.grants(),
            Self::Interval(rule) => rule.grants(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Grants};
    use crate::{
        AwsCosts, AwsQuota, ConcurrentBudget, DepositOn, FailureKind, GrpcThrottling, IntervalBudget, TokenBudget,
        WindowedBudget,
    };
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);
    const UNAVAILABLE: FailureKind = FailureKind::Status(503);

    /// How often the memory itself grants: all at once, and, a call a tenth of a second for ten minutes, all failing, each
    /// asking twice.
    #[track_caller]
    fn check(rule: Budget, expected: Grants) {
        let grants = rule.grants();
        assert_eq!(format!("{grants:.6?}"), format!("{expected:.6?}"));

        let mut fresh = rule.memory(1);
        let mut ask = || {
            fresh.attempt_failed(&rule, 0);
            fresh.withdraw(&rule, 0, Duration::ZERO, UNAVAILABLE)
        };
        let at_once = (0..10_000).take_while(|_| ask().is_some()).count();
        assert_eq!(at_once, grants.at_once as usize);

        if matches!(rule, Budget::Concurrent(_)) {
            return;
        }
        let mut budgets = rule.memory(1);
        let mut granted = 0;
        for call in 0..6000_u32 {
            let now = SECOND / 10 * call;
            budgets.call_began(&rule, 0, now);
            for _ in 0..2 {
                budgets.attempt_failed(&rule, 0);
                granted += u32::from(budgets.withdraw(&rule, 0, now, UNAVAILABLE).is_some());
            }
        }
        let told = f64::from(grants.at_once) + 6000.0 * grants.failing + 600.0 * grants.per_second;
        // A window grants again what it forgets in steps, so it may fall short by a step.
        let share = f64::from(granted) / told.max(1.0);
        assert!((0.85..=1.01).contains(&share) || told < 1.0, "{granted} of {told}");
    }

    #[test]
    fn each_kind_as_its_memory_grants() {
        let fifth = "20%".parse().unwrap();
        let bucket = |on| Budget::Tokens(TokenBudget::new(10.0, 0.1, on).unwrap());
        let full = |at_once, share, failing| Grants { at_once, share, failing, per_second: 0.0 };
        check(bucket(DepositOn::Success), full(10, 0.1, 0.0));
        check(bucket(DepositOn::Call), full(10, 0.1, 0.1));
        // Ten tokens: after the fifth failure half are left, which is too few.
        check(Budget::Grpc(GrpcThrottling::new(10, 0.1).unwrap()), full(4, 0.1, 0.0));
        check(Budget::Grpc(GrpcThrottling::new(3, 0.1).unwrap()), full(1, 0.1, 0.0));
        check(Budget::Aws(AwsQuota::new(500, AwsCosts::V2_1).unwrap()), full(35, 1.0 / 14.0, 0.0));
        let finagle = Budget::Windowed(WindowedBudget::new(0.2, 1, SECOND * 10).unwrap());
        check(finagle, Grants { per_second: 1.0, ..full(10, 0.2, 0.2) });
        let gateway = Budget::Interval(IntervalBudget::new(fifth, SECOND * 10, 0, SECOND).unwrap());
        check(gateway, full(0, 0.2, 0.2));
        let least = Budget::Interval(IntervalBudget::new("0".parse().unwrap(), SECOND * 10, 4, SECOND).unwrap());
        check(least, Grants { per_second: 4.0, ..full(4, 0.0, 0.0) });
        check(Budget::Concurrent(ConcurrentBudget { ratio: fifth, min: 3 }), full(3, 0.25, 0.25));
    }
}
