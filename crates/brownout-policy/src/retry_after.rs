//! What a service means by `Retry-After`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A number of seconds this large is read as a moment, not as a wait: 10^9 seconds are 31 years as a wait and
/// 9 September 2001 as a moment.
///
/// Some services send a Unix timestamp where the wait belongs (hashicorp/go-retryablehttp#247 shows a client that went to
/// sleep for 55 years).
pub const EPOCH_SECONDS_MIN: f64 = 1e9;

/// From here on the moment is in milliseconds.
const EPOCH_MILLIS_MIN: f64 = 1e11;

/// How long the header's `value` asks the caller to stay away.
///
/// Reads a number of seconds (a fraction is let through), an HTTP date in any of its three formats, and a number that
/// can only be a Unix time. A moment needs `now`, the time since the Unix epoch; where the answer carries a
/// `Date` header, that is the better `now`, being of the same clock. A moment in the past is no wait.
///
/// `None` when the value is neither, is negative, or is a moment and `now` is not known: then the header says nothing.
///
/// Source: RFC 9110, sections 10.2.3 (Retry-After) and 5.6.7 (dates).
///
/// ```
/// use std::time::Duration;
/// use brownout_policy::retry_after::parse;
///
/// assert_eq!(parse("60", None), Some(Duration::from_secs(60)));
/// let now = Duration::from_secs(784_111_777 - 5);
/// assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT", Some(now)), Some(Duration::from_secs(5)));
/// assert_eq!(parse("tomorrow", Some(now)), None);
/// ```
#[must_use]
pub fn parse(value: &str, now: Option<Duration>) -> Option<Duration> {
    let value = value.trim();
    let until = |moment: Duration| now.map(|now| moment.saturating_sub(now));
    match value.parse::<f64>() {
        Ok(number) if !number.is_finite() || number.is_sign_negative() => None,
        Ok(number) if number >= EPOCH_MILLIS_MIN => until(Duration::try_from_secs_f64(number / 1000.0).ok()?),
        Ok(number) if number >= EPOCH_SECONDS_MIN => until(Duration::try_from_secs_f64(number).ok()?),
        Ok(number) => Duration::try_from_secs_f64(number).ok(),
        Err(_) => until(date(value)?),
    }
}

/// How long an answer with such a `header` asks the caller to stay away: what `retry-after-ms` says, or else
/// `Retry-After`; `now` is asked only then.
pub fn told<T: AsRef<str>>(
    header: impl Fn(&'static str) -> Option<T>,
    now: impl FnOnce() -> Option<Duration>,
) -> Option<Duration> {
    let millis = header("retry-after-ms").and_then(|value| parse_millis(value.as_ref()));
    millis.or_else(|| parse(header("retry-after")?.as_ref(), now()))
}

/// How long the `value` of `retry-after-ms` asks the caller to stay away: a field of some vendors, with a number of
/// milliseconds, that goes before `Retry-After` where both are there. Source: openai-python and anthropic-sdk-python
/// (`_base_client.py`).
///
/// `None` when the value is no such number: then the field says nothing.
#[must_use]
pub fn parse_millis(value: &str) -> Option<Duration> {
    let millis: f64 = value.trim().parse().ok()?;
    if millis.is_sign_negative() { None } else { Duration::try_from_secs_f64(millis / 1000.0).ok() }
}

/// An HTTP date as time since the Unix epoch; `None` when it is none, or lies before.
#[must_use]
pub fn date(value: &str) -> Option<Duration> {
    let moment: SystemTime = httpdate::parse_http_date(value).ok()?;
    moment.duration_since(UNIX_EPOCH).ok()
}

#[cfg(test)]
mod tests {
    use super::{parse, parse_millis};
    use proptest::prelude::*;
    use std::time::Duration;

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the example of RFC 9110.
    const RFC: u64 = 784_111_777;

    #[track_caller]
    fn check(value: &str, now: Option<u64>, expected_ms: Option<u64>) {
        assert_eq!(parse(value, now.map(Duration::from_secs)), expected_ms.map(Duration::from_millis), "{value}");
    }

    #[test]
    fn seconds() {
        check("0", None, Some(0));
        check("60", None, Some(60_000));
        check(" 120 ", None, Some(120_000));
        check("1.5", None, Some(1_500));
        check("999999999", None, Some(999_999_999_000));
    }

    #[test]
    fn dates_in_all_three_formats() {
        for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            check(date, Some(RFC - 30), Some(30_000));
            check(date, Some(RFC + 30), Some(0));
            check(date, None, None);
        }
    }

    /// The value of the report behind the epoch rule: 2025-03-31 17:20:41 UTC, read a minute before.
    #[test]
    fn an_implausible_number_is_a_moment() {
        check("1743441608", Some(1_743_441_548), Some(60_000));
        check("1743441608000", Some(1_743_441_548), Some(60_000));
        check("1743441608", Some(1_743_441_700), Some(0));
        check("1743441608", None, None);
    }

    #[test]
    fn what_says_nothing_is_ignored() {
        for value in ["", "-1", "-0", "inf", "nan", "soon", "1e400", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            check(value, Some(RFC), None);
        }
    }

    #[test]
    fn milliseconds_have_a_field_of_their_own() {
        assert_eq!(parse_millis(" 1500 "), Some(Duration::from_millis(1500)));
        assert_eq!(parse_millis("0.5"), Some(Duration::from_micros(500)));
        assert_eq!(["-1", "", "soon", "inf", "nan"].map(parse_millis), [None; 5]);
    }

    proptest! {
        #[test]
        fn no_text_panics(value in ".*", now in any::<Option<u64>>()) {
            let _ = parse(&value, now.map(Duration::from_secs));
        }

        #[test]
        fn no_number_panics(value in any::<f64>(), now in any::<Option<u64>>()) {
            let _ = parse(&value.to_string(), now.map(Duration::from_secs));
        }
    }
}
