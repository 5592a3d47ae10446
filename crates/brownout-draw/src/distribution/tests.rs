//! Every distribution against its closed form: the bounds are five standard errors of the statistic, so a right
//! sampler fails one check in a few million seeds and a wrong one fails nearly always.

use super::{Distribution, DistributionError};
use crate::{Percentiles, Probability, Seed, Stream, draw};
use proptest::prelude::*;
use std::time::Duration;

const DRAWS: u32 = 200_000;
const MS: fn(u64) -> Duration = Duration::from_millis;

/// Samples in seconds, sorted.
fn samples(distribution: &Distribution, seed: u64) -> Vec<f64> {
    let sample = |key| distribution.sample(draw(Seed(seed), Stream::LATENCY, u64::from(key), 1)).as_secs_f64();
    let mut samples: Vec<f64> = (0..DRAWS).map(sample).collect();
    samples.sort_by(f64::total_cmp);
    samples
}

/// Holds the sample mean and the share of samples below each quantile to their closed forms.
///
/// The share below the q quantile has standard deviation sqrt(q(1-q)/n), whatever the distribution.
#[track_caller]
fn check(distribution: &Distribution, mean: f64, deviation: f64, quantiles: &[(f64, f64)]) {
    let n = f64::from(DRAWS);
    for seed in [1, 42] {
        let samples = samples(distribution, seed);
        let found = samples.iter().sum::<f64>() / n;
        assert!((found - mean).abs() <= 5.0 * deviation / n.sqrt() + 1e-9, "mean {found}, expected {mean}");
        for &(q, value) in quantiles {
            let below = u32::try_from(samples.partition_point(|sample| *sample < value)).unwrap();
            let share = f64::from(below) / n;
            assert!((share - q).abs() <= 5.0 * (q * (1.0 - q) / n).sqrt(), "{share} below the {q} quantile {value}");
        }
    }
}

#[test]
fn fixed() {
    let latency = Distribution::fixed(MS(40));
    check(&latency, 0.040, 0.0, &[]);
    assert_eq!(latency.longest(), MS(40));
}

#[test]
fn uniform() {
    let latency = Distribution::uniform(MS(10), MS(500)).unwrap();
    check(&latency, 0.255, 0.490 / 12_f64.sqrt(), &[(0.1, 0.059), (0.5, 0.255), (0.99, 0.4951)]);
    assert_eq!(latency.longest(), MS(500));
    assert_eq!(latency.sample(0), MS(10));
    assert!(latency.sample(u64::MAX) < MS(500));
}

#[test]
fn exponential() {
    let latency = Distribution::exponential(MS(20), None).unwrap();
    let quantile = |q: f64| (q, -0.020 * (1.0 - q).ln());
    check(&latency, 0.020, 0.020, &[quantile(0.01), quantile(0.5), quantile(0.9), quantile(0.999)]);
    let far = latency.longest().as_secs_f64();
    assert!((far - 0.020 * 10_000_f64.ln()).abs() < 1e-6, "the 99.99th percentile, found {far}");
}

#[test]
fn a_capped_exponential_is_the_conditional_distribution() {
    let (mean, max) = (0.020_f64, 0.050_f64);
    let latency = Distribution::exponential(MS(20), Some(MS(50))).unwrap();
    let below = 1.0 - (-max / mean).exp();
    let quantile = |q: f64| (q, -mean * (1.0 - q * below).ln());
    // E[X | X < m] = mean - m · e^(-m/mean) / (1 - e^(-m/mean)).
    let expected = mean - max * (1.0 - below) / below;
    check(&latency, expected, 0.014, &[quantile(0.1), quantile(0.5), quantile(0.99)]);
    let samples = samples(&latency, 3);
    assert!(samples.last().is_some_and(|last| *last <= max));
    assert!(samples.iter().filter(|sample| **sample > max * 0.9999).count() < 20, "mass piled up on the cap");
    assert_eq!(latency.longest(), MS(50));
}

#[test]
fn lognormal() {
    let latency = Distribution::lognormal_with_p99(MS(40), MS(400), None).unwrap();
    let sigma = 10_f64.ln() / 2.326_347_874_040_841;
    let mean = 0.040 * (sigma * sigma / 2.0).exp();
    let deviation = mean * ((sigma * sigma).exp() - 1.0).sqrt();
    let p90 = 0.040 * (sigma * 1.281_551_565_544_600_4).exp();
    check(&latency, mean, deviation, &[(0.1, 0.0016 / p90), (0.5, 0.040), (0.9, p90), (0.99, 0.400)]);

    let same = Distribution::lognormal_with_sigma(MS(40), sigma, None).unwrap();
    assert!(same.sample(1 << 60).abs_diff(latency.sample(1 << 60)) < Duration::from_nanos(10));
}

#[test]
fn a_capped_lognormal_keeps_the_shape_below_its_cap() {
    let latency = Distribution::lognormal_with_p99(MS(40), MS(400), Some(MS(400))).unwrap();
    let samples = samples(&latency, 7);
    // Half of 99 % of the mass lies below the old 49.5th percentile.
    let sigma = 10_f64.ln() / 2.326_347_874_040_841;
    let middle = 0.040 * (sigma * -0.012_533_469_508_069_276).exp();
    let share = samples.partition_point(|sample| *sample < middle);
    assert!(share.abs_diff(100_000) < 1_120, "{share}");
    assert!(samples.last().is_some_and(|last| *last <= 0.400));
}

#[test]
fn percentiles() {
    let point = |p: &str, ms| (p.parse::<Probability>().unwrap(), MS(ms));
    let points = [point("50%", 120), point("90%", 300), point("99%", 2000)];
    let latency = Distribution::percentiles(Percentiles::new(points).unwrap());
    // Each straight piece contributes its weight times its middle.
    let mean = 0.5 * 0.060 + 0.4 * 0.210 + 0.09 * 1.150 + 0.01 * 2.0;
    check(&latency, mean, 0.4, &[(0.25, 0.060), (0.5, 0.120), (0.7, 0.210), (0.9, 0.300), (0.945, 1.150)]);
    assert_eq!(latency.longest(), MS(2000));
}

#[test]
fn a_mix_shares_its_draws_out_by_weight() {
    let fast = Distribution::uniform(MS(10), MS(20)).unwrap();
    let slow = Distribution::exponential(MS(1000), None).unwrap();
    let latency = Distribution::mix([(9, fast), (1, slow)]).unwrap();
    // The slow part crosses 20 ms with probability e^(-0.02).
    let below_20 = 0.9 + 0.1 * (1.0 - (-0.020_f64).exp());
    check(&latency, 0.9 * 0.015 + 0.1, 0.45, &[(below_20, 0.020)]);
    assert_eq!(
        Distribution::mix([(1, Distribution::fixed(MS(1))), (0, Distribution::fixed(MS(9)))]).unwrap().longest(),
        MS(1)
    );
}

#[test]
fn same_seed_same_samples_and_another_seed_others() {
    let latency = Distribution::lognormal_with_p99(MS(40), MS(400), None).unwrap();
    assert_eq!(samples(&latency, 42), samples(&latency, 42));
    assert_ne!(samples(&latency, 42), samples(&latency, 43));
}

/// Pins the bits: a change of `libm`, of the algorithm or of a rounding would show here on any platform.
///
/// Closed forms at u = 1/2, 15/16 and 3/4: ln 2, ln 16, and exp of the tabulated normal quantile 0.674490.
#[test]
fn samples_are_bit_identical_everywhere() {
    let draw = 0x8000_0000_0000_0000;
    let exponential = Distribution::exponential(MS(1000), None).unwrap();
    assert_eq!(exponential.sample(draw), Duration::from_nanos(693_147_181));
    assert_eq!(exponential.sample(0xF000_0000_0000_0000), Duration::from_nanos(2_772_588_722));
    let lognormal = Distribution::lognormal_with_sigma(MS(1000), 1.0, None).unwrap();
    assert_eq!(lognormal.sample(draw), Duration::from_secs(1));
    assert_eq!(lognormal.sample(0xC000_0000_0000_0000), Duration::from_nanos(1_963_031_084));
}

#[test]
fn what_makes_no_distribution_is_refused() {
    let refusal = |result: Result<Distribution, DistributionError>| result.unwrap_err().to_string();
    assert!(refusal(Distribution::uniform(MS(9), MS(8))).contains("min (9ms) is above max (8ms)"));
    assert!(refusal(Distribution::exponential(Duration::ZERO, None)).contains("longer than zero"));
    assert!(refusal(Distribution::lognormal_with_p99(MS(9), MS(9), None)).contains("above the median"));
    assert!(refusal(Distribution::lognormal_with_sigma(MS(9), f64::NAN, None)).contains("found NaN"));
    assert!(refusal(Distribution::exponential(MS(10), Some(MS(5)))).contains("raise it above 6.9"));
    assert!(refusal(Distribution::mix([])).contains("at least one part"));
}

proptest! {
    #[test]
    fn no_draw_panics_and_no_sample_passes_the_cap(draw in any::<u64>(), median in 1_u64..1 << 40, sigma in 0.01_f64..10.0) {
        let median = Duration::from_nanos(median);
        let max = median * 3;
        let capped = Distribution::lognormal_with_sigma(median, sigma, Some(max)).unwrap();
        prop_assert!(capped.sample(draw) <= max);
        let _ = Distribution::exponential(median, None).unwrap().sample(draw);
    }

    #[test]
    fn a_larger_draw_never_gives_a_shorter_sample(one in any::<u64>(), other in any::<u64>()) {
        let latency = Distribution::lognormal_with_p99(MS(40), MS(400), None).unwrap();
        prop_assert!(latency.sample(one.min(other)) <= latency.sample(one.max(other)));
    }
}
