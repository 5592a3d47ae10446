//! Finagle's and Linkerd's retry budget.

use std::time::Duration;

use super::Grants;
use crate::GuardError;
use crate::guard::window::{SlotLength, Window};

/// What a request deposits. A whole number large enough that a retry has a whole price at any ratio.
const DEPOSIT: i64 = 1000;
const SLOTS: usize = 10;

/// A share of the requests of the last `ttl` may be retried, and some more whatever the traffic.
///
/// A request deposits 1000 and a retry withdraws `floor(1000 / ratio)`; both are forgotten after `ttl`, in ten steps. On
/// top of that `min_per_second · ttl` retries are always in reserve. A retry is granted when balance and reserve together
/// pay for it.
///
/// Defaults of the source: ratio 0.2, 10 per second, ttl 10 s. Source: Finagle, `RetryBudget.scala` and the token bucket
/// of util; Linkerd 2, `ServiceProfile.spec.retryBudget`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowedBudget {
    deposit: i64,
    withdrawal: u32,
    reserve: i64,
    slot: SlotLength,
}

/// Deposits less withdrawals of the last `ttl`.
pub(super) type Balance = Window<i64, SLOTS>;

impl WindowedBudget {
    /// - `ratio`: retries a request, 0 or from 0.001 to 1000. With 0 only the reserve is left, and a retry costs 1 of it.
    /// - `min_per_second`: retries a second whatever the traffic; 0 allows none beyond the ratio.
    /// - `ttl`: how long deposits and withdrawals count, 1 to 60 s.
    ///
    /// # Errors
    /// When the ratio or the ttl is outside its range.
    pub fn new(ratio: f64, min_per_second: u32, ttl: Duration) -> Result<Self, GuardError> {
        let zero = ratio == 0.0;
        if !zero && !(0.001..=1000.0).contains(&ratio) {
            return Err(GuardError::WindowedRatio(ratio));
        }
        if !(Duration::from_secs(1)..=Duration::from_secs(60)).contains(&ttl) {
            return Err(GuardError::WindowedTtl(ttl));
        }
        let (deposit, withdrawal) = if zero { (0, 1) } else { (DEPOSIT, withdrawal(ratio)) };
        let reserve = u128::from(min_per_second) * ttl.as_millis() * u128::from(withdrawal) / 1000;
        let reserve = i64::try_from(reserve).unwrap_or(i64::MAX);
        Ok(Self { deposit, withdrawal, reserve, slot: SlotLength::of::<SLOTS>(ttl) })
    }

    #[expect(clippy::cast_precision_loss, reason = "a reserve is a count of retries and its price")]
    pub(super) fn grants(&self) -> Grants {
        let reserve = self.reserve / i64::from(self.withdrawal);
        let share = self.deposit as f64 / f64::from(self.withdrawal);
        let per_second = reserve as f64 / self.slot.window_secs::<SLOTS>();
        Grants { at_once: u32::try_from(reserve).unwrap_or(u32::MAX), share, failing: share, per_second }
    }

    pub(super) fn call_began(&self, balance: &mut Balance, now: Duration) {
        let slot = balance.current(self.slot, now);
        *slot = slot.saturating_add(self.deposit);
    }

    pub(super) fn withdraw(&self, balance: &mut Balance, now: Duration) -> Option<u32> {
        let sum = balance.live(self.slot, now).iter().fold(self.reserve, |sum, slot| sum.saturating_add(*slot));
        if sum < i64::from(self.withdrawal) {
            return None;
        }
        let slot = balance.current(self.slot, now);
        *slot = slot.saturating_sub(i64::from(self.withdrawal));
        Some(self.withdrawal)
    }
}

/// From 1, at a ratio of 1000, to a million.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to a million")]
fn withdrawal(ratio: f64) -> u32 {
    (1000.0 / ratio).floor() as u32
}

#[cfg(test)]
mod tests {
    use super::{Balance, WindowedBudget};
    use proptest::prelude::*;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);
    const TTL: Duration = Duration::from_secs(10);

    fn grants(rule: &WindowedBudget, balance: &mut Balance, now: Duration) -> u32 {
        (0..100_000).take_while(|_| rule.withdraw(balance, now).is_some()).count().try_into().unwrap()
    }

    /// How many retries a thousand requests at once allow.
    #[track_caller]
    fn check(ratio: f64, min_per_second: u32, expected: u32) {
        let rule = WindowedBudget::new(ratio, min_per_second, TTL).unwrap();
        let mut balance = Balance::default();
        for _ in 0..1000 {
            rule.call_began(&mut balance, SECOND);
        }
        assert_eq!(grants(&rule, &mut balance, SECOND), expected, "{ratio} {min_per_second}");
    }

    #[test]
    fn a_share_of_the_requests_and_the_reserve_of_a_window() {
        check(0.2, 0, 200);
        check(0.2, 10, 300);
        check(0.0, 10, 100);
        check(2.0, 0, 2000);
        check(50.0, 0, 50_000);
        check(0.001, 0, 1);
        // Where a bucket of whole requests to a retry truncates 1/0.4 to 2, and so allows 500 retries.
        check(0.4, 0, 400);
        check(0.3, 0, 300);
    }

    #[test]
    fn a_retry_costs_a_thousand_by_the_ratio() {
        let rule = WindowedBudget::new(0.2, 10, TTL).unwrap();
        assert_eq!(rule.withdraw(&mut Balance::default(), SECOND), Some(5000));
    }

    #[test]
    fn deposits_are_forgotten_after_the_ttl_and_so_are_withdrawals() {
        let rule = WindowedBudget::new(0.5, 1, TTL).unwrap();
        let mut balance = Balance::default();
        for _ in 0..100 {
            rule.call_began(&mut balance, Duration::ZERO);
        }
        assert_eq!(grants(&rule, &mut balance, Duration::ZERO), 60);
        // Ten seconds later deposits and withdrawals are gone, and the reserve is whole again.
        assert_eq!(grants(&rule, &mut balance, TTL), 10);
        assert_eq!(grants(&rule, &mut balance, TTL + SECOND * 9), 0);
        assert_eq!(grants(&rule, &mut balance, TTL * 2), 10);
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_its_rule() {
        let refusal = |ratio, ttl| WindowedBudget::new(ratio, 10, ttl).unwrap_err().to_string();
        assert!(refusal(-0.1, TTL).contains("found -0.1; 0.2 allows one retry for five requests"));
        assert!(refusal(f64::NAN, TTL).contains("0 or from 0.001 to 1000"));
        assert!(refusal(1000.1, TTL).contains("found 1000.1"));
        assert!(refusal(0.2, SECOND / 2).contains("from 1s to 60s, found 500ms"));
        assert!(refusal(0.2, SECOND * 61).contains("found 61s"));
    }

    proptest! {
        #[test]
        fn retries_never_exceed_the_ratio_and_the_reserve_of_every_window_begun(
            ratio in 0.01_f64..10.0, min in 0_u32..20, steps in prop::collection::vec((0_u64..3_000, any::<bool>()), 1..300),
        ) {
            let rule = WindowedBudget::new(ratio, min, TTL).unwrap();
            let mut balance = Balance::default();
            let (mut now, mut requests, mut retries) = (Duration::ZERO, 0_u32, 0_u32);
            for (ms, asks) in steps {
                now += Duration::from_millis(ms);
                if asks {
                    retries += u32::from(rule.withdraw(&mut balance, now).is_some());
                } else {
                    requests += 1;
                    rule.call_began(&mut balance, now);
                }
            }
            // Withdrawals of a window of nine slots are all remembered at its end.
            let windows = now.as_secs_f64() / 9.0 + 1.0;
            // The price is rounded down, which is in the retry's favour by less than one part in a hundred here.
            let most = f64::from(requests) * ratio * windows * 1.01 + f64::from(min) * 10.0 * windows.ceil();
            prop_assert!(f64::from(retries) <= most, "{retries} {most}");
        }

        #[test]
        fn nothing_panics(min in any::<u32>(), times in prop::collection::vec(any::<u64>(), 1..50)) {
            let rule = WindowedBudget::new(0.001, min, TTL * 6).unwrap();
            let mut balance = Balance::default();
            for secs in times {
                rule.call_began(&mut balance, Duration::from_secs(secs));
                let _ = rule.withdraw(&mut balance, Duration::from_secs(secs));
            }
        }
    }
}
