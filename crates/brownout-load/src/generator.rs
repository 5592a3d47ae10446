//! Whether what makes the calls keeps up.

use serde::{Deserialize, Serialize};

use crate::{Latency, LatencyHistogram, LoadResult};

/// What a driver over sockets notes of itself.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    lag: LatencyHistogram,
    own_failures: u64,
}

/// How well the machine that made the calls kept up with their schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// How long after its moment each call was begun. Part of the latency of calls, which counts from that moment.
    pub schedule_lag_ms: Latency,
    /// Attempts that failed for want of something of this machine's: descriptors, or ports.
    pub own_failures: u64,
    /// Why the numbers tell of this machine rather than of the service; `None` where it kept up.
    pub saturated: Option<String>,
}

/// A lag below this is what timers and schedulers are, however fast the service: in real milliseconds.
const LAG_FLOOR_MS: f64 = 1.0;

/// The lag that is a part of the latency too large to overlook.
const LAG_SHARE: f64 = 0.1;

impl Pace {
    /// A call was begun so many nanoseconds after its moment.
    #[inline]
    pub fn begun(&mut self, late_ns: u64) {
        self.lag.record(late_ns, false);
    }

    /// An attempt failed for want of something of this machine's.
    pub const fn own_failure(&mut self) {
        self.own_failures += 1;
    }

    /// How late calls were begun.
    #[must_use]
    pub const fn lag(&self) -> &LatencyHistogram {
        &self.lag
    }

    /// Attempts that failed for want of something of this machine's.
    #[must_use]
    pub const fn own_failures(&self) -> u64 {
        self.own_failures
    }

    /// What it comes to, beside the `result` of the run.
    ///
    /// The generator is *saturated* when calls of the schedule were not begun at all, when attempts failed for want of
    /// something of its own, or when half of all calls were begun late by more than a tenth of the median latency and by more
    /// than a real millisecond: then it is late always, not once in a while.
    ///
    /// - `scale`: how many times faster than real time the run went.
    #[must_use]
    pub fn generator(&self, result: &LoadResult, scale: f64) -> Generator {
        let lag = self.lag.summary();
        let unsent = if result.cut_short.is_none() { result.calls.unsent } else { 0 };
        let median = (lag.p50, result.latency_ms.response.p50);
        let saturated = match median {
            _ if unsent > 0 => Some(format!("{unsent} calls were due and could not be begun")),
            _ if self.own_failures > 0 => Some(format!(
                "{} attempts failed for want of descriptors or ports of this machine; raise `ulimit -n`, or ask for less",
                self.own_failures
            )),
            (Some(late), Some(latency)) if late > LAG_FLOOR_MS * scale && late > LAG_SHARE * latency => {
                Some(format!("half of all calls were begun {late:.1} ms late or later"))
            }
            _ => None,
        };
        Generator { schedule_lag_ms: lag, own_failures: self.own_failures, saturated }
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use crate::{CallEnd, LoadResult, Tally};

    const MS: u64 = 1_000_000;

    /// A hundred calls of 20 ms, of `offered`.
    fn result(offered: u64) -> LoadResult {
        let mut tally = Tally::new(&[]);
        for n in 0..100 {
            tally.call(&CallEnd { started_ns: n * MS, elapsed_ns: 20 * MS, attempts: 1, failed: None });
        }
        tally.result(offered, None)
    }

    fn saturated(lags_ms: impl Iterator<Item = u64>, offered: u64, scale: f64) -> Option<String> {
        let mut pace = Pace::default();
        lags_ms.for_each(|lag| pace.begun(lag * MS));
        pace.generator(&result(offered), scale).saturated
    }

    #[test]
    fn late_once_in_a_while_is_no_saturation_and_late_always_is() {
        assert_eq!(saturated((0..100).map(|n| if n < 60 { 0 } else { 50 }), 100, 1.0), None);
        assert!(saturated((0..100).map(|n| if n < 40 { 0 } else { 50 }), 100, 1.0).unwrap().contains("50.0 ms late"));
        // A tenth of what is measured is no matter, nor is a millisecond of a run that goes a hundred times as fast.
        assert_eq!(saturated((0..100).map(|_| 2), 100, 1.0), None);
        assert_eq!(saturated((0..100).map(|_| 50), 100, 100.0), None);
    }

    #[test]
    fn what_was_not_begun_or_failed_here_tells_of_this_machine() {
        assert!(saturated(std::iter::empty(), 103, 1.0).unwrap().starts_with("3 calls were due"));
        let mut pace = Pace::default();
        pace.own_failure();
        assert!(pace.generator(&result(100), 1.0).saturated.unwrap().contains("raise `ulimit -n`"));
    }
}
