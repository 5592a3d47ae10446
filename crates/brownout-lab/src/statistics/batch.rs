//! The mean within one long run, whose neighbouring values are alike.

use serde::Serialize;

use super::{Interval, count, mean_interval, mser5};

/// A mean in a steady state, with what was cut off to find it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SteadyMean {
    /// How many observations at the start were left out.
    pub truncated: usize,
    /// The mean of the others, by batch means.
    pub interval: Interval,
}

/// The mean of a `series` and its interval at `level` by nonoverlapping batch means: the means of `batches` stretches
/// of equal length are taken as independent values. 20 to 30 batches are usual; each must be long against the time
/// over which values stay alike, or the interval is too narrow.
///
/// What does not fill a batch is left out at the start. `None` for fewer than two batches and for fewer observations
/// than batches.
///
/// Source: B. Schmeiser, "Batch size effects in the analysis of simulation output", Operations Research 30 (1982).
///
/// ```
/// # use brownout_lab::statistics::batch_means;
/// let queue: Vec<f64> = (0..1000).map(|step| f64::from(step / 10 % 7)).collect();
/// let length = batch_means(&queue, 20, 0.95).unwrap();
/// assert!(length.contains(3.0));
/// assert_eq!(length.n, 20);
/// ```
#[must_use]
pub fn batch_means(series: &[f64], batches: usize, level: f64) -> Option<Interval> {
    let size = series.len().checked_div(batches).filter(|size| *size > 0)?;
    let kept = &series[series.len() - size * batches..];
    let means: Vec<f64> = kept.chunks_exact(size).map(|batch| batch.iter().sum::<f64>() / count(size)).collect();
    mean_interval(&means, level)
}

/// The steady-state mean of a `series`: what [`mser5`] calls start-up is cut off, and the rest goes to [`batch_means`].
///
/// `None` where the truncation point lies past the middle: then the series drifts, or is too short, and has no steady
/// state to give a mean of. `None` also wherever batch means give none.
///
/// ```
/// # use brownout_lab::statistics::steady_mean;
/// let overloaded: Vec<f64> = (0..1000).map(f64::from).collect();
/// assert_eq!(steady_mean(&overloaded, 20, 0.95), None);
/// ```
#[must_use]
pub fn steady_mean(series: &[f64], batches: usize, level: f64) -> Option<SteadyMean> {
    let truncated = mser5(series);
    if truncated > series.len() / 2 {
        return None;
    }
    let interval = batch_means(&series[truncated..], batches, level)?;
    Some(SteadyMean { truncated, interval })
}

#[cfg(test)]
mod tests {
    use super::{batch_means, steady_mean};
    use crate::statistics::coverage::noise;
    use crate::statistics::mean_interval;
    use proptest::prelude::*;

    #[test]
    fn batches_of_one_are_the_values_and_a_remainder_goes_from_the_start() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(batch_means(&values, 4, 0.95), mean_interval(&values, 0.95));
        assert_eq!(batch_means(&values, 3, 0.95), mean_interval(&values[1..], 0.95));
        assert_eq!(batch_means(&values, 2, 0.95), mean_interval(&[1.5, 6.0], 0.95));
    }

    #[test]
    fn not_enough_data_is_an_answer() {
        assert_eq!(batch_means(&[], 20, 0.95), None);
        assert_eq!(batch_means(&[1.0; 19], 20, 0.95), None);
        for batches in [0, 1] {
            assert_eq!(batch_means(&[1.0; 19], batches, 0.95), None);
        }
        assert_eq!(steady_mean(&[], 20, 0.95), None);
        assert_eq!(
            batch_means(&[2.0; 60], 20, 0.95).map(|interval| (interval.mean, interval.half_width)),
            Some((2.0, 0.0))
        );
    }

    #[test]
    fn the_start_up_does_not_reach_the_mean() {
        let mut series = noise(3, 2000);
        for value in series.iter_mut().take(200) {
            *value += 50.0;
        }
        let steady = steady_mean(&series, 20, 0.999).unwrap();
        assert_eq!(steady.truncated, 200);
        assert!(steady.interval.contains(0.0), "{steady:?}");
        assert!(batch_means(&series, 20, 0.95).unwrap().mean > 4.0);
    }

    #[test]
    fn a_drift_has_no_steady_state() {
        let drift: Vec<f64> =
            noise(4, 2000).iter().enumerate().map(|(step, value)| value + 0.1 * step as f64).collect();
        assert_eq!(steady_mean(&drift, 20, 0.95), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(
            series in prop::collection::vec(any::<f64>(), 0..200), batches in any::<usize>(), level in any::<f64>(),
        ) {
            let _ = batch_means(&series, batches, level);
            let _ = batch_means(&series, batches % 50, level);
            let _ = steady_mean(&series, batches % 50, level);
        }
    }
}
