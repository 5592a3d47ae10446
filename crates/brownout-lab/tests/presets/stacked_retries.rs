//! Retries around retries.

use crate::{preset, run, run_with};

#[test]
fn stacked_retries_multiply_and_budgets_at_both_layers_bring_them_down() {
    let scenario = preset("stacked-retries", &[]);
    for (policy, attempts) in [("sdk", 3.0), ("in-framework", 12.0), ("in-job-queue", 36.0)] {
        assert_eq!(run(&scenario, policy, 1).amplification, Some(attempts), "{policy}");
    }
    let budgeted = run(&scenario, "budgeted", 1).amplification.unwrap();
    assert!((budgeted - 1.21).abs() < 0.02, "{budgeted}");
    // What the file runs by itself is the SDK inside the framework.
    assert_eq!(run_with(&scenario, scenario.policy.clone().unwrap(), 1).amplification, Some(12.0));
}
