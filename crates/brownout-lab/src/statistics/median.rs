//! Times of which some never came.

use serde::Serialize;

use super::count;

/// What may lie outside the interval of a median on either side: 95 % inside.
const TAIL: f64 = 0.025;

/// The middle of a set of times, where "never" is a time too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Median {
    /// How many values.
    pub n: usize,
    /// How many of them were "never".
    pub never: usize,
    /// The median. `None` is "never": half of them or more did not come before the horizon.
    pub median: Option<f64>,
    /// Its interval at 95 % or a little more. `None` is "not enough data": fewer than 6 values.
    pub interval: Option<MedianInterval>,
}

/// Two of the observed values, between which the true median lies. `None` at an end is "never": later than the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MedianInterval {
    /// The lower end.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// The median of independent times, such as times to recover, and its distribution-free interval. Sorts `values`;
/// `None` among them is a time past the horizon and sorts last. `None` in return is for no values at all.
///
/// All runs must have been watched up to the same horizon: then "never" need not be replaced by a number, and none is
/// dropped, which would make the rest look faster than they were. With an even number the median lies
/// halfway between the two in the middle, and never if the later of them came never.
///
/// The interval runs from the k-th smallest to the k-th largest value, k the largest with `P(Binomial(n, 1/2) < k) ≤
/// 2.5 %`.
///
/// Source: W. J. Conover, "Practical Nonparametric Statistics", section "Confidence interval for a quantile".
///
/// ```
/// # use brownout_lab::statistics::median_with_interval;
/// let mut seconds = [Some(12.0), None, Some(8.0), Some(31.0), Some(9.0), Some(10.0), Some(14.0)];
/// let recovery = median_with_interval(&mut seconds).unwrap();
/// assert_eq!((recovery.median, recovery.never), (Some(12.0), 1));
/// // Seven runs carry an interval from the smallest to the largest, which never came.
/// assert_eq!(recovery.interval.unwrap().high, None);
/// ```
#[must_use]
pub fn median_with_interval(values: &mut [Option<f64>]) -> Option<Median> {
    values.sort_unstable_by(|one, other| one.unwrap_or(f64::INFINITY).total_cmp(&other.unwrap_or(f64::INFINITY)));
    let n = values.len();
    let upper = *values.get(n / 2)?;
    let lower = values[(n - 1) / 2];
    let interval = rank(n).map(|k| MedianInterval { low: values[k - 1], high: values[n - k] });
    let never = values.iter().filter(|value| value.is_none()).count();
    Some(Median { n, never, median: halfway(lower, upper), interval })
}

fn halfway(lower: Option<f64>, upper: Option<f64>) -> Option<f64> {
    Some(f64::midpoint(lower?, upper?))
}

/// The largest k with `P(Binomial(n, 1/2) < k)` within the tail, from 1; `None` where even k = 1 is outside.
fn rank(n: usize) -> Option<usize> {
    // Logarithms, since 2^-n runs out of exponent at a thousand values.
    let mut log_chance = -count(n) * std::f64::consts::LN_2;
    let mut below = 0.0;
    for k in 0..n {
        below += libm::exp(log_chance);
        if below > TAIL {
            return (k > 0).then_some(k);
        }
        log_chance += libm::log(count(n - k) / count(k + 1));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{MedianInterval, median_with_interval, rank};
    use proptest::prelude::*;

    fn median(values: &[f64]) -> Option<f64> {
        median_with_interval(&mut values.iter().copied().map(Some).collect::<Vec<_>>()).unwrap().median
    }

    #[test]
    fn the_middle_of_odd_and_even() {
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[9.0, 1.0, 4.0]), Some(4.0));
        assert_eq!(median_with_interval(&mut []), None);
    }

    #[test]
    fn never_is_a_value_and_sorts_last() {
        let median = |mut values: Vec<Option<f64>>| median_with_interval(&mut values).unwrap().median;
        assert_eq!(median(vec![None, Some(1.0), Some(2.0)]), Some(2.0));
        assert_eq!(median(vec![None, Some(1.0), None]), None);
        assert_eq!(median(vec![None, Some(1.0)]), None);
        assert_eq!(median(vec![None; 8]), None);
    }

    #[test]
    fn fewer_than_six_values_carry_no_interval() {
        for n in 1..=5 {
            assert_eq!(median_with_interval(&mut vec![Some(1.0); n]).unwrap().interval, None, "{n}");
        }
        let mut six = [Some(6.0), None, Some(2.0), Some(5.0), Some(3.0), Some(4.0)];
        let interval = median_with_interval(&mut six).unwrap().interval;
        assert_eq!(interval, Some(MedianInterval { low: Some(2.0), high: None }));
    }

    /// Ranks as printed in tables of the sign test at 5 %, two-sided (there r = k - 1).
    #[test]
    fn tabulated_ranks() {
        for (n, k) in
            [(6, 1), (8, 1), (9, 2), (10, 2), (15, 4), (20, 6), (25, 8), (30, 10), (40, 14), (50, 18), (100, 40)]
        {
            assert_eq!(rank(n), Some(k), "{n}");
        }
        // Far past the smallest power of two: n/2 - 0.98 √n, rounded.
        assert_eq!(rank(10_000), Some(4902));
        assert_eq!(rank(0), None);
    }

    proptest! {
        #[test]
        fn the_interval_contains_the_median(
            mut values in prop::collection::vec(prop::option::of(0.0_f64..1e9), 1..80),
        ) {
            let found = median_with_interval(&mut values).unwrap();
            let or_never = |value: Option<f64>| value.unwrap_or(f64::INFINITY);
            prop_assert_eq!(found.interval.is_some(), found.n >= 6);
            if let Some(MedianInterval { low, high }) = found.interval {
                prop_assert!(or_never(low) <= or_never(found.median) && or_never(found.median) <= or_never(high));
            }
        }

        #[test]
        fn nothing_panics(mut values in prop::collection::vec(prop::option::of(any::<f64>()), 0..40)) {
            let _ = median_with_interval(&mut values);
        }
    }
}
