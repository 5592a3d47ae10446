//! Many loads and many triggers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cell::{Arms, Cell};
use super::hysteresis::Hysteresis;
use super::outcome::Outcome;
use super::plan::Plan;
use super::verdict::Verdict;
use super::{At, Cores, Experiment, Precheck, StormError};

/// Many loads and many triggers of one policy.
#[derive(Clone, Debug)]
pub struct StormMap<'e> {
    /// What is run.
    pub experiment: Experiment<'e>,
    /// Loads, as multiples of the scenario's.
    pub loads: Vec<f64>,
    /// Lengths of the trigger.
    pub triggers: Vec<Duration>,
    plans: Vec<Vec<Plan<'e>>>,
}

/// One load of a map.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MapRow {
    /// Calls a second.
    pub load_per_second: f64,
    /// The same as a multiple of the scenario's.
    pub load: f64,
    /// What can be said without a run.
    pub precheck: Precheck,
    /// One a trigger, in their order.
    pub cells: Vec<Cell>,
}

/// What is kept of a finished cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// One a seed.
    pub outcomes: Vec<Outcome>,
    /// Whether a drop of the load got stuck seeds out.
    pub confirmed: bool,
}

/// The finished cells of one policy, by the places of their load and their trigger.
pub type Kept = BTreeMap<(usize, usize), Keep>;

impl<'e> StormMap<'e> {
    /// Plans every cell.
    ///
    /// # Errors
    /// What makes a cell impossible; an overloaded one is an answer.
    pub fn new(experiment: Experiment<'e>, loads: Vec<f64>, triggers: Vec<Duration>) -> Result<Self, StormError> {
        let (from, until) = experiment.trigger()?;
        let times = |length: &Duration| length.as_secs_f64() / (until - from).as_secs_f64();
        let plan = |load: f64, length| Plan::any(experiment, At { load, trigger: times(length) });
        let row = |load: &f64| triggers.iter().map(|length| plan(*load, length)).collect::<Result<Vec<_>, _>>();
        let plans = loads.iter().map(row).collect::<Result<_, _>>()?;
        Ok(Self { experiment, loads, triggers, plans })
    }

    /// How many cells it has.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.loads.len() * self.triggers.len()
    }

    /// How many runs of seeds under a trigger that makes.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.cells() * self.experiment.seeds as usize
    }

    /// Makes the runs of the cells that are not kept, and calls `keep` after each.
    ///
    /// # Errors
    /// What `keep` fails with.
    pub fn run<E>(
        &self,
        cores: &impl Cores,
        kept: &mut Kept,
        mut keep: impl FnMut(&Kept) -> Result<(), E>,
    ) -> Result<(), E> {
        for (row, plans) in self.plans.iter().enumerate() {
            let missing = |place: &usize| !kept.contains_key(&(row, *place)) && !is_hopeless(&plans[*place]);
            let missing: Vec<usize> = (0..plans.len()).filter(missing).collect();
            let longest = missing.iter().map(|place| &plans[*place]).max_by_key(|plan| plan.end());
            let Some(longest) = longest else { continue };
            let arms = Arms::new(longest, cores);
            for place in missing {
                let plan = &plans[place];
                let outcomes = arms.outcomes(plan, cores);
                let stuck = Cell::of(plan, &outcomes).verdict == Verdict::Stuck;
                let confirmed = stuck && Hysteresis::confirms(plan, &arms, &outcomes, cores);
                kept.insert((row, place), Keep { outcomes, confirmed });
                keep(kept)?;
            }
        }
        Ok(())
    }

    /// What the cells come to.
    ///
    /// # Errors
    /// Where the load of a row makes no rate.
    ///
    /// # Panics
    /// When a cell is missing.
    pub fn gather(&self, kept: &Kept) -> Result<Vec<MapRow>, StormError> {
        let row = |(row, plans): (usize, &Vec<Plan<'_>>)| {
            let cell = |(place, plan): (usize, &Plan<'_>)| {
                if is_hopeless(plan) {
                    return Cell::hopeless(plan);
                }
                let keep = &kept[&(row, place)];
                let cell = Cell::of(plan, &keep.outcomes);
                Cell { verdict: cell.verdict.confirmed(keep.confirmed), ..cell }
            };
            let at = At { load: self.loads[row], trigger: 1.0 };
            Ok(MapRow {
                load_per_second: self.experiment.rate()? * at.load,
                load: at.load,
                precheck: Precheck::new(&self.experiment, at)?,
                cells: plans.iter().enumerate().map(cell).collect(),
            })
        };
        self.plans.iter().enumerate().map(row).collect()
    }
}

/// Whether it is overloaded before any run.
fn is_hopeless(plan: &Plan<'_>) -> bool {
    plan.precheck.at_ease >= 1.0
}
