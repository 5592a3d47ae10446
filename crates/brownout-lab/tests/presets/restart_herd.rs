//! Clients that all start at once.

use crate::{preset, run};

#[test]
fn a_restart_herd_never_gets_up_by_fixed_retries_and_does_by_longer_ones() {
    let scenario = preset("restart-herd", &[]);
    let hour = 3600.0;
    let fixed = run(&scenario, "fixed", 1);
    assert!(fixed.success_rate.unwrap() < 0.5, "only a small part within the hour");
    let up: Vec<(f64, f64)> = ["exponential", "full-jitter", "long-jitter"]
        .map(|policy| run(&scenario, policy, 1))
        .map(|result| (result.duration_s, result.amplification.unwrap()))
        .to_vec();
    for (seconds, amplification) in &up {
        assert!((60.0..hour / 4.0).contains(seconds), "minutes: {up:?}");
        assert!(*amplification < fixed.amplification.unwrap() / 10.0, "{up:?}");
    }
    assert!(up[1].0 > up[0].0 / 2.0, "jitter is no faster: {up:?}");
}

/// Google Cloud, 12 June 2025: small regions were back at once, the largest after hours.
#[test]
fn a_restart_herd_takes_longer_the_larger_it_is() {
    let herd =
        |clients: &str| run(&preset("restart-herd", &[("5_000", clients), ("5_000", clients)]), "full-jitter", 1);
    let (small, middle, large) = (herd("1_000"), herd("5_000"), herd("10_000"));
    assert!(small.success_rate == Some(1.0) && small.duration_s < 60.0, "{}", small.duration_s);
    assert!(middle.success_rate == Some(1.0) && middle.duration_s > 10.0 * small.duration_s, "{}", middle.duration_s);
    assert!(large.success_rate.unwrap() < 0.5, "within the hour");
}

#[test]
fn a_restart_herd_that_is_spread_or_turned_away_is_up_in_seconds() {
    let closed = "{ closed = { clients = 5_000 } }";
    let spread = run(&preset("restart-herd", &[(closed, "{ constant = \"250/s\" }")]), "fixed", 1);
    assert_eq!(spread.amplification, Some(1.0));
    assert!(spread.duration_s < 30.0, "{}", spread.duration_s);
    let shedding = run(&preset("restart-herd", &[("length = \"unbounded\"", "length = 300")]), "fixed", 1);
    assert_eq!(shedding.success_rate, Some(1.0));
    assert!(shedding.duration_s < 60.0, "{}", shedding.duration_s);
}
