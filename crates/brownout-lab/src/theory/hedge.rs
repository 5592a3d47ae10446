//! Copies of one call: a hedge after a fixed delay, or to every server at once. The first answer wins.
//!
//! Source: minima of exponential variables; the idea after J. Dean and L. A. Barroso, "The tail at scale", CACM 56
//! (2013).

use super::mm1;

/// Mean response with one hedge after `delay`, exponential service of mean 1 and no queueing: `1 - e^(-d) / 2`.
///
/// Whoever is still waiting at d, a share of `e^(-d)`, has from then on two exponential chances instead of one: 1/2
/// to go instead of 1.
#[must_use]
pub fn mean(delay: f64) -> f64 {
    1.0 - libm::exp(-delay) / 2.0
}

/// Hedges sent per call: `e^(-d)`.
#[must_use]
pub fn hedges(delay: f64) -> f64 {
    libm::exp(-delay)
}

/// The `q` quantile of the response with one hedge after `delay`: `t = -ln(1 - q)` if it comes before the hedge, else
/// `d + (t - d) / 2`.
///
/// ```
/// # use brownout_lab::theory::hedge;
/// // A hedge at the median brings p99 from 4.6 service times to 2.65.
/// assert!((hedge::quantile(0.6931, 0.99) - 2.65).abs() < 0.01);
/// ```
#[must_use]
pub fn quantile(delay: f64, q: f64) -> f64 {
    let alone = -libm::log1p(-q);
    alone.min((delay + alone) / 2.0)
}

/// Mean response where every call is copied at once to all of `copies` exponential servers and the losers are
/// cancelled at the first answer: one M/M/1 that serves `copies` times as fast. `load` is calls per mean service time
/// of one server.
#[must_use]
pub fn copied_to_all(copies: u32, load: f64) -> f64 {
    let speed = f64::from(copies);
    mm1::response(load / speed) / speed
}

/// The share of calls that meet at least one slow answer when they ask `leaves` servers, each slow with probability
/// `slow`: `1 - (1 - slow)^leaves`.
#[must_use]
pub fn slowed(slow: f64, leaves: u32) -> f64 {
    -libm::expm1(f64::from(leaves) * libm::log1p(-slow))
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn printed_hedges() {
        for (delay, response, share, p99) in
            [(1.0, "0.81606", "0.36788", "2.80259"), (libm::log(20.0), "0.975", "0.05", "3.80045")]
        {
            check(mean(delay), response);
            check(hedges(delay), share);
            check(quantile(delay, 0.99), p99);
        }
    }

    #[test]
    fn a_hedge_after_the_quantile_does_not_touch_it() {
        check(quantile(5.0, 0.99), "4.60517");
        check(quantile(0.0, 0.99), "2.30259");
        check(mean(0.0), "0.5");
    }

    #[test]
    fn copies_to_all_servers_share_their_speed() {
        check(copied_to_all(1, 0.8), "5.0");
        check(copied_to_all(4, 2.0), "0.5");
        assert!(copied_to_all(2, 2.0).is_infinite());
    }

    #[test]
    fn printed_fan_outs() {
        check(100.0 * slowed(0.01, 100), "63.4");
        check(100.0 * slowed(0.0001, 2000), "18.1");
    }
}
