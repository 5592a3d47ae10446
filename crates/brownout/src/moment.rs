//! Moments of the wall clock, for a start by appointment.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brownout_scenario::date_time;

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
        let since_epoch = seconds.or_else(|| date_time(text)).ok_or_else(|| {
            format!(
                "a moment is written as 2026-05-01T12:00:00Z or +02:00 (RFC 3339), or as seconds since 1970, found `{text}`"
            )
        })?;
        Ok(Self { since_epoch, text: text.to_owned() })
    }
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
