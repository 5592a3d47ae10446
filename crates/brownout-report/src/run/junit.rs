//! A run as JUnit XML, for CI.
//!
//! The run is one test case. Attempts that failed before the last are `flakyFailure` where the run succeeded and `rerunFailure`
//! where it did not, as Maven Surefire writes them (<https://maven.apache.org/surefire/maven-surefire-plugin/xsd/surefire-test-report.xsd>);
//! readers that do not know these see the one outcome.

use std::fmt::Write;

use super::{RunAttempt, RunReport};
use crate::written;

impl RunReport {
    /// As JUnit XML.
    #[must_use]
    pub fn junit(&self) -> String {
        let name = self.command.as_ref().map_or_else(|| "flaky function".to_owned(), |words| words.join(" "));
        let error = !self.is_success() && ["spawn_error", "interrupted", "running"].contains(&&*self.stop_reason);
        let failures = u8::from(!self.is_success() && !error);
        let time = self.elapsed_ms / 1000.0;
        written(|xml| {
            let counts =
                format!("tests=\"1\" failures=\"{failures}\" errors=\"{}\" time=\"{time:.3}\"", u8::from(error));
            writeln!(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
            writeln!(xml, "<testsuites name=\"brownout run\" {counts}>")?;
            writeln!(xml, "  <testsuite name=\"brownout run\" {counts}>")?;
            writeln!(xml, "    <testcase name=\"{}\" classname=\"brownout.run\" time=\"{time:.3}\">", escaped(&name))?;
            let (last, before) =
                self.attempts.split_last().map_or((None, &[][..]), |(last, before)| (Some(last), before));
            if !self.is_success() {
                let element = if error { "error" } else { "failure" };
                let message = last.and_then(|attempt| attempt.error.as_deref()).unwrap_or("no attempt was made");
                outcome(xml, element, (message, &*self.stop_reason), self.text().trim_end(), last)?;
            }
            let earlier = if self.is_success() { "flakyFailure" } else { "rerunFailure" };
            for attempt in before {
                let line = attempt.log_line().unwrap_or_default();
                let kind = attempt.reason.map_or("", super::Reason::name);
                outcome(xml, earlier, (attempt.error.as_deref().unwrap_or_default(), kind), &line, Some(attempt))?;
            }
            writeln!(xml, "    </testcase>\n  </testsuite>\n</testsuites>")
        })
    }
}

/// One element with what was said.
fn outcome(
    xml: &mut String,
    element: &str,
    (message, kind): (&str, &str),
    line: &str,
    attempt: Option<&RunAttempt>,
) -> std::fmt::Result {
    let tail = attempt.and_then(|attempt| attempt.stderr_tail.as_deref());
    let tail = tail.map(|tail| format!("\n{tail}")).unwrap_or_default();
    let (message, text) = (escaped(message), escaped(&format!("{line}{tail}")));
    writeln!(xml, "      <{element} message=\"{message}\" type=\"{kind}\">{text}</{element}>")
}

/// Text for XML 1.0, in which most control characters cannot be written at all.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(character),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;
    use crate::RunStop;
    use crate::run::tests::{done, failed_code, report, waited};
    use brownout_policy::StopReason;

    #[test]
    fn a_run_that_came_through_has_its_failures_as_flaky() {
        let xml = report(vec![waited(1, 100), done(2)], RunStop::Success).junit();
        assert!(xml.contains("tests=\"1\" failures=\"0\" errors=\"0\""), "{xml}");
        assert_eq!((xml.matches("<flakyFailure ").count(), xml.matches("<failure ").count()), (1, 0), "{xml}");
    }

    #[test]
    fn a_run_that_failed_says_why_and_what_came_before() {
        let mut last = failed_code(3, 7);
        last.stderr_tail = Some("<&\u{1b}[31m".to_owned());
        let xml = report(vec![waited(1, 1), waited(2, 1), last], RunStop::GaveUp(StopReason::Exhausted)).junit();
        assert!(xml.contains("failures=\"1\" errors=\"0\""), "{xml}");
        assert_eq!((xml.matches("<rerunFailure ").count(), xml.matches("type=\"exhausted\"").count()), (2, 1), "{xml}");
        assert!(xml.contains("&lt;&amp;\u{fffd}[31m"), "{xml}");
        let xml = report(vec![failed_code(1, 7)], RunStop::Interrupted(15)).junit();
        assert!(xml.contains("failures=\"0\" errors=\"1\"") && xml.contains("<error "), "{xml}");
    }

    #[test]
    fn what_xml_cannot_say_is_replaced() {
        assert_eq!(escaped("a\"<b>&\u{0}\n\u{7}ä"), "a&quot;&lt;b&gt;&amp;\u{fffd}\n\u{fffd}ä");
    }
}
