use super::{Comparison, Expected};
use brownout_draw::Seed;
use brownout_policy::{Policy, preset};
use brownout_scenario::Scenario;
use brownout_service::Request;
use brownout_sim::Limits;

/// A service at 80 % of what it can do, stopped for two seconds: 4 workers, 20 ms each, 160 calls a second.
const STORM: &str = r#"
    [service.capacity]
    workers = 4
    service_time = { exponential = "20ms" }
    queue = { length = 160 }
    [[phases]]
    name = "stop"
    from = "5s"
    for = "2s"
    capacity = 0
    [load]
    arrivals = { poisson = "160/s" }
    duration = "25s"
    clients = 100
    [policy]
    attempt_timeout = "200ms"
    [expect]
    recovery = "<= 15s"
"#;

fn comparison<'c>(scenario: &'c Scenario, policies: &[&str], seeds: u32) -> Comparison<'c> {
    let base = scenario.policy.clone().unwrap();
    let policy = |name: &&str| {
        let settings = preset(name).unwrap().over(base.clone());
        ((*name).to_owned(), Policy::new(settings).unwrap())
    };
    Comparison {
        service: &scenario.service,
        graph: &scenario.graph,
        load: &scenario.load,
        request: Request { method: "GET", path: "/" },
        arms: policies.iter().map(policy).collect(),
        seed: Seed(1),
        seeds,
        limits: Limits::default(),
        expect: &scenario.expect,
    }
}

#[test]
fn a_storm_goes_on_without_a_budget_and_ends_with_one() {
    let scenario = Scenario::parse("storm.toml", STORM).unwrap();
    let comparison = comparison(&scenario, &["none", "retry-3-jitter", "budget-10"], 6);
    let runs: Vec<_> = (0..comparison.runs()).map(|index| comparison.run(index)).collect();
    let compared = comparison.gather(&runs);
    let never: Vec<_> = compared.policies.iter().map(|arm| arm.recovery_s.as_ref().unwrap().never).collect();
    assert_eq!(never, [0, 6, 0], "{compared:#?}");
    let [none, storm, budget] = &compared.policies[..] else { panic!() };
    assert!(storm.amplification.unwrap().mean > 2.0 && budget.amplification.unwrap().mean < 1.4);
    assert!(storm.goodput_after.unwrap().mean < none.goodput_after.unwrap().mean / 2.0);
    assert!(storm.wasted_share.unwrap().mean > 0.3);
    assert!(none.difference.is_none() && storm.difference.unwrap().success_rate.unwrap().mean < -0.3);
    let expected = |met, missed| Some(Expected { met, missed, not_enough_data: 0 });
    assert_eq!([none, storm, budget].map(|arm| arm.expected), [expected(6, 0), expected(0, 6), expected(6, 0)]);
    assert!(budget.budget_denied.unwrap().mean > 0.0 && none.budget_denied.unwrap().mean <= 0.0);
}

#[test]
fn runs_are_gathered_by_their_number_and_not_by_their_time() {
    let scenario = Scenario::parse("storm.toml", STORM).unwrap();
    let comparison = comparison(&scenario, &["none", "retry-1"], 3);
    let forward: Vec<_> = (0..comparison.runs()).map(|index| comparison.run(index)).collect();
    let mut backward: Vec<_> = (0..comparison.runs()).rev().map(|index| comparison.run(index)).collect();
    backward.reverse();
    assert_eq!(comparison.gather(&forward), comparison.gather(&backward));
    assert_ne!(forward[0], forward[1], "each replica has its own luck");
}
