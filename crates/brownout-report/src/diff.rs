//! Two results side by side, with what differs and how surely.

use std::fmt::Write as _;

use brownout_lab::diff::{By, Change, Diff, Effect, Row, What};
use serde::Serialize;

use crate::number::counted;
use crate::table::table;
use crate::{LoadReport, MadeOf, written};

/// A comparison of results as `diff` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DiffReport {
    /// What differs.
    #[serde(flatten)]
    pub diff: Diff,
    /// The files of both sides.
    pub files: [Vec<String>; 2],
    /// What they differ in that was not measured.
    pub notes: Vec<String>,
    /// A row that is surely worse by more than this share is a miss.
    pub threshold: f64,
}

const NOTHING: &str = "–";

impl DiffReport {
    /// For people: a line a row.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| self.write(text))
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Diff { by, runs: [first, second], rows } = &self.diff;
        let [one, other] = &self.files;
        writeln!(text, "A: {}\nB: {}", one.join(", "), other.join(", "))?;
        for note in &self.notes {
            writeln!(text, "Note: {note}")?;
        }
        let head = ["", "A", "B", "B against A", "95% interval", ""].map(str::to_owned).to_vec();
        let lines = std::iter::once(head).chain(rows.iter().map(line)).collect::<Vec<_>>();
        writeln!(text, "\n{}", table(&lines))?;
        let runs = |n: usize| counted(n as u64, "run", "runs");
        match by {
            By::Intervals => {
                writeln!(
                    text,
                    "One run each: how sure the numbers are is told by how their intervals scatter. Several runs a side tell more."
                )
            }
            By::Runs => writeln!(text, "{} against {}; the numbers are means over them.", runs(*first), runs(*second)),
            By::Pairs => writeln!(text, "{} a side, compared pair by pair: they share their seeds.", runs(*first)),
        }
    }

    /// Whether a row is surely worse, by more than the threshold.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.diff.rows.iter().any(|row| row.is_worse_by(self.threshold))
    }

    /// Whether there is a row that the runs cannot tell of.
    #[must_use]
    pub fn has_gaps(&self) -> bool {
        self.diff.rows.iter().any(|row| row.verdict == Change::NotEnoughData)
    }
}

fn line(row: &Row) -> Vec<String> {
    let Row { what, unit, first, second, effect, verdict } = row;
    let shown = |number: &Option<f64>| number.map_or_else(|| NOTHING.to_owned(), |number| unit.show(number));
    let change = |by: f64| change(*what, by);
    let (by, interval) = match effect {
        None => (NOTHING.to_owned(), NOTHING.to_owned()),
        Some(Effect { change: by, low, high }) => (change(*by), format!("{} … {}", change(*low), change(*high))),
    };
    vec![what.name().to_owned(), shown(first), shown(second), by, interval, words(*what, *verdict, effect.as_ref())]
}

/// A difference with its unit.
pub(crate) fn change(what: What, by: f64) -> String {
    format!("{:+.1}{}", 100.0 * by, if what == What::SuccessRate { " points" } else { "%" })
}

/// What became of a row, in words.
pub(crate) fn words(what: What, verdict: Change, effect: Option<&Effect>) -> String {
    let Some(Effect { change, low, high }) = effect else { return "not enough data".to_owned() };
    let more = *change > 0.0;
    let word = match (what, more) {
        _ if verdict == Change::Same => return "no difference told".to_owned(),
        (What::P50 | What::P90 | What::P99, true) => "slower",
        (What::P50 | What::P90 | What::P99, false) => "faster",
        (_, true) => "more",
        (_, false) => "less",
    };
    let ends = [low, high].map(|end| 100.0 * end.abs());
    let (least, most) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    let unit = if what == What::SuccessRate { " points" } else { "%" };
    format!("{word} by {least:.1}–{most:.1}{unit}")
}

/// What two sides differ in that would explain a difference, or forbid to look for one.
#[must_use]
pub fn differences(first: &[LoadReport], second: &[LoadReport]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut all = first.iter().chain(second);
    let Some(one) = all.next() else { return notes };
    let differ = |part: &dyn Fn(&LoadReport) -> String| all.clone().any(|other| part(other) != part(one));
    let made_of = |report: &LoadReport| {
        let MadeOf { service, load, policy, callee } = report.made_of.clone();
        [("service", service), ("load", load), ("policy", policy), ("callee", callee)]
    };
    let other = |place: usize| differ(&|report| made_of(report)[place].1.clone());
    let parts: Vec<&str> =
        made_of(one).iter().enumerate().filter(|(place, _)| other(*place)).map(|(_, (name, _))| *name).collect();
    if !parts.is_empty() {
        let warning =
            if parts.contains(&"load") { "; with another load, more than the service is compared" } else { "" };
        notes.push(format!("the runs differ in: {}{warning}", parts.join(", ")));
    }
    if differ(&|report| report.origin.time.to_string()) {
        notes.push("some runs are in virtual time and some over sockets".to_owned());
    }
    if differ(&|report| report.origin.version.to_string()) {
        notes.push("the runs are of different versions of brownout".to_owned());
    }
    let cut = first.iter().chain(second).filter(|report| report.result.cut_short.is_some()).count();
    if cut > 0 {
        notes.push(format!("{} cut short", counted(cut as u64, "run was", "runs were")));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::{DiffReport, differences};
    use crate::load::tests::report;
    use brownout_lab::diff::{By, Change, Diff, Effect, Row, What};
    use brownout_load::Unit;

    fn row(what: What, change: f64, half: f64, verdict: Change) -> Row {
        let effect = Some(Effect { change, low: change - half, high: change + half });
        Row { what, unit: what.unit(), first: Some(1.0), second: Some(1.1), effect, verdict }
    }

    #[test]
    fn each_row_is_a_line_with_words() {
        let rows = vec![
            row(What::P50, 0.1, 0.02, Change::Worse),
            row(What::P90, -0.1, 0.02, Change::Better),
            row(What::Goodput, -0.01, 0.02, Change::Same),
            row(What::SuccessRate, -0.05, 0.02, Change::Worse),
            Row {
                what: What::P99,
                unit: Unit::Ms,
                first: None,
                second: None,
                effect: None,
                verdict: Change::NotEnoughData,
            },
        ];
        let diff = Diff { by: By::Intervals, runs: [1, 1], rows };
        let report =
            DiffReport { diff, files: [vec!["a".to_owned()], vec!["b".to_owned()]], notes: vec![], threshold: 0.05 };
        let text = report.text();
        for line in [
            "p50              1ms  1.1ms         +10.0%            +8.0% … +12.0%    slower by 8.0–12.0%",
            "faster by 8.0–12.0%",
            "no difference told",
            "less by 3.0–7.0 points",
            "not enough data",
        ] {
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words(&text).contains(&words(line)), "{line} in {text}");
        }
        assert!(report.is_worse() && report.has_gaps());
        assert!(!DiffReport { threshold: 0.1, ..report }.is_worse());
    }

    #[test]
    fn what_the_runs_are_made_of_is_compared() {
        let mut other = report();
        assert!(differences(&[report()], &[other.clone()]).is_empty());
        (other.made_of.service, other.origin.time) = ("s2".to_owned(), "real".into());
        let notes = differences(&[report()], &[other.clone()]);
        assert_eq!(notes, ["the runs differ in: service", "some runs are in virtual time and some over sockets"]);
        other.made_of.load = "l2".to_owned();
        assert!(
            differences(&[report()], &[other])[0]
                .ends_with("service, load; with another load, more than the service is compared")
        );
    }
}
