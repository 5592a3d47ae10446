//! A comparison as a picture made of letters, for a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use brownout_lab::compare::Course;

use crate::compare::{outcome, says};
use crate::html::show::{seconds, short};
use crate::{CompareReport, written};

/// The most columns of a picture; with its axis it is narrower than any terminal.
const COLUMNS: usize = 68;

/// The lines of a picture.
const ROWS: u32 = 5;

/// A letter filled from below, by eighths.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

const BEYOND: char = '░';
const TRIGGER: char = '▀';

/// What stands left of a picture.
const MARGIN: usize = 7;

/// How the pictures of one comparison are drawn, so that all are on one scale.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// The most of anything in a second.
    top: f64,
    /// How many seconds a column is of.
    column_s: f64,
    /// When the trigger begins and ends, in columns.
    trigger: Option<(f64, f64)>,
    coloured: bool,
}

impl CompareReport {
    /// Each policy over time: calls that succeed, and the attempts beyond them. Empty where no run is long enough.
    ///
    /// - `coloured`: whether the terminal is to colour it.
    #[must_use]
    pub fn sketch(&self, coloured: bool) -> String {
        written(|text| self.draw(text, coloured))
    }

    fn draw(&self, text: &mut String, coloured: bool) -> std::fmt::Result {
        let policies = &self.compared.policies;
        let known: Vec<_> = policies.iter().filter_map(|arm| Some((arm, arm.per_interval.as_ref()?))).collect();
        let end = known.iter().map(|(_, course)| course.end_s()).fold(0.0, f64::max);
        let Some(interval_s) = known.iter().map(|(_, course)| course.interval_s).max().filter(|_| end > 0.0) else {
            return Ok(());
        };
        let column_s = column(interval_s, end);
        let columns: Vec<_> = known.iter().map(|(_, course)| columns(course, column_s, end)).collect();
        let top = columns.iter().flatten().map(|(attempts, succeeded)| attempts.max(*succeeded)).fold(0.0, f64::max);
        let trigger = self.compared.trigger_s.map(|(from, until)| (from / column_s, until.min(end) / column_s));
        let frame = Frame { top, column_s, trigger, coloured };
        for ((arm, _), columns) in known.iter().zip(&columns) {
            let outcome = outcome(arm, self.compared.trigger_s.is_some());
            writeln!(text, "{}: {outcome}; {}", arm.name, says(arm))?;
            frame.draw(text, columns)?;
        }
        let width = columns.iter().map(Vec::len).max().unwrap_or_default();
        frame.legend(text, width, end, self.compared.trigger_s)
    }
}

impl Frame {
    fn draw(&self, text: &mut String, columns: &[(f64, f64)]) -> std::fmt::Result {
        for row in (0..ROWS).rev() {
            let label = if row + 1 == ROWS { format!("{}/s", short(self.top)) } else { String::new() };
            write!(text, "{label:>MARGIN$} │")?;
            let letters: Vec<_> = columns.iter().map(|column| self.letter(*column, row)).collect();
            let length = letters.iter().rposition(|(letter, _)| *letter != ' ').map_or(0, |last| last + 1);
            let mut worn = Style::new();
            for &(letter, style) in &letters[..length] {
                if style != worn {
                    write!(text, "{worn:#}{style}")?;
                    worn = style;
                }
                text.push(letter);
            }
            writeln!(text, "{worn:#}")?;
        }
        write!(text, "{:>MARGIN$} └", 0)?;
        for place in 0..columns.len() {
            text.push(if self.is_trigger(place) { TRIGGER } else { '─' });
        }
        writeln!(text)
    }

    /// What stands in a line of a column, the lowest line being 0.
    fn letter(&self, (attempts, succeeded): (f64, f64), row: u32) -> (char, Style) {
        let filled = |height: f64| (height / self.top * f64::from(ROWS) - f64::from(row)).clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 8")]
        let eighths = (8.0 * filled(succeeded)).round() as usize;
        let style = |colour: AnsiColor| if self.coloured { colour.on_default() } else { Style::new() };
        if eighths > 0 {
            (EIGHTHS[eighths], style(AnsiColor::Green))
        } else if filled(attempts) >= 0.5 {
            (BEYOND, style(AnsiColor::Red))
        } else {
            (' ', Style::new())
        }
    }

    fn is_trigger(&self, place: usize) -> bool {
        let middle = place as f64 + 0.5;
        self.trigger.is_some_and(|(from, until)| from <= middle && middle < until.max(from + 1.0))
    }

    fn legend(&self, text: &mut String, width: usize, end: f64, trigger: Option<(f64, f64)>) -> std::fmt::Result {
        let (from, until) = ("0 s", seconds(end));
        let room = width.saturating_sub(from.len());
        writeln!(text, "{:MARGIN$}  {from}{until:>room$}", "")?;
        write!(text, "{} succeeded   {BEYOND} attempts beyond them", EIGHTHS[8])?;
        if let Some((from, until)) = trigger {
            write!(text, "   {TRIGGER} trigger, {} to {}", seconds(from), seconds(until))?;
        }
        writeln!(text, "   column: {}", seconds(self.column_s))
    }
}

/// How many seconds a column is of: whole intervals where they are many, a whole part of one where they are few.
fn column(interval_s: u64, end: f64) -> f64 {
    let interval = interval_s as f64;
    let most = COLUMNS as f64;
    let columns = end / interval;
    if columns > most { interval * (columns / most).ceil() } else { interval / (most / columns).floor() }
}

/// Attempts and successes a second of each column, up to `end`.
fn columns(course: &Course, column_s: f64, end: f64) -> Vec<(f64, f64)> {
    let interval = course.interval_s as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "indices")]
    let index = |number: f64| number as usize;
    let mean = |column: &[f64], from: f64| {
        // The intervals that begin in the column, or the one that it is a part of.
        let first = index(from / interval + 1e-9);
        let last = index(((from + column_s) / interval - 1e-9).ceil()).max(first + 1);
        let counts = column.iter().skip(first).take(last - first);
        counts.sum::<f64>() / ((last - first) as f64 * interval)
    };
    let count = index((end / column_s - 1e-9).ceil());
    (0..count)
        .map(|place| {
            let from = place as f64 * column_s;
            (mean(&course.attempts, from), mean(&course.succeeded, from))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, Frame, column, columns};
    use brownout_lab::compare::Course;

    fn course(attempts: &[f64], succeeded: &[f64]) -> Course {
        Course {
            runs: 1,
            interval_s: 1,
            calls: attempts.to_vec(),
            attempts: attempts.to_vec(),
            succeeded: succeeded.to_vec(),
            succeeded_min: Vec::new(),
            succeeded_max: Vec::new(),
        }
    }

    #[test]
    fn a_column_is_of_whole_intervals_or_a_whole_part_of_one() {
        assert!((column(1, 600.0) - 9.0).abs() < 1e-9, "600 s in 68 columns are 8.8 s each");
        assert!((column(1, 10.0) - 1.0 / 6.0).abs() < 1e-9, "10 s are six columns a second");
        for end in [1.0, 67.0, 68.0, 69.0, 3600.0] {
            let wide = end / column(1, end);
            assert!(wide <= COLUMNS as f64 + 1e-6 && wide > COLUMNS as f64 / 2.1, "{end} s take {wide} columns");
        }
    }

    #[test]
    fn a_column_is_the_mean_of_its_intervals() {
        let course = course(&[2.0, 4.0, 6.0, 8.0], &[0.0, 2.0, 2.0, 4.0]);
        assert_eq!(columns(&course, 2.0, 4.0), [(3.0, 1.0), (7.0, 3.0)]);
        assert_eq!(columns(&course, 0.5, 2.0), [(2.0, 0.0), (2.0, 0.0), (4.0, 2.0), (4.0, 2.0)]);
    }

    #[test]
    fn what_succeeded_stands_below_what_was_beyond_it() {
        let frame = Frame { top: 500.0, column_s: 1.0, trigger: Some((1.0, 2.0)), coloured: false };
        let mut text = String::new();
        frame.draw(&mut text, &[(500.0, 100.0), (250.0, 0.0), (100.0, 100.0)]).unwrap();
        let expected = "  500/s │░\n        │░\n        │░░\n        │░░\n        │█░█\n      0 └─▀─\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn colours_end_with_their_line() {
        let frame = Frame { top: 1.0, column_s: 1.0, trigger: None, coloured: true };
        let mut text = String::new();
        frame.draw(&mut text, &[(1.0, 1.0), (1.0, 0.0)]).unwrap();
        let first = text.lines().next().unwrap();
        assert_eq!(first.matches("\u{1b}[32m").count(), 1);
        assert!(first.ends_with("\u{1b}[0m"), "{first:?}");
        assert!(!text.lines().last().unwrap().contains('\u{1b}'));
    }
}
