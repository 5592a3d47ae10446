//! What is kept of each interval agrees with what is counted otherwise.

use brownout_draw::Seed;
use brownout_load::LoadResult;
use brownout_policy::{Budget, DepositOn, Guarded, Policy, Scope, Settings, TokenBudget};
use brownout_service::Request;

use super::{at_once, capacity, open, run, service};
use crate::World;

/// Everything fails; four retries and no more, for all clients together.
fn budgeted(details: bool) -> LoadResult {
    let rule = Budget::Tokens(TokenBudget::new(4.0, 0.1, DepositOn::Success).unwrap());
    let budget = Some(Guarded { rule, scope: Scope::Fleet, counts: None });
    let policy = Policy::new(Settings { max_retries: Some(1), budget, ..Settings::default() }).unwrap();
    let service = service(None, "100%", at_once(), vec![]);
    let world = World::new(&service, &policy, Seed(1)).with_details(details);
    world.load(&Request { method: "GET", path: "/" }, &open(0.75, 12))
}

#[test]
fn a_budget_has_left_what_calls_have_not_taken() {
    let result = budgeted(true);
    let guards = result.guards.unwrap();
    let mut begun = 0;
    let mut left = result.per_interval.calls.iter().map(|calls| {
        begun += calls;
        4_u64.saturating_sub(begun) as f64
    });
    assert!(
        guards.budget_left.len() > 6 && guards.budget_left.iter().all(|found| left.next() == Some(*found)),
        "{guards:?}"
    );
    assert!(guards.breakers_open.is_empty());
    assert_eq!(budgeted(false).guards, None);
}

#[test]
fn intervals_of_a_queue_come_to_its_means() {
    let result = run(&service(Some(capacity()), "0%", at_once(), vec![]), Settings::default(), &open(40.0, 20));
    let capacity = result.capacity.unwrap();
    let series = capacity.per_interval.unwrap();
    // The last interval is as long as it lasted.
    let length = |place: usize| (result.duration_s - place as f64).min(1.0);
    let mean = |levels: &[f64]| {
        levels.iter().enumerate().map(|(place, level)| level * length(place)).sum::<f64>() / result.duration_s
    };
    for (levels, whole) in [(&series.waiting, capacity.waiting_mean), (&series.busy, capacity.busy_mean)] {
        assert!((mean(levels) - whole).abs() < 1e-3, "{} and {whole}", mean(levels));
    }
    assert!(series.workers.iter().all(|workers| (workers - 2.0).abs() < 1e-9));
}
