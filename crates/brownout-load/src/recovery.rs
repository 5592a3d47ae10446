//! Whether callers came back to where they were before the trigger, and when.

use std::time::{Duration, TryFromFloatSecsError};

use brownout_draw::nanos;
use brownout_service::Phase;

use crate::{Recovery, SeriesResult};

/// How many intervals in a row must be well.
const IN_A_ROW: usize = 5;
/// Goodput of an interval that is well, as a share of what was had before.
const GOODPUT_MIN: f64 = 0.9;
/// Amplification of an interval that is well, as a multiple of what was had before.
const AMPLIFICATION_MAX: f64 = 1.1;

/// The time from the start of the first phase to the end of the last, and the calls that ended well around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trigger {
    from: Duration,
    until: Duration,
    before: u64,
    during: u64,
    after: u64,
}

impl Trigger {
    /// `None` without phases, and where one never ends.
    pub(crate) fn of(phases: &[Phase]) -> Option<Self> {
        let (from, until) = Phase::span(phases)?;
        Some(Self { from, until, before: 0, during: 0, after: 0 })
    }

    /// Counts a call that ended well `ended` nanoseconds after the run began.
    #[inline]
    pub(crate) fn succeeded(&mut self, ended: u64) {
        let count = match ended {
            _ if ended < nanos(self.from) => &mut self.before,
            _ if ended < nanos(self.until) => &mut self.during,
            _ => &mut self.after,
        };
        *count += 1;
    }

    /// What became of the callers, as far as the load went: until `over`.
    #[expect(clippy::cast_precision_loss, reason = "counts for ratios")]
    pub(crate) fn recovery(&self, series: &SeriesResult, over: Duration) -> Recovery {
        let rate = |count: u64, from: Duration, until: Duration| {
            let seconds = until.saturating_sub(from).as_secs_f64();
            (seconds > 0.0).then(|| count as f64 / seconds)
        };
        let first = whole_intervals(self.until.as_secs_f64(), series, f64::ceil);
        let last = whole_intervals(over.as_secs_f64(), series, f64::floor).min(series.calls.len());
        // Who had nothing before has nothing to come back to.
        let last = if self.before_of(series).is_some() { last } else { first };
        Recovery {
            trigger_from_s: self.from.as_secs_f64(),
            trigger_until_s: self.until.as_secs_f64(),
            goodput_before: rate(self.before, Duration::ZERO, self.from.min(over)),
            goodput_during: rate(self.during, self.from, self.until.min(over)),
            goodput_after: rate(self.after, self.until, over),
            succeeded: [self.before, self.during, self.after],
            seen_until_s: over.as_secs_f64(),
            recovered_after_s: self.recovered(series, first, last).map(|index| {
                let start = index as f64 * series.interval_s as f64;
                start - self.until.as_secs_f64()
            }),
            intervals_after: last.saturating_sub(first) as u64,
        }
    }

    /// Goodput and amplification a call before the trigger; `None` where no call succeeded in a whole interval before it.
    #[expect(clippy::cast_precision_loss, reason = "counts for ratios")]
    fn before_of(&self, series: &SeriesResult) -> Option<(f64, f64)> {
        let before = 0..whole_intervals(self.from.as_secs_f64(), series, f64::floor).min(series.calls.len());
        let sum = |column: &[u64]| column[before.clone()].iter().sum::<u64>() as f64;
        let (calls, attempts, succeeded) = (sum(&series.calls), sum(&series.attempts), sum(&series.succeeded));
        (calls > 0.0 && succeeded > 0.0).then(|| (succeeded / calls, attempts / calls))
    }

    /// The first of five intervals in a row, from `first` to before `last`, that are as well as those before the trigger.
    #[expect(clippy::cast_precision_loss, reason = "counts for ratios")]
    fn recovered(&self, series: &SeriesResult, first: usize, last: usize) -> Option<usize> {
        let (goodput, amplification) = self.before_of(series)?;
        let is_well = |index: &usize| {
            let calls = series.calls[*index] as f64;
            series.succeeded[*index] as f64 >= GOODPUT_MIN * goodput * calls
                && series.attempts[*index] as f64 <= AMPLIFICATION_MAX * amplification * calls
        };
        (first..(last + 1).saturating_sub(IN_A_ROW))
            .find(|start| (*start..start + IN_A_ROW).all(|index| is_well(&index)))
    }
}

impl Recovery {
    /// What became of the callers of two loads on the same schedule, whose calls together are those of `series`. A moment that no
    /// duration can be is an error.
    pub(crate) fn merge(&self, other: &Self, series: &SeriesResult) -> Result<Self, TryFromFloatSecsError> {
        let [before, during, after] = [0, 1, 2].map(|when| self.succeeded[when].saturating_add(other.succeeded[when]));
        let [from, until] = [self.trigger_from_s, self.trigger_until_s].map(Duration::try_from_secs_f64);
        let over = Duration::try_from_secs_f64(self.seen_until_s.max(other.seen_until_s))?;
        Ok(Trigger { from: from?, until: until?, before, during, after }.recovery(series, over))
    }
}

/// How many intervals lie before a moment, rounded as `round` does.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most some hundreds")]
#[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
fn whole_intervals(seconds: f64, series: &SeriesResult, round: fn(f64) -> f64) -> usize {
    round(seconds / series.interval_s as f64) as usize
}

#[cfg(test)]
mod tests {
    use super::Trigger;
    use crate::SeriesResult;
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    /// Ten calls a second, with these successes and attempts in each; the trigger lasts from 2 to 4 s.
    #[track_caller]
    fn check(succeeded: &[u64], attempts: &[u64], expected: Option<f64>) {
        let trigger = Trigger { from: SECS(2), until: SECS(4), before: 20, during: 0, after: 50 };
        let calls = vec![10; succeeded.len()];
        let series = SeriesResult {
            interval_s: 1,
            calls,
            attempts: attempts.to_vec(),
            succeeded: succeeded.to_vec(),
            failed: vec![0; succeeded.len()],
            ..SeriesResult::default()
        };
        let recovery = trigger.recovery(&series, SECS(succeeded.len() as u64));
        assert_eq!(recovery.recovered_after_s.map(|s| s.to_string()), expected.map(|s| s.to_string()), "{recovery:?}");
    }

    #[test]
    fn five_good_intervals_in_a_row_are_a_recovery() {
        check(&[10, 10, 0, 0, 10, 10, 10, 10, 10], &[10; 9], Some(0.0));
        check(&[10, 10, 0, 0, 0, 8, 9, 10, 10, 10, 10], &[10; 11], Some(2.0));
        check(&[10, 10, 0, 0, 10, 10, 10, 10, 0, 10, 10, 10, 10], &[10; 13], None);
        check(&[10, 10, 0, 0, 10, 10, 10, 10], &[10; 8], None);
    }

    #[test]
    fn a_storm_that_still_blows_is_no_recovery() {
        check(&[10, 10, 0, 0, 10, 10, 10, 10, 10], &[10, 10, 30, 30, 12, 12, 12, 12, 12], None);
        check(&[10, 10, 0, 0, 10, 10, 10, 10, 10], &[10, 10, 30, 30, 11, 11, 11, 11, 11], Some(0.0));
    }

    #[test]
    fn what_failed_before_is_no_sign_of_illness() {
        check(&[8, 8, 0, 0, 8, 8, 8, 8, 8], &[12, 12, 40, 40, 12, 12, 12, 12, 12], Some(0.0));
    }
}
