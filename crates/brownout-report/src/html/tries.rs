//! Attempts of one run, a row each: how long each took, what it came to, and how long was waited after it.

use maud::{Markup, html};

use super::bars::cut;
use super::figure::Drawing;
use super::plot::{Plot, Size};
use super::scale::Scale;
use super::show::{millis, px};
use super::signs::{Key, Sign, legend};
use crate::{Reason, RunAttempt};

/// Of signs, in the words of a runner.
const NAMES: [(Sign, &str); 5] = [
    (Sign::Ok, "succeeded"),
    (Sign::Refused, "failed by its output"),
    (Sign::Failed, "failed"),
    (Sign::Broken, "signal, or not started"),
    (Sign::Untold, "ended by the runner"),
];
const RANGE: &str = "range";
const ASKED: &str = "honoured";

const NAMES_WIDTH: f64 = 92.0;
const WORDS_WIDTH: f64 = 300.0;
const ROW: f64 = 28.0;
/// On a telephone words stand below their rows.
const WORDS_HEIGHT: f64 = 16.0;

/// What could have been widens the picture by so much at the most.
const BEYOND: f64 = 1.25;

/// What an attempt came to.
pub(super) fn sign(attempt: &RunAttempt) -> Sign {
    match attempt.reason {
        None => Sign::Ok,
        Some(Reason::Error | Reason::ExitCode) => Sign::Failed,
        Some(Reason::Output) => Sign::Refused,
        Some(Reason::Signal | Reason::Spawn) => Sign::Broken,
        Some(Reason::Timeout | Reason::Interrupted) => Sign::Untold,
    }
}

/// How it ended, in a word or three.
pub(super) fn end(attempt: &RunAttempt) -> String {
    let code = attempt.exit.exit_code.map(|code| format!("exit code {code}"));
    match attempt.reason {
        None => "succeeded".to_owned(),
        Some(Reason::Timeout) => "out of time".to_owned(),
        Some(Reason::Interrupted) => "interrupted".to_owned(),
        Some(Reason::Spawn) => "could not be started".to_owned(),
        Some(Reason::Signal) => {
            attempt.exit.signal.map_or_else(|| "a signal".to_owned(), |signal| format!("signal {signal}"))
        }
        Some(Reason::Output) => {
            code.map_or_else(|| "by its output".to_owned(), |code| format!("{code}, by its output"))
        }
        Some(Reason::Error | Reason::ExitCode) => code.unwrap_or_else(|| "failed".to_owned()),
    }
}

/// The wait after it: how long, and out of what; `None` after the last.
pub(super) fn wait(attempt: &RunAttempt) -> Option<String> {
    let waited = millis(attempt.delay_ms?);
    let range = range(attempt).map(|range| format!(" ({range})")).unwrap_or_default();
    let asked = if attempt.is_asked() { ", as it asked" } else { "" };
    Some(format!("{waited}{range}{asked}"))
}

/// Between what the wait was drawn; `None` where there was nothing to draw.
pub(super) fn range(attempt: &RunAttempt) -> Option<String> {
    let [shortest, longest] = attempt.drawn_from()?;
    Some(format!("{} to {}", millis(shortest), millis(longest)))
}

fn words(attempt: &RunAttempt) -> String {
    let wait = wait(attempt).map(|wait| format!(", then {wait}")).unwrap_or_default();
    format!("{}{wait}", end(attempt))
}

/// Where the last attempt ends, or the wait after it, or a little beyond that what the jitter could have made of the waits.
fn end_s(attempts: &[&RunAttempt]) -> f64 {
    let of = |wait: fn(&RunAttempt) -> Option<f64>| {
        let ends =
            attempts.iter().map(|attempt| attempt.start_ms + attempt.duration_ms + wait(attempt).unwrap_or_default());
        ends.fold(1.0, f64::max) / 1e3
    };
    let (seen, possible) = (of(|attempt| attempt.delay_ms), of(|attempt| attempt.delay_ms_max));
    seen.max(possible.min(BEYOND * seen))
}

/// The rows, as wide as a page or as a telephone.
pub(super) fn drawing(attempts: &[&RunAttempt], wide: bool) -> Drawing {
    let width = if wide { Size::WIDE.width } else { Size::NARROW.width };
    let (left, right) = if wide { (NAMES_WIDTH, WORDS_WIDTH) } else { (NAMES_WIDTH - 8.0, 20.0) };
    let (key, key_height) = legend(&entries(attempts), (8.0, width - 8.0));
    let row_height = if wide { ROW } else { ROW + WORDS_HEIGHT };
    let (top, bottom) = (key_height + 6.0, 44.0);
    let height = top + row_height * attempts.len() as f64 + bottom;
    let size = Size { width, height, left, right, top, bottom };
    let end = end_s(attempts);
    let x = Scale::linear((0.0, end), size.across());
    let plot = Plot { size, x, y: Scale::linear((0.0, 1.0), size.up()) };
    let marks = html! {
        (key)
        (plot.grid_of_time(end))
        @for (number, attempt) in attempts.iter().enumerate() {
            @let y = top + row_height * number as f64 + ROW / 2.0;
            text.end.strong x=(px(left - 12.0)) y=(px(y)) dy="0.35em" { "attempt " (attempt.n) }
            (row(attempt, y, &plot))
            @if wide {
                text.note x=(px(width - right + 14.0)) y=(px(y)) dy="0.35em" { (cut(&words(attempt), 46)) }
            } @else {
                text.note.halo x=(px(left)) y=(px(y + 20.0)) { (cut(&words(attempt), 54)) }
            }
        }
        (plot.axis_of_time(end))
        text.axis.middle x=(px(f64::midpoint(left, width - right))) y=(px(height - 8.0)) { "since the run began" }
    };
    Drawing { size, marks }
}

fn row(attempt: &RunAttempt, y: f64, plot: &Plot) -> Markup {
    let sign = sign(attempt);
    let place = |ms: f64| plot.x.place(ms / 1e3);
    let end_ms = attempt.start_ms + attempt.duration_ms;
    let (start, end) = (place(attempt.start_ms), place(end_ms));
    let zone = |class: &str, from: f64, to: f64| {
        let (from, to) = (place(end_ms + from), place(end_ms + to));
        html! { rect.zone.(class) x=(px(from)) y=(px(y - 7.0)) width=(px((to - from).max(1.0))) height="14" {} }
    };
    html! {
        @if let Some([shortest, longest]) = attempt.drawn_from() {
            (zone(RANGE, shortest, longest))
        }
        @if let Some(asked) = attempt.retry_after_ms { (zone(ASKED, 0.0, asked)) }
        @if let Some(delay) = attempt.delay_ms {
            @let next = place(end_ms + delay);
            line.base x1=(px(end)) x2=(px(next)) y1=(px(y)) y2=(px(y)) {}
            line.base x1=(px(next)) x2=(px(next)) y1=(px(y - 7.0)) y2=(px(y + 7.0)) {}
        }
        rect.bar.(sign.class()) x=(px(start)) y=(px(y - 4.0)) width=(px((end - start).max(1.5))) height="8" {}
        (sign.mark(end, y))
    }
}

/// What there is of signs and zones.
fn entries(attempts: &[&RunAttempt]) -> Vec<(Key, &'static str)> {
    let signs = NAMES.into_iter().filter(|(kind, _)| attempts.iter().any(|attempt| sign(attempt) == *kind));
    let range = attempts.iter().any(|attempt| range(attempt).is_some());
    let asked = attempts.iter().any(|attempt| attempt.retry_after_ms.is_some());
    let signs = signs.map(|(sign, name)| (Key::Sign(sign), name));
    let range = range.then_some((Key::Zone(RANGE), "when the jitter may have the next begin"));
    let asked = asked.then_some((Key::Zone(ASKED), "the wait that was asked for"));
    signs.chain(range).chain(asked).collect()
}

#[cfg(test)]
mod tests {
    use super::{drawing, words};
    use crate::{Exit, Failing, Reason, RunAttempt};
    use brownout_policy::DelaySource;
    use std::time::Duration;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn failed(n: u32, start: u64, reason: Reason, exit: Exit) -> RunAttempt {
        RunAttempt::new(n, S(start), S(1), Some(Failing { exit, ..Failing::new("it broke", reason) }))
    }

    #[test]
    fn an_attempt_is_told_by_its_end_and_its_wait() {
        let code = Exit { exit_code: Some(7), ..Exit::default() };
        let drawn = failed(1, 0, Reason::ExitCode, code).then_wait(S(3), DelaySource::Backoff).out_of([S(2), S(4)]);
        assert_eq!(words(&drawn), "exit code 7, then 3 s (2 s to 4 s)");
        let asked = failed(1, 0, Reason::Output, code).then_wait(S(3), DelaySource::RetryAfter);
        assert_eq!(words(&asked), "exit code 7, by its output, then 3 s, as it asked");
        let killed = failed(1, 0, Reason::Signal, Exit { signal: Some(9), ..Exit::default() });
        assert_eq!(words(&killed), "signal 9");
        let fixed =
            failed(1, 0, Reason::Timeout, Exit::default()).then_wait(S(2), DelaySource::Backoff).out_of([S(2); 2]);
        assert_eq!(words(&fixed), "out of time, then 2 s");
    }

    /// One second of work, three of waiting, one of work: five seconds from left to right, and the range of two seconds is as
    /// long as two of them.
    #[test]
    fn times_are_as_long_as_they_were() {
        let first =
            failed(1, 0, Reason::ExitCode, Exit::default()).then_wait(S(3), DelaySource::Backoff).out_of([S(2), S(4)]);
        let last = RunAttempt::new(2, S(4), S(1), None);
        for (wide, across) in [(true, 960.0 - 92.0 - 300.0), (false, 450.0 - 84.0 - 20.0)] {
            let marks = drawing(&[&first, &last], wide).marks.0;
            let width = |class: &str| {
                let part = marks.split(&format!("<rect class=\"{class}\"")).last().unwrap();
                part.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse::<f64>().unwrap()
            };
            assert!((width("bar ok") - across / 5.0).abs() < 0.2 && (width("bar failed") - across / 5.0).abs() < 0.2);
            assert!((width("zone range") - across * 2.0 / 5.0).abs() < 0.2, "{marks}");
        }
    }
}
