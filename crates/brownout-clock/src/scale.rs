//! How fast the scenario's time passes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// How much of the scenario's time passes in the same real time: from a hundredth to 100,000. Default 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale(f64);

/// A time scale that is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a time scale is a number from {min} to {max}, found `{found}`; 60 makes a minute last a second", min = Scale::MIN, max = Scale::MAX)]
pub struct ScaleError {
    found: String,
}

impl Default for Scale {
    fn default() -> Self {
        Self::ONE
    }
}

impl Scale {
    /// As fast as real time.
    pub const ONE: Self = Self(1.0);

    /// The slowest.
    pub const MIN: f64 = 0.01;

    /// The fastest: a day in less than a second.
    pub const MAX: f64 = 100_000.0;

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Whether it is that of real time.
    #[must_use]
    pub fn is_one(self) -> bool {
        self == Self::ONE
    }

    /// How long `time` of the scenario really takes.
    #[must_use]
    #[inline]
    pub fn real(self, time: Duration) -> Duration {
        if self.is_one() { time } else { scaled(time, 1.0 / self.0) }
    }

    /// How much of the scenario's time passes in the `real` one.
    #[must_use]
    #[inline]
    pub fn scenario(self, real: Duration) -> Duration {
        if self.is_one() { real } else { scaled(real, self.0) }
    }
}

fn scaled(time: Duration, by: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * by).unwrap_or(Duration::MAX)
}

impl FromStr for Scale {
    type Err = ScaleError;

    fn from_str(text: &str) -> Result<Self, ScaleError> {
        let number = text.parse().ok().filter(|number| (Self::MIN..=Self::MAX).contains(number));
        number.map(Self).ok_or_else(|| ScaleError { found: text.to_owned() })
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Scale;
    use std::time::Duration;

    #[test]
    fn numbers_that_are_scales() {
        for good in ["1", "720", "0.01", "1e5"] {
            assert!(good.parse::<Scale>().is_ok(), "{good}");
        }
        for bad in ["0", "-1", "nan", "inf", "1e6", "", "2x", "0.001"] {
            let error = bad.parse::<Scale>().unwrap_err().to_string();
            assert!(error.starts_with("a time scale is a number from 0.01 to 100000, found"), "{error}");
        }
    }

    #[test]
    fn there_and_back() {
        let scale: Scale = "720".parse().unwrap();
        assert_eq!(scale.real(Duration::from_secs(86_400)), Duration::from_secs(120));
        assert_eq!(scale.scenario(Duration::from_secs(120)), Duration::from_secs(86_400));
        // As near as a float can be.
        assert!(scale.real(Duration::MAX).as_secs().abs_diff(u64::MAX / 720) < 1 << 10);
        assert_eq!("0.5".parse::<Scale>().unwrap().real(Duration::MAX), Duration::MAX);
    }
}
