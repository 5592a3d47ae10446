//! The page of two results compared.

use brownout_lab::diff::{By, Change, Row as Line};

use crate::DiffReport;
use crate::diff::{change, words};
use crate::html::figure::{Figure, Panel, Table};
use crate::html::intervals::{Layout, Row, extent, panel};
use crate::html::page::{Mood, Page, Repeat, Said};
use crate::html::show::short;

impl DiffReport {
    /// As a page.
    #[must_use]
    pub fn page(&self, repeat: Repeat) -> Page {
        let [first, second] = self.files.each_ref().map(|files| files.join(", "));
        Page {
            title: format!("{second} against {first}"),
            said: self.said(),
            numbers: Vec::new(),
            facts: vec![
                ("A".to_owned(), first),
                ("B".to_owned(), second),
                ("may be worse by".to_owned(), percent(self.threshold)),
            ],
            repeat,
            figures: vec![self.figure()],
            tables: Vec::new(),
            text: self.text(),
        }
    }

    fn said(&self) -> Vec<Said> {
        let of = |verdict: Change| self.diff.rows.iter().filter(move |row| row.verdict == verdict);
        let named = |verdict: Change| {
            let names = of(verdict)
                .map(|row| format!("{} {}", row.what.name(), words(row.what, row.verdict, row.effect.as_ref())));
            names.collect::<Vec<_>>().join("; ")
        };
        let first = if self.is_worse() {
            Said::new(Mood::Bad, "B is worse than A", format!("Surely worse: {}.", named(Change::Worse)))
        } else if self.has_gaps() {
            let gaps: Vec<_> = of(Change::NotEnoughData).map(|row| row.what.name()).collect();
            Said::new(Mood::Untold, "Not everything can be told", format!("Not enough data for: {}.", gaps.join(", ")))
        } else {
            let within = of(Change::Worse).count();
            let sentence = match within {
                0 => "No row is surely worse.".to_owned(),
                _ => format!("What is worse is so by less than {}: {}.", percent(self.threshold), named(Change::Worse)),
            };
            Said::new(Mood::Good, "B is not worse than A", sentence)
        };
        let better = of(Change::Better).count() > 0;
        let better = better.then(|| {
            Said::new(Mood::Good, "Some of it is better", format!("Surely better: {}.", named(Change::Better)))
        });
        let notes = self.notes.iter().map(|note| Said::new(Mood::Untold, "Not alike", format!("Mind that {note}.")));
        std::iter::once(first).chain(better).chain(notes).collect()
    }

    fn figure(&self) -> Figure {
        let known = self.diff.rows.iter().filter_map(|row| row.effect).flat_map(|effect| [effect.low, effect.high]);
        let layout = Layout {
            what: "B against A; at 0 they do not differ",
            extent: extent(known.chain([0.0])),
            marks: &[0.0],
            name: percent,
        };
        let rows: Vec<_> = self.diff.rows.iter().map(row).collect();
        let says = self
            .diff
            .rows
            .iter()
            .map(|row| format!("{}: {}", row.what.name(), words(row.what, row.verdict, row.effect.as_ref())));
        let says = says.collect::<Vec<_>>().join("; ") + ".";
        let panel = || Panel { says, ..panel(&rows, &layout) };
        let nothing = self.diff.rows.iter().all(|row| row.effect.is_none());
        let rests = match self.diff.by {
            By::Intervals => "One run each: how sure the numbers are is told by how their intervals scatter.",
            By::Runs => "How sure the numbers are is told by how the runs of each side differ.",
            By::Pairs => "Runs with the same seed are compared pair by pair.",
        };
        Figure {
            id: "rows",
            title: "What differs, and how surely".to_owned(),
            caption: format!(
                "Each dot is how much B differs from A, its line the 95 % interval. What does not touch 0 is a difference: orange is worse, \
                 blue better, grey cannot be told from none. {rests}"
            ),
            drawn: if nothing {
                Err("Not enough data: no row can be told. Longer runs, or several a side, tell more.".to_owned())
            } else {
                Ok(vec![panel()])
            },
            table: Table::new(
                ["", "A", "B", "B against A", "95% low", "95% high", ""],
                self.diff.rows.iter().map(cells).collect(),
            ),
        }
    }
}

fn row(line: &Line) -> Row {
    let class = match line.verdict {
        Change::Worse => "failed",
        Change::Better => "ok",
        Change::Same | Change::NotEnoughData => "plain",
    };
    let known = line.effect.map(|effect| [effect.low, effect.change, effect.high]);
    Row { name: line.what.name().to_owned(), class, known, says: words(line.what, line.verdict, line.effect.as_ref()) }
}

fn cells(line: &Line) -> Vec<String> {
    let number = |number: Option<f64>| number.map_or_else(|| "–".to_owned(), |number| line.unit.show(number));
    let ends = line.effect.map_or([None; 3], |effect| [effect.change, effect.low, effect.high].map(Some));
    let ends = ends.map(|by| by.map_or_else(|| "–".to_owned(), |by| change(line.what, by)));
    let says = words(line.what, line.verdict, line.effect.as_ref());
    [line.what.name().to_owned(), number(line.first), number(line.second)]
        .into_iter()
        .chain(ends)
        .chain([says])
        .collect()
}

fn percent(share: f64) -> String {
    format!("{} %", short(100.0 * share))
}

#[cfg(test)]
mod tests {
    use super::row;
    use brownout_lab::diff::{Change, Effect, Row, What};

    #[test]
    fn what_is_worse_looks_so() {
        let effect = Some(Effect { change: 0.1, low: 0.05, high: 0.15 });
        let line = |verdict| Row {
            what: What::P99,
            unit: What::P99.unit(),
            first: Some(1.0),
            second: Some(1.1),
            effect,
            verdict,
        };
        let classes = [Change::Worse, Change::Better, Change::Same].map(|verdict| row(&line(verdict)).class);
        assert_eq!(classes, ["failed", "ok", "plain"]);
        assert_eq!(row(&line(Change::Worse)).known, Some([0.05, 0.1, 0.15]));
    }
}
