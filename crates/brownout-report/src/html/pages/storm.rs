//! The page of a storm.

use brownout_lab::storm::{Cell, Finding, Hysteresis, Share, Survivable, Verdict};
use maud::html;

use super::facts;
use crate::StormReport;
use crate::html::figure::{Drawing, Figure, Panel, Table};
use crate::html::intervals::{self, Layout};
use crate::html::page::{Mood, Page, Repeat, Said};
use crate::html::plot::Size;
use crate::html::scale::Scale;
use crate::html::show::{px, rate, seconds, short};
use crate::storm::{because, sentence};

impl StormReport {
    /// As a page.
    #[must_use]
    pub fn page(&self, repeat: Repeat) -> Page {
        let known =
            |finding: &Finding| finding.hysteresis.as_ref().is_some_and(|found| found.ends_below_per_second.is_some());
        let figures = [Some(self.shares()), self.policies.iter().any(known).then(|| self.loads())];
        Page {
            title: format!("A storm on {}", self.origin.scenario),
            said: self.policies.iter().map(said).collect(),
            numbers: Vec::new(),
            facts: facts(&self.origin),
            repeat,
            figures: figures.into_iter().flatten().collect(),
            tables: Vec::new(),
            text: self.text(),
        }
    }

    /// The share of seeds that did not recover.
    fn shares(&self) -> Figure {
        let rows: Vec<_> = self.policies.iter().map(row).collect();
        let layout = Layout {
            what: "seeds that did not recover",
            extent: (0.0, 1.0),
            marks: &[],
            name: |share| format!("{:.0} %", 100.0 * share),
        };
        let nothing = rows.iter().all(|row| row.known.is_none());
        let head = [
            "policy",
            "verdict",
            "seeds",
            "did not recover",
            "95% low",
            "95% high",
            "fell without trigger",
            "recovered after",
            "survives",
        ];
        Figure {
            id: "shares",
            title: "How often the bad state outlives its cause".to_owned(),
            caption: "Each dot is the share of seeds that had not recovered when the time of the experiment was over, its line the 95 % \
                      interval. At 0 % every seed comes back by itself, at 100 % none does."
                .to_owned(),
            drawn: if nothing { Err("Not enough data: no seed had a healthy control arm to be held against.".to_owned()) } else { Ok(vec![intervals::panel(&rows, &layout)]) },
            table: Table::new(head, self.policies.iter().map(cells).collect()),
        }
    }

    /// Below which load it ends by itself, and above which it begins by itself.
    fn loads(&self) -> Figure {
        let known: Vec<_> =
            self.policies.iter().filter_map(|finding| Some((finding, finding.hysteresis.as_ref()?))).collect();
        let ends = |(finding, found): &(&Finding, &Hysteresis)| {
            [Some(finding.cell.load_per_second), found.ends_below_per_second, found.lost_above_per_second]
        };
        let most = known.iter().flat_map(ends).flatten().fold(0.0, f64::max);
        let panel = |(finding, found): &(&Finding, &Hysteresis)| Panel {
            name: if known.len() > 1 { finding.policy.clone() } else { String::new() },
            says: zones(finding, found),
            wide: None,
            narrow: loads(finding, found, 1.15 * most),
            pointed: Vec::new(),
        };
        let row = |(finding, found): &(&Finding, &Hysteresis)| {
            let load = |load: Option<f64>| load.map_or_else(|| "–".to_owned(), rate);
            let [at, below, above] = ends(&(*finding, *found)).map(load);
            vec![finding.policy.clone(), at, below, above]
        };
        let head = ["policy", "load of the scenario", "ends by itself below", "begins by itself above"];
        Figure {
            id: "loads",
            title: "Which load keeps it going".to_owned(),
            caption: "Below the first edge the bad state ends by itself. Between the edges it stays once something has caused it. Above the \
                      second it comes without a cause."
                .to_owned(),
            drawn: Ok(known.iter().map(panel).collect()),
            table: Table::new(head, known.iter().map(row).collect()),
        }
    }
}

/// How a verdict is meant.
pub(super) const fn mood(verdict: Verdict) -> Mood {
    match verdict {
        Verdict::Stable => Mood::Good,
        Verdict::Slow | Verdict::Undecided => Mood::Untold,
        _ => Mood::Bad,
    }
}

fn said(finding: &Finding) -> Said {
    let cell = &finding.cell;
    let reason = because(cell).map(|why| format!(" Because {why}.").replace("Because it ", "It ")).unwrap_or_default();
    let word = format!("{}: {}", finding.policy, cell.verdict.name());
    Said::new(mood(cell.verdict), word, format!("{} {}{reason}", meaning(cell.verdict), sentence(cell)))
}

/// What a verdict means, for who meets it for the first time.
pub(super) const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Stable => "It comes back by itself.",
        Verdict::Metastable => "The bad state keeps itself going after its cause is gone; only less load ends it.",
        Verdict::Stuck => "The bad state stays after its cause is gone, and less load does not end it.",
        Verdict::Probabilistic => "Some seeds come back and some do not.",
        Verdict::Slow => "It was still getting better when the time was over.",
        Verdict::Spontaneous => "It falls over without the trigger as well.",
        Verdict::Overloaded => "It was never healthy, with or without the trigger.",
        Verdict::Undecided => "There is no verdict.",
    }
}

fn row(finding: &Finding) -> intervals::Row {
    let Cell { verdict, not_recovered, .. } = &finding.cell;
    let Share { count, of, low, high } = *not_recovered;
    #[expect(clippy::cast_precision_loss, reason = "a share of seeds")]
    let share = count as f64 / of.max(1) as f64;
    intervals::Row {
        name: finding.policy.clone(),
        class: match mood(*verdict) {
            Mood::Good => "ok",
            Mood::Bad => "failed",
            _ => "plain",
        },
        known: (of > 0).then_some([low, share, high]),
        says: format!("{}: {count} of {of} seeds", verdict.name()),
    }
}

fn cells(finding: &Finding) -> Vec<String> {
    let Cell { verdict, seeds, not_recovered, control_fell, modes, .. } = &finding.cell;
    let percent = |share: f64| if not_recovered.of > 0 { crate::html::show::percent(share) } else { "–".to_owned() };
    let survives = match finding.survivable {
        None => "–".to_owned(),
        Some(Survivable { survived_s, lost_s: None, .. }) => format!("≥ {}", seconds(survived_s)),
        Some(Survivable { survived_s, .. }) => seconds(survived_s),
    };
    vec![
        finding.policy.clone(),
        verdict.name().to_owned(),
        seeds.to_string(),
        format!("{} of {}", not_recovered.count, not_recovered.of),
        percent(not_recovered.low),
        percent(not_recovered.high),
        format!("{} of {}", control_fell.count, control_fell.of),
        modes.recovery_s_median.map_or_else(|| "–".to_owned(), seconds),
        survives,
    ]
}

fn zones(finding: &Finding, found: &Hysteresis) -> String {
    let load = |load: Option<f64>| load.map_or_else(|| "no load".to_owned(), rate);
    let at = rate(finding.cell.load_per_second);
    let below = load(found.ends_below_per_second);
    let above = found
        .lost_above_per_second
        .map_or_else(String::new, |above| format!(", begins by itself above {}", rate(above)));
    format!("At {at} it stays once caused; it ends by itself below {below}{above}.")
}

/// A line of loads in three zones, with the scenario's load marked.
fn loads(finding: &Finding, found: &Hysteresis, most: f64) -> Drawing {
    let size = Size { width: Size::NARROW.width, height: 128.0, left: 14.0, right: 24.0, top: 34.0, bottom: 52.0 };
    let (left, right) = size.across();
    let scale = Scale::linear((0.0, most), (left, right));
    let low = scale.place(found.ends_below_per_second.unwrap_or_default());
    let high = found.lost_above_per_second.map_or(right, |load| scale.place(load));
    let at = scale.place(finding.cell.load_per_second);
    let (top, bottom) = (size.top, size.height - size.bottom);
    let zones = [
        (left, low, "stable", "ends by itself"),
        (low, high, "probabilistic", "stays once caused"),
        (high, right, "metastable", "begins by itself"),
    ];
    let edges = [Some(0.0), found.ends_below_per_second, found.lost_above_per_second].into_iter().flatten();
    let marks = html! {
        @for (from, until, class, name) in zones {
            @if until > from {
                rect.cell.(class) x=(px(from)) y=(px(top)) width=(px(until - from)) height=(px(bottom - top)) {}
                @if until - from > 6.2 * name.len() as f64 {
                    text.letter.(class) x=(px(f64::midpoint(from, until))) y=(px(f64::midpoint(top, bottom))) dy="0.35em" { (name) }
                }
            }
        }
        path.pin d={ "M" (px(at)) " " (px(top - 1.0)) "l-5 -8h10z" } {}
        text.middle x=(px(at.clamp(left + 80.0, right - 80.0))) y=(px(top - 15.0)) {
            "the scenario asks for " (rate(finding.cell.load_per_second))
        }
        @for edge in edges {
            text.tick.middle x=(px(scale.place(edge))) y=(px(bottom + 16.0)) { (short(edge)) }
        }
        text.axis.middle x=(px(f64::midpoint(left, right))) y=(px(bottom + 36.0)) { "calls per second" }
    };
    Drawing { size, marks }
}
