//! The confidence interval of a mean.

use serde::Serialize;

use super::{Summary, count, student_quantile};

/// A mean, and how far from it the true one may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The mean of the values.
    pub mean: f64,
    /// The interval is `mean ± half_width`.
    pub half_width: f64,
    /// How many independent values it rests on.
    pub n: usize,
}

impl Interval {
    /// The lower end.
    #[must_use]
    pub fn low(&self) -> f64 {
        self.mean - self.half_width
    }

    /// The upper end.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.mean + self.half_width
    }

    /// Whether `value` lies within, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        (self.low()..=self.high()).contains(&value)
    }

    /// The half-width as a share of the mean, to be held against a wanted precision. Infinite around 0.
    #[must_use]
    pub fn relative_half_width(&self) -> f64 {
        if self.half_width > 0.0 { self.half_width / self.mean.abs() } else { 0.0 }
    }
}

/// The mean of independent `values` and its Student t interval at `level`: `mean ± t(n-1) · s / √n`.
///
/// `None` for fewer than two values, for values without a finite [`Summary`], and for a level outside (0, 1).
///
/// Source: W. S. Gosset ("Student"), "The probable error of a mean", Biometrika 6 (1908).
///
/// ```
/// # use brownout_lab::statistics::mean_interval;
/// let interval = mean_interval(&[9.0, 10.0, 11.0], 0.95).unwrap();
/// assert!((interval.half_width - 4.303 / 3_f64.sqrt()).abs() < 1e-3);
/// assert_eq!(mean_interval(&[9.0], 0.95), None);
/// ```
#[must_use]
pub fn mean_interval(values: &[f64], level: f64) -> Option<Interval> {
    let summary = Summary::of(values)?;
    if !(0.0 < level && level < 1.0) {
        return None;
    }
    let t = student_quantile(0.5 + 0.5 * level, summary.n - 1);
    let half_width = t * summary.deviation? / libm::sqrt(count(summary.n));
    half_width.is_finite().then_some(Interval { mean: summary.mean, half_width, n: summary.n })
}

#[cfg(test)]
mod tests {
    use super::{Interval, mean_interval};
    use proptest::prelude::*;

    /// Mean 5, deviation 2.138090, t(7) 2.365 and 5.408.
    #[test]
    fn an_interval_worked_by_hand() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        for (level, half_width) in [(0.95, "1.787"), (0.999, "4.088")] {
            let interval = mean_interval(&values, level).unwrap();
            assert_eq!(format!("{:.3}", interval.half_width), half_width);
            assert_eq!((interval.mean, interval.n), (5.0, 8));
        }
    }

    #[test]
    fn not_enough_data_is_an_answer() {
        assert_eq!(mean_interval(&[], 0.95), None);
        assert_eq!(mean_interval(&[1.0], 0.95), None);
        assert_eq!(mean_interval(&[1.0, f64::INFINITY], 0.95), None);
        for level in [0.0, 1.0, -1.0, 95.0, f64::NAN] {
            assert_eq!(mean_interval(&[1.0, 2.0], level), None, "{level}");
        }
    }

    #[test]
    fn equal_values_leave_no_doubt() {
        let interval = mean_interval(&[0.1; 5], 0.95).unwrap();
        assert_eq!(interval, Interval { mean: 0.1, half_width: 0.0, n: 5 });
        assert!(interval.contains(0.1) && !interval.contains(0.2));
        assert!(interval.relative_half_width() <= 0.0);
        assert!(mean_interval(&[-1.0, 1.0], 0.95).unwrap().relative_half_width().is_infinite());
    }

    proptest! {
        #[test]
        fn an_interval_contains_its_mean_and_widens_with_its_level(
            values in prop::collection::vec(-1e6_f64..1e6, 2..60), level in 0.01_f64..0.99,
        ) {
            let interval = mean_interval(&values, level).unwrap();
            prop_assert!(interval.contains(interval.mean));
            prop_assert!(interval.half_width <= mean_interval(&values, level + 0.005).unwrap().half_width);
        }

        /// Each value once more: the same spread, but for n - 1, and more of it.
        #[test]
        fn more_of_the_same_narrows(values in prop::collection::vec(-1e6_f64..1e6, 2..60)) {
            let twice = [values.as_slice(), values.as_slice()].concat();
            let (once, twice) = (mean_interval(&values, 0.95).unwrap(), mean_interval(&twice, 0.95).unwrap());
            prop_assert!(twice.half_width <= once.half_width);
        }

        #[test]
        fn nothing_panics(values in prop::collection::vec(any::<f64>(), 0..20), level in any::<f64>()) {
            let _ = mean_interval(&values, level);
        }
    }
}
