//! The memory of a budget as numbers, so that one program can keep it for the next.

use super::buckets::Buckets;
use super::interval::Intervals;
use super::memory::{Budgets, Memory};
use super::windowed::Balance;

impl Budgets {
    /// The memory of one budget as numbers; `None` where it counts what is in flight, which ends with the program.
    ///
    /// # Panics
    /// When there is no budget of this index.
    #[must_use]
    pub fn numbers(&self, index: usize) -> Option<Vec<i64>> {
        match &self.0 {
            Memory::Windowed(all) => Some(all[index].numbers(|slot, out| out.push(*slot))),
            Memory::Tokens(all) => Some(vec![all.level(index).into()]),
            Memory::Interval(all) => Some(all[index].numbers()),
            Memory::Concurrent(_) => None,
        }
    }

    /// Puts back what [`numbers`](Self::numbers) gave for a budget of the same rule; whether it was that. What is not changes nothing.
    ///
    /// # Panics
    /// When there is no budget of this index.
    pub fn restore(&mut self, index: usize, numbers: &[i64]) -> bool {
        match &mut self.0 {
            Memory::Windowed(all) => {
                put(&mut all[index], Balance::from_numbers(&mut numbers.iter().copied(), Iterator::next), numbers)
            }
            Memory::Tokens(all) => restore_bucket(all, index, numbers),
            Memory::Interval(all) => {
                put(&mut all[index], Intervals::from_numbers(&mut numbers.iter().copied()), numbers)
            }
            Memory::Concurrent(_) => false,
        }
    }
}

/// How many numbers a memory is made of is its own matter, so what was left over is told by writing it again.
fn put<T: Kept>(place: &mut T, read: Option<T>, numbers: &[i64]) -> bool {
    match read.filter(|read| read.all() == numbers) {
        Some(read) => {
            *place = read;
            true
        }
        None => false,
    }
}

trait Kept {
    fn all(&self) -> Vec<i64>;
}

impl Kept for Balance {
    fn all(&self) -> Vec<i64> {
        self.numbers(|slot, out| out.push(*slot))
    }
}

impl Kept for Intervals {
    fn all(&self) -> Vec<i64> {
        self.numbers()
    }
}

fn restore_bucket(all: &mut Buckets, index: usize, numbers: &[i64]) -> bool {
    let &[level] = numbers else { return false };
    let Some(level) = u32::try_from(level).ok().filter(|level| *level <= all.capacity()) else { return false };
    all.change(index, |tokens| *tokens = level);
    true
}

#[cfg(test)]
mod tests {
    use crate::{AwsCosts, AwsQuota, Budget, Budgets, DepositOn, FailureKind, GrpcThrottling, IntervalBudget};
    use crate::{ConcurrentBudget, TokenBudget, WindowedBudget};
    use proptest::prelude::*;
    use std::time::Duration;

    const KIND: FailureKind = FailureKind::Other;

    fn rules() -> [Budget; 5] {
        let seconds = Duration::from_secs;
        [
            Budget::Windowed(WindowedBudget::new(0.5, 1, seconds(10)).unwrap()),
            Budget::Tokens(TokenBudget::new(10.0, 0.5, DepositOn::Call).unwrap()),
            Budget::Grpc(GrpcThrottling::new(10, 0.5).unwrap()),
            Budget::Aws(AwsQuota::new(50, AwsCosts::V2_0).unwrap()),
            Budget::Interval(IntervalBudget::new("20%".parse().unwrap(), seconds(10), 3, seconds(1)).unwrap()),
        ]
    }

    fn step(rule: &Budget, budgets: &mut Budgets, now: Duration, what: u8) -> Option<u32> {
        match what {
            0 => budgets.call_began(rule, 0, now),
            1 => budgets.attempt_failed(rule, 0),
            2 => budgets.call_succeeded(rule, 0, true, 5),
            _ => return budgets.withdraw(rule, 0, now, KIND),
        }
        None
    }

    proptest! {
        /// A budget that is kept and put back at every step decides as one that never was.
        #[test]
        fn what_is_put_back_goes_on_as_if_nothing_had_been(
            steps in prop::collection::vec((0_u8..5, 0_u64..700), 0..200), begin in 0_u64..2_000_000_000,
        ) {
            for rule in rules() {
                let (mut whole, mut now) = (rule.memory(1), Duration::from_secs(begin));
                let mut kept = whole.numbers(0).unwrap();
                for (what, ms) in &steps {
                    now += Duration::from_millis(*ms);
                    let mut again = rule.memory(1);
                    prop_assert!(again.restore(0, &kept));
                    prop_assert_eq!(step(&rule, &mut whole, now, *what), step(&rule, &mut again, now, *what));
                    kept = again.numbers(0).unwrap();
                }
            }
        }

        #[test]
        fn other_numbers_are_refused_or_taken_and_never_panic(numbers in prop::collection::vec(any::<i64>(), 0..40), now in any::<u32>()) {
            for rule in rules() {
                let mut budgets = rule.memory(1);
                let before = budgets.numbers(0);
                if !budgets.restore(0, &numbers) {
                    prop_assert_eq!(budgets.numbers(0), before);
                }
                for what in 0..4 {
                    let _ = step(&rule, &mut budgets, Duration::from_secs(now.into()), what);
                }
            }
        }
    }

    #[test]
    fn what_is_in_flight_cannot_be_kept() {
        let rule = Budget::Concurrent(ConcurrentBudget { ratio: "20%".parse().unwrap(), min: 3 });
        assert_eq!(rule.memory(1).numbers(0), None);
        assert!(!rule.memory(1).restore(0, &[0, 0]));
    }

    #[test]
    fn more_tokens_than_fit_are_refused() {
        let mut budgets = rules()[1].memory(1);
        assert!(budgets.restore(0, &[10_000]) && !budgets.restore(0, &[10_001]) && !budgets.restore(0, &[-1]));
    }
}
