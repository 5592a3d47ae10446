//! The page of a rehearsal.

mod figures;
mod said;
#[cfg(test)]
mod tests;

use brownout_lab::rehearse::{Backoff, Judged, Rehearsal, outcome};
use brownout_load::Met;

use super::{facts, program};
use crate::RehearseReport;
use crate::html::figure::Table;
use crate::html::page::{Page, Repeat};
use crate::html::show::count;
use crate::rehearse::words::{end, headline, short};

/// So many seeds are named before all else.
const SEEDS_NAMED: usize = 12;
const NOTHING: &str = "–";

impl RehearseReport {
    /// As a page.
    #[must_use]
    pub fn page(&self, repeat: Repeat) -> Page {
        let program = self.command.first().map_or("a command", |path| program(path));
        let seen = self.summary.attempts > 0;
        Page {
            title: format!("A rehearsal of {program} against {}", self.origin.scenario),
            said: self.said(),
            numbers: if seen { self.numbers() } else { Vec::new() },
            facts: self.facts(),
            repeat,
            figures: if seen { self.figures() } else { Vec::new() },
            tables: self.tables(),
            text: self.text(),
        }
    }

    /// With all seeds in the place of the first.
    fn facts(&self) -> Vec<(String, String)> {
        let mut facts = facts(&self.origin);
        if let [_, _, ..] = &self.runs[..] {
            let named: Vec<String> = self.runs.iter().take(SEEDS_NAMED).map(|run| run.seed.to_string()).collect();
            let more = self.runs.len().saturating_sub(SEEDS_NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            for (name, value) in facts.iter_mut().filter(|(name, _)| name == "seed") {
                (*name, *value) = ("seeds".to_owned(), named.join(", ") + &more);
            }
        }
        facts
    }

    fn numbers(&self) -> Vec<(String, String)> {
        let all = &self.summary;
        let most = |of: fn(&Rehearsal) -> u64| self.runs.iter().map(of).max().unwrap_or_default();
        let known = [
            ("calls", Some(count(all.calls))),
            ("requests", Some(count(all.attempts))),
            ("requests a call", all.amplification.map(short)),
            ("of the worst call", all.attempts_worst.map(count)),
            ("Retry-After broken", (all.retry_after.told > 0).then(|| count(all.retry_after.broken))),
            ("duplicates", all.effects.map(|effects| count(effects.duplicates))),
            ("at once, at most", Some(count(most(|run| run.peak)))),
        ];
        known.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?))).collect()
    }

    fn tables(&self) -> Vec<(String, Table)> {
        let several = self.runs.len() > 1;
        let judged = self.runs.first().filter(|run| !several && !run.expectations.is_empty()).map(|run| {
            let row = |judged: &Judged| {
                vec![judged.expectation.to_string(), judged.shown(), judged.outcome.name().to_owned()]
            };
            (
                "What was expected".to_owned(),
                Table::new(["", "measured", ""], run.expectations.iter().map(row).collect()),
            )
        });
        let runs = several.then(|| {
            let head = [
                "seed",
                "calls",
                "requests",
                "a call",
                "worst call",
                "Retry-After broken",
                "duplicates",
                "backoff",
                "command",
                "expected",
            ];
            ("Run by run".to_owned(), Table::new(head, self.runs.iter().map(run_cells).collect()))
        });
        judged.into_iter().chain(runs).collect()
    }
}

fn run_cells(run: &Rehearsal) -> Vec<String> {
    let shown = |number: Option<u64>| number.map_or_else(|| NOTHING.to_owned(), count);
    vec![
        run.seed.to_string(),
        count(run.calls),
        count(run.attempts),
        run.amplification.map_or_else(|| NOTHING.to_owned(), short),
        shown(run.attempts_worst),
        if run.retry_after.told > 0 {
            format!("{} of {}", run.retry_after.broken, run.retry_after.told)
        } else {
            NOTHING.to_owned()
        },
        shown(run.effects.map(|effects| effects.duplicates)),
        if run.attempts > 0 { rule(&run.backoff).to_owned() } else { headline(run) },
        end(run.command),
        outcome(&run.expectations).map_or(NOTHING, Met::name).to_owned(),
    ]
}

/// A rule in a word or two.
const fn rule(backoff: &Backoff) -> &'static str {
    match backoff {
        Backoff::NoRetries => "no retries",
        Backoff::NotEnoughData { .. } => "not enough data",
        Backoff::AtOnce => "none",
        Backoff::Fixed { .. } => "fixed",
        Backoff::Linear { .. } => "linear",
        Backoff::Exponential { .. } => "exponential",
        Backoff::Growing { .. } => "growing",
        Backoff::Jittered { .. } => "jittered",
    }
}
