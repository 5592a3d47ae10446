//! Levels over time, as means of intervals.

/// How many intervals are kept. When a run outgrows them, neighbours become one, as in the series of a result.
const INTERVALS_MAX: usize = 512;

const SECOND: u64 = 1_000_000_000;

/// Something kept of each interval, one second long at first.
#[derive(Clone, Debug)]
pub(super) struct Intervals<T> {
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
    pub(super) const fn never() -> Self {
        Self { interval: SECOND, ends: u64::MAX, kept: Vec::new() }
    }

    /// Whether an interval has ended by `now`.
    #[inline]
    pub(super) const fn is_due(&self, now: u64) -> bool {
        self.ends <= now
    }

    /// Ends the intervals that have ended by `now`.
    ///
    /// - `of`: what to keep of one that ended then.
    /// - `join`: what to keep of two neighbours.
    #[cold]
    pub(super) fn end(&mut self, now: u64, of: impl Fn(u64) -> T, join: fn(T, T) -> T) {
        // Of the last instant there is nothing behind.
        while self.ends <= now && self.ends < u64::MAX {
            self.kept.push(of(self.ends));
            if self.kept.len() == INTERVALS_MAX {
                self.kept = self.kept.chunks_exact(2).map(|pair| join(pair[0], pair[1])).collect();
                self.interval = self.interval.saturating_mul(2);
            }
            self.ends = self.interval.saturating_mul(self.kept.len() as u64 + 1);
        }
    }

    /// The length of an interval, in seconds.
    pub(super) const fn seconds(&self) -> u64 {
        self.interval / SECOND
    }

    /// What was kept, with `last` of the interval that was on at `now`, if one was.
    pub(super) fn all(&self, now: u64, last: impl FnOnce() -> T) -> Vec<T> {
        let begun = self.ends.saturating_sub(self.interval) < now && self.ends < u64::MAX;
        self.kept.iter().copied().chain(begun.then(last)).collect()
    }
}

/// The areas under `N` levels at the end of each interval.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels<const N: usize>(Intervals<Areas<N>>);

/// Each level times how long, since the beginning.
type Areas<const N: usize> = [u128; N];

impl<const N: usize> Levels<N> {
    #[inline]
    pub(super) const fn is_due(&self, now: u64) -> bool {
        self.0.is_due(now)
    }

    /// Ends the intervals that have ended by `now`: since `at`, when the areas were these, the levels have been these.
    #[cold]
    pub(super) fn end(&mut self, now: u64, at: u64, areas: Areas<N>, levels: [u32; N]) {
        let area = |place: usize, ends: u64| areas[place] + u128::from(ends - at) * u128::from(levels[place]);
        self.0.end(now, |ends| std::array::from_fn(|place| area(place, ends)), |_, second| second);
    }

    /// The length of an interval in seconds, and the mean of each level in each of them; the last one ended at `now`, when the areas were
    /// these.
    #[expect(clippy::cast_precision_loss, reason = "means for showing")]
    pub(super) fn means(&self, now: u64, areas: Areas<N>) -> (u64, [Vec<f64>; N]) {
        let interval = self.0.interval;
        let mut means: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
        let mut before = [0; N];
        for (place, areas) in (0..).zip(self.0.all(now, || areas)) {
            let length = interval.min(now - interval.saturating_mul(place));
            for ((means, area), before) in means.iter_mut().zip(areas).zip(before) {
                means.push(to_the_thousandth((area - before) as f64 / length as f64));
            }
            before = areas;
        }
        (self.0.seconds(), means)
    }
}

/// As fine as a level is shown.
pub(super) fn to_the_thousandth(level: f64) -> f64 {
    (1e3 * level).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::{Levels, SECOND};

    /// A level that is `level(second)` throughout that second, for so many seconds.
    fn of(seconds: u64, level: impl Fn(u64) -> u32) -> (u64, Vec<f64>) {
        let (mut levels, mut area) = (Levels::<1>::default(), 0);
        for second in 0..seconds {
            let (at, now) = (second * SECOND, (second + 1) * SECOND);
            if levels.is_due(now) {
                levels.end(now, at, [area], [level(second)]);
            }
            area += u128::from(level(second)) * u128::from(SECOND);
        }
        let (interval_s, [means]) = levels.means(seconds * SECOND, [area]);
        (interval_s, means)
    }

    #[test]
    fn a_mean_is_that_of_its_interval() {
        assert_eq!(of(4, |second| [3, 0, 7, 1][usize::try_from(second).unwrap()]), (1, vec![3.0, 0.0, 7.0, 1.0]));
    }

    #[test]
    fn a_long_run_loses_resolution_and_no_area() {
        let (interval_s, means) = of(3000, |second| u32::from(second % 2 == 0) * 10);
        assert_eq!((interval_s, means.len()), (8, 375));
        assert!(means.iter().all(|mean| (mean - 5.0).abs() < 1e-9));
    }

    #[test]
    fn one_step_over_many_intervals_fills_them_all() {
        let mut levels = Levels::<2>::default();
        levels.end(5 * SECOND / 2, 0, [0, 0], [4, 1]);
        let now = 5 * SECOND / 2;
        let areas = [4, 1].map(|level: u128| level * u128::from(now));
        // Two whole intervals, and half of one.
        assert_eq!(levels.means(now, areas), (1, [vec![4.0; 3], vec![1.0; 3]]));
    }

    #[test]
    fn the_end_of_time_is_reached() {
        let mut levels = Levels::<1>::default();
        levels.end(u64::MAX, 0, [0], [1]);
        let (interval_s, [means]) = levels.means(u64::MAX, [u128::from(u64::MAX)]);
        assert!(interval_s > 1 << 24 && means.iter().all(|mean| (mean - 1.0).abs() < 1e-6), "{interval_s}");
    }
}
