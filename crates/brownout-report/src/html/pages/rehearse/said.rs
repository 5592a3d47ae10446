//! What came out of a rehearsal, in words.

use brownout_lab::rehearse::{Backoff, Judged, Rehearsal, Summary};
use brownout_load::Met;

use super::super::verdict;
use crate::RehearseReport;
use crate::html::page::{Mood, Said};
use crate::number::counted;
use crate::rehearse::words::{backoff, end, layers, made, sentence, short};

/// So many misses are named.
const MISSES_NAMED: usize = 6;

impl RehearseReport {
    /// What came out, what to doubt first.
    pub(super) fn said(&self) -> Vec<Said> {
        let all = &self.summary;
        if all.attempts == 0 {
            let why = "Either the command asks for nothing, or it did not find the service by BROWNOUT_URL, by {url}, or by a variable that \
                       --env names.";
            return vec![Said::new(Mood::Untold, "The service saw no request", why)];
        }
        let mut doubts: Vec<&String> = self.runs.iter().flat_map(|run| &run.grouping.doubts).collect();
        doubts.dedup();
        let doubts = doubts.first().map(|doubt| {
            Said::new(Mood::Untold, "Which requests are one call is not sure", format!("{}.", sentence(doubt)))
        });
        let unseen = self.runs.iter().filter(|run| run.attempts == 0).count();
        let unseen = (unseen > 0).then(|| {
            let sentence = format!("In {} the service saw no request.", counted(unseen as u64, "run", "runs"));
            Said::new(Mood::Untold, "Not every run made a request", sentence)
        });
        let mut said: Vec<Said> = doubts.into_iter().chain(unseen).chain(self.expected()).collect();
        said.push(self.amplified());
        said.push(waited(all, self.runs.as_slice()));
        said.extend(self.layered());
        said.extend(heeded(all));
        said.extend(done(all));
        said
    }

    /// What became of what was expected.
    fn expected(&self) -> Option<Said> {
        let missed = |judged: &&Judged| judged.outcome != Met::Met;
        let one = |run: &Rehearsal, judged: &Judged| {
            let seed = if self.runs.len() > 1 { format!(" with seed {}", run.seed) } else { String::new() };
            match judged.outcome {
                Met::NotEnoughData => format!("{} cannot be told{seed}", judged.expectation),
                _ => format!("{} came to {}{seed}", judged.expectation, judged.shown()),
            }
        };
        let not: Vec<String> = self
            .runs
            .iter()
            .flat_map(|run| run.expectations.iter().filter(missed).map(move |judged| one(run, judged)))
            .collect();
        let (mood, word) = verdict(self.outcome()?);
        let more = not.len().saturating_sub(MISSES_NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let sentence = match &not[..] {
            [] => "All of it.".to_owned(),
            not => format!("{}{more}.", not[..not.len().min(MISSES_NAMED)].join("; ")),
        };
        Some(Said::new(mood, word, sentence))
    }

    /// How many requests a call made.
    fn amplified(&self) -> Said {
        let all = &self.summary;
        let mut sentences = Vec::new();
        if let (Some(min), Some(max)) = (all.amplification_min, all.amplification_max)
            && min < max
        {
            sentences.push(format!("From {} to {} requests a call in a run.", short(min), short(max)));
        }
        if let Some(worst) = all.attempts_worst {
            sentences.push(format!("The call with the most made {}.", counted(worst, "request", "requests")));
        }
        let failed = self.runs.iter().map(|run| run.calls_failed).sum::<Option<u64>>();
        if let Some(failed) = failed {
            sentences.push(match failed {
                0 => "Every call succeeded in the end.".to_owned(),
                failed => format!("{} never succeeded.", counted(failed, "call", "calls")),
            });
        }
        match &self.runs[..] {
            [run] => {
                sentences.push(format!("Calls were told apart {}.", run.grouping.why));
                sentences.push(format!("The command: {}.", end(run.command)));
            }
            runs => sentences.push(format!(
                "The command ended with exit code 0 in {} of {} runs.",
                all.runs_exit_0,
                runs.len()
            )),
        }
        Said::new(Mood::Plain, made(all.calls, all.attempts, all.amplification), sentences.join(" "))
    }

    /// Retries around retries, where every run shows the same.
    fn layered(&self) -> Option<Said> {
        let first = self.runs.first()?;
        let same = self.runs.iter().all(|run| run.layers == first.layers);
        let tries = layers(&first.layers).filter(|_| same)?;
        Some(Said::new(Mood::Bad, "Retries within retries", format!("{}.", sentence(&tries))))
    }
}

/// By which rule was waited, and what that does to a service.
fn waited(all: &Summary, runs: &[Rehearsal]) -> Said {
    // Layers show in single runs only.
    let layers = if let [run] = runs { &run.layers[..] } else { &[] };
    let retried = runs.iter().flat_map(|run| &run.list).filter(|call| call.attempts.len() > 1).count();
    let rule = backoff(&all.backoff, layers);
    let together = match retried {
        1 if all.backoff.may_be_jittered() => "One call does not show jitter; --repeat would.",
        _ => "Callers that failed together come back together.",
    };
    let (mood, meaning) = match &all.backoff {
        Backoff::NoRetries => return Said::new(Mood::Plain, "No retries", "Nothing was tried again."),
        Backoff::NotEnoughData { why } if layers.is_empty() => {
            return Said::new(Mood::Untold, "Backoff cannot be told", format!("{}.", sentence(why)));
        }
        Backoff::NotEnoughData { .. } => (Mood::Plain, "The waits are those of retries around retries."),
        Backoff::AtOnce => (Mood::Bad, "A service that is down is asked again before it can come up."),
        Backoff::Jittered { .. } => (Mood::Plain, "Callers that failed together come back one after another."),
        _ => (Mood::Plain, together),
    };
    let (kind, numbers) = rule.split_once(", ").unwrap_or((&rule, ""));
    let numbers = if numbers.is_empty() { String::new() } else { format!("{}. ", sentence(numbers)) };
    Said::new(mood, format!("Backoff: {kind}"), numbers + meaning)
}

/// Whether it stayed away as long as it was told to; `None` where it never was.
fn heeded(all: &Summary) -> Option<Said> {
    let told = all.retry_after;
    let (mood, word) = match (told.broken, told.honoured) {
        _ if told.told == 0 => return None,
        (0, 0) => (Mood::Untold, "Retry-After was not put to the test"),
        (0, _) => (Mood::Good, "Retry-After was honoured"),
        _ => (Mood::Bad, "Retry-After was broken"),
    };
    let parts =
        [(told.honoured, "it did"), (told.broken, "it came back sooner"), (told.given_up, "it did not come back")];
    let parts = parts.into_iter().filter(|(times, _)| *times > 0);
    let parts: Vec<String> = parts.map(|(times, what)| format!("{} {what}", counted(times, "time", "times"))).collect();
    let sentence =
        format!("It was told {} to stay away for a while: {}.", counted(told.told, "time", "times"), parts.join(", "));
    Some(Said::new(mood, word, sentence))
}

/// Whether anything was done twice; `None` where nothing can be.
fn done(all: &Summary) -> Option<Said> {
    let effects = all.effects?;
    let times = counted(effects.done, "time", "times");
    Some(match effects.duplicates {
        0 => Said::new(Mood::Good, "Nothing was done twice", format!("What calls asked for was done {times}.")),
        twice => {
            let sentence = format!(
                "What calls asked for was done {times}, {twice} of them for a call for which it had been done."
            );
            Said::new(Mood::Bad, format!("Done again: {}", counted(twice, "duplicate", "duplicates")), sentence)
        }
    })
}
