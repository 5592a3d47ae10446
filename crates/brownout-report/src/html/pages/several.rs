//! Several loads side by side.

use std::fmt::Write as _;

use super::{facts, lower};
use crate::html::figure::{Figure, Panel, Table};
use crate::html::page::{Mood, Page, Repeat, Said};
use crate::html::plot::Size;
use crate::html::show::{count, millis, percent, rate, seconds};
use crate::html::timeline::{self, Moments, drawing, end, too_short, top};
use crate::number::counted;
use crate::table::table;
use crate::{LoadReport, differences, written};

/// Results of loads with the names of their files, to be looked at together.
#[derive(Clone, Debug)]
pub struct Several<'r>(pub &'r [(String, LoadReport)]);

/// A number of a result: its name, and what it is of a result.
type Measure = (&'static str, fn(&LoadReport) -> String);

const NOTHING: &str = "–";

const MEASURES: [Measure; 12] = [
    ("scenario", |report| report.origin.scenario.clone()),
    ("seed", |report| report.origin.seed.to_string()),
    ("time", |report| report.origin.time.to_string()),
    ("calls", |report| count(report.result.calls.started)),
    ("succeeded", |report| shown(report.result.success_rate, percent)),
    ("attempts a call", |report| shown(report.result.amplification, |number| format!("{number:.2}"))),
    ("goodput", |report| shown(report.result.goodput_per_second, rate)),
    ("p50 of calls", |report| shown(report.result.latency_ms.response.p50, millis)),
    ("p90 of calls", |report| shown(report.result.latency_ms.response.p90, millis)),
    ("p99 of calls", |report| shown(report.result.latency_ms.response.p99, millis)),
    ("recovered after", |report| match report.result.recovery {
        Some(recovery) if recovery.recovered_after_s.is_none() && recovery.intervals_after >= 5 => "never".to_owned(),
        recovery => shown(recovery.and_then(|recovery| recovery.recovered_after_s), seconds),
    }),
    ("expected", |report| report.verdict.as_ref().map_or(NOTHING, |verdict| verdict.outcome().name()).to_owned()),
];

fn shown(number: Option<f64>, show: impl Fn(f64) -> String) -> String {
    number.map_or_else(|| NOTHING.to_owned(), show)
}

impl Several<'_> {
    /// For people: a column a result.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| {
            for note in self.notes() {
                writeln!(text, "Note: {note}")?;
            }
            let Table { head, rows, .. } = self.table();
            let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
            write!(text, "{}", table(&rows))
        })
    }

    /// As a page.
    #[must_use]
    pub fn page(&self, repeat: Repeat) -> Page {
        let reports = self.0;
        let first = reports.first().map(|(_, report)| facts(&report.origin)).unwrap_or_default();
        // Of where they come from, what they have in common.
        let common = |(place, _): &(usize, &(String, String))| {
            reports.iter().all(|(_, report)| facts(&report.origin)[*place] == first[*place])
        };
        let mut said: Vec<_> = reports
            .iter()
            .filter_map(|(name, report)| {
                let said = report.said().into_iter().next()?;
                Some(Said { word: format!("{name}: {}", lower(&said.word)), ..said })
            })
            .collect();
        said.extend(
            self.notes().into_iter().map(|note| Said::new(Mood::Untold, "Not alike", format!("Mind that {note}."))),
        );
        Page {
            title: format!("{} of loads", counted(reports.len() as u64, "result", "results")),
            said,
            numbers: Vec::new(),
            facts: first.iter().enumerate().filter(common).map(|(_, fact)| fact.clone()).collect(),
            repeat,
            figures: vec![self.figure()],
            tables: vec![("Side by side".to_owned(), self.table())],
            text: self.text(),
        }
    }

    /// What the results differ in that was not measured.
    fn notes(&self) -> Vec<String> {
        let reports: Vec<_> = self.0.iter().map(|(_, report)| report.clone()).collect();
        differences(&reports, &[])
    }

    fn table(&self) -> Table {
        let head = [String::new()].into_iter().chain(self.0.iter().map(|(name, _)| name.clone())).collect();
        let row = |(name, measure): &Measure| {
            [(*name).to_owned()].into_iter().chain(self.0.iter().map(|(_, report)| measure(report))).collect()
        };
        Table { head, rows: MEASURES.iter().map(row).collect(), places: Vec::new() }
    }

    /// Each over time, all on one scale.
    fn figure(&self) -> Figure {
        let all = || self.0.iter().map(|(_, report)| &report.result.per_interval);
        let extent = (all().map(end).fold(0.0, f64::max), all().map(top).fold(0.0, f64::max));
        let panel = |(name, report): &(String, LoadReport)| {
            let result = &report.result;
            let said = report.said();
            Panel {
                name: name.clone(),
                says: said.first().map(|said| format!("{}. {}", said.word, said.sentence)).unwrap_or_default(),
                wide: None,
                narrow: drawing(Size::NARROW, &result.per_interval, &Moments::of(result), extent),
                pointed: Vec::new(),
            }
        };
        let nothing = all()
            .all(|series| too_short(series).is_some())
            .then(|| "Not enough data: no run is long enough.".to_owned());
        Figure {
            id: "timelines",
            title: "What was asked for, and what came of it".to_owned(),
            caption: "Calls begun, attempts made for them, and calls that succeeded, each a second. All pictures have the same scales."
                .to_owned(),
            drawn: nothing.map_or_else(|| Ok(self.0.iter().map(panel).collect()), Err),
            table: timeline::totals(self.0.iter().map(|(name, report)| (name.as_str(), &report.result))),
        }
    }
}
