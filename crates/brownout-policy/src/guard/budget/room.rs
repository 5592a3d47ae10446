//! How much of a budget is left.

use std::time::Duration;

use super::Budget;
use super::buckets::Buckets;
use super::memory::{Budgets, Memory};
use crate::FailureKind;

impl Budgets {
    /// The most that [`room`](Self::room) tells.
    pub const ROOM_MAX: u32 = 1000;

    /// How many failures of this `kind` budget `index` would grant a retry each if all came now, up to [`ROOM_MAX`](Self::ROOM_MAX).
    /// Nothing is taken of it.
    #[must_use]
    pub fn room(&self, rule: &Budget, index: usize, now: Duration, kind: FailureKind) -> u32 {
        let mut alone = Self(match &self.0 {
            Memory::Windowed(all) => Memory::Windowed(vec![all[index]]),
            Memory::Tokens(all) => Memory::Tokens(Buckets::new(1, all.level(index), all.capacity())),
            Memory::Concurrent(all) => Memory::Concurrent(vec![all[index]]),
            Memory::Interval(all) => Memory::Interval(vec![all[index]]),
        });
        let mut granted = || {
            alone.attempt_failed(rule, 0);
            alone.withdraw(rule, 0, now, kind).is_some()
        };
        (0..Self::ROOM_MAX).take_while(|_| granted()).map(|_| 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Budget, DepositOn, TokenBudget, WindowedBudget};
    use crate::FailureKind;
    use std::time::Duration;

    const NOW: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_left_is_what_is_granted() {
        let rules = [
            Budget::Tokens(TokenBudget::new(10.0, 0.5, DepositOn::Call).unwrap()),
            Budget::Windowed(WindowedBudget::new(0.5, 1, Duration::from_secs(10)).unwrap()),
        ];
        for rule in rules {
            let mut budgets = rule.memory(2);
            (0..6).for_each(|_| budgets.call_began(&rule, 1, NOW));
            let left = budgets.room(&rule, 1, NOW, FailureKind::Other);
            let before = budgets.clone();
            assert_eq!(budgets.room(&rule, 1, NOW, FailureKind::Other), left, "{rule:?}");
            assert_eq!(budgets, before, "{rule:?}");
            let granted = (0..100).take_while(|_| budgets.withdraw(&rule, 1, NOW, FailureKind::Other).is_some());
            assert_eq!(granted.count(), left as usize, "{rule:?}");
            assert_eq!(budgets.room(&rule, 1, NOW, FailureKind::Other), 0, "{rule:?}");
        }
    }
}
