//! The exponential of mean 1, and the logarithm behind it.

use std::f64::consts::LN_2;

/// Bits of a fraction in an `f64`.
const FRACTION_BITS: u32 = 52;

/// Maps a uniform `draw` onto an exponential with mean 1: `-ln(1 - u)`, where u is [`unit`](crate::unit) of the draw.
///
/// Sums, products and one division only, in an order that is fixed: the same bits on every platform, within two units of
/// the last place. It has no branch, so that a loop over many draws is made of vector instructions.
#[must_use]
#[inline]
pub fn exponential(draw: u64) -> f64 {
    // A number from 1 to 2 with the upper 52 bits of the draw as its fraction is 1 + u, but for the half of a cell that u has
    // more. Both differences are exact.
    let above_one = f64::from_bits(1.0_f64.to_bits() | draw >> (u64::BITS - FRACTION_BITS));
    minus_ln((2.0 - above_one) - f64::EPSILON / 2.0)
}

/// `-ln(x)` for x from 2^-53 to 1, by `ln(m · 2^k) = k ln 2 + 2 artanh((m - 1) / (m + 1))` with m from √½ to √2.
///
/// There the argument of artanh is at most 0.172, and its series, `s + s³/3 + s⁵/5 + …`, has less than 2^-54 of the whole left
/// after s²¹/21.
#[inline]
fn minus_ln(x: f64) -> f64 {
    // Added to the exponent, so that it is not negative.
    const BIAS: u64 = 1 << 10;
    // With an integer in its lower bits, this is 2^52 and that integer.
    const INTEGER: f64 = (1_u64 << FRACTION_BITS) as f64;
    let half_root = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    let bits = x.to_bits();
    let exponent = bits.wrapping_sub(half_root).wrapping_add(BIAS << FRACTION_BITS) >> FRACTION_BITS;
    let m = f64::from_bits(bits.wrapping_sub(exponent << FRACTION_BITS).wrapping_add(BIAS << FRACTION_BITS));
    let k = f64::from_bits(INTEGER.to_bits() | exponent) - (INTEGER + BIAS as f64);

    let s = (m - 1.0) / (m + 1.0);
    let (s2, s4) = (s * s, (s * s) * (s * s));
    // Every other term of the series in a sum of its own: the two do not wait for each other.
    let odd = 1.0 / 3.0 + s4 * (1.0 / 7.0 + s4 * (1.0 / 11.0 + s4 * (1.0 / 15.0 + s4 * (1.0 / 19.0))));
    let even = 1.0 / 5.0 + s4 * (1.0 / 9.0 + s4 * (1.0 / 13.0 + s4 * (1.0 / 17.0 + s4 * (1.0 / 21.0))));
    let series = s2 * (odd + s2 * even);
    -(k * LN_2 + (2.0 * s + 2.0 * s * series))
}

#[cfg(test)]
mod tests {
    use super::{exponential, minus_ln};
    use crate::unit;
    use proptest::prelude::*;

    #[track_caller]
    fn check(draw: u64) {
        let expected = -libm::log(1.0 - unit(draw));
        let off = (exponential(draw) / expected - 1.0).abs();
        assert!(off < 2.5 * f64::EPSILON, "{draw:#x}: {} for {expected}", exponential(draw));
    }

    #[test]
    fn the_ends_and_the_seams_are_right() {
        [0, u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 12].into_iter().for_each(check);
        // Where 1 - u is √½, the exponent changes: u is the fraction of 2 - √½.
        let seam = (2.0 - std::f64::consts::FRAC_1_SQRT_2).to_bits() << 12;
        (0..200).for_each(|step| check(seam - (100 << 12) + (step << 12)));
    }

    #[test]
    fn powers_of_two_have_whole_logarithms() {
        for k in 1..=53 {
            let whole = f64::from(k) * std::f64::consts::LN_2;
            assert_eq!(minus_ln(2.0_f64.powi(-k)).to_bits(), whole.to_bits());
        }
    }

    proptest! {
        #[test]
        fn it_is_the_logarithm_of_the_library(draw in any::<u64>(), shift in 0_u32..52) {
            check(draw);
            check(draw >> shift);
            check(!(draw >> shift));
        }
    }
}
