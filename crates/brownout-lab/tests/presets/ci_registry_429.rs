//! Downloads against a window of a minute.

use brownout_lab::lint::{Finding, Rule, Subject, lint};
use brownout_scenario::Scenario;

use crate::{preset, run, success};

#[test]
fn fixed_retries_fail_and_doubling_ones_pass() {
    let scenario = preset("ci-registry-429", &[]);
    for seed in 1..=5 {
        let fixed = run(&scenario, "fixed", seed);
        assert!(success(&fixed) < 0.88, "seed {seed}: {}", success(&fixed));
        for phase in ["batch", "long blip"] {
            let phase = fixed.phases.iter().find(|found| found.name == phase).unwrap();
            assert!(phase.succeeded * 10 < phase.calls * 7, "seed {seed}: {phase:?}");
        }
        let short = fixed.phases.iter().find(|found| found.name == "short blip").unwrap();
        assert!(short.succeeded * 20 > short.calls * 19, "seed {seed}: {short:?}");
        let doubling = run(&scenario, "doubling", seed);
        assert!(success(&doubling) > 0.998, "seed {seed}: {}", success(&doubling));
        // Half as long on the mean.
        let jittered = success(&run(&scenario, "jittered", seed));
        assert!((0.97..0.998).contains(&jittered), "seed {seed}: {jittered}");
        // What passes meets as much of everything.
        assert!([429, 500, 503].iter().all(|status| doubling.by_status[status] > 0), "{:?}", doubling.by_status);
    }
}

fn horizons(scenario: &Scenario, policy: &str) -> Vec<Finding> {
    let settings = scenario.named_policy(policy).unwrap();
    let subject =
        Subject { service: Some(&scenario.service), load: Some(&scenario.load), graph: None, settings: &settings };
    let mut findings = lint(&subject);
    findings.retain(|finding| matches!(finding.rule, Rule::HorizonShorterThanLimit | Rule::HorizonShorterThanOutage));
    findings
}

#[test]
fn a_check_says_so_without_a_run() {
    let scenario = preset("ci-registry-429", &[]);
    let fixed = horizons(&scenario, "fixed");
    let says = |rule, parts: [&str; 2]| {
        let finding = fixed.iter().find(|finding| finding.rule == rule).unwrap();
        assert!(parts.iter().all(|part| finding.what.contains(part)), "{}", finding.what);
    };
    says(Rule::HorizonShorterThanLimit, ["over after 25s", "`per address` lasts 60s"]);
    says(Rule::HorizonShorterThanOutage, ["after 25s at the most", "`long blip` lasts 90s"]);
    assert_eq!(fixed.len(), 2, "the short blip is outlasted: {fixed:?}");
    assert_eq!(horizons(&scenario, "doubling"), []);
}
