//! The page of a retried command.

use brownout_policy::StopReason;

use super::program;
use crate::html::figure::{Figure, Panel, Table};
use crate::html::page::{Mood, Page, Repeat, Said};
use crate::html::show::{count, millis};
use crate::html::tries;
use crate::number::counted;
use crate::{RunAttempt, RunReport};

/// Of more attempts than these the first and the last are drawn, so many of each.
const ENDS_DRAWN: usize = 12;
/// So much of what was written last is shown.
const LETTERS: usize = 160;
const NOTHING: &str = "–";

impl RunReport {
    /// As a page.
    #[must_use]
    pub fn page(&self, repeat: Repeat) -> Page {
        let path = self.command.as_ref().and_then(|words| words.first());
        let program = path.map_or("the built-in function", |path| program(path));
        let most = self.attempts_max.map_or_else(|| "without bound".to_owned(), |most| format!("{most} at the most"));
        let facts =
            [("seed of the jitter", self.seed.to_string()), ("attempts", most), ("brownout", self.version.to_string())];
        Page {
            title: format!("A run of {program}"),
            said: self.said(),
            numbers: self.numbers(),
            facts: facts
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            repeat,
            figures: vec![self.figure()],
            tables: Vec::new(),
            text: self.whole_text(),
        }
    }

    fn said(&self) -> Vec<Said> {
        let retries = counted(self.retries as u64, "retry", "retries");
        let took = format!(
            "{} took {}, of which {} were waits.",
            counted(self.attempts_total as u64, "attempt", "attempts"),
            millis(self.elapsed_ms),
            millis(self.total_delay_ms)
        );
        let error = self.last_error.as_ref().map(|error| format!(" The last failure: {error}.")).unwrap_or_default();
        let (mood, word) = match () {
            () if self.is_running() => (Mood::Untold, format!("Not over after {retries}")),
            () if self.is_success() && self.retries == 0 => (Mood::Good, "Succeeded at the first try".to_owned()),
            () if self.is_success() => (Mood::Good, format!("Succeeded after {retries}")),
            () => (Mood::Bad, format!("Failed after {retries}")),
        };
        let why = match () {
            () if self.is_running() => {
                " It was still under way when this was written, or its runner was killed.".to_owned()
            }
            () if self.is_success() => String::new(),
            () => format!(" It was given up: {}.", self.why()),
        };
        vec![Said::new(mood, word, format!("{took}{why}{error}"))]
    }

    /// Why no other attempt was made.
    fn why(&self) -> String {
        let rule = self.attempts.last().and_then(|attempt| attempt.rule.as_deref());
        match (self.gave_up(), &*self.stop_reason) {
            (Some(StopReason::Interrupted), _) => "the runner was told to end".to_owned(),
            (Some(StopReason::RetryAfterTooLong), _) => "the command asked to stay away for too long".to_owned(),
            (Some(reason), _) => reason.to_string(),
            (None, "stop_rule") => format!("{} says that another try cannot help", rule.unwrap_or("a rule")),
            (None, "spawn_error") => "the command could not be started, and would not be the next time".to_owned(),
            (None, other) => other.replace('_', " "),
        }
    }

    fn numbers(&self) -> Vec<(String, String)> {
        let numbers = [
            ("attempts", Some(count(self.attempts_total as u64))),
            ("took", Some(millis(self.elapsed_ms))),
            ("waits", Some(millis(self.total_delay_ms))),
            ("exit code", self.exit_code.map(|code| code.to_string())),
        ];
        numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?))).collect()
    }

    /// The attempts that are drawn.
    fn drawn(&self) -> Vec<&RunAttempt> {
        let all = self.attempts.len();
        let near_an_end = |(place, _): &(usize, &RunAttempt)| *place < ENDS_DRAWN || all <= place + ENDS_DRAWN;
        self.attempts.iter().enumerate().filter(near_an_end).map(|(_, attempt)| attempt).collect()
    }

    fn figure(&self) -> Figure {
        let drawn = self.drawn();
        let left_out = self.attempts_total.saturating_sub(drawn.len());
        let mut caption =
            "A bar is an attempt, with a sign for its end; the line behind it is the wait, up to the next attempt."
                .to_owned();
        if drawn.iter().any(|attempt| tries::range(attempt).is_some()) {
            caption += " A shaded stretch is where the policy's jitter may have the next attempt begin.";
        }
        if left_out > 0 {
            caption += &format!(
                " The first {ENDS_DRAWN} and the last {ENDS_DRAWN} are drawn; {left_out} between them are left out."
            );
        }
        let panel = || Panel {
            name: String::new(),
            says: drawn.iter().map(|attempt| says(attempt)).collect::<Vec<_>>().join("; ") + ".",
            wide: Some(tries::drawing(&drawn, true)),
            narrow: tries::drawing(&drawn, false),
            pointed: Vec::new(),
        };
        let head = [
            "attempt",
            "began after",
            "took",
            "end",
            "rule",
            "wait after it",
            "out of",
            "what it wrote last to standard error",
        ];
        Figure {
            id: "attempts",
            title: "When each attempt was made".to_owned(),
            caption,
            drawn: if drawn.is_empty() { Err("No attempt was made.".to_owned()) } else { Ok(vec![panel()]) },
            table: Table::new(head, self.attempts.iter().map(cells).collect()),
        }
    }

    /// What was said attempt by attempt, and at the end.
    fn whole_text(&self) -> String {
        let lines = self.attempts.iter().map(|attempt| {
            let error = attempt.error.as_deref().map(|error| format!(" ({error})")).unwrap_or_default();
            format!("{}{error}\n", says(attempt))
        });
        lines.chain([self.text()]).collect()
    }
}

fn says(attempt: &RunAttempt) -> String {
    let wait = tries::wait(attempt).map(|wait| format!(", then a wait of {wait}")).unwrap_or_default();
    format!(
        "attempt {} after {}: {} in {}{wait}",
        attempt.n,
        millis(attempt.start_ms),
        tries::end(attempt),
        millis(attempt.duration_ms)
    )
}

fn cells(attempt: &RunAttempt) -> Vec<String> {
    let shown = |text: Option<String>| text.unwrap_or_else(|| NOTHING.to_owned());
    let tail = attempt.stderr_tail.as_deref().and_then(|tail| tail.lines().rfind(|line| !line.trim().is_empty()));
    let waited =
        attempt.delay_ms.map(|ms| format!("{}{}", millis(ms), if attempt.is_asked() { ", as it asked" } else { "" }));
    vec![
        attempt.n.to_string(),
        millis(attempt.start_ms),
        millis(attempt.duration_ms),
        tries::end(attempt),
        shown(attempt.rule.clone()),
        shown(waited),
        shown(tries::range(attempt)),
        shown(tail.map(|line| line.trim().chars().take(LETTERS).collect())),
    ]
}

#[cfg(test)]
mod tests {
    use crate::RunStop;
    use crate::html::page::Mood;
    use crate::html::tests::{COMMAND, parsed, repeat};
    use crate::run::tests::{done, failed_code, report as ran, waited};
    use brownout_policy::StopReason;

    #[test]
    fn a_page_of_a_run_says_how_it_ended() {
        let exhausted = RunStop::GaveUp(StopReason::Exhausted);
        for (report, mood, word) in [
            (ran(vec![waited(1, 100), done(2)], RunStop::Success), Mood::Good, "Succeeded after 1 retry"),
            (ran(vec![done(1)], RunStop::Success), Mood::Good, "Succeeded at the first try"),
            (ran(vec![waited(1, 100), failed_code(2, 7)], exhausted), Mood::Bad, "Failed after 1 retry"),
        ] {
            let page = report.page(repeat());
            assert_eq!((page.said[0].mood, page.said[0].word.as_str()), (mood, word));
            let (names, text) = parsed(&page.html());
            assert!(names.contains(&"svg".to_owned()) && text.contains(COMMAND), "{text}");
            assert_eq!(page.figures[0].table.rows.len(), report.attempts.len());
        }
        let failed = ran(vec![waited(1, 100), failed_code(2, 7)], exhausted);
        let (_, text) = parsed(&failed.page(repeat()).html());
        for part in ["every retry is spent", "it broke", "exit code 7", "The built-in function", "seed of the jitter"] {
            assert!(text.to_lowercase().contains(&part.to_lowercase()), "no `{part}` in {text}");
        }
        let none = ran(vec![], exhausted).page(repeat());
        assert!(none.figures[0].drawn.is_err());
    }

    #[test]
    fn of_a_long_run_both_ends_are_drawn() {
        let attempts: Vec<_> = (1..=100).map(|n| waited(n, 1)).collect();
        let page = ran(attempts, RunStop::GaveUp(StopReason::Exhausted)).page(repeat());
        let figure = &page.figures[0];
        assert!(figure.caption.contains("76 between them are left out"), "{}", figure.caption);
        let marks = &figure.drawn.as_ref().unwrap()[0].narrow.marks.0;
        for (number, drawn) in [(1, true), (12, true), (13, false), (88, false), (89, true), (100, true)] {
            assert_eq!(marks.contains(&format!("attempt {number}<")), drawn, "attempt {number}");
        }
        assert!(page.html().len() < 1 << 20);
    }
}
