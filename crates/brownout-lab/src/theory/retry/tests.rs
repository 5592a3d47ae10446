use proptest::prelude::*;

use super::super::{assert_near, check};
use super::*;

#[test]
fn printed_amplifications() {
    let failures = [0.01, 0.1, 0.3, 0.5, 0.75, 0.9, 1.0];
    for (attempts, printed) in [
        (2, ["1.01", "1.1", "1.3", "1.5", "1.75", "1.9", "2"]),
        (3, ["1.0101", "1.11", "1.39", "1.75", "2.3125", "2.71", "3"]),
        (4, ["1.010101", "1.111", "1.417", "1.875", "2.734375", "3.439", "4"]),
        (10, ["1.010101", "1.111111", "1.428563", "1.998047", "3.774746", "6.513216", "10"]),
    ] {
        for (failure, printed) in failures.into_iter().zip(printed) {
            check(amplification(failure, attempts), printed);
        }
    }
    let printed = ["0.99999999", "0.9999", "0.9919", "0.9375", "0.683594", "0.3439", "0"];
    for (failure, printed) in failures.into_iter().zip(printed) {
        check(success(failure, 4), printed);
    }
}

#[test]
fn printed_loads_of_three_retries() {
    for (failure, works, load) in [
        (0.1, "0.9999", "1.111"),
        (0.3, "0.9919", "1.417"),
        (0.5, "0.9375", "1.875"),
        (0.75, "0.6836", "2.734"),
        (0.9, "0.3439", "3.439"),
        (1.0, "0", "4"),
    ] {
        check(success(failure, 4), works);
        check(amplification(failure, 4), load);
    }
}

#[test]
fn printed_tiers() {
    check(leaf_attempts(1.0, &[4; 3]), "64");
    check(leaf_attempts(1.0, &[3; 5]), "243");
    for (failure, printed) in [(0.5, "1.99997"), (0.7, "3.32226"), (0.9, "8.14698")] {
        check(leaf_attempts(failure, &[4, 4]), printed);
        check(amplification(failure, 16), printed);
    }
    check(leaf_attempts(0.5, &[]), "1");
}

#[test]
fn printed_budgets() {
    let load = budget_per_request(0.5, 4, 0.2);
    check(load, "1.2");
    check(load * 0.5, "0.6");
    // Three attempts, all failing, under a client budget of a tenth.
    check(budget_per_request(1.0, 3, 0.1), "1.1");
    check(budget_per_request(0.01, 4, 0.2), "1.010101");
    check(budget_per_success(1.0, 4, 0.2), "1");
    check(budget_per_success(0.5, 4, 0.2), "1.111111");
    check(budget_per_success(0.01, 4, 0.2), "1.010101");
    check(budget_per_success(0.0, 4, 2.0), "1");
}

/// The fixed point of the budget that successes fill, put into its own equation.
#[test]
fn retries_per_call_are_what_successes_pay_for() {
    for (failure, share) in [(0.5, 0.2), (0.9, 0.1), (0.6, 1.0)] {
        let extra = budget_per_success(failure, 100, share) - 1.0;
        assert_near(extra, share * (1.0 + extra) * (1.0 - failure), 1e-12);
    }
}

#[test]
fn amplification_is_smooth_up_to_a_total_outage() {
    assert_near(amplification(1.0 - 1e-12, 4), 4.0, 1e-11);
    check(amplification(0.0, 4), "1");
    check(success(0.0, 0), "0");
}

/// Retries of a client in a total outage, token by token. Tokens are counted in eighths, so that sums are exact.
fn retries_by_hand(share: u32, bucket: u32, calls: u32, retries: u32) -> u32 {
    let mut tokens = bucket;
    let mut made = 0;
    for _ in 0..calls {
        tokens = (tokens + share).min(bucket);
        let now = retries.min(tokens / 8);
        tokens -= now * 8;
        made += now;
    }
    made
}

proptest! {
    #[test]
    fn a_full_bucket_stays_within_its_bounds(
        share in 0_u32..=8, spare in 0_u32..200, calls in 1_u32..200, retries in 1_u32..12,
    ) {
        let bucket = 8 + share + spare;
        let (low, high) = full_bucket(f64::from(share) / 8.0, f64::from(bucket) / 8.0, calls, retries);
        let made = 1.0 + f64::from(retries_by_hand(share, bucket, calls, retries)) / f64::from(calls);
        prop_assert!(low <= made + 1e-12 && made <= high + 1e-12, "{low} {made} {high}");
    }

    #[test]
    fn success_is_load_times_the_chance_of_an_attempt(failure in 0.0_f64..=1.0, attempts in 1_u32..100) {
        let (load, works) = (amplification(failure, attempts), success(failure, attempts));
        prop_assert!((works - load * (1.0 - failure)).abs() < 1e-12);
        prop_assert!(1.0 - 1e-12 <= load && load <= f64::from(attempts) + 1e-9);
        prop_assert!(budget_per_success(failure, attempts, 0.3) <= load);
    }
}
