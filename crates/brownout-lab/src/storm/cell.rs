//! One load, one length of the trigger, many seeds.

use serde::Serialize;

use super::outcome::{Control, Outcome, recovered};
use super::plan::Plan;
use super::verdict::{Counted, Verdict, bounds};
use super::windows::{Counts, Ease};
use super::{At, Cores};
use crate::replica_seed;

/// The runs without the trigger: the control arms of every cell of one policy at one load.
#[derive(Clone, Debug)]
pub struct Arms {
    /// What callers come to where nobody is in their way.
    pub(super) ease: Ease,
    controls: Vec<(Vec<Counts>, Option<String>)>,
}

/// A share of seeds, with its Wilson interval at 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// The lower end, from 0 to 1.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The seeds that recovered, and those that did not: two modes, which have no mean in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Modes {
    /// From the end of the trigger to the recovery, of the seeds that did: the fastest. `None` where none did.
    pub recovery_s_min: Option<f64>,
    /// The one in the middle.
    pub recovery_s_median: Option<f64>,
    /// The slowest.
    pub recovery_s_max: Option<f64>,
    /// Of the seeds that did not: goodput in the second half of the observation ÷ that of the control. `None` where all did.
    pub stuck_goodput: Option<f64>,
    /// Calls that the trigger cost a seed that recovered, on the mean of these.
    pub recovered_calls_lost: Option<f64>,
    /// Calls that it cost one that did not, to the end of the observation, on the mean of these.
    pub stuck_calls_lost: Option<f64>,
}

/// What a trigger does at one load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// Calls a second.
    pub load_per_second: f64,
    /// The same as a multiple of the scenario's.
    pub load: f64,
    /// Before the trigger.
    pub warm_up_s: f64,
    /// The length of the trigger.
    pub trigger_s: f64,
    /// How long each run was looked on after it.
    pub observed_s: f64,
    /// The length of a window.
    pub window_s: f64,
    /// What it comes to.
    pub verdict: Verdict,
    /// Seeds of each arm.
    pub seeds: u64,
    /// Seeds that had not recovered by the end, of those whose control was healthy.
    pub not_recovered: Share,
    /// Of these, seeds whose goodput still rose.
    pub still_rising: u64,
    /// Seeds whose control fell over by itself.
    pub control_fell: Share,
    /// Seeds whose control was never healthy.
    pub control_ill: u64,
    /// The mean time to a fall without the trigger: all the time that controls were watched ÷ falls. `None` without a fall.
    pub control_fall_mean_s: Option<f64>,
    /// Times within each mode.
    pub modes: Modes,
    /// Runs that were cut short, and why the first of them was.
    pub cut_short: Option<(u64, String)>,
}

impl Arms {
    /// Makes the control runs, for this plan and all with a shorter trigger at the same load.
    #[must_use]
    pub fn new(plan: &Plan<'_>, cores: &impl Cores) -> Self {
        let control = plan.control();
        let controls =
            cores.map(plan.experiment.seeds as usize, |replica| plan.watch(&control, seed(plan, replica), plan.end()));
        let windows = plan.windows_before(plan.warm_up);
        let before = || controls.iter().flat_map(|(counts, _)| &counts[..windows.min(counts.len())]);
        let sum = |pick: fn(&Counts) -> u32| before().map(|window| f64::from(pick(window))).sum::<f64>();
        let (calls, attempts) = (sum(|window| window.calls), sum(|window| window.attempts));
        let ease = plan.ease();
        let amplification = if calls > 0.0 { attempts / calls } else { ease.amplification };
        Self { ease: Ease { amplification, ..ease }, controls }
    }

    /// What becomes of each seed under the trigger of this plan.
    #[must_use]
    pub fn outcomes(&self, plan: &Plan<'_>, cores: &impl Cores) -> Vec<Outcome> {
        let triggered = plan.triggered([]);
        let first = plan.window_after(plan.released());
        let look = plan.first_look(plan.observe);
        cores.map(plan.experiment.seeds as usize, |replica| {
            let (control, cut) = &self.controls[replica];
            let control = &control[..control.len().min(plan.windows_before(plan.end()))];
            let seed = seed(plan, replica);
            let (mut arm, mut arm_cut) = plan.watch(&triggered, seed, plan.released() + look);
            if arm_cut.is_none() && recovered(control, &arm, first).is_none() {
                (arm, arm_cut) = plan.watch(&triggered, seed, plan.end());
            }
            let outcome = Outcome::of(control, &arm, self.ease, (plan.windows_before(plan.warm_up), first));
            Outcome { cut: cut.clone().or(arm_cut), ..outcome }
        })
    }
}

impl Cell {
    /// What the seeds come to; not yet confirmed by a drop of the load.
    #[must_use]
    pub fn of(plan: &Plan<'_>, outcomes: &[Outcome]) -> Self {
        let seeds = outcomes.len() as u64;
        let number = |pick: &dyn Fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| pick(outcome)).count() as u64;
        let healthy = |outcome: &Outcome| outcome.control == Control::Healthy;
        let stuck = |outcome: &Outcome| healthy(outcome) && outcome.recovered.is_none();
        #[expect(clippy::cast_precision_loss, reason = "a score of at most some thousands")]
        let rises = |outcome: &Outcome| outcome.rise as f64 > 1000.0 * Counted::rise_score(seeds);
        let counted = Counted {
            seeds,
            ill: number(&|outcome| outcome.control == Control::Ill),
            fell: number(&|outcome| matches!(outcome.control, Control::Fell { .. })),
            stuck: number(&stuck),
            rising: number(&|outcome| stuck(outcome) && rises(outcome)),
            cut: number(&|outcome| outcome.cut.is_some()),
        };
        let why = outcomes.iter().find_map(|outcome| outcome.cut.clone());
        Self {
            cut_short: why.map(|why| (counted.cut, why)),
            modes: Modes::of(plan, outcomes.iter().filter(|outcome| healthy(outcome))),
            control_fall_mean_s: fall_mean(plan, outcomes),
            ..Self::known(plan, &counted)
        }
    }

    /// A cell that is overloaded before any run.
    #[must_use]
    pub fn hopeless(plan: &Plan<'_>) -> Self {
        let verdict = Verdict::Overloaded;
        Self { verdict, ..Self::known(plan, &Counted::default()) }
    }

    /// What follows from the plan and the counts alone.
    fn known(plan: &Plan<'_>, counted: &Counted) -> Self {
        let At { load, .. } = plan.at;
        Self {
            load_per_second: plan.rate,
            load,
            warm_up_s: plan.warm_up.as_secs_f64(),
            trigger_s: plan.trigger.as_secs_f64(),
            observed_s: plan.observe.as_secs_f64(),
            window_s: plan.window.as_secs_f64(),
            verdict: Verdict::of(counted),
            seeds: counted.seeds,
            not_recovered: Share::of(counted.stuck, counted.healthy()),
            still_rising: counted.rising,
            control_fell: Share::of(counted.fell, counted.seeds),
            control_ill: counted.ill,
            control_fall_mean_s: None,
            modes: Modes::default(),
            cut_short: None,
        }
    }
}

impl Share {
    /// So many of so many.
    #[must_use]
    pub fn of(count: u64, of: u64) -> Self {
        let (low, high) = bounds(count, of);
        Self { count, of, low, high }
    }
}

impl Modes {
    #[expect(clippy::cast_precision_loss, reason = "counts for ratios")]
    fn of<'o>(plan: &Plan<'_>, outcomes: impl Iterator<Item = &'o Outcome>) -> Self {
        let (well, stuck): (Vec<&Outcome>, Vec<&Outcome>) = outcomes.partition(|outcome| outcome.recovered.is_some());
        // Recovery begins with a window, the trigger ends within one.
        let first =
            plan.window_after(plan.released()) as f64 * plan.window.as_secs_f64() - plan.released().as_secs_f64();
        let mut times: Vec<f64> = well
            .iter()
            .filter_map(|outcome| outcome.recovered)
            .map(|windows| first + f64::from(windows) * plan.window.as_secs_f64())
            .collect();
        times.sort_unstable_by(f64::total_cmp);
        let lost = |mode: &[&Outcome]| {
            let sum: u64 = mode.iter().map(|outcome| outcome.lost).sum();
            (!mode.is_empty()).then(|| sum as f64 / mode.len() as f64)
        };
        let (late, control) =
            stuck.iter().fold((0, 0), |(late, control), outcome| (late + outcome.late.0, control + outcome.late.1));
        Self {
            recovery_s_min: times.first().copied(),
            recovery_s_median: times.get(times.len() / 2).copied(),
            recovery_s_max: times.last().copied(),
            stuck_goodput: (control > 0).then(|| late as f64 / control as f64),
            recovered_calls_lost: lost(&well),
            stuck_calls_lost: lost(&stuck),
        }
    }
}

/// All the time that healthy controls were watched ÷ falls: the estimate of the mean of an exponential time that was not always
/// waited for to the end.
fn fall_mean(plan: &Plan<'_>, outcomes: &[Outcome]) -> Option<f64> {
    let (mut falls, mut watched) = (0.0, 0.0);
    for outcome in outcomes {
        match outcome.control {
            Control::Healthy => watched += plan.end().as_secs_f64(),
            Control::Fell { window } => {
                falls += 1.0;
                watched += f64::from(window) * plan.window.as_secs_f64();
            }
            Control::Ill => {}
        }
    }
    (falls > 0.0).then(|| watched / falls)
}

/// The luck of a replica.
pub(super) fn seed(plan: &Plan<'_>, replica: usize) -> brownout_draw::Seed {
    replica_seed(plan.experiment.seed, u32::try_from(replica).unwrap_or(u32::MAX))
}
