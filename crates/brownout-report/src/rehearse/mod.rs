//! What a command did to a service.

mod policy;
mod schema;
#[cfg(test)]
pub(crate) mod tests;
mod text;
pub(crate) mod words;

use std::borrow::Cow;

use brownout_lab::rehearse::{Rehearsal, Summary};
use brownout_load::Met;
use serde::{Deserialize, Serialize};

pub use schema::rehearse_report_schema;

use crate::Origin;

/// What one or several runs of a command came to, as `rehearse` prints it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RehearseReport {
    /// The form of this record.
    pub schema: Cow<'static, str>,
    /// What repeats the service; its seed is that of the first run.
    #[serde(flatten)]
    pub origin: Origin,
    /// The command.
    pub command: Vec<String>,
    /// Run by run.
    pub runs: Vec<Rehearsal>,
    /// All of them together.
    pub summary: Summary,
}

impl RehearseReport {
    /// The form of this record. The number is raised when what was written before can no longer be read.
    pub(crate) const SCHEMA: &str = "brownout-rehearse-1";

    /// Of these runs of `command`.
    #[must_use]
    pub fn new(origin: Origin, command: Vec<String>, runs: Vec<Rehearsal>) -> Self {
        let summary = Summary::of(&runs);
        Self { schema: Self::SCHEMA.into(), origin, command, runs, summary }
    }

    /// What became of all that was expected; `None` where nothing was.
    #[must_use]
    pub fn outcome(&self) -> Option<Met> {
        self.summary.outcome
    }
}
