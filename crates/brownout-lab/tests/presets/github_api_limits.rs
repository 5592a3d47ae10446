//! Limits that refuse by 403, and do not always say for how long.

use brownout_load::LoadResult;
use brownout_scenario::Scenario;

use crate::{amplification, preset, run, success};

const CLIENTS: [&str; 3] = ["knows-429", "reads-retry-after", "waits-a-minute"];

fn runs(scenario: &Scenario, seed: u64) -> [LoadResult; 3] {
    CLIENTS.map(|policy| run(scenario, policy, seed))
}

#[test]
fn who_knows_429_alone_fails_and_who_waits_a_minute_gets_through() {
    let scenario = preset("github-api-limits", &[]);
    for seed in 1..=5 {
        let [knows_429, reads, waits] = runs(&scenario, seed);
        // The 80 of the first minute, and not one of its 403s is tried again.
        assert_eq!((knows_429.calls.succeeded, knows_429.amplification), (80, Some(1.0)), "seed {seed}");
        assert_eq!((success(&reads), success(&waits)), (1.0, 1.0), "seed {seed}");
        assert!(amplification(&reads) > 4.0 && amplification(&waits) < 1.2, "seed {seed}");
        // The hammering gains nothing: both are done when the third minute begins.
        assert!((reads.duration_s - waits.duration_s).abs() < 10.0, "{} and {}", reads.duration_s, waits.duration_s);
    }
}

#[test]
fn a_limit_that_answers_429_and_says_when_to_come_back_lets_all_of_them_through() {
    let reads = ("POST /repos/us/ours/issues", "GET /repos/us/ours/issues");
    let scenario = preset("github-api-limits", &[reads, ("count    = 240", "count = 2_000")]);
    for seed in 1..=3 {
        for (result, policy) in runs(&scenario, seed).iter().zip(CLIENTS) {
            assert_eq!(result.success_rate, Some(1.0), "{policy}");
            assert!(amplification(result) < 1.1, "{policy}");
            assert!(result.by_status[&429] > 0 && !result.by_status.contains_key(&403), "{policy}");
        }
    }
}

#[test]
fn each_of_the_other_limits_refuses_who_asks_for_more() {
    let refused = |changes: &[(&str, &str)], name: &str| {
        let result = run(&preset("github-api-limits", changes), "waits-a-minute", 1);
        result.limits.unwrap().limits.iter().find(|limit| limit.name == name).unwrap().refused
    };
    let reads = ("POST /repos/us/ours/issues", "GET /repos/us/ours/issues");
    assert!(refused(&[reads, ("clients = 8", "clients = 150")], "at once") > 0);
    assert!(refused(&[reads, ("count    = 240", "count = 5_100")], "hour") > 0);
    assert!(refused(&[("count    = 240", "count = 520")], "content an hour") > 0);
}
