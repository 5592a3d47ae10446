//! The services that `rehearse` puts before a command, met by a policy.

use brownout_load::LoadResult;
use brownout_policy::{Pushback, Settings};

use crate::{preset, run_with};

fn runs(name: &str, retries: u32) -> Vec<LoadResult> {
    let scenario = preset(name, &[]);
    let own = scenario.policy.clone().unwrap();
    let settings = Settings { max_retries: Some(retries), ..own };
    (1..=5).map(|seed| run_with(&scenario, settings.clone(), seed)).collect()
}

#[test]
fn always_503_lets_nobody_through() {
    for result in runs("always-503", 3) {
        assert_eq!((result.amplification, result.success_rate), (Some(4.0), Some(0.0)));
        assert_eq!(result.by_status.keys().collect::<Vec<_>>(), [&503]);
    }
}

/// Of five retries one in a hundred and sixty calls fails: 0.4 to the sixth power is 0.4 %.
#[test]
fn flaky_lets_through_who_tries_again() {
    for result in runs("flaky", 5) {
        assert!(result.success_rate.unwrap() > 0.985, "{result:?}");
        // 1 / 0.6 is 1.67.
        assert!((1.55..1.8).contains(&result.amplification.unwrap()), "{result:?}");
    }
    for result in runs("flaky", 0) {
        assert!((0.55..0.65).contains(&result.success_rate.unwrap()), "{result:?}");
    }
}

#[test]
fn rate_limited_lets_through_who_waits_as_told() {
    for result in runs("rate-limited", 3) {
        assert_eq!((result.success_rate, result.by_status.get(&429)), (Some(1.0), Some(&3)));
    }
    let scenario = preset("rate-limited", &[]);
    let deaf = Settings { retry_after: Some(Pushback::Ignore), ..scenario.policy.clone().unwrap() };
    assert!(run_with(&scenario, deaf, 1).success_rate.unwrap() < 1.0);
}

#[test]
fn llm_overload_answers_529_and_429_and_ends() {
    for result in runs("llm-overload", 8) {
        assert!(result.by_status.contains_key(&529), "{result:?}");
        assert!(result.success_rate.unwrap() > 0.9, "{result:?}");
    }
}

#[test]
fn lost_reply_pays_twice_for_one_key() {
    for result in runs("lost-reply", 3) {
        let payment = &result.effects[0];
        assert!(payment.duplicates > 50 && payment.unkeyed == 0, "{payment:?}");
    }
    assert!(runs("lost-reply", 0).iter().all(|result| result.effects[0].duplicates == 0));
}
