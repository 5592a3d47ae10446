//! Decimals of three digits as whole numbers, so that a million deposits add up exactly.

use crate::GuardError;

/// How many make one.
pub(super) const ONE: u32 = 1000;

/// `number` in thousandths; `what` names it in the message.
///
/// # Errors
/// When it has more than three decimals, or is no number from 0 to four million.
pub(super) fn thousandths(what: &'static str, number: f64) -> Result<u32, GuardError> {
    let scaled = number * f64::from(ONE);
    // A decimal of three digits misses its whole number by the rounding of one product; one more digit, by far more.
    if !(0.0..=4e9).contains(&scaled) || (scaled - scaled.round()).abs() > 1e-5 {
        return Err(GuardError::NotThousandths { what, found: number });
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to four billion, checked above")]
    Ok(scaled.round() as u32)
}

#[cfg(test)]
mod tests {
    use super::thousandths;

    #[track_caller]
    fn check(number: f64, expected: Option<u32>) {
        assert_eq!(thousandths("it", number).ok(), expected, "{number}");
    }

    #[test]
    fn three_decimals_are_exact_and_a_fourth_is_refused() {
        check(0.0, Some(0));
        check(0.1, Some(100));
        check(1.1, Some(1_100));
        check(0.546, Some(546));
        check(0.5466, None);
        check(0.0001, None);
        check(4_000_000.0, Some(4_000_000_000));
        check(4_000_001.0, None);
        check(-0.1, None);
        check(f64::NAN, None);
        check(f64::INFINITY, None);
    }
}
