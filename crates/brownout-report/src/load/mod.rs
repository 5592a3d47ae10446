//! A load, as a record that is written and read again.

mod text;

use std::time::Duration;

use brownout_load::{Expectations, LoadResult, Shard, Verdict};
use brownout_policy::Success;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use thiserror::Error;

pub use self::text::behind_text;

use crate::number::millis;
use crate::{MadeOf, Origin, Shards};

/// A load as `load` prints it, and reads it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    /// What it came to.
    #[serde(flatten)]
    pub result: LoadResult,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
    /// Of what the run was made.
    pub made_of: MadeOf,
    /// Which part of the load was run, where the whole was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Which parts were put together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<Shards>,
    /// When it was to start, and did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// What the run was expected to come to.
    #[serde(default, skip_serializing_if = "Expectations::is_empty")]
    pub expect: Expectations,
    /// What became of that; `None` where nothing was expected, and of a part of a load, which is not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Which answers counted as a success, in the words that scenarios say it in.
    #[serde(default = "below_400")]
    pub success: String,
    /// What this record is.
    pub format: Format,
}

fn below_400() -> String {
    Success::BELOW_400.to_string()
}

/// The start of a run by appointment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// When it was to be, as it was asked for.
    pub at: String,
    /// How much later it was; of several shards, at the most.
    pub late_ms: f64,
}

/// The kind and the version of the record: what is read must be what is written here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Format;

/// Why a text is no result of a load.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// Cut off, or never JSON.
    #[error("it is not JSON to its end ({0}); make it anew with `brownout load --output FILE`")]
    Torn(String),
    /// Some other JSON.
    #[error("it is no result of `brownout load`; make one with `brownout load --output FILE`")]
    Foreign,
    /// A result in words that are not known here.
    #[error("it is written as `{found}`, and this version of brownout reads `{NAME}`; make it anew, or read it with that version", NAME = Format::NAME)]
    Version {
        /// In the file.
        found: String,
    },
    /// A result in which something is missing or cannot be.
    #[error("something in it cannot be: {0}")]
    Broken(String),
}

impl Format {
    /// As it stands in files. The number is raised when what was written before can no longer be read.
    pub const NAME: &'static str = "brownout-load-1";
    /// That, without the number.
    const KIND: &'static str = "brownout-load-";
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Self::NAME)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = (name == Self::NAME).then_some(Self);
        known.ok_or_else(|| serde::de::Error::custom(format!("the format is `{name}`, not `{}`", Self::NAME)))
    }
}

impl Start {
    /// A start that was to be `at` a moment and came so much later.
    #[must_use]
    pub fn new(at: String, late: Duration) -> Self {
        Self { at, late_ms: millis(late) }
    }

    /// The appointment of two shards; `None` where they had none in common.
    pub(crate) fn later(one: Option<Self>, other: Option<&Self>) -> Option<Self> {
        let (one, other) = one.zip(other).filter(|(one, other)| one.at == other.at)?;
        Some(Self { late_ms: one.late_ms.max(other.late_ms), ..one })
    }
}

impl LoadReport {
    /// Reads what was written as JSON: nothing is lost.
    ///
    /// # Errors
    /// Where the text is not the whole of such a record.
    pub fn parse(text: &str) -> Result<Self, ReadError> {
        let value: Value = serde_json::from_str(text).map_err(|error| ReadError::Torn(error.to_string()))?;
        match value.get("format").and_then(Value::as_str) {
            Some(Format::NAME) => {}
            Some(other) if other.starts_with(Format::KIND) => {
                return Err(ReadError::Version { found: other.to_owned() });
            }
            _ => return Err(ReadError::Foreign),
        }
        let report: Self = serde_json::from_value(value).map_err(|error| ReadError::Broken(error.to_string()))?;
        report.check().map_err(|why| ReadError::Broken(why.to_owned()))?;
        Ok(report)
    }

    /// The same with what became of the expectations. A part of a load is not judged: what is to come of the whole need not come
    /// of it.
    #[must_use]
    pub fn judged(self) -> Self {
        let verdict = if self.is_part() { None } else { self.expect.judge(&self.result) };
        Self { verdict, ..self }
    }

    /// Whether it is of a part of a load, and not of the whole.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.shards.as_ref().map_or(self.shard.is_some(), |shards| !shards.missing.is_empty())
    }

    /// What reading alone does not find: histograms of which a part is missing.
    fn check(&self) -> Result<(), &'static str> {
        let of_cohorts = self.result.cohorts.iter().map(|cohort| &cohort.result);
        for result in of_cohorts.chain([&self.result]) {
            let latencies = &result.latency_ms;
            for latency in [&latencies.response, &latencies.success, &latencies.service] {
                latency.histogram()?;
            }
            if latencies.response.count != result.calls.started {
                return Err("`latency_ms.response.count` is not the number of calls");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Format, LoadReport, ReadError};
    use crate::{MadeOf, Origin, json};
    use brownout_draw::Seed;
    use brownout_load::{Attempt, CallEnd, CohortResult, Expectations, Reply, Tally};
    use brownout_policy::{DelaySource, StopReason, Transport, Verdict};
    use std::time::Duration;

    /// Twelve calls in as many seconds, one a second: every fourth fails at its third attempt, the others succeed at once.
    pub(crate) fn report() -> LoadReport {
        let mut tally = Tally::new(&[]);
        for call in 0..12_u64 {
            let started_ns = call * 1_000_000_000;
            let fails = call % 4 == 3;
            for number in 1..=if fails { 3 } else { 1 } {
                let reply = match (fails, number) {
                    (false, _) => Reply::Status(200),
                    (true, 3) => Reply::Broken(Transport::Timeout),
                    (true, _) => Reply::Status(503),
                };
                let again = Verdict::Retry { after: Duration::ZERO, source: DelaySource::Backoff };
                let verdict = fails.then_some(if number < 3 { again } else { Verdict::Stop(StopReason::Exhausted) });
                let latency_ns = 10_000_001 + call;
                let number = number.try_into().unwrap();
                tally.attempt(&Attempt { number, hedge: false, started_ns, latency_ns, reply, verdict });
            }
            let failed = fails.then_some(StopReason::Exhausted);
            let attempts = if fails { 3 } else { 1 };
            tally.call(&CallEnd { started_ns, elapsed_ns: 10_000_001 + call, attempts, failed });
        }
        let part = |name: &str| name.to_owned();
        LoadReport {
            result: tally.result(12, None),
            origin: Origin {
                seed: Seed(7),
                scenario: part("made.toml"),
                scenario_digest: part("d"),
                time: "virtual".into(),
                version: "0.1.0".into(),
            },
            made_of: MadeOf { service: part("s"), load: part("l"), policy: part("p"), callee: part("c") },
            shard: None,
            shards: None,
            start: None,
            expect: Expectations::default(),
            verdict: None,
            success: super::below_400(),
            format: Format,
        }
    }

    #[test]
    fn what_is_printed_is_read_and_printed_again() {
        let mut report = report();
        let cohort = CohortResult { name: "all".to_owned(), result: report.result.clone() };
        report.result.cohorts.push(cohort);
        let text = json(&report);
        let read = LoadReport::parse(&text).unwrap();
        assert_eq!(read, report);
        assert_eq!(json(&read), text);
    }

    #[test]
    fn what_is_no_whole_result_is_refused_with_the_reason() {
        let text = json(&report());
        assert!(matches!(LoadReport::parse(&text[..text.len() / 2]), Err(ReadError::Torn(_))));
        assert_eq!(LoadReport::parse("[1, 2]"), Err(ReadError::Foreign));
        assert_eq!(LoadReport::parse("{}"), Err(ReadError::Foreign));
        let later = text.replace(Format::NAME, "brownout-load-2");
        assert_eq!(LoadReport::parse(&later), Err(ReadError::Version { found: "brownout-load-2".to_owned() }));
        for (part, instead, why) in [
            ("\"timeout\": 3", "\"thunder\": 3", "`thunder` is no fault that this version knows"),
            ("\"count\": 12,", "\"count\": 13,", "`count` is not what `hdr_ns` counts"),
            ("\"started\": 12", "\"started\": 11", "`latency_ms.response.count` is not the number of calls"),
            ("\"seed\": 7", "\"sead\": 7", "missing field `seed`"),
        ] {
            assert!(text.contains(part), "{part}");
            let refused = LoadReport::parse(&text.replacen(part, instead, 1)).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
