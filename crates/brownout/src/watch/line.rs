//! How far a load over sockets is, in a line.

use std::fmt::Write as _;
use std::time::Duration;

use brownout_clock::Scale;

use super::extent::Extent;
use super::history::{History, Point};

/// The line; what is left is told in real time, all else in the scenario's.
pub(super) fn line(history: &History, extent: &Extent, scale: Scale) -> String {
    let History { now, .. } = history;
    let Point { calls, failed, p99, .. } = history.last();
    let mut text = match extent.done(now) {
        Some(done) => format!("{:.0}%, ", (100.0 * done).floor()),
        None => String::new(),
    };
    let _ = write!(text, "{} calls, {calls:.0}/s", now.ended);
    if let Some(failed) = failed {
        let _ = write!(text, ", {:.1}% failed", 100.0 * failed);
    }
    let _ = write!(text, ", {} in flight", now.in_flight());
    if let Some(p99) = p99 {
        let _ = write!(text, ", p99 {:.0} ms", p99.as_secs_f64() * 1e3);
    }
    if let Some(left) = extent.left(now) {
        let _ = write!(text, ", {} left", span(scale.real(left)));
    }
    text
}

/// A time in the two largest of its units.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{line, span};
    use crate::watch::extent::Extent;
    use crate::watch::history::tests::ten_seconds;
    use std::time::Duration;

    #[test]
    fn it_tells_rate_errors_and_what_is_left() {
        let extent = Extent { calls: None, ends: Some(Duration::from_secs(40)) };
        let told = line(&ten_seconds(), &extent, "10".parse().unwrap());
        assert_eq!(told, "25%, 2000 calls, 200/s, 100.0% failed, 7 in flight, p99 80 ms, 3 s left");
        let told = line(&ten_seconds(), &Extent::default(), "1".parse().unwrap());
        assert!(told.starts_with("2000 calls") && told.ends_with("p99 80 ms"), "{told}");
    }

    #[test]
    fn a_span_has_two_units() {
        for (seconds, told) in [(0, "0 s"), (59, "59 s"), (61, "1 min 01 s"), (7384, "2 h 03 min")] {
            assert_eq!(span(Duration::from_secs(seconds)), told);
        }
    }
}
