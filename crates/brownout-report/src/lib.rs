//! Results as text, as JSON and as pages.
//!
//! Each kind of result is one serialisable record with a text form beside it, so that what people read and what programs
//! read cannot drift apart. Units stand in the field names; JSON keeps the order of the fields.

mod agree;
mod check;
mod compare;
mod csv;
mod diff;
mod effects;
pub mod exit_code;
mod explain;
mod health;
mod html;
mod k6;
mod kept;
mod limits;
mod load;
mod merged;
mod number;
mod oha;
mod origin;
mod rehearse;
mod response;
mod retry;
mod run;
mod schema;
mod sketch;
mod storm;
mod storm_kept;
mod storm_map;
mod table;
mod validation;
mod vegeta;
mod verdict;

pub use agree::AgreeReport;
pub use check::{CheckReport, CheckedPolicy, Place, PlacedFinding};
pub use compare::CompareReport;
pub use diff::{DiffReport, differences};
pub use effects::effects_text;
pub use explain::{BurstReport, ExplainReport, TimelineEntry, TimelineReport};
pub use health::HealthReport;
pub use html::{COLOURS, Page, Repeat, STYLE, Several};
pub use kept::{Kept, KeptError};
pub use limits::limits_text;
pub use load::{Format, LoadReport, ReadError, Start, behind_text};
pub use merged::{ForeignError, Shards, merge};
pub use origin::{MadeOf, Origin};
pub use rehearse::{RehearseReport, rehearse_report_schema};
pub use response::ResponseReport;
pub use retry::{AttemptReport, RetryReport};
pub use run::{
    Exit, Failing, PlanReport, PlannedWait, Reason, RunAttempt, RunOrigin, RunReport, RunStop, run_report_schema,
};
pub use storm::StormReport;
pub use storm_kept::StormKept;
pub use storm_map::{PolicyMap, StormMapReport};
pub use validation::ValidationReport;

/// A record as indented JSON with a newline at its end.
///
/// # Panics
/// Never for the records of this crate: they hold no maps with keys that JSON lacks.
#[must_use]
pub fn json(record: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(record).expect("records of this crate are valid JSON");
    text + "\n"
}

/// What `write` writes.
fn written(write: impl FnOnce(&mut String) -> std::fmt::Result) -> String {
    let mut text = String::new();
    write(&mut text).expect("writing to a string cannot fail");
    text
}
