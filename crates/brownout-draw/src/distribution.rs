//! Distributions of durations, each a function of one uniform draw.

use std::time::Duration;

use thiserror::Error;

use crate::uniform::{nanos, share, unit, whole_nanos};
use crate::{Percentiles, ROW, Weights, exponential, normal};

mod tail;

/// How a duration is distributed. One draw makes one sample, by the inverse of the distribution function, so a
/// sample costs a fixed number of draws and the same seed gives the same nanoseconds on every platform.
///
/// **The cap rule.** An exponential or lognormal distribution has no longest value. With a `max` its tail is cut off and the
/// rest scaled up to fill it, which is what drawing again until the value fits would give: nothing piles up on the
/// cap. Without one, the tail is left whole.
///
/// ```
/// use std::time::Duration;
/// use brownout_draw::{Distribution, Seed, Stream, draw};
///
/// let latency = Distribution::lognormal_with_p99(Duration::from_millis(40), Duration::from_millis(400), None)?;
/// let sample = latency.sample(draw(Seed(42), Stream::LATENCY, 1, 1));
/// assert!(sample < Duration::from_secs(10));
/// # Ok::<(), brownout_draw::DistributionError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Fixed(Duration),
    Uniform { min_ns: u64, max_ns: u64 },
    Exponential { mean_ns: f64, cap: Option<Cap> },
    Lognormal { median_ns: f64, sigma: f64, cap: Option<Cap> },
    Percentiles(Percentiles),
    Mix { weights: Weights, parts: Vec<Distribution> },
}

/// Where a tail is cut, and how much of the distribution lies below.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cap {
    max: Duration,
    below: f64,
}

/// Why numbers make no distribution. Each message names the rule, the value found and the way out.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum DistributionError {
    /// A uniform distribution whose ends are swapped.
    #[error("uniform min ({min:?}) is above max ({max:?}); swap them")]
    UniformSwapped {
        /// The lower end as given.
        min: Duration,
        /// The upper end as given.
        max: Duration,
    },
    /// A mean or median of zero.
    #[error("{0} must be longer than zero; for no latency at all write a fixed \"0s\"")]
    Zero(&'static str),
    /// A lognormal p99 at or below its median.
    #[error("lognormal p99 ({p99:?}) must be above the median ({median:?}); swap them, or use a fixed latency")]
    P99NotAboveMedian {
        /// The 99th percentile as given.
        p99: Duration,
        /// The median as given.
        median: Duration,
    },
    /// A lognormal sigma that is no positive finite number of at most 10.
    #[error("lognormal sigma must be above 0 and at most 10, found {0}; 1 already spreads p99 to ten times the median")]
    Sigma(f64),
    /// A cap that leaves nothing worth drawing from.
    #[error("max ({max:?}) would cut off more than half of the distribution; raise it above {middle:?}")]
    CapTooLow {
        /// The cap as given.
        max: Duration,
        /// The median of the distribution without its cap.
        middle: Duration,
    },
    /// A `percentiles` table without a point.
    #[error("percentiles need at least one point, such as p50 = \"120ms\"")]
    NoPercentiles,
    /// One percentile given twice.
    #[error("{0} is given twice; drop one")]
    PercentileTwice(String),
    /// A quantile function that goes down.
    #[error("{} ({:?}) is below {} ({:?}); swap them or drop one", .high.0, .high.1, .low.0, .low.1)]
    PercentilesFall {
        /// The higher percentile and its value.
        high: (String, Duration),
        /// The lower percentile and its value.
        low: (String, Duration),
    },
    /// A mix in which nothing can be picked.
    #[error("a mix needs at least one part with a weight above 0")]
    EmptyMix,
}

impl Distribution {
    /// Always `duration`.
    #[must_use]
    pub const fn fixed(duration: Duration) -> Self {
        Self(Kind::Fixed(duration))
    }

    /// Uniform on `[min, max)` in whole nanoseconds.
    ///
    /// # Errors
    /// When `min` is above `max`.
    pub fn uniform(min: Duration, max: Duration) -> Result<Self, DistributionError> {
        if max < min {
            return Err(DistributionError::UniformSwapped { min, max });
        }
        Ok(Self(Kind::Uniform { min_ns: nanos(min), max_ns: nanos(max) }))
    }

    /// Exponential with this `mean`: `-mean · ln(1 - u)`. The tail is cut at `max` by the cap rule, or left whole.
    ///
    /// # Errors
    /// When the mean is zero, or the cap would cut off more than half.
    pub fn exponential(mean: Duration, max: Option<Duration>) -> Result<Self, DistributionError> {
        positive("the mean", mean)?;
        let below = |max: Duration| -libm::expm1(-max.as_secs_f64() / mean.as_secs_f64());
        let cap = cap(max, below, mean.mul_f64(std::f64::consts::LN_2))?;
        Ok(Self(Kind::Exponential { mean_ns: nanos_f64(mean), cap }))
    }

    /// Lognormal by its median and 99th percentile: `sigma = ln(p99 / median) / 2.326…`. The tail is cut at `max` by the cap
    /// rule, or left whole.
    ///
    /// # Errors
    /// When the median is zero, the 99th percentile not above it, or the cap below it.
    pub fn lognormal_with_p99(
        median: Duration,
        p99: Duration,
        max: Option<Duration>,
    ) -> Result<Self, DistributionError> {
        positive("the median", median)?;
        if p99 <= median {
            return Err(DistributionError::P99NotAboveMedian { p99, median });
        }
        let sigma = libm::log(p99.as_secs_f64() / median.as_secs_f64()) / normal::quantile(0.99);
        Self::lognormal_with_sigma(median, sigma, max)
    }

    /// Lognormal by its median and `sigma`, the standard deviation of the logarithm: `median · exp(sigma · z)`. The tail is
    /// cut at `max` by the cap rule, or left whole.
    ///
    /// # Errors
    /// When the median is zero, sigma is not above 0 and at most 10, or the cap is below the median.
    pub fn lognormal_with_sigma(
        median: Duration,
        sigma: f64,
        max: Option<Duration>,
    ) -> Result<Self, DistributionError> {
        positive("the median", median)?;
        if !(sigma > 0.0 && sigma <= 10.0) {
            return Err(DistributionError::Sigma(sigma));
        }
        let below = |max: Duration| normal::cdf(libm::log(max.as_secs_f64() / median.as_secs_f64()) / sigma);
        let cap = cap(max, below, median)?;
        Ok(Self(Kind::Lognormal { median_ns: nanos_f64(median), sigma, cap }))
    }

    /// A few percentiles joined by straight lines.
    #[must_use]
    pub const fn percentiles(percentiles: Percentiles) -> Self {
        Self(Kind::Percentiles(percentiles))
    }

    /// One of several distributions, by weight; the same draw picks the part and samples it.
    ///
    /// # Errors
    /// When no part has a weight above 0.
    pub fn mix(parts: impl IntoIterator<Item = (u64, Self)>) -> Result<Self, DistributionError> {
        let (weights, parts): (Vec<u64>, Vec<Self>) = parts.into_iter().unzip();
        let weights = Weights::new(weights).ok_or(DistributionError::EmptyMix)?;
        Ok(Self(Kind::Mix { weights, parts }))
    }

    /// The duration at a uniform `draw`. Longer than 584 years saturates there.
    #[must_use]
    pub fn sample(&self, draw: u64) -> Duration {
        Duration::from_nanos(self.sample_nanos(draw))
    }

    /// The duration at a uniform `draw` in whole nanoseconds: what virtual time counts in.
    #[must_use]
    #[inline]
    pub fn sample_nanos(&self, draw: u64) -> u64 {
        match &self.0 {
            Kind::Fixed(duration) => nanos(*duration),
            Kind::Uniform { min_ns, max_ns } => min_ns + share(max_ns - min_ns, draw),
            Kind::Exponential { mean_ns, cap: None } => whole_nanos(mean_ns * exponential(draw)),
            _ => self.sample_rarer(draw),
        }
    }

    /// Puts the durations at a row of draws, in whole nanoseconds, in their place.
    pub fn sample_row(&self, row: &mut [u64; ROW]) {
        match &self.0 {
            // All logarithms first: such a loop is made of vector instructions.
            Kind::Exponential { mean_ns, cap: None } => {
                let samples = row.map(exponential);
                row.iter_mut().zip(samples).for_each(|(draw, sample)| *draw = whole_nanos(mean_ns * sample));
            }
            _ => row.iter_mut().for_each(|draw| *draw = self.sample_nanos(*draw)),
        }
    }

    /// The same for the shapes that cost more than a call.
    fn sample_rarer(&self, draw: u64) -> u64 {
        let below = |cap: &Option<Cap>| unit(draw) * cap.map_or(1.0, |cap| cap.below);
        let limit = |sample: u64, cap: &Option<Cap>| cap.map_or(sample, |cap| sample.min(nanos(cap.max)));
        match &self.0 {
            Kind::Fixed(_) | Kind::Uniform { .. } => self.sample_nanos(draw),
            Kind::Exponential { mean_ns, cap } => limit(whole_nanos(mean_ns * -libm::log1p(-below(cap))), cap),
            Kind::Lognormal { median_ns, sigma, cap } => {
                let z = normal::quantile(below(cap));
                limit(whole_nanos(median_ns * libm::exp(sigma * z)), cap)
            }
            Kind::Percentiles(percentiles) => nanos(percentiles.sample(draw)),
            Kind::Mix { weights, parts } => {
                let pick = weights.pick(draw);
                parts[pick.index].sample_nanos(pick.rest)
            }
        }
    }

    /// Whether a sample depends on the draw at all.
    #[must_use]
    #[inline]
    pub const fn is_fixed(&self) -> bool {
        matches!(self.0, Kind::Fixed(_))
    }

    /// The longest sample: the upper end, the cap, or, where a tail was left whole, its 99.99th percentile.
    #[must_use]
    pub fn longest(&self) -> Duration {
        match &self.0 {
            Kind::Fixed(duration) => *duration,
            Kind::Uniform { max_ns, .. } => Duration::from_nanos(*max_ns),
            Kind::Exponential { cap: Some(cap), .. } | Kind::Lognormal { cap: Some(cap), .. } => cap.max,
            Kind::Exponential { .. } | Kind::Lognormal { .. } => self.sample(u64::MAX / 10_000 * 9_999),
            Kind::Percentiles(percentiles) => percentiles.longest(),
            Kind::Mix { weights, parts } => {
                let possible = parts.iter().enumerate().filter(|(index, _)| weights.weight(*index) > 0);
                possible.map(|(_, part)| part.longest()).max().unwrap_or_default()
            }
        }
    }
}

/// A cap, unless it would cut off more than half; `below` tells how much lies below it.
fn cap(
    max: Option<Duration>,
    below: impl Fn(Duration) -> f64,
    middle: Duration,
) -> Result<Option<Cap>, DistributionError> {
    let Some(max) = max else { return Ok(None) };
    let below = below(max);
    if below < 0.5 {
        return Err(DistributionError::CapTooLow { max, middle });
    }
    Ok(Some(Cap { max, below }))
}

#[expect(clippy::cast_precision_loss, reason = "a latency of over 104 days may lose nanoseconds")]
fn nanos_f64(duration: Duration) -> f64 {
    nanos(duration) as f64
}

fn positive(what: &'static str, duration: Duration) -> Result<(), DistributionError> {
    if duration.is_zero() { Err(DistributionError::Zero(what)) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
