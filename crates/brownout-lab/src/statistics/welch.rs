//! Two means that are not equally sure.

use serde::Serialize;

use super::{Interval, Summary, count, student_quantile};

/// A mean as one side of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sure {
    /// The mean.
    pub mean: f64,
    /// Its standard error: the deviation of the values by the root of their number.
    pub error: f64,
    /// How many independent values it rests on.
    pub n: f64,
}

impl Sure {
    /// The mean of independent `values`; `None` of fewer than two.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let Summary { n, mean, deviation, .. } = Summary::of(values)?;
        let n = count(n);
        Some(Self { mean, error: deviation? / libm::sqrt(n), n })
    }
}

/// `second - first` and its interval at `level`, without the assumption that both vary alike: `t(ν) · √(e₁² + e₂²)`, with the
/// freedom ν of Welch and Satterthwaite.
///
/// `None` where a side rests on fewer than two values or has a number that is not finite, and for a level outside (0, 1).
///
/// Source: B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
/// Biometrika 34 (1947).
#[must_use]
pub fn welch(first: Sure, second: Sure, level: f64) -> Option<Interval> {
    let sides = [first, second];
    let fine = |side: &Sure| side.mean.is_finite() && side.error.is_finite() && side.n >= 2.0;
    let is_level = 0.0 < level && level < 1.0;
    if !is_level || !sides.iter().all(fine) {
        return None;
    }
    let squares = sides.map(|side| side.error * side.error);
    let sum = squares[0] + squares[1];
    let parts = squares[0] * squares[0] / (first.n - 1.0) + squares[1] * squares[1] / (second.n - 1.0);
    let half_width = if sum > 0.0 { quantile(0.5 + 0.5 * level, sum * sum / parts) * libm::sqrt(sum) } else { 0.0 };
    let n = first.n + second.n;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above 0, and saturates")]
    Some(Interval { mean: second.mean - first.mean, half_width, n: n as usize })
}

/// The quantile of Student's t between two whole freedoms, in proportion to their inverses.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1, and bounded")]
fn quantile(p: f64, freedom: f64) -> f64 {
    let freedom = freedom.clamp(1.0, 1e9);
    let below = freedom as usize;
    let [less, more] = [student_quantile(p, below), student_quantile(p, below + 1)];
    let [low, high] = [below, below + 1].map(|whole| 1.0 / count(whole));
    more + (less - more) * (1.0 / freedom - high) / (low - high)
}

#[cfg(test)]
mod tests {
    use super::{Sure, welch};
    use crate::statistics::coverage::noise;
    use proptest::prelude::*;

    fn sure(values: &[f64]) -> Sure {
        Sure::of(values).unwrap()
    }

    /// Student's sleep data (Biometrika 6, 1908): `t.test(extra ~ group)` of R prints a 95 % interval of group 1 less group 2 from
    /// -3.3654832 to 0.2054832, with a freedom of 17.776.
    #[test]
    fn the_sleep_data() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let interval = welch(sure(&first), sure(&second), 0.95).unwrap();
        for (found, printed) in [(interval.mean, 1.58), (interval.low(), -0.205_483_2), (interval.high(), 3.365_483_2)]
        {
            assert!((found - printed).abs() < 1e-4, "{found}, printed {printed}");
        }
    }

    /// Four values against forty that vary a third as much: 95 % of 2000 intervals, give or take four deviations.
    #[test]
    fn intervals_of_unequal_sides_hold_the_truth() {
        let holds = |seed: u64| {
            let few: Vec<f64> = noise(seed, 4).iter().map(|value| 3.0 * value).collect();
            welch(sure(&few), sure(&noise(seed + 1_000_000, 40)), 0.95).unwrap().contains(0.0)
        };
        let held = (0..2000).filter(|seed| holds(*seed)).count();
        assert!((1861..=1960).contains(&held), "{held}");
    }

    #[test]
    fn one_value_says_nothing_and_equal_ones_all() {
        let side = |mean, error, n| Sure { mean, error, n };
        assert_eq!(welch(side(1.0, 0.0, 1.0), side(2.0, 1.0, 9.0), 0.95), None);
        assert_eq!(welch(side(1.0, f64::NAN, 3.0), side(2.0, 1.0, 9.0), 0.95), None);
        let sure = welch(side(1.0, 0.0, 3.0), side(2.0, 0.0, 9.0), 0.95).unwrap();
        assert_eq!((sure.mean, sure.half_width), (1.0, 0.0));
    }

    proptest! {
        #[test]
        fn nothing_panics(numbers in any::<[f64; 7]>()) {
            let [a, b, c, d, e, f, level] = numbers;
            let _ = welch(Sure { mean: a, error: b, n: c }, Sure { mean: d, error: e, n: f }, level);
        }
    }
}
