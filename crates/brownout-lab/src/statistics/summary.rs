//! One sample in four numbers.

use serde::Serialize;

use super::count;

/// What a sample looks like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many values.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with n - 1 below the line. `None` for a single value, which has no spread.
    pub deviation: Option<f64>,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Summary {
    /// Summarises `values`. `None` where there are none, or where one is not finite or too large to be squared.
    ///
    /// ```
    /// # use brownout_lab::statistics::Summary;
    /// let summary = Summary::of(&[1.0, 2.0, 3.0]).unwrap();
    /// assert_eq!((summary.mean, summary.deviation), (2.0, Some(1.0)));
    /// assert_eq!(Summary::of(&[]), None);
    /// ```
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        // Sums of differences from one of the values: a constant sample has exactly its value as mean, and no spread.
        let origin = *values.first()?;
        let n = count(values.len());
        let shift = values.iter().map(|value| value - origin).sum::<f64>() / n;
        let square = |value: &f64| (value - origin - shift) * (value - origin - shift);
        let squares: f64 = values.iter().map(square).sum();
        if !squares.is_finite() {
            return None;
        }
        let (min, max) = values.iter().fold((origin, origin), |(min, max), value| (min.min(*value), max.max(*value)));
        let deviation = (values.len() > 1).then(|| libm::sqrt(squares / (n - 1.0)));
        // Rounding may carry the mean of nearly equal values past the outermost of them.
        Some(Self { n: values.len(), mean: (origin + shift).clamp(min, max), deviation, min, max })
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;
    use proptest::prelude::*;

    #[test]
    fn a_sample_worked_by_hand() {
        let summary = Summary::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!((summary.n, summary.mean, summary.min, summary.max), (8, 5.0, 2.0, 9.0));
        assert!((summary.deviation.unwrap() - 2.138_089_935).abs() < 1e-9);
    }

    #[test]
    fn no_spread_in_one_value_and_none_at_all_in_none() {
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Summary::of(&[3.5]).unwrap().deviation, None);
        assert_eq!(Summary::of(&[0.1; 7]).unwrap().deviation, Some(0.0));
    }

    #[test]
    fn what_is_not_finite_has_no_summary() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Summary::of(&[1.0, value]), None);
            assert_eq!(Summary::of(&[value]), None);
        }
        assert_eq!(Summary::of(&[f64::MAX, f64::MIN]), None);
    }

    proptest! {
        #[test]
        fn the_mean_lies_between_the_ends(values in prop::collection::vec(-1e9_f64..1e9, 1..50)) {
            let summary = Summary::of(&values).unwrap();
            prop_assert!(summary.min <= summary.mean && summary.mean <= summary.max);
        }

        #[test]
        fn no_values_panic(values in prop::collection::vec(any::<f64>(), 0..20)) {
            let _ = Summary::of(&values);
        }
    }
}
