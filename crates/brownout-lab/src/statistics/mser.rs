//! Where the start-up of a run ends.

use super::count;

/// Observations to a batch.
const BATCH: usize = 5;

/// Batches that are always kept: with fewer left, a chance agreement between them looks like a steady state.
const KEPT: usize = 5;

/// How many observations at the start of a `series` to leave out of its mean, by MSER-5: a multiple of 5, and 0 for
/// fewer than 30 observations.
///
/// In means of 5 observations each, it is the truncation d that minimises `Σ (Y(i) - mean)² / (n - d)²` over what is
/// left: the squared standard error, were the rest independent. Leaving out a start-up lowers the spread, leaving out
/// more lowers the count. Among equals the shortest truncation wins.
///
/// **A truncation past the middle is no truncation point**: the series still drifts, or is too short to tell.
/// Overload always does that. [`steady_mean`](super::steady_mean) refuses such a series.
///
/// Source: K. P. White, "An effective truncation heuristic for bias reduction in simulation output", Simulation 69
/// (1997); K. P. White, M. J. Cobb and S. C. Spratt, "A comparison of five steady-state truncation heuristics", WSC
/// 2000.
///
/// ```
/// # use brownout_lab::statistics::mser5;
/// let warming_up = (0..400).map(|step| if step < 100 { 100.0 - f64::from(step) } else { f64::from(step % 2) });
/// assert_eq!(mser5(&warming_up.collect::<Vec<_>>()), 100);
/// ```
#[must_use]
pub fn mser5(series: &[f64]) -> usize {
    let batches: Vec<f64> = series.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / count(BATCH)).collect();
    let mut best = (0, f64::INFINITY);
    let (mut mean, mut squares) = (0.0, 0.0);
    // From the end, so that the spread of what is left is a running sum (Welford's).
    for (truncated, value) in batches.iter().enumerate().rev() {
        let left = batches.len() - truncated;
        let distance = value - mean;
        mean += distance / count(left);
        squares += distance * (value - mean);
        let error = squares / (count(left) * count(left));
        if left > KEPT && error <= best.1 {
            best = (truncated, error);
        }
    }
    BATCH * best.0
}

#[cfg(test)]
mod tests {
    use super::mser5;
    use crate::statistics::coverage::noise;
    use proptest::prelude::*;

    #[test]
    fn a_linear_start_up_is_cut_off() {
        for seed in 0..20 {
            let mut series = noise(seed, 2000);
            for (step, value) in series.iter_mut().take(300).enumerate() {
                *value += 15.0 - 0.05 * step as f64;
            }
            let truncated = mser5(&series);
            // The last fifty observations of the slope stand less than 2.5 deviations out.
            assert!((250..=400).contains(&truncated), "seed {seed}: {truncated}");
        }
    }

    #[test]
    fn flat_noise_is_kept() {
        let truncated: Vec<usize> = (0..100).map(|seed| mser5(&noise(seed, 2000))).collect();
        // A run may begin with a few values that look odd, seldom with many.
        assert!(truncated.iter().filter(|cut| **cut <= 200).count() >= 90, "{truncated:?}");
    }

    #[test]
    fn a_drift_without_end_is_cut_past_the_middle() {
        let drift: Vec<f64> = noise(1, 2000).iter().enumerate().map(|(step, value)| value + step as f64).collect();
        assert!(mser5(&drift) > 1000);
    }

    #[test]
    fn nothing_to_cut_in_constant_or_short_series() {
        assert_eq!(mser5(&[]), 0);
        assert_eq!(mser5(&[7.5; 1000]), 0);
        assert_eq!(mser5(&[9.0, 0.0, 0.0, 0.0, 0.0]), 0);
        assert_eq!(mser5(&[f64::NAN; 100]), 0);
    }

    proptest! {
        #[test]
        fn a_multiple_of_five_that_leaves_something(series in prop::collection::vec(any::<f64>(), 0..200)) {
            let truncated = mser5(&series);
            prop_assert!(truncated.is_multiple_of(5) && (truncated == 0 || truncated + 30 <= series.len()));
        }
    }
}
