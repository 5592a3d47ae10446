//! How much a series tells whose neighbouring values are alike.

use super::{Summary, count};

/// How many independent values a `series` is worth: `n / τ` with `τ = 1 + 2 Σ ρ(k)`, and never more than n.
///
/// The autocorrelations ρ are summed two by two while the pairs are above 0 and fall, as they must in a reversible process: what
/// comes after is noise. A series that falls back and forth is not taken for more than it is.
///
/// `None` for fewer than four values, and where they have no spread or no [`Summary`].
///
/// Source: C. Geyer, "Practical Markov Chain Monte Carlo", Statistical Science 7 (1992), section 3.3, the initial monotone
/// sequence estimator.
///
/// ```
/// # use brownout_lab::statistics::effective_size;
/// let slow: Vec<f64> = (0..400).map(|step| f64::from(step / 20 % 2)).collect();
/// assert!(effective_size(&slow).unwrap() < 40.0);
/// ```
#[must_use]
pub fn effective_size(series: &[f64]) -> Option<f64> {
    let summary = Summary::of(series).filter(|summary| summary.n >= 4)?;
    let n = count(summary.n);
    let centred: Vec<f64> = series.iter().map(|value| value - summary.mean).collect();
    let covariance = |lag: usize| centred.iter().zip(&centred[lag..]).map(|(one, other)| one * other).sum::<f64>() / n;
    let variance = covariance(0);
    if variance <= 0.0 {
        return None;
    }
    let (mut sum, mut last) = (0.0, f64::INFINITY);
    for lag in (0..summary.n - 1).step_by(2) {
        let pair = (covariance(lag) + covariance(lag + 1)) / variance;
        if pair <= 0.0 {
            break;
        }
        last = pair.min(last);
        sum += last;
    }
    // The sum has ρ(0) in it once, where it counts half as much as the others.
    let time = (2.0 * sum - 1.0).max(1.0);
    Some(n / time)
}

#[cfg(test)]
mod tests {
    use super::effective_size;
    use crate::statistics::coverage::noise;
    use proptest::prelude::*;

    /// Each value carries a share of the one before: `n (1 - share) / (1 + share)` independent ones.
    fn carrying(share: f64, seed: u64, length: u32) -> Vec<f64> {
        let mut state = 0.0;
        let step = |value: f64| {
            state = share * state + value;
            state
        };
        noise(seed, length).into_iter().map(step).collect()
    }

    /// The mean over 20 series is near the closed form of a first-order process (Box and Jenkins, "Time Series Analysis").
    #[test]
    fn values_that_carry_the_last_are_worth_as_many_as_the_closed_form_says() {
        for share in [0.0, 0.3, 0.6, 0.9] {
            let length = 4000;
            let expected = f64::from(length) * (1.0 - share) / (1.0 + share);
            let mean = (0..20).map(|seed| effective_size(&carrying(share, seed, length)).unwrap()).sum::<f64>() / 20.0;
            assert!((mean / expected - 1.0).abs() < 0.15, "{share}: {mean}, expected {expected}");
        }
    }

    #[test]
    fn what_swings_is_worth_no_more_than_its_values() {
        let swinging: Vec<f64> = carrying(-0.8, 1, 1000);
        assert_eq!(effective_size(&swinging), Some(1000.0));
    }

    #[test]
    fn no_spread_and_few_values_tell_nothing() {
        assert_eq!(effective_size(&[1.0; 100]), None);
        assert_eq!(effective_size(&[1.0, 2.0, 3.0]), None);
        assert_eq!(effective_size(&[1.0, 2.0, f64::NAN, 3.0]), None);
    }

    proptest! {
        #[test]
        fn it_lies_between_none_and_all(series in prop::collection::vec(any::<f64>(), 0..60)) {
            if let Some(size) = effective_size(&series) {
                prop_assert!(0.0 < size && size <= series.len() as f64);
            }
        }
    }
}
