//! Something kept of each interval of a run.

use crate::series::SLOTS_MAX;

const SECOND: u64 = 1_000_000_000;

/// Something kept of each interval, one second long at first. When a run outgrows as many as a series keeps, neighbours become one.
#[derive(Clone, Debug)]
pub struct Intervals<T> {
    /// In nanoseconds.
    interval: u64,
    /// When the interval ends that is on.
    ends: u64,
    kept: Vec<T>,
}

impl<T> Default for Intervals<T> {
    fn default() -> Self {
        Self { interval: SECOND, ends: SECOND, kept: Vec::new() }
    }
}

impl<T: Copy> Intervals<T> {
    /// One that keeps nothing.
    #[must_use]
    pub const fn never() -> Self {
        Self { interval: SECOND, ends: u64::MAX, kept: Vec::new() }
    }

    /// Whether an interval has ended by `now`.
    #[inline]
    #[must_use]
    pub const fn is_due(&self, now: u64) -> bool {
        self.ends <= now
    }

    /// When the interval ends that is on, in nanoseconds; the end of time for one that keeps nothing.
    #[must_use]
    pub const fn ends(&self) -> u64 {
        self.ends
    }

    /// Ends the intervals that have ended by `now`.
    ///
    /// - `of`: what to keep of one that ended then.
    /// - `join`: what to keep of two neighbours.
    #[cold]
    pub fn end(&mut self, now: u64, of: impl Fn(u64) -> T, join: fn(T, T) -> T) {
        // Of the last instant there is nothing behind.
        while self.ends <= now && self.ends < u64::MAX {
            self.kept.push(of(self.ends));
            if self.kept.len() == SLOTS_MAX {
                self.kept = self.kept.chunks_exact(2).map(|pair| join(pair[0], pair[1])).collect();
                self.interval = self.interval.saturating_mul(2);
            }
            self.ends = self.interval.saturating_mul(self.kept.len() as u64 + 1);
        }
    }

    /// The length of an interval, in nanoseconds.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.interval
    }

    /// The same in seconds.
    #[must_use]
    pub const fn seconds(&self) -> u64 {
        self.interval / SECOND
    }

    /// What was kept, with `last` of the interval that was on at `now`, if one was.
    #[must_use]
    pub fn all(&self, now: u64, last: impl FnOnce() -> T) -> Vec<T> {
        let begun = self.ends.saturating_sub(self.interval) < now && self.ends < u64::MAX;
        self.kept.iter().copied().chain(begun.then(last)).collect()
    }
}

/// As fine as a level is shown.
#[must_use]
pub fn to_the_thousandth(level: f64) -> f64 {
    (1e3 * level).round() / 1e3
}
