//! What a run is expected to come to, and whether it did.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::LoadResult;

/// A number of a result that something may be expected of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Calls succeeded ÷ calls started.
    SuccessRate,
    /// Calls that did not ÷ calls started.
    ErrorRate,
    /// Attempts ÷ calls started.
    Amplification,
    /// Calls succeeded ÷ duration.
    Goodput,
    /// From the end of the last phase to recovery.
    Recovery,
    /// Percentiles of calls, from when they were due.
    P50,
    /// The same.
    P90,
    /// The same.
    P95,
    /// The same.
    P99,
    /// The same.
    #[serde(rename = "p99_9")]
    P999,
    /// Percentiles of single attempts.
    AttemptP50,
    /// The same.
    AttemptP99,
    /// Calls that were never begun.
    Unsent,
    /// How often effects were done once more for one key.
    Duplicates,
}

/// The unit of a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// From 0 to 1.
    Share,
    /// A number without a unit.
    Ratio,
    /// Calls a second.
    PerSecond,
    /// Milliseconds.
    Ms,
    /// How many.
    Count,
}

/// On which side of its bound a number is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relation {
    /// The bound or more.
    #[serde(rename = ">=")]
    AtLeast,
    /// The bound or less.
    #[serde(rename = "<=")]
    AtMost,
}

/// One number and its bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// What is measured.
    pub measure: Measure,
    /// On which side of the bound it is to be.
    pub relation: Relation,
    /// In the unit of the measure.
    pub bound: f64,
}

/// What a run is expected to come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expectations {
    /// Each measure at most once.
    pub all: Vec<Expectation>,
    /// Whether the verdict is expected to be a miss: a negative control, which shows that the others can fail.
    pub missed: bool,
}

/// What became of an expectation, or of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// It came true.
    Met,
    /// It did not.
    Missed,
    /// The run cannot tell.
    NotEnoughData,
}

/// An expectation after the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// What was expected.
    #[serde(flatten)]
    pub expectation: Expectation,
    /// Of the bound and of what was measured.
    pub unit: Unit,
    /// `None` where there is no such number: too few values, or no recovery.
    pub measured: Option<f64>,
    /// Whether it came true.
    pub outcome: Met,
}

/// All expectations after the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether all came true; `None` where none was missed, and one cannot be told.
    pub met: Option<bool>,
    /// Whether that is what was expected: a negative control is to be missed.
    pub as_expected: Option<bool>,
    /// One by one.
    pub expectations: Vec<Judged>,
}

/// A miss by less than this share is rounding: 99.9 % has no exact form.
const ROUNDING: f64 = 1e-9;

impl Relation {
    /// Whether `number` is on this side of `bound`; a miss by rounding alone is none.
    ///
    /// ```
    /// use brownout_load::Relation;
    ///
    /// assert!(Relation::AtMost.holds(4.0 / 3.0, 1.3333333333) && !Relation::AtMost.holds(4.0 / 3.0, 1.33));
    /// assert!(Relation::AtLeast.holds(0.1 + 0.2, 0.3));
    /// ```
    #[must_use]
    pub fn holds(self, number: f64, bound: f64) -> bool {
        let slack = bound.abs() * ROUNDING;
        match self {
            Self::AtLeast => number >= bound - slack,
            Self::AtMost => number <= bound + slack,
        }
    }
}

impl Measure {
    /// Every measure with its name in scenarios and in flags.
    pub const NAMES: [(&'static str, Self); 14] = [
        ("success_rate", Self::SuccessRate),
        ("error_rate", Self::ErrorRate),
        ("amplification", Self::Amplification),
        ("goodput", Self::Goodput),
        ("recovery", Self::Recovery),
        ("p50", Self::P50),
        ("p90", Self::P90),
        ("p95", Self::P95),
        ("p99", Self::P99),
        ("p99_9", Self::P999),
        ("attempt_p50", Self::AttemptP50),
        ("attempt_p99", Self::AttemptP99),
        ("unsent", Self::Unsent),
        ("duplicates", Self::Duplicates),
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
            Self::SuccessRate | Self::ErrorRate => Unit::Share,
            Self::Amplification => Unit::Ratio,
            Self::Goodput => Unit::PerSecond,
            Self::Unsent | Self::Duplicates => Unit::Count,
            _ => Unit::Ms,
        }
    }

    /// What a run came to; `Err` where it cannot tell.
    #[expect(clippy::cast_precision_loss, reason = "counts to compare")]
    fn of(self, result: &LoadResult) -> Result<Number, NotEnoughData> {
        let (response, service) = (&result.latency_ms.response, &result.latency_ms.service);
        let number = match self {
            Self::SuccessRate => result.success_rate,
            Self::ErrorRate => result.success_rate.map(|rate| 1.0 - rate),
            Self::Amplification => result.amplification,
            Self::Goodput => result.goodput_per_second,
            Self::Recovery => match result.recovery {
                Some(recovery) if recovery.recovered_after_s.is_none() && recovery.intervals_after >= 5 => {
                    return Ok(Number::Never);
                }
                recovery => recovery.and_then(|recovery| recovery.recovered_after_s).map(|seconds| 1e3 * seconds),
            },
            Self::P50 => response.p50,
            Self::P90 => response.p90,
            Self::P95 => response.p95,
            Self::P99 => response.p99,
            Self::P999 => response.p99_9,
            Self::AttemptP50 => service.p50,
            Self::AttemptP99 => service.p99,
            Self::Unsent => Some(result.calls.unsent as f64),
            Self::Duplicates => (!result.effects.is_empty())
                .then(|| result.effects.iter().map(|effect| effect.duplicates).sum::<u64>() as f64),
        };
        number.map(Number::Of).ok_or(NotEnoughData)
    }
}

/// What a measure came to.
enum Number {
    Of(f64),
    /// Beyond every bound.
    Never,
}

/// The run cannot tell.
struct NotEnoughData;

impl Unit {
    /// A number of this unit, for people.
    #[must_use]
    pub fn show(self, number: f64) -> String {
        let short = |number: f64| {
            let digits = if number.abs() < 1.0 { 3 } else { 2 };
            let text = format!("{number:.digits$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        };
        match self {
            Self::Share => format!("{}%", short(100.0 * number)),
            Self::Ratio | Self::Count => short(number),
            Self::PerSecond => format!("{}/s", short(number)),
            Self::Ms if number.abs() < 10_000.0 => format!("{}ms", short(number)),
            Self::Ms => format!("{}s", short(number / 1e3)),
        }
    }
}

/// As it is written: `<=`.
impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
        })
    }
}

/// As it is written: `p99 <= 300ms`.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measure, relation, bound } = *self;
        write!(f, "{} {relation} {}", measure.name(), measure.unit().show(bound))
    }
}

impl Met {
    /// In a word or three.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::NotEnoughData => "not enough data",
        }
    }
}

impl Expectation {
    /// Whether it came true.
    #[must_use]
    pub fn judge(self, result: &LoadResult) -> Judged {
        let Self { measure, relation, bound } = self;
        let (measured, outcome) = match measure.of(result) {
            Err(NotEnoughData) => (None, Met::NotEnoughData),
            Ok(Number::Never) => (None, if relation == Relation::AtMost { Met::Missed } else { Met::Met }),
            Ok(Number::Of(number)) => {
                (Some(number), if relation.holds(number, bound) { Met::Met } else { Met::Missed })
            }
        };
        Judged { expectation: self, unit: measure.unit(), measured, outcome }
    }
}

impl Judged {
    /// What was measured, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        match (self.measured, self.outcome) {
            (Some(number), _) => self.unit.show(number),
            (None, Met::NotEnoughData) => "–".to_owned(),
            (None, _) => "never".to_owned(),
        }
    }
}

impl Expectations {
    /// Whether nothing is expected.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The same with `more`, each in the place of what was expected of its measure.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = Expectation>) -> Self {
        for expectation in more {
            match self.all.iter_mut().find(|known| known.measure == expectation.measure) {
                Some(known) => *known = expectation,
                None => self.all.push(expectation),
            }
        }
        self
    }

    /// What became of them; `None` where nothing is expected. A run that was cut short can miss what is expected of it, and cannot
    /// come up to it: nobody knows what was still to come.
    #[must_use]
    pub fn judge(&self, result: &LoadResult) -> Option<Verdict> {
        if self.is_empty() {
            return None;
        }
        let expectations: Vec<Judged> = self.all.iter().map(|expectation| expectation.judge(result)).collect();
        let any = |outcome| expectations.iter().any(|judged| judged.outcome == outcome);
        let met = match (any(Met::Missed), any(Met::NotEnoughData)) {
            (true, _) => Some(false),
            (false, true) => None,
            (false, false) => Some(true),
        };
        let whole = result.cut_short.is_none();
        let met = met.filter(|met| whole || !met);
        // Nor is it a negative control that went as it should.
        let as_expected = met.map(|met| met != self.missed).filter(|as_expected| whole || !as_expected);
        Some(Verdict { met, as_expected, expectations })
    }
}

impl Verdict {
    /// What became of all of them together.
    #[must_use]
    pub const fn outcome(&self) -> Met {
        match self.met {
            Some(true) => Met::Met,
            Some(false) => Met::Missed,
            None => Met::NotEnoughData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Expectation, Expectations, Measure, Met, Relation};
    use crate::{LoadResult, Recovery, Tally};

    fn at_most(measure: Measure, bound: f64) -> Expectation {
        Expectation { measure, relation: Relation::AtMost, bound }
    }

    fn at_least(measure: Measure, bound: f64) -> Expectation {
        Expectation { measure, relation: Relation::AtLeast, bound }
    }

    /// 999 of 1000 calls succeeded, in 10 s.
    fn result() -> LoadResult {
        let mut result = Tally::new(&[]).result(0, None);
        (result.success_rate, result.goodput_per_second) = (Some(999.0 / 1000.0), Some(99.9));
        result.latency_ms.response.p99 = Some(300.0);
        result.calls.unsent = 3;
        result
    }

    fn recovery(recovered_after_s: Option<f64>, intervals_after: u64) -> Recovery {
        Recovery {
            trigger_from_s: 1.0,
            trigger_until_s: 2.0,
            succeeded: [0; 3],
            seen_until_s: 9.0,
            goodput_before: None,
            goodput_during: None,
            goodput_after: None,
            recovered_after_s,
            intervals_after,
        }
    }

    #[track_caller]
    fn check(expectation: Expectation, result: &LoadResult, outcome: Met, shown: &str) {
        let judged = expectation.judge(result);
        assert_eq!((judged.outcome, judged.shown().as_str()), (outcome, shown), "{expectation}");
    }

    #[test]
    fn a_bound_itself_is_within() {
        let result = result();
        check(at_least(Measure::SuccessRate, 99.9 / 100.0), &result, Met::Met, "99.9%");
        check(at_least(Measure::SuccessRate, 0.9991), &result, Met::Missed, "99.9%");
        check(at_most(Measure::ErrorRate, 0.1 / 100.0), &result, Met::Met, "0.1%");
        check(at_most(Measure::P99, 300.0), &result, Met::Met, "300ms");
        check(at_most(Measure::P99, 299.9), &result, Met::Missed, "300ms");
        check(at_least(Measure::Goodput, 99.9), &result, Met::Met, "99.9/s");
        check(at_most(Measure::Unsent, 2.0), &result, Met::Missed, "3");
    }

    #[test]
    fn what_cannot_be_told_is_not_met() {
        let result = result();
        for measure in [Measure::P999, Measure::Recovery, Measure::Duplicates, Measure::Amplification] {
            check(at_most(measure, 1e9), &result, Met::NotEnoughData, "–");
        }
    }

    #[test]
    fn never_is_beyond_every_bound_and_soon_after_nothing_is_known() {
        let of = |recovery| LoadResult { recovery: Some(recovery), ..result() };
        let within = at_most(Measure::Recovery, 30_000.0);
        check(within, &of(recovery(Some(30.0), 60)), Met::Met, "30s");
        check(within, &of(recovery(Some(31.0), 60)), Met::Missed, "31s");
        check(within, &of(recovery(None, 60)), Met::Missed, "never");
        check(within, &of(recovery(None, 4)), Met::NotEnoughData, "–");
    }

    #[test]
    fn one_miss_is_a_miss_and_one_doubt_a_doubt() {
        let (met, missed) = (at_most(Measure::Unsent, 3.0), at_most(Measure::P99, 1.0));
        let doubt = at_most(Measure::P999, 1.0);
        for (all, expected) in [
            (vec![met], Some(true)),
            (vec![met, doubt], None),
            (vec![met, doubt, missed], Some(false)),
            (vec![missed], Some(false)),
        ] {
            let verdict = |missed| Expectations { all: all.clone(), missed }.judge(&result()).unwrap();
            assert_eq!((verdict(false).met, verdict(false).as_expected), (expected, expected));
            // A negative control is as expected when it is missed, and only then.
            assert_eq!((verdict(true).met, verdict(true).as_expected), (expected, expected.map(|met| !met)));
        }
        assert_eq!(Expectations::default().judge(&result()), None);
    }

    #[test]
    fn a_later_word_on_the_same_measure_counts() {
        let scenario =
            Expectations { all: vec![at_most(Measure::P99, 1.0), at_most(Measure::P50, 1.0)], missed: false };
        let all = scenario.with([at_most(Measure::P99, 5.0), at_least(Measure::Goodput, 2.0)]).all;
        let text: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["p99 <= 5ms", "p50 <= 1ms", "goodput >= 2/s"]);
    }

    #[test]
    fn names_are_those_of_the_record() {
        for (name, measure) in Measure::NAMES {
            assert_eq!(serde_json::to_string(&measure).unwrap(), format!("\"{name}\""));
        }
    }

    #[test]
    fn what_was_cut_short_is_never_as_expected() {
        let whole = result();
        let short = LoadResult { cut_short: Some("ended".to_owned()), ..whole.clone() };
        let judge = |bound, missed, result: &LoadResult| {
            let all = vec![at_least(Measure::SuccessRate, bound)];
            let verdict = Expectations { all, missed }.judge(result).unwrap();
            (verdict.met, verdict.as_expected)
        };
        assert_eq!(judge(0.9, false, &whole), (Some(true), Some(true)));
        assert_eq!(judge(0.9, false, &short), (None, None));
        assert_eq!(judge(1.0, false, &short), (Some(false), Some(false)));
        assert_eq!(judge(1.0, true, &whole), (Some(false), Some(true)));
        assert_eq!(judge(1.0, true, &short), (Some(false), None));
    }
}
