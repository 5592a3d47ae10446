//! Whether something still rises.

use super::count;

/// How strongly a `series` rises, by the test of Mann and Kendall: about standard normal where its values come in no order,
/// so that 1.64 is passed by chance in one series of twenty. Below 0 where it falls. 0 for fewer than four values, and
/// where all are equal.
///
/// It asks only which of two values is the larger, so that no scale and no distribution are taken for granted. Values that
/// hang on those before them look more like a trend than they are: give it means of stretches that are longer than the memory.
///
/// `S = Σ sign(x(j) - x(i))` over i < j, its variance `(n(n-1)(2n+5) - Σ t(t-1)(2t+5)) / 18` over groups of t equal values,
/// and one taken off |S| for continuity.
///
/// Source: H. B. Mann, "Nonparametric tests against trend", Econometrica 13 (1945); M. G. Kendall, "Rank Correlation
/// Methods", on ties.
///
/// ```
/// # use brownout_lab::statistics::mann_kendall;
/// assert!(mann_kendall(&[1.0, 2.0, 4.0, 3.0, 5.0, 6.0]) > 1.64);
/// assert!(mann_kendall(&[3.0, 1.0, 2.0, 2.0, 3.0, 1.0]).abs() < 1.0);
/// ```
#[must_use]
pub fn mann_kendall(series: &[f64]) -> f64 {
    if series.len() < 4 {
        return 0.0;
    }
    let mut sum = 0.0;
    for (place, later) in series.iter().enumerate() {
        for earlier in &series[..place] {
            sum += f64::from(i8::from(earlier < later)) - f64::from(i8::from(later < earlier));
        }
    }
    let mut sorted = series.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let spread = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let ties: f64 = sorted.chunk_by(|one, other| one >= other).map(|group| spread(count(group.len()))).sum();
    let variance = (spread(count(series.len())) - ties) / 18.0;
    let rest = f64::max(libm::fabs(sum) - 1.0, 0.0);
    if variance > 0.0 { libm::copysign(rest / libm::sqrt(variance), sum) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::mann_kendall;
    use crate::statistics::coverage::noise;
    use proptest::prelude::*;

    fn check(series: &[f64], expected: &str) {
        assert_eq!(format!("{:.3}", mann_kendall(series)), expected, "{series:?}");
    }

    /// By hand: of ten rising values S = 45 and the variance is 10 · 9 · 25 / 18 = 125; with the pairs (1, 1) and (2, 2) among
    /// six, S = 13 and the variance is (6 · 5 · 17 - 2 · 18) / 18 = 26.333.
    #[test]
    fn worked_by_hand() {
        let ten: Vec<f64> = (0..10).map(f64::from).collect();
        check(&ten, "3.935");
        check(&ten.iter().rev().copied().collect::<Vec<_>>(), "-3.935");
        check(&[1.0, 1.0, 2.0, 2.0, 3.0, 4.0], "2.338");
    }

    #[test]
    fn nothing_to_tell_from_equal_or_few_values() {
        check(&[], "0.000");
        check(&[1.0, 2.0, 3.0], "0.000");
        check(&[7.0; 30], "0.000");
        check(&[f64::NAN; 30], "0.000");
    }

    #[test]
    fn noise_passes_as_often_as_it_may() {
        let passes = (0..1000).filter(|seed| mann_kendall(&noise(*seed, 20)) > 1.645).count();
        // 50 expected; four standard deviations.
        assert!(passes.abs_diff(50) < 28, "{passes}");
    }

    proptest! {
        #[test]
        fn nothing_panics_and_the_mirror_image_falls(series in prop::collection::vec(-1e9_f64..1e9, 0..60)) {
            let mirrored: Vec<f64> = series.iter().rev().copied().collect();
            prop_assert!((mann_kendall(&series) + mann_kendall(&mirrored)).abs() < 1e-9);
        }
    }
}
