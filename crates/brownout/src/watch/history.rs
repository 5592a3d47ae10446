//! What a load was like, stretch by stretch.

use std::collections::VecDeque;
use std::time::Duration;

use brownout_load::Snapshot;

/// How many stretches are kept: more than a terminal is wide.
const POINTS_MAX: usize = 500;

/// The looks at a load, from the first to the last.
#[derive(Debug)]
pub(crate) struct History {
    /// The last of them.
    pub(crate) now: Snapshot,
    /// One for each stretch, the latest last.
    pub(crate) points: VecDeque<Point>,
    /// Where the stretch under way began.
    mark: Snapshot,
    /// How long a stretch is at the least.
    stretch: Duration,
}

/// One stretch of a load. Rates are of the scenario's time; what there is too little of to tell is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    /// Calls that ended, a second.
    pub(crate) calls: f64,
    /// Attempts that ended, a second.
    pub(crate) attempts: f64,
    /// Of the calls that ended, the share that failed.
    pub(crate) failed: Option<f64>,
    /// Attempts ÷ calls that ended.
    pub(crate) amplification: Option<f64>,
    /// The median of the calls that ended.
    pub(crate) p50: Option<Duration>,
    /// The 99th percentile of them; of fewer than a hundred, the longest.
    pub(crate) p99: Option<Duration>,
}

impl History {
    /// Begins with a first look; a stretch takes `stretch` of the scenario's time.
    pub(crate) fn new(first: Snapshot, stretch: Duration) -> Self {
        Self { now: first.clone(), points: VecDeque::new(), mark: first, stretch }
    }

    /// Another look.
    pub(crate) fn look(&mut self, now: Snapshot) {
        if now.elapsed.saturating_sub(self.mark.elapsed) >= self.stretch {
            self.points.push_back(Point::between(&self.mark, &now));
            if self.points.len() > POINTS_MAX {
                self.points.pop_front();
            }
            self.mark = now.clone();
        }
        self.now = now;
    }

    /// The stretch that ended last; before one did, what there is of the first.
    pub(crate) fn last(&self) -> Point {
        self.points.back().copied().unwrap_or_else(|| Point::between(&self.mark, &self.now))
    }
}

impl Point {
    #[expect(clippy::cast_precision_loss, reason = "counts for people")]
    fn between(earlier: &Snapshot, later: &Snapshot) -> Self {
        let time = later.elapsed.saturating_sub(earlier.elapsed).as_secs_f64();
        let (calls, failed) = (later.ended - earlier.ended, later.failed().saturating_sub(earlier.failed()));
        let attempts = later.attempts.total - earlier.attempts.total;
        let rate = |count: u64| if time > 0.0 { count as f64 / time } else { 0.0 };
        let per_call = |count: u64| (calls > 0).then(|| count as f64 / calls as f64);
        let latencies = later.response().since(&earlier.response());
        let longest = || latencies.values().last().map(|(longest, _)| longest);
        Self {
            calls: rate(calls),
            attempts: rate(attempts),
            failed: per_call(failed),
            amplification: per_call(attempts),
            p50: latencies.quantile(0.5).or_else(longest).map(Duration::from_nanos),
            p99: latencies.quantile(0.99).or_else(longest).map(Duration::from_nanos),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::History;
    use brownout_load::{Attempt, CallEnd, Pace, Reply, Tally};
    use brownout_policy::StopReason;
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;
    const MS: u64 = 1_000_000;

    /// Two hundred calls a second of 20 ms, and from the sixth second on as many of 80 ms that all fail, after a retry.
    pub(crate) fn ten_seconds() -> History {
        let (mut tally, mut begun) = (Tally::new(&[]), 0);
        let look = |tally: &Tally, begun, second| tally.snapshot().at(SECS(second), begun, Pace::default());
        let mut history = History::new(look(&tally, 0, 0), SECS(1));
        for second in 1..=10 {
            for _ in 0..200 {
                let fails = second > 5;
                let (latency_ns, status) = if fails { (40 * MS, 503) } else { (20 * MS, 200) };
                for number in 1..=if fails { 2 } else { 1 } {
                    let (number, reply) = (number.try_into().unwrap(), Reply::Status(status));
                    tally.attempt(&Attempt { number, hedge: false, started_ns: 0, latency_ns, reply, verdict: None });
                }
                let (elapsed_ns, failed) = if fails { (80 * MS, Some(StopReason::Exhausted)) } else { (20 * MS, None) };
                tally.call(&CallEnd { started_ns: 0, elapsed_ns, attempts: 1, failed });
                begun += 1;
            }
            history.look(look(&tally, begun + 7, second));
        }
        history
    }

    #[test]
    fn each_stretch_is_told_by_itself() {
        let history = ten_seconds();
        assert_eq!(history.points.len(), 10);
        let (first, last) = (history.points[0], history.last());
        assert_eq!(
            (first.calls, first.attempts, first.failed, first.amplification),
            (200.0, 200.0, Some(0.0), Some(1.0))
        );
        assert_eq!((last.calls, last.attempts, last.failed, last.amplification), (200.0, 400.0, Some(1.0), Some(2.0)));
        for (found, expected) in [(first.p50, 20.0), (first.p99, 20.0), (last.p50, 80.0), (last.p99, 80.0)] {
            let ratio = found.unwrap().as_secs_f64() * 1e3 / expected;
            assert!((ratio - 1.0).abs() < 0.001, "{found:?}, expected {expected} ms");
        }
        assert_eq!((history.now.ended, history.now.in_flight()), (2000, 7));
    }

    #[test]
    fn a_stretch_in_which_nothing_ended_says_nothing() {
        let nothing = |second| Tally::new(&[]).snapshot().at(SECS(second), 0, Pace::default());
        let mut history = History::new(nothing(0), SECS(1));
        history.look(nothing(1));
        assert_eq!(history.last(), super::Point::default());
        (2..2000).for_each(|second| history.look(nothing(second)));
        assert_eq!(history.points.len(), super::POINTS_MAX);
    }
}
