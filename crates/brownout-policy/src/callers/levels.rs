//! What the guards of a population leave open.

use std::time::Duration;

use super::Callers;
use crate::Failure;

/// Of how many budgets, and of how many breakers, a mean is told.
const BUDGETS_MAX: usize = 100;
const BREAKERS_MAX: usize = 1000;

/// What the guards of a population leave open at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GuardLevels {
    /// How many retries a budget would grant if all were asked for at once, up to [`ROOM_MAX`](crate::Budgets::ROOM_MAX): the mean over
    /// the budgets, of the first hundred where there are more. `None` without a budget.
    pub budget_left: Option<f64>,
    /// The share of breakers that refuse everything, of the first thousand where there are more. `None` without a breaker.
    pub breakers_open: Option<f64>,
}

impl Callers {
    /// What its own guards leave open `now`; those of policies around are not asked.
    #[must_use]
    pub fn levels(&self, now: Duration) -> GuardLevels {
        let guards = self.policy.guards();
        let budget = guards.budget.as_ref().zip(self.budgets.as_ref());
        let breaker = guards.breaker.as_ref();
        GuardLevels {
            budget_left: budget.and_then(|(guard, budgets)| {
                let count = self.population.count(guard.scope).min(BUDGETS_MAX);
                let left = |index| f64::from(budgets.room(&guard.rule, index, now, Failure::OTHER.kind));
                mean((0..count).map(left))
            }),
            breakers_open: breaker.and_then(|guard| {
                let open = |state| f64::from(u8::from(guard.rule.is_open(state, now)));
                mean(self.breakers.iter().take(BREAKERS_MAX).map(open))
            }),
        }
    }
}

fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::GuardLevels;
    use crate::{
        Breaker, Budget, Callers, DepositOn, Failure, Guarded, Policy, Population, Scope, Settings, TokenBudget, Trip,
    };
    use std::num::NonZeroU32;
    use std::time::Duration;

    const TEN: Population = Population { clients: 10, processes: 1 };

    #[test]
    fn levels_are_means_over_the_clients() {
        let rule = Budget::Tokens(TokenBudget::new(4.0, 0.1, DepositOn::Success).unwrap());
        let trip = Trip::Consecutive(NonZeroU32::new(2).unwrap());
        let breaker = Breaker::new(trip, Duration::from_secs(5), NonZeroU32::MIN).unwrap();
        let settings = Settings {
            max_retries: Some(5),
            budget: Some(Guarded { rule, scope: Scope::Client, counts: None }),
            breaker: Some(Guarded { rule: breaker, scope: Scope::Client, counts: None }),
            ..Settings::default()
        };
        let mut callers = Callers::new(&Policy::new(settings).unwrap(), TEN);
        let now = Duration::from_secs(1);
        assert_eq!(callers.levels(now), GuardLevels { budget_left: Some(4.0), breakers_open: Some(0.0) });
        // One client of ten fails twice: two retries are granted, and its breaker opens.
        let mut call = callers.call(3, now);
        for _ in 0..2 {
            callers.begin(&mut call, now, 0).unwrap();
            callers.failed(&mut call, now, &Failure::status(503), 0, false);
        }
        assert_eq!(callers.levels(now), GuardLevels { budget_left: Some(3.8), breakers_open: Some(0.1) });
        let later = Duration::from_secs(6);
        assert_eq!(callers.levels(later).breakers_open, Some(0.0));
    }

    #[test]
    fn without_guards_there_is_nothing_to_tell() {
        let callers = Callers::new(&Policy::new(Settings::default()).unwrap(), TEN);
        assert_eq!(callers.levels(Duration::ZERO), GuardLevels { budget_left: None, breakers_open: None });
    }
}
