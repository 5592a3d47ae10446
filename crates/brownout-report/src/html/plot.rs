//! A picture with two axes: lines over time, bands, marks, and names beside what they name.

use maud::{Markup, html};

use super::scale::{Scale, multiples, spread, time_step};
use super::show::{px, seconds};

/// The size of a picture and the room around what is drawn, in pixels of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Size {
    /// As wide as a page.
    pub(super) const WIDE: Self =
        Self { width: 960.0, height: 320.0, left: 56.0, right: 96.0, top: 44.0, bottom: 30.0 };
    /// As wide as a telephone, or half a page.
    pub(super) const NARROW: Self =
        Self { width: 450.0, height: 270.0, left: 56.0, right: 94.0, top: 44.0, bottom: 30.0 };

    /// From left to right.
    pub(super) const fn across(&self) -> (f64, f64) {
        (self.left, self.width - self.right)
    }

    /// From bottom to top.
    pub(super) const fn up(&self) -> (f64, f64) {
        (self.height - self.bottom, self.top)
    }

    /// How many names of ticks there is room for.
    pub(super) fn ticks(&self) -> usize {
        if self.width > 600.0 { 10 } else { 5 }
    }
}

/// A time that something is said of, shaded from top to bottom.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Band {
    pub(super) name: String,
    pub(super) from: f64,
    pub(super) until: f64,
}

/// A moment that something is said of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) name: String,
    pub(super) at: f64,
}

/// A line with its name. The class says what it stands for; a place without a value is a gap.
#[derive(Clone, Debug)]
pub(super) struct Line<'l> {
    pub(super) name: &'l str,
    pub(super) class: &'l str,
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// The axes of a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plot {
    pub(super) size: Size,
    pub(super) x: Scale,
    pub(super) y: Scale,
}

impl Line<'_> {
    /// The middle value of its last quarter: what a run ends with tells little, as its last interval is seldom whole.
    fn level_at_end(&self) -> Option<f64> {
        let from = self.points.len() - self.points.len().div_ceil(4);
        let mut last: Vec<f64> = self.points[from..].iter().filter_map(|(_, y)| *y).collect();
        last.sort_by(f64::total_cmp);
        last.get(last.len() / 2).copied().or_else(|| self.points.iter().rev().find_map(|(_, y)| *y))
    }
}

/// Letters of names beside lines are about so high.
const LINE_HEIGHT: f64 = 15.0;
/// And so wide.
pub(super) const LETTER: f64 = 6.6;

impl Plot {
    /// The axis on the left: lines across, their numbers, and above them what they count.
    pub(super) fn axis_left(&self, what: &str, ticks: &[f64], name: impl Fn(f64) -> String) -> Markup {
        let (left, right) = self.size.across();
        html! {
            text.axis x=(px(left - 44.0)) y="14" { (what) }
            @for tick in ticks {
                @let y = px(self.y.place(*tick));
                line.grid x1=(px(left)) x2=(px(right)) y1=(y) y2=(y) {}
                text.tick.end x=(px(left - 6.0)) y=(y) dy="0.35em" { (name(*tick)) }
            }
        }
    }

    /// The axis below: its ticks with their names.
    pub(super) fn axis_below(&self, ticks: &[(f64, String)]) -> Markup {
        let (bottom, _) = self.size.up();
        let (left, right) = self.size.across();
        html! {
            line.base x1=(px(left)) x2=(px(right)) y1=(px(bottom)) y2=(px(bottom)) {}
            @for (tick, name) in ticks {
                @let x = px(self.x.place(*tick));
                line.base x1=(x) x2=(x) y1=(px(bottom)) y2=(px(bottom + 4.0)) {}
                text.tick.middle x=(x) y=(px(bottom + 18.0)) { (name) }
            }
        }
    }

    /// An axis of time below, to `end` seconds.
    pub(super) fn axis_of_time(&self, end: f64) -> Markup {
        let ticks: Vec<_> = self.ticks_of_time(end).into_iter().map(|tick| (tick, seconds(tick))).collect();
        self.axis_below(&ticks)
    }

    /// Lines from top to bottom where that axis has its ticks.
    pub(super) fn grid_of_time(&self, end: f64) -> Markup {
        let (bottom, top) = self.size.up();
        html! {
            @for x in self.ticks_of_time(end).into_iter().map(|tick| px(self.x.place(tick))) {
                line.grid x1=(x) x2=(x) y1=(px(top)) y2=(px(bottom)) {}
            }
        }
    }

    fn ticks_of_time(&self, end: f64) -> Vec<f64> {
        multiples(0.0, end, time_step(end, self.size.ticks()))
    }

    /// Bands behind all else, with their names where there is room for them.
    pub(super) fn bands(&self, bands: &[Band]) -> Markup {
        let (bottom, top) = self.size.up();
        let spans: Vec<_> =
            bands.iter().map(|band| (self.x.place(band.from), self.x.place(band.until), &band.name)).collect();
        // Of thousands of phases no more is kept than can be seen.
        let mut seen: Vec<(f64, f64)> = Vec::new();
        for (from, until, _) in &spans {
            let until = until.max(from + 1.0);
            match seen.last_mut() {
                Some(last) if last.0 <= *from && *from <= last.1 + 0.5 => last.1 = last.1.max(until),
                _ => seen.push((*from, until)),
            }
        }
        let bar = |(from, until): &(f64, f64)| {
            format!("M{} {}H{}V{}H{}z", px(*from), px(top), px(*until), px(bottom), px(*from))
        };
        let path: String = seen.iter().map(bar).collect();
        let mut free = 0.0;
        let mut names = Vec::new();
        for (from, until, name) in spans {
            let half = LETTER * name.chars().count() as f64 / 2.0;
            let (left, right) = self.size.across();
            let middle = f64::midpoint(from, until).clamp(left + half, (right - half).max(left + half));
            if middle - half >= free && half < (right - left) / 2.0 {
                names.push((middle, name));
                free = middle + half + LETTER;
            }
        }
        html! {
            @if !bands.is_empty() {
                path.band d=(path) {}
            }
            @for (middle, name) in names {
                text.band-name.middle x=(px(middle)) y=(px(top - 5.0)) { (name) }
            }
        }
    }

    /// Moments, each a line from top to bottom with its name at the top.
    pub(super) fn marks(&self, marks: &[Mark]) -> Markup {
        let (bottom, top) = self.size.up();
        let (_, right) = self.size.across();
        html! {
            @for (row, mark) in (0..).zip(marks) {
                @let x = self.x.place(mark.at);
                // At the right edge the name stands to the left of its line.
                @let left = x + LETTER * mark.name.chars().count() as f64 > right;
                @let y = top + 12.0 + LINE_HEIGHT * f64::from(row);
                line.mark x1=(px(x)) x2=(px(x)) y1=(px(top)) y2=(px(bottom)) {}
                text.mark-name.end[left] x=(px(if left { x - 5.0 } else { x + 5.0 })) y=(px(y)) { (mark.name) }
            }
        }
    }

    /// Lines, and beside their ends their names.
    pub(super) fn lines(&self, lines: &[Line<'_>]) -> Markup {
        html! {
            @for line in lines {
                path.line.(line.class) d=(self.path(&line.points)) {}
            }
            (self.names(lines))
        }
    }

    /// The same as steps: each value holds until the next place. The first line is filled to the axis.
    pub(super) fn steps(&self, lines: &[Line<'_>]) -> Markup {
        let (bottom, _) = self.size.up();
        html! {
            @if let Some(line) = lines.first() {
                @let ends = line.points.first().zip(line.points.last());
                @if let Some((first, last)) = ends {
                    @let (from, until) = (px(self.x.place(first.0)), px(self.x.place(last.0)));
                    path.area.(line.class) d={ "M" (from) " " (px(bottom)) (self.step_path(&line.points, 'V')) "H" (until) "V" (px(bottom)) "z" } {}
                }
            }
            @for line in lines.iter().rev() {
                path.line.(line.class) d=(self.step_path(&line.points, 'M')) {}
            }
            (self.names(lines))
        }
    }

    /// Between two lines with the same places.
    pub(super) fn between(&self, class: &str, low: &[(f64, f64)], high: &[(f64, f64)]) -> Markup {
        let point = |(x, y): &(f64, f64)| format!("{} {}", px(self.x.place(*x)), px(self.y.place(*y)));
        let there = high.iter().map(point);
        let back = low.iter().rev().map(point);
        let path = there.chain(back).collect::<Vec<_>>().join("L");
        html! { @if !path.is_empty() { path.area.(class) d={ "M" (path) "z" } {} } }
    }

    fn path(&self, points: &[(f64, Option<f64>)]) -> String {
        let mut path = String::new();
        let mut down = false;
        for (x, y) in points {
            if let Some(y) = y {
                let command = if down { 'L' } else { 'M' };
                path += &format!("{command}{} {}", px(self.x.place(*x)), px(self.y.place(*y)));
            }
            down = y.is_some();
        }
        path
    }

    /// Steps; the last point says where the last of them ends.
    ///
    /// - `first`: `M` to begin a line, `V` to go on from where one is.
    fn step_path(&self, points: &[(f64, Option<f64>)], first: char) -> String {
        let mut path = String::new();
        let mut last = None;
        for (x, y) in points {
            let y = y.map(|y| px(self.y.place(y)));
            if y == last {
                continue;
            }
            let x = px(self.x.place(*x));
            match (&last, &y) {
                (None, Some(y)) if path.is_empty() && first == 'V' => path += &format!("V{y}"),
                (None, Some(y)) => path += &format!("M{x} {y}"),
                (Some(_), Some(y)) => path += &format!("H{x}V{y}"),
                (_, None) => path += &format!("H{x}"),
            }
            last = y;
        }
        if let (Some(_), Some((x, _))) = (last, points.last()) {
            path += &format!("H{}", px(self.x.place(*x)));
        }
        path
    }

    /// Names at the right, each at the height at which its line ends, none on another.
    fn names(&self, lines: &[Line<'_>]) -> Markup {
        let (bottom, top) = self.size.up();
        let (_, right) = self.size.across();
        let ends: Vec<_> = lines.iter().filter_map(|line| Some((line, self.y.place(line.level_at_end()?)))).collect();
        let places = spread(&ends.iter().map(|(_, y)| *y).collect::<Vec<_>>(), LINE_HEIGHT, (top, bottom - 2.0));
        html! {
            @for ((line, _), y) in ends.into_iter().zip(places) {
                line.line.(line.class) x1=(px(right + 4.0)) x2=(px(right + 16.0)) y1=(px(y)) y2=(px(y)) {}
                text.name x=(px(right + 20.0)) y=(px(y)) dy="0.35em" { (line.name) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Band, Line, Plot, Size};
    use crate::html::scale::Scale;

    fn plot() -> Plot {
        let size = Size { width: 120.0, height: 120.0, left: 10.0, right: 10.0, top: 10.0, bottom: 10.0 };
        let (x, y) = (Scale::linear((0.0, 10.0), size.across()), Scale::linear((0.0, 10.0), size.up()));
        Plot { size, x, y }
    }

    #[test]
    fn a_line_has_gaps_where_there_is_no_value() {
        let points = [(0.0, Some(0.0)), (1.0, Some(10.0)), (2.0, None), (3.0, Some(5.0)), (4.0, Some(5.0))];
        assert_eq!(plot().path(&points), "M10 110L20 10M40 60L50 60");
        assert_eq!(plot().path(&[]), "");
    }

    #[test]
    fn a_band_for_each_phase_that_can_be_seen() {
        let band = |from: u32, until: u32| Band {
            name: "p".to_owned(),
            from: f64::from(from) / 1e4,
            until: f64::from(until) / 1e4,
        };
        let drawn = |bands: &[Band]| plot().bands(bands).into_string().matches('M').count();
        assert_eq!(drawn(&[band(10_000, 20_000), band(50_000, 60_000)]), 2);
        let many: Vec<_> = (0..50_000).map(|number| band(2 * number, 2 * number + 1)).collect();
        assert_eq!(drawn(&many), 1);
    }

    /// Each value from its place to the next; equal neighbours are one step.
    #[test]
    fn steps_hold_until_the_next_place() {
        let points = [(0.0, Some(1.0)), (1.0, Some(1.0)), (2.0, Some(4.0)), (3.0, Some(4.0))];
        assert_eq!(plot().step_path(&points, 'M'), "M10 100H30V70H40");
        assert_eq!(plot().step_path(&points, 'V'), "V100H30V70H40");
    }

    #[test]
    fn names_stand_beside_the_ends_of_their_lines() {
        let line = |name, y| Line { name, class: "calls", points: vec![(0.0, Some(0.0)), (10.0, Some(y))] };
        let names = plot().names(&[line("high", 9.0), line("low", 1.0), line("lower", 1.0)]).into_string();
        let heights: Vec<f64> = names
            .split("<text")
            .skip(1)
            .map(|text| text.split("y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap())
            .collect();
        assert!(
            heights[0] < heights[1] && heights[2] - heights[1] >= 14.9 || heights[1] - heights[2] >= 14.9,
            "{names}"
        );
    }
}
