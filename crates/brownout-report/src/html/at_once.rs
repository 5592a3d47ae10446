//! How many requests were under way at once, over time.

use brownout_lab::rehearse::AttemptSeen;
use maud::html;

use super::figure::{Drawing, Figure, Panel, Table};
use super::plot::{Line, Plot, Size};
use super::scale::{Scale, time_step};
use super::show::{seconds, short};
use super::timeline::middles;
use crate::number::counted;

/// So many intervals at the most.
const INTERVALS: usize = 120;

/// Requests by interval.
struct Series {
    each_s: f64,
    /// Most at once.
    peaks: Vec<u32>,
    /// Begun.
    begun: Vec<u32>,
}

impl Series {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places among few intervals")]
    fn of(attempts: &[&AttemptSeen]) -> Self {
        let end_ms = |attempt: &AttemptSeen| attempt.ended_ms.unwrap_or(attempt.at_ms);
        let last_s = attempts.iter().map(|attempt| end_ms(attempt) / 1e3).fold(1e-3, f64::max);
        let each_s = time_step(last_s, INTERVALS);
        let interval = |ms: f64| ((ms / 1e3 / each_s) as usize).min(2 * INTERVALS);
        let count = interval(1e3 * last_s) + 1;
        let (mut peaks, mut begun) = (vec![0; count], vec![0; count]);
        let mut changes: Vec<(f64, bool)> = Vec::new();
        for attempt in attempts {
            begun[interval(attempt.at_ms)] += 1;
            // What has no length is with no other.
            if end_ms(attempt) > attempt.at_ms {
                changes.extend([(attempt.at_ms, true), (end_ms(attempt), false)]);
            }
        }
        // One that ends when another begins is not with it.
        changes.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let (mut level, mut from): (u32, usize) = (0, 0);
        for (at, begins) in changes {
            let here = interval(at);
            peaks[from..=here].iter_mut().for_each(|peak| *peak = level.max(*peak));
            level = if begins { level + 1 } else { level.saturating_sub(1) };
            peaks[here] = level.max(peaks[here]);
            from = here;
        }
        Self { each_s, peaks, begun }
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |(place, (peak, begun)): (usize, (&u32, &u32))| {
            vec![seconds(place as f64 * self.each_s), peak.to_string(), begun.to_string()]
        };
        self.peaks.iter().zip(&self.begun).enumerate().map(row).collect()
    }
}

/// Of these requests; `None` where no two were under way at once.
pub(super) fn figure(attempts: &[&AttemptSeen]) -> Option<Figure> {
    let series = Series::of(attempts);
    let peak = series.peaks.iter().copied().max().filter(|peak| *peak > 1)?;
    let rows = series.rows();
    let panel = Panel {
        name: String::new(),
        says: format!(
            "At most {} at once, over {}.",
            counted(peak.into(), "request", "requests"),
            seconds(series.each_s * rows.len() as f64)
        ),
        wide: None,
        narrow: drawing(&series, peak),
        pointed: vec![1, 2],
    };
    Some(Figure {
        id: "at-once",
        title: "Requests at once".to_owned(),
        caption: format!(
            "The most that were under way together, in each {} from the start of the command.",
            seconds(series.each_s)
        ),
        drawn: Ok(vec![panel]),
        table: Table { places: middles(rows.len()), ..Table::new(["from", "at once", "begun"], rows) },
    })
}

fn drawing(series: &Series, peak: u32) -> Drawing {
    let size = Size { right: 78.0, ..Size::NARROW };
    let end = series.each_s * series.peaks.len() as f64;
    let plot = Plot {
        size,
        x: Scale::linear((0.0, end), size.across()),
        y: Scale::linear((0.0, 1.06 * f64::from(peak)), size.up()),
    };
    let last = series.peaks.last().copied();
    let points = series.peaks.iter().copied().chain(last).enumerate();
    let points = points.map(|(place, peak)| (place as f64 * series.each_s, Some(f64::from(peak)))).collect();
    let whole: Vec<f64> = plot.y.ticks(5).into_iter().filter(|tick| tick.fract() < 1e-9).collect();
    let marks = html! {
        (plot.axis_left("at once", &whole, short))
        (plot.axis_of_time(end))
        (plot.steps(&[Line { name: "at once", class: "attempts", points }]))
    };
    Drawing { size, marks }
}

#[cfg(test)]
mod tests {
    use super::{Series, figure};
    use brownout_lab::rehearse::{Answer, AttemptSeen};

    fn attempt(at_ms: f64, ended_ms: Option<f64>) -> AttemptSeen {
        AttemptSeen {
            at_ms,
            ended_ms,
            wait_ms: None,
            wait_asked: false,
            answer: Answer::Status(200),
            retry_after_ms: None,
            retry_after: None,
            done: None,
            connection: 0,
        }
    }

    /// Two overlap from 500 ms to 1 s, the third begins when the first ends, and the fourth is alone.
    #[test]
    fn what_overlaps_is_counted_and_what_touches_is_not() {
        let all = [(0.0, 1000.0), (500.0, 3000.0), (1000.0, 1100.0), (100_000.0, 100_001.0)];
        let all = all.map(|(at, end)| attempt(at, Some(end)));
        let series = Series::of(&all.iter().collect::<Vec<_>>());
        assert!((series.each_s - 1.0).abs() < 1e-9, "{}", series.each_s);
        assert_eq!(series.peaks[..5], [2, 2, 1, 1, 0]);
        assert_eq!((series.begun[..3].to_vec(), series.begun.iter().sum::<u32>()), (vec![2, 1, 0], 4));
        assert_eq!(series.peaks[100], 1);
    }

    #[test]
    fn requests_one_after_another_need_no_picture() {
        let one = [attempt(0.0, Some(10.0)), attempt(10.0, Some(20.0)), attempt(5.0, None)];
        assert!(figure(&one.iter().collect::<Vec<_>>()).is_none());
        let two = [attempt(0.0, Some(10.0)), attempt(9.0, Some(20.0))];
        let says = figure(&two.iter().collect::<Vec<_>>()).unwrap().drawn.unwrap()[0].says.clone();
        assert!(says.starts_with("At most 2 requests at once, over "), "{says}");
    }
}
