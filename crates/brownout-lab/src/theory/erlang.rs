//! Erlang's two formulas: many servers that turn the surplus away (B), and many servers with a queue (C).
//!
//! Source: A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic
//! telephone exchanges", 1917; in the form of L. Kleinrock, "Queueing Systems" vol. 1, 1975, sections 3.5 and 3.7.

/// Erlang B, M/G/c/c: the share of calls turned away where nobody may wait. It depends on the mean of the service only,
/// not on its distribution. Takes a step for each server.
///
/// By the recursion `B(k) = a B(k-1) / (k + a B(k-1))`, `B(0) = 1`, in which nothing grows.
#[must_use]
pub fn blocking(servers: u32, load: f64) -> f64 {
    (1..=servers).fold(1.0, |blocked, k| load * blocked / (f64::from(k) + load * blocked))
}

/// Erlang C, M/M/c: the share of calls that must wait: `C = B / (1 - (1 - B) a / c)`, and 1 in overload.
#[must_use]
pub fn delayed(servers: u32, load: f64) -> f64 {
    let capacity = f64::from(servers);
    if capacity <= load {
        return 1.0;
    }
    let blocked = blocking(servers, load);
    blocked / (1.0 - (1.0 - blocked) * load / capacity)
}

/// Mean wait over all calls of an M/M/c, those that need not wait among them: `Wq = C / (c - a)`.
#[must_use]
pub fn wait(servers: u32, load: f64) -> f64 {
    delayed(servers, load) * wait_of_delayed(servers, load)
}

/// The `q` quantile of the wait in an M/M/c: `ln(C / (1 - q)) / (c - a)`, and 0 where the share that waits is smaller
/// than 1 - q.
///
/// ```
/// # use brownout_lab::theory::erlang;
/// // A hundred servers at 90 % load: the pool absorbs what would be 46 service times on one server.
/// assert!((erlang::wait_quantile(100, 90.0, 0.99) - 0.3077).abs() < 1e-4);
/// ```
#[must_use]
pub fn wait_quantile(servers: u32, load: f64, q: f64) -> f64 {
    let beyond = delayed(servers, load) / (1.0 - q);
    if beyond <= 1.0 { 0.0 } else { libm::log(beyond) * wait_of_delayed(servers, load) }
}

/// Mean wait of those who wait: `1 / (c - a)`.
fn wait_of_delayed(servers: u32, load: f64) -> f64 {
    let spare = f64::from(servers) - load;
    if spare > 0.0 { 1.0 / spare } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::super::{check, mm1};
    use super::*;

    #[test]
    fn printed_delays() {
        for (servers, load, share, mean, p99) in [
            (2, 1.6, "0.711111", "1.777778", "10.6606"),
            (5, 4.0, "0.554113", "0.554113", "4.0148"),
            (10, 8.0, "0.409180", "0.204590", "1.8558"),
            (10, 9.0, "0.668732", "0.668732", "4.2028"),
            (100, 90.0, "0.216940", "0.021694", "0.3077"),
            (100, 95.0, "0.506457", "0.101291", "0.7850"),
            (1000, 950.0, "0.068253", "0.001365", "0.0384"),
        ] {
            check(delayed(servers, load), share);
            check(wait(servers, load), mean);
            check(wait_quantile(servers, load, 0.99), p99);
        }
    }

    #[test]
    fn printed_blocking() {
        for (servers, load, share) in [
            (1, 1.0, "0.5"),
            (5, 3.0, "0.110054"),
            (10, 8.0, "0.121661"),
            (10, 10.0, "0.214582"),
            (50, 45.0, "0.054104"),
            (100, 90.0, "0.026957"),
            (100, 100.0, "0.075700"),
            (1000, 1000.0, "0.024812"),
        ] {
            check(blocking(servers, load), share);
        }
    }

    #[test]
    fn one_server_is_mm1() {
        for load in [0.0, 0.3, 0.9, 1.0, 2.0] {
            check(delayed(1, load), &load.min(1.0).to_string());
            assert!((wait(1, load) - mm1::wait(load)).abs() < 1e-12 || wait(1, load) >= f64::INFINITY);
        }
    }

    #[test]
    fn no_server_blocks_all_and_a_quantile_within_the_undelayed_is_zero() {
        check(blocking(0, 3.0), "1");
        check(wait_quantile(100, 90.0, 0.5), "0");
        assert!(wait_quantile(2, 2.0, 0.5).is_infinite());
    }
}
