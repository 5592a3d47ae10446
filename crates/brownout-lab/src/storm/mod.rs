//! Does the bad state keep itself going? A trigger, its end, and a control arm that never met it.
//!
//! An [`Experiment`] is a scenario with its policy: its phases are the trigger. Each seed is run twice on the same luck, with
//! and without the trigger, and the run with it has recovered once five windows in a row are as good as those of the control.
//! Over many seeds that makes a [`Verdict`] with an interval, never a mean over runs of which some recovered and some did not.
//!
//! - [`Plan`]: how long the warm-up, the trigger and the observation are, what is refused before any run, and [`Precheck`]:
//!   what can be said without a run.
//! - [`Cell`]: one load and one length of the trigger, over all seeds.
//! - [`Hysteresis`]: which drop of the load ends the bad state; it also tells *metastable* from lasting damage.
//! - [`Survivable`]: the longest trigger that most seeds survive.
//! - [`Finding`]: all of it for one policy.
//! - [`StormMap`]: many loads and many triggers.
//!
//! Source: N. Bronson, A. Aghayev, A. Charapko, T. Zhu, "Metastable failures in distributed systems", HotOS 2021; L. Huang
//! et al., "Metastable failures in the wild", OSDI 2022.
//!
//! What is decided here: which runs to make, and what they come to. What is left out: on how many cores they are made, which
//! [`Cores`] knows.

mod cell;
mod experiment;
mod finding;
mod hysteresis;
mod map;
mod outcome;
mod plan;
mod precheck;
mod probe;
mod survivable;
mod verdict;
mod windows;

pub use cell::{Arms, Cell, Modes, Share};
pub use experiment::{At, Experiment, StormError};
pub use finding::Finding;
pub use hysteresis::{Hysteresis, Shed};
pub use map::{Keep, Kept, MapRow, StormMap};
pub use outcome::{Control, Outcome};
pub use plan::Plan;
pub use precheck::Precheck;
pub use survivable::Survivable;
pub use verdict::{Counted, Verdict};

/// Who makes many runs: in this order or any other, on one core or on many.
pub trait Cores {
    /// Makes run 0 to `runs` and gives their results in the order of their numbers.
    fn map<T: Send>(&self, runs: usize, run: impl Fn(usize) -> T + Sync + Send) -> Vec<T>;
}

/// One run after another.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneByOne;

impl Cores for OneByOne {
    fn map<T: Send>(&self, runs: usize, run: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        (0..runs).map(run).collect()
    }
}

#[cfg(test)]
mod tests;
