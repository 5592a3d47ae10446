//! What a command did to a service.

use std::fmt::Write as _;
use std::time::Duration;

use brownout_lab::rehearse::{
    AttemptSeen, Backoff, CallSeen, CommandEnd, Effects, Jitter, Judged, Rehearsal, RetryAfter, Summary, outcome,
};
use brownout_load::Met;
use serde::Serialize;

use crate::number::{counted, seconds};
use crate::table::table;
use crate::{Origin, written};

/// What one or several runs of a command came to, as `rehearse` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RehearseReport {
    /// The form of this record.
    pub schema: &'static str,
    /// What repeats the service; its seed is that of the first run.
    #[serde(flatten)]
    pub origin: Origin,
    /// The command.
    pub command: Vec<String>,
    /// Run by run.
    pub runs: Vec<Rehearsal>,
    /// All of them together.
    pub summary: Summary,
}

/// So many calls are shown, each with so many attempts.
const CALLS_SHOWN: usize = 3;
const ATTEMPTS_SHOWN: usize = 12;

impl RehearseReport {
    /// Of these runs of `command`.
    #[must_use]
    pub fn new(origin: Origin, command: Vec<String>, runs: Vec<Rehearsal>) -> Self {
        let summary = Summary::of(&runs);
        Self { schema: "brownout-rehearse-1", origin, command, runs, summary }
    }

    /// What became of all that was expected; `None` where nothing was.
    #[must_use]
    pub fn outcome(&self) -> Option<Met> {
        self.summary.outcome
    }

    /// For people: the number first, and then what it is made of; of several runs a line each, and then their sum.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| match self.runs.as_slice() {
            [run] => write_run(text, run),
            runs => {
                for run in runs {
                    let verdict = outcome(&run.expectations).map(|met| format!("; {}", met.name())).unwrap_or_default();
                    writeln!(text, "Seed {}: {}; {}{verdict}", run.seed, headline(run), end(run.command))?;
                }
                write_summary(text, &self.summary)
            }
        })
    }
}

fn write_run(text: &mut String, run: &Rehearsal) -> std::fmt::Result {
    writeln!(text, "{}", sentence(&headline(run)))?;
    if run.attempts > 0 {
        writeln!(text, "  calls told apart {}", run.grouping.why)?;
        for doubt in &run.grouping.doubts {
            writeln!(text, "  note: {doubt}")?;
        }
        for (number, call) in run.list.iter().enumerate().take(CALLS_SHOWN) {
            write_call(text, number + 1, call)?;
        }
        let more = run.list.len().saturating_sub(CALLS_SHOWN);
        if more > 0 {
            writeln!(text, "… and {}", counted(more as u64, "call more", "calls more"))?;
        }
        let retried = run.list.iter().filter(|call| call.attempts.len() > 1).count();
        let hides_jitter = retried == 1 && may_be_jittered(&run.backoff);
        let hint = if hides_jitter { "; one call does not show jitter, --repeat would" } else { "" };
        writeln!(text, "Backoff: {}{hint}", backoff(&run.backoff, &run.layers))?;
        write_told(text, run.retry_after, run.effects)?;
        writeln!(
            text,
            "Connections: {} for {}, at most {} at once",
            run.connections,
            counted(run.attempts, "request", "requests"),
            counted(run.peak, "request", "requests")
        )?;
    }
    writeln!(text, "Command: {}", end(run.command))?;
    write_verdict(text, &run.expectations)
}

fn write_summary(text: &mut String, all: &Summary) -> std::fmt::Result {
    let Summary { runs, runs_exit_0, calls, attempts, .. } = all;
    write!(text, "{}: {}", counted(*runs, "run", "runs"), made(*calls, *attempts, all.amplification))?;
    if let (Some(min), Some(max)) = (all.amplification_min, all.amplification_max) {
        write!(text, ", from {} to {} a run", short(min), short(max))?;
    }
    if let Some(worst) = all.attempts_worst {
        write!(text, ", {} of the worst call", counted(worst, "request", "requests"))?;
    }
    writeln!(text, "\nBackoff: {}", backoff(&all.backoff, &[]))?;
    write_told(text, all.retry_after, all.effects)?;
    writeln!(text, "Command: exit code 0 in {runs_exit_0} of {}", counted(*runs, "run", "runs"))?;
    if let Some(outcome) = all.outcome {
        writeln!(
            text,
            "Verdict: {}, missed in {} of {}",
            outcome.name(),
            all.runs_missed,
            counted(*runs, "run", "runs")
        )?;
    }
    Ok(())
}

fn write_told(text: &mut String, retry_after: RetryAfter, effects: Option<Effects>) -> std::fmt::Result {
    let RetryAfter { told, honoured, broken, given_up } = retry_after;
    if told > 0 {
        let times = counted(told, "time", "times");
        writeln!(
            text,
            "Retry-After: told {times}: {honoured} honoured, {broken} broken, {given_up} without another try"
        )?;
    }
    if let Some(Effects { done, duplicates }) = effects {
        let (done, duplicates) = (counted(done, "time", "times"), counted(duplicates, "duplicate", "duplicates"));
        writeln!(text, "Effects: done {done}, {duplicates}")?;
    }
    Ok(())
}

fn write_call(text: &mut String, number: usize, call: &CallSeen) -> std::fmt::Result {
    let attempts = counted(call.attempts.len() as u64, "attempt", "attempts");
    writeln!(text, "Call {number}, {} {}: {attempts}", call.method, call.path)?;
    let heads = ["  attempt", "at", "after a wait of", "answer", "Retry-After", "connection"];
    let time = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), in_seconds);
    let row = |(number, attempt): (usize, &AttemptSeen)| {
        let (wait, told) = (time(attempt.wait_ms), time(attempt.retry_after_ms));
        let (at, answer) = (in_seconds(attempt.at_ms), attempt.answer.to_string());
        vec![format!("  {}", number + 1), at, wait, answer, told, (attempt.connection + 1).to_string()]
    };
    let rows = call.attempts.iter().enumerate().take(ATTEMPTS_SHOWN).map(row);
    text.push_str(&table(&std::iter::once(heads.map(str::to_owned).to_vec()).chain(rows).collect::<Vec<_>>()));
    let more = call.attempts.len().saturating_sub(ATTEMPTS_SHOWN);
    if more > 0 { writeln!(text, "  … and {more} more") } else { Ok(()) }
}

fn write_verdict(text: &mut String, expectations: &[Judged]) -> std::fmt::Result {
    let Some(outcome) = outcome(expectations) else { return Ok(()) };
    writeln!(text, "Verdict: {}", outcome.name())?;
    let row =
        |judged: &Judged| vec![format!("  {}", judged.expectation), judged.shown(), judged.outcome.name().to_owned()];
    text.push_str(&table(&expectations.iter().map(row).collect::<Vec<_>>()));
    Ok(())
}

fn headline(run: &Rehearsal) -> String {
    match run.attempts {
        0 => "the service saw no request".to_owned(),
        attempts => made(run.calls, attempts, run.amplification),
    }
}

/// The answer in a line.
fn made(calls: u64, attempts: u64, amplification: Option<f64>) -> String {
    let amplification = amplification.map_or_else(|| "–".to_owned(), short);
    let (calls, requests) = (counted(calls, "call", "calls"), counted(attempts, "request", "requests"));
    format!("{calls} made {requests}: amplification {amplification}")
}

fn end(command: CommandEnd) -> String {
    match command {
        CommandEnd { timed_out: true, .. } => "ended, since its time was up".to_owned(),
        CommandEnd { exit_code: Some(code), .. } => format!("exit code {code}"),
        CommandEnd { signal: Some(signal), .. } => format!("ended by signal {signal}"),
        CommandEnd { .. } => "ended with this program".to_owned(),
    }
}

fn backoff(backoff: &Backoff, layers: &[usize]) -> String {
    let at_once = |first_at_once: bool| if first_at_once { "the first retry at once, then " } else { "" };
    let rule = match backoff {
        Backoff::NoRetries => "nothing was tried again".to_owned(),
        Backoff::NotEnoughData { .. } if !layers.is_empty() => "of several layers".to_owned(),
        Backoff::NotEnoughData { why } => format!("not enough data: {why}"),
        Backoff::AtOnce => "none, retries come at once".to_owned(),
        Backoff::Fixed { delay_ms } => format!("fixed, {}", in_seconds(*delay_ms)),
        Backoff::Linear { first_ms, step_ms, first_at_once } => {
            let (first, step) = (in_seconds(*first_ms), in_seconds(*step_ms));
            format!("linear, {}{first} and {step} more each time", at_once(*first_at_once))
        }
        Backoff::Exponential { first_ms, factor, cap_ms, first_at_once } => {
            let cap = cap_ms.map(|cap| format!(", up to {}", in_seconds(cap))).unwrap_or_default();
            let (first, factor) = (in_seconds(*first_ms), about(*factor));
            format!("exponential, {}{first} and {factor} times as long each time{cap}", at_once(*first_at_once))
        }
        Backoff::Growing { first_ms, factor, first_at_once } => {
            let (first, factor) = (in_seconds(*first_ms), about(*factor));
            let tail = "too few waits tell linear from exponential";
            format!("growing, {}{first} and {factor} times as long each time; {tail}", at_once(*first_at_once))
        }
        Backoff::Jittered { like, low_ms, high_ms, waits, factor } => {
            let like = match like {
                Some(Jitter::Full) => "like full jitter",
                Some(Jitter::Equal) => "like equal jitter, or a third more or less",
                Some(Jitter::Proportional) => "by a part more or less",
                None => "which jitter cannot be told",
            };
            let (low, high) = (in_seconds(*low_ms), in_seconds(*high_ms));
            let grown = factor.map(|factor| format!(", the next {} times as long on the mean", about(factor)));
            format!("jittered, {waits} waits from {low} to {high}, {like}{}", grown.unwrap_or_default())
        }
    };
    match layers {
        [] => rule,
        layers => {
            let tries: Vec<String> = layers.iter().map(ToString::to_string).collect();
            format!("{rule}\nLayers: {} tries, each within the next: the waits repeat so", tries.join(" × "))
        }
    }
}

/// Whether waits that grow may do so with a jitter among them.
const fn may_be_jittered(backoff: &Backoff) -> bool {
    matches!(backoff, Backoff::Linear { .. } | Backoff::Exponential { .. } | Backoff::Growing { .. })
}

fn in_seconds(ms: f64) -> String {
    seconds(Duration::try_from_secs_f64(ms.round() / 1e3).unwrap_or_default())
}

/// Of what noise has a part in.
fn about(number: f64) -> String {
    format!("about {}", short((10.0 * number).round() / 10.0))
}

/// With two digits after the point at the most.
fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// With a capital at its beginning.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::RehearseReport;
    use crate::Origin;
    use brownout_draw::Seed;
    use brownout_lab::rehearse::{Answer, CommandEnd, Expectation, Lens, Rehearsal, Visit, rehearse};
    use std::time::Duration;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn visit(at: u64, answer: Answer) -> Visit {
        Visit {
            at: MS(at),
            until: Some(MS(at + 20)),
            connection: at,
            method: "POST".to_owned(),
            path: "/pay".to_owned(),
            body: 7,
            names: vec![],
            answer,
            retry_after: None,
            done: Some(true),
        }
    }

    /// Two attempts, the second as told, and both of them paid.
    fn run(seed: u64) -> Rehearsal {
        let first = Visit { retry_after: Some(MS(1000)), ..visit(5, Answer::Status(503)) };
        let visits = vec![first, visit(1030, Answer::Status(200))];
        let end = CommandEnd { exit_code: Some(0), ..CommandEnd::default() };
        let expect = ["duplicates <= 0", "attempts <= 2"].map(|text| text.parse::<Expectation>().unwrap()).to_vec();
        rehearse(visits, seed, end, &Lens { expect, ..Lens::default() })
    }

    fn report(runs: Vec<Rehearsal>) -> RehearseReport {
        let origin = Origin {
            seed: Seed(1),
            scenario: "x.toml".to_owned(),
            scenario_digest: "0".to_owned(),
            time: "real".into(),
            version: "0".into(),
        };
        RehearseReport::new(origin, vec!["app".to_owned()], runs)
    }

    #[test]
    fn the_number_comes_first_and_the_verdict_last() {
        let text = report(vec![run(1)]).text();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "1 call made 2 requests: amplification 2");
        assert_eq!(lines[2], "Call 1, POST /pay: 2 attempts");
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(lines[5]), ["2", "1.03s", "1.005s", "200", "–", "1031"]);
        assert!(lines[6].starts_with("Backoff: not enough data: "), "{text}");
        let rest = [
            "Retry-After: told 1 time: 1 honoured, 0 broken, 0 without another try",
            "Effects: done 2 times, 1 duplicate",
            "Connections: 2 for 2 requests, at most 1 request at once",
            "Command: exit code 0",
            "Verdict: missed",
            "  duplicates <= 0  1  missed",
            "  attempts <= 2    2     met",
        ];
        assert_eq!(lines[7..], rest);
    }

    #[test]
    fn several_runs_are_a_line_each_and_a_sum() {
        let quiet = rehearse(vec![], 3, CommandEnd { signal: Some(9), ..CommandEnd::default() }, &Lens::default());
        let text = report(vec![run(2), quiet]).text();
        assert!(
            text.starts_with(
                "Seed 2: 1 call made 2 requests: amplification 2; exit code 0; missed\n\
             Seed 3: the service saw no request; ended by signal 9\n\
             2 runs: 1 call made 2 requests: amplification 2, from 2 to 2 a run, 2 requests of the worst call\n"
            ),
            "{text}"
        );
        assert!(
            text.ends_with("Command: exit code 0 in 1 of 2 runs\nVerdict: missed, missed in 1 of 2 runs\n"),
            "{text}"
        );
    }

    /// One record behind both.
    #[test]
    fn programs_read_the_same_numbers() {
        let value = serde_json::to_value(report(vec![run(1)])).unwrap();
        assert_eq!((&value["schema"], &value["seed"]), (&"brownout-rehearse-1".into(), &1.into()));
        let run = &value["runs"][0];
        assert_eq!((&run["amplification"], &run["effects"]["duplicates"]), (&2.0.into(), &1.into()));
        assert_eq!(run["list"][0]["attempts"][0]["answer"], serde_json::json!({ "status": 503 }));
        assert_eq!(run["backoff"]["kind"], "not_enough_data");
        assert_eq!(run["expectations"][0]["measure"], "duplicates");
    }
}
