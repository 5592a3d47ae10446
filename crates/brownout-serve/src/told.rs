//! What answers tell of waiting, where the scenario's time is not that of those who are told.

use brownout_clock::Clock;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue, RETRY_AFTER};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::gate::time_of_day;

const MILLIS: HeaderName = HeaderName::from_static("retry-after-ms");

/// From here on a number of seconds is a moment, wherever it is read: such a hint is a wrong one, and stays it.
const MOMENT_MIN: f64 = 1e9;

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Turns what `headers` say of when to come back from the scenario's time into real time: a wait in `Retry-After` is rounded up
/// to whole seconds, and told exactly by `retry-after-ms` beside it; so are the waits that `RateLimit` and `x-ratelimit-reset` tell.
///
/// - `epoch`: the time of day at which the run began, by which dates were made.
pub(crate) fn in_real_time(headers: &mut HeaderMap, clock: &Clock, epoch: Duration) {
    let scale = clock.scale();
    if scale.is_one() {
        return;
    }
    // By the whole second that the answer's date shows, as its reader finds it.
    let now = Duration::from_secs(epoch.saturating_add(clock.now()).as_secs());
    let real_moment =
        |moment: Duration| rounded_up(time_of_day().saturating_add(scale.real(moment.saturating_sub(now))));
    if let Some(reset) = headers.get_mut(RESET)
        && let Some(moment) = seconds(reset).and_then(|reset| Duration::try_from_secs_f64(reset).ok())
    {
        *reset = real_moment(moment).into();
    }
    if let Some(left) = headers.get_mut(RATELIMIT)
        && let Ok(text) = left.to_str()
        && let Ok(real) = HeaderValue::try_from(waits(text, |wait| rounded_up(scale.real(wait))))
    {
        *left = real;
    }
    let millis = headers.get(&MILLIS).and_then(seconds).map(|millis| millis / 1000.0);
    let after = headers.get(RETRY_AFTER);
    let wait = match (millis, after.and_then(seconds)) {
        (Some(wait), _) => Some(wait),
        (None, Some(wait)) if wait < MOMENT_MIN => Some(wait),
        (None, Some(_)) => None,
        (None, None) => after.and_then(date).map(|date| date.saturating_sub(now).as_secs_f64()),
    };
    let Some(wait) = wait.and_then(|wait| Duration::try_from_secs_f64(wait).ok()) else { return };
    let real = scale.real(wait);
    let exact = HeaderValue::try_from((real.as_secs_f64() * 1000.0).to_string()).expect("a number is visible ASCII");
    if let Some(after) = headers.get_mut(RETRY_AFTER) {
        let until = || UNIX_EPOCH.checked_add(Duration::from_secs(rounded_up(time_of_day().saturating_add(real))));
        *after = match seconds(after) {
            Some(_) => rounded_up(real).into(),
            None => HeaderValue::try_from(httpdate::fmt_http_date(until().unwrap_or(SystemTime::now())))
                .expect("a date is visible ASCII"),
        };
    }
    headers.insert(MILLIS, exact);
}

fn rounded_up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// The value of a `RateLimit` field with every `t`, in seconds, turned by `real`.
fn waits(text: &str, real: impl Fn(Duration) -> u64) -> String {
    let parameter = |parameter: &str| match parameter.strip_prefix("t=").and_then(|wait| wait.parse().ok()) {
        Some(wait) => format!("t={}", real(Duration::from_secs(wait))),
        None => parameter.to_owned(),
    };
    // Names are quoted, and those of limits have none of these.
    let item = |item: &str| item.split(';').map(parameter).collect::<Vec<_>>().join(";");
    text.split(", ").map(item).collect::<Vec<_>>().join(", ")
}

fn seconds(value: &HeaderValue) -> Option<f64> {
    value.to_str().ok()?.trim().parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

fn date(value: &HeaderValue) -> Option<Duration> {
    httpdate::parse_http_date(value.to_str().ok()?).ok()?.duration_since(UNIX_EPOCH).ok()
}

#[cfg(test)]
mod tests {
    use super::in_real_time;
    use crate::gate::time_of_day;
    use brownout_clock::Clock;
    use hyper::HeaderMap;
    use hyper::header::{HeaderName, HeaderValue};
    use std::time::{Duration, UNIX_EPOCH};

    fn told(scale: &str, headers: &[(&'static str, &str)]) -> Vec<(String, String)> {
        let clock = Clock::start(scale.parse().unwrap());
        let pairs = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let mut headers: HeaderMap<HeaderValue> = pairs.collect();
        in_real_time(&mut headers, &clock, time_of_day());
        let text = |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), value.to_str().unwrap().to_owned());
        let mut pairs: Vec<_> = headers.iter().map(text).collect();
        pairs.sort();
        pairs
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn waits_are_rounded_up_and_told_exactly() {
        assert_eq!(told("1", &[("retry-after", "60")]), [pair("retry-after", "60")]);
        assert_eq!(told("60", &[("retry-after", "60")]), [pair("retry-after", "1"), pair("retry-after-ms", "1000")]);
        assert_eq!(told("60", &[("retry-after", "6")]), [pair("retry-after", "1"), pair("retry-after-ms", "100")]);
        assert_eq!(told("8", &[("retry-after-ms", "100")]), [pair("retry-after-ms", "12.5")]);
    }

    #[test]
    fn what_is_left_of_a_limit_is_in_proportion() {
        let field = "\"burst\";r=0;t=120, \"day\";r=5;t=7";
        assert_eq!(told("60", &[("ratelimit", field)]), [pair("ratelimit", "\"burst\";r=0;t=2, \"day\";r=5;t=1")]);
        assert_eq!(told("1", &[("ratelimit", field)]), [pair("ratelimit", field)]);
        let reset = (time_of_day().as_secs() + 6_000).to_string();
        let told: u64 = told("60", &[("x-ratelimit-reset", &reset)])[0].1.parse().unwrap();
        assert!((99..110).contains(&(told - time_of_day().as_secs())), "{told}");
    }

    #[test]
    fn what_is_no_wait_stays_what_it_is() {
        assert_eq!(told("60", &[("retry-after", "soon")]), [pair("retry-after", "soon")]);
        assert_eq!(told("60", &[("retry-after", "1700000000")]), [pair("retry-after", "1700000000")]);
        assert_eq!(told("60", &[]), []);
    }

    #[test]
    fn a_date_comes_nearer() {
        let date = httpdate::fmt_http_date(UNIX_EPOCH + time_of_day() + Duration::from_secs(6_000));
        let told = told("60", &[("retry-after", &date)]);
        let millis: f64 = told[1].1.parse().unwrap();
        assert!((99_000.0..=100_100.0).contains(&millis), "{told:?}");
        let date = httpdate::parse_http_date(&told[0].1).unwrap().duration_since(UNIX_EPOCH).unwrap();
        assert!(date.abs_diff(time_of_day() + Duration::from_secs(100)) < Duration::from_secs(10), "{told:?}");
    }
}
