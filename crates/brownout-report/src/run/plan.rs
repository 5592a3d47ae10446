//! What a run would do, told without running anything.

use std::fmt::Write;
use std::time::Duration;

use brownout_lab::lint::Finding;
use brownout_policy::{Failure, Luck, Policy};
use serde::Serialize;

use crate::number::{counted, millis, seconds};
use crate::written;

/// The schedule of a run of which every attempt fails.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanReport {
    /// The form of this record.
    pub schema: &'static str,
    /// The most attempts; `null` without bound.
    pub attempts_max: Option<u32>,
    /// Before each retry, as far as the list goes: at most twenty.
    pub waits: Vec<PlannedWait>,
    /// All waits together at the most; `null` without bound.
    pub waits_longest_ms: Option<f64>,
    /// The limit of each attempt; `null` without.
    pub attempt_timeout_ms: Option<f64>,
    /// The limit of the whole; `null` without.
    pub timeout_ms: Option<f64>,
    /// Work and waits at the most, grace periods aside; `null` without bound.
    pub longest_ms: Option<f64>,
    /// What is doubtful about it.
    pub warnings: Vec<Finding>,
}

/// The wait before a retry.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PlannedWait {
    /// The retry, from 1.
    pub retry: u32,
    /// With the luckiest draws.
    pub shortest_ms: f64,
    /// With the unluckiest.
    pub longest_ms: f64,
    #[serde(skip)]
    range: [Duration; 2],
}

const SHOWN_MAX: usize = 20;

impl PlanReport {
    /// The schedule of this policy, and what was found of it.
    #[must_use]
    pub fn new(policy: &Policy, warnings: Vec<Finding>) -> Self {
        let limits = policy.attempt_timeout().into_iter().chain(policy.deadline());
        let attempt = limits.min();
        let course = policy.course(&Failure::OTHER, attempt.unwrap_or_default(), Luck::Longest);
        let bounded = course.attempts < u32::MAX;
        let waits = policy.waits().take(SHOWN_MAX).zip(1..).map(|(range, retry)| PlannedWait {
            retry,
            shortest_ms: millis(range[0]),
            longest_ms: millis(range[1]),
            range,
        });
        Self {
            schema: "brownout-plan-1",
            attempts_max: policy.attempts_max(),
            waits: waits.collect(),
            waits_longest_ms: bounded.then(|| millis(course.waits)),
            attempt_timeout_ms: policy.attempt_timeout().map(millis),
            timeout_ms: policy.deadline().map(millis),
            longest_ms: (bounded && attempt.is_some()).then(|| millis(course.lasts)),
            warnings,
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let time = |ms: f64| seconds(Duration::from_secs_f64(ms / 1000.0));
        written(|text| {
            match self.attempts_max {
                Some(max) => writeln!(text, "at most {}; nothing was run", counted(max.into(), "attempt", "attempts"))?,
                None => writeln!(text, "attempts without bound; nothing was run")?,
            }
            for wait in &self.waits {
                let [shortest, longest] = wait.range;
                let range = if shortest == longest {
                    seconds(longest)
                } else {
                    format!("{} to {}", seconds(shortest), seconds(longest))
                };
                writeln!(text, "  before retry {}: {range}", wait.retry)?;
            }
            let left = self.attempts_max.map(|max| (max as usize).saturating_sub(1 + self.waits.len()));
            match left {
                Some(0) => {}
                Some(more) => writeln!(text, "  and {} more", counted(more as u64, "retry", "retries"))?,
                None => writeln!(text, "  and so on")?,
            }
            match self.waits_longest_ms {
                Some(waits) => writeln!(text, "waits: {} at the most", time(waits))?,
                None => writeln!(text, "waits: without bound")?,
            }
            match (self.longest_ms, self.attempt_timeout_ms) {
                (Some(longest), _) => writeln!(text, "the whole: {} at the most, grace periods aside", time(longest))?,
                (None, Some(_)) => writeln!(text, "the whole: without bound")?,
                (None, None) => writeln!(text, "the whole: as long as the command takes; nothing limits an attempt")?,
            }
            for Finding { rule, what, consequence, remedy, .. } in &self.warnings {
                writeln!(text, "warning[{rule}]: {what}\n  so: {consequence}\n  mend: {remedy}")?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::PlanReport;
    use brownout_policy::{JitterKind, Policy, Settings};
    use std::time::Duration;

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    fn plan(settings: Settings) -> PlanReport {
        PlanReport::new(&Policy::new(settings).unwrap(), vec![])
    }

    #[test]
    fn a_plan_adds_up() {
        let doubling = || Settings { max_retries: Some(3), base_delay: seconds(1), ..Settings::default() };
        let plain = plan(doubling());
        assert_eq!((plain.attempts_max, plain.waits_longest_ms, plain.longest_ms), (Some(4), Some(7000.0), None));
        // Four attempts of 10 s and 1 + 2 + 4 s between them.
        let limited = plan(Settings { attempt_timeout: seconds(10), ..doubling() });
        assert_eq!(limited.longest_ms, Some(47_000.0));
        let whole = plan(Settings { attempt_timeout: seconds(10), deadline: seconds(30), ..doubling() });
        assert_eq!(whole.longest_ms, Some(30_000.0));
        let jittered = plan(Settings { jitter: Some(JitterKind::Equal), ..doubling() });
        let ranges: Vec<_> = jittered.waits.iter().map(|wait| (wait.shortest_ms, wait.longest_ms)).collect();
        assert_eq!(ranges, [(500.0, 1000.0), (1000.0, 2000.0), (2000.0, 4000.0)]);
    }

    #[test]
    fn what_has_no_bound_has_no_total() {
        let endless = plan(Settings { max_retries: Some(u32::MAX), ..Settings::default() });
        assert_eq!((endless.attempts_max, endless.waits_longest_ms, endless.longest_ms), (None, None, None));
        assert!(endless.text().contains("and so on") && endless.waits.len() == 20);
    }
}
