//! Where a result comes from, so that it can be had again.

use brownout_draw::Seed;
use serde::Serialize;

/// What repeats a run: printed first, and part of every result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The seed.
    #[serde(serialize_with = "seed")]
    pub seed: Seed,
    /// The scenario's file, `built-in`, or `none` where a URL was called without one.
    pub scenario: String,
    /// A fingerprint of everything that decides the run, but for the seed, in hexadecimal.
    pub scenario_digest: String,
    /// `virtual` time, or the `real` one, in which latencies never repeat exactly.
    pub time: &'static str,
    /// Of brownout.
    pub version: &'static str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn seed<S: serde::Serializer>(seed: &Seed, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(seed.0)
}
