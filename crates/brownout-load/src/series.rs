//! What happened when.

use serde::{Deserialize, Serialize};

/// How many intervals a series keeps. When a run outgrows them, neighbours are added together and the interval doubles,
/// so that memory stays flat and nothing is lost but resolution.
pub(crate) const SLOTS_MAX: usize = 512;

/// Counts per interval of the run, one second at first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    /// The interval is 2^this seconds, so that finding a slot is a shift.
    doublings: u32,
    slots: Vec<Slot>,
}

/// What a series counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) calls: u64,
    pub(crate) attempts: u64,
    pub(crate) succeeded: u64,
}

/// A series as a result shows it: whole numbers, one entry an interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesResult {
    /// The length of an interval, in seconds.
    pub interval_s: u64,
    /// Calls started in it.
    pub calls: Vec<u64>,
    /// Attempts started in it.
    pub attempts: Vec<u64>,
    /// Calls that ended well in it.
    pub succeeded: Vec<u64>,
}

impl Series {
    /// The slot of the moment `ns` nanoseconds after the run began.
    #[inline]
    pub(crate) fn at(&mut self, ns: u64) -> &mut Slot {
        let index = slot_of(ns, self.doublings);
        if index < self.slots.len() { &mut self.slots[index] } else { self.reach(ns) }
    }

    /// The slot of a moment that is later than any so far.
    #[cold]
    fn reach(&mut self, ns: u64) -> &mut Slot {
        while slot_of(ns, self.doublings) >= SLOTS_MAX {
            self.double();
        }
        let index = slot_of(ns, self.doublings);
        self.slots.resize(self.slots.len().max(index + 1), Slot::default());
        &mut self.slots[index]
    }

    fn double(&mut self) {
        self.doublings += 1;
        let pair = |pair: &[Slot]| {
            pair.iter().fold(Slot::default(), |sum, slot| Slot {
                calls: sum.calls + slot.calls,
                attempts: sum.attempts + slot.attempts,
                succeeded: sum.succeeded + slot.succeeded,
            })
        };
        self.slots = self.slots.chunks(2).map(pair).collect();
    }

    pub(crate) fn result(&self) -> SeriesResult {
        let column = |pick: fn(&Slot) -> u64| self.slots.iter().map(pick).collect();
        SeriesResult {
            interval_s: 1 << self.doublings,
            calls: column(|slot| slot.calls),
            attempts: column(|slot| slot.attempts),
            succeeded: column(|slot| slot.succeeded),
        }
    }
}

impl SeriesResult {
    /// Both together, in intervals as long as the longer of theirs; `None` where the columns differ in length, or the intervals
    /// are no doublings of each other.
    pub(crate) fn merge(&self, other: &Self) -> Option<Self> {
        let interval_s = self.interval_s.max(other.interval_s);
        let (one, other) = (self.at_intervals_of(interval_s)?, other.at_intervals_of(interval_s)?);
        let added = |one: &[u64], other: &[u64]| {
            let at = |column: &[u64], place: usize| column.get(place).copied().unwrap_or_default();
            (0..one.len().max(other.len())).map(|place| at(one, place).saturating_add(at(other, place))).collect()
        };
        Some(Self {
            interval_s,
            calls: added(&one.calls, &other.calls),
            attempts: added(&one.attempts, &other.attempts),
            succeeded: added(&one.succeeded, &other.succeeded),
        })
    }

    /// The same in intervals of so many seconds, as a run that lasted longer would have it.
    fn at_intervals_of(&self, interval_s: u64) -> Option<Self> {
        let whole = self.attempts.len() == self.calls.len() && self.succeeded.len() == self.calls.len();
        let times = interval_s.checked_div(self.interval_s).filter(|times| times.is_power_of_two() && whole)?;
        let times = usize::try_from(times).ok().filter(|_| interval_s.is_multiple_of(self.interval_s))?;
        let column = |column: &[u64]| {
            column.chunks(times).map(|few| few.iter().fold(0_u64, |sum, count| sum.saturating_add(*count))).collect()
        };
        Some(Self {
            interval_s,
            calls: column(&self.calls),
            attempts: column(&self.attempts),
            succeeded: column(&self.succeeded),
        })
    }
}

/// Which interval of 2^`doublings` seconds a moment falls into.
#[inline]
fn slot_of(ns: u64, doublings: u32) -> usize {
    usize::try_from((ns / 1_000_000_000) >> doublings).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::{SLOTS_MAX, Series, SeriesResult};

    #[test]
    fn a_long_run_loses_resolution_and_no_counts() {
        let mut series = Series::default();
        for second in 0..10_000 {
            series.at(second * 1_000_000_000).attempts += 1;
        }
        let result = series.result();
        assert_eq!(result.interval_s, 32);
        assert!(result.attempts.len() <= SLOTS_MAX);
        assert_eq!(result.attempts.iter().sum::<u64>(), 10_000);
        assert!(result.attempts[..300].iter().all(|count| *count == 32));
    }

    #[test]
    fn series_of_different_intervals_add_up_in_the_longer() {
        let of = |seconds: std::ops::Range<u64>| {
            let mut series = Series::default();
            seconds.for_each(|second| series.at(second * 1_000_000_000).calls += 1);
            series.result()
        };
        let (short, long) = (of(0..100), of(50..3000));
        assert_eq!((short.interval_s, long.interval_s), (1, 8));
        let (mut one, mut both) = (Series::default(), Series::default());
        for second in (0..100).chain(50..3000) {
            both.at(second * 1_000_000_000).calls += 1;
        }
        one.at(0).calls += 1;
        assert_eq!(short.merge(&long), Some(both.result()));
        assert_eq!(long.merge(&short), short.merge(&long));
        assert_eq!(one.result().merge(&SeriesResult { interval_s: 3, ..one.result() }), None);
        assert_eq!(one.result().merge(&SeriesResult { interval_s: 0, ..one.result() }), None);
        assert_eq!(one.result().merge(&SeriesResult { calls: vec![1, 2], ..one.result() }), None);
    }

    #[test]
    fn the_longest_run_imaginable_fits() {
        let mut series = Series::default();
        series.at(u64::MAX).calls += 1;
        assert_eq!(series.result().calls.iter().sum::<u64>(), 1);
    }
}
