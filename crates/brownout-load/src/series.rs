//! What happened when.

use serde::Serialize;

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

/// Which interval of 2^`doublings` seconds a moment falls into.
#[inline]
fn slot_of(ns: u64, doublings: u32) -> usize {
    usize::try_from((ns / 1_000_000_000) >> doublings).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::{SLOTS_MAX, Series};

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
    fn the_longest_run_imaginable_fits() {
        let mut series = Series::default();
        series.at(u64::MAX).calls += 1;
        assert_eq!(series.result().calls.iter().sum::<u64>(), 1);
    }
}
