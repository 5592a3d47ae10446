//! A bucket of tokens.

use super::Grants;
use crate::GuardError;
use crate::guard::thousandths::{ONE, thousandths};

/// A bucket that calls fill a little and retries empty a lot: when most calls fail, retries stop by themselves.
///
/// Defaults of the source: a deposit of 0.1 tokens, a retry costs 1, a small capacity such as 10. Capacity full at the start.
/// Source: M. Brooker, "Fixing retries with token buckets and circuit breakers", 2022.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBudget {
    capacity: u32,
    deposit: u32,
    deposit_on: DepositOn,
    cost: u32,
    initial: u32,
}

/// What fills a bucket.
///
/// The two give visibly different results. With a share `a` deposited per call, all calls failing still leaves a share
/// `a` of retries; per success, none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositOn {
    /// A call that begins: what the simulator published with the article does.
    Call,
    /// A call that succeeds: what the article says.
    Success,
}

impl DepositOn {
    /// Every choice with its name in scenarios.
    pub const NAMES: [(&'static str, Self); 2] = [("call", Self::Call), ("success", Self::Success)];
}

impl TokenBudget {
    /// - `capacity`: the most tokens kept, from 1, in thousandths. The bucket starts full.
    /// - `deposit`: tokens earned on `deposit_on`, in thousandths.
    ///
    /// A retry costs one token.
    ///
    /// # Errors
    /// When a number is finer than a thousandth or too large, or the capacity cannot pay for one retry.
    pub fn new(capacity: f64, deposit: f64, deposit_on: DepositOn) -> Result<Self, GuardError> {
        let capacity = thousandths("capacity of a token budget", capacity)?;
        let deposit = thousandths("deposit of a token budget", deposit)?;
        affordable(ONE, capacity)?;
        Ok(Self { capacity, deposit, deposit_on, cost: ONE, initial: capacity })
    }

    /// The same with retries that cost `cost` tokens, in thousandths, above 0.
    ///
    /// # Errors
    /// When the cost is 0, finer than a thousandth, or above the capacity.
    pub fn with_cost(self, cost: f64) -> Result<Self, GuardError> {
        let cost = thousandths("cost of a retry", cost)?;
        affordable(cost, self.capacity)?;
        Ok(Self { cost, ..self })
    }

    /// The same with a bucket that starts with `initial` tokens, in thousandths.
    ///
    /// # Errors
    /// When they are finer than a thousandth, or above the capacity.
    pub fn with_initial(self, initial: f64) -> Result<Self, GuardError> {
        let tokens = thousandths("initial tokens", initial)?;
        if self.capacity < tokens {
            return Err(GuardError::InitialAboveCapacity { initial, capacity: decimal(self.capacity) });
        }
        Ok(Self { initial: tokens, ..self })
    }

    pub(super) const fn capacity(&self) -> u32 {
        self.capacity
    }

    pub(super) const fn initial(&self) -> u32 {
        self.initial
    }

    pub(super) fn grants(&self) -> Grants {
        let share = f64::from(self.deposit) / f64::from(self.cost);
        let failing = if self.deposit_on == DepositOn::Call { share } else { 0.0 };
        Grants { at_once: self.initial / self.cost, share, failing, per_second: 0.0 }
    }

    pub(super) fn call_began(&self, tokens: &mut u32) {
        self.deposit(tokens, DepositOn::Call);
    }

    pub(super) fn call_succeeded(&self, tokens: &mut u32) {
        self.deposit(tokens, DepositOn::Success);
    }

    fn deposit(&self, tokens: &mut u32, event: DepositOn) {
        if self.deposit_on == event {
            *tokens = tokens.saturating_add(self.deposit).min(self.capacity);
        }
    }

    pub(super) fn withdraw(&self, tokens: &mut u32) -> Option<u32> {
        *tokens = tokens.checked_sub(self.cost)?;
        Some(self.cost)
    }
}

fn affordable(cost: u32, capacity: u32) -> Result<(), GuardError> {
    match cost {
        0 => Err(GuardError::CostZero),
        _ if capacity < cost => Err(GuardError::CostAboveCapacity { cost: decimal(cost), capacity: decimal(capacity) }),
        _ => Ok(()),
    }
}

fn decimal(thousandths: u32) -> f64 {
    f64::from(thousandths) / f64::from(ONE)
}

#[cfg(test)]
mod tests {
    use super::{DepositOn, GuardError, TokenBudget};
    use proptest::prelude::*;

    fn bucket(deposit_on: DepositOn) -> TokenBudget {
        TokenBudget::new(10.0, 0.1, deposit_on).unwrap()
    }

    /// Retries of `calls` calls that all fail once and `successes` of which then succeed.
    #[track_caller]
    fn check(rule: &TokenBudget, calls: u32, successes: u32, expected: u32) {
        let mut tokens = rule.initial();
        let mut retries = 0;
        for call in 0..calls {
            rule.call_began(&mut tokens);
            retries += u32::from(rule.withdraw(&mut tokens).is_some());
            if call < successes {
                rule.call_succeeded(&mut tokens);
            }
        }
        assert_eq!(retries, expected);
    }

    #[test]
    fn a_full_bucket_pays_for_its_capacity_and_then_for_a_tenth() {
        // Ten tokens and nine tenths earned on the way: the first deposit finds the bucket full.
        check(&bucket(DepositOn::Call), 10, 0, 10);
        check(&bucket(DepositOn::Call), 1000, 0, 109);
        check(&bucket(DepositOn::Success), 1000, 0, 10);
        check(&bucket(DepositOn::Success), 1000, 1000, 109);
    }

    #[test]
    fn an_empty_bucket_pays_after_ten_deposits() {
        let empty = bucket(DepositOn::Call).with_initial(0.0).unwrap();
        check(&empty, 9, 0, 0);
        check(&empty, 10, 0, 1);
        check(&empty.with_cost(0.5).unwrap(), 10, 0, 2);
    }

    #[test]
    fn what_makes_no_bucket_is_refused_with_its_rule() {
        let refusal = |result: Result<TokenBudget, GuardError>| result.unwrap_err().to_string();
        let new = |capacity, deposit| TokenBudget::new(capacity, deposit, DepositOn::Call);
        assert!(refusal(new(0.5, 0.1)).contains("costs 1 tokens never fits into a bucket of 0.5"));
        assert!(refusal(new(10.0, 0.0001)).contains("deposit of a token budget is kept in thousandths"));
        assert!(refusal(new(f64::NAN, 0.1)).contains("found NaN"));
        assert!(refusal(new(10.0, 0.1).unwrap().with_cost(0.0)).contains("must be above 0 tokens"));
        assert!(refusal(new(10.0, 0.1).unwrap().with_cost(11.0)).contains("lower the cost"));
        assert!(refusal(new(10.0, 0.1).unwrap().with_initial(10.5)).contains("initial tokens (10.5) are above"));
    }

    proptest! {
        #[test]
        fn the_bucket_never_holds_more_than_its_capacity(
            capacity in 1_u32..4_000_000, deposit in 0_u32..4_000_000, events in prop::collection::vec(0..3, 0..100),
        ) {
            let rule = TokenBudget::new(f64::from(capacity), f64::from(deposit), DepositOn::Success).unwrap();
            let mut tokens = rule.initial();
            for event in events {
                let before = tokens;
                match event {
                    0 => rule.call_began(&mut tokens),
                    1 => rule.call_succeeded(&mut tokens),
                    _ => prop_assert_eq!(rule.withdraw(&mut tokens), (before >= 1000).then_some(1000)),
                }
                prop_assert!(tokens <= capacity * 1000);
            }
        }
    }
}
