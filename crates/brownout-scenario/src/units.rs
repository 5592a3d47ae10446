//! Numbers with units, in scenarios and in flags.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_load::Rate;
use thiserror::Error;

/// The longest duration anything here may last: a year.
pub const DURATION_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// Why a text is no duration. Each message names the rule, the value found and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DurationError {
    /// Not a number with a unit.
    #[error(
        "a duration is a number with a unit (ns, us, ms, s, m, h) or a bare number of seconds, found `{0}`; write \"250ms\" or 0.25"
    )]
    Unreadable(String),
    /// Below zero.
    #[error("a duration is not negative, found `{0}`")]
    Negative(String),
    /// Longer than [`DURATION_MAX`].
    #[error("a duration is at most a year (8760h), found `{0}`; write a shorter one")]
    TooLong(String),
}

/// Units by name, in nanoseconds.
const UNITS: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// A regular expression for what [`duration`] reads as text.
pub(crate) const DURATION_PATTERN: &str = r"^\s*(\d+(\.\d+)?\s*(ns|us|µs|ms|s|m|h)\s*)+$|^\s*\d+(\.\d+)?\s*$";

/// Reads a duration: numbers with units, one or several (`250ms`, `1m30s`), or a bare number of seconds (`0.1`).
///
/// Kept to the nanosecond.
///
/// # Errors
/// When the text is none, is negative, or lasts longer than [`DURATION_MAX`].
///
/// ```
/// use std::time::Duration;
/// use brownout_scenario::units::duration;
///
/// assert_eq!(duration("250ms")?, Duration::from_millis(250));
/// assert_eq!(duration("0.1")?, Duration::from_millis(100));
/// assert!(duration("-1s").is_err());
/// # Ok::<(), brownout_scenario::units::DurationError>(())
/// ```
pub fn duration(text: &str) -> Result<Duration, DurationError> {
    let trimmed = text.trim();
    let unreadable = || DurationError::Unreadable(text.to_owned());
    if let Some(rest) = trimmed.strip_prefix('-') {
        let negative = || DurationError::Negative(text.to_owned());
        return Err(if nanos(rest).is_some() { negative() } else { unreadable() });
    }
    from_nanos(nanos(trimmed).ok_or_else(unreadable)?, text)
}

/// A regular expression for what [`rate`] reads as text.
pub(crate) const RATE_PATTERN: &str = r"^\s*\d+(\.\d+)?\s*(/\s*(s|m|h))?\s*$";

/// Reads a rate: a number of events a second (`200`, `200/s`), a minute (`5/m`) or an hour (`1/h`).
///
/// # Errors
/// When the text is none, or the rate is zero or above [`Rate::MAX`].
pub fn rate(text: &str) -> Result<Rate, RateError> {
    per_second(text).and_then(Rate::per_second).ok_or_else(|| RateError(text.to_owned()))
}

/// The same, or 0.
pub(crate) fn rate_or_zero(text: &str) -> Option<f64> {
    per_second(text).filter(|rate| *rate == 0.0 || Rate::per_second(*rate).is_some()).map(f64::abs)
}

fn per_second(text: &str) -> Option<f64> {
    let (digits, unit) = text.split_once('/').unwrap_or((text, "s"));
    let seconds = match unit.trim() {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Some(digits.trim().parse::<f64>().ok()? / seconds)
}

/// Why a text is no rate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a rate is a number from 0.0000001 to 10000000 a second, as \"200/s\", \"5/m\" or \"1/h\", found `{0}`")]
pub struct RateError(pub String);

/// A regular expression for what [`size`] reads as text.
pub(crate) const SIZE_PATTERN: &str = r"^\s*\d+(\.\d+)?\s*(B|KB|KiB|MB|MiB)?\s*$";

/// A regular expression for what [`speed`] reads as text.
pub(crate) const SPEED_PATTERN: &str = r"^\s*\d+(\.\d+)?\s*(B|KB|KiB|MB|MiB)\s*/\s*s\s*$";

/// Units of size by name, in bytes.
const SIZES: [(&str, f64); 5] = [("B", 1.0), ("KB", 1e3), ("KiB", 1024.0), ("MB", 1e6), ("MiB", 1_048_576.0)];

/// Reads a number of bytes: with a unit (`64KiB`, `1.5MB`) or without (`100`). What is no whole number of bytes is rounded.
///
/// # Errors
/// When the text is none, or the number is above 4 GiB.
pub fn size(text: &str) -> Result<u32, SizeError> {
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (digits, unit) = trimmed.split_at(end);
    let unit = if unit.is_empty() { "B" } else { unit.trim() };
    let scale = SIZES.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale);
    let bytes = number(digits).zip(scale).map(|(number, scale)| (number * scale).round());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    let whole = |bytes: f64| bytes as u32;
    let bytes = bytes.filter(|bytes| (0.0..=f64::from(u32::MAX)).contains(bytes));
    bytes.map(whole).ok_or_else(|| SizeError(text.to_owned()))
}

/// Reads a number of bytes a second, as `64KiB/s`.
///
/// # Errors
/// When the text is none, or the number is 0 or above 4 GiB.
pub fn speed(text: &str) -> Result<NonZeroU32, SpeedError> {
    let bytes = text.split_once('/').filter(|(_, per)| per.trim() == "s").map(|(size, _)| size.trim());
    let named = bytes.filter(|bytes| bytes.ends_with('B'));
    let speed = named.and_then(|bytes| size(bytes).ok()).and_then(NonZeroU32::new);
    speed.ok_or_else(|| SpeedError(text.to_owned()))
}

/// Why a text is no number of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "a size is a number with a unit (B, KB, KiB, MB, MiB) or a bare number of bytes, found `{0}`; write \"64KiB\" or 100"
)]
pub struct SizeError(pub String);

/// Why a text is no number of bytes a second.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a speed is a size a second, more than nothing, found `{0}`; write \"64KiB/s\"")]
pub struct SpeedError(pub String);

/// Reads a bare number of seconds, in any form that TOML and JSON have.
pub(crate) fn seconds(number: &str) -> Result<Duration, DurationError> {
    match number.parse::<f64>() {
        Ok(seconds) if seconds < 0.0 => Err(DurationError::Negative(number.to_owned())),
        Ok(seconds) if seconds.is_finite() => from_nanos(seconds * 1e9, number),
        _ => Err(DurationError::Unreadable(number.to_owned())),
    }
}

fn from_nanos(nanos: f64, text: &str) -> Result<Duration, DurationError> {
    // A year of nanoseconds is far below 2^63, and `as` saturates above.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and bounded below")]
    let duration = Duration::from_nanos(nanos.round() as u64);
    if duration > DURATION_MAX { Err(DurationError::TooLong(text.to_owned())) } else { Ok(duration) }
}

fn nanos(text: &str) -> Option<f64> {
    if let Some(seconds) = number(text) {
        return Some(seconds * 1e9);
    }
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (value, tail) = rest.split_at(digits);
        let tail = tail.trim_start();
        let end = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
        let (unit, after) = tail.split_at(end);
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
        sum += number(value)? * scale;
        rest = after.trim_start();
    }
    (!text.is_empty()).then_some(sum)
}

/// Digits with at most one point in the middle: no sign, no exponent, no `inf`.
fn number(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(fraction)).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{duration, size, speed};
    use proptest::prelude::*;
    use std::time::Duration;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = duration(text).map_or_else(|error| error.to_string(), |duration| format!("{duration:?}"));
        assert!(found.contains(expected), "{text}: {found}");
    }

    #[test]
    fn units_and_bare_seconds() {
        check("250ms", "250ms");
        check("0.1", "100ms");
        check("5", "5s");
        check("1m30s", "90s");
        check("1h 30m", "5400s");
        check("1.5 s", "1.5s");
        check("10us", "10µs");
        check("10µs", "10µs");
        check("0", "0ns");
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_rule_and_the_value() {
        for text in ["abc", "", "nan", "inf", "1e3", "10 parsecs", "ms", "1.s", "5sm", "--1", "1 2s"] {
            check(text, &format!("a bare number of seconds, found `{text}`"));
        }
        check("-1", "not negative, found `-1`");
        check("-5ms", "not negative");
        check("9000h", "at most a year");
        check("1000000000000000000000000000000", "at most a year");
    }

    #[test]
    fn sizes_and_speeds() {
        for (text, bytes) in
            [("100", 100), ("64KiB", 65_536), ("1.5 KB", 1500), ("0.0001MB", 100), ("0B", 0), ("4MiB", 4 << 20)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        assert_eq!(speed("64KiB/s").unwrap().get(), 65_536);
        assert_eq!(speed("10 B / s").unwrap().get(), 10);
        for text in ["", "KiB", "-1", "1e3", "10k", "64kib", "5GB", "4294967296", "1..5KB"] {
            assert!(
                size(text).unwrap_err().to_string().contains(&format!("found `{text}`; write \"64KiB\"")),
                "{text}"
            );
        }
        for text in ["10", "10/s", "0B/s", "0.1B/s", "10KiB/m", "10KiB"] {
            assert!(speed(text).unwrap_err().to_string().contains(&format!("found `{text}`")), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = (duration(&text), size(&text), speed(&text));
        }

        #[test]
        fn milliseconds_are_exact(ms in 0_u64..31_536_000_000) {
            prop_assert_eq!(duration(&format!("{ms}ms")).unwrap(), Duration::from_millis(ms));
        }
    }
}
