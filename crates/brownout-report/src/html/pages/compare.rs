//! The page of several policies.

use brownout_lab::compare::{Arm, Compared, Course, Estimate};
use brownout_lab::statistics::Median;
use maud::html;

use super::facts;
use crate::CompareReport;
use crate::compare::{came_back, outcome, says};
use crate::html::figure::{Drawing, Figure, Panel, Table};
use crate::html::intervals::{self, Layout};
use crate::html::page::{Mood, Page, Repeat, Said};
use crate::html::plot::{Band, Line, Plot, Size};
use crate::html::scale::Scale;
use crate::html::show::{percent, rate, seconds, short, whole_percent};
use crate::html::timeline::{float, middles};
use crate::number::counted;

impl CompareReport {
    /// As a page.
    #[must_use]
    pub fn page(&self, repeat: Repeat) -> Page {
        Page {
            title: format!("Policies compared on {}", self.origin.scenario),
            said: self.said(),
            numbers: Vec::new(),
            facts: facts(&self.origin),
            repeat,
            figures: vec![self.courses(), self.success()],
            tables: Vec::new(),
            text: self.text(),
        }
    }

    fn said(&self) -> Vec<Said> {
        let Compared { seeds, trigger_s, policies, .. } = &self.compared;
        let names = |is: fn(&Arm) -> bool| {
            policies.iter().filter(|arm| is(arm)).map(|arm| arm.name.as_str()).collect::<Vec<_>>()
        };
        let mut said = Vec::new();
        let runs = counted(u64::from(*seeds), "run", "runs");
        let alike = format!("{runs} of each policy, on the same luck.");
        if trigger_s.is_some() {
            let [back, never, untold] = [
                names(|arm| came_back(arm) == Some(true)),
                names(|arm| came_back(arm) == Some(false)),
                names(|arm| came_back(arm).is_none()),
            ];
            if !never.is_empty() {
                let word = format!("Never recovered with {}", list(&never));
                said.push(Said::new(
                    Mood::Bad,
                    word,
                    format!("In half of the runs or more, callers had not come back by the end of the load. {alike}"),
                ));
            }
            if !back.is_empty() {
                let times = policies
                    .iter()
                    .filter(|arm| came_back(arm) == Some(true))
                    .filter_map(|arm| Some(format!("{} {}", arm.name, seconds(arm.recovery_s?.median?))));
                let sentence = format!(
                    "In the middle run, from the end of the trigger: {}.",
                    times.collect::<Vec<_>>().join(", ")
                );
                said.push(Said::new(Mood::Good, format!("Recovered with {}", list(&back)), sentence));
            }
            if !untold.is_empty() {
                let sentence = "Too little was seen before or after the trigger.";
                said.push(Said::new(Mood::Untold, format!("Recovery cannot be told with {}", list(&untold)), sentence));
            }
        } else if let Some((best, share)) = best(policies) {
            let word = format!("{} of calls succeeded with {}", percent(share), best.name);
            said.push(Said::new(Mood::Plain, word, format!("That is the highest share of all policies. {alike}")));
        }
        for arm in policies {
            if let Some((runs, why)) = &arm.cut_short {
                let sentence = format!("{} cut short: {why}.", counted(*runs, "run was", "runs were"));
                said.push(Said::new(Mood::Untold, format!("Not all was seen of {}", arm.name), sentence));
            }
        }
        said
    }

    /// Each policy over time, on one scale.
    fn courses(&self) -> Figure {
        let known: Vec<_> =
            self.compared.policies.iter().filter_map(|arm| Some((arm, arm.per_interval.as_ref()?))).collect();
        let end = known.iter().map(|(_, course)| course.end_s()).fold(0.0, f64::max);
        let most = |course: &Course| {
            let most = course.calls.iter().chain(&course.attempts).copied().fold(0.0, f64::max);
            let most = course.succeeded_max.iter().map(|count| float(*count)).fold(most, f64::max);
            most / float(course.interval_s)
        };
        let top = known.iter().map(|(_, course)| most(course)).fold(0.0, f64::max);
        let runs = known.iter().map(|(_, course)| course.runs).max().unwrap_or_default();
        let band = self.compared.trigger_s.map(|(from, until)| Band {
            name: "trigger".to_owned(),
            from,
            until: until.min(end),
        });
        let bands: Vec<Band> = band.into_iter().filter(|band| band.from < end).collect();
        let panel = |(number, (arm, course)): (usize, &(&Arm, &Course))| Panel {
            name: format!("{}: {}", arm.name, outcome(arm, self.compared.trigger_s.is_some())),
            says: says(arm),
            wide: None,
            narrow: drawing(course, &bands, (end, top)),
            pointed: (2 * number + 1..2 * number + 3).collect(),
        };
        let short = known.iter().all(|(_, course)| course.calls.len() < 3);
        let caption = format!(
            "Calls begun, attempts made for them, and calls that succeeded, each a second: the mean of {}. The shade around what \
             succeeded reaches from the run with the fewest to the run with the most. All pictures have the same scales.",
            counted(runs as u64, "run", "runs")
        );
        Figure {
            id: "policies",
            title: "The same calls under each policy".to_owned(),
            caption,
            drawn: if short {
                Err("Not enough data: no run is long enough to be drawn over time.".to_owned())
            } else {
                Ok(known.iter().enumerate().map(panel).collect())
            },
            table: table(&known),
        }
    }

    /// What each policy comes to, with how sure that is.
    fn success(&self) -> Figure {
        let row = |arm: &Arm| intervals::Row {
            name: arm.name.clone(),
            class: match came_back(arm) {
                Some(false) => "failed",
                _ => "ok",
            },
            known: arm.success_rate.map(ends),
            says: says(arm),
        };
        let rows: Vec<_> = self.compared.policies.iter().map(row).collect();
        let layout = Layout { what: "calls that succeeded", extent: (0.0, 1.0), marks: &[], name: whole_percent };
        let estimate = |estimate: Option<Estimate>, show: fn(f64) -> String| match estimate {
            None => "–".to_owned(),
            Some(Estimate { mean, half_width: None }) => show(mean),
            Some(Estimate { mean, half_width: Some(half) }) => format!("{} ± {}", show(mean), show(half)),
        };
        let cells = |arm: &Arm| {
            vec![
                arm.name.clone(),
                estimate(arm.success_rate, percent),
                estimate(arm.amplification, |number| format!("{number:.2}")),
                estimate(arm.goodput_per_second, rate),
                estimate(arm.success_p99_ms, crate::html::show::millis),
                estimate(arm.wasted_share, percent),
                recovery(arm.recovery_s.as_ref()),
            ]
        };
        let head = [
            "policy",
            "succeeded",
            "attempts a call",
            "goodput",
            "p99 of successes",
            "work for nobody",
            "recovered after",
        ];
        let first = self.compared.policies.first().map_or("", |arm| arm.name.as_str());
        let against = self.compared.policies.iter().filter_map(|arm| Some((arm, arm.difference?.success_rate?)));
        let against: Vec<_> = against.map(|(arm, by)| format!("{} {:+.1} points", arm.name, 100.0 * by.mean)).collect();
        let against = if against.is_empty() {
            String::new()
        } else {
            format!(" Against {first}, run by run: {}.", against.join(", "))
        };
        Figure {
            id: "success",
            title: "What each policy comes to".to_owned(),
            caption: format!(
                "Each dot is the mean over the runs, its line the 95 % interval; a line shorter than its dot is not seen.{against}"
            ),
            drawn: if rows.iter().all(|row| row.known.is_none()) {
                Err("Not enough data: no call was begun.".to_owned())
            } else {
                Ok(vec![intervals::panel(&rows, &layout)])
            },
            table: Table::new(head, self.compared.policies.iter().map(cells).collect()),
        }
    }
}

fn drawing(course: &Course, bands: &[Band], (end, top): (f64, f64)) -> Drawing {
    let size = Size::NARROW;
    let plot =
        Plot { size, x: Scale::linear((0.0, end), size.across()), y: Scale::linear((0.0, 1.06 * top), size.up()) };
    let each = float(course.interval_s);
    let middles = |column: &[f64]| -> Vec<(f64, f64)> {
        column.iter().enumerate().map(|(place, count)| ((place as f64 + 0.5) * each, count / each)).collect()
    };
    let line = |name, class, column: &[f64]| {
        let points = middles(column).into_iter().map(|(at, count)| (at, Some(count))).collect();
        Line { name, class, points }
    };
    let floats = |column: &[u64]| column.iter().map(|count| float(*count)).collect::<Vec<_>>();
    let lines = [
        line("calls", "calls", &course.calls),
        line("attempts", "attempts", &course.attempts),
        line("succeeded", "succeeded", &course.succeeded),
    ];
    let marks = html! {
        (plot.bands(bands))
        (plot.axis_left("per second", &plot.y.ticks(5), short))
        (plot.axis_of_time(end))
        (plot.between("succeeded", &middles(&floats(&course.succeeded_min)), &middles(&floats(&course.succeeded_max))))
        (plot.lines(&lines))
    };
    Drawing { size, marks }
}

/// Attempts and successes of each policy, an interval a row.
fn table(known: &[(&Arm, &Course)]) -> Table {
    let names =
        known.iter().flat_map(|(arm, _)| ["attempts/s", "succeeded/s"].map(|what| format!("{}, {what}", arm.name)));
    let head = ["from".to_owned()].into_iter().chain(names).collect();
    let longest = known.iter().map(|(_, course)| *course).max_by(|one, other| one.end_s().total_cmp(&other.end_s()));
    let Some(longest) = longest else { return Table::default() };
    let (length, each) = (longest.calls.len(), float(longest.interval_s));
    let row = |place: usize| {
        let from = place as f64 * each;
        let cells = known.iter().flat_map(|(_, course)| {
            let own = float(course.interval_s);
            // Policies whose runs last longer may have longer intervals.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
            let at = (from / own) as usize;
            [&course.attempts, &course.succeeded]
                .map(|column| column.get(at).map_or_else(|| "–".to_owned(), |count| short(count / own)))
        });
        [format!("{from} s")].into_iter().chain(cells).collect()
    };
    Table { head, rows: (0..length).map(row).collect(), places: middles(length) }
}

/// Low, mean, high.
fn ends(estimate: Estimate) -> [f64; 3] {
    let half = estimate.half_width.unwrap_or_default();
    [(estimate.mean - half).max(0.0), estimate.mean, (estimate.mean + half).min(1.0)]
}

fn recovery(times: Option<&Median>) -> String {
    match times {
        None => "–".to_owned(),
        Some(Median { median: Some(median), never: 0, .. }) => seconds(*median),
        Some(Median { median: Some(median), never, n, .. }) => format!("{}; never in {never} of {n}", seconds(*median)),
        Some(Median { never, n, .. }) => format!("never in {never} of {n}"),
    }
}

fn best(policies: &[Arm]) -> Option<(&Arm, f64)> {
    let known = policies.iter().filter_map(|arm| Some((arm, arm.success_rate?.mean)));
    known.reduce(|best, other| if other.1 > best.1 { other } else { best })
}

/// Names in a sentence.
fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
