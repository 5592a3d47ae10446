//! Levels over time, as means of intervals.

use brownout_load::{Intervals, to_the_thousandth};

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
        let interval = self.0.length();
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

#[cfg(test)]
mod tests {
    use super::Levels;

    const SECOND: u64 = 1_000_000_000;

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
