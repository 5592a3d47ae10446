//! Uniform draws onto durations and the unit interval.

use std::time::Duration;

/// Maps a uniform `draw` onto `[0, ceiling)` in whole nanoseconds: integers only, the same on every machine.
///
/// A ceiling beyond 584 years is read as 584 years, the longest that 64 bits of nanoseconds hold.
///
/// ```
/// use std::time::Duration;
/// use brownout_draw::scale;
///
/// assert_eq!(scale(Duration::from_secs(1), u64::MAX / 2), Duration::from_nanos(499_999_999));
/// ```
#[must_use]
pub fn scale(ceiling: Duration, draw: u64) -> Duration {
    Duration::from_nanos(share(nanos(ceiling), draw))
}

/// Maps a uniform `draw` onto `[0, ceiling)`.
#[inline]
pub(crate) const fn share(ceiling: u64, draw: u64) -> u64 {
    ((ceiling as u128 * draw as u128) >> 64) as u64
}

/// Whole nanoseconds; 584 years and longer are the same.
#[must_use]
#[inline]
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Milliseconds to the microsecond, as a number.
#[must_use]
pub fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Maps a uniform `draw` onto the open interval (0, 1), on the centres of 2^52 equal cells.
///
/// Never 0 and never 1, so a quantile function can always take it: with one bit more, the last centre would
/// round to 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits are exact in f64")]
#[must_use]
#[inline]
pub fn unit(draw: u64) -> f64 {
    ((draw >> 12) as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64)
}

/// Whole nanoseconds; what is past the end of `u64` saturates, what is not a number is zero.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is meant")]
#[inline]
pub(crate) fn whole_nanos(nanos: f64) -> u64 {
    // Adding 2^52 leaves no bits for a fraction, so the sum is rounded, ties to even: quicker than a call where the
    // processor may lack the instruction.
    const NO_FRACTION: f64 = (1_u64 << 52) as f64;
    let rounded = if nanos < NO_FRACTION { (nanos + NO_FRACTION) - NO_FRACTION } else { nanos };
    rounded as u64
}

#[cfg(test)]
mod tests {
    use super::{scale, unit, whole_nanos};
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn the_unit_interval_is_open_at_both_ends() {
        assert!(unit(0) > 0.0);
        assert!(unit(u64::MAX) < 1.0);
        assert!((unit(1 << 63) - 0.5).abs() < 1e-15);
    }

    #[test]
    fn floats_saturate() {
        assert_eq!(whole_nanos(f64::INFINITY), u64::MAX);
        assert_eq!(whole_nanos(f64::NAN), 0);
        assert_eq!(whole_nanos(-1.0), 0);
        assert_eq!(whole_nanos(2.5e9), 2_500_000_000);
    }

    proptest! {
        #[test]
        fn a_scaled_draw_stays_below_its_ceiling(nanos in 1_u64.., draw in any::<u64>()) {
            let ceiling = Duration::from_nanos(nanos);
            prop_assert!(scale(ceiling, draw) < ceiling);
        }

        #[test]
        fn no_duration_panics(secs in any::<u64>(), draw in any::<u64>()) {
            let _ = scale(Duration::new(secs, 0), draw);
        }
    }
}
