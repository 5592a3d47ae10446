//! What is drawn of a rehearsal.

use std::collections::BTreeMap;

use brownout_lab::rehearse::{AttemptSeen, CallSeen, Heed, Rehearsal};

use super::NOTHING;
use crate::RehearseReport;
use crate::html::at_once;
use crate::html::bars::{self, Bar};
use crate::html::calls::{self, Row};
use crate::html::figure::{Figure, Panel, Table};
use crate::html::show::millis;
use crate::html::signs::Sign;
use crate::html::waits::{self, Wait};
use crate::number::counted;

/// So many calls of one run are drawn, and so many runs.
const CALLS_MAX: usize = 12;
const RUNS_MAX: usize = 24;

impl RehearseReport {
    pub(super) fn figures(&self) -> Vec<Figure> {
        let listed: Vec<&AttemptSeen> =
            self.runs.iter().flat_map(|run| &run.list).flat_map(|call| &call.attempts).collect();
        let mut figures = vec![self.timeline(), waits::figure(&all_waits(&self.runs)), answers(&listed)];
        if let [_] = &self.runs[..] {
            figures.extend(at_once::figure(&listed));
        }
        figures
    }

    /// The most telling calls, or of several runs the most telling one of each.
    fn timeline(&self) -> Figure {
        let (rows, all, what) = match &self.runs[..] {
            [run] => (calls_of(run), run.list.len(), "calls"),
            runs => (worst_of(runs), runs.len(), "runs"),
        };
        let omitted: u64 = self.runs.iter().map(|run| run.attempts_omitted).sum();
        let mut caption = match what {
            "calls" => "A row for each call.",
            _ => "A row for each run: its call with the most attempts.",
        }
        .to_owned();
        caption +=
            " Each sign is an attempt, with what it was answered; between them stands how long the client waited.";
        if rows.iter().flat_map(|row| &row.call.attempts).any(|attempt| attempt.retry_after.is_some()) {
            caption +=
                " A shaded stretch is how long an answer asked it to stay away: an attempt within it came too soon.";
        }
        if all > rows.len() {
            caption += &format!(
                " {} of {all} {what} are drawn, those with the most attempts; {} are left out.",
                rows.len(),
                all - rows.len()
            );
        }
        if omitted > 0 {
            caption +=
                &format!(" {} beyond those that are kept are left out too.", counted(omitted, "attempt", "attempts"));
        }
        let panel = Panel {
            name: String::new(),
            says: calls::says(&rows),
            wide: Some(calls::drawing(&rows, true)),
            narrow: calls::drawing(&rows, false),
            pointed: Vec::new(),
        };
        let head = [
            "call",
            "attempt",
            "came at",
            "after its first",
            "after a wait of",
            "answer",
            "Retry-After",
            "",
            "done",
            "connection",
        ];
        Figure {
            id: "calls",
            title: if what == "calls" { "When each call was tried" } else { "The worst call of each run" }.to_owned(),
            caption,
            drawn: Ok(vec![panel]),
            table: Table::new(head, rows.iter().flat_map(cells).collect()),
        }
    }
}

/// How much a call tells: more attempts, then more that came too soon, then failure.
fn telling(call: &CallSeen) -> (usize, usize, bool) {
    let broken = call.attempts.iter().filter(|attempt| attempt.retry_after == Some(Heed::Broken)).count();
    (call.attempts.len(), broken, !has_succeeded(call))
}

fn has_succeeded(call: &CallSeen) -> bool {
    call.attempts.iter().any(|attempt| attempt.answer.is_success())
}

/// The places of the most telling of these, in their order; of equals the first.
fn most_telling<'c>(calls: impl Iterator<Item = &'c CallSeen>, most: usize) -> Vec<usize> {
    let mut places: Vec<_> = calls.map(telling).enumerate().collect();
    places.sort_by(|(_, one), (_, other)| other.cmp(one));
    let mut places: Vec<usize> = places.into_iter().take(most).map(|(place, _)| place).collect();
    places.sort_unstable();
    places
}

fn outlook(call: &CallSeen) -> String {
    let attempts = counted(call.attempts.len() as u64, "attempt", "attempts");
    format!("{attempts}, {}", if has_succeeded(call) { "succeeded" } else { "failed" })
}

fn calls_of(run: &Rehearsal) -> Vec<Row<'_>> {
    let row = |place: usize| {
        let call = &run.list[place];
        Row { name: format!("{} · {} {}", place + 1, call.method, call.path), note: outlook(call), call }
    };
    most_telling(run.list.iter(), CALLS_MAX).into_iter().map(row).collect()
}

/// The most telling call of each of the most telling runs.
fn worst_of(runs: &[Rehearsal]) -> Vec<Row<'_>> {
    let worst: Vec<(&Rehearsal, &CallSeen)> =
        runs.iter().filter_map(|run| Some((run, &run.list[*most_telling(run.list.iter(), 1).first()?]))).collect();
    let row = |place: usize| {
        let (run, call) = worst[place];
        Row { name: format!("seed {} · {} {}", run.seed, call.method, call.path), note: outlook(call), call }
    };
    most_telling(worst.iter().map(|(_, call)| *call), RUNS_MAX).into_iter().map(row).collect()
}

fn cells(row: &Row<'_>) -> impl Iterator<Item = Vec<String>> {
    let time = |ms: Option<f64>| ms.map_or_else(|| NOTHING.to_owned(), millis);
    let first = row.call.attempts.first().map_or(0.0, |first| first.at_ms);
    let mut done = calls::done();
    row.call.attempts.iter().enumerate().map(move |(place, attempt)| {
        let heed = match attempt.retry_after {
            None => "",
            Some(Heed::Honoured) => "honoured",
            Some(Heed::Broken) => "broken",
            Some(Heed::GivenUp) => "not tried again",
        };
        vec![
            row.name.clone(),
            (place + 1).to_string(),
            millis(attempt.at_ms),
            millis(attempt.at_ms - first),
            time(attempt.wait_ms),
            attempt.answer.to_string(),
            time(attempt.retry_after_ms),
            heed.to_owned(),
            done(attempt).unwrap_or_default(),
            (attempt.connection + 1).to_string(),
        ]
    })
}

fn all_waits(runs: &[Rehearsal]) -> Vec<Wait> {
    let of_call = |call: &CallSeen| {
        let wait = |(retry, attempt): (usize, &AttemptSeen)| {
            Some(Wait { retry, ms: attempt.wait_ms?, asked: attempt.wait_asked })
        };
        call.attempts.iter().enumerate().skip(1).filter_map(wait).collect::<Vec<_>>()
    };
    runs.iter().flat_map(|run| &run.list).flat_map(of_call).collect()
}

/// What attempts were answered, by kind.
fn answers(attempts: &[&AttemptSeen]) -> Figure {
    let mut counts: BTreeMap<(Sign, String), u64> = BTreeMap::new();
    for attempt in attempts {
        *counts.entry((Sign::of(attempt.answer), attempt.answer.to_string())).or_default() += 1;
    }
    let bars: Vec<Bar> =
        counts.into_iter().map(|((sign, name), count)| Bar { name, class: sign.class(), count }).collect();
    bars::figure(
        "answers",
        "What attempts were answered",
        "By status, or by what came in its place.",
        &bars,
        ("attempts", attempts.len() as u64),
    )
}
