//! A map of loads and triggers.

use std::fmt::Write as _;

use brownout_lab::storm::{Cell, MapRow, Verdict};
use serde::Serialize;

use crate::storm::{plain, time};
use crate::{Origin, written};

/// A map as `storm --map` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StormMapReport {
    /// Seeds of each cell.
    pub seeds: u64,
    /// One a policy.
    pub policies: Vec<PolicyMap>,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
}

/// The map of one policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyMap {
    /// The name of the policy.
    pub policy: String,
    /// One a load, the lowest first.
    pub rows: Vec<MapRow>,
}

impl StormMapReport {
    /// For people: a grid of letters a policy, the highest load on top, and what they mean.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| {
            for policy in &self.policies {
                policy.write(text, self.seeds)?;
            }
            let shown = |verdict: &Verdict| self.cells().any(|cell| cell.verdict == *verdict);
            let legend = Verdict::ALL
                .into_iter()
                .filter(shown)
                .map(|verdict| format!("{} {}", verdict.letter(), verdict.name()));
            writeln!(text, "{}", legend.collect::<Vec<_>>().join(" · "))?;
            if shown(&Verdict::Probabilistic) {
                writeln!(text, "p60: 60 % of the seeds did not recover")?;
            }
            Ok(())
        })
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.policies.iter().flat_map(|policy| &policy.rows).flat_map(|row| &row.cells)
    }
}

const WIDTH: usize = 6;

impl PolicyMap {
    fn write(&self, text: &mut String, seeds: u64) -> std::fmt::Result {
        writeln!(text, "{}: load × length of the trigger, {seeds} seeds a cell", self.policy)?;
        let label = |row: &MapRow| format!("{}/s {:.0}%", plain(row.load_per_second), 100.0 * row.load);
        let wide = self.rows.iter().map(|row| label(row).len()).max().unwrap_or_default();
        let mut line = " ".repeat(wide);
        for cell in self.rows.first().map_or(&[][..], |row| &row.cells) {
            write!(line, "  {:>WIDTH$}", time(cell.trigger_s).replace(' ', ""))?;
        }
        writeln!(text, "{line}")?;
        for (place, row) in self.rows.iter().enumerate().rev() {
            let mut line = format!("{:>wide$}", label(row));
            for cell in &row.cells {
                write!(line, "  {:>WIDTH$}", mark(cell))?;
            }
            writeln!(text, "{line}   {}", region(row))?;
            let below = place.checked_sub(1).map(|below| &self.rows[below]);
            if row.precheck.vulnerable && below.is_none_or(|below| !below.precheck.vulnerable) {
                let from = row.precheck.vulnerable_from_per_second.map(|rate| format!(" from {}/s on", plain(rate)));
                let dashes = "-".repeat(wide + (WIDTH + 2) * row.cells.len());
                writeln!(text, "{dashes}   vulnerable{}, says the pre-check", from.unwrap_or_default())?;
            }
        }
        writeln!(text)
    }
}

pub(crate) fn mark(cell: &Cell) -> String {
    let letter = cell.verdict.letter();
    if cell.verdict == Verdict::Probabilistic {
        let share = 100 * cell.not_recovered.count / cell.not_recovered.of.max(1);
        format!("{letter}{share}")
    } else {
        letter.to_string()
    }
}

/// *Safe*: stable whatever the trigger. *Hopeless*: falls over without one. *Vulnerable*: anything between.
pub(crate) fn region(row: &MapRow) -> &'static str {
    let all = |is: fn(Verdict) -> bool| row.cells.iter().all(|cell| is(cell.verdict));
    if all(|verdict| verdict == Verdict::Stable) {
        "safe"
    } else if all(|verdict| matches!(verdict, Verdict::Spontaneous | Verdict::Overloaded)) {
        "hopeless"
    } else if row
        .cells
        .iter()
        .any(|cell| matches!(cell.verdict, Verdict::Metastable | Verdict::Stuck | Verdict::Probabilistic))
    {
        "vulnerable"
    } else {
        "untold"
    }
}
