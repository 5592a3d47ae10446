//! The virtual world held against what the textbooks say.
//!
//! A study is a scenario, as a user would write it, and what must come out of it. It is run on several seeds; a row passes when
//! the expected value lies within the 99.9 % interval of what was found, and the interval is narrow enough to tell. With about
//! a hundred rows one in ten suites would miss an interval by chance alone, were the seeds not fixed: what passes once passes
//! always, and on every platform.

mod callers;
mod queues;

use brownout_draw::Seed;
use brownout_load::{LoadResult, RequestLine};
use brownout_policy::Policy;
use brownout_scenario::Scenario;
use brownout_service::Request;
use brownout_sim::World;
use serde::Serialize;

use crate::replica_seed;
use crate::statistics::mean_interval;

/// How many runs each study is made of.
const RUNS: u32 = 16;
/// The level of an interval: with sixteen runs, 4.07 standard errors to either side.
const LEVEL: f64 = 0.999;
/// What the buckets of a histogram may add to a quantile.
const BUCKET: f64 = 0.001;

/// Every study, in the order of the report.
#[derive(Debug)]
pub struct Suite {
    studies: Vec<Study>,
    seed: Seed,
}

/// A scenario, and what must come out of it.
#[derive(Debug)]
struct Study {
    name: String,
    source: &'static str,
    scenario: Scenario,
    checks: Vec<Check>,
}

/// One number of a result, and what it must be.
struct Check {
    what: &'static str,
    expected: f64,
    /// How wide the interval may be to either side, as a share of what is expected, to tell anything.
    within: f64,
    measure: Measure,
}

type Measure = Box<dyn Fn(&LoadResult) -> f64 + Send + Sync>;

/// What one run of a study brought: a number for each of its checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    values: Vec<f64>,
    events: u64,
}

/// What the suite came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Validation {
    /// Of the first run of each study.
    pub seed: u64,
    /// How many runs each study is made of.
    pub runs_each: u32,
    /// All runs together.
    pub runs: u64,
    /// Their events.
    pub events: u64,
    /// One for each number.
    pub rows: Vec<Row>,
    /// How many of them failed.
    pub failed: usize,
}

/// One number: expected and found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The model and its parameters.
    pub study: String,
    /// Which number of it.
    pub what: &'static str,
    /// What it must be.
    pub expected: f64,
    /// The mean over the runs.
    pub found: f64,
    /// Of its 99.9 % interval.
    pub half_width: f64,
    /// Whether what is expected lies within, and the interval is narrow enough to tell.
    pub passed: bool,
    /// Where the expected value comes from.
    pub source: &'static str,
}

impl Suite {
    /// All studies; the first run of each has the seed `seed`.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        Self { studies: queues::studies().into_iter().chain(callers::studies()).collect(), seed }
    }

    /// How many runs it takes.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.studies.len() * RUNS as usize
    }

    /// Makes run number `index`: all seeds of the first study, then of the next.
    ///
    /// # Panics
    /// When there is no such run.
    #[must_use]
    pub fn run(&self, index: usize) -> Sample {
        let study = &self.studies[index / RUNS as usize];
        let replica = u32::try_from(index % RUNS as usize).unwrap_or_default();
        study.run(replica_seed(self.seed, replica))
    }

    /// What the runs, in the order of their numbers, come to.
    #[must_use]
    pub fn gather(&self, samples: &[Sample]) -> Validation {
        let rows: Vec<Row> = self
            .studies
            .iter()
            .zip(samples.chunks(RUNS as usize))
            .flat_map(|(study, samples)| study.rows(samples))
            .collect();
        Validation {
            seed: self.seed.0,
            runs_each: RUNS,
            runs: samples.len() as u64,
            events: samples.iter().map(|sample| sample.events).sum(),
            failed: rows.iter().filter(|row| !row.passed).count(),
            rows,
        }
    }
}

impl Study {
    /// A study of the scenario in `text`.
    ///
    /// # Panics
    /// When the text is no scenario: our own mistake.
    fn new(name: impl Into<String>, source: &'static str, text: &str, checks: Vec<Check>) -> Self {
        let name = name.into();
        let scenario = Scenario::parse("study.toml", text).unwrap_or_else(|invalid| panic!("{name}: {invalid}"));
        Self { name, source, scenario, checks }
    }

    fn run(&self, seed: Seed) -> Sample {
        let Scenario { service, graph, load, policy, .. } = &self.scenario;
        let policy = policy
            .clone()
            .map_or_else(Policy::none, |settings| Policy::new(settings).expect("a scenario's policy is checked"));
        let RequestLine { method, path } = &load.request;
        let result = World::new(service, &policy, seed).with_graph(graph).load(&Request { method, path }, load);
        Sample {
            values: self.checks.iter().map(|check| (check.measure)(&result)).collect(),
            events: result.events.unwrap_or_default(),
        }
    }

    fn rows(&self, samples: &[Sample]) -> impl Iterator<Item = Row> {
        self.checks.iter().enumerate().map(|(place, check)| {
            let values: Vec<f64> = samples.iter().map(|sample| sample.values[place]).collect();
            let interval = mean_interval(&values, LEVEL);
            let (found, half_width) = interval.map_or((f64::NAN, f64::NAN), |found| (found.mean, found.half_width));
            let slack = half_width + check.expected.abs() * BUCKET;
            let passed = (found - check.expected).abs() <= slack && half_width <= check.within * check.expected.abs();
            let Check { what, expected, .. } = *check;
            Row { study: self.name.clone(), what, expected, found, half_width, passed, source: self.source }
        })
    }
}

impl Check {
    fn new(
        what: &'static str,
        expected: f64,
        within: f64,
        measure: impl Fn(&LoadResult) -> f64 + Send + Sync + 'static,
    ) -> Self {
        Self { what, expected, within, measure: Box::new(measure) }
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check").field("what", &self.what).field("expected", &self.expected).finish_non_exhaustive()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts for ratios")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn seconds(ms: Option<f64>) -> f64 {
    ms.unwrap_or(f64::NAN) / 1000.0
}

#[cfg(test)]
mod tests;
