//! The longest trigger that is survived.

use serde::Serialize;

use super::cell::Arms;
use super::plan::Plan;
use super::probe::{Probe, between};
use super::{At, Cores};

/// The length of the trigger at which as many seeds recover as do not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Survivable {
    /// How many seeds were asked at each length.
    pub seeds: u64,
    /// The longest trigger that most of them survived; 0 where they survived none.
    pub survived_s: f64,
    /// The shortest that most of them did not; `None` where they survived the longest that was tried.
    pub lost_s: Option<f64>,
}

/// Seeds asked, at the most.
const SEEDS: usize = 20;
/// The longest trigger to try, as a multiple of the scenario's.
const LONGEST: f64 = 8.0;
/// To what share of itself the length is found.
const RESOLUTION: f64 = 0.05;
/// The shortest length that is told from none, as a multiple of the scenario's.
const SHORTEST: f64 = 0.005;

impl Survivable {
    /// Looks for the length, all phases stretched alike from the start of the first.
    #[must_use]
    pub fn find(plan: &Plan<'_>, arms: &Arms, cores: &impl Cores) -> Self {
        let seeds = SEEDS.min(plan.experiment.seeds as usize);
        let experiment = super::Experiment { horizon: None, ..plan.experiment };
        let survives = |trigger: f64| {
            let Ok(plan) = Plan::any(experiment, At { trigger, ..plan.at }) else { return false };
            let probe = Probe { plan: &plan, ease: arms.ease, replicas: (0..seeds).collect() };
            probe.most_come_back(cores, &plan.triggered([]), plan.released(), plan.end())
        };
        let mut survived = 0.0;
        let mut tried = plan.at.trigger;
        let lost = loop {
            if !survives(tried) {
                break Some(tried);
            }
            survived = tried;
            if tried >= LONGEST * plan.at.trigger {
                break None;
            }
            tried *= 2.0;
        };
        // Of a trigger that is lost to at any length, the search would not end.
        let lost = lost.map(|lost| {
            if survived <= 0.0 && !survives(SHORTEST * plan.at.trigger) {
                return SHORTEST * plan.at.trigger;
            }
            let (found, lost) = between(survived, lost, RESOLUTION, survives);
            survived = found;
            lost
        });
        let seconds = |trigger: f64| plan.trigger.as_secs_f64() * trigger / plan.at.trigger;
        Self { seeds: seeds as u64, survived_s: seconds(survived), lost_s: lost.map(seconds) }
    }
}
