//! What the end of a command and its output mean: success, a failure worth another try, or one that is not.
//!
//! What is decided here: which of the three an attempt is, and by which rule. What is left out: whether a try that is worth
//! making is made, which the policy decides.

mod ends;
mod examine;
mod pattern;

pub use ends::{Ends, EndsError};
pub use examine::{Examiner, Seen};
pub use pattern::{Pattern, PatternError, Stream};

use brownout_report::{Exit, Reason};

/// The rules of a run. Without any, exit code 0 is success, and all else is worth another try.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Only these ends are worth another try, besides what `retry_on_output` says and timeouts.
    pub retry_on_exit: Option<Ends>,
    /// These ends are not, whatever else is said.
    pub stop_on_exit: Option<Ends>,
    /// An attempt that prints one of these has failed, even with exit code 0, and is worth another try. Where there are such
    /// rules, only what they or `retry_on_exit` name is, and timeouts.
    pub retry_on_output: Vec<Pattern>,
    /// A failed attempt that prints one of these is not, whatever else is said.
    pub stop_on_output: Vec<Pattern>,
    /// Where the first group is how long the command asks to stay away, in seconds.
    pub retry_after_from: Vec<Pattern>,
}

/// What an attempt comes to by the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It succeeded.
    Success,
    /// It failed in a way that is worth another try.
    Retry(Cause),
    /// It failed in a way that is not.
    Stop(Cause),
}

/// What a judgement goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What makes it a failure.
    pub reason: Reason,
    /// The rule that says so; `None` where none was given.
    pub rule: Option<String>,
}

impl Rules {
    /// Whether what a command writes to this stream has to be looked at.
    #[must_use]
    pub fn look_at(&self, stream: Stream) -> bool {
        self.patterns().any(|pattern| pattern.is_of(stream))
    }

    fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.retry_on_output.iter().chain(&self.stop_on_output).chain(&self.retry_after_from)
    }

    /// What an attempt comes to that ended like this and printed what was `seen`.
    #[must_use]
    pub fn judge(&self, exit: Exit, seen: &Seen) -> Judgement {
        let stopped_by = self.stop_on_exit.as_ref().filter(|ends| ends.includes(exit));
        let printed = |at: Option<usize>, all: &[Pattern], flag| {
            at.and_then(|at| all.get(at)).map(|pattern| format!("{flag} {}", pattern.text()))
        };
        let retried = printed(seen.retry, &self.retry_on_output, "--retry-on-output");
        let stopped = printed(seen.stop, &self.stop_on_output, "--stop-on-output");
        let succeeded = exit.exit_code == Some(0) && !exit.timed_out;
        if succeeded && retried.is_none() {
            return Judgement::Success;
        }
        let reason = match exit {
            _ if succeeded => Reason::Output,
            Exit { timed_out: true, .. } => Reason::Timeout,
            Exit { signal: Some(_), .. } => Reason::Signal,
            _ => Reason::ExitCode,
        };
        if let Some(ends) = stopped_by {
            return Judgement::Stop(Cause { reason, rule: Some(format!("--stop-on-exit {}", ends.text())) });
        }
        if let Some(rule) = stopped {
            return Judgement::Stop(Cause { reason: Reason::Output, rule: Some(rule) });
        }
        if let Some(rule) = retried {
            return Judgement::Retry(Cause { reason, rule: Some(rule) });
        }
        let named = self.retry_on_exit.as_ref().filter(|ends| ends.includes(exit));
        let rule = named.map(|ends| format!("--retry-on-exit {}", ends.text()));
        let open = self.retry_on_exit.is_none() && self.retry_on_output.is_empty();
        // An attempt gets a time limit so that it can be tried again.
        if rule.is_some() || open || exit.timed_out {
            return Judgement::Retry(Cause { reason, rule });
        }
        Judgement::Stop(Cause { reason, rule: Some(format!("not among {}", self.retried())) })
    }

    /// The flags that say what is worth another try.
    fn retried(&self) -> String {
        let ends = self.retry_on_exit.iter().map(|ends| format!("--retry-on-exit {}", ends.text()));
        let output = self.retry_on_output.iter().map(|pattern| format!("--retry-on-output {}", pattern.text()));
        ends.chain(output).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::{Judgement, Rules, Seen};
    use brownout_report::{Exit, Reason};

    fn code(code: i32) -> Exit {
        Exit { exit_code: Some(code), ..Exit::default() }
    }

    const KILLED: Exit = Exit { exit_code: None, signal: Some(9), timed_out: false };
    const TIMED_OUT: Exit = Exit { exit_code: None, signal: None, timed_out: true };

    fn seen(retry: bool, stop: bool) -> Seen {
        Seen { retry: retry.then_some(0), stop: stop.then_some(0), ..Seen::default() }
    }

    /// `retry`, `stop` or `success`, the reason and the rule.
    #[track_caller]
    fn check(rules: &Rules, exit: Exit, seen: &Seen, expected: (&str, Option<Reason>, Option<&str>)) {
        let judgement = rules.judge(exit, seen);
        let (word, cause) = match &judgement {
            Judgement::Success => ("success", None),
            Judgement::Retry(cause) => ("retry", Some(cause)),
            Judgement::Stop(cause) => ("stop", Some(cause)),
        };
        assert_eq!((word, cause.map(|it| it.reason), cause.and_then(|it| it.rule.as_deref())), expected);
    }

    #[test]
    fn without_rules_every_failure_is_worth_another_try() {
        let rules = Rules::default();
        check(&rules, code(0), &Seen::default(), ("success", None, None));
        check(&rules, code(1), &Seen::default(), ("retry", Some(Reason::ExitCode), None));
        check(&rules, KILLED, &Seen::default(), ("retry", Some(Reason::Signal), None));
        check(&rules, TIMED_OUT, &Seen::default(), ("retry", Some(Reason::Timeout), None));
    }

    #[test]
    fn where_ends_are_named_others_stop_but_for_timeouts() {
        let rules = Rules { retry_on_exit: Some("1,7".parse().unwrap()), ..Rules::default() };
        check(&rules, code(7), &Seen::default(), ("retry", Some(Reason::ExitCode), Some("--retry-on-exit 1,7")));
        let others = Some("not among --retry-on-exit 1,7");
        check(&rules, code(2), &Seen::default(), ("stop", Some(Reason::ExitCode), others));
        // 128 + 9 is how a shell tells of it; here a signal is no exit code.
        check(&rules, KILLED, &Seen::default(), ("stop", Some(Reason::Signal), others));
        check(&rules, TIMED_OUT, &Seen::default(), ("retry", Some(Reason::Timeout), None));
    }

    #[test]
    fn a_rule_to_stop_goes_before_one_to_retry() {
        let rules = Rules {
            retry_on_exit: Some("1-10".parse().unwrap()),
            stop_on_exit: Some("7,timeout".parse().unwrap()),
            stop_on_output: vec!["denied".parse().unwrap()],
            ..Rules::default()
        };
        check(&rules, code(7), &seen(false, false), ("stop", Some(Reason::ExitCode), Some("--stop-on-exit 7,timeout")));
        check(&rules, code(1), &seen(false, true), ("stop", Some(Reason::Output), Some("--stop-on-output denied")));
        check(
            &rules,
            TIMED_OUT,
            &seen(false, false),
            ("stop", Some(Reason::Timeout), Some("--stop-on-exit 7,timeout")),
        );
        check(&rules, code(0), &seen(false, true), ("success", None, None));
    }

    #[test]
    fn what_is_printed_can_make_a_failure_of_a_success() {
        let rules = Rules { retry_on_output: vec!["stderr:503".parse().unwrap()], ..Rules::default() };
        check(
            &rules,
            code(0),
            &seen(true, false),
            ("retry", Some(Reason::Output), Some("--retry-on-output stderr:503")),
        );
        check(&rules, code(0), &seen(false, false), ("success", None, None));
        check(
            &rules,
            code(1),
            &seen(true, false),
            ("retry", Some(Reason::ExitCode), Some("--retry-on-output stderr:503")),
        );
        check(
            &rules,
            code(1),
            &seen(false, false),
            ("stop", Some(Reason::ExitCode), Some("not among --retry-on-output stderr:503")),
        );
    }
}
