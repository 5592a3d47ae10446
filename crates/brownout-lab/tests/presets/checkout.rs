//! Three retries keep checkout down, and pay twice.

use brownout_load::LoadResult;

use crate::{amplification, mean, preset, run, success};

fn duplicates(result: &LoadResult) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count for a mean")]
    let duplicates = result.effects[0].duplicates as f64;
    duplicates
}

#[test]
fn checkout_never_comes_back_with_three_retries() {
    let scenario = preset("checkout", &[]);
    for seed in 1..=5 {
        let recovery = run(&scenario, "three-retries", seed).recovery.unwrap();
        assert_eq!(recovery.recovered_after_s, None, "seed {seed}");
        assert!(recovery.goodput_after.unwrap() < 10.0, "seed {seed}: {recovery:?}");
    }
    // Nobody is answered in time, so that calls make all four attempts; those before the outage made one.
    let amplification = mean(&scenario, "three-retries", amplification);
    assert!((3.0..4.0).contains(&amplification), "{amplification}");
}

#[test]
fn checkout_comes_back_without_retries_and_with_a_budget() {
    let scenario = preset("checkout", &[]);
    for policy in ["no-retries", "budget"] {
        for seed in 1..=5 {
            let recovery = run(&scenario, policy, seed).recovery.unwrap();
            assert!(
                recovery.recovered_after_s.is_some_and(|after| after < 10.0),
                "{policy}, seed {seed}: {recovery:?}"
            );
        }
        // Five seconds of ninety are lost, and what waits for them.
        let success = mean(&scenario, policy, success);
        assert!((0.88..85.0 / 90.0).contains(&success), "{policy}: {success}");
    }
}

/// The service does 400 a second to the end, for callers that have left: of what it does for one call, all but the first is done twice.
#[test]
fn checkout_pays_twice_who_tries_again() {
    let scenario = preset("checkout", &[]);
    assert!(mean(&scenario, "no-retries", duplicates) <= 0.0);
    let [budget, retries] = ["budget", "three-retries"].map(|policy| mean(&scenario, policy, duplicates));
    assert!(budget < 0.02 * retries, "{budget} of {retries}");
    // Between a fifth and a half of 26,000 payments: 65 s at 400 a second.
    assert!((5_200.0..13_000.0).contains(&retries), "{retries}");
}

#[test]
fn checkout_is_well_without_its_outage() {
    let quiet = preset("checkout", &[("capacity = 0", "capacity = 1.0")]);
    let success = mean(&quiet, "three-retries", success);
    assert!(success > 0.99, "{success}");
}
