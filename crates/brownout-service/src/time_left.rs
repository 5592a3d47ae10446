//! How long a caller still waits, told to the service it waits for.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What was left of an attempt when it was sent: its caller gives it up after that.
///
/// In milliseconds on the wire, with up to three digits after the point, rounded down: nobody is to work longer than he is
/// waited for.
///
/// ```
/// use brownout_service::TimeLeft;
/// use std::time::Duration;
///
/// assert_eq!(TimeLeft(Duration::from_micros(1_500_250)).to_string(), "1500.250");
/// assert_eq!("250".parse(), Ok(TimeLeft(Duration::from_millis(250))));
/// assert!("soon".parse::<TimeLeft>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeLeft(pub Duration);

/// What is no time at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected milliseconds as in `250` or `1500.250`")]
pub struct NoTime;

impl TimeLeft {
    /// The request header that says so.
    pub const HEADER: &'static str = "x-brownout-deadline-ms";
}

impl fmt::Display for TimeLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_secs().saturating_mul(1000).saturating_add(self.0.subsec_millis().into());
        write!(f, "{millis}.{:03}", self.0.subsec_micros() % 1000)
    }
}

impl FromStr for TimeLeft {
    type Err = NoTime;

    fn from_str(text: &str) -> Result<Self, NoTime> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 3 {
            return Err(NoTime);
        }
        // So long that nobody could tell it from for ever.
        let millis = whole.parse().unwrap_or(u64::MAX);
        let micros: u64 = format!("{part:0<3}").parse().map_err(|_| NoTime)?;
        Ok(Self(Duration::from_millis(millis).saturating_add(Duration::from_micros(micros))))
    }
}

#[cfg(test)]
mod tests {
    use super::{NoTime, TimeLeft};
    use std::time::Duration;

    #[track_caller]
    fn check(text: &str, nanos: Option<u64>) {
        assert_eq!(text.parse(), nanos.map(|nanos| TimeLeft(Duration::from_nanos(nanos))).ok_or(NoTime), "{text}");
    }

    #[test]
    fn milliseconds_are_read_and_nothing_else() {
        check("0", Some(0));
        check("250", Some(250_000_000));
        check("0.5", Some(500_000));
        check("1500.250", Some(1_500_250_000));
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "250ms", "1.0005", " 1", "NaN"] {
            check(text, None);
        }
        assert!("99999999999999999999999".parse::<TimeLeft>().unwrap().0 > Duration::from_secs(1 << 40));
    }

    #[test]
    fn what_is_written_is_read_again_rounded_down() {
        let left = TimeLeft(Duration::from_nanos(1_002_003_999));
        assert_eq!(left.to_string(), "1002.003");
        assert_eq!(left.to_string().parse(), Ok(TimeLeft(Duration::from_nanos(1_002_003_000))));
    }
}
