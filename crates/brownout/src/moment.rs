//! Moments of the wall clock, for a start by appointment.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How late a start may be before it is refused.
const LATE_MAX: Duration = Duration::from_secs(1);

/// How long before the moment a timer of the runtime gives way to one of the system, which is finer.
const FINE: Duration = Duration::from_millis(5);

/// A moment, with the words it was asked for in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Since 1970.
    since_epoch: Duration,
    text: String,
}

impl Moment {
    /// Whether it is so long ago that nothing can start by it.
    pub(crate) fn is_missed(&self) -> bool {
        LATE_MAX < self.late()
    }

    /// Waits until it is there.
    pub(crate) async fn wait(&self) {
        tokio::time::sleep(self.left().saturating_sub(FINE)).await;
        std::thread::sleep(self.left());
    }

    /// How long ago it is; no time while it is to come.
    pub(crate) fn late(&self) -> Duration {
        now().saturating_sub(self.since_epoch)
    }

    fn left(&self) -> Duration {
        self.since_epoch.saturating_sub(now())
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let since_epoch = seconds.or_else(|| rfc_3339(text)).ok_or_else(|| {
            format!(
                "a moment is written as 2026-05-01T12:00:00Z or +02:00 (RFC 3339), or as seconds since 1970, found `{text}`"
            )
        })?;
        Ok(Self { since_epoch, text: text.to_owned() })
    }
}

/// The time from 1970 to a moment in the words of RFC 3339, section 5.6; `None` for other text, for days that no calendar has and
/// for moments before 1970.
fn rfc_3339(text: &str) -> Option<Duration> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone);
    let (clock, fraction) = clock.split_once('.').map_or((clock, "0"), |(clock, fraction)| (clock, fraction));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let [hours, minutes] = numbers(&zone[1..], ':', [2, 2])?;
            let offset = (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)?;
            if zone.starts_with('+') { offset } else { -offset }
        }
    };
    let is_time = hour < 24 && minute < 60 && second <= 60;
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|digit| digit.is_ascii_digit());
    if !is_time || !is_fraction || !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    let fraction = Duration::from_secs_f64(format!("0.{fraction}").parse().ok()?);
    Some(Duration::from_secs(u64::try_from(seconds).ok()?) + fraction)
}

/// As many numbers as there are `widths`, each of so many digits, with `between` between them.
fn numbers<const N: usize>(text: &str, between: char, widths: [usize; N]) -> Option<[i64; N]> {
    let parts: Vec<&str> = text.split(between).collect();
    let fits =
        |(part, width): (&&str, &usize)| part.len() == *width && part.bytes().all(|digit| digit.is_ascii_digit());
    if parts.len() != N || !parts.iter().zip(&widths).all(fits) {
        return None;
    }
    let parsed: Option<Vec<i64>> = parts.iter().map(|part| part.parse().ok()).collect();
    parsed?.try_into().ok()
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, whose years are taken to begin in March, so that the day that some
/// years have more is their last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::Moment;
    use std::time::Duration;

    /// What `date -u -d TEXT +%s.%N` of the GNU tools says.
    #[test]
    fn moments_are_seconds_since_1970() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600_000),
            ("2026-05-01T12:00:00+02:00", 1_777_629_600_000),
            ("2026-05-01T12:00:00.25-00:30", 1_777_638_600_250),
            ("2100-03-01 00:00:00Z", 4_107_542_400_000),
            ("1777629600", 1_777_629_600_000),
            ("1777629600.5", 1_777_629_600_500),
        ] {
            assert_eq!(text.parse::<Moment>().unwrap().since_epoch, Duration::from_millis(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "soon",
            "",
            "-1",
            "2026-05-01",
            "2026-05-01T12:00:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-05-01T24:00:00Z",
            "2026-05-01T12:00:00+2:00",
            "2026-5-1T12:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-05-01T12:00:00.Z",
        ] {
            let refused = text.parse::<Moment>().unwrap_err();
            assert!(refused.contains("RFC 3339") && refused.contains(&format!("`{text}`")), "{refused}");
        }
    }

    #[test]
    fn a_moment_long_past_is_missed() {
        assert!("1777629600".parse::<Moment>().unwrap().is_missed());
        assert!(!"4107542400".parse::<Moment>().unwrap().is_missed());
    }
}
