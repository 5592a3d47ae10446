//! gRPC's retry throttling.

use super::Grants;
use crate::GuardError;
use crate::guard::thousandths::{ONE, thousandths};

/// A count of tokens that failures lower and successes raise; while it stands at half or less, nothing is retried.
///
/// It starts full. A failed attempt takes one token, whether or not it is retried; a success gives `token_ratio`. A retry
/// itself costs nothing. gRPC keeps one for each server name.
///
/// No defaults: off unless set. The examples use 10 and 0.1. Source: gRPC proposal A6, "Throttling retry attempts and
/// hedged RPCs".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrpcThrottling {
    max: u32,
    token_ratio: u32,
}

impl GrpcThrottling {
    /// - `max_tokens`: 1 to 1000.
    /// - `token_ratio`: tokens for a success, above 0, in thousandths.
    ///
    /// # Errors
    /// When one of the two is outside its range. gRPC drops the decimals after the third; here they are refused.
    pub fn new(max_tokens: u32, token_ratio: f64) -> Result<Self, GuardError> {
        if !(1..=1000).contains(&max_tokens) {
            return Err(GuardError::GrpcMaxTokens(max_tokens));
        }
        match thousandths("token_ratio of gRPC retry throttling", token_ratio)? {
            0 => Err(GuardError::GrpcTokenRatio(token_ratio)),
            token_ratio => Ok(Self { max: max_tokens * ONE, token_ratio }),
        }
    }

    pub(super) const fn initial(&self) -> u32 {
        self.max
    }

    /// A retry needs more than half of the tokens after its failure has taken one.
    pub(super) fn grants(&self) -> Grants {
        let share = f64::from(self.token_ratio) / f64::from(ONE);
        Grants { at_once: (self.max / ONE).div_ceil(2) - 1, share, failing: 0.0, per_second: 0.0 }
    }

    pub(super) fn attempt_failed(&self, tokens: &mut u32) {
        *tokens = tokens.saturating_sub(ONE);
    }

    pub(super) fn call_succeeded(&self, tokens: &mut u32) {
        *tokens = tokens.saturating_add(self.token_ratio).min(self.max);
    }

    pub(super) fn withdraw(&self, tokens: u32) -> Option<u32> {
        // Half of an odd number of thousandths is none.
        (tokens * 2 > self.max).then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::GrpcThrottling;
    use proptest::prelude::*;

    /// Whether each failure of a row finds a retry, `y` or `n`; an `s` is a success.
    #[track_caller]
    fn check(max_tokens: u32, token_ratio: f64, events: &str, expected: &str) {
        let rule = GrpcThrottling::new(max_tokens, token_ratio).unwrap();
        let mut tokens = rule.initial();
        let mut found = String::new();
        for event in events.chars() {
            if event == 's' {
                rule.call_succeeded(&mut tokens);
            } else {
                rule.attempt_failed(&mut tokens);
                found.push(if rule.withdraw(tokens).is_some() { 'y' } else { 'n' });
            }
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn retries_stop_when_half_the_tokens_are_gone() {
        // 10 → 9, 8, 7, 6 (above 5), 5 (not above 5), 4.
        check(10, 0.1, "ffffff", "yyyynn");
        // Odd: half of 3 is 1.5, which 2 is above and 1 is not.
        check(3, 0.1, "fff", "ynn");
        check(1, 0.1, "f", "n");
    }

    #[test]
    fn successes_earn_retries_back() {
        let row = |failures, successes| format!("{}{}f", "f".repeat(failures), "s".repeat(successes));
        // 5.0 after five failures; eleven successes make 6.1, and a failure 5.1.
        check(10, 0.1, &row(5, 11), "yyyyny");
        // One success less: 5.0, which is not above half.
        check(10, 0.1, &row(5, 10), "yyyynn");
        // Empty is empty: after twelve failures seven successes of one token make 7, and a failure 6.
        check(10, 1.0, &row(12, 6), &format!("yyyy{}n", "n".repeat(8)));
        check(10, 1.0, &row(12, 7), &format!("yyyy{}y", "n".repeat(8)));
        // Full is full.
        check(10, 0.1, "sssssffffff", "yyyynn");
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_its_rule() {
        let refusal = |max, ratio| GrpcThrottling::new(max, ratio).unwrap_err().to_string();
        assert!(refusal(0, 0.1).contains("from 1 to 1000, found 0"));
        assert!(refusal(1001, 0.1).contains("found 1001"));
        assert!(refusal(10, 0.0).contains("must be above 0"));
        assert!(refusal(10, 0.5466).contains("found 0.5466; write at most three decimals"));
    }

    proptest! {
        #[test]
        fn tokens_stay_between_none_and_full(
            max in 1_u32..=1000, ratio in 1_u32..4_000_000, events in prop::collection::vec(any::<bool>(), 0..200),
        ) {
            let rule = GrpcThrottling::new(max, f64::from(ratio)).unwrap();
            let mut tokens = rule.initial();
            for fails in events {
                if fails { rule.attempt_failed(&mut tokens) } else { rule.call_succeeded(&mut tokens) }
                prop_assert!(tokens <= max * 1000);
            }
        }
    }
}
