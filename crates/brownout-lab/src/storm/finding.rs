//! Everything about one policy.

use serde::Serialize;

use super::cell::{Arms, Cell};
use super::hysteresis::Hysteresis;
use super::plan::Plan;
use super::survivable::Survivable;
use super::verdict::Verdict;
use super::{Cores, Precheck};

/// What a storm comes to under one policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The name of the policy.
    pub policy: String,
    /// What can be said without a run.
    pub precheck: Precheck,
    /// What the trigger does.
    #[serde(flatten)]
    pub cell: Cell,
    /// What gets out of it; `None` where no verdict of being stuck asks for it.
    pub hysteresis: Option<Hysteresis>,
    /// The longest trigger that is survived; `None` where the verdict leaves nothing to survive, or it was not asked for.
    pub survivable: Option<Survivable>,
}

impl Finding {
    /// Makes all the runs of a plan.
    ///
    /// - `search`: whether to look for the longest trigger that is survived, and for the edges of the hysteresis, too.
    #[must_use]
    pub fn of(policy: &str, plan: &Plan<'_>, search: bool, cores: &impl Cores) -> Self {
        let arms = Arms::new(plan, cores);
        let outcomes = arms.outcomes(plan, cores);
        let cell = Cell::of(plan, &outcomes);
        let stuck = cell.verdict == Verdict::Stuck;
        let hysteresis = if stuck && search { Hysteresis::find(plan, &arms, &outcomes, cores) } else { None };
        let confirmed = match &hysteresis {
            Some(hysteresis) => hysteresis.confirmed(),
            None => stuck && Hysteresis::confirms(plan, &arms, &outcomes, cores),
        };
        let cell = Cell { verdict: cell.verdict.confirmed(confirmed), ..cell };
        let told =
            matches!(cell.verdict, Verdict::Stable | Verdict::Probabilistic | Verdict::Metastable | Verdict::Stuck);
        Self {
            policy: policy.to_owned(),
            precheck: plan.precheck,
            survivable: (search && told).then(|| Survivable::find(plan, &arms, cores)),
            cell,
            hysteresis,
        }
    }
}
