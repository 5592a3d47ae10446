//! The luck of one of many runs.

use brownout_draw::{Seed, Stream, draw};

/// The seed of run number `replica`, from 0: a function of these two alone, so that every policy and every arm of an
/// experiment meets the same luck. The first run has the seed itself, so that it is the one that a single run makes.
#[must_use]
pub fn replica_seed(seed: Seed, replica: u32) -> Seed {
    if replica == 0 { seed } else { Seed(draw(seed, Stream::named("replica"), replica.into(), 0)) }
}
