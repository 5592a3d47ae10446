//! The page of a map of loads and triggers.

use brownout_lab::storm::{Cell, MapRow, Verdict};
use maud::html;

use super::storm::meaning;
use super::{facts, lower};
use crate::html::figure::{Drawing, Figure, Panel, Table};
use crate::html::page::{Mood, Page, Repeat, Said};
use crate::html::plot::Size;
use crate::html::show::{px, rate, seconds};
use crate::number::counted;
use crate::storm_map::{mark, region};
use crate::{PolicyMap, StormMapReport};

/// The names of loads, of triggers, and what stands at the right.
const NAMES: f64 = 96.0;
const TRIGGERS: f64 = 46.0;
const REGION: f64 = 84.0;
/// A cell is so high at the most.
const CELL: f64 = 30.0;
/// In smaller cells nothing is written.
const LEAST: f64 = 16.0;
/// Of more cells than these only the table tells what one points at.
const POINTED_MAX: usize = 1000;

impl StormMapReport {
    /// As a page.
    #[must_use]
    pub fn page(&self, repeat: Repeat) -> Page {
        Page {
            title: format!("A map of storms on {}", self.origin.scenario),
            said: self.policies.iter().map(|policy| self.said(policy)).collect(),
            numbers: Vec::new(),
            facts: facts(&self.origin),
            repeat,
            figures: vec![self.figure()],
            tables: Vec::new(),
            text: self.text(),
        }
    }

    /// Up to which load a policy is safe whatever the trigger.
    fn said(&self, policy: &PolicyMap) -> Said {
        let all = policy.rows.iter().flat_map(|row| &row.cells);
        let bad = all
            .clone()
            .filter(|cell| !matches!(cell.verdict, Verdict::Stable | Verdict::Slow | Verdict::Undecided))
            .count();
        let untold = all.clone().filter(|cell| cell.verdict.is_untold()).count();
        let safe = policy.rows.iter().take_while(|row| region(row) == "safe").last();
        let upto = safe.map_or_else(
            || "At no load of the map it survives every trigger.".to_owned(),
            |row| {
                format!(
                    "It survives every trigger of the map up to {} ({:.0} % of the scenario's load).",
                    rate(row.load_per_second),
                    100.0 * row.load
                )
            },
        );
        let cells = all.count();
        let (mood, word) = match (bad, untold) {
            (0, 0) => (Mood::Good, format!("{}: recovers everywhere", policy.policy)),
            (0, _) => (Mood::Untold, format!("{}: not everything can be told", policy.policy)),
            _ => (Mood::Bad, format!("{}: does not recover in {bad} of {cells} cells", policy.policy)),
        };
        let seeds = counted(self.seeds, "seed", "seeds");
        Said::new(mood, word, format!("{upto} Each cell is {seeds}, with the trigger and without it."))
    }

    fn figure(&self) -> Figure {
        let panel = |policy: &PolicyMap| {
            let drawing = |width| drawing(policy, width);
            Panel {
                name: if self.policies.len() > 1 { policy.policy.clone() } else { String::new() },
                says: says(policy),
                wide: (self.policies.len() == 1).then(|| drawing(Size::WIDE.width)),
                narrow: drawing(Size::NARROW.width),
                pointed: Vec::new(),
            }
        };
        let shown = |verdict: &Verdict| {
            self.policies
                .iter()
                .flat_map(|policy| &policy.rows)
                .flat_map(|row| &row.cells)
                .any(|cell| cell.verdict == *verdict)
        };
        let legend = Verdict::ALL.into_iter().filter(shown);
        let legend =
            legend.map(|verdict| format!("{} {}: {}", letter(verdict), verdict.name(), lower(meaning(verdict))));
        Figure {
            id: "map",
            title: "Load and length of the trigger".to_owned(),
            caption: format!(
                "The load grows upwards, the trigger to the right. {}",
                legend.collect::<Vec<_>>().join(" ")
            ),
            drawn: Ok(self.policies.iter().map(panel).collect()),
            table: self.table(),
        }
    }

    fn table(&self) -> Table {
        let cells = self.policies.first().and_then(|policy| policy.rows.first()).map_or(&[][..], |row| &row.cells);
        let head = ["policy", "load", "before any run"].map(str::to_owned).into_iter();
        let head = head.chain(cells.iter().map(|cell| seconds(cell.trigger_s))).chain(["region".to_owned()]).collect();
        let row = |policy: &PolicyMap, row: &MapRow| {
            let before = if row.precheck.vulnerable { "vulnerable" } else { "safe" };
            let first = [policy.policy.clone(), load(row), before.to_owned()].into_iter();
            first.chain(row.cells.iter().map(told)).chain([region(row).to_owned()]).collect()
        };
        let rows = self.policies.iter().flat_map(|policy| policy.rows.iter().rev().map(move |of| row(policy, of)));
        Table { head, rows: rows.collect(), places: Vec::new() }
    }
}

/// A square a cell, the highest load on top.
fn drawing(policy: &PolicyMap, width: f64) -> Drawing {
    let columns = policy.rows.first().map_or(0, |row| row.cells.len());
    let across = (width - NAMES - REGION) / columns.max(1) as f64;
    let down = CELL.min(2400.0 / policy.rows.len().max(1) as f64);
    let height = TRIGGERS + down * policy.rows.len() as f64 + 26.0;
    let size = Size { width, height, left: NAMES, right: REGION, top: TRIGGERS, bottom: 26.0 };
    let written = across >= LEAST && down >= LEAST;
    let pointed = columns * policy.rows.len() <= POINTED_MAX;
    // Names of rows and columns, as many as there is room for.
    let every = |room: f64, each: f64| (1_usize..).find(|number| *number as f64 * each >= room).unwrap_or(1);
    let (each_row, each_column) = (every(14.0, down), every(52.0, across));
    let from = policy.rows.iter().rposition(|row| !row.precheck.vulnerable).map_or(0, |safe| safe + 1);
    let rows = policy.rows.len();
    let marks = html! {
        text.axis x=(px(NAMES)) y="14" { "length of the trigger" }
        text.axis.end x=(px(NAMES - 8.0)) y=(px(TRIGGERS - 10.0)) { "load" }
        @for (column, cell) in policy.rows.first().map_or(&[][..], |row| &row.cells).iter().enumerate().step_by(each_column) {
            text.tick.middle x=(px(NAMES + (column as f64 + 0.5) * across)) y=(px(TRIGGERS - 10.0)) { (seconds(cell.trigger_s)) }
        }
        @for (place, row) in policy.rows.iter().rev().enumerate() {
            @let y = TRIGGERS + place as f64 * down;
            @if place % each_row == 0 {
                text.tick.end x=(px(NAMES - 8.0)) y=(px(y + down / 2.0)) dy="0.35em" { (load(row)) }
                text.note x=(px(width - REGION + 8.0)) y=(px(y + down / 2.0)) dy="0.35em" { (region(row)) }
            }
            @for (column, cell) in row.cells.iter().enumerate() {
                @let x = NAMES + column as f64 * across;
                rect.cell.(cell.verdict.name()) x=(px(x)) y=(px(y)) width=(px(across)) height=(px(down)) {
                    @if pointed { title { (load(row)) ", trigger of " (seconds(cell.trigger_s)) ": " (told(cell)) } }
                }
                @if written {
                    text.letter.(cell.verdict.name()) x=(px(x + across / 2.0)) y=(px(y + down / 2.0)) dy="0.35em" pointer-events="none" {
                        @if cell.verdict == Verdict::Stable { (letter(Verdict::Stable)) } @else { (mark(cell)) }
                    }
                }
            }
        }
        @if from > 0 && from < rows {
            @let y = TRIGGERS + (rows - from) as f64 * down;
            line.mark x1=(px(8.0)) x2=(px(width - 4.0)) y1=(px(y)) y2=(px(y)) {}
        }
        @if from < rows {
            text.note x="8" y=(px(height - 8.0)) {
                @if from > 0 { "Above the dotted line" } @else { "At every load" }
                " the pre-check says vulnerable"
            }
        }
    };
    Drawing { size, marks }
}

/// As in the text, but for a dot, which a full cell would not show.
const fn letter(verdict: Verdict) -> char {
    match verdict {
        Verdict::Stable => '✓',
        other => other.letter(),
    }
}

fn load(row: &MapRow) -> String {
    format!("{} · {:.0} %", rate(row.load_per_second), 100.0 * row.load)
}

fn told(cell: &Cell) -> String {
    let share = &cell.not_recovered;
    if share.of == 0 {
        cell.verdict.name().to_owned()
    } else {
        format!("{}, {} of {} not recovered", cell.verdict.name(), share.count, share.of)
    }
}

fn says(policy: &PolicyMap) -> String {
    let row = |row: &MapRow| format!("{}: {}", load(row), region(row));
    policy.rows.iter().rev().map(row).collect::<Vec<_>>().join("; ") + "."
}
