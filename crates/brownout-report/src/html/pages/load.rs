//! The page of a load.

use std::collections::BTreeMap;

use brownout_load::{CapacityResult, LoadResult, Met, Recovery};

use super::facts;
use crate::LoadReport;
use crate::html::bars::{self, Bar};
use crate::html::figure::{Figure, Table};
use crate::html::page::{Mood, Page, Repeat, Said};
use crate::html::show::{count, millis, percent, rate, seconds, short};
use crate::html::{latency, levels, timeline};
use crate::number::counted;

impl LoadReport {
    /// As a page.
    #[must_use]
    pub fn page(&self, repeat: Repeat) -> Page {
        let made = self.result.total_requests > 0;
        Page {
            title: format!("A load on {}", self.origin.scenario),
            said: self.said(),
            numbers: if made { numbers(&self.result) } else { Vec::new() },
            facts: facts(&self.origin),
            repeat,
            figures: if made { figures(&self.result) } else { Vec::new() },
            tables: if made { tables(&self.result) } else { Vec::new() },
            text: self.text(),
        }
    }

    /// What came out, what to doubt first.
    pub(in crate::html) fn said(&self) -> Vec<Said> {
        let result = &self.result;
        if result.total_requests == 0 {
            return vec![Said::new(Mood::Untold, "Nothing happened", "No call was made, so there is nothing to draw.")];
        }
        let doubts = [
            result.generator.as_ref().and_then(|generator| generator.saturated.as_ref()).map(|why| {
                Said::new(
                    Mood::Untold,
                    "Not to be trusted",
                    format!("The machine that made the calls could not keep up: {why}."),
                )
            }),
            result.cut_short.as_ref().map(|why| {
                let all =
                    format!("The run was ended before its end: {why}. What stands here is what was counted by then.");
                Said::new(Mood::Untold, "Cut short", all)
            }),
            self.is_part().then(|| {
                Said::new(
                    Mood::Untold,
                    "A part of a load",
                    "Some of its shards are not in here; brownout merge puts all of them together.",
                )
            }),
        ];
        let verdict = self.verdict.as_ref().map(|verdict| {
            let not: Vec<String> = verdict
                .expectations
                .iter()
                .filter(|judged| judged.outcome != Met::Met)
                .map(|judged| match judged.outcome {
                    Met::NotEnoughData => format!("{} cannot be told", judged.expectation),
                    _ => format!("{} came to {}", judged.expectation, judged.shown()),
                })
                .collect();
            let all = counted(verdict.expectations.len() as u64, "expectation", "expectations");
            let control =
                if verdict.met.is_some() && verdict.met != verdict.as_expected { " It was to be missed." } else { "" };
            let sentence = match not.len() {
                0 => format!("Of {all}, every one was met.{control}"),
                1 => format!("Of {all}, one was not met: {}.{control}", not[0]),
                some => format!("Of {all}, {some} were not met: {}.{control}", not.join("; ")),
            };
            let (mood, word) = super::verdict(verdict.outcome());
            let mood = match verdict.as_expected {
                Some(true) => Mood::Good,
                Some(false) => Mood::Bad,
                None => mood,
            };
            Said::new(mood, word, sentence)
        });
        let recovery = result.recovery.as_ref().map(recovery);
        doubts.into_iter().flatten().chain(verdict).chain(recovery).chain([success(result)]).collect()
    }
}

/// Whether callers came back.
fn recovery(recovery: &Recovery) -> Said {
    let goodput = |goodput: Option<f64>| goodput.map_or_else(|| "unknown".to_owned(), rate);
    let Recovery { trigger_from_s, trigger_until_s, goodput_before, goodput_during, goodput_after, .. } = *recovery;
    let [before, during, after] = [goodput_before, goodput_during, goodput_after].map(goodput);
    let course = format!(
        "Goodput was {before} before the trigger ({} to {}), {during} during it and {after} after it.",
        seconds(trigger_from_s),
        seconds(trigger_until_s)
    );
    match recovery.recovered_after_s {
        Some(after) if after < 0.5 => Said::new(Mood::Good, "Recovered as soon as the trigger was over", course),
        Some(after) => Said::new(Mood::Good, format!("Recovered {} after the trigger", seconds(after)), course),
        None if recovery.intervals_after < 5 => Said::new(
            Mood::Untold,
            "Recovery cannot be told",
            format!("Too little was seen before or after the trigger. {course}"),
        ),
        None => {
            let looked = seconds(recovery.seen_until_s - trigger_until_s);
            let why = format!(
                "The trigger was over, and {looked} later callers had not come back to what they had before it. {course}"
            );
            Said::new(Mood::Bad, "Never recovered", why)
        }
    }
}

/// How many calls succeeded, and what that took.
fn success(result: &LoadResult) -> Said {
    let (calls, attempts) = (result.calls, result.attempts);
    let mut sentence = format!("{} of {} calls succeeded", count(calls.succeeded), count(calls.started));
    for (number, what) in
        [(calls.failed, "failed"), (calls.abandoned, "were abandoned"), (calls.unsent, "were never sent")]
    {
        if number > 0 {
            sentence += &format!(", {} {what}", count(number));
        }
    }
    sentence += &format!(". They took {} attempts", count(attempts.total));
    if let Some(amplification) = result.amplification {
        sentence += &format!(", {amplification:.2} a call");
    }
    sentence += &format!(", in {}.", seconds(result.duration_s));
    let word = format!("{} of calls succeeded", percent(result.success_rate.unwrap_or_default()));
    Said::new(if result.is_unanswered() { Mood::Bad } else { Mood::Plain }, word, sentence)
}

/// What people ask for first.
fn numbers(result: &LoadResult) -> Vec<(String, String)> {
    let response = &result.latency_ms.response;
    let known = [
        ("succeeded", result.success_rate.map(percent)),
        ("attempts a call", result.amplification.map(|amplification| format!("{amplification:.2}"))),
        ("goodput", result.goodput_per_second.map(rate)),
        ("p50 of calls", response.p50.map(millis)),
        ("p99 of calls", response.p99.map(millis)),
        ("work for nobody", result.capacity.as_ref().and_then(|capacity| capacity.wasted_share).map(percent)),
    ];
    known.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?))).collect()
}

fn figures(result: &LoadResult) -> Vec<Figure> {
    let mut figures = vec![timeline::figure(result)];
    figures.extend(latency::over_time(result));
    figures.push(latency::by_rarity(result));
    figures.push(answers(result));
    figures.extend(levels::met(result));
    if result.tries_to_success.keys().any(|tries| *tries > 1) {
        figures.push(tries(result));
    }
    if !result.gave_up.is_empty() {
        figures.push(gave_up(result));
    }
    figures.extend(result.capacity.as_ref().map(work));
    figures.extend(levels::capacity(result));
    figures.extend(levels::guards(result));
    figures
}

/// Statuses and faults.
fn answers(result: &LoadResult) -> Figure {
    let class = |status: u16| match status {
        ..400 => "ok",
        400..500 => "refused",
        _ => "failed",
    };
    let statuses = result.by_status.iter().map(|(status, count)| (status.to_string(), class(*status), *count));
    let faults = result.by_fault.iter().map(|(fault, count)| (fault.replace('_', " "), "broken", *count));
    let bars: Vec<_> = statuses.chain(faults).map(|(name, class, count)| Bar { name, class, count }).collect();
    bars::figure(
        "answers",
        "What attempts met",
        "Totals of the run, by status and by what broke.",
        &bars,
        ("attempts", result.attempts.total),
    )
}

/// A bar for each key.
fn of<K: ToString>(counts: &BTreeMap<K, u64>, class: &'static str) -> Vec<Bar> {
    counts.iter().map(|(name, count)| Bar { name: name.to_string().replace('_', " "), class, count: *count }).collect()
}

fn tries(result: &LoadResult) -> Figure {
    let bars = result.tries_to_success.iter().map(|(tries, calls)| Bar {
        name: counted(u64::from(*tries), "try", "tries"),
        class: "ok",
        count: *calls,
    });
    bars::figure(
        "tries",
        "Tries to success",
        "Calls that succeeded, by how many attempts that took.",
        &bars.collect::<Vec<_>>(),
        ("calls", result.calls.succeeded),
    )
}

fn gave_up(result: &LoadResult) -> Figure {
    let calls = result.gave_up.values().sum();
    bars::figure(
        "gave-up",
        "Why callers gave up",
        "Calls that did not succeed.",
        &of(&result.gave_up, "failed"),
        ("calls", calls),
    )
}

/// Where the work of a service went.
fn work(capacity: &CapacityResult) -> Figure {
    let CapacityResult { arrived, served, wasted, shed, left, inside, .. } = *capacity;
    let all = [
        ("served", "ok", served),
        ("worked for nobody", "failed", wasted),
        ("shed", "refused", shed),
        ("left the queue", "plain", left),
        ("inside at the end", "plain", inside),
    ];
    let bars: Vec<_> = all
        .into_iter()
        .filter(|(_, _, count)| *count > 0)
        .map(|(name, class, count)| Bar { name: name.to_owned(), class, count })
        .collect();
    let caption = format!(
        "Of the attempts that reached it. Its workers were busy {} of the time; at most {} waited.",
        percent(capacity.utilisation),
        counted(u64::from(capacity.waiting_max), "request", "requests")
    );
    bars::figure("work", "What the service did", &caption, &bars, ("arrived", arrived))
}

/// Of phases that come again, a page has no more than these.
const PHASES_MAX: usize = 100;

fn tables(result: &LoadResult) -> Vec<(String, Table)> {
    let mut tables = Vec::new();
    let share = |part: u64, all: u64| {
        if all > 0 { percent(timeline::float(part) / timeline::float(all)) } else { "–".to_owned() }
    };
    if !result.phases.is_empty() {
        let more = result.phases.len().saturating_sub(PHASES_MAX);
        let title = if more > 0 { format!("Phases, without the last {more}") } else { "Phases".to_owned() };
        let rows = result.phases.iter().take(PHASES_MAX).map(|phase| {
            let until = phase.until_s.map_or_else(|| "the end".to_owned(), seconds);
            let succeeded = share(phase.succeeded, phase.calls);
            vec![phase.name.clone(), seconds(phase.from_s), until, count(phase.calls), succeeded, count(phase.attempts)]
        });
        let head = ["phase", "from", "until", "calls", "succeeded", "attempts"];
        tables.push((title, Table::new(head, rows.collect())));
    }
    if !result.cohorts.is_empty() {
        let rows = result.cohorts.iter().map(|cohort| {
            let LoadResult { calls, amplification, latency_ms, .. } = &cohort.result;
            let amplification =
                amplification.map_or_else(|| "–".to_owned(), |amplification| format!("{amplification:.2}"));
            let p99 = latency_ms.response.p99.map_or_else(|| "–".to_owned(), millis);
            vec![cohort.name.clone(), count(calls.started), share(calls.succeeded, calls.started), amplification, p99]
        });
        let head = ["cohort", "calls", "succeeded", "attempts a call", "p99 of calls"];
        tables.push(("Cohorts".to_owned(), Table::new(head, rows.collect())));
    }
    if !result.behind.is_empty() {
        let rows = result.behind.iter().map(|behind| {
            let each = behind.amplification.map_or_else(|| "–".to_owned(), short);
            vec![
                behind.name.clone(),
                count(behind.calls),
                share(behind.succeeded, behind.calls),
                count(behind.attempts),
                each,
            ]
        });
        let head = ["service", "calls", "succeeded", "attempts", "attempts for each call of a client"];
        tables.push(("Services behind".to_owned(), Table::new(head, rows.collect())));
    }
    if let Some(limits) = &result.limits {
        let rows = limits.limits.iter().map(|limit| {
            vec![limit.name.clone(), count(limit.asked), count(limit.refused), share(limit.refused, limit.asked)]
        });
        tables.push(("Limits".to_owned(), Table::new(["limit", "asked", "refused", "share"], rows.collect())));
    }
    if !result.effects.is_empty() {
        let rows = result.effects.iter().map(|effect| {
            vec![
                effect.name.clone(),
                count(effect.done),
                count(effect.keys),
                count(effect.duplicates),
                count(effect.prevented),
            ]
        });
        let head = ["effect", "done", "keys", "done once more", "prevented"];
        tables.push(("Effects".to_owned(), Table::new(head, rows.collect())));
    }
    tables
}
