//! A distribution given by a few of its percentiles.

use std::time::Duration;

use crate::uniform::nanos;
use crate::{DistributionError, Probability};

/// Points of a quantile function, joined by straight lines. Integers only.
///
/// Below the first point the line starts at zero (give `p0` to start elsewhere); above the last point
/// it is flat (give `p100` to go on).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Percentiles {
    /// Corners of the quantile function: place in the range of a draw (parts of 2^64), nanoseconds.
    /// The first place is 0 and the last is 2^64.
    corners: Vec<(u128, u64)>,
}

const WHOLE: u128 = 1 << 64;

impl Percentiles {
    /// From (probability, duration) points in any order.
    ///
    /// # Errors
    /// When there is no point, when two points share a probability, or when a higher percentile is shorter
    /// than a lower one.
    pub fn new(points: impl IntoIterator<Item = (Probability, Duration)>) -> Result<Self, DistributionError> {
        let mut points: Vec<_> = points.into_iter().collect();
        points.sort_by_key(|(probability, _)| *probability);
        for pair in points.windows(2) {
            let [(low, low_value), (high, high_value)] = [pair[0], pair[1]];
            if low == high {
                return Err(DistributionError::PercentileTwice(percent(low)));
            }
            if high_value < low_value {
                let found = [(percent(high), high_value), (percent(low), low_value)];
                return Err(DistributionError::PercentilesFall { high: found[0].clone(), low: found[1].clone() });
            }
        }
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Err(DistributionError::NoPercentiles);
        };
        let start = (first.0 != Probability::ZERO).then_some((0, 0));
        let end = (last.0 != Probability::ONE).then_some((WHOLE, nanos(last.1)));
        let given = points.iter().map(|(probability, value)| (place(*probability), nanos(*value)));
        Ok(Self { corners: start.into_iter().chain(given).chain(end).collect() })
    }

    /// The duration at a uniform `draw`.
    #[must_use]
    pub fn sample(&self, draw: u64) -> Duration {
        let draw = u128::from(draw);
        let above = self.corners.partition_point(|(place, _)| *place <= draw).min(self.corners.len() - 1);
        let [(from, low), (to, high)] = [self.corners[above - 1], self.corners[above]];
        let rise = u128::from(high - low) * (draw - from) / (to - from);
        #[expect(clippy::cast_possible_truncation, reason = "at most high - low")]
        Duration::from_nanos(low + rise as u64)
    }

    /// The share of samples that are longer than `duration`.
    #[expect(clippy::cast_precision_loss, reason = "a share of the whole range")]
    pub(crate) fn share_above(&self, duration: Duration) -> f64 {
        let x = nanos(duration);
        let rises = |pair: &[(u128, u64)]| {
            let [(from, low), (to, high)] = [pair[0], pair[1]];
            let above = match x {
                _ if x < low => 1.0,
                _ if x >= high => 0.0,
                _ => (high - x) as f64 / (high - low) as f64,
            };
            (to - from) as f64 * above
        };
        self.corners.windows(2).map(rises).sum::<f64>() / WHOLE as f64
    }

    /// The mean, in nanoseconds.
    #[expect(clippy::cast_precision_loss, reason = "a mean of over 104 days may lose nanoseconds")]
    pub(crate) fn mean_ns(&self) -> f64 {
        let trapezoid = |pair: &[(u128, u64)]| {
            let [(from, low), (to, high)] = [pair[0], pair[1]];
            (to - from) as f64 * f64::midpoint(low as f64, high as f64)
        };
        self.corners.windows(2).map(trapezoid).sum::<f64>() / WHOLE as f64
    }

    /// The longest duration it can give.
    #[must_use]
    pub fn longest(&self) -> Duration {
        Duration::from_nanos(self.corners.last().map_or(0, |(_, value)| *value))
    }
}

/// Where a probability falls in the range of a draw.
fn place(probability: Probability) -> u128 {
    u128::from(probability.parts()) * WHOLE / u128::from(Probability::PARTS)
}

/// A probability as people name percentiles: `p99.9`.
fn percent(probability: Probability) -> String {
    let (whole, fraction) = (probability.parts() / 10_000_000, probability.parts() % 10_000_000);
    let text = format!("p{whole}.{fraction:07}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::Percentiles;
    use crate::Probability;
    use std::time::Duration;

    fn points(list: &[(&str, u64)]) -> Vec<(Probability, Duration)> {
        list.iter().map(|(p, ms)| (p.parse().unwrap(), Duration::from_millis(*ms))).collect()
    }

    #[track_caller]
    fn check(list: &[(&str, u64)], at: &str, expected: Duration) {
        let percentiles = Percentiles::new(points(list)).unwrap();
        let fraction = at.parse::<Probability>().unwrap();
        let draw = u64::try_from(super::place(fraction)).unwrap_or(u64::MAX);
        let off = percentiles.sample(draw).abs_diff(expected);
        assert!(off <= Duration::from_nanos(1), "{at}: {:?}", percentiles.sample(draw));
    }

    const SERVICE: [(&str, u64); 3] = [("99%", 2000), ("50%", 120), ("90%", 300)];

    #[test]
    fn given_points_are_met_and_joined_by_lines() {
        check(&SERVICE, "50%", Duration::from_millis(120));
        check(&SERVICE, "70%", Duration::from_millis(210));
        check(&SERVICE, "90%", Duration::from_millis(300));
        check(&SERVICE, "94.5%", Duration::from_millis(1150));
    }

    #[test]
    fn below_the_first_point_it_rises_from_zero_and_above_the_last_it_is_flat() {
        check(&SERVICE, "25%", Duration::from_millis(60));
        check(&SERVICE, "99.9%", Duration::from_secs(2));
        check(&SERVICE, "100%", Duration::from_secs(2));
        check(&[("0", 100), ("100%", 200)], "0", Duration::from_millis(100));
        check(&[("0", 100), ("100%", 200)], "50%", Duration::from_millis(150));
    }

    #[test]
    fn contradictions_are_refused() {
        let refusal = |list: &[(&str, u64)]| Percentiles::new(points(list)).unwrap_err().to_string();
        assert!(refusal(&[]).contains("at least one"));
        assert!(refusal(&[("50%", 1), ("0.5", 2)]).contains("p50"));
        assert!(refusal(&[("50%", 55), ("99%", 40)]).contains("p99 (40ms) is below p50 (55ms)"));
        assert!(refusal(&[("57%", 55), ("99.9%", 40)]).contains("p99.9 (40ms) is below p57 (55ms)"));
    }
}
