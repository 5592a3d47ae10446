//! Calls, attempts and goodput over time.

use brownout_load::{LoadResult, SeriesResult};
use maud::html;

use super::figure::{Drawing, Figure, Panel, Table};
use super::plot::{Band, Line, Mark, Plot, Size};
use super::scale::Scale;
use super::show::{count, rate, seconds, short};
use crate::number::counted;

/// What is said of moments of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    pub(super) bands: Vec<Band>,
    pub(super) marks: Vec<Mark>,
}

/// Fewer intervals than these are no course of events.
const INTERVALS_MIN: usize = 3;

/// Why a run is too short to be drawn over time; `None` where it is not.
pub(super) fn too_short(series: &SeriesResult) -> Option<String> {
    let (found, each) = (series.calls.len(), seconds(float(series.interval_s)));
    let found_words = counted(found as u64, "interval", "intervals");
    (found < INTERVALS_MIN).then(|| {
        format!(
            "Not enough data: the run has {found_words} of {each}, and a course over time takes {INTERVALS_MIN}. A longer run has it."
        )
    })
}

impl Moments {
    /// The phases of a run, the end of its trigger, and when callers had come back.
    pub(super) fn of(result: &LoadResult) -> Self {
        let end = end(&result.per_interval);
        let band = |phase: &brownout_load::PhaseResult| Band {
            name: phase.name.clone(),
            from: phase.from_s.min(end),
            until: phase.until_s.unwrap_or(end).min(end),
        };
        let bands = result.phases.iter().filter(|phase| phase.from_s < end).map(band).collect();
        let mut marks = Vec::new();
        if let Some(recovery) = result.recovery.filter(|recovery| recovery.trigger_until_s < end) {
            marks.push(Mark { name: "the trigger ends".to_owned(), at: recovery.trigger_until_s });
            if let Some(after) = recovery.recovered_after_s {
                marks.push(Mark { name: "recovered".to_owned(), at: recovery.trigger_until_s + after });
            }
        }
        Self { bands, marks }
    }
}

/// The picture of one run.
pub(super) fn figure(result: &LoadResult) -> Figure {
    let series = &result.per_interval;
    let panel = || {
        let moments = Moments::of(result);
        let top = top(series);
        Panel {
            name: String::new(),
            says: says(result),
            wide: Some(drawing(Size::WIDE, series, &moments, (end(series), top))),
            narrow: drawing(Size::NARROW, series, &moments, (end(series), top)),
            pointed: vec![1, 2, 3],
        }
    };
    Figure {
        id: "timeline",
        title: "What was asked for, and what came of it".to_owned(),
        caption: format!(
            "Calls begun, attempts made for them, and calls that succeeded, each a second, over intervals of {}. Where attempts rise \
             above calls, callers retry.{}",
            seconds(float(series.interval_s)),
            if result.phases.is_empty() { "" } else { " Phases of the scenario are shaded." }
        ),
        drawn: too_short(series).map_or_else(|| Ok(vec![panel()]), Err),
        table: table(series),
    }
}

/// - `extent`: of the axes, seconds and a second, so that several pictures can have the same.
pub(super) fn drawing(size: Size, series: &SeriesResult, moments: &Moments, (end, top): (f64, f64)) -> Drawing {
    let plot =
        Plot { size, x: Scale::linear((0.0, end), size.across()), y: Scale::linear((0.0, 1.06 * top), size.up()) };
    let line = |name, class, column: &[u64]| Line { name, class, points: points(series, column) };
    let lines = [
        line("succeeded", "succeeded", &series.succeeded),
        line("attempts", "attempts", &series.attempts),
        line("calls", "calls", &series.calls),
    ];
    let marks = html! {
        (plot.bands(&moments.bands))
        (plot.axis_left("per second", &plot.y.ticks(5), short))
        (plot.axis_of_time(end))
        (plot.steps(&lines))
        (plot.marks(&moments.marks))
    };
    Drawing { size, marks }
}

/// Where the last interval ends.
pub(super) fn end(series: &SeriesResult) -> f64 {
    float(series.interval_s) * series.calls.len() as f64
}

/// The most of anything in a second.
pub(super) fn top(series: &SeriesResult) -> f64 {
    let columns = series.calls.iter().chain(&series.attempts).chain(&series.succeeded);
    float(columns.copied().max().unwrap_or_default()) / float(series.interval_s.max(1))
}

/// A value for each interval at its beginning, and the last one at its end too.
fn points(series: &SeriesResult, column: &[u64]) -> Vec<(f64, Option<f64>)> {
    let each = float(series.interval_s.max(1));
    let value = |count: &u64| Some(float(*count) / each);
    let mut points: Vec<_> =
        column.iter().enumerate().map(|(place, count)| (place as f64 * each, value(count))).collect();
    if let Some(last) = column.last() {
        points.push((column.len() as f64 * each, value(last)));
    }
    points
}

fn table(series: &SeriesResult) -> Table {
    let each = float(series.interval_s.max(1));
    let columns = series.calls.iter().zip(&series.attempts).zip(&series.succeeded);
    let row = |(place, ((calls, attempts), succeeded)): (usize, ((&u64, &u64), &u64))| {
        let from = place as f64 * each;
        vec![format!("{} s", from), count(*calls), count(*attempts), count(*succeeded)]
    };
    let rows: Vec<_> = columns.enumerate().map(row).collect();
    Table { places: middles(rows.len()), ..Table::new(["from", "calls", "attempts", "succeeded"], rows) }
}

/// Where the middles of so many intervals lie on an axis that they fill.
pub(super) fn middles(intervals: usize) -> Vec<f64> {
    (0..intervals).map(|place| (place as f64 + 0.5) / intervals as f64).collect()
}

fn says(result: &LoadResult) -> String {
    let series = &result.per_interval;
    let most = |column: &[u64]| {
        rate(float(column.iter().copied().max().unwrap_or_default()) / float(series.interval_s.max(1)))
    };
    let mut says = format!(
        "Over {}: at most {} calls, {} attempts and {} successes.",
        seconds(end(series)),
        most(&series.calls),
        most(&series.attempts),
        most(&series.succeeded)
    );
    if let Some(recovery) = &result.recovery {
        let goodput = |goodput: Option<f64>| goodput.map_or_else(|| "unknown".to_owned(), rate);
        says += &format!(
            " Goodput is {} before the trigger, {} during it and {} after it.",
            goodput(recovery.goodput_before),
            goodput(recovery.goodput_during),
            goodput(recovery.goodput_after)
        );
    }
    says
}

#[expect(clippy::cast_precision_loss, reason = "counts for drawing")]
pub(super) fn float(number: u64) -> f64 {
    number as f64
}

/// Sums over whole runs, one a row.
pub(super) fn totals<'r>(runs: impl Iterator<Item = (&'r str, &'r LoadResult)>) -> Table {
    let row = |(name, result): (&str, &LoadResult)| {
        let sum = |column: &[u64]| count(column.iter().sum());
        let series = &result.per_interval;
        vec![name.to_owned(), sum(&series.calls), sum(&series.attempts), sum(&series.succeeded)]
    };
    Table::new(["", "calls", "attempts", "succeeded"], runs.map(row).collect())
}
