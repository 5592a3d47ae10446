//! The closed loop: N clients that call, wait for the answer, think, and call again; one exponential server.
//!
//! Known as the machine-repair or finite-source model.

/// What a closed loop settles to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClosedLoop {
    /// X: calls per mean service time, of all clients together. Never above 1.
    pub throughput: f64,
    /// R: mean response time.
    pub response: f64,
}

/// Solves the loop of `clients`, 1 or more, with exponential think time of mean `think`.
///
/// By exact mean value analysis: who calls finds the queue that one client fewer would make, so `R(n) = 1 + Q(n-1)`,
/// `X(n) = n / (R(n) + Z)`, `Q(n) = X(n) R(n)`. Takes a step for each client.
///
/// Source: M. Reiser and S. S. Lavenberg, "Mean-value analysis of closed multichain queuing networks", J. ACM 27
/// (1980).
///
/// ```
/// # use brownout_lab::theory::closed;
/// // Clients who wait for answers cannot pile up calls: past saturation, each new one makes all wait one service more.
/// let saturated = closed::solve(50, 20.0);
/// assert!((saturated.response - 30.0).abs() < 1e-6);
/// ```
#[must_use]
pub fn solve(clients: u32, think: f64) -> ClosedLoop {
    let mut solved = ClosedLoop { throughput: 0.0, response: 1.0 };
    for n in 1..=clients {
        let response = 1.0 + solved.throughput * solved.response;
        solved = ClosedLoop { throughput: f64::from(n) / (response + think), response };
    }
    solved
}

#[cfg(test)]
mod tests {
    use super::super::{assert_near, check, erlang};
    use super::*;

    #[test]
    fn printed_throughputs_and_responses() {
        for (clients, throughput, response) in [
            (10, "0.462037", "1.643296"),
            (20, "0.841108", "3.778158"),
            (30, "0.991543", "10.255889"),
            (50, "1.0", "30.0"),
        ] {
            let solved = solve(clients, 20.0);
            check(solved.throughput, throughput);
            check(solved.response, response);
        }
    }

    /// The time that no client spends at the server is spent thinking: `R = N / X - Z`.
    #[test]
    fn the_response_law_holds() {
        for clients in [1, 7, 40, 200] {
            let solved = solve(clients, 20.0);
            assert_near(f64::from(clients) / solved.throughput - 20.0, solved.response, 1e-10);
        }
    }

    /// With one server the number thinking is an Erlang system: the server is idle when all N think, and an Erlang B
    /// of N servers offered Z is full as often.
    #[test]
    fn the_server_idles_as_often_as_erlang_b_blocks() {
        for clients in [1, 10, 20, 30, 50] {
            assert_near(1.0 - solve(clients, 20.0).throughput, erlang::blocking(clients, 20.0), 1e-12);
        }
    }

    #[test]
    fn nobody_calls_nothing() {
        check(solve(0, 20.0).throughput, "0");
        check(solve(5, 0.0).throughput, "1");
    }
}
