//! What a rule finds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Something doubtful, with what follows from it and what would mend it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The rule that found it.
    pub rule: Rule,
    /// What is found, with its numbers.
    pub what: String,
    /// What follows from it, in one sentence.
    pub consequence: String,
    /// What would mend it.
    pub remedy: String,
    /// The numbers by name, with their unit in it.
    pub numbers: BTreeMap<&'static str, f64>,
    /// The key it is about.
    #[serde(skip)]
    pub about: About,
}

/// A key, with dots between its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Of the policy.
    Policy(&'static str),
    /// Of the whole scenario.
    Scenario(&'static str),
}

/// The rules, by stable names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Retries end before an outage does.
    HorizonShorterThanOutage,
    /// Retries end before a limit lets the caller in again.
    HorizonShorterThanLimit,
    /// The service asks for a longer pause than the policy allows.
    RetryAfterTooLong,
    /// A `Retry-After` that the policy would wait out is longer than the whole call may take.
    RetryAfterBeyondDeadline,
    /// The service answers none of the failures that are retried.
    RetriesNothing,
    /// Healthy answers are given up.
    TimeoutBelowP99,
    /// One attempt may take as long as the whole call.
    DeadlineWithinTimeout,
    /// Attempts that run into their timeout leave no time for the retries.
    DeadlineCutsRetries,
    /// Nothing ends an attempt that gets no answer.
    NoAttemptTimeout,
    /// A copy is sent when the attempt has been given up.
    HedgeAfterTimeout,
    /// A policy goes on for longer than the one around it waits.
    LayerCutsShort,
    /// A service calls others for longer than its own caller waits.
    HopOutlastsCaller,
    /// Requests wait in the queue for longer than their callers do.
    QueueOutlastsCallers,
    /// Retries can keep the service overloaded.
    RetryStorm,
    /// Nothing bounds what all calls together add.
    NoBudget,
    /// A budget that many clients have each.
    BudgetPerClient,
    /// Delays without chance.
    NoJitter,
    /// Later retries wait less.
    DelaysShrink,
    /// Many retries, all after the same delay.
    DelaysNeverGrow,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 19] = [
        Self::HorizonShorterThanOutage,
        Self::HorizonShorterThanLimit,
        Self::RetryAfterTooLong,
        Self::RetryAfterBeyondDeadline,
        Self::RetriesNothing,
        Self::TimeoutBelowP99,
        Self::DeadlineWithinTimeout,
        Self::DeadlineCutsRetries,
        Self::NoAttemptTimeout,
        Self::HedgeAfterTimeout,
        Self::LayerCutsShort,
        Self::HopOutlastsCaller,
        Self::QueueOutlastsCallers,
        Self::RetryStorm,
        Self::NoBudget,
        Self::BudgetPerClient,
        Self::NoJitter,
        Self::DelaysShrink,
        Self::DelaysNeverGrow,
    ];

    /// The name in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HorizonShorterThanOutage => "horizon-shorter-than-outage",
            Self::HorizonShorterThanLimit => "horizon-shorter-than-limit",
            Self::RetryAfterTooLong => "retry-after-too-long",
            Self::RetryAfterBeyondDeadline => "retry-after-beyond-deadline",
            Self::RetriesNothing => "retries-nothing",
            Self::TimeoutBelowP99 => "timeout-below-p99",
            Self::DeadlineWithinTimeout => "deadline-within-timeout",
            Self::DeadlineCutsRetries => "deadline-cuts-retries",
            Self::NoAttemptTimeout => "no-attempt-timeout",
            Self::HedgeAfterTimeout => "hedge-after-timeout",
            Self::LayerCutsShort => "layer-cuts-short",
            Self::HopOutlastsCaller => "hop-outlasts-caller",
            Self::QueueOutlastsCallers => "queue-outlasts-callers",
            Self::RetryStorm => "retry-storm",
            Self::NoBudget => "no-budget",
            Self::BudgetPerClient => "budget-per-client",
            Self::NoJitter => "no-jitter",
            Self::DelaysShrink => "delays-shrink",
            Self::DelaysNeverGrow => "delays-never-grow",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Finding {
    /// With nothing but its rule and key; the other parts follow.
    pub(super) fn of(rule: Rule, about: About) -> Self {
        let text = String::new;
        Self { rule, about, what: text(), consequence: text(), remedy: text(), numbers: BTreeMap::new() }
    }

    pub(super) fn what(self, what: impl Into<String>) -> Self {
        Self { what: what.into(), ..self }
    }

    pub(super) fn so(self, consequence: impl Into<String>) -> Self {
        Self { consequence: consequence.into(), ..self }
    }

    pub(super) fn mend(self, remedy: impl Into<String>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }

    pub(super) fn number(mut self, name: &'static str, value: impl Into<f64>) -> Self {
        self.numbers.insert(name, value.into());
        self
    }

    pub(super) fn seconds(self, name: &'static str, duration: Duration) -> Self {
        self.number(name, duration.as_secs_f64())
    }
}

/// A duration to three digits, as a scenario takes it: `1.23s`, `450ms`.
pub(super) fn time(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let unit = 10_u128.pow(nanos.checked_ilog10().unwrap_or(0).saturating_sub(2));
    let rounded = (nanos + unit / 2) / unit * unit;
    match u64::try_from(rounded).unwrap_or(u64::MAX) {
        0 => "0s".to_owned(),
        nanos => format!("{:?}", Duration::from_nanos(nanos)),
    }
}

/// The same, rounded up to two digits: for limits to propose.
pub(super) fn time_at_least(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let unit = 10_u128.pow(nanos.checked_ilog10().unwrap_or(0).saturating_sub(1));
    time(Duration::from_nanos(u64::try_from(nanos.div_ceil(unit) * unit).unwrap_or(u64::MAX)))
}

/// A share to two digits, and whole from a tenth on: `0.25%`, `6.3%`, `48%`.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let digits = if percent < 1.0 { 2 } else { usize::from(percent < 9.95) };
    format!("{percent:.digits$}%")
}

/// A number to two digits or whole: `0.8`, `2.9`, `144`.
pub(super) fn number(number: f64) -> String {
    let text = format!("{number:.digits$}", digits = if number < 9.95 { 2 } else { 0 });
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A count with its noun.
pub(super) fn counted(count: u32, one: &str, many: &str) -> String {
    match count {
        u32::MAX => format!("unbounded {many}"),
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Rule, number, percent, time, time_at_least};
    use std::collections::BTreeSet;
    use std::time::Duration;

    #[test]
    fn numbers_are_short() {
        let ms = Duration::from_millis;
        assert_eq!([ms(0), ms(7), ms(700), ms(1234), ms(60_000)].map(time), ["0s", "7ms", "700ms", "1.23s", "60s"]);
        assert_eq!([ms(701), ms(2000), ms(12_340)].map(time_at_least), ["710ms", "2s", "13s"]);
        assert_eq!([0.0025, 0.063, 0.0996, 0.48].map(percent), ["0.25%", "6.3%", "10%", "48%"]);
        assert_eq!([0.8, 2.88, 144.0, 10.0].map(number), ["0.8", "2.88", "144", "10"]);
    }

    #[test]
    fn a_name_is_what_json_says() {
        let json = |rule: &Rule| serde_json::to_string(rule).unwrap();
        assert!(Rule::ALL.iter().all(|rule| json(rule) == format!("\"{rule}\"")));
        assert_eq!(Rule::ALL.iter().map(|rule| rule.name()).collect::<BTreeSet<_>>().len(), Rule::ALL.len());
    }
}
