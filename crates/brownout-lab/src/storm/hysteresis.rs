//! The load-drop test: what gets out of the bad state, and how wide the loop is.

use std::time::Duration;

use brownout_service::{Change, Factor, Factors, Only, Phase, Ramp, Window};
use serde::Serialize;

use super::Cores;
use super::cell::{Arms, seed};
use super::outcome::{Control, Outcome};
use super::plan::{Plan, free_name, longest_call};
use super::probe::{Probe, between};

/// What dropping the load of a stuck service for a while does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hysteresis {
    /// How many stuck seeds were asked.
    pub seeds: u64,
    /// From the end of the trigger to the drop.
    pub acts_after_s: f64,
    /// Drops that get every seed asked out of it, the shortest first: each longer one is a smaller drop. Empty where nothing
    /// helps, not even to send nothing for as long as was tried.
    pub gets_out: Vec<Shed>,
    /// The longest drop that was tried.
    pub tried_s_max: f64,
    /// Below this load the bad state ends by itself in most seeds, in calls a second. `None` where it never does.
    pub ends_below_per_second: Option<f64>,
    /// Above this load the good state is lost without a trigger in most seeds, within the time of the experiment. `None` where
    /// there is no capacity to go by.
    pub lost_above_per_second: Option<f64>,
}

/// Send so much less for so long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Shed {
    /// Of the first tries, from 0 to 1. In steps of a tenth.
    pub share: f64,
    /// For so long.
    pub for_s: f64,
}

/// Seeds that are asked, at the most; where only a yes or no is wanted, fewer.
const SEEDS: usize = 10;
const SEEDS_TO_CONFIRM: usize = 4;
/// Lengths that people say.
const LENGTHS_S: [u64; 13] = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600];
/// How many drops are told.
const DROPS: usize = 3;
/// Each is so many times as long as the one before.
const LONGER: u32 = 3;
/// Of a drop, in tenths.
const WHOLE: u32 = 10;
/// To what share of itself a load is found.
const LOAD_RESOLUTION: f64 = 0.02;

impl Hysteresis {
    /// Drops the load of seeds that are stuck. `None` where there is none.
    #[must_use]
    pub fn find(plan: &Plan<'_>, arms: &Arms, outcomes: &[Outcome], cores: &impl Cores) -> Option<Self> {
        let drop = Drop::new(plan, arms, outcomes, SEEDS)?;
        let mut gets_out = Vec::new();
        if let Some(shortest) = drop.shortest(cores) {
            gets_out.push(drop.shed(WHOLE, shortest));
            let (mut least, mut last) = (WHOLE, shortest);
            for length in drop.lengths().filter(|length| shortest < *length) {
                if gets_out.len() == DROPS || least == 1 {
                    break;
                }
                if length < last * LONGER {
                    continue;
                }
                let found = drop.least(cores, length, least);
                if found < least {
                    gets_out.push(drop.shed(found, length));
                }
                (least, last) = (found, length);
            }
        }
        Some(Self {
            seeds: drop.probe.replicas.len() as u64,
            acts_after_s: (drop.acts - plan.released()).as_secs_f64(),
            tried_s_max: drop.lengths().last().unwrap_or_default().as_secs_f64(),
            ends_below_per_second: drop.ends_below(cores).map(|load| load * plan.rate),
            lost_above_per_second: lost_above(plan, arms, cores).map(|load| load * plan.rate),
            gets_out,
        })
    }

    /// Whether sending nothing for a while gets stuck seeds out: then nothing but the load kept them down.
    #[must_use]
    pub fn confirms(plan: &Plan<'_>, arms: &Arms, outcomes: &[Outcome], cores: &impl Cores) -> bool {
        let drop = Drop::new(plan, arms, outcomes, SEEDS_TO_CONFIRM);
        drop.is_some_and(|drop| drop.shortest(cores).is_some())
    }

    /// Whether anything gets out.
    #[must_use]
    pub const fn confirmed(&self) -> bool {
        !self.gets_out.is_empty()
    }
}

/// A drop of the load of stuck seeds.
struct Drop<'p, 'e> {
    probe: Probe<'p, 'e>,
    /// When it begins.
    acts: Duration,
    /// How long is looked on after it.
    settles: Duration,
}

impl<'p, 'e> Drop<'p, 'e> {
    fn new(plan: &'p Plan<'e>, arms: &Arms, outcomes: &[Outcome], seeds: usize) -> Option<Self> {
        let stuck =
            |(_, outcome): &(usize, &Outcome)| outcome.control == Control::Healthy && outcome.recovered.is_none();
        let replicas: Vec<usize> =
            outcomes.iter().enumerate().filter(stuck).map(|(replica, _)| replica).take(seeds).collect();
        if replicas.is_empty() {
            return None;
        }
        let held = (2 * plan.trigger).max(10 * plan.window).max(10 * plan.timeout).min(plan.observe);
        let settles = (20 * plan.window).max(20 * plan.timeout).max(2 * plan.drain);
        let probe = Probe { plan, ease: arms.ease, replicas };
        Some(Self { probe, acts: plan.released() + held, settles })
    }

    /// Lengths to try: from a window or a timeout to what the observation, or the longest call, lasts.
    fn lengths(&self) -> impl Iterator<Item = Duration> {
        let plan = self.probe.plan;
        let shortest = plan.window.max(plan.timeout);
        let calls =
            plan.experiment.policies().map(|policy| longest_call(policy, plan.timeout)).max().unwrap_or_default();
        let longest = plan.observe.max(2 * calls.min(Duration::from_secs(1800))).max(Duration::from_secs(60));
        LENGTHS_S.into_iter().map(Duration::from_secs).filter(move |length| shortest <= *length && *length <= longest)
    }

    /// The shortest time without any new calls that gets every seed out.
    fn shortest(&self, cores: &impl Cores) -> Option<Duration> {
        self.lengths().find(|length| self.gets_out(cores, WHOLE, *length))
    }

    /// The least drop, in tenths and below `known`, that gets every seed out in `length`; `known` where none does.
    fn least(&self, cores: &impl Cores, length: Duration, known: u32) -> u32 {
        let (mut low, mut high) = (0, known);
        while high - low > 1 {
            let middle = u32::midpoint(low, high);
            (low, high) = if self.gets_out(cores, middle, length) { (low, middle) } else { (middle, high) };
        }
        high
    }

    fn gets_out(&self, cores: &impl Cores, tenths: u32, length: Duration) -> bool {
        let until = self.acts + length;
        let dropped = self.dropped(1.0 - f64::from(tenths) / f64::from(WHOLE), Some(until));
        let service = self.probe.plan.triggered([dropped]);
        self.probe.come_back(cores, &service, until, until + self.settles) == self.probe.replicas.len()
    }

    /// The greatest multiple of the load, below 1, at which most seeds come back while it lasts.
    fn ends_below(&self, cores: &impl Cores) -> Option<f64> {
        let comes_back = |load: f64| {
            let service = self.probe.plan.triggered([self.dropped(load, None)]);
            self.probe.most_come_back(cores, &service, self.acts, self.acts + self.probe.plan.observe)
        };
        // At a twentieth what would not come back does not come back at all.
        let least = 0.05;
        comes_back(least).then(|| between(least, 1.0, LOAD_RESOLUTION, comes_back).0)
    }

    fn dropped(&self, load: f64, until: Option<Duration>) -> Phase {
        let phases = self.probe.plan.experiment.service.phases();
        Phase {
            name: free_name(phases, "load drop"),
            window: Window { from: self.acts, until },
            ramp: Ramp::default(),
            change: Change::default(),
            factors: Factors { load: Factor::new(load.max(0.0)), ..Factors::default() },
            only: Only::default(),
        }
    }

    fn shed(&self, tenths: u32, length: Duration) -> Shed {
        Shed { share: f64::from(tenths) / f64::from(WHOLE), for_s: length.as_secs_f64() }
    }
}

/// The least multiple of the load at which most controls are lost.
fn lost_above(plan: &Plan<'_>, arms: &Arms, cores: &impl Cores) -> Option<f64> {
    let at_capacity = Some(1.0 / plan.precheck.at_ease).filter(|load| load.is_finite())?;
    let seeds = SEEDS.min(plan.experiment.seeds as usize);
    let holds = |load: f64| {
        let Ok(plan) = plan.at_load(load) else { return false };
        let control = plan.control();
        let states = cores.map(seeds, |replica| {
            let (counts, cut) = plan.watch(&control, seed(&plan, replica), plan.end());
            cut.is_none() && Control::of(&counts, arms.ease) == Control::Healthy
        });
        2 * states.into_iter().filter(|holds| *holds).count() > seeds
    };
    let above = 1.25 * at_capacity;
    if holds(above) { Some(above) } else { Some(between(1.0, above, LOAD_RESOLUTION, holds).0) }
}
