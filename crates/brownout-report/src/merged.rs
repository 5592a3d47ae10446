//! The results of shards, put together.

use brownout_load::MergeError;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{LoadReport, MadeOf, Start};

/// Which shards a result is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shards {
    /// How many shards the load has.
    pub of: u32,
    /// Those that are in here, in order.
    pub present: Vec<u32>,
    /// Those that are not: with any, the result is incomplete.
    pub missing: Vec<u32>,
}

/// Why results are no shards of one load.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ForeignError {
    /// No file, no result.
    #[error("there is nothing to merge; name the files of the shards")]
    Nothing,
    /// The result of a whole run.
    #[error("{0} is the result of a whole run and no shard; shards are made with `load --shard I/N`")]
    Whole(String),
    /// The two are of different runs.
    #[error("{file} is of another {what} than {first} ({found}, not {expected}); only shards of one load add up")]
    Other {
        /// Whose.
        file: String,
        /// What differs.
        what: &'static str,
        /// In the file that was named first.
        first: String,
        /// In this file.
        found: String,
        /// In the first.
        expected: String,
    },
    /// One shard is there in two files.
    #[error("shard {index} of {of} is in {file} and was there before; name each shard once")]
    Twice {
        /// Which one.
        index: u32,
        /// Of how many.
        of: u32,
        /// Where it is the second time.
        file: String,
    },
    /// The counts do not add up.
    #[error("{file} does not add up with those before: {why}")]
    NoSum {
        /// Whose.
        file: String,
        /// Why not.
        why: MergeError,
    },
}

impl Shards {
    /// Of a load in so many shards, those that are `present`.
    #[must_use]
    pub fn new(of: u32, mut present: Vec<u32>) -> Self {
        present.sort_unstable();
        let missing = (0..of).filter(|index| present.binary_search(index).is_err()).collect();
        Self { of, present, missing }
    }

    /// What is missing, in a sentence; `None` where nothing is.
    #[must_use]
    pub fn lack(&self) -> Option<String> {
        let of = self.of;
        let names: Vec<String> = self.missing.iter().map(u32::to_string).collect();
        match &names[..] {
            [] => None,
            [one] => Some(format!("shard {one} of {of} is missing")),
            [most @ .., last] => Some(format!("shards {} and {last} of {of} are missing", most.join(", "))),
        }
    }
}

/// The shards of one load together, as the run of the whole would have come out. Each comes with the name of its file.
///
/// What was merged before can be merged with what was missing then.
///
/// # Errors
/// Where they are no shards of one load, or one of them is there twice.
pub fn merge(reports: &[(String, LoadReport)]) -> Result<LoadReport, ForeignError> {
    let ((first_file, first), others) = reports.split_first().ok_or(ForeignError::Nothing)?;
    let shards = first.shards(first_file)?;
    let (of, mut present, mut merged) = (shards.of, shards.present, first.clone());
    for (file, report) in others {
        let shards = report.shards(file)?;
        for (what, expected, found) in
            differences(first, report).into_iter().chain([("number of shards", of.to_string(), shards.of.to_string())])
        {
            if expected != found {
                let (file, first) = (file.clone(), first_file.clone());
                return Err(ForeignError::Other { file, what, first, found, expected });
            }
        }
        if let Some(&index) = shards.present.iter().find(|index| present.contains(index)) {
            return Err(ForeignError::Twice { index, of, file: file.clone() });
        }
        present.extend(shards.present);
        let why = |why| ForeignError::NoSum { file: file.clone(), why };
        merged.result = merged.result.merge(&report.result).map_err(why)?;
        merged.start = Start::later(merged.start.take(), report.start.as_ref());
    }
    Ok(LoadReport { shard: None, shards: Some(Shards::new(of, present)), ..merged }.judged())
}

/// What two shards of one load have in common, as it is in each.
fn differences(one: &LoadReport, other: &LoadReport) -> Vec<(&'static str, String, String)> {
    let parts = |report: &LoadReport| {
        let MadeOf { service, load, policy, callee } = &report.made_of;
        vec![
            ("seed", report.origin.seed.to_string()),
            ("version of brownout", report.origin.version.to_string()),
            ("time", report.origin.time.to_string()),
            ("service", service.clone()),
            ("load", load.clone()),
            ("policy", policy.clone()),
            ("callee", callee.clone()),
            ("scenario", report.origin.scenario_digest.clone()),
        ]
    };
    parts(one).into_iter().zip(parts(other)).map(|((what, one), (_, other))| (what, one, other)).collect()
}

impl LoadReport {
    /// Which shards it is made of.
    fn shards(&self, file: &str) -> Result<Shards, ForeignError> {
        match (&self.shards, self.shard) {
            (Some(shards), _) => Ok(shards.clone()),
            (None, Some(shard)) => Ok(Shards::new(shard.of(), vec![shard.index()])),
            (None, None) => Err(ForeignError::Whole(file.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Shards, merge};
    use crate::LoadReport;
    use crate::load::tests::report;
    use brownout_load::{Expectation, Expectations, Measure, Relation, Shard};

    fn shard(index: u32, of: u32) -> (String, LoadReport) {
        (format!("{index}.json"), LoadReport { shard: Shard::new(index, of), ..report() })
    }

    #[test]
    fn shards_add_up_and_those_missing_are_named() {
        let one = report().result.calls.started;
        let merged = merge(&[shard(4, 6), shard(0, 6), shard(2, 6)]).unwrap();
        assert_eq!(merged.result.calls.started, 3 * one);
        let shards = merged.shards.clone().unwrap();
        assert_eq!(shards, Shards { of: 6, present: vec![0, 2, 4], missing: vec![1, 3, 5] });
        assert_eq!(shards.lack().unwrap(), "shards 1, 3 and 5 of 6 are missing");
        let more = merge(&[("m.json".to_owned(), merged), shard(1, 6), shard(3, 6)]).unwrap().shards.unwrap();
        assert_eq!(more.lack().unwrap(), "shard 5 of 6 is missing");
        assert_eq!(Shards::new(2, vec![1, 0]).lack(), None);
    }

    #[test]
    fn a_verdict_waits_for_the_last_shard() {
        let expectation = Expectation { measure: Measure::SuccessRate, relation: Relation::AtMost, bound: 0.8 };
        let expect = Expectations { all: vec![expectation], missed: false };
        let expecting = |index| {
            let (file, report) = shard(index, 2);
            (file, LoadReport { expect: expect.clone(), ..report }.judged())
        };
        let (first, second) = (expecting(0), expecting(1));
        assert_eq!(first.1.verdict, None);
        assert_eq!(merge(std::slice::from_ref(&first)).unwrap().verdict, None);
        assert_eq!(merge(&[first, second]).unwrap().verdict.unwrap().met, Some(true));
    }

    #[track_caller]
    fn check(second: (String, LoadReport), expected: &str) {
        let refused = merge(&[shard(0, 3), second]).unwrap_err().to_string();
        assert_eq!(refused, expected);
    }

    #[test]
    fn what_is_no_shard_of_the_same_load_is_refused() {
        check(shard(0, 3), "shard 0 of 3 is in 0.json and was there before; name each shard once");
        let other = "only shards of one load add up";
        check(shard(1, 4), &format!("1.json is of another number of shards than 0.json (4, not 3); {other}"));
        let mut second = shard(1, 3);
        second.1.origin.seed.0 = 8;
        check(second, &format!("1.json is of another seed than 0.json (8, not 7); {other}"));
        let mut second = shard(1, 3);
        second.1.made_of.policy = "p2".to_owned();
        check(second, &format!("1.json is of another policy than 0.json (p2, not p); {other}"));
        check(
            ("w.json".to_owned(), report()),
            "w.json is the result of a whole run and no shard; shards are made with `load --shard I/N`",
        );
        assert!(merge(&[]).is_err());
    }
}
