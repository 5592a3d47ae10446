//! The scenario file, from text to valid types.
//!
//! ```
//! use brownout_scenario::Scenario;
//!
//! let scenario = Scenario::parse("outage.toml", r#"
//!     [service]
//!     latency = { uniform = { min = "10ms", max = "500ms" } }
//!     outcomes = { error = "10%" }
//! "#)?;
//! assert!(scenario.policy.is_none());
//! # Ok::<(), brownout_scenario::Invalid>(())
//! ```
//!
//! Parse, don't validate: what comes out needs no further check. Every mistake in a file is reported at once, each at
//! its line and column.
//!
//! What is decided here: what a file may say, and what it means where it is silent. What is left out: reading files
//! from a disk (whoever can, hands in [`Files`]), and everything the values are used for.

mod decode;
mod expect;
mod grammar;
mod live;
mod moments;
mod node;
mod places;
mod presets;
mod problem;
mod read;
mod reference;
mod scenario;
mod schema;
mod source;
pub mod units;

pub use expect::{ExpectError, bound_of, expectation, measure_of};
pub use live::LivePhase;
pub use moments::{Moments, MomentsError, date_time};
pub use places::{Places, Remark};
pub use presets::{PresetScenario, SCENARIOS, preset_scenario};
pub use problem::{Invalid, Problem};
pub use reference::reference;
pub use scenario::{Files, Scenario};
pub use schema::{live_phase_schema, schema};

/// What to say of a `name` that is no scenario of the program: the nearest one, where one is near, and all of them.
#[must_use]
pub fn scenario_hint(name: &str) -> String {
    let names = || SCENARIOS.iter().map(|preset| preset.name);
    decode::did_you_mean(name, names(), &format!("presets: {}", names().collect::<Vec<_>>().join(", ")))
}

/// What to say of a `name` that is no preset: the nearest one, where one is near, and all of them.
#[must_use]
pub fn preset_hint(name: &str) -> String {
    decode::policy::presets(name)
}
