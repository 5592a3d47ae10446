//! What a look at a scenario, or at a policy alone, finds without a run.

use std::fmt::Write as _;

use brownout_lab::lint::Finding;
use serde::Serialize;

use crate::number::counted;
use crate::written;

/// A check as `check` prints it. Mistakes are no part of it: a scenario with mistakes is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckReport {
    /// The scenario's file; `None` where policies alone were checked.
    pub scenario: Option<String>,
    /// The policies that were looked at.
    pub policies: Vec<CheckedPolicy>,
    /// What was found, each thing once.
    pub findings: Vec<PlacedFinding>,
    /// Of brownout.
    pub version: &'static str,
    /// What was read, for people: lines that begin with two spaces.
    #[serde(skip)]
    pub summary: String,
}

/// A policy that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedPolicy {
    /// `scenario` for the file's own, else the name in its `policies` or of a preset.
    pub name: String,
    /// The most attempts that one call makes, copies of a hedge included; `None` without bound.
    pub attempts_max: Option<u32>,
}

/// A finding, and where it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlacedFinding {
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// The key it is about, from the root of the scenario.
    pub key: String,
    /// The policies it was found of, by name.
    pub policies: Vec<String>,
    /// Where the key stands, or the nearest table around it; `None` for a preset.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// The finding with its line, for people.
    #[serde(skip)]
    pub shown: String,
}

/// A place in a file. Both count from 1; a column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl CheckReport {
    /// For people: the findings, then what was read.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| self.write(text))
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        for finding in &self.findings {
            writeln!(text, "{}\n", finding.shown)?;
        }
        let presets = || self.policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(", ");
        let name = self.scenario.clone().unwrap_or_else(presets);
        match self.findings.len() as u64 {
            0 => writeln!(text, "{name}: fine")?,
            count => writeln!(text, "{name}: valid, {}", counted(count, "warning", "warnings"))?,
        }
        text.push_str(&self.summary);
        Ok(())
    }
}
