//! Calls, a row each: when their attempts came, what each was answered, how long its client waited, and how long it was asked to.

use brownout_lab::rehearse::{AttemptSeen, CallSeen, Heed};
use maud::{Markup, html};

use super::bars::cut;
use super::figure::Drawing;
use super::plot::{LETTER, Plot, Size};
use super::scale::Scale;
use super::show::{millis, px};
use super::signs::{Key, Sign, legend, zone};

/// A call with what is said of it.
#[derive(Clone, Debug)]
pub(super) struct Row<'c> {
    /// Which call it is.
    pub(super) name: String,
    /// What it came to.
    pub(super) note: String,
    pub(super) call: &'c CallSeen,
}

/// Of signs, in the words of a service.
const NAMES: [(Sign, &str); 5] = [
    (Sign::Ok, "success"),
    (Sign::Refused, "4xx"),
    (Sign::Failed, "5xx"),
    (Sign::Broken, "broken off"),
    (Sign::Untold, "no answer"),
];
/// Of zones.
const HEEDS: [(Heed, &str); 3] = [
    (Heed::Honoured, "Retry-After, honoured"),
    (Heed::Broken, "Retry-After, broken"),
    (Heed::GivenUp, "Retry-After, not tried again"),
];

/// At the left of a page, names of rows.
const NAMES_WIDTH: f64 = 196.0;
const ROW: f64 = 54.0;
/// On a telephone names stand above their rows.
const NAME_HEIGHT: f64 = 20.0;
/// What was done, below.
const DONE_HEIGHT: f64 = 14.0;
/// Where a row's line lies in it.
const LINE: f64 = 22.0;
/// A zone beyond the last attempt widens the picture by so much at the most.
const BEYOND: f64 = 1.25;

/// What the rows have that needs room.
#[derive(Clone, Copy, Debug)]
struct Layout {
    wide: bool,
    /// Whether anything was done that can be done twice.
    done: bool,
}

/// The rows, as wide as a page or as a telephone, on one scale from the first attempt of each.
pub(super) fn drawing(rows: &[Row<'_>], wide: bool) -> Drawing {
    let layout = Layout { wide, done: attempts(rows).any(|attempt| attempt.done.is_some()) };
    let width = if wide { Size::WIDE.width } else { Size::NARROW.width };
    let (left, right) = if wide { (NAMES_WIDTH, 26.0) } else { (18.0, 22.0) };
    let (key, key_height) = legend(&entries(rows), (8.0, width - 8.0));
    let (top, bottom) = (key_height + 8.0, 46.0);
    let height = top + layout.row_height() * rows.len() as f64 + bottom;
    let size = Size { width, height, left, right, top, bottom };
    let end = end_s(rows);
    let x = Scale::linear((0.0, end), size.across());
    let plot = Plot { size, x, y: Scale::linear((0.0, 1.0), size.up()) };
    let marks = html! {
        (key)
        (plot.grid_of_time(end))
        @for (number, row) in rows.iter().enumerate() {
            (layout.row(row, top + layout.row_height() * number as f64, &plot))
        }
        (plot.axis_of_time(end))
        text.axis.middle x=(px(f64::midpoint(left, width - right))) y=(px(height - 8.0)) { "since the first attempt of the call" }
    };
    Drawing { size, marks }
}

fn attempts<'r>(rows: &'r [Row<'_>]) -> impl Iterator<Item = &'r AttemptSeen> {
    rows.iter().flat_map(|row| &row.call.attempts)
}

/// What there is of signs and zones.
fn entries(rows: &[Row<'_>]) -> Vec<(Key, &'static str)> {
    let signs = NAMES.into_iter().filter(|(sign, _)| attempts(rows).any(|attempt| Sign::of(attempt.answer) == *sign));
    let heeds = HEEDS.into_iter().filter(|(heed, _)| attempts(rows).any(|attempt| attempt.retry_after == Some(*heed)));
    let signs = signs.map(|(sign, name)| (Key::Sign(sign), name));
    signs.chain(heeds.map(|(heed, name)| (Key::Zone(zone(heed)), name))).collect()
}

/// When the last attempt has ended, or a little beyond it where a wait was asked for.
fn end_s(rows: &[Row<'_>]) -> f64 {
    let (mut seen, mut asked): (f64, f64) = (0.0, 0.0);
    for row in rows {
        let Some(first) = row.call.attempts.first() else { continue };
        for attempt in &row.call.attempts {
            let end = (end_ms(attempt) - first.at_ms) / 1e3;
            seen = seen.max(end);
            asked = asked.max(end + attempt.retry_after_ms.unwrap_or_default() / 1e3);
        }
    }
    seen.max(asked.min(BEYOND * seen)).max(1e-3)
}

/// When it ended, as far as that is known.
fn end_ms(attempt: &AttemptSeen) -> f64 {
    attempt.ended_ms.unwrap_or(attempt.at_ms)
}

/// How wide a text is, about.
fn width(text: &str) -> f64 {
    LETTER * text.chars().count() as f64
}

impl Layout {
    fn row_height(self) -> f64 {
        ROW + if self.wide { 0.0 } else { NAME_HEIGHT } + if self.done { DONE_HEIGHT } else { 0.0 }
    }

    fn row(self, row: &Row<'_>, top: f64, plot: &Plot) -> Markup {
        let attempts = &row.call.attempts;
        let from = attempts.first().map_or(0.0, |first| first.at_ms);
        let place = |ms: f64| plot.x.place((ms - from) / 1e3);
        let y = top + LINE + if self.wide { 0.0 } else { NAME_HEIGHT };
        let (left, right) = plot.size.across();
        let last = attempts.last().map_or(left, |last| place(last.at_ms));
        html! {
            @if self.wide {
                text.strong x="8" y=(px(y - 3.0)) { (cut(&row.name, 26)) }
                text.note x="8" y=(px(y + 12.0)) { (cut(&row.note, 28)) }
            } @else {
                text x="8" y=(px(top + 12.0)) { tspan.strong { (cut(&row.name, 34)) } " " tspan.note { (cut(&row.note, 30)) } }
            }
            @for attempt in attempts {
                @if let (Some(asked), Some(heed)) = (attempt.retry_after_ms, attempt.retry_after) {
                    @let (start, end) = (place(end_ms(attempt)), place(end_ms(attempt) + asked));
                    rect.zone.(zone(heed)) x=(px(start)) y=(px(y - 8.0)) width=(px((end - start).max(1.0))) height="16" {}
                }
            }
            line.base x1=(px(left)) x2=(px(last)) y1=(px(y)) y2=(px(y)) {}
            (waits(attempts, y + 21.0, right, place))
            @for attempt in attempts {
                @let (start, end) = (place(attempt.at_ms), place(end_ms(attempt)));
                rect.bar.(Sign::of(attempt.answer).class()) x=(px(start)) y=(px(y - 2.0)) width=(px(end - start)) height="4" {}
            }
            @for attempt in attempts { (Sign::of(attempt.answer).mark(place(attempt.at_ms), y)) }
            (labels(attempts, y - 12.0, place, "strong", |attempt| Some(attempt.answer.to_string())))
            @if self.done { (labels(attempts, y + 34.0, place, "note", done())) }
        }
    }
}

/// What was done at each attempt in turn, in words: once, or once more.
pub(super) fn done() -> impl FnMut(&AttemptSeen) -> Option<String> {
    let mut before = false;
    move |attempt| {
        let now = attempt.done == Some(true);
        let again = before && now;
        before |= now;
        now.then(|| if again { "done again" } else { "done" }.to_owned())
    }
}

/// A word at each attempt, where there is room beside the one before.
fn labels(
    attempts: &[AttemptSeen],
    y: f64,
    place: impl Fn(f64) -> f64,
    class: &str,
    mut word: impl FnMut(&AttemptSeen) -> Option<String>,
) -> Markup {
    let mut free = f64::NEG_INFINITY;
    let mut placed = Vec::new();
    for attempt in attempts {
        let Some(word) = word(attempt) else { continue };
        let (x, half) = (place(attempt.at_ms), width(&word) / 2.0);
        if x - half > free {
            free = x + half + 3.0;
            placed.push((x, word));
        }
    }
    html! { @for (x, word) in placed { text.middle.halo.(class) x=(px(x)) y=(px(y)) { (word) } } }
}

/// How long was waited between two attempts, and how long was asked for, where there is room for it.
fn waits(attempts: &[AttemptSeen], y: f64, right: f64, place: impl Fn(f64) -> f64) -> Markup {
    let asked = |attempt: &AttemptSeen| attempt.retry_after_ms.map(|ms| format!("asked for {}", millis(ms)));
    let between = attempts.windows(2).filter_map(|pair| {
        let wait = millis(pair[1].wait_ms?);
        let (from, to) = (place(end_ms(&pair[0])), place(pair[1].at_ms));
        let long = asked(&pair[0]).map(|asked| format!("{wait}, {asked}"));
        let words = long.into_iter().chain([wait]).find(|words| width(words) + 4.0 <= to - from)?;
        Some((f64::midpoint(from, to), words))
    });
    let unused = attempts.last().and_then(|last| {
        let (x, words) = (place(end_ms(last)) + 4.0, asked(last)?);
        let middle = x + width(&words) / 2.0;
        (middle + width(&words) / 2.0 <= right + 20.0).then_some((middle, words))
    });
    html! { @for (x, words) in between.chain(unused) { text.note.middle.halo x=(px(x)) y=(px(y)) { (words) } } }
}

/// What there is to see, for those who do not.
pub(super) fn says(rows: &[Row<'_>]) -> String {
    const ATTEMPTS_SAID: usize = 6;
    let row = |row: &Row<'_>| {
        let attempts = row.call.attempts.iter().take(ATTEMPTS_SAID).map(|attempt| {
            let wait = attempt.wait_ms.map(|ms| format!("after {} ", millis(ms))).unwrap_or_default();
            let asked = attempt.retry_after_ms.map(|ms| format!(", asked for {}", millis(ms))).unwrap_or_default();
            format!("{wait}{}{asked}", attempt.answer)
        });
        format!("{}, {}: {}", row.name, row.note, attempts.collect::<Vec<_>>().join("; "))
    };
    rows.iter().map(row).collect::<Vec<_>>().join(". ") + "."
}

#[cfg(test)]
mod tests {
    use super::{Row, drawing};
    use crate::rehearse::tests::visit;
    use brownout_lab::rehearse::{Answer, CallSeen, CommandEnd, Lens, Visit, rehearse};
    use std::time::Duration;

    /// A 429 that asks for two seconds, one attempt too soon, one in time, all of which did what they were asked to.
    fn call() -> CallSeen {
        let told = |at: u64| Visit { retry_after: Some(Duration::from_secs(2)), ..visit(at, Answer::Status(429)) };
        let visits = vec![told(1000), told(1500), visit(3600, Answer::Status(200))];
        rehearse(visits, 1, CommandEnd::default(), &Lens::default()).list.remove(0)
    }

    fn numbers(marks: &str, element: &str, attribute: &str) -> Vec<f64> {
        let number = |part: &str| {
            part.split(&format!(" {attribute}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        marks.split(element).skip(1).map(number).collect()
    }

    #[test]
    fn a_wait_asked_for_is_as_long_as_it_is() {
        let call = call();
        let rows = [Row { name: "call 1".to_owned(), note: "3 attempts".to_owned(), call: &call }];
        let marks = drawing(&rows, true).marks.0;
        let of = |class: &str| format!("<rect class=\"zone {class}\"");
        // The first of each is that of the legend.
        let [broken, honoured] = ["breached", "honoured"].map(|class| numbers(&marks, &of(class), "width")[1]);
        assert!((broken - honoured).abs() < 0.2, "{marks}");
        // Of the 2.62 seconds that the picture is wide.
        let wide = 960.0 - 196.0 - 26.0;
        assert!((honoured - wide * 2.0 / 2.62).abs() < 1.0, "{honoured}");
    }

    #[test]
    fn words_stand_where_there_is_room() {
        let call = call();
        let rows = [Row { name: "call 1".to_owned(), note: String::new(), call: &call }];
        for wide in [true, false] {
            let marks = drawing(&rows, wide).marks.0;
            for word in [">429<", ">200<", ">done<", ">done again<", "480 ms", "2.08 s, asked for 2 s"] {
                assert!(marks.contains(word), "no {word} in {marks}");
            }
        }
    }
}
