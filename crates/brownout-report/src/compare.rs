//! Several policies, side by side.

use std::fmt::Write as _;

use brownout_lab::compare::{Arm, Compared, Estimate, Expected};
use brownout_lab::statistics::Median;
use serde::Serialize;

use crate::html::show::{percent, seconds};
use crate::number::counted;
use crate::table::table;
use crate::{Origin, written};

/// A comparison as `compare` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CompareReport {
    /// What it came to.
    #[serde(flatten)]
    pub compared: Compared,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
}

const NOTHING: &str = "–";

impl CompareReport {
    /// For people: one line a policy, then what each makes different.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| self.write(text))
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Compared { seeds, trigger_s, policies, .. } = &self.compared;
        let runs = counted(u64::from(*seeds), "run", "runs");
        write!(text, "{runs} of each policy, on the same luck")?;
        match trigger_s {
            Some((from, until)) => writeln!(text, "; trigger from {from} s to {until} s")?,
            None => writeln!(text)?,
        }
        let mut rows = heads(trigger_s.is_some(), self.has_effects(), self.has_expectations());
        rows.extend(policies.iter().map(|arm| self.row(arm)));
        writeln!(text, "\n{}", table(&rows))?;
        let first = policies.first().map_or("", |arm| arm.name.as_str());
        // A difference has as many digits as the larger of what it is between.
        let apart = |by: Estimate, rate: fn(&Arm) -> Option<Estimate>, arm: &Arm| {
            let rates = policies.first().into_iter().chain([arm]).filter_map(rate);
            signed(by, digits(rates.max_by(|one, other| one.mean.total_cmp(&other.mean))))
        };
        for arm in policies {
            if let Some(difference) = arm.difference {
                let shares = difference.success_rate.map(|by| by.scaled(100.0));
                let parts = [
                    shares.map(|by| format!("success {} points", signed(by, 1))),
                    difference.amplification.map(|by| format!("amplification {}", signed(by, 2))),
                    match self.compared.trigger_s {
                        Some(_) => difference
                            .goodput_after
                            .map(|by| format!("goodput after {}/s", apart(by, |arm| arm.goodput_after, arm))),
                        None => difference
                            .goodput_per_second
                            .map(|by| format!("goodput {}/s", apart(by, |arm| arm.goodput_per_second, arm))),
                    },
                ];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                if !parts.is_empty() {
                    writeln!(text, "{} against {first}: {}", arm.name, parts.join(", "))?;
                }
            }
            if let Some((runs, why)) = &arm.cut_short {
                writeln!(text, "{}: {} cut short: {why}", arm.name, counted(*runs, "run was", "runs were"))?;
            }
        }
        if *seeds > 1 {
            writeln!(text, "± is half of a 95 % interval over runs; recovery is the median run.")?;
        }
        Ok(())
    }

    fn has_effects(&self) -> bool {
        self.compared.policies.iter().any(|arm| arm.duplicates.is_some())
    }

    fn has_expectations(&self) -> bool {
        self.compared.policies.iter().any(|arm| arm.expected.is_some())
    }

    fn row(&self, arm: &Arm) -> Vec<String> {
        let percent = |estimate: Option<Estimate>| shown(estimate.map(|share| share.scaled(100.0)), 1, "%");
        let mut row = vec![arm.name.clone(), percent(arm.success_rate), shown(arm.amplification, 2, "")];
        if self.compared.trigger_s.is_some() {
            row.extend([arm.goodput_before, arm.goodput_during, arm.goodput_after].map(rate));
        } else {
            row.push(shown(arm.goodput_per_second, digits(arm.goodput_per_second), ""));
        }
        row.extend([shown(arm.success_p50_ms, 0, ""), shown(arm.success_p99_ms, 0, ""), percent(arm.wasted_share)]);
        if self.compared.trigger_s.is_some() {
            row.push(recovery(arm.recovery_s.as_ref()));
        }
        row.push(plain(arm.budget_denied.filter(|denied| denied.mean > 0.0), 0));
        if self.has_effects() {
            row.push(shown(arm.duplicates, 0, ""));
        }
        row.extend(arm.expected.map(verdict));
        row
    }
}

/// What became of the expectations in all runs.
fn verdict(Expected { met, missed, not_enough_data }: Expected) -> String {
    match (met, missed, not_enough_data) {
        (_, 0, 0) => "met".to_owned(),
        (0, _, 0) => "missed".to_owned(),
        (0, 0, _) => "not enough data".to_owned(),
        _ => format!("met in {met} of {}", met + missed + not_enough_data),
    }
}

fn heads(trigger: bool, effects: bool, expectations: bool) -> Vec<Vec<String>> {
    let (goodput, recovery): (&[&str], &[&str]) =
        if trigger { (&["goodput/s", "", ""], &["recovered"]) } else { (&["goodput/s"], &[]) };
    let under: (&[&str], &[&str]) = if trigger { (&["before", "during", "after"], &["after"]) } else { (&[""], &[]) };
    let mut last: [Vec<&str>; 2] = if effects { [vec!["duplicate"], vec!["effects"]] } else { [vec![], vec![]] };
    if expectations {
        last[0].push("what is");
        last[1].push("expected");
    }
    let line = |start: &[&str], goodput: &[&str], middle: &[&str], recovery: &[&str], end: &str, last: &[&str]| {
        let words = start.iter().chain(goodput).chain(middle).chain(recovery).chain([&end]).chain(last);
        words.map(|word| (*word).to_owned()).collect()
    };
    vec![
        line(
            &["policy", "success", "attempts"],
            goodput,
            &["success ms", "", "wasted"],
            recovery,
            "denied by",
            &last[0],
        ),
        line(&["", "", "per call"], under.0, &["p50", "p99", "work"], under.1, "budget", &last[1]),
    ]
}

/// A number with what it is good for.
fn shown(estimate: Option<Estimate>, digits: usize, unit: &str) -> String {
    match estimate {
        None => NOTHING.to_owned(),
        Some(Estimate { mean, half_width: None }) => format!("{mean:.digits$}{unit}"),
        Some(Estimate { mean, half_width: Some(half) }) => format!("{mean:.digits$}{unit} ±{half:.digits$}"),
    }
}

fn plain(estimate: Option<Estimate>, digits: usize) -> String {
    estimate.map_or_else(|| NOTHING.to_owned(), |estimate| format!("{:.digits$}", estimate.mean))
}

fn rate(estimate: Option<Estimate>) -> String {
    plain(estimate, digits(estimate))
}

/// As many digits as tell something of a rate.
fn digits(rate: Option<Estimate>) -> usize {
    match rate.map_or(0.0, |rate| rate.mean) {
        rate if rate >= 10.0 || rate <= 0.0 => 0,
        rate if rate >= 1.0 => 1,
        _ => 3,
    }
}

fn signed(estimate: Estimate, digits: usize) -> String {
    let half = estimate.half_width.map(|half| format!(" ±{half:.digits$}")).unwrap_or_default();
    format!("{:+.digits$}{half}", estimate.mean)
}

/// The median time, or how many runs never recovered.
fn recovery(times: Option<&Median>) -> String {
    let Some(Median { n, never, median, .. }) = times else { return NOTHING.to_owned() };
    match (median, never) {
        (Some(median), 0) => format!("{median:.0} s"),
        (Some(median), never) => format!("{median:.0} s; never in {never} of {n}"),
        (None, never) if never == n => "never".to_owned(),
        (None, never) => format!("never in {never} of {n}"),
    }
}

/// Whether callers came back in most runs; `None` where nothing can be told.
pub(crate) fn came_back(arm: &Arm) -> Option<bool> {
    arm.recovery_s.as_ref().map(|times| times.median.is_some())
}

/// In short: what became of a policy.
pub(crate) fn outcome(arm: &Arm, trigger: bool) -> String {
    match (came_back(arm), arm.success_rate) {
        (Some(_), _) if trigger => match arm.recovery_s.as_ref().and_then(|times| times.median) {
            Some(median) => format!("recovers after {}", seconds(median)),
            None => "never recovers".to_owned(),
        },
        (_, Some(share)) => format!("{} succeed", percent(share.mean)),
        _ => "no calls".to_owned(),
    }
}

pub(crate) fn says(arm: &Arm) -> String {
    let success = arm.success_rate.map(|share| format!("{} succeed", percent(share.mean)));
    let attempts = arm.amplification.map(|number| format!("{:.2} attempts a call", number.mean));
    success.into_iter().chain(attempts).collect::<Vec<_>>().join(", ")
}
