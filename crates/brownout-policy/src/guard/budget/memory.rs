//! Many budgets of one rule.

use std::time::Duration;

use super::buckets::Buckets;
use super::{Budget, concurrent, interval, windowed};
use crate::FailureKind;

/// The memory of many budgets of one rule. A bucket is 4 bytes and a bit, a share of what is in flight 8, a window 88 to 136.
///
/// Every function takes the rule that the memory was made by, and the index of the budget; it panics when there is no
/// budget of that index, or the rule is of another kind. What a rule does not count, it is told in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budgets(pub(super) Memory);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    Windowed(Vec<windowed::Balance>),
    /// Buckets of every kind.
    Tokens(Buckets),
    Concurrent(Vec<concurrent::UnderWay>),
    Interval(Vec<interval::Intervals>),
}

impl Budget {
    /// `count` budgets of this rule, none of them used yet.
    #[must_use]
    pub fn memory(&self, count: usize) -> Budgets {
        Budgets(match self {
            Self::Windowed(_) => Memory::Windowed(vec![windowed::Balance::default(); count]),
            Self::Tokens(rule) => Memory::Tokens(Buckets::new(count, rule.initial(), rule.capacity())),
            Self::Grpc(rule) => Memory::Tokens(Buckets::new(count, rule.initial(), rule.initial())),
            Self::Aws(rule) => Memory::Tokens(Buckets::new(count, rule.initial(), rule.initial())),
            Self::Concurrent(_) => Memory::Concurrent(vec![concurrent::UnderWay::default(); count]),
            Self::Interval(_) => Memory::Interval(vec![interval::Intervals::default(); count]),
        })
    }
}

impl Budgets {
    /// A call begins, with its first try.
    pub fn call_began(&mut self, rule: &Budget, index: usize, now: Duration) {
        match (rule, &mut self.0) {
            (Budget::Windowed(rule), Memory::Windowed(all)) => rule.call_began(&mut all[index], now),
            (Budget::Tokens(rule), Memory::Tokens(all)) => all.fill(index, |tokens| rule.call_began(tokens)),
            (Budget::Interval(rule), Memory::Interval(all)) => rule.call_began(&mut all[index], now),
            _ => {}
        }
    }

    /// An attempt is sent: a first try, a retry or a hedge.
    pub fn attempt_began(&mut self, rule: &Budget, index: usize) {
        if let (Budget::Concurrent(rule), Memory::Concurrent(all)) = (rule, &mut self.0) {
            rule.attempt_began(&mut all[index]);
        }
    }

    /// An attempt has ended, well or not, or was given up. `retry`: it was sent on a grant of [`withdraw`](Self::withdraw).
    pub fn attempt_ended(&mut self, rule: &Budget, index: usize, retry: bool) {
        if let (Budget::Concurrent(rule), Memory::Concurrent(all)) = (rule, &mut self.0) {
            rule.attempt_ended(&mut all[index], retry);
        }
    }

    /// A retry that was granted is never sent: the deadline came first, another copy won, or a breaker refused it.
    ///
    /// Only what counts retries under way takes it back; tokens stay spent.
    pub fn retry_abandoned(&mut self, rule: &Budget, index: usize) {
        if let (Budget::Concurrent(rule), Memory::Concurrent(all)) = (rule, &mut self.0) {
            rule.retry_abandoned(&mut all[index]);
        }
    }

    /// An attempt has failed in a way that is worth another try, whether or not one is made. To be told before
    /// [`withdraw`](Self::withdraw) is asked.
    pub fn attempt_failed(&mut self, rule: &Budget, index: usize) {
        if let (Budget::Grpc(rule), Memory::Tokens(all)) = (rule, &mut self.0) {
            all.change(index, |tokens| rule.attempt_failed(tokens));
        }
    }

    /// Asks for one retry, or hedge, after a failure of this kind: what it was charged, in the rule's own unit, or `None`
    /// when it is denied.
    ///
    /// A call keeps the charge of its last retry for [`call_succeeded`](Self::call_succeeded).
    ///
    /// Where attempts in flight count, the failed one is among them until [`attempt_ended`](Self::attempt_ended) is told.
    ///
    /// # Panics
    /// When the memory was made by a rule of another kind.
    #[must_use]
    pub fn withdraw(&mut self, rule: &Budget, index: usize, now: Duration, kind: FailureKind) -> Option<u32> {
        match (rule, &mut self.0) {
            (Budget::Windowed(rule), Memory::Windowed(all)) => rule.withdraw(&mut all[index], now),
            (Budget::Tokens(rule), Memory::Tokens(all)) => all.change(index, |tokens| rule.withdraw(tokens)),
            (Budget::Grpc(rule), Memory::Tokens(all)) => rule.withdraw(all.level(index)),
            (Budget::Aws(rule), Memory::Tokens(all)) => all.change(index, |tokens| rule.withdraw(tokens, kind)),
            (Budget::Concurrent(rule), Memory::Concurrent(all)) => rule.withdraw(&mut all[index]),
            (Budget::Interval(rule), Memory::Interval(all)) => rule.withdraw(&mut all[index], now),
            _ => panic!("{rule:?} was handed the memory of a rule of another kind"),
        }
    }

    /// A call has succeeded. `retried`: after more than one attempt; `charge`: what its last retry was charged.
    pub fn call_succeeded(&mut self, rule: &Budget, index: usize, retried: bool, charge: u32) {
        match (rule, &mut self.0) {
            (Budget::Tokens(rule), Memory::Tokens(all)) => all.fill(index, |tokens| rule.call_succeeded(tokens)),
            (Budget::Grpc(rule), Memory::Tokens(all)) => all.fill(index, |tokens| rule.call_succeeded(tokens)),
            (Budget::Aws(rule), Memory::Tokens(all)) => {
                all.fill(index, |tokens| rule.call_succeeded(tokens, retried, charge));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Budgets, concurrent, interval, windowed};
    use crate::FailureKind;
    use crate::guard::budget::{
        AwsCosts, AwsQuota, Budget, ConcurrentBudget, DepositOn, GrpcThrottling, IntervalBudget, TokenBudget,
        WindowedBudget,
    };
    use std::time::Duration;

    const NOW: Duration = Duration::from_secs(1);
    const UNAVAILABLE: FailureKind = FailureKind::Status(503);

    fn every_rule() -> [Budget; 6] {
        let ratio = "20%".parse().unwrap();
        [
            Budget::Windowed(WindowedBudget::new(0.2, 0, NOW).unwrap()),
            Budget::Tokens(TokenBudget::new(1.0, 0.2, DepositOn::Call).unwrap()),
            Budget::Grpc(GrpcThrottling::new(4, 0.5).unwrap()),
            Budget::Aws(AwsQuota::new(14, AwsCosts::V2_1).unwrap()),
            Budget::Concurrent(ConcurrentBudget { ratio, min: 0 }),
            Budget::Interval(IntervalBudget::new(ratio, NOW, 0, NOW).unwrap()),
        ]
    }

    /// Whether each of ten calls that begin together and fail at once is retried, in the budget at `index`.
    fn granted(rule: &Budget, budgets: &mut Budgets, index: usize) -> String {
        for _ in 0..10 {
            budgets.call_began(rule, index, NOW);
            budgets.attempt_began(rule, index);
        }
        let one = |_| {
            budgets.attempt_failed(rule, index);
            if budgets.withdraw(rule, index, NOW, UNAVAILABLE).is_some() { 'y' } else { 'n' }
        };
        (0..10).map(one).collect()
    }

    #[test]
    fn each_rule_is_asked_and_each_budget_stands_alone() {
        let expected = ["yynnnnnnnn", "ynnnnnnnnn", "ynnnnnnnnn", "ynnnnnnnnn", "yynnnnnnnn", "yynnnnnnnn"];
        for (rule, expected) in every_rule().iter().zip(expected) {
            let mut budgets = rule.memory(3);
            let fresh = budgets.clone();
            assert_eq!(granted(rule, &mut budgets, 1), expected, "{rule:?}");
            assert_ne!(budgets, fresh);
            assert_eq!(granted(rule, &mut budgets, 2), expected, "{rule:?}");
        }
    }

    #[test]
    fn a_million_budgets_fit() {
        assert_eq!(size_of::<windowed::Balance>(), 88);
        assert_eq!(size_of::<concurrent::UnderWay>(), 8);
        assert_eq!(size_of::<interval::Intervals>(), 136);
    }

    #[test]
    fn a_charge_is_paid_back_where_the_rule_says_so() {
        let rule = Budget::Aws(AwsQuota::new(500, AwsCosts::V2_1).unwrap());
        let mut budgets = rule.memory(1);
        let fresh = budgets.clone();
        let charge = budgets.withdraw(&rule, 0, NOW, UNAVAILABLE).unwrap();
        assert_ne!(budgets, fresh);
        budgets.call_succeeded(&rule, 0, true, charge);
        assert_eq!(budgets, fresh);
    }

    #[test]
    fn a_retry_under_way_ends_with_its_attempt_or_is_abandoned() {
        let rule = Budget::Concurrent(ConcurrentBudget { ratio: "0".parse().unwrap(), min: 1 });
        let mut budgets = rule.memory(1);
        let fresh = budgets.clone();
        assert!(budgets.withdraw(&rule, 0, NOW, UNAVAILABLE).is_some());
        budgets.attempt_began(&rule, 0);
        budgets.attempt_ended(&rule, 0, true);
        assert_eq!(budgets, fresh);
        assert!(budgets.withdraw(&rule, 0, NOW, UNAVAILABLE).is_some());
        budgets.retry_abandoned(&rule, 0);
        assert_eq!(budgets, fresh);
    }

    #[test]
    #[should_panic(expected = "the memory of a rule of another kind")]
    fn another_rules_memory_is_no_budget() {
        let [windowed, tokens, ..] = every_rule();
        let _ = tokens.memory(1).withdraw(&windowed, 0, NOW, UNAVAILABLE);
    }

    /// At p = 0.5 and a ratio of 0.2 the load is 1.2 attempts a call and 0.6 of the calls succeed.
    #[test]
    fn a_budget_by_request_meets_its_closed_form() {
        let rule = Budget::Tokens(TokenBudget::new(10.0, 0.2, DepositOn::Call).unwrap());
        let (retries, succeeded) = half_fail(&rule);
        assert!((retries - 0.2).abs() < 0.001 && (succeeded - 0.6).abs() < 0.005, "{retries} {succeeded}");
    }

    /// Deposited by success: x = a(1−p) / (1 − a(1−p)) = 0.1 / 0.9 retries a call.
    #[test]
    fn a_budget_by_success_meets_its_closed_form() {
        let rule = Budget::Tokens(TokenBudget::new(10.0, 0.2, DepositOn::Success).unwrap());
        let (retries, _) = half_fail(&rule);
        assert!((retries - 0.1 / 0.9).abs() < 0.002, "{retries}");
    }

    /// Retries and successes a call, of a hundred thousand calls with up to three retries, where every other attempt fails.
    fn half_fail(rule: &Budget) -> (f64, f64) {
        use brownout_draw::{Seed, Stream, draw};
        const CALLS: u32 = 100_000;
        let mut budgets = rule.memory(1);
        let (mut retries, mut succeeded) = (0_u32, 0_u32);
        for call in 0..CALLS {
            budgets.call_began(rule, 0, NOW);
            for attempt in 0..4 {
                if draw(Seed(7), Stream::OUTCOME, call.into(), attempt) < 1 << 63 {
                    budgets.call_succeeded(rule, 0, attempt > 0, 1000);
                    succeeded += 1;
                    break;
                }
                if attempt == 3 || budgets.withdraw(rule, 0, NOW, UNAVAILABLE).is_none() {
                    break;
                }
                retries += 1;
            }
        }
        (f64::from(retries) / f64::from(CALLS), f64::from(succeeded) / f64::from(CALLS))
    }
}
