//! Estimates, each with the interval that it may lie in, one below the other on one scale.

use maud::html;

use super::bars::cut;
use super::figure::{Drawing, Panel};
use super::plot::Size;
use super::scale::Scale;
use super::show::px;

/// An estimate with its ends. The class says how it is meant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) class: &'static str,
    /// Low, estimate, high; `None` where it cannot be told.
    pub(super) known: Option<[f64; 3]>,
    /// What is said of it, at the right.
    pub(super) says: String,
}

/// How the rows are drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout<'l> {
    /// What the scale below is of.
    pub(super) what: &'l str,
    /// The ends of the scale.
    pub(super) extent: (f64, f64),
    /// Numbers that are marked from top to bottom.
    pub(super) marks: &'l [f64],
    /// What a number of the scale is called.
    pub(super) name: fn(f64) -> String,
}

const ROW: f64 = 30.0;
const NAMES: f64 = 120.0;

/// The rows as they are drawn, on a page and on a telephone, and what is said of each.
pub(super) fn panel(rows: &[Row], layout: &Layout<'_>) -> Panel {
    Panel {
        name: String::new(),
        says: rows.iter().map(|row| format!("{}: {}", row.name, row.says)).collect::<Vec<_>>().join("; ") + ".",
        wide: Some(drawing(rows, layout, true)),
        narrow: drawing(rows, layout, false),
        pointed: Vec::new(),
    }
}

/// - `wide`: of a page, and not of a telephone, where what is said stands below its row.
fn drawing(rows: &[Row], layout: &Layout<'_>, wide: bool) -> Drawing {
    let row_height = if wide { ROW } else { ROW + 16.0 };
    let (top, bottom) = (6.0, 42.0);
    let height = top + row_height * rows.len() as f64 + bottom;
    let (width, right) = if wide { (Size::WIDE.width, 260.0) } else { (Size::NARROW.width, 20.0) };
    let size = Size { width, height, left: if wide { NAMES + 40.0 } else { NAMES }, right, top, bottom };
    let (left, end) = size.across();
    let scale = Scale::linear(layout.extent, (left, end));
    let base = height - bottom;
    let marks = html! {
        @for tick in scale.ticks(if wide { 8 } else { 4 }) {
            @let x = px(scale.place(tick));
            line.grid x1=(x) x2=(x) y1=(px(top)) y2=(px(base)) {}
            text.tick.middle x=(x) y=(px(base + 16.0)) { ((layout.name)(tick)) }
        }
        @for mark in layout.marks {
            @let x = px(scale.place(*mark));
            line.mark x1=(x) x2=(x) y1=(px(top)) y2=(px(base)) {}
        }
        text.axis.middle x=(px(f64::midpoint(left, end))) y=(px(base + 34.0)) { (layout.what) }
        @for (number, row) in rows.iter().enumerate() {
            @let y = top + row_height * number as f64 + ROW / 2.0;
            text.end.strong x=(px(left - 10.0)) y=(px(y)) dy="0.35em" { (cut(&row.name, if wide { 21 } else { 16 })) }
            @if let Some(ends) = row.known {
                @let [low, middle, high] = ends.map(|number| px(scale.place(number)));
                line.span.(row.class) x1=(low) x2=(high) y1=(px(y)) y2=(px(y)) {}
                circle.dot.(row.class) cx=(middle) cy=(px(y)) r="5" {}
            }
            @if wide {
                text.note x=(px(end + 14.0)) y=(px(y)) dy="0.35em" { (cut(&row.says, 40)) }
            } @else {
                text.note.halo x=(px(left)) y=(px(y + 20.0)) { (cut(&row.says, 52)) }
            }
        }
    };
    Drawing { size, marks }
}

/// The ends of a scale that holds all of these, and a little more.
pub(super) fn extent(numbers: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for number in numbers.into_iter().filter(|number| number.is_finite()) {
        (low, high) = (low.min(number), high.max(number));
    }
    if low > high {
        return (0.0, 1.0);
    }
    let room = (0.06 * (high - low)).max(1e-3);
    (low - room, high + room)
}

#[cfg(test)]
mod tests {
    use super::{Layout, Row, drawing, extent};

    #[test]
    fn an_interval_spans_its_ends() {
        let layout = Layout { what: "", extent: (0.0, 1.0), marks: &[], name: |number| number.to_string() };
        let row = |known| Row { name: "a".to_owned(), class: "ok", known, says: String::new() };
        let marks = drawing(&[row(Some([0.25, 0.5, 1.0])), row(None)], &layout, true).marks.0;
        let span = marks.split("<line class=\"span ok\"").nth(1).unwrap();
        let number = |name: &str| {
            span.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse::<f64>().unwrap()
        };
        // From a quarter to the end, and the dot at half of it.
        assert!((number("x2") - number("x1") - 3.0 * (number("cx") - number("x1"))).abs() < 0.3, "{span}");
        assert_eq!(marks.matches("<circle").count(), 1);
    }

    #[test]
    fn a_scale_holds_all_that_is_on_it() {
        let (low, high) = extent([-3.0, 7.0, f64::INFINITY]);
        assert!(low < -3.0 && 7.0 < high && high < 10.0);
        assert_eq!(extent([]), (0.0, 1.0));
    }
}
