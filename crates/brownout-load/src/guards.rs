//! What the guards of callers leave open over time.

use std::time::Duration;

use brownout_policy::{Callers, GuardLevels};

use crate::intervals::{Intervals, to_the_thousandth};
use crate::result::GuardSeries;

/// How the budgets and breakers of a population stood at the end of each interval. All times are nanoseconds since the run began.
#[derive(Clone, Debug, Default)]
pub struct GuardLog(Intervals<GuardLevels>);

impl GuardLog {
    /// One that keeps nothing.
    #[must_use]
    pub const fn never() -> Self {
        Self(Intervals::never())
    }

    /// Whether to look at them by `now`.
    #[inline]
    #[must_use]
    pub const fn is_due(&self, now: u64) -> bool {
        self.0.is_due(now)
    }

    /// When to look at them next.
    #[must_use]
    pub const fn due(&self) -> u64 {
        self.0.ends()
    }

    /// Looks at those of `callers` at the end of each interval that has ended by `now`.
    #[cold]
    pub fn look(&mut self, now: u64, callers: &Callers) {
        self.0.end(now, |ends| callers.levels(Duration::from_nanos(ends)), mean);
    }

    /// What was seen, with how things stand at the end, `now`; `None` where nothing was kept, or there are no guards.
    #[must_use]
    pub fn series(&self, now: u64, callers: &Callers) -> Option<GuardSeries> {
        let all = self.0.all(now, || callers.levels(Duration::from_nanos(now)));
        let column = |level: fn(&GuardLevels) -> Option<f64>| -> Vec<f64> {
            all.iter().filter_map(level).map(to_the_thousandth).collect()
        };
        let (budget_left, breakers_open) = (column(|levels| levels.budget_left), column(|levels| levels.breakers_open));
        let guarded = !budget_left.is_empty() || !breakers_open.is_empty();
        guarded.then(|| GuardSeries { interval_s: self.0.seconds(), budget_left, breakers_open })
    }
}

fn mean(one: GuardLevels, other: GuardLevels) -> GuardLevels {
    let mean = |one: Option<f64>, other: Option<f64>| Some(f64::midpoint(one?, other?));
    GuardLevels {
        budget_left: mean(one.budget_left, other.budget_left),
        breakers_open: mean(one.breakers_open, other.breakers_open),
    }
}
