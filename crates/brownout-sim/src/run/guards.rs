//! What budgets and breakers leave open over time.

use std::time::Duration;

use brownout_load::GuardSeries;
use brownout_policy::{Callers, GuardLevels};

use super::levels::to_the_thousandth;
use super::{Observer, Run};

impl<O: Observer> Run<'_, O> {
    /// Looks at the guards at the end of each interval that has ended by `now`.
    #[cold]
    pub(super) fn look_at_guards(&mut self, now: u64) {
        let callers = &self.edges[0].callers;
        self.guards.end(now, |ends| levels(callers, ends), mean);
    }

    /// `None` where nothing was kept, or there are no guards.
    pub(super) fn guards_result(&self) -> Option<GuardSeries> {
        let callers = &self.edges.first()?.callers;
        let all = self.guards.all(self.now, || levels(callers, self.now));
        let column = |level: fn(&GuardLevels) -> Option<f64>| -> Vec<f64> {
            all.iter().filter_map(level).map(to_the_thousandth).collect()
        };
        let (budget_left, breakers_open) = (column(|levels| levels.budget_left), column(|levels| levels.breakers_open));
        let guarded = !budget_left.is_empty() || !breakers_open.is_empty();
        guarded.then(|| GuardSeries { interval_s: self.guards.seconds(), budget_left, breakers_open })
    }
}

/// Of `callers` at `now`, in nanoseconds.
fn levels(callers: &Callers, now: u64) -> GuardLevels {
    callers.levels(Duration::from_nanos(now))
}

fn mean(one: GuardLevels, other: GuardLevels) -> GuardLevels {
    let mean = |one: Option<f64>, other: Option<f64>| Some(f64::midpoint(one?, other?));
    GuardLevels {
        budget_left: mean(one.budget_left, other.budget_left),
        breakers_open: mean(one.breakers_open, other.breakers_open),
    }
}
