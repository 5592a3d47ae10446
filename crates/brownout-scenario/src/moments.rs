//! Lists of moments, for loads that are replayed.

use std::time::Duration;

use brownout_load::{Replay, ReplayError};
use thiserror::Error;

/// Reads a list of moments, a line at a time: one moment a line, in any order. Empty lines and those that begin with `#` say
/// nothing.
///
/// A moment is a number of seconds since any other moment, such as the start of a log or 1970, with a fraction or without, or a date and time
/// of RFC 3339, and is kept to the nanosecond. A list has moments of one kind.
///
/// ```
/// use brownout_scenario::Moments;
///
/// let mut moments = Moments::default();
/// for line in ["# from the log of a gateway", "2025-03-01T12:00:00.25+01:00", "2025-03-01T11:00:00Z"] {
///     moments.line(line)?;
/// }
/// assert_eq!(moments.replay(1.0).unwrap().moments(), [0, 250_000_000]);
/// assert!(moments.line("noon").unwrap_err().to_string().starts_with("line 4: "));
/// # Ok::<(), brownout_scenario::MomentsError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Moments {
    lines: usize,
    moments: Vec<u64>,
    kind: Option<Kind>,
}

/// Why a line is none of a list of moments. Each message names the line, the value found and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MomentsError {
    /// No moment.
    #[error(
        "line {0}: a moment is a number of seconds such as 0.25 or a date and time such as 2025-03-01T12:00:00.25Z, found `{1}`"
    )]
    Unreadable(usize, String),
    /// Seconds among dates, or a date among seconds.
    #[error(
        "line {0}: all moments of a list are numbers of seconds or all are dates with times, found `{1}` after others"
    )]
    Mixed(usize, String),
    /// Too much.
    #[error("a list has at most {max} lines, found more; drop some", max = Moments::LINES_MAX)]
    Lines,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Seconds,
    Dates,
}

/// How much of a line is shown where it is none.
const SHOWN_CHARS: usize = 40;

const SECOND_NS: u64 = 1_000_000_000;

impl Moments {
    /// The most lines.
    pub const LINES_MAX: usize = 10_000_000;

    /// The longest line.
    pub const LINE_BYTES_MAX: usize = 1024;

    /// Reads the next line.
    ///
    /// # Errors
    /// When it is no moment, or one of another kind than those before, or one too many.
    pub fn line(&mut self, text: &str) -> Result<(), MomentsError> {
        if self.lines == Self::LINES_MAX {
            return Err(MomentsError::Lines);
        }
        self.lines += 1;
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        let found = || text.chars().take(SHOWN_CHARS).collect::<String>();
        let seconds = || Some((seconds(text)?, Kind::Seconds));
        let Some((moment, kind)) = seconds().or_else(|| Some((date(text)?, Kind::Dates))) else {
            return Err(MomentsError::Unreadable(self.lines, found()));
        };
        if *self.kind.get_or_insert(kind) != kind {
            return Err(MomentsError::Mixed(self.lines, found()));
        }
        self.moments.push(moment);
        Ok(())
    }

    /// What was read, `speed` times as fast.
    ///
    /// # Errors
    /// When there is no moment, they lie more than a year apart, or the speed is out of bounds.
    pub fn replay(&self, speed: f64) -> Result<Replay, ReplayError> {
        Replay::new(self.moments.clone(), speed)
    }
}

/// A decimal number of seconds as nanoseconds, exactly; digits behind the ninth are dropped.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    whole_number(whole)?.checked_mul(SECOND_NS)?.checked_add(nanoseconds(fraction)?)
}

/// The time from 1970 to a moment in the words of RFC 3339, section 5.6, to the nanosecond; `None` for other text, for days that no
/// calendar has and for years before 1970.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(brownout_scenario::date_time("1970-01-01T01:00:00.5+01:00"), Some(Duration::from_millis(500)));
/// ```
#[must_use]
pub fn date_time(text: &str) -> Option<Duration> {
    date(text).map(Duration::from_nanos)
}

/// The same in nanoseconds.
fn date(text: &str) -> Option<u64> {
    let (date, time) = text.split_at_checked(10)?;
    let time = time.strip_prefix(['T', 't', ' '])?;
    let (time, offset) = time.split_at(time.find(['Z', 'z', '+', '-'])?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // A minute may have a leap second, which is the first of the next one here.
    if !(1..=days).contains(&day) || year < 1970 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970 of a year that begins in March, so that the leap day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let local = ((days * 24 + hour) * 60 + minute) * 60 + second;
    let utc = local.checked_add_signed(-offset_seconds(offset)?)?;
    utc.checked_mul(SECOND_NS)?.checked_add(nanoseconds(fraction)?)
}

/// How far a time zone is ahead of UTC.
fn offset_seconds(text: &str) -> Option<i64> {
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return (text.len() == 1).then_some(0),
    };
    let [hours, minutes] = numbers(text.get(1..)?, ':', [2, 2])?;
    let fine = hours < 24 && minutes < 60;
    fine.then(|| sign * i64::try_from((hours * 60 + minutes) * 60).unwrap_or(0))
}

/// The digits behind a point, as nanoseconds.
fn nanoseconds(digits: &str) -> Option<u64> {
    let all = whole_number(digits.get(..digits.len().min(9))?)?;
    let rest = digits.bytes().all(|byte| byte.is_ascii_digit());
    rest.then(|| all * 10_u64.pow(u32::try_from(9 - digits.len().min(9)).unwrap_or(0)))
}

fn whole_number(digits: &str) -> Option<u64> {
    let fine = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| fine)
}

/// Numbers of so many digits each.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[u64; N]> {
    let (mut parts, mut numbers) = (text.split(between), [0; N]);
    for (number, digits) in numbers.iter_mut().zip(digits) {
        *number = parts.next().filter(|part| part.len() == digits).and_then(whole_number)?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::{Moments, MomentsError, date, seconds};
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn seconds_are_exact() {
        assert_eq!(seconds("0"), Some(0));
        assert_eq!(seconds("1700000000.123456789"), Some(1_700_000_000_123_456_789));
        assert_eq!(seconds("0.5"), Some(500_000_000));
        assert_eq!(seconds("1.0000000019"), Some(1_000_000_001));
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1.5s", "1,5", "99999999999", "1.12345678x"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    /// The examples of RFC 3339, section 5.8, by what they stand for there, in Unix time.
    #[test]
    fn dates_are_those_of_the_rfc() {
        assert_eq!(date("1985-04-12T23:20:50.52Z"), Some(482_196_050_520_000_000));
        assert_eq!(date("1996-12-19T16:39:57-08:00"), date("1996-12-20T00:39:57Z"));
        assert_eq!(date("1990-12-31T23:59:60Z"), date("1991-01-01T00:00:00Z"));
        assert_eq!(date("1990-12-31T15:59:60-08:00"), date("1990-12-31T23:59:60z"));
        assert_eq!(date("1970-01-01 00:00:00Z"), Some(0));
        for text in [
            "2025-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2025-01-01T00:00Z",
            "2025-01-01T00:00:00",
            "2025-1-01T00:00:00Z",
            "2025-01-01T00:00:00+1:00",
            "2025-01-01T00:00:00.Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
            "2025-01-01T00:00:00Zx",
            "2025-01-0\u{e9}T00:00:00Z",
            "2025-01-01",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        assert!(date("2024-02-29T00:00:00Z").is_some() && date("2000-02-29T00:00:00Z").is_some());
    }

    proptest! {
        /// An HTTP date is written by another library, from the same Unix time.
        #[test]
        fn dates_are_those_of_the_calendar(unix in 0_u64..8_000_000_000) {
            let http = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(unix));
            let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
            let month = months.iter().position(|month| *month == &http[8..11]).unwrap() + 1;
            let text = format!("{}-{month:02}-{}T{}Z", &http[12..16], &http[5..7], &http[17..25]);
            prop_assert_eq!(date(&text), Some(unix * 1_000_000_000));
        }
    }

    #[test]
    fn a_line_that_is_no_moment_is_named() {
        let mut moments = Moments::default();
        let lines = ["  ", "# 7", "3.5", "1\r", "2025-01-01T00:00:00Z", "soon"];
        let read: Vec<_> = lines.iter().map(|line| moments.line(line)).collect();
        assert!(read[..4].iter().all(Result::is_ok));
        assert_eq!(read[4], Err(MomentsError::Mixed(5, lines[4].to_owned())));
        assert_eq!(read[5], Err(MomentsError::Unreadable(6, "soon".to_owned())));
        assert_eq!(moments.replay(1.0).unwrap().moments(), [0, 2_500_000_000]);
    }

    #[test]
    fn a_list_is_bounded() {
        let mut moments = Moments { lines: Moments::LINES_MAX - 1, ..Moments::default() };
        assert_eq!((moments.line("1"), moments.line("")), (Ok(()), Err(MomentsError::Lines)));
    }
}
