//! One question to a few seeds: do they come back?

use std::time::Duration;

use super::Cores;
use super::cell::seed;
use super::plan::{Plan, Stage};
use super::windows::{Ease, first_well};

/// Seeds that are asked. Each is held against what callers come to at ease, since the control was healthy.
pub(super) struct Probe<'p, 'e> {
    pub(super) plan: &'p Plan<'e>,
    pub(super) ease: Ease,
    pub(super) replicas: Vec<usize>,
}

impl Probe<'_, '_> {
    /// How many of the seeds have five good windows in a row after `from` and before `until`.
    pub(super) fn come_back(&self, cores: &impl Cores, stage: &Stage, from: Duration, until: Duration) -> usize {
        let plan = self.plan;
        let first = plan.window_after(from);
        let look = plan.first_look(until - from);
        let comes = |replica: usize, until: Duration| {
            let (counts, cut) = plan.watch(stage, seed(plan, replica), until);
            cut.is_none() && first_well(counts.len(), first, |index| counts[index].is_well(self.ease)).is_some()
        };
        let back = cores.map(self.replicas.len(), |index| {
            let replica = self.replicas[index];
            comes(replica, from + look) || (from + look < until && comes(replica, until))
        });
        back.into_iter().filter(|back| *back).count()
    }

    /// Whether more of the seeds than not come back.
    pub(super) fn most_come_back(&self, cores: &impl Cores, stage: &Stage, from: Duration, until: Duration) -> bool {
        2 * self.come_back(cores, stage, from, until) > self.replicas.len()
    }
}

/// Halves the way between what is `good` and what is `bad` until they are within `resolution` of each other, as a share of
/// the larger.
pub(super) fn between(mut good: f64, mut bad: f64, resolution: f64, is_good: impl Fn(f64) -> bool) -> (f64, f64) {
    while (bad - good).abs() > resolution * good.max(bad) {
        let middle = f64::midpoint(good, bad);
        (good, bad) = if is_good(middle) { (middle, bad) } else { (good, middle) };
    }
    (good, bad)
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn an_edge_is_found_from_either_side() {
        let edge = |good, bad| {
            let (good, bad) = between(good, bad, 0.01, |at: f64| if good < bad { at < 0.37 } else { at > 0.37 });
            (good.min(bad) <= 0.37 && 0.37 <= good.max(bad), (good - bad).abs() < 0.004)
        };
        assert_eq!(edge(0.0, 1.0), (true, true));
        assert_eq!(edge(1.0, 0.0), (true, true));
    }
}
