//! The confidence interval of a share.

use brownout_draw::normal_quantile;

/// The z that leaves `1 - level` outside ±z: 1.96 for 0.95, 3.29 for 0.999. NaN for a level outside (0, 1).
///
/// ```
/// # use brownout_lab::statistics::two_sided_z;
/// assert!((two_sided_z(0.95) - 1.96).abs() < 1e-3);
/// ```
#[must_use]
pub fn two_sided_z(level: f64) -> f64 {
    if 0.0 < level { normal_quantile(0.5 + 0.5 * level) } else { f64::NAN }
}

/// Between what two values the true share lies when `successes` of `n` independent runs succeeded, low and high, at
/// the level that `z` stands for ([`two_sided_z`]). It holds up near 0 and 1, where the share itself is all or
/// nothing.
///
/// `(p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)`; successes beyond n count as n. `None` for n = 0 and for a z
/// that is not a finite number of 0 or more.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
///
/// ```
/// # use brownout_lab::statistics::{two_sided_z, wilson};
/// // Forty stuck runs of forty: the true share may still be 91.2 %.
/// let (low, high) = wilson(40, 40, two_sided_z(0.95)).unwrap();
/// assert!((low - 0.912).abs() < 0.0005 && high == 1.0);
/// ```
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of runs stay far below 2^53")]
pub fn wilson(successes: u64, n: u64, z: f64) -> Option<(f64, f64)> {
    if n == 0 || !(0.0..=1e6).contains(&z) {
        return None;
    }
    let low = lower(successes.min(n) as f64, n as f64, z);
    let high = 1.0 - lower(n.saturating_sub(successes) as f64, n as f64, z);
    Some((low, high))
}

/// The lower end; the upper one is 1 - that of the failures. Exactly 0 without successes.
fn lower(successes: f64, n: f64, z: f64) -> f64 {
    let square = z * z;
    let spread = z * libm::sqrt(successes * (n - successes) / n + square / 4.0);
    ((successes + square / 2.0 - spread) / (n + square)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::{two_sided_z, wilson};
    use proptest::prelude::*;

    fn check(successes: u64, n: u64, level: f64, printed: &str) {
        let (low, high) = wilson(successes, n, two_sided_z(level)).unwrap();
        assert_eq!(format!("{:.1} {:.1}", 100.0 * low, 100.0 * high), printed, "{successes} of {n}");
    }

    #[test]
    fn how_many_seeds_it_takes() {
        check(40, 40, 0.95, "91.2 100.0");
        check(0, 40, 0.95, "0.0 8.8");
        check(0, 0x100_0000, 0.95, "0.0 0.0");
        let low = |agreeing| wilson(agreeing, agreeing, two_sided_z(0.95)).unwrap().0;
        assert!(low(72) < 0.95 && 0.95 < low(73));
    }

    /// Worked by hand from the formula: 15 of 20, 1 of 10, and half of 100 at 99.9 %.
    #[test]
    fn shares_in_between() {
        check(15, 20, 0.95, "53.1 88.8");
        check(1, 10, 0.95, "1.8 40.4");
        check(50, 100, 0.999, "34.4 65.6");
    }

    #[test]
    fn all_or_nothing_ends_exactly() {
        for n in 1..200 {
            assert!(wilson(n, n, 1.96).unwrap().1 >= 1.0);
            assert!(wilson(0, n, 1.96).unwrap().0 <= 0.0);
        }
    }

    #[test]
    fn no_runs_and_no_level_say_nothing() {
        assert_eq!(wilson(0, 0, 1.96), None);
        for level in [0.0, 1.0, -0.2, 95.0, f64::NAN] {
            assert_eq!(wilson(1, 2, two_sided_z(level)), None, "{level}");
        }
        assert_eq!(wilson(9, 4, 1.96), wilson(4, 4, 1.96));
    }

    proptest! {
        #[test]
        fn an_interval_contains_its_share_and_narrows_with_more_runs(
            n in 1_u64..5000, pick in any::<u64>(), z in 0.1_f64..4.0,
        ) {
            let successes = pick % (n + 1);
            let (low, high) = wilson(successes, n, z).unwrap();
            let share = successes as f64 / n as f64;
            prop_assert!(0.0 <= low && low <= share + 1e-12 && share - 1e-12 <= high && high <= 1.0);
            let (lower, higher) = wilson(4 * successes, 4 * n, z).unwrap();
            prop_assert!(higher - lower < high - low);
        }

        #[test]
        fn nothing_panics(successes in any::<u64>(), n in any::<u64>(), z in any::<f64>()) {
            let _ = wilson(successes, n, z);
        }
    }
}
