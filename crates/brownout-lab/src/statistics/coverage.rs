//! Intervals hold the truth as often as their level says.

use brownout_draw::{Seed, Stream, draw, normal_quantile};

use super::{batch_means, mean_interval, median_with_interval, two_sided_z, wilson};

const REPEATS: u64 = 2000;

/// Standard normal noise.
pub(super) fn noise(seed: u64, length: u32) -> Vec<f64> {
    (0..length).map(|step| normal_quantile(uniform(seed, step))).collect()
}

fn uniform(seed: u64, step: u32) -> f64 {
    ((draw(Seed(seed), Stream::named("noise"), 0, step) >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

/// Of 2000 intervals at 95 %, 1900 hold the truth, give or take four standard deviations of 9.7.
fn assert_covers(holds: impl Fn(u64) -> bool, least: usize, most: usize) {
    let held = (0..REPEATS).filter(|seed| holds(*seed)).count();
    assert!((least..=most).contains(&held), "{held} of {REPEATS}");
}

#[test]
fn student_intervals_of_five_values() {
    assert_covers(|seed| mean_interval(&noise(seed, 5), 0.95).unwrap().contains(0.0), 1861, 1939);
}

#[test]
fn normal_intervals_of_five_values_would_be_too_narrow() {
    let ratio = two_sided_z(0.95) / super::student_quantile(0.975, 4);
    let narrow = |seed| {
        let interval = mean_interval(&noise(seed, 5), 0.95).unwrap();
        interval.mean.abs() <= interval.half_width * ratio
    };
    assert_covers(narrow, 0, 1800);
}

/// Each value carries 0.8 of the one before. The values themselves taken for independent would cover half as often as
/// they say.
#[test]
fn batch_means_of_values_that_are_alike() {
    let alike = |seed| {
        let mut state = 0.0;
        let step = |value: f64| {
            state = 0.8 * state + value;
            state
        };
        noise(seed, 400).into_iter().map(step).collect::<Vec<f64>>()
    };
    assert_covers(|seed| batch_means(&alike(seed), 8, 0.95).unwrap().contains(0.0), 1800, 1939);
    assert_covers(|seed| mean_interval(&alike(seed), 0.95).unwrap().contains(0.0), 0, 1200);
}

/// Ranks are whole, so these err on the safe side: 97.9 % for ten values.
#[test]
fn median_intervals_of_ten_values() {
    let holds = |seed| {
        let mut values: Vec<Option<f64>> = noise(seed, 10).into_iter().map(Some).collect();
        let interval = median_with_interval(&mut values).unwrap().interval.unwrap();
        interval.low.unwrap() < 0.0 && 0.0 < interval.high.unwrap()
    };
    assert_covers(holds, 1930, 1984);
}

#[test]
fn wilson_intervals_of_a_third() {
    let holds = |seed| {
        let successes = (0..60).filter(|step| uniform(seed, *step) < 1.0 / 3.0).count();
        let (low, high) = wilson(successes as u64, 60, 1.96).unwrap();
        low < 1.0 / 3.0 && 1.0 / 3.0 < high
    };
    assert_covers(holds, 1850, 1950);
}
