//! Student's t distribution.

use std::f64::consts::{FRAC_2_PI, PI};

use brownout_draw::normal_quantile;

use super::count;

/// From here on the expansion around the normal quantile is good to more digits than the sum can carry.
const EXPANSION_FROM: usize = 500;

/// A step this small against the value is rounding.
const CONVERGED: f64 = 1e-14;

/// Far more steps than it takes: the worst case, one degree of freedom, doubles the value at each.
const STEPS_MAX: u32 = 200;

/// The `p` quantile of Student's t with so many degrees of `freedom`, 1 or more; NaN without any, and for p outside
/// (0, 1).
///
/// By Newton's method on the distribution function, from the normal quantile: it is below the one of t, and the
/// function is concave from there on, so that no step passes the quantile. With many degrees of freedom, by the
/// Cornish–Fisher expansion.
///
/// Good to eleven digits for p from 0.0001 to 0.9999.
///
/// ```
/// # use brownout_lab::statistics::student_quantile;
/// assert!((student_quantile(0.975, 9) - 2.262).abs() < 1e-3);
/// ```
#[must_use]
pub fn student_quantile(p: f64, freedom: usize) -> f64 {
    if freedom == 0 {
        return f64::NAN;
    }
    let z = normal_quantile(p);
    let t = if freedom < EXPANSION_FROM {
        solve(z.abs(), 2.0 * (p - 0.5).abs(), freedom)
    } else {
        expand(z.abs(), freedom)
    };
    if z < 0.0 { -t } else { t }
}

/// The t with `inside` of the distribution within -t and t, from a `start` below it.
fn solve(start: f64, inside: f64, freedom: usize) -> f64 {
    let peak = peak(freedom);
    let mut t = start;
    for _ in 0..STEPS_MAX {
        let step = (inside - within(t, freedom)) / (2.0 * density(t, freedom, peak));
        t += step;
        if step.abs() <= CONVERGED * t {
            break;
        }
    }
    t
}

/// P(-t < T < t), by its finite sum.
///
/// Source: M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 1964, 26.7.3 and 26.7.4.
fn within(t: f64, freedom: usize) -> f64 {
    let n = count(freedom);
    let cosine_squared = n / (n + t * t);
    let sine = t / libm::sqrt(n + t * t);
    let odd = freedom % 2 == 1;
    let (mut power, mut term) = if odd { (1, libm::sqrt(cosine_squared)) } else { (0, 1.0) };
    let mut sum = 0.0;
    while power + 2 <= freedom {
        sum += term;
        term *= cosine_squared * count(power + 1) / count(power + 2);
        power += 2;
    }
    if odd { FRAC_2_PI * (libm::atan(t / libm::sqrt(n)) + sine * sum) } else { sine * sum }
}

/// The density at t, given that at 0.
fn density(t: f64, freedom: usize, peak: f64) -> f64 {
    let n = count(freedom);
    peak * libm::exp(-0.5 * (n + 1.0) * libm::log1p(t * t / n))
}

/// The density at 0: `Γ((n+1)/2) / (√(πn) Γ(n/2))`.
fn peak(freedom: usize) -> f64 {
    let n = count(freedom);
    libm::exp(libm::lgamma(0.5 * (n + 1.0)) - libm::lgamma(0.5 * n)) / libm::sqrt(PI * n)
}

/// The quantile as a series in 1/n around the normal one.
///
/// Source: Abramowitz and Stegun 1964, 26.7.5.
fn expand(z: f64, freedom: usize) -> f64 {
    let n = count(freedom);
    let square = z * z;
    let first = (square + 1.0) / 4.0;
    let second = ((5.0 * square + 16.0) * square + 3.0) / 96.0;
    let third = (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) / 384.0;
    let fourth = ((((79.0 * square + 776.0) * square + 1482.0) * square - 1920.0) * square - 945.0) / 92160.0;
    z * (1.0 + (first + (second + (third + fourth / n) / n) / n) / n)
}

#[cfg(test)]
mod tests {
    use super::{EXPANSION_FROM, expand, solve, student_quantile};
    use brownout_draw::normal_quantile;
    use proptest::prelude::*;

    /// Percentage points as printed in statistical tables.
    #[test]
    fn tabulated_quantiles() {
        for (freedom, [p95, p975, p995, p9995]) in [
            (1, ["6.314", "12.706", "63.657", "636.619"]),
            (2, ["2.920", "4.303", "9.925", "31.599"]),
            (3, ["2.353", "3.182", "5.841", "12.924"]),
            (4, ["2.132", "2.776", "4.604", "8.610"]),
            (5, ["2.015", "2.571", "4.032", "6.869"]),
            (9, ["1.833", "2.262", "3.250", "4.781"]),
            (15, ["1.753", "2.131", "2.947", "4.073"]),
            (30, ["1.697", "2.042", "2.750", "3.646"]),
            (100, ["1.660", "1.984", "2.626", "3.390"]),
            (1000, ["1.646", "1.962", "2.581", "3.300"]),
            (1_000_000_000, ["1.645", "1.960", "2.576", "3.291"]),
        ] {
            for (p, printed) in [(0.95, p95), (0.975, p975), (0.995, p995), (0.9995, p9995)] {
                assert_eq!(format!("{:.3}", student_quantile(p, freedom)), printed, "{p} {freedom}");
            }
        }
    }

    /// One and two degrees of freedom have closed forms.
    #[test]
    fn small_freedoms_in_closed_form() {
        for step in 501..=9999 {
            let p = f64::from(step) / 10_000.0;
            let one = libm::tan(std::f64::consts::PI * (p - 0.5));
            let two = (2.0 * p - 1.0) / libm::sqrt(2.0 * p * (1.0 - p));
            assert!((student_quantile(p, 1) - one).abs() <= 1e-11 * one.abs().max(1e-3), "{p}");
            assert!((student_quantile(p, 2) - two).abs() <= 1e-11 * two.abs().max(1e-3), "{p}");
        }
    }

    #[test]
    fn expansion_and_sum_meet() {
        for p in [0.51, 0.9, 0.975, 0.9995, 0.9999] {
            let z = normal_quantile(p);
            let (expanded, solved) = (expand(z, EXPANSION_FROM), solve(z, 2.0 * p - 1.0, EXPANSION_FROM));
            assert!((expanded / solved - 1.0).abs() < 1e-11, "{p}: {expanded} {solved}");
        }
    }

    #[test]
    fn no_quantile_without_freedom_or_outside_the_open_unit_interval() {
        assert!(student_quantile(0.975, 0).is_nan());
        for freedom in [1, 2, 30, 1000] {
            for p in [0.0, 1.0, -1.0, 2.0, f64::NAN] {
                assert!(student_quantile(p, freedom).is_nan(), "{p} {freedom}");
            }
            assert!(student_quantile(0.5, freedom).abs() < 1e-15);
        }
    }

    proptest! {
        #[test]
        fn symmetric_and_shrinking_towards_the_normal(p in 0.500_1_f64..0.999_9, freedom in 1_usize..2000) {
            let t = student_quantile(p, freedom);
            prop_assert!((t + student_quantile(1.0 - p, freedom)).abs() <= 1e-9 * t);
            prop_assert!(student_quantile(p, freedom + 1) < t);
            prop_assert!(normal_quantile(p) < t);
        }
    }
}
