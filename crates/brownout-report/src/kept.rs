//! Results that were kept in files, of every kind that can be looked at again.

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::{LoadReport, Page, ReadError, RehearseReport, Repeat, RunReport};

/// A result that was kept, of whichever verb.
#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    /// By `load` or `merge`.
    Load(Box<LoadReport>),
    /// By `rehearse`.
    Rehearse(Box<RehearseReport>),
    /// By `run`.
    Run(Box<RunReport>),
}

/// Why a text is none of them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeptError {
    /// Cut off, or never JSON.
    #[error("it is not JSON to its end ({0}); {taken}", taken = TAKEN)]
    Torn(String),
    /// Some other JSON.
    #[error("it is no result that is kept; {taken}", taken = TAKEN)]
    Foreign,
    /// No result of a load.
    #[error(transparent)]
    Load(ReadError),
    /// A result in words that are not known here.
    #[error(
        "it is written as `{found}`, and this version of brownout reads `{read}`; make it anew, or read it with that version"
    )]
    Version {
        /// In the file.
        found: String,
        /// In files of this version.
        read: &'static str,
    },
    /// A result in which something is missing or cannot be.
    #[error("something in it cannot be: {0}")]
    Broken(String),
}

/// Which files are taken.
const TAKEN: &str = "what is read are the files of `brownout load --output FILE`, `merge --output FILE`, `rehearse --output FILE`, and `run \
                     --output FILE` as JSON";

impl Kept {
    /// Reads what was written as JSON: nothing is lost.
    ///
    /// # Errors
    /// Where the text is not the whole of a record of these kinds.
    pub fn parse(text: &str) -> Result<Self, KeptError> {
        let value: Value = serde_json::from_str(text).map_err(|error| KeptError::Torn(error.to_string()))?;
        if value.get("format").is_some() {
            let foreign = |error| if error == ReadError::Foreign { KeptError::Foreign } else { KeptError::Load(error) };
            return LoadReport::parse(text).map(|report| Self::Load(Box::new(report))).map_err(foreign);
        }
        let schema = value.get("schema").and_then(Value::as_str).unwrap_or_default().to_owned();
        if is_kind(&schema, RehearseReport::SCHEMA) {
            return read(value, &schema, RehearseReport::SCHEMA).map(Self::Rehearse);
        }
        if is_kind(&schema, RunReport::SCHEMA) {
            return read(value, &schema, RunReport::SCHEMA).map(Self::Run);
        }
        Err(KeptError::Foreign)
    }

    /// For people, as its verb printed it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Load(report) => report.text(),
            Self::Rehearse(report) => report.text(),
            Self::Run(report) => report.text(),
        }
    }

    /// As a page.
    #[must_use]
    pub fn page(&self, repeat: Repeat) -> Page {
        match self {
            Self::Load(report) => report.page(repeat),
            Self::Rehearse(report) => report.page(repeat),
            Self::Run(report) => report.page(repeat),
        }
    }

    /// The verb that it is of.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Load(_) => "load",
            Self::Rehearse(_) => "rehearse",
            Self::Run(_) => "run",
        }
    }
}

/// Whether both are the same but for the number at their ends.
fn is_kind(found: &str, known: &str) -> bool {
    let kind = |name: &str| name.trim_end_matches(|letter: char| letter.is_ascii_digit()).to_owned();
    kind(found) == kind(known)
}

fn read<R: DeserializeOwned>(value: Value, found: &str, known: &'static str) -> Result<Box<R>, KeptError> {
    if found != known {
        return Err(KeptError::Version { found: found.to_owned(), read: known });
    }
    serde_json::from_value(value).map(Box::new).map_err(|error| KeptError::Broken(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{Kept, KeptError};
    use crate::rehearse::tests::{report as rehearsal, run};
    use crate::run::tests::{done, report, waited};
    use crate::{RunStop, json, load};

    #[test]
    fn every_kind_is_read_as_it_was_written() {
        let ran = report(vec![waited(1, 100), done(2)], RunStop::Success);
        let Ok(Kept::Run(read)) = Kept::parse(&json(&ran)) else { panic!() };
        assert_eq!((json(&*read), read.text()), (json(&ran), ran.text()));
        let rehearsed = rehearsal(vec![run(1)]);
        let Ok(Kept::Rehearse(read)) = Kept::parse(&json(&rehearsed)) else { panic!() };
        assert_eq!((json(&*read), read.text()), (json(&rehearsed), rehearsed.text()));
        let loaded = load::tests::report();
        assert_eq!(Kept::parse(&json(&loaded)), Ok(Kept::Load(Box::new(loaded))));
    }

    #[test]
    fn other_files_are_refused_with_those_that_are_taken() {
        let refused = |text: &str| Kept::parse(text).unwrap_err().to_string();
        for text in [
            "",
            "{",
            "<?xml version=\"1.0\"?>",
            "{}",
            "[1]",
            "{\"format\": \"other\"}",
            "{\"schema\": \"brownout-plan-1\"}",
        ] {
            let error = refused(text);
            assert!(
                error.contains("brownout load --output FILE") && error.contains("rehearse --output"),
                "{text}: {error}"
            );
        }
        let whole = json(&rehearsal(vec![run(1)]));
        assert!(refused(&whole[..whole.len() / 2]).starts_with("it is not JSON to its end"));
        let later = whole.replace("brownout-rehearse-1", "brownout-rehearse-2");
        assert!(refused(&later).starts_with("it is written as `brownout-rehearse-2`, and this version"), "{later}");
        let wrong = whole.replace("\"attempts\": 2", "\"attempts\": -2");
        assert!(matches!(Kept::parse(&wrong), Err(KeptError::Broken(_))));
    }
}
