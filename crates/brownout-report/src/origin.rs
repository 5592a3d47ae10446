//! Where a result comes from, so that it can be had again.

use std::borrow::Cow;

use brownout_draw::Seed;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What repeats a run: printed first, and part of every result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The seed.
    #[serde(serialize_with = "seed", deserialize_with = "read_seed")]
    pub seed: Seed,
    /// The scenario's file, `built-in`, or `none` where a URL was called without one.
    pub scenario: String,
    /// A fingerprint of everything that decides the run, but for the seed, in hexadecimal.
    pub scenario_digest: String,
    /// `virtual` time, or the `real` one, in which latencies never repeat exactly.
    pub time: Cow<'static, str>,
    /// Of brownout.
    pub version: Cow<'static, str>,
}

/// Fingerprints of what a run is made of, in hexadecimal: which of them differ tells what differs between two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeOf {
    /// The services.
    pub service: String,
    /// When calls start, who makes them, and what they ask for.
    pub load: String,
    /// What callers do after a failure.
    pub policy: String,
    /// Who was called, and how fast time passed.
    pub callee: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn seed<S: Serializer>(seed: &Seed, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(seed.0)
}

fn read_seed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Seed, D::Error> {
    u64::deserialize(deserializer).map(Seed)
}
