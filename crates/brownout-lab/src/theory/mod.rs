//! Closed forms: what a model must come to, by the textbook.
//!
//! **Units.** The mean service time is the unit of time, so one server serves at rate 1, and every rate and duration is
//! counted in it. *Load* is arrivals per mean service time: the ρ of one server, the offered load a (in erlangs) of
//! several. Arrivals are Poisson and queues first in, first out, unless a page says otherwise.
//!
//! **Overload.** Where the queue grows without bound, a mean or quantile is infinite; none is negative.
//!
//! **Arguments** are finite and not negative; a probability or quantile lies in `[0, 1)`, or in `[0, 1]` where its page
//! says so.

pub mod abandonment;
pub mod balancing;
mod chain;
pub mod closed;
pub mod erlang;
pub mod hedge;
pub mod mg1;
pub mod mm1;
pub mod mmck;
pub mod retrial;
pub mod retry;

/// Asserts that `value`, rounded to as many decimals as `printed` has, reads the same.
#[cfg(test)]
#[track_caller]
fn check(value: f64, printed: &str) {
    let decimals = printed.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    assert_eq!(format!("{value:.decimals$}"), printed, "from {value}");
}

/// Asserts that `value` is within `tolerance` of `expected`.
#[cfg(test)]
#[track_caller]
fn assert_near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected}");
}
