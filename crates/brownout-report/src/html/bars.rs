//! Counts as bars, one below the other.

use maud::html;

use super::figure::{Drawing, Figure, Panel, Table};
use super::plot::Size;
use super::scale::Scale;
use super::show::{count, percent, px};
use super::timeline::float;

/// A count with its name. The class says what kind it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) count: u64,
}

/// A bar and the room below it.
const ROW: f64 = 24.0;
/// More bars than these are for the table.
const BARS_MAX: usize = 16;
/// Room for names and for numbers.
const NAMES: f64 = 128.0;
const NUMBERS: f64 = 116.0;

/// - `of`: what all bars together are of. `of_all`: how many that are.
pub(super) fn figure(id: &'static str, title: &str, caption: &str, bars: &[Bar], (of, all): (&str, u64)) -> Figure {
    let share = |bar: &Bar| percent(if all > 0 { float(bar.count) / float(all) } else { 0.0 });
    let rows = bars.iter().map(|bar| vec![bar.name.clone(), count(bar.count), share(bar)]).collect();
    let says = bars.iter().map(|bar| format!("{} {}, {}", bar.name, count(bar.count), share(bar)));
    let panel = || Panel {
        name: String::new(),
        says: says.collect::<Vec<_>>().join("; ") + ".",
        wide: None,
        narrow: drawing(bars, share),
        pointed: Vec::new(),
    };
    let more = bars.len().saturating_sub(BARS_MAX);
    Figure {
        id,
        title: title.to_owned(),
        caption: if more > 0 { format!("{caption} {more} more are in the table.") } else { caption.to_owned() },
        drawn: if bars.is_empty() { Err(format!("There were no {of}.")) } else { Ok(vec![panel()]) },
        table: Table::new(["", of, "share"], rows),
    }
}

fn drawing(bars: &[Bar], share: impl Fn(&Bar) -> String) -> Drawing {
    let shown = &bars[..bars.len().min(BARS_MAX)];
    let height = ROW * shown.len() as f64 + 8.0;
    let size = Size { width: Size::NARROW.width, height, left: NAMES, right: NUMBERS, top: 4.0, bottom: 4.0 };
    let most = shown.iter().map(|bar| bar.count).max().unwrap_or_default();
    let scale = Scale::linear((0.0, float(most)), size.across());
    let marks = html! {
        line.base x1=(px(NAMES)) x2=(px(NAMES)) y1="2" y2=(px(height - 2.0)) {}
        @for (row, bar) in shown.iter().enumerate() {
            @let y = 4.0 + ROW * row as f64;
            // What there is at all is seen.
            @let end = scale.place(float(bar.count)).max(if bar.count > 0 { NAMES + 1.5 } else { NAMES });
            text.end x=(px(NAMES - 8.0)) y=(px(y + ROW / 2.0)) dy="0.35em" { (cut(&bar.name, 19)) }
            rect.bar.(bar.class) x=(px(NAMES)) y=(px(y + 4.0)) width=(px(end - NAMES)) height=(px(ROW - 8.0)) {}
            text x=(px(end + 6.0)) y=(px(y + ROW / 2.0)) dy="0.35em" { (count(bar.count)) " " tspan.note { (share(bar)) } }
        }
    };
    Drawing { size, marks }
}

/// So many letters at the most.
pub(super) fn cut(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{Bar, cut, figure};

    #[test]
    fn bars_are_as_long_as_their_counts() {
        let bar = |name: &str, count| Bar { name: name.to_owned(), class: "ok", count };
        let figure = figure("bars", "", "", &[bar("200", 80), bar("503", 20), bar("none", 0)], ("attempts", 100));
        let marks = figure.drawn.unwrap()[0].narrow.marks.0.clone();
        let widths: Vec<f64> =
            marks.split("width=\"").skip(1).map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect();
        assert!((widths[0] / widths[1] - 4.0).abs() < 0.02 && widths[2] == 0.0, "{widths:?}");
        assert_eq!(figure.table.rows[1], ["503", "20", "20.0 %"]);
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!((cut("short", 5), cut("longer", 5)), ("short".to_owned(), "long…".to_owned()));
    }
}
