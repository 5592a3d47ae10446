//! What else is known of each interval: what attempts met, the queue and the workers, budgets and breakers.

use brownout_load::{CapacitySeries, GuardSeries, LoadResult};
use maud::html;

use super::figure::{Drawing, Figure, Panel, Table};
use super::plot::{Line, Plot, Size};
use super::scale::Scale;
use super::show::{seconds, short, whole_percent};
use super::timeline::{Moments, end, float, middles, too_short};

/// So many kinds of failures have a line of their own; the rarer ones share one.
const KINDS_MAX: usize = 4;

const KINDS: [&str; KINDS_MAX + 1] = ["kind-1", "kind-2", "kind-3", "kind-4", "kind-5"];

/// A picture of some levels on one scale.
struct Level<'l> {
    name: &'l str,
    /// What the axis on the left counts.
    axis: &'l str,
    show: fn(f64) -> String,
    /// The end of the scale; the highest value where there is none.
    top: Option<f64>,
    lines: Vec<(&'l str, &'l str, Vec<f64>)>,
}

/// What attempts met, by when they began. `None` where none failed.
pub(super) fn met(result: &LoadResult) -> Option<Figure> {
    let series = &result.per_interval;
    let each = float(series.interval_s.max(1));
    let mut kinds: Vec<_> =
        series.failures.iter().map(|(kind, counts)| (counts.iter().sum::<u64>(), kind, counts)).collect();
    // The most frequent first; of equals the first by name.
    kinds.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
    let names: Vec<_> = kinds.iter().map(|(_, kind, _)| kind.replace('_', " ")).collect();
    let per_second = |counts: Vec<u64>| counts.into_iter().map(|count| float(count) / each).collect::<Vec<_>>();
    let sum = |kinds: &[(u64, &String, &Vec<u64>)]| -> Vec<u64> {
        let at = |place: usize| kinds.iter().filter_map(|(_, _, counts)| counts.get(place)).sum();
        (0..series.attempts.len()).map(at).collect()
    };
    let failed = sum(&kinds);
    let well = series.attempts.iter().zip(&failed).map(|(attempts, failed)| attempts.saturating_sub(*failed)).collect();
    let mut lines = vec![("success", "succeeded", per_second(well))];
    let shown = if kinds.len() > KINDS.len() { KINDS_MAX } else { kinds.len() };
    for (place, kind) in kinds[..shown].iter().enumerate() {
        lines.push((names[place].as_str(), KINDS[place], per_second(sum(std::slice::from_ref(kind)))));
    }
    if shown < kinds.len() {
        lines.push(("others", KINDS[shown], per_second(sum(&kinds[shown..]))));
    }
    let most = kinds.first()?;
    let caption = format!(
        "Attempts begun in each interval of {}, by status or by what broke. {} failed, most by {}: {}.",
        seconds(each),
        short(float(failed.iter().sum())),
        names[0],
        short(float(most.0))
    );
    let level = Level { name: "", axis: "per second", show: short, top: None, lines };
    Some(figure(result, ("met", "What attempts met, over time"), caption, each, &[level]))
}

/// The queue and the workers of a service. `None` where they were not kept.
pub(super) fn capacity(result: &LoadResult) -> Option<Figure> {
    let CapacitySeries { interval_s, waiting, busy, workers } = result.capacity.as_ref()?.per_interval.clone()?;
    let each = float(interval_s);
    let levels = [
        Level {
            name: "Requests that wait",
            axis: "requests",
            show: short,
            top: None,
            lines: vec![("waiting", "attempts", waiting)],
        },
        Level {
            name: "Workers",
            axis: "workers",
            show: short,
            top: None,
            lines: vec![("busy", "succeeded", busy), ("there are", "calls", workers)],
        },
    ];
    let caption = format!(
        "Means of intervals of {}. A queue that stays after its cause is gone is work that callers no longer wait for.",
        seconds(each)
    );
    Some(figure(result, ("capacity", "The queue and the workers"), caption, each, &levels))
}

/// What budgets and breakers left open. `None` where there are none, or they were not kept.
pub(super) fn guards(result: &LoadResult) -> Option<Figure> {
    let GuardSeries { interval_s, budget_left, breakers_open } = result.guards.clone()?;
    let each = float(interval_s);
    let budget = Level {
        name: "Retries that a budget has left",
        axis: "retries at once",
        show: short,
        top: None,
        lines: vec![("left", "succeeded", budget_left)],
    };
    let breaker = Level {
        name: "Breakers that are open",
        axis: "of all breakers",
        show: whole_percent,
        top: Some(1.0),
        lines: vec![("open", "attempts", breakers_open)],
    };
    let levels: Vec<_> = [budget, breaker].into_iter().filter(|level| !level.lines[0].2.is_empty()).collect();
    let caption = format!(
        "How things stood at the end of each interval of {}, the mean over those who have one. An empty budget lets no call try again; an \
         open breaker lets no attempt be made.",
        seconds(each)
    );
    Some(figure(result, ("guards", "What callers have left"), caption, each, &levels))
}

/// - `each`: the length of an interval.
fn figure(
    result: &LoadResult,
    (id, title): (&'static str, &str),
    caption: String,
    each: f64,
    levels: &[Level<'_>],
) -> Figure {
    let mut column = 1;
    let panels = levels.iter().map(|level| {
        let pointed = (column..column + level.lines.len()).collect();
        column += level.lines.len();
        Panel {
            name: level.name.to_owned(),
            says: says(level),
            wide: (levels.len() == 1).then(|| drawing(Size::WIDE, result, each, level)),
            narrow: drawing(Size::NARROW, result, each, level),
            pointed,
        }
    });
    let panels: Vec<_> = panels.collect();
    Figure {
        id,
        title: title.to_owned(),
        caption,
        drawn: too_short(&result.per_interval).map_or_else(|| Ok(panels), Err),
        table: table(each, levels),
    }
}

fn drawing<'l>(size: Size, result: &LoadResult, each: f64, level: &Level<'l>) -> Drawing {
    let values = level.lines.iter().flat_map(|(_, _, values)| values);
    let top = level.top.unwrap_or_else(|| values.copied().fold(0.0, f64::max)).max(f64::MIN_POSITIVE);
    let end = end(&result.per_interval);
    let plot =
        Plot { size, x: Scale::linear((0.0, end), size.across()), y: Scale::linear((0.0, 1.06 * top), size.up()) };
    let line = |&(name, class, ref values): &(&'l str, &'l str, Vec<f64>)| {
        let starts = values.iter().enumerate().map(|(place, value)| (place as f64 * each, Some(*value)));
        let last = values.last().map(|value| ((values.len() as f64 * each).min(end), Some(*value)));
        Line { name, class, points: starts.filter(|(from, _)| *from < end).chain(last).collect() }
    };
    let lines: Vec<_> = level.lines.iter().map(line).collect();
    let moments = Moments::of(result);
    let marks = html! {
        (plot.bands(&moments.bands))
        (plot.axis_left(level.axis, &plot.y.ticks(5), level.show))
        (plot.axis_of_time(end))
        (plot.steps(&lines))
        (plot.marks(&moments.marks))
    };
    Drawing { size, marks }
}

fn says(level: &Level<'_>) -> String {
    let most = level.lines.iter().map(|(name, _, values)| {
        let most = values.iter().copied().fold(0.0, f64::max);
        format!("{name} at most {}", (level.show)(most))
    });
    let most = most.collect::<Vec<_>>().join(", ");
    if level.name.is_empty() { format!("{most}, {}.", level.axis) } else { format!("{}: {most}.", level.name) }
}

fn table(each: f64, levels: &[Level<'_>]) -> Table {
    let lines = || levels.iter().flat_map(|level| level.lines.iter().map(move |line| (level, line)));
    let head = ["from".to_owned()].into_iter().chain(lines().map(|(_, (name, ..))| (*name).to_owned()));
    let length = lines().map(|(_, (_, _, values))| values.len()).max().unwrap_or_default();
    let row = |place: usize| {
        let cells = lines().map(|(level, (_, _, values))| {
            values.get(place).map_or_else(|| "–".to_owned(), |value| (level.show)(*value))
        });
        [format!("{} s", place as f64 * each)].into_iter().chain(cells).collect()
    };
    Table { head: head.collect(), rows: (0..length).map(row).collect(), places: middles(length) }
}
