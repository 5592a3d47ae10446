//! M/M/c/K: c servers and room for K calls in all, those in service among them. Who finds it full is turned away.
//!
//! Source: D. Gross and C. M. Harris, "Fundamentals of Queueing Theory", section "Queues with parallel servers and
//! truncation".

use super::chain;

/// What an M/M/c/K settles to, below capacity as above: with room for K there is no overload without bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mmck {
    /// Share of calls turned away, which for Poisson arrivals is the share of time the system is full.
    pub blocking: f64,
    /// L: mean number in the system.
    pub in_system: f64,
    /// Lq: mean number waiting.
    pub waiting: f64,
    /// W: mean response time of the calls that were let in, by Little's law. `None` where no call is.
    pub response: Option<f64>,
    /// Calls served per mean service time.
    pub throughput: f64,
}

/// Solves an M/M/c/K with `servers` c, 1 or more, and `room` K of at least as much; with less, some servers are never
/// reached.
///
/// Birth rate a in every state below K, death rate min(n, c). Erlang B is the case K = c. Takes a step for each place.
///
/// ```
/// # use brownout_lab::theory::mmck;
/// // Twice as many calls as one server can serve, nine places to wait: half go away, and the rest wait long.
/// let full = mmck::solve(1, 10, 2.0);
/// assert!((full.blocking - 0.50024).abs() < 1e-5);
/// assert!(full.response.unwrap() > 9.0);
/// ```
#[must_use]
pub fn solve(servers: u32, room: u32, load: f64) -> Mmck {
    let ratio = |n: u32| load / f64::from(n.min(servers));
    let rewards = |n: u32| [f64::from(u8::from(n == room)), f64::from(n), f64::from(n.saturating_sub(servers))];
    let [blocking, in_system, waiting] = chain::means(Some(room), ratio, rewards);
    let throughput = in_system - waiting;
    let response = (throughput > 0.0).then(|| in_system / throughput);
    Mmck { blocking, in_system, waiting, response, throughput }
}

#[cfg(test)]
mod tests {
    use super::super::{assert_near, check, erlang, mm1};
    use super::*;

    #[test]
    fn one_server_has_the_geometric_closed_form() {
        for (load, room) in [(0.5, 3), (0.8, 10), (0.99, 50), (1.5, 20), (3.0, 1000), (20.0, 1)] {
            let power = libm::pow(1.0 / load, f64::from(room));
            // Weights ρⁿ, counted from the full end so that the powers do not overflow: ρ^(n-K).
            let total =
                if load > 1.0 { (1.0 - power / load) / (1.0 - 1.0 / load) } else { (power - load) / (1.0 - load) };
            assert_near(solve(1, room, load).blocking, 1.0 / total, 1e-10);
        }
        // At exactly its capacity every state is as likely.
        let even = solve(1, 9, 1.0);
        check(even.blocking, "0.100000000000");
        check(even.in_system, "4.500000000000");
        check(even.throughput, "0.900000000000");
    }

    #[test]
    fn erlang_b_is_the_case_without_waiting_room() {
        for (servers, load) in [(1, 1.0), (5, 3.0), (10, 10.0), (100, 90.0), (1000, 1000.0), (50, 500.0)] {
            let solved = solve(servers, servers, load);
            assert_near(solved.blocking, erlang::blocking(servers, load), 1e-10);
            assert_near(solved.waiting, 0.0, 1e-10);
            assert_near(solved.response.unwrap(), 1.0, 1e-10);
        }
    }

    #[test]
    fn endless_room_is_mmc() {
        for (servers, load) in [(1, 0.8), (5, 4.0), (100, 90.0)] {
            let solved = solve(servers, 5000, load);
            assert_near(solved.response.unwrap(), 1.0 + erlang::wait(servers, load), 1e-10);
        }
        assert_near(solve(1, 5000, 0.9).in_system, mm1::in_system(0.9), 1e-10);
    }

    #[test]
    fn what_is_let_in_is_what_is_served() {
        for (servers, room, load) in [(1, 10, 0.7), (1, 10, 2.0), (4, 20, 3.9), (4, 20, 40.0), (8, 4, 3.0)] {
            let solved = solve(servers, room, load);
            assert_near(solved.throughput, load * (1.0 - solved.blocking), 1e-10);
        }
    }

    #[test]
    fn far_above_capacity_the_queue_is_full_and_the_servers_busy() {
        let flooded = solve(10, 1000, 1e6);
        check(flooded.throughput, "10.000000");
        check(flooded.response.unwrap(), "100.00");
    }

    #[test]
    fn without_room_or_servers_nobody_is_served() {
        for nothing in [solve(3, 0, 2.0), solve(0, 0, 2.0)] {
            check(nothing.blocking, "1");
            assert_eq!(nothing.response, None);
        }
        assert_eq!(solve(3, 5, 0.0).response, None);
    }
}
