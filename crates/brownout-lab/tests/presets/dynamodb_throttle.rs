//! A spike above what a partition takes, refused by a 400.

use brownout_load::LoadResult;

use crate::{amplification, preset, run, success};

/// The order holds at a spike of 1,500 writes a second, and at one of 2,000.
#[test]
fn little_success_is_bought_with_many_attempts_and_a_long_tail() {
    let p99 = |result: &LoadResult| result.latency_ms.success.p99.unwrap();
    for load in ["load = 1.875", "load = 2.5"] {
        let scenario = preset("dynamodb-throttle", &[("load = 1.875", load)]);
        for seed in 1..=3 {
            let [none, new, legacy] = ["none", "aws-2026", "legacy"].map(|policy| run(&scenario, policy, seed));
            let seen = format!("{load}, seed {seed}: {:?}", [&none, &new, &legacy].map(|run| (success(run), p99(run))));
            assert_eq!(none.amplification, Some(1.0));
            assert!((1.05..1.3).contains(&amplification(&new)), "{seen}");
            assert!(amplification(&legacy) > 3.0, "{seen}");
            assert!((0.0..0.01).contains(&(success(&new) - success(&none))), "{seen}");
            assert!((0.01..0.03).contains(&(success(&legacy) - success(&new))), "{seen}");
            assert!(p99(&new) > 20.0 * p99(&none) && p99(&legacy) > 5.0 * p99(&new), "{seen}");
            assert_eq!(legacy.by_status.keys().copied().collect::<Vec<_>>(), [200, 400]);
        }
    }
}

/// Whoever reads statuses alone takes a throttle for a mistake of his own.
#[test]
fn a_client_that_reads_statuses_alone_retries_nothing() {
    let scenario = preset("dynamodb-throttle", &[]);
    assert_eq!(run(&scenario, "retry-3-jitter", 1).amplification, Some(1.0));
}
