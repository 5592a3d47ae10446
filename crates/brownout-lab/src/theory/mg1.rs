//! M/G/1: one server and any distribution of service, of which only mean and variance count.

use super::mm1;

/// Mean wait before service, by the Pollaczek–Khinchine formula: `Wq = ρ (1 + scv) / (2 (1 - ρ))`.
///
/// - `scv`: squared coefficient of variation, the variance of the service time ÷ its squared mean: 0 for a fixed
///   time, 1 for an exponential one.
///
/// Source: L. Kleinrock, "Queueing Systems" vol. 1, 1975, chapter 5.
///
/// ```
/// # use brownout_lab::theory::mg1;
/// // Calls that all take the same time wait half as long as exponential ones.
/// assert!((mg1::wait(0.8, 0.0) - 2.0).abs() < 1e-12);
/// assert!((mg1::wait(0.8, 1.0) - 4.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn wait(load: f64, scv: f64) -> f64 {
    mm1::wait(load) * (1.0 + scv) / 2.0
}

/// Mean response time: the wait and one service.
#[must_use]
pub fn response(load: f64, scv: f64) -> f64 {
    1.0 + wait(load, scv)
}

/// The scv of a lognormal service time: `e^(σ²) - 1`, σ the deviation of its logarithm.
///
/// Source: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions" vol. 1, 1994, chapter 14.
#[must_use]
pub fn scv_lognormal(sigma: f64) -> f64 {
    libm::expm1(sigma * sigma)
}

/// The scv of a Pareto service time with tail `x^-α`: `1 / (α (α - 2))`, infinite for α of 2 and less.
///
/// With α of 3 and less there is no third moment, and means of waits converge very slowly.
///
/// Source: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions" vol. 1, 1994, chapter 20.
#[must_use]
pub fn scv_pareto(alpha: f64) -> f64 {
    if alpha > 2.0 { 1.0 / (alpha * (alpha - 2.0)) } else { f64::INFINITY }
}

/// The scv of an Erlang service time, a sum of `stages` exponential ones, 1 or more: `1 / stages`.
///
/// Source: L. Kleinrock, "Queueing Systems" vol. 1, 1975, section 4.2.
#[must_use]
pub fn scv_erlang(stages: u32) -> f64 {
    1.0 / f64::from(stages)
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn printed_waits() {
        for (scv, [half, four_fifths, nine_tenths]) in [
            (0.0, ["0.5", "2", "4.5"]),
            (scv_erlang(2), ["0.75", "3", "6.75"]),
            (scv_erlang(1), ["1", "4", "9"]),
            (4.0, ["2.5", "10", "22.5"]),
            (scv_lognormal(1.0), ["1.35914", "5.43656", "12.23227"]),
            (scv_pareto(2.5), ["0.9", "3.6", "8.1"]),
        ] {
            check(wait(0.5, scv), half);
            check(wait(0.8, scv), four_fifths);
            check(wait(0.9, scv), nine_tenths);
        }
        check(scv_lognormal(1.0), "1.71828");
        check(scv_pareto(2.5), "0.8");
    }

    #[test]
    fn exponential_service_is_mm1() {
        check(response(0.95, 1.0), "20.000000000");
        assert!(response(1.0, 0.0).is_infinite());
        assert!(wait(0.5, scv_pareto(2.0)).is_infinite());
    }
}
