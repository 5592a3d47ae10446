//! Several policies against the same service, with the same callers and the same luck.

mod course;

use brownout_draw::Seed;
use brownout_load::{Expectations, Graph, Load, LoadResult, Met, SeriesResult};
use brownout_policy::Policy;
use brownout_service::{Phase, Request, Service};
use brownout_sim::{Limits, World};
use serde::Serialize;

use crate::replica_seed;
use crate::statistics::{Median, mean_interval, median_with_interval, paired};
pub use course::Course;

/// The level of every interval.
const LEVEL: f64 = 0.95;

/// What is compared: every arm is run on every seed.
#[derive(Clone, Debug)]
pub struct Comparison<'c> {
    /// What the callers meet.
    pub service: &'c Service,
    /// The services behind it.
    pub graph: &'c Graph,
    /// When they call.
    pub load: &'c Load,
    /// What they ask for.
    pub request: Request<'c>,
    /// The policies, by name. Differences are told against the first.
    pub arms: Vec<(String, Policy)>,
    /// The luck of the first run.
    pub seed: Seed,
    /// How many runs of each arm.
    pub seeds: u32,
    /// Bounds of each run.
    pub limits: Limits,
    /// What each run is expected to come to.
    pub expect: &'c Expectations,
}

/// What is kept of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    success: Option<f64>,
    amplification: Option<f64>,
    goodput: [Option<f64>; 4],
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    wasted: Option<f64>,
    budget_denied: f64,
    duplicates: Option<f64>,
    recovered_after_s: Option<f64>,
    observed: bool,
    events: u64,
    cut_short: Option<String>,
    verdict: Option<Met>,
    /// Of the first runs only.
    series: Option<SeriesResult>,
}

/// What a comparison came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// How many runs of each policy.
    pub seeds: u32,
    /// When the phases began and were over, where there are any and all of them end.
    pub trigger_s: Option<(f64, f64)>,
    /// In the order they were given.
    pub policies: Vec<Arm>,
    /// Events of all runs together.
    pub events: u64,
}

/// What one policy came to: means over the runs, with what they are good for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arm {
    /// Its name.
    pub name: String,
    /// Calls succeeded ÷ calls started.
    pub success_rate: Option<Estimate>,
    /// Attempts ÷ calls.
    pub amplification: Option<Estimate>,
    /// Calls that ended well, a second of the whole run.
    pub goodput_per_second: Option<Estimate>,
    /// The same before the trigger.
    pub goodput_before: Option<Estimate>,
    /// The same during it.
    pub goodput_during: Option<Estimate>,
    /// The same after it, to the end of the load.
    pub goodput_after: Option<Estimate>,
    /// The median latency of calls that succeeded.
    pub success_p50_ms: Option<Estimate>,
    /// Its 99th percentile.
    pub success_p99_ms: Option<Estimate>,
    /// Work for callers that had gone ÷ all work.
    pub wasted_share: Option<Estimate>,
    /// Retries that a budget refused, a run.
    pub budget_denied: Option<Estimate>,
    /// Effects done once more for one key, a run; `None` where no request has an effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Estimate>,
    /// From the end of the trigger to recovery; never is a value. `None` where nothing can be told.
    pub recovery_s: Option<Median>,
    /// How many runs met the expectations; `None` where nothing is expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// Against the first policy, on the same seeds.
    pub difference: Option<Difference>,
    /// What happened when, in the first runs.
    pub per_interval: Option<Course>,
    /// Runs that were ended before their end, and why the first of them was.
    pub cut_short: Option<(u64, String)>,
}

/// How many runs met the expectations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// All of them.
    pub met: u64,
    /// Not all.
    pub missed: u64,
    /// It cannot be told.
    pub not_enough_data: u64,
}

/// A mean over runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Over the runs that have the number.
    pub mean: f64,
    /// Of its 95 % interval; `None` with a single run.
    pub half_width: Option<f64>,
}

/// What a policy makes different: the mean of the differences run by run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Of the success rate.
    pub success_rate: Option<Estimate>,
    /// Of the amplification.
    pub amplification: Option<Estimate>,
    /// Of the goodput of the whole run.
    pub goodput_per_second: Option<Estimate>,
    /// Of the goodput after the trigger.
    pub goodput_after: Option<Estimate>,
}

impl Comparison<'_> {
    /// How many runs it takes.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.arms.len() * self.seeds as usize
    }

    /// Makes run number `index`: all seeds of the first arm, then of the next.
    ///
    /// # Panics
    /// When there is no such run.
    #[must_use]
    pub fn run(&self, index: usize) -> Measured {
        let (arm, replica) = (index / self.seeds as usize, index % self.seeds as usize);
        let seed = replica_seed(self.seed, u32::try_from(replica).unwrap_or(u32::MAX));
        let world = World::new(self.service, &self.arms[arm].1, seed).with_graph(self.graph);
        let result = world.watch(&self.request, self.load, self.limits, ()).0;
        let series = (replica < Course::RUNS_MAX).then(|| result.per_interval.clone());
        Measured { series, ..Measured::of(&result, self.expect) }
    }

    /// What the runs, in the order of their numbers, come to.
    #[must_use]
    pub fn gather(&self, runs: &[Measured]) -> Compared {
        let by_arm: Vec<&[Measured]> = runs.chunks(self.seeds.max(1) as usize).collect();
        let first = by_arm.first().copied().unwrap_or_default();
        let arm = |(index, runs): (usize, &&[Measured])| {
            let difference = (index > 0).then(|| Difference::of(first, runs));
            Arm::of(&self.arms[index].0, runs, difference)
        };
        Compared {
            seeds: self.seeds,
            trigger_s: Phase::span(&self.graph.phases(self.service))
                .map(|(from, until)| (from.as_secs_f64(), until.as_secs_f64())),
            policies: by_arm.iter().enumerate().map(arm).collect(),
            events: runs.iter().map(|run| run.events).sum(),
        }
    }
}

impl Measured {
    fn of(result: &LoadResult, expect: &Expectations) -> Self {
        let recovery = result.recovery;
        let goodput = |pick: fn(&brownout_load::Recovery) -> Option<f64>| recovery.as_ref().and_then(pick);
        Self {
            success: result.success_rate,
            amplification: result.amplification,
            goodput: [
                result.goodput_per_second,
                goodput(|recovery| recovery.goodput_before),
                goodput(|recovery| recovery.goodput_during),
                goodput(|recovery| recovery.goodput_after),
            ],
            p50_ms: result.latency_ms.success.p50,
            p99_ms: result.latency_ms.success.p99,
            wasted: result.capacity.as_ref().and_then(|capacity| capacity.wasted_share),
            #[expect(clippy::cast_precision_loss, reason = "a count for a mean")]
            budget_denied: result.attempts.budget_denied as f64,
            #[expect(clippy::cast_precision_loss, reason = "a count for a mean")]
            duplicates: (!result.effects.is_empty())
                .then(|| result.effects.iter().map(|effect| effect.duplicates).sum::<u64>() as f64),
            recovered_after_s: recovery.and_then(|recovery| recovery.recovered_after_s),
            observed: recovery.is_some_and(|recovery| recovery.intervals_after >= 5),
            events: result.events.unwrap_or_default(),
            cut_short: result.cut_short.clone(),
            verdict: expect.judge(result).map(|verdict| verdict.outcome()),
            series: None,
        }
    }
}

impl Arm {
    fn of(name: &str, runs: &[Measured], difference: Option<Difference>) -> Self {
        let estimate = |pick: &dyn Fn(&Measured) -> Option<f64>| Estimate::of(runs.iter().filter_map(pick));
        let mut times: Vec<_> = runs.iter().filter(|run| run.observed).map(|run| run.recovered_after_s).collect();
        let cut: Vec<&String> = runs.iter().filter_map(|run| run.cut_short.as_ref()).collect();
        Self {
            name: name.to_owned(),
            success_rate: estimate(&|run| run.success),
            amplification: estimate(&|run| run.amplification),
            goodput_per_second: estimate(&|run| run.goodput[0]),
            goodput_before: estimate(&|run| run.goodput[1]),
            goodput_during: estimate(&|run| run.goodput[2]),
            goodput_after: estimate(&|run| run.goodput[3]),
            success_p50_ms: estimate(&|run| run.p50_ms),
            success_p99_ms: estimate(&|run| run.p99_ms),
            wasted_share: estimate(&|run| run.wasted),
            budget_denied: estimate(&|run| Some(run.budget_denied)),
            duplicates: estimate(&|run| run.duplicates),
            recovery_s: median_with_interval(&mut times),
            expected: Expected::of(runs.iter().filter_map(|run| run.verdict)),
            difference,
            per_interval: Course::of(runs.iter().filter_map(|run| run.series.as_ref())),
            cut_short: cut.first().map(|why| (cut.len() as u64, (*why).clone())),
        }
    }
}

impl Expected {
    /// `None` without a verdict.
    fn of(verdicts: impl Iterator<Item = Met>) -> Option<Self> {
        verdicts.fold(None, |sum, verdict| {
            let mut sum: Self = sum.unwrap_or_default();
            let count = match verdict {
                Met::Met => &mut sum.met,
                Met::Missed => &mut sum.missed,
                Met::NotEnoughData => &mut sum.not_enough_data,
            };
            *count += 1;
            Some(sum)
        })
    }
}

impl Difference {
    fn of(first: &[Measured], other: &[Measured]) -> Self {
        let difference = |pick: fn(&Measured) -> Option<f64>| {
            let pairs = first.iter().zip(other).filter_map(|(first, other)| Some((pick(first)?, pick(other)?)));
            let (first, other): (Vec<f64>, Vec<f64>) = pairs.unzip();
            let interval = paired(&first, &other, LEVEL);
            interval.map(|interval| Estimate { mean: interval.mean, half_width: Some(interval.half_width) })
        };
        Self {
            success_rate: difference(|run| run.success),
            amplification: difference(|run| run.amplification),
            goodput_per_second: difference(|run| run.goodput[0]),
            goodput_after: difference(|run| run.goodput[3]),
        }
    }
}

impl Estimate {
    /// The same in another unit.
    #[must_use]
    pub fn scaled(self, by: f64) -> Self {
        Self { mean: self.mean * by, half_width: self.half_width.map(|half| half * by) }
    }

    /// `None` without a value.
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.collect();
        if let [mean] = values[..] {
            return Some(Self { mean, half_width: None });
        }
        mean_interval(&values, LEVEL)
            .map(|interval| Self { mean: interval.mean, half_width: Some(interval.half_width) })
    }
}

#[cfg(test)]
mod tests;
