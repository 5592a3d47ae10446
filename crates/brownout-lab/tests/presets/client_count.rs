//! What each client knows by itself, when there are more and more of them.

use brownout_load::LoadResult;
use brownout_scenario::Scenario;

use crate::{amplification, mean, preset, success};

/// The scenario with ten, a hundred and a thousand clients.
fn crowds(error: &str) -> [Scenario; 3] {
    ["10", "100", "1000"].map(|clients| {
        let (clients, error) = (format!("clients  = {clients}"), format!("error = {error} "));
        preset("client-count", &[("clients  = 100", &clients), ("error = 0.25 ", &error)])
    })
}

fn means(crowds: &[Scenario; 3], policy: &str, measure: fn(&LoadResult) -> f64) -> [f64; 3] {
    [0, 1, 2].map(|crowd| mean(&crowds[crowd], policy, measure))
}

#[test]
fn budgets_come_to_plain_retries_and_hasty_breakers_to_none() {
    let crowds = crowds("0.25");
    let [none, retries, budget, hasty] =
        ["none", "retries", "budget", "hasty"].map(|policy| means(&crowds, policy, success));
    assert!(budget[0] + 0.03 < budget[1] && budget[1] + 0.05 < budget[2], "{budget:?}");
    assert!(hasty[0] > hasty[1] + 0.03 && hasty[1] > hasty[2] + 0.05, "{hasty:?}");
    // Few clients hold budgets near to no retries and breakers to plain ones; many, the other way round.
    assert!(budget[0] < none[0] + 0.1 && retries[2] - budget[2] < 0.01, "{budget:?}");
    assert!(retries[0] - hasty[0] < 0.1 && hasty[2] < none[2] + 0.05, "{hasty:?}");
}

/// Ten requests in ten seconds are more than one of a thousand clients makes.
#[test]
fn a_patient_breaker_does_nothing_for_many_clients() {
    let [_, _, thousand] = crowds("0.25");
    assert!(mean(&thousand, "retries", success) - mean(&thousand, "patient", success) < 0.01);
}

#[test]
fn while_everything_fails_all_of_them_hold_back_less_the_more_clients_there_are() {
    let crowds = crowds("1.0");
    for (policy, few, many) in [("budget", 1.05, 1.5), ("hasty", 0.05, 0.5), ("patient", 0.1, 1.5)] {
        let [ten, hundred, thousand] = means(&crowds, policy, amplification);
        assert!(
            ten < few && ten < hundred && hundred < thousand && many < thousand,
            "{policy}: {ten} {hundred} {thousand}"
        );
    }
}
