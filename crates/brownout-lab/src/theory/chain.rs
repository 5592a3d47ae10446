//! Birth–death chains, summed so that no weight overflows.

/// Above this, everything summed so far is scaled down: ratios are all that counts.
const CEILING: f64 = 1e200;

/// A weight this small against the total adds nothing to any mean.
const NEGLIGIBLE: f64 = 1e-300;

/// Stationary means of the `rewards` of a birth–death chain on the states 0, 1, 2, … up to `last`.
///
/// `ratio(n)` is the birth rate of state n - 1 ÷ the death rate of state n and does not rise with n. Without a `last`
/// it must fall below 1, or there is no stationary state.
///
/// Source: L. Kleinrock, "Queueing Systems" vol. 1, 1975, section 3.1: `p(n) = p(0) · Π ratio(i)`, i from 1 to n.
pub(super) fn means<const N: usize>(
    last: Option<u32>,
    ratio: impl Fn(u32) -> f64,
    rewards: impl Fn(u32) -> [f64; N],
) -> [f64; N] {
    let mut weight = 1.0;
    let mut total = 1.0;
    let mut sums = rewards(0);
    for state in 1..=last.unwrap_or(u32::MAX) {
        weight *= ratio(state);
        if weight <= NEGLIGIBLE * total {
            break;
        }
        total += weight;
        for (sum, reward) in sums.iter_mut().zip(rewards(state)) {
            *sum += weight * reward;
        }
        if total > CEILING {
            weight /= CEILING;
            sums = sums.map(|sum| sum / CEILING);
            total /= CEILING;
        }
    }
    sums.map(|sum| sum / total)
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::means;

    /// The chain of infinitely many servers is Poisson: mean and second factorial moment are a and a².
    #[test]
    fn moments_of_a_poisson_chain_far_past_overflow() {
        for load in [0.1, 1.0, 50.0, 5000.0] {
            let moments = |state: u32| [f64::from(state), f64::from(state) * (f64::from(state) - 1.0)];
            let [first, second] = means(None, |state| load / f64::from(state), moments);
            assert!((first / load - 1.0).abs() < 1e-12, "{load}: {first}");
            assert!((second / load / load - 1.0).abs() < 1e-12, "{load}: {second}");
        }
    }

    #[test]
    fn a_chain_that_only_grows_sits_at_its_end() {
        let [mean] = means(Some(2000), |_| 10.0, |state| [f64::from(state)]);
        assert!((mean - (2000.0 - 1.0 / 9.0)).abs() < 1e-9, "{mean}");
    }

    #[test]
    fn a_chain_of_one_state_or_without_births_stays_at_zero() {
        let at_zero = |last, ratio: f64| means(last, |_| ratio, |state| [f64::from(u8::from(state == 0))])[0];
        check(at_zero(Some(0), 2.0), "1");
        check(at_zero(None, 0.0), "1");
    }
}
