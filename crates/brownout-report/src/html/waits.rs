//! Waits by the retry that they come before, a dot each.

use maud::html;

use super::figure::{Drawing, Figure, Panel, Table};
use super::plot::{Plot, Size};
use super::scale::Scale;
use super::show::{millis, px};
use crate::number::counted;

/// One wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wait {
    /// The retry after it, from 1.
    pub(super) retry: usize,
    pub(super) ms: f64,
    /// Whether the service asked for it.
    pub(super) asked: bool,
}

/// Fewer are no cloud.
const WAITS_MIN: usize = 3;
/// Later retries are for the table.
const RETRIES_MAX: usize = 12;
/// Of more waits before one retry not every one is drawn.
const DOTS_MAX: usize = 200;

/// The waits before one retry, sorted.
struct Column {
    retry: usize,
    own: Vec<f64>,
    asked: Vec<f64>,
}

impl Column {
    fn of(waits: &[Wait], retry: usize) -> Self {
        let of = |asked: bool| {
            let mut of: Vec<f64> =
                waits.iter().filter(|wait| wait.retry == retry && wait.asked == asked).map(|wait| wait.ms).collect();
            of.sort_by(f64::total_cmp);
            of
        };
        Self { retry, own: of(false), asked: of(true) }
    }

    fn says(&self) -> String {
        let own = ends(&self.own).map(|[low, _, high]| format!("{} to {}", millis(low), millis(high)));
        let own = own.unwrap_or_else(|| "asked for by the service".to_owned());
        format!("before retry {} {own}", self.retry)
    }

    fn cells(&self) -> Vec<String> {
        let shown = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), millis);
        let [low, median, high] = ends(&self.own).map_or([None; 3], |ends| ends.map(Some)).map(shown);
        vec![self.retry.to_string(), self.own.len().to_string(), low, median, high, self.asked.len().to_string()]
    }
}

/// The shortest, the middle one and the longest.
fn ends(sorted: &[f64]) -> Option<[f64; 3]> {
    Some([*sorted.first()?, sorted[sorted.len() / 2], *sorted.last()?])
}

/// What the waits of all calls look like.
pub(super) fn figure(waits: &[Wait]) -> Figure {
    let last = waits.iter().map(|wait| wait.retry).max().unwrap_or_default();
    let columns: Vec<Column> = (1..=last)
        .map(|retry| Column::of(waits, retry))
        .filter(|column| !column.own.is_empty() || !column.asked.is_empty())
        .collect();
    let shown = &columns[..columns.len().min(RETRIES_MAX)];
    let panel = || Panel {
        name: String::new(),
        says: shown.iter().map(Column::says).collect::<Vec<_>>().join("; ") + ".",
        wide: None,
        narrow: drawing(shown),
        pointed: Vec::new(),
    };
    let asked = if waits.iter().any(|wait| wait.asked) {
        " Rings are waits that the service asked for and got; they say nothing of the client's own rule."
    } else {
        ""
    };
    let more = columns.len() - shown.len();
    let more = if more > 0 {
        format!(" {} more in the table.", counted(more as u64, "retry is", "retries are"))
    } else {
        String::new()
    };
    let few = waits.len() < WAITS_MIN;
    Figure {
        id: "waits",
        title: "Waits before each retry".to_owned(),
        caption: format!(
            "A dot is a wait of one call, the line the middle one. Dots on one height are a wait without jitter; a column of them \
             is jitter.{asked}{more}"
        ),
        drawn: if few {
            let found = counted(waits.len() as u64, "wait", "waits");
            Err(format!(
                "Not enough data: {found} could be seen, and a picture takes {WAITS_MIN}. --repeat makes more."
            ))
        } else {
            Ok(vec![panel()])
        },
        table: Table::new(
            ["before retry", "waits", "shortest", "middle", "longest", "asked for"],
            columns.iter().map(Column::cells).collect(),
        ),
    }
}

fn drawing(columns: &[Column]) -> Drawing {
    let size = Size { right: 20.0, bottom: 46.0, ..Size::NARROW };
    let (left, right) = size.across();
    let most = columns.iter().flat_map(|column| column.own.iter().chain(&column.asked)).copied().fold(0.0, f64::max);
    let y = Scale::linear((0.0, 1.06 * most), size.up());
    let each = (right - left) / columns.len().max(1) as f64;
    // To either side of the middle in turn, so that equal waits are not one dot.
    let shift = |number: usize| (number % 11).div_ceil(2) as f64 * if number.is_multiple_of(2) { -1.0 } else { 1.0 };
    let spread = (each / 24.0).min(2.0);
    let dots = |values: &[f64]| {
        let every = values.len().div_ceil(DOTS_MAX).max(1);
        values.iter().copied().step_by(every).enumerate().collect::<Vec<_>>()
    };
    let x = Scale::linear((0.0, columns.len() as f64), (left, right));
    let plot = Plot { size, x, y };
    let ticks: Vec<_> =
        columns.iter().enumerate().map(|(place, column)| (place as f64 + 0.5, column.retry.to_string())).collect();
    let marks = html! {
        (plot.axis_left("waited", &y.ticks(5), millis))
        @for (place, column) in columns.iter().enumerate() {
            @let middle = x.place(place as f64 + 0.5);
            @for (number, ms) in dots(&column.own) {
                circle.dot.ok.faint cx=(px(middle + spread * shift(number))) cy=(px(y.place(ms))) r="3.6" {}
            }
            @for (number, ms) in dots(&column.asked) {
                circle.glyph.plain cx=(px(middle + spread * shift(number))) cy=(px(y.place(ms))) r="3.6" {}
            }
            @if let Some([_, median, _]) = ends(&column.own) {
                line.line x1=(px(middle - (each / 3.0).min(18.0))) x2=(px(middle + (each / 3.0).min(18.0)))
                    y1=(px(y.place(median))) y2=(px(y.place(median))) {}
            }
        }
        (plot.axis_below(&ticks))
        text.axis.middle x=(px(f64::midpoint(left, right))) y=(px(size.height - 8.0)) { "retry" }
    };
    Drawing { size, marks }
}

#[cfg(test)]
mod tests {
    use super::{Wait, figure};

    fn own(retry: usize, ms: f64) -> Wait {
        Wait { retry, ms, asked: false }
    }

    #[test]
    fn each_wait_is_a_dot_and_each_retry_a_row() {
        let asked = Wait { asked: true, ..own(2, 2000.0) };
        let figure = figure(&[own(1, 100.0), own(1, 300.0), own(1, 200.0), own(2, 400.0), asked]);
        let marks = &figure.drawn.unwrap()[0].narrow.marks.0;
        assert_eq!((marks.matches("dot ok").count(), marks.matches("glyph plain").count()), (4, 1));
        assert_eq!(figure.table.rows[0], ["1", "3", "100 ms", "200 ms", "300 ms", "0"]);
        assert_eq!(figure.table.rows[1], ["2", "1", "400 ms", "400 ms", "400 ms", "1"]);
        assert!(figure.caption.contains("Rings are waits"));
    }

    #[test]
    fn few_waits_are_not_drawn_and_many_thinned() {
        assert!(figure(&[own(1, 1.0), own(1, 2.0)]).drawn.unwrap_err().contains("2 waits"));
        let many: Vec<Wait> = (0..5000_u32).map(|ms| own(1, f64::from(ms))).collect();
        let drawn = figure(&many).drawn.unwrap();
        assert!((100..=201).contains(&drawn[0].narrow.marks.0.matches("dot ok").count()));
    }
}
