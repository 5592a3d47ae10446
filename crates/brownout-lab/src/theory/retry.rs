//! How many attempts retries make of a call, where each attempt fails with the same chance, independently.
//!
//! An *attempt* counts the first try: n attempts are n - 1 retries. Failure probabilities lie in `[0, 1]`.
//!
//! Source: sums of geometric series; the budgets' fixed points are derived beside their functions.

/// Share of calls that succeed within `attempts`: `1 - pⁿ`.
#[must_use]
pub fn success(failure: f64, attempts: u32) -> f64 {
    if failure <= 0.0 {
        return if attempts == 0 { 0.0 } else { 1.0 };
    }
    // Not `-expm1`: that is -0 where all fail.
    0.0 - libm::expm1(f64::from(attempts) * libm::log(failure))
}

/// Attempts per call, at most `attempts`: `(1 - pⁿ) / (1 - p)`, and n where all fail.
///
/// ```
/// # use brownout_lab::theory::retry;
/// assert!((retry::amplification(0.5, 4) - 1.875).abs() < 1e-12);
/// ```
#[must_use]
pub fn amplification(failure: f64, attempts: u32) -> f64 {
    if failure < 1.0 { success(failure, attempts) / (1.0 - failure) } else { f64::from(attempts) }
}

/// Attempts that reach the leaf per user call, where every tier of a chain retries the one below it. `tiers` holds the
/// attempts of each tier, the leaf's caller first; `failure` is that of one attempt at the leaf.
///
/// A tier's call fails when all its attempts do, so the next tier up sees `pⁿ`. With equal tiers the product is
/// `(1 - p^(n^d)) / (1 - p)`, which is n^d in a total outage.
///
/// ```
/// # use brownout_lab::theory::retry;
/// // Three layers of four attempts, all failing: 64 attempts for one call.
/// assert!((retry::leaf_attempts(1.0, &[4, 4, 4]) - 64.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn leaf_attempts(failure: f64, tiers: &[u32]) -> f64 {
    let climb = |(product, failure): (f64, f64), attempts: &u32| {
        (product * amplification(failure, *attempts), libm::pow(failure, f64::from(*attempts)))
    };
    tiers.iter().fold((1.0, failure), climb).0
}

/// Attempts per call under a budget that each first try fills by `share` and each retry empties by 1: `1 + min(share,
/// what would be retried without a budget)`, in the long run.
///
/// Where the budget binds, the success rate is this × `(1 - failure)`, as it is without one.
#[must_use]
pub fn budget_per_request(failure: f64, attempts: u32, share: f64) -> f64 {
    let unlimited = amplification(failure, attempts);
    unlimited.min(1.0 + share)
}

/// Attempts per call under a budget that each *success* fills by `share`: in the long run, as much as is put in can
/// be taken out.
///
/// The retries per call x solve `x = share (1 + x) (1 - p)`, so `x = s / (1 - s)` with `s = share (1 - p)`; at most
/// what would be retried without a budget. In a total outage nothing comes in, and nothing is retried.
#[must_use]
pub fn budget_per_success(failure: f64, attempts: u32, share: f64) -> f64 {
    let unlimited = amplification(failure, attempts);
    let income = share * (1.0 - failure);
    if income < 1.0 { unlimited.min(1.0 / (1.0 - income)) } else { unlimited }
}

/// Between what two values the attempts per call lie in a total outage, for a client that makes `calls`, 1 or more,
/// each with up to `retries`, 1 or more, from a bucket that is full at the start.
///
/// - `share`: what each first try puts in, at most 1. `bucket`: what it holds, at least `1 + share`; a retry takes 1.
///
/// `1 + b + (B - 1 - b) / m` and `1 + b + B / m`, or `1 + r` where that is smaller: what was there at the start and
/// what comes in is spent, but for less than one token left over and for the first try's share, which finds the
/// bucket full.
///
/// ```
/// # use brownout_lab::theory::retry;
/// // A budget of 10 % with a bucket of 10 allows clients of twenty calls 50 % and more.
/// let (low, high) = retry::full_bucket(0.1, 10.0, 20, 3);
/// assert!(1.54 < low && high < 1.61);
/// ```
#[must_use]
pub fn full_bucket(share: f64, bucket: f64, calls: u32, retries: u32) -> (f64, f64) {
    let most = 1.0 + f64::from(retries);
    let calls = f64::from(calls);
    let low = 1.0 + share + (bucket - 1.0 - share) / calls;
    let high = 1.0 + share + bucket / calls;
    (low.min(most), high.min(most))
}

#[cfg(test)]
mod tests;
