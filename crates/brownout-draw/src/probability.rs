//! Probabilities as whole numbers.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A probability from 0 to 1, kept as whole parts of a billion: exact, comparable, never NaN.
///
/// Written as a number from 0 to 1 or as a percentage:
///
/// ```
/// use brownout_draw::Probability;
///
/// let five: Probability = "5%".parse()?;
/// assert_eq!(five, "0.05".parse()?);
/// assert_eq!(five.parts(), 50_000_000);
/// assert!("5".parse::<Probability>().is_err());
/// # Ok::<(), brownout_draw::ProbabilityError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Probability(u32);

impl Probability {
    /// How many parts make certainty.
    pub const PARTS: u32 = 1_000_000_000;
    /// Never.
    pub const ZERO: Self = Self(0);
    /// Always.
    pub const ONE: Self = Self(Self::PARTS);

    /// `parts` of a billion; `None` above one billion.
    #[must_use]
    pub const fn from_parts(parts: u32) -> Option<Self> {
        if parts <= Self::PARTS { Some(Self(parts)) } else { None }
    }

    /// Parts of a billion, 0 to 1,000,000,000.
    #[must_use]
    pub const fn parts(self) -> u32 {
        self.0
    }

    /// As a fraction from 0 to 1.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(Self::PARTS)
    }
}

/// Why a text is no probability. Each message names the rule, the value found and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProbabilityError {
    /// Not a number at all.
    #[error("a probability is a number from 0 to 1 or a percentage such as \"5%\", found `{0}`")]
    NotANumber(String),
    /// Below 0 or above 1.
    #[error("a probability lies from 0 to 1, found {0}; for a percentage write \"5%\"")]
    OutOfRange(String),
    /// More digits than are kept.
    #[error("a probability is kept in parts of a billion, found {0}; write at most nine decimals")]
    TooFine(String),
}

impl FromStr for Probability {
    type Err = ProbabilityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, whole) = match text.strip_suffix('%') {
            Some(digits) => (digits.trim_end(), 100.0),
            None => (text, 1.0),
        };
        let Ok(value) = digits.parse::<f64>() else {
            return Err(ProbabilityError::NotANumber(text.to_owned()));
        };
        if value.is_nan() {
            return Err(ProbabilityError::NotANumber(text.to_owned()));
        }
        if !(0.0..=whole).contains(&value) {
            return Err(ProbabilityError::OutOfRange(text.to_owned()));
        }
        let parts = value * (f64::from(Self::PARTS) / whole);
        // A decimal of nine digits misses its whole part by the rounding of two products; one more digit, by far more.
        if (parts - parts.round()).abs() > 1e-6 || (parts < 0.5 && value > 0.0) {
            return Err(ProbabilityError::TooFine(text.to_owned()));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a billion, checked above")]
        Ok(Self(parts.round() as u32))
    }
}

/// The shortest decimal from 0 to 1.
impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_f64().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Probability;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match text.parse::<Probability>() {
            Ok(probability) => probability.parts().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected), "{text}: {found}");
    }

    #[test]
    fn fractions_and_percentages_are_exact() {
        check("0", "0");
        check("1", "1000000000");
        check("0.1", "100000000");
        check("5%", "50000000");
        check("0.05 %", "500000");
        check("100%", "1000000000");
        check("1e-9", "1");
    }

    #[test]
    fn what_is_no_probability_is_refused_with_its_rule() {
        check("5", "lies from 0 to 1, found 5; for a percentage write \"5%\"");
        check("-0.1", "lies from 0 to 1");
        check("100.1%", "lies from 0 to 1");
        check("inf", "lies from 0 to 1");
        check("nan", "a number from 0 to 1");
        check("often", "a number from 0 to 1");
        check("", "a number from 0 to 1");
        check("0.0000000001", "at most nine decimals");
        check("0.00000000000001", "at most nine decimals");
        check("0.1234567891", "at most nine decimals");
    }

    proptest! {
        #[test]
        fn printing_and_parsing_agree(parts in 0..=Probability::PARTS) {
            let probability = Probability::from_parts(parts).unwrap();
            prop_assert_eq!(probability.to_string().parse::<Probability>().unwrap(), probability);
        }
    }
}
