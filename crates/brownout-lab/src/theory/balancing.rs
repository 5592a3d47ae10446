//! Balancing over very many servers, each an M/M/1: at random, or to the shortest of a few. Small fleets differ.

/// Mean response where each call looks at `choices` servers, picked at random, and joins the shortest queue; `load`
/// per server.
///
/// `Σ λ^((dⁱ - d) / (d - 1))` over i ≥ 1, in the limit of many servers; with one choice `1 / (1 - λ)`.
///
/// Source: M. Mitzenmacher, "The power of two choices in randomized load balancing", IEEE Transactions on Parallel and
/// Distributed Systems 12 (2001).
///
/// ```
/// # use brownout_lab::theory::balancing;
/// // At 99 % load a second choice turns a hundred service times into five and a half.
/// assert!((balancing::response(1, 0.99) - 100.0).abs() < 1e-9);
/// assert!((balancing::response(2, 0.99) - 5.432).abs() < 1e-3);
/// ```
#[must_use]
pub fn response(choices: u32, load: f64) -> f64 {
    if load >= 1.0 {
        return f64::INFINITY;
    }
    if choices <= 1 {
        return super::mm1::response(load);
    }
    // 0, d, d + d², …: each is d times one more than the one before, so the terms are few.
    let exponents = std::iter::successors(Some(0.0), |exponent| Some(f64::from(choices) * (exponent + 1.0)));
    exponents.map(|exponent| libm::pow(load, exponent)).take_while(|term| f64::EPSILON < *term).sum()
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn printed_responses() {
        for (load, printed) in
            [(0.5, "1.26569"), (0.8, "1.94736"), (0.9, "2.61406"), (0.95, "3.38305"), (0.99, "5.43200")]
        {
            check(response(2, load), printed);
        }
        check(response(3, 0.9), "2.02786");
        check(response(3, 0.99), "3.85785");
        check(response(1, 0.9), "10.0000");
    }

    #[test]
    fn the_ends_of_the_range() {
        check(response(2, 0.0), "1");
        assert!(response(2, 1.0).is_infinite());
        let nearly = response(2, 1.0 - f64::EPSILON);
        assert!((40.0..70.0).contains(&nearly), "{nearly}");
    }
}
