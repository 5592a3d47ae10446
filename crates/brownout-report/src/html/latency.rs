//! Latencies: over time, and all of them by how rare they are.

use brownout_load::{Latency, LatencyHistogram, LoadResult};
use maud::html;

use super::figure::{Drawing, Figure, Panel, Table};
use super::plot::{Line, Plot, Size};
use super::scale::Scale;
use super::show::{count, millis, seconds};
use super::timeline::{Moments, end, float, middles, too_short};
use crate::csv::percentile;

/// Percentiles with their names, and of how few values they are luck.
const PERCENTILES: [(&str, f64, u64); 3] = [("p50", 0.5, 2), ("p90", 0.9, 10), ("p99", 0.99, 100)];
/// Points of a line by rarity.
const POINTS: u32 = 160;
/// A scale of ratios reaches so far down from its end; what is faster lies at the edge.
const REACH: f64 = 2000.0;

/// Percentiles of calls by the interval they were begun in. `None` where nobody asked for them before the run.
pub(super) fn over_time(result: &LoadResult) -> Option<Figure> {
    let series = &result.per_interval;
    let latencies = series.latencies()?;
    let column = |share: f64, least: u64| -> Vec<Option<f64>> {
        latencies.iter().map(|values| percentile(values, share, least).map(|ns| float(ns) / 1e6)).collect()
    };
    let columns = PERCENTILES.map(|(name, share, least)| (name, column(share, least)));
    let each = float(series.interval_s);
    let drawing = |size: Size| {
        let y = scale_of(columns.iter().flat_map(|(_, column)| column.iter().flatten().copied()), size);
        let plot = Plot { size, x: Scale::linear((0.0, end(series)), size.across()), y };
        let points = |column: &[Option<f64>]| {
            column.iter().enumerate().map(|(place, ms)| ((place as f64 + 0.5) * each, *ms)).collect()
        };
        let lines = columns.each_ref().map(|(name, column)| Line { name, class: name, points: points(column) });
        let moments = Moments::of(result);
        let marks = html! {
            (plot.bands(&moments.bands))
            (plot.axis_left("latency of calls", &plot.y.ticks(6), millis))
            (plot.axis_of_time(end(series)))
            (plot.lines(&lines))
            (plot.marks(&moments.marks))
        };
        Drawing { size, marks }
    };
    let shown = |ms: &Option<f64>| ms.map_or_else(|| "–".to_owned(), millis);
    let rows = (0..series.calls.len()).map(|place| {
        let cells = columns.iter().map(|(_, column)| shown(&column[place]));
        [format!("{} s", place as f64 * each)].into_iter().chain(cells).collect()
    });
    let table =
        Table { places: middles(series.calls.len()), ..Table::new(["from", "p50", "p90", "p99"], rows.collect()) };
    let known = columns.iter().any(|(_, column)| column.iter().any(Option::is_some));
    let nothing =
        too_short(series).or_else(|| (!known).then(|| "Not enough data: no interval has two calls.".to_owned()));
    let worst = |name: usize| columns[name].1.iter().flatten().copied().fold(0.0, f64::max);
    let says = format!("The highest p50 of an interval is {}, the highest p99 {}.", millis(worst(0)), millis(worst(2)));
    let panel =
        || Panel { name: String::new(), says, wide: None, narrow: drawing(Size::NARROW), pointed: vec![1, 2, 3] };
    Some(Figure {
        id: "latency",
        title: "Latency over time".to_owned(),
        caption: format!(
            "Of the calls begun in each interval of {}, retries and waits included. A percentile is left out where there are too few calls for it.",
            seconds(each)
        ),
        drawn: nothing.map_or_else(|| Ok(vec![panel()]), Err),
        table,
    })
}

/// How long calls take, by the share that takes longer.
pub(super) fn by_rarity(result: &LoadResult) -> Figure {
    let latencies = &result.latency_ms;
    let all = [
        ("calls", "response", &latencies.response),
        ("successes", "success", &latencies.success),
        ("attempts", "service", &latencies.service),
    ];
    let known: Vec<_> = all
        .into_iter()
        .filter(|(_, _, latency)| latency.count >= 10)
        .filter_map(|(name, class, latency)| Some((name, class, latency, latency.histogram().ok()?)))
        .collect();
    let nothing = known.is_empty().then(|| {
        format!("Not enough data: {} calls were made, and a distribution takes 10.", count(latencies.response.count))
    });
    let rarest = known.iter().map(|(_, _, latency, _)| libm::log10(float(latency.count))).fold(1.0, f64::max);
    let drawing = || {
        let size = Size::NARROW;
        let curves: Vec<_> = known
            .iter()
            .map(|(name, class, latency, histogram)| (*name, *class, curve(latency, histogram, rarest)))
            .collect();
        let y = scale_of(curves.iter().flat_map(|(_, _, curve)| curve.iter().filter_map(|(_, ms)| *ms)), size);
        let plot = Plot { size, x: Scale::linear((0.0, rarest), size.across()), y };
        let lines: Vec<_> = curves.into_iter().map(|(name, class, points)| Line { name, class, points }).collect();
        let names = ["50 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %"];
        let at = [libm::log10(2.0), 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let ticks: Vec<_> =
            at.into_iter().zip(names).filter(|(at, _)| *at <= rarest).map(|(at, name)| (at, name.to_owned())).collect();
        // Of long names every second one, the last one among them.
        let ticks = if ticks.len() > 5 { ticks.into_iter().rev().step_by(2).collect() } else { ticks };
        let marks = html! {
            (plot.axis_left("takes at most", &plot.y.ticks(6), millis))
            (plot.axis_below(&ticks))
            (plot.lines(&lines))
        };
        Drawing { size, marks }
    };
    let says = {
        let Latency { p50, p99, max, .. } = &latencies.response;
        let shown = |ms: &Option<f64>| ms.map_or_else(|| "unknown".to_owned(), millis);
        format!("Of calls, half take at most {}, 99 % at most {}, the slowest {}.", shown(p50), shown(p99), shown(max))
    };
    let panel = || Panel { name: String::new(), says, wide: None, narrow: drawing(), pointed: Vec::new() };
    Figure {
        id: "quantiles",
        title: "How long it takes, by how rare that is".to_owned(),
        caption: "Each step to the right is ten times as rare: nine of ten calls, 99 of a hundred. A call counts from when it was due to \
                  its end, an attempt is a single request."
            .to_owned(),
        drawn: nothing.map_or_else(|| Ok(vec![panel()]), Err),
        table: table(result),
    }
}

/// Places are powers of ten of how rare a latency is.
fn curve(latency: &Latency, histogram: &LatencyHistogram, rarest: f64) -> Vec<(f64, Option<f64>)> {
    let own = libm::log10(float(latency.count));
    let step = |number: u32| rarest * f64::from(number) / f64::from(POINTS);
    let at = |power: f64| histogram.quantile(1.0 - libm::exp10(-power)).map(|ns| float(ns) / 1e6);
    let mut points: Vec<_> =
        (0..=POINTS).map(step).filter(|power| *power <= own).map(|power| (power, at(power))).collect();
    points.push((own, latency.max));
    points
}

fn table(result: &LoadResult) -> Table {
    let latencies = &result.latency_ms;
    let row = |(name, latency): (&str, &Latency)| {
        let cell = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), millis);
        let Latency { min, mean, p50, p90, p95, p99, p99_9, max, .. } = *latency;
        let cells = [min, mean, p50, p90, p95, p99, p99_9, max].map(cell);
        [name.to_owned(), count(latency.count)].into_iter().chain(cells).collect()
    };
    let rows = [("calls", &latencies.response), ("successes", &latencies.success), ("attempts", &latencies.service)];
    Table::new(["", "n", "min", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"], rows.map(row).to_vec())
}

/// From 0 where the values are of one kind, by ratios where they are far apart.
fn scale_of(values: impl Iterator<Item = f64>, size: Size) -> Scale {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for value in values {
        (least, most) = (least.min(value), most.max(value));
    }
    let least = least.max(most / REACH);
    if most > 20.0 * least {
        // Room above all lines for the names of moments.
        Scale::logarithmic((least, most * libm::pow(most / least, 0.14)), size.up())
    } else {
        Scale::linear((0.0, 1.15 * most), size.up())
    }
}
