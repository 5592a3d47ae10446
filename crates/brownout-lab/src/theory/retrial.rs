//! M/M/1/1 with retrials: no waiting room, and every blocked caller tries again, for ever.
//!
//! Sources: G. I. Falin and J. G. C. Templeton, "Retrial Queues", 1997; J. R. Artalejo and G. I. Falin,
//! "Standard and retrial queueing systems: a comparative analysis", 2002.

/// Mean number of blocked callers between two tries: `ρ (λ + ρ θ) / ((1 - ρ) θ)`, where λ = ρ.
///
/// - `theta`: how often each of them tries again, per mean service time; above 0.
#[must_use]
pub fn in_orbit(load: f64, theta: f64) -> f64 {
    if load < 1.0 { load * load * (1.0 + theta) / ((1.0 - load) * theta) } else { f64::INFINITY }
}

/// Mean tries per call after the first: `θ × in orbit / λ`.
///
/// It falls towards `ρ / (1 - ρ)` for slow retries, and grows without bound for fast ones: the shorter the wait, the
/// more tries that find the server busy.
///
/// ```
/// # use brownout_lab::theory::retrial;
/// // At 80 % load, retrying twenty times as often makes three times as many tries.
/// assert!((retrial::retries(0.8, 0.1) - 4.4).abs() < 1e-12);
/// assert!((retrial::retries(0.8, 2.0) - 12.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn retries(load: f64, theta: f64) -> f64 {
    if load < 1.0 { load * (1.0 + theta) / (1.0 - load) } else { f64::INFINITY }
}

/// Mean time from the first try to the start of service, by Little's law: `in orbit / λ`.
#[must_use]
pub fn wait(load: f64, theta: f64) -> f64 {
    retries(load, theta) / theta
}

#[cfg(test)]
mod tests {
    use super::super::{assert_near, check, mm1};
    use super::*;

    #[test]
    fn printed_orbits() {
        for (load, theta, mean) in [(0.5, 0.5, "1.5"), (0.8, 0.5, "9.6"), (0.8, 0.1, "35.2"), (0.9, 1.0, "16.2")] {
            check(in_orbit(load, theta), mean);
            assert_near(theta * in_orbit(load, theta) / load, retries(load, theta), 1e-12);
        }
    }

    #[test]
    fn printed_retries() {
        for (theta, mean) in [(0.1, "4.4"), (0.5, "6"), (2.0, "12"), (10.0, "44")] {
            check(retries(0.8, theta), mean);
        }
    }

    #[test]
    fn ever_faster_retries_wait_as_a_queue_does() {
        assert_near(wait(0.8, 1e9), mm1::wait(0.8), 1e-7);
        assert!(retries(1.0, 1.0).is_infinite() && in_orbit(1.2, 1.0).is_infinite() && wait(1.0, 2.0).is_infinite());
    }

    /// The chain itself, solved state by state, at (server busy or not, number in orbit).
    #[test]
    fn the_mean_is_that_of_the_chain() {
        for (load, theta) in [(0.5, 0.5), (0.8, 0.5), (0.8, 0.1), (0.9, 1.0)] {
            // Balance of each idle state gives idle(j) (λ + jθ) = busy(j), and of the cut between j and j + 1,
            // busy(j) λ = idle(j+1) (j+1) θ.
            let (mut idle, mut total, mut orbit) = (1.0, 0.0, 0.0);
            for j in 0..3000 {
                let busy = idle * (load + f64::from(j) * theta);
                total += idle + busy;
                orbit += f64::from(j) * (idle + busy);
                idle = busy * load / (f64::from(j + 1) * theta);
            }
            assert_near(orbit / total, in_orbit(load, theta), 1e-9);
        }
    }
}
