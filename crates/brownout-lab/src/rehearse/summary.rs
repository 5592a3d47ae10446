//! Several runs of one command, each against another luck.

use brownout_load::Met;
use serde::{Deserialize, Serialize};

use super::{Backoff, Effects, Rehearsal, RetryAfter, fit, outcome, ratio};

/// What several runs came to together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many.
    pub runs: u64,
    /// Of these, those whose command ended well.
    pub runs_exit_0: u64,
    /// Requests that the service saw in all of them.
    pub attempts: u64,
    /// Calls that they were of.
    pub calls: u64,
    /// Requests ÷ calls; `None` without a call.
    pub amplification: Option<f64>,
    /// Of the run with the least; `None` without a call in any.
    pub amplification_min: Option<f64>,
    /// Of the run with the most.
    pub amplification_max: Option<f64>,
    /// Of the call with the most.
    pub attempts_worst: Option<u64>,
    /// The rule behind the waits of all of them.
    pub backoff: Backoff,
    /// Whether they stayed away as long as they were told to.
    pub retry_after: RetryAfter,
    /// What was done, and what of it twice.
    pub effects: Option<Effects>,
    /// What became of all that was expected: missed where one run missed it; `None` where nothing was.
    pub outcome: Option<Met>,
    /// How many runs missed something.
    pub runs_missed: u64,
}

impl Summary {
    /// Of these runs.
    #[must_use]
    pub fn of(runs: &[Rehearsal]) -> Self {
        let sum = |count: fn(&Rehearsal) -> u64| runs.iter().map(count).sum::<u64>();
        let (attempts, calls) = (sum(|run| run.attempts), sum(|run| run.calls));
        let each = || runs.iter().filter_map(|run| run.amplification);
        let waits: Vec<_> = runs.iter().flat_map(|run| run.waits.iter().cloned()).collect();
        let effects = runs
            .iter()
            .filter_map(|run| run.effects)
            .reduce(|sum, more| Effects { done: sum.done + more.done, duplicates: sum.duplicates + more.duplicates });
        Self {
            runs: runs.len() as u64,
            runs_exit_0: sum(|run| u64::from(run.command.exit_code == Some(0))),
            attempts,
            calls,
            amplification: ratio(attempts, calls),
            amplification_min: each().min_by(f64::total_cmp),
            amplification_max: each().max_by(f64::total_cmp),
            attempts_worst: runs.iter().filter_map(|run| run.attempts_worst).max(),
            backoff: fit(&waits),
            retry_after: RetryAfter::of(runs),
            effects,
            outcome: outcome(runs.iter().flat_map(|run| &run.expectations)),
            runs_missed: sum(|run| u64::from(outcome(&run.expectations) == Some(Met::Missed))),
        }
    }
}
