//! M/M/1: one server, exponential service, and how long a run must be to show it.
//!
//! Source: L. Kleinrock, "Queueing Systems" vol. 1, 1975, section 3.2, where no other is given.

/// Mean number in the system, waiting or in service: `L = ρ / (1 - ρ)`.
#[must_use]
pub fn in_system(load: f64) -> f64 {
    load * response(load)
}

/// Mean response time, wait and service: `W = 1 / (1 - ρ)`.
///
/// The same holds for any distribution of service with that mean where the server is shared by all present, or where
/// the latest arrival preempts and the others resume (Kleinrock vol. 2, 1976, chapters 3 and 4).
#[must_use]
pub fn response(load: f64) -> f64 {
    if load < 1.0 { 1.0 / (1.0 - load) } else { f64::INFINITY }
}

/// Mean wait before service: `Wq = ρ / (1 - ρ)`.
#[must_use]
pub fn wait(load: f64) -> f64 {
    load * response(load)
}

/// The `q` quantile of the response time, which is exponential with rate 1 - ρ: `-ln(1 - q) / (1 - ρ)`.
///
/// ```
/// # use brownout_lab::theory::mm1;
/// // At 80 % load, one call in a hundred takes 23 service times or more.
/// assert!((mm1::response_quantile(0.8, 0.99) - 23.0259).abs() < 1e-4);
/// ```
#[must_use]
pub fn response_quantile(load: f64, q: f64) -> f64 {
    -libm::log1p(-q) * response(load)
}

/// The asymptotic variance of the wait: n × the variance of the mean wait of n successive customers, n large. It is far
/// above the variance of one wait, since neighbours wait alike.
///
/// `ρ (2 + 5ρ - 4ρ² + ρ³) / (1 - ρ)⁴`. Source: W. Whitt, "Planning queueing simulations", Management Science 35
/// (1989).
#[must_use]
pub fn wait_variance(load: f64) -> f64 {
    let squared = response(load) * response(load);
    load * polynomial(load) * squared * squared
}

/// The run-length rule: how many customers it takes to know the mean wait to `precision`, a share of it.
///
/// `(z / precision)² × asymptotic variance / mean²` (Whitt 1989); `z` is 1.96 for 95 %, 3.29 for 99.9 %.
#[must_use]
pub fn customers(load: f64, precision: f64, z: f64) -> f64 {
    let ratio = z / precision;
    ratio * ratio * relative_variance(load)
}

/// The run-length rule read backwards: the share of the mean wait that a run of so many `customers` leaves in doubt.
///
/// ```
/// # use brownout_lab::theory::mm1;
/// // A hundred thousand customers at 90 % load are good for 13 %, no better.
/// assert!((mm1::precision(0.9, 1e5, 1.96) - 0.13).abs() < 0.001);
/// ```
#[must_use]
pub fn precision(load: f64, customers: f64, z: f64) -> f64 {
    z * libm::sqrt(relative_variance(load) / customers)
}

/// Asymptotic variance ÷ squared mean, infinite in overload as at no load.
fn relative_variance(load: f64) -> f64 {
    polynomial(load) * response(load) * response(load) / load
}

/// `2 + 5ρ - 4ρ² + ρ³`.
fn polynomial(load: f64) -> f64 {
    2.0 + load * (5.0 + load * (-4.0 + load))
}

#[cfg(test)]
mod tests {
    use super::super::{assert_near, check};
    use super::*;

    #[test]
    fn printed_means_and_quantiles() {
        for (load, [number, mean, p50, p99, p999]) in [
            (0.5, ["1", "2", "1.3863", "9.2103", "13.8155"]),
            (0.8, ["4", "5", "3.4657", "23.0259", "34.5388"]),
            (0.9, ["9", "10", "6.9315", "46.0517", "69.0776"]),
            (0.95, ["19", "20", "13.8629", "92.1034", "138.155"]),
        ] {
            check(in_system(load), number);
            check(response(load), mean);
            check(wait(load), number);
            check(response_quantile(load, 0.5), p50);
            check(response_quantile(load, 0.99), p99);
            check(response_quantile(load, 0.999), p999);
        }
    }

    #[test]
    fn printed_run_lengths() {
        check(wait_variance(0.8), "1976");
        for (load, millions) in [(0.5, "1.1"), (0.8, "4.7"), (0.9, "17.0"), (0.95, "64.7")] {
            let customers = customers(load, 0.01, 1.96);
            check(customers / 1e6, millions);
            assert_near(precision(load, customers, 1.96), 0.01, 1e-12);
            assert_near(wait_variance(load) / wait(load) / wait(load), relative_variance(load), 1e-8);
        }
        check(100.0 * precision(0.9, 1e5, 1.96), "13");
    }

    #[test]
    fn overload_is_infinite_and_an_empty_system_waits_for_nothing() {
        for load in [1.0, 1.5] {
            for value in [in_system(load), response(load), wait(load), wait_variance(load), customers(load, 0.1, 1.96)]
            {
                assert!(value.is_infinite() && value > 0.0, "{load}: {value}");
            }
        }
        check(wait(0.0), "0");
        check(wait_variance(0.0), "0");
    }
}
