//! Two results, or two sets of them: what differs, and how surely.
//!
//! With one run a side, what is known of its scatter is how its intervals scatter. Neighbouring ones are alike, so that they are
//! worth fewer than there are ([`effective_size`](crate::statistics::effective_size)); percentiles are worked out anew from blocks of neighbours drawn at random
//! (`blocks`). With several runs a side, each is one independent value. Then nothing is assumed of what happens within a run, which
//! is the only way where it has phases. Runs that share their seeds are compared pair by pair.
//!
//! Times, rates and amplification are compared by their logarithms, so that an effect is a factor; the success rate by its
//! difference. Each row stands for itself: of twenty rows in which nothing differs, one is expected to say that something does.

mod blocks;
mod intervals;
mod row;
#[cfg(test)]
mod tests;

use brownout_draw::Seed;
use brownout_load::LoadResult;
use serde::Serialize;

use crate::statistics::{Summary, Sure, mean_interval, welch};
use intervals::Within;
pub use row::{Change, Effect, Row, What};

/// The level of every interval.
pub(crate) const LEVEL: f64 = 0.95;

/// A result with the luck that it was had with.
#[derive(Clone, Copy, Debug)]
pub struct Run<'r> {
    /// Of the run.
    pub seed: Seed,
    /// What it came to.
    pub result: &'r LoadResult,
}

/// What differs between two sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// What was taken for independent values.
    pub by: By,
    /// How many runs each side has.
    pub runs: [usize; 2],
    /// Row by row.
    pub rows: Vec<Row>,
}

/// What was taken for independent values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The intervals of the one run of each side.
    Intervals,
    /// The runs of each side.
    Runs,
    /// The differences between runs with the same seed.
    Pairs,
}

/// What `second` is against `first`.
///
/// - `luck`: for the blocks that are drawn; equal results and luck give equal answers.
#[must_use]
pub fn diff(first: &[Run<'_>], second: &[Run<'_>], luck: Seed) -> Diff {
    let runs = [first.len(), second.len()];
    let value = |run: &Run<'_>, what: What| what.of(run.result);
    if let ([one], [other]) = (first, second) {
        let sides = [Within::new(one.result, luck), Within::new(other.result, luck)];
        let row = |what: What| {
            let sure = [&sides[0], &sides[1]].map(|side| side.sure(what));
            let effect = sure[0].zip(sure[1]).and_then(|(first, second)| welch(first, second, LEVEL));
            Row::new(what, [value(one, what), value(other, what)], effect)
        };
        return Diff { by: By::Intervals, runs, rows: What::ALL.map(row).to_vec() };
    }
    let pairs = paired(first, second);
    let row = |what: What| {
        let values =
            |side: &[Run<'_>]| side.iter().map(|run| what.compared(value(run, what)?)).collect::<Option<Vec<f64>>>();
        let (Some(one), Some(other)) = (values(first), values(second)) else {
            return Row::new(what, [None, None], None);
        };
        let effect = match &pairs {
            Some(order) => {
                let differences = order.iter().map(|(first, second)| other[*second] - one[*first]);
                mean_interval(&differences.collect::<Vec<_>>(), LEVEL)
            }
            None => Sure::of(&one).zip(Sure::of(&other)).and_then(|(first, second)| welch(first, second, LEVEL)),
        };
        let mean = |values: &[f64]| Summary::of(values).map(|summary| what.shown(summary.mean));
        Row::new(what, [mean(&one), mean(&other)], effect)
    };
    let by = if pairs.is_some() { By::Pairs } else { By::Runs };
    Diff { by, runs, rows: What::ALL.map(row).to_vec() }
}

/// Which runs of both sides share a seed, where all of them do and no seed is there twice.
fn paired(first: &[Run<'_>], second: &[Run<'_>]) -> Option<Vec<(usize, usize)>> {
    let sorted = |side: &[Run<'_>]| {
        let mut seeds: Vec<(Seed, usize)> = side.iter().map(|run| run.seed).zip(0..).collect();
        seeds.sort_unstable();
        seeds
    };
    let (first, second) = (sorted(first), sorted(second));
    let twice = first.windows(2).any(|pair| pair[0].0 == pair[1].0);
    let same = first.len() == second.len() && first.iter().zip(&second).all(|(one, other)| one.0 == other.0);
    (same && !twice).then(|| first.into_iter().zip(second).map(|(one, other)| (one.1, other.1)).collect())
}
