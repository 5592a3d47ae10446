use super::{Check, Study, Suite};
use brownout_draw::Seed;

/// The suite itself is run by the program; here, that a study can fail.
#[test]
fn a_wrong_expectation_fails_and_a_right_one_passes() {
    let study = |expected| {
        let text = "[service]\noutcomes = { error = 0.5 }\n[load]\ncount = 2000\n";
        let success = |result: &brownout_load::LoadResult| result.success_rate.unwrap();
        Study::new("half", "a coin", text, vec![Check::new("success", expected, 0.1, success)])
    };
    let passed = |study: &Study| {
        let samples: Vec<_> = (0..16).map(|seed| study.run(Seed(seed))).collect();
        study.rows(&samples).next().unwrap().passed
    };
    assert!(passed(&study(0.5)));
    assert!(!passed(&study(0.53)));
    // An interval that is too wide tells nothing, wherever it lies.
    let vague = Study { checks: vec![Check::new("success", 0.5, 1e-6, |r| r.success_rate.unwrap())], ..study(0.5) };
    assert!(!passed(&vague));
}

#[test]
fn every_study_is_a_scenario_and_the_runs_are_counted() {
    let suite = Suite::new(Seed(1));
    assert_eq!(suite.runs(), suite.studies.len() * 16);
    assert!(suite.studies.iter().all(|study| !study.checks.is_empty() && !study.source.is_empty()));
}
