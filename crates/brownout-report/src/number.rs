//! Numbers for people and for programs.

use std::time::Duration;

pub(crate) use brownout_draw::millis;

/// Seconds without needless digits, to the millisecond or, below one, to the microsecond: `0.7s`, `12.25s`, `0.000213s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let digits = if duration < Duration::from_millis(1) { 6 } else { 3 };
    let text = format!("{:.digits$}", duration.as_secs_f64());
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A count with its noun: `1 retry`, `3 retries`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::{millis, seconds};
    use std::time::Duration;

    #[test]
    fn seconds_are_short() {
        let shown = |micros| seconds(Duration::from_micros(micros));
        assert_eq!(shown(0), "0s");
        assert_eq!(shown(700_000), "0.7s");
        assert_eq!(shown(3_100_000), "3.1s");
        assert_eq!(shown(60_000_000), "60s");
        assert_eq!(shown(213), "0.000213s");
        assert_eq!(shown(12_345_678), "12.346s");
    }

    #[test]
    fn milliseconds_keep_microseconds() {
        assert_eq!(millis(Duration::from_nanos(231_417_499)).to_string(), "231.417");
    }
}
