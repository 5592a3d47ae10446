//! Which answers are what a caller wanted.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use thiserror::Error;

use crate::failure::statuses;

/// The statuses that a caller takes for a success; every other answer is a failure, and so is none.
///
/// Written as a list of words: a status (`404`), a class (`2xx`) or a range (`200-204`). Default `1xx, 2xx, 3xx`: whatever is below 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Success(Vec<RangeInclusive<u16>>);

/// A word that names no status.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a success is a status (404), a class (2xx) or a range (200-204), found `{0}`")]
pub struct SuccessError(pub String);

impl Success {
    /// Whatever is below 400, without room taken for it.
    pub const BELOW_400: &'static Self = &Self(Vec::new());

    /// From words as above.
    ///
    /// # Errors
    /// The first word that names no status; without any word, nothing could ever succeed.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, SuccessError> {
        let range = |word: &str| statuses(word).ok_or_else(|| SuccessError(word.to_owned()));
        let ranges: Vec<_> = words.into_iter().map(range).collect::<Result<_, _>>()?;
        if ranges.is_empty() {
            return Err(SuccessError(String::new()));
        }
        Ok(Self(ranges))
    }

    /// Whether an answer with this status is one.
    #[must_use]
    #[inline]
    pub fn includes(&self, status: u16) -> bool {
        if self.0.is_empty() { status < 400 } else { self.0.iter().any(|range| range.contains(&status)) }
    }
}

impl Default for Success {
    fn default() -> Self {
        Self::BELOW_400.clone()
    }
}

/// Words separated by commas.
impl FromStr for Success {
    type Err = SuccessError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text.split(',').map(str::trim))
    }
}

/// In words that are read again.
impl fmt::Display for Success {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("1xx, 2xx, 3xx");
        }
        for (place, range) in self.0.iter().enumerate() {
            let (first, last) = (range.start(), range.end());
            let comma = if place > 0 { ", " } else { "" };
            match (first, last) {
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) if first % 100 == 0 && *last == first + 99 => write!(f, "{comma}{}xx", first / 100)?,
                (first, last) => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Success;

    #[test]
    fn by_default_a_success_is_below_400() {
        let default = Success::default();
        assert!([100, 200, 204, 304, 399].iter().all(|status| default.includes(*status)));
        assert!(![400, 404, 429, 500, 599].iter().any(|status| default.includes(*status)));
        assert_eq!(default.to_string().parse::<Success>().map(|read| read.includes(399)), Ok(true));
    }

    #[test]
    fn words_name_statuses_classes_and_ranges() {
        let given: Success = "2xx, 404,410-412".parse().unwrap();
        assert!([200, 299, 404, 410, 412].iter().all(|status| given.includes(*status)));
        assert!(![199, 302, 403, 409, 413, 500].iter().any(|status| given.includes(*status)));
        assert_eq!(given.to_string(), "2xx, 404, 410-412");
        assert_eq!(given.to_string().parse(), Ok(given));
    }

    #[test]
    fn other_words_are_refused() {
        for word in ["", "ok", "6xx", "99", "600", "204-200", "transport"] {
            let refused = word.parse::<Success>().unwrap_err().to_string();
            assert!(refused.ends_with(&format!("found `{word}`")), "{refused}");
        }
        assert!(Success::new([]).is_err());
    }
}
