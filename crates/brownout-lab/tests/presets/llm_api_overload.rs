//! Callers that share the limits of one key.

use brownout_load::LoadResult;

use crate::{amplification, mean, preset, run};

const CAP: (&str, &str) = ("clients = 16", "clients = 5");

#[test]
fn two_layers_multiply_the_refusals_and_one_with_a_cap_does_not() {
    let (crowd, capped) = (preset("llm-api-overload", &[]), preset("llm-api-overload", &[CAP]));
    for seed in 1..=5 {
        let both = run(&crowd, "two-layers", seed);
        assert!(amplification(&both) > 4.0, "{both:?}");
        let one = run(&capped, "one-layer", seed);
        assert!(amplification(&one) < 2.0, "{one:?}");
        // Attempts are what is wasted: so many more of each success.
        let wasted = |result: &LoadResult| result.attempts.total as f64 / result.calls.succeeded as f64 - 1.0;
        assert!(wasted(&both) > 6.0 && wasted(&one) < 2.0, "{} and {}", wasted(&both), wasted(&one));
        assert!(both.by_status.contains_key(&429) && both.by_status.contains_key(&503));
    }
    let limits = run(&crowd, "two-layers", 1).limits.unwrap().limits;
    let refused = |name: &str| limits.iter().find(|limit| limit.name == name).unwrap().refused;
    assert!(refused("input tokens") > refused("output tokens"), "{limits:?}");
    assert!(refused("output tokens") > refused("requests"), "{limits:?}");
}

#[test]
fn the_cap_alone_does_as_much_as_one_layer_less() {
    let (crowd, capped) = (preset("llm-api-overload", &[]), preset("llm-api-overload", &[CAP]));
    let attempts = |scenario, policy| mean(scenario, policy, amplification);
    let alone = [attempts(&capped, "two-layers"), attempts(&crowd, "one-layer")];
    assert!(alone.iter().all(|attempts| (2.0..3.0).contains(attempts)), "{alone:?}");
}

/// The crowd ends more calls only by their choice: where a long prompt is refused, a short one slips in.
#[test]
fn of_prompts_of_one_length_five_callers_do_as_many_as_sixteen() {
    let alike = [
        ("{ lognormal = { median = 1200, p99 = 6000 } }", "1520"),
        ("{ lognormal = { median = 240, p99 = 1000 } }", "292"),
        ("intake = 0.3", "intake = 1.0"),
        ("intake = 0.6", "intake = 1.0"),
    ];
    let goodput = |changes: &[(&str, &str)]| {
        mean(&preset("llm-api-overload", changes), "one-layer", |result| result.goodput_per_second.unwrap())
    };
    let (crowd, capped) = (goodput(&alike), goodput(&[&alike[..], &[CAP]].concat()));
    assert!((crowd / capped - 1.0).abs() < 0.02, "{crowd} and {capped}");
    assert!(goodput(&[]) > 1.2 * goodput(&[CAP]));
}
