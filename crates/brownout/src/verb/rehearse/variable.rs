//! Variables that tell a command where the service is.

use std::ffi::{OsStr, OsString};
use std::str::FromStr;

/// A variable of the environment that holds the URL of the service, with something behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    name: String,
    /// Empty, or a path.
    suffix: String,
}

/// What stands for the URL in an argument.
const PLACEHOLDER: &str = "{url}";

impl Variable {
    /// Set whatever is said.
    pub(super) const OWN: &'static str = "BROWNOUT_URL";

    /// As the command gets it.
    pub(super) fn set(&self, url: &str) -> (OsString, OsString) {
        (self.name.clone().into(), format!("{url}{}", self.suffix).into())
    }
}

/// Reads `NAME`, or `NAME=/path`.
impl FromStr for Variable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, suffix) = text.split_once('=').unwrap_or((text, ""));
        let is_name = |name: &str| {
            let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
            starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if !is_name(name) {
            return Err(format!(
                "a variable is letters, digits and `_`, and begins with no digit, found `{name}`; write OPENAI_BASE_URL, or \
                 OPENAI_BASE_URL=/v1"
            ));
        }
        if !suffix.is_empty() && !suffix.starts_with('/') {
            return Err(format!(
                "what follows the URL of the service is a path, found `{suffix}`; write {name}=/{suffix}, or {name} for the URL alone"
            ));
        }
        Ok(Self { name: name.to_owned(), suffix: suffix.to_owned() })
    }
}

/// `argument` with the URL in place of every `{url}`.
pub(super) fn filled(argument: &OsStr, url: &str) -> OsString {
    match argument.to_str() {
        Some(text) if text.contains(PLACEHOLDER) => text.replace(PLACEHOLDER, url).into(),
        _ => argument.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Variable, filled};
    use std::ffi::OsStr;

    #[test]
    fn a_variable_has_a_name_and_may_have_a_path() {
        let set = |text: &str| text.parse::<Variable>().map(|variable| variable.set("http://h:1"));
        let pair = |name: &str, value: &str| Ok((name.into(), value.into()));
        assert_eq!(set("OPENAI_BASE_URL"), pair("OPENAI_BASE_URL", "http://h:1"));
        assert_eq!(set("_A1=/v1"), pair("_A1", "http://h:1/v1"));
        for (text, part) in [("", "found ``"), ("1A", "found `1A`"), ("A-B", "found `A-B`"), ("A=v1", "write A=/v1")] {
            assert!(set(text).unwrap_err().contains(part), "{text}");
        }
    }

    #[test]
    fn the_url_takes_its_place_in_arguments() {
        assert_eq!(filled(OsStr::new("{url}/a?b={url}"), "U"), "U/a?b=U");
        assert_eq!(filled(OsStr::new("{urls}"), "U"), "{urls}");
    }
}
