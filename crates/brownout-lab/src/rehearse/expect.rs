//! What a rehearsal is expected to come to.

use std::fmt;
use std::str::FromStr;

use brownout_load::{Met, Relation, Unit};
use brownout_scenario::{ExpectError, bound_of, measure_of};
use serde::{Deserialize, Serialize};

use super::Rehearsal;

/// A number of a rehearsal that something may be expected of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Requests ÷ calls.
    Amplification,
    /// Requests that the service saw.
    Attempts,
    /// Of the call with the most.
    AttemptsWorst,
    /// Calls that the requests were of.
    Calls,
    /// Calls that ended without a success.
    CallsFailed,
    /// Retries that came before they were told to.
    RetryAfterBroken,
    /// Effects done once more for one call.
    Duplicates,
    /// Connections that were opened.
    Connections,
    /// Most requests at once.
    Peak,
    /// Of the command.
    ExitCode,
}

/// One number and its bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// What is measured.
    pub measure: Measure,
    /// On which side of the bound it is to be.
    pub relation: Relation,
    /// How much, or how many.
    pub bound: f64,
}

/// An expectation after the command.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// What was expected.
    #[serde(flatten)]
    pub expectation: Expectation,
    /// `None` where there is no such number.
    pub measured: Option<f64>,
    /// Whether it came true.
    pub outcome: Met,
}

impl Measure {
    /// Every measure with its name in flags.
    pub const NAMES: [(&'static str, Self); 10] = [
        ("amplification", Self::Amplification),
        ("attempts", Self::Attempts),
        ("attempts_worst", Self::AttemptsWorst),
        ("calls", Self::Calls),
        ("calls_failed", Self::CallsFailed),
        ("retry_after_broken", Self::RetryAfterBroken),
        ("duplicates", Self::Duplicates),
        ("connections", Self::Connections),
        ("peak", Self::Peak),
        ("exit_code", Self::ExitCode),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, measure)| *measure == self).map_or("", |(name, _)| name)
    }

    /// Its unit.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Amplification => Unit::Ratio,
            _ => Unit::Count,
        }
    }

    /// What a rehearsal came to; `None` where it cannot tell. Without a request nothing is told but how the command ended.
    #[expect(clippy::cast_precision_loss, reason = "counts to compare")]
    fn of(self, rehearsal: &Rehearsal) -> Option<f64> {
        if self == Self::ExitCode {
            return rehearsal.command.exit_code.map(f64::from);
        }
        if rehearsal.attempts == 0 {
            return None;
        }
        let count = match self {
            Self::Amplification | Self::ExitCode => return rehearsal.amplification,
            Self::Attempts => rehearsal.attempts,
            Self::AttemptsWorst => rehearsal.attempts_worst?,
            Self::Calls => rehearsal.calls,
            Self::CallsFailed => rehearsal.calls_failed?,
            Self::RetryAfterBroken => rehearsal.retry_after.broken,
            Self::Duplicates => rehearsal.effects?.duplicates,
            Self::Connections => rehearsal.connections,
            Self::Peak => rehearsal.peak,
        };
        Some(count as f64)
    }
}

/// As it is written: `amplification <= 3`.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measure, relation, bound } = *self;
        write!(f, "{} {relation} {}", measure.name(), measure.unit().show(bound))
    }
}

/// Reads `amplification <= 3`.
impl FromStr for Expectation {
    type Err = ExpectError;

    fn from_str(text: &str) -> Result<Self, ExpectError> {
        let (measure, rest) = measure_of(&Measure::NAMES, text)?;
        let (relation, bound) = bound_of(measure.name(), measure.unit(), rest)?;
        Ok(Self { measure, relation, bound })
    }
}

impl Expectation {
    /// Whether it came true.
    #[must_use]
    pub fn judge(self, rehearsal: &Rehearsal) -> Judged {
        let measured = self.measure.of(rehearsal);
        let outcome = match measured.map(|number| self.relation.holds(number, self.bound)) {
            Some(true) => Met::Met,
            Some(false) => Met::Missed,
            None => Met::NotEnoughData,
        };
        Judged { expectation: self, measured, outcome }
    }
}

impl Judged {
    /// What was measured, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        self.measured.map_or_else(|| "–".to_owned(), |number| self.expectation.measure.unit().show(number))
    }
}

/// What became of all of them: missed where one was, else untold where one is; `None` where nothing was expected.
#[must_use]
pub fn outcome<'j>(judged: impl IntoIterator<Item = &'j Judged>) -> Option<Met> {
    let badness = |met: Met| match met {
        Met::Met => 0,
        Met::NotEnoughData => 1,
        Met::Missed => 2,
    };
    judged.into_iter().map(|judged| judged.outcome).max_by_key(|met| badness(*met))
}
