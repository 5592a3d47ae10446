//! What can be told of a distribution without a draw: its mean, its quantiles, how much of it is longer than something.

use std::time::Duration;

use super::{Cap, Distribution, Kind, nanos_f64};
use crate::normal;
use crate::uniform::whole_nanos;

impl Distribution {
    /// The share of samples that are longer than `duration`, from 0 to 1.
    ///
    /// ```
    /// use std::time::Duration;
    /// use brownout_draw::Distribution;
    ///
    /// let latency = Distribution::uniform(Duration::ZERO, Duration::from_secs(10))?;
    /// assert_eq!(latency.share_above(Duration::from_secs(9)), 0.1);
    /// # Ok::<(), brownout_draw::DistributionError>(())
    /// ```
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a latency of over 104 days may lose nanoseconds")]
    pub fn share_above(&self, duration: Duration) -> f64 {
        let x = nanos_f64(duration);
        // What lies below, over what is left of the whole where a tail was cut off.
        let above = |below: f64, cap: &Option<Cap>| 1.0 - below / cap.map_or(1.0, |cap| cap.below);
        let share = match &self.0 {
            Kind::Fixed(fixed) => f64::from(duration < *fixed),
            // Clamped below: longer than the shortest is all, and nothing is longer than the longest.
            Kind::Uniform { min_ns, max_ns } if min_ns < max_ns => (*max_ns as f64 - x) / (max_ns - min_ns) as f64,
            Kind::Uniform { min_ns, .. } => f64::from(x < *min_ns as f64),
            Kind::Exponential { mean_ns, cap } => above(-libm::expm1(-x / mean_ns), cap),
            Kind::Lognormal { median_ns, sigma, cap } => above(normal::cdf(libm::log(x / median_ns) / sigma), cap),
            Kind::Percentiles(percentiles) => percentiles.share_above(duration),
            Kind::Mix { .. } => self.over_parts(|part| part.share_above(duration)),
        };
        share.clamp(0.0, 1.0)
    }

    /// The duration that a share `q` of samples do not pass, q from 0 to 1. Of a tail left whole the end is its 99.99th
    /// percentile, as of [`longest`](Self::longest).
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is meant")]
    pub fn quantile(&self, q: f64) -> Duration {
        if q >= 1.0 {
            return self.longest();
        }
        let Kind::Mix { .. } = &self.0 else { return self.sample((q * 2.0_f64.powi(64)) as u64) };
        // A mix draws its part first, so its samples do not rise with the draw; the share above a duration does fall with it.
        let (mut low, mut high) = (0, crate::nanos(self.longest()));
        while low < high {
            let middle = low + (high - low) / 2;
            let reached = 1.0 - self.share_above(Duration::from_nanos(middle)) >= q;
            (low, high) = if reached { (low, middle) } else { (middle + 1, high) };
        }
        Duration::from_nanos(low)
    }

    /// The mean of all samples.
    #[must_use]
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(whole_nanos(self.mean_ns()))
    }

    #[expect(clippy::cast_precision_loss, reason = "a latency of over 104 days may lose nanoseconds")]
    fn mean_ns(&self) -> f64 {
        match &self.0 {
            Kind::Fixed(duration) => nanos_f64(*duration),
            Kind::Uniform { min_ns, max_ns } => f64::midpoint(*min_ns as f64, *max_ns as f64),
            Kind::Exponential { mean_ns, cap: None } => *mean_ns,
            // ∫ of the survival up to the cap, less what the cap leaves out: m - c·P(X > c)/P(X < c).
            Kind::Exponential { mean_ns, cap: Some(cap) } => {
                mean_ns - nanos_f64(cap.max) * (1.0 - cap.below) / cap.below
            }
            // E[X; X < c] = median · exp(σ²/2) · Φ(z - σ), z being where the cap lies.
            Kind::Lognormal { median_ns, sigma, cap } => {
                let whole = median_ns * libm::exp(sigma * sigma / 2.0);
                let below = |cap: &Cap| {
                    let z = libm::log(nanos_f64(cap.max) / median_ns) / sigma;
                    normal::cdf(z - sigma) / cap.below
                };
                whole * cap.as_ref().map_or(1.0, below)
            }
            Kind::Percentiles(percentiles) => percentiles.mean_ns(),
            Kind::Mix { .. } => self.over_parts(Self::mean_ns),
        }
    }

    /// The mean of `of` over the parts of a mix, by their weights.
    #[expect(clippy::cast_precision_loss, reason = "a ratio of weights")]
    fn over_parts(&self, of: impl Fn(&Self) -> f64) -> f64 {
        let Kind::Mix { weights, parts } = &self.0 else { return of(self) };
        let part = |(index, part): (usize, &Self)| weights.weight(index) as f64 / weights.total() as f64 * of(part);
        parts.iter().enumerate().map(part).sum()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Distribution, Percentiles, Seed, Stream, draw};
    use std::time::Duration;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// The share above `at`, the 90th percentile and the mean, in ms; all from tables or by hand.
    #[track_caller]
    fn check(distribution: &Distribution, at: Duration, share: f64, p90_ms: f64, mean_ms: f64) {
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let near = |found: f64, expected: f64| (found - expected).abs() <= 1e-5 * expected.abs().max(1e-3);
        let found = distribution.share_above(at);
        assert!(near(found, share), "share above {at:?}: {found}");
        assert!(near(ms(distribution.quantile(0.9)), p90_ms), "p90: {:?}", distribution.quantile(0.9));
        assert!(near(ms(distribution.mean()), mean_ms), "mean: {:?}", distribution.mean());
        // And by many samples, within five standard errors of a share.
        let draws = (0..100_000).map(|key| draw(Seed(1), Stream::LATENCY, key, 1));
        let above = draws.filter(|draw| distribution.sample(*draw) > at).count();
        let (counted, error) = (above as f64 / 1e5, (share * (1.0 - share) / 1e5).sqrt());
        assert!((counted - share).abs() <= 5.0 * error, "{counted} of the samples are above {at:?}");
    }

    #[test]
    fn each_shape_by_its_closed_form() {
        check(&Distribution::fixed(MS(50)), MS(49), 1.0, 50.0, 50.0);
        check(&Distribution::fixed(MS(50)), MS(50), 0.0, 50.0, 50.0);
        check(&Distribution::uniform(MS(10), MS(510)).unwrap(), MS(410), 0.2, 460.0, 260.0);
        // e^-2, ln 10.
        let exponential = Distribution::exponential(MS(100), None).unwrap();
        check(&exponential, MS(200), 0.135_335_28, 230.258_51, 100.0);
        // Cut at 200 ms: (e^-1 - e^-2)/(1 - e^-2); -ln(1 - 0.9(1 - e^-2)); 100 - 200 e^-2/(1 - e^-2).
        let cut = Distribution::exponential(MS(100), Some(MS(200))).unwrap();
        check(&cut, MS(100), 0.268_941_42, 150.597_13, 68.696_471);
        // p99 at 400 ms is 2.326 sigmas of 0.98978; p90 40·e^(1.28155·σ); mean 40·e^(σ²/2).
        let lognormal = Distribution::lognormal_with_p99(MS(40), MS(400), None).unwrap();
        check(&lognormal, MS(400), 0.01, 142.215_06, 65.282_042);
    }

    #[test]
    fn percentiles_and_mixes() {
        let points = [("50%", 120), ("90%", 300), ("99%", 2000)];
        let points = points.map(|(p, ms)| (p.parse().unwrap(), MS(ms)));
        let percentiles = Distribution::percentiles(Percentiles::new(points).unwrap());
        // 1 s lies 7/17 of the way from p90 to p99; areas 30 + 84 + 103.5 + 20 of the trapezoids.
        check(&percentiles, MS(1000), 0.01 + 0.09 * 10.0 / 17.0, 300.0, 237.5);
        let fast = Distribution::uniform(MS(0), MS(10)).unwrap();
        let mix = Distribution::mix([(9, fast), (1, Distribution::fixed(MS(500)))]).unwrap();
        check(&mix, MS(5), 0.55, 10.0, 0.9 * 5.0 + 50.0);
    }

    #[test]
    fn a_cut_lognormal_keeps_what_lies_below() {
        let cut = Distribution::lognormal_with_p99(MS(40), MS(400), Some(MS(400))).unwrap();
        assert!((cut.share_above(MS(40)) - 0.49 / 0.99).abs() < 1e-9);
        assert!(cut.share_above(MS(400)) <= 0.0);
        assert_eq!(cut.quantile(1.0), MS(400));
        let draws = (0..100_000).map(|key| cut.sample(draw(Seed(1), Stream::LATENCY, key, 1)).as_secs_f64());
        let sampled = draws.sum::<f64>() / 1e5;
        assert!((cut.mean().as_secs_f64() / sampled - 1.0).abs() < 0.02, "{:?}, sampled {sampled}", cut.mean());
    }

    #[test]
    fn ends_are_whole() {
        let share = |distribution: &Distribution, at| distribution.share_above(at).to_string();
        let exponential = Distribution::exponential(MS(100), None).unwrap();
        assert_eq!(share(&exponential, Duration::ZERO), "1");
        assert_eq!(exponential.quantile(1.0), exponential.longest());
        let lognormal = Distribution::lognormal_with_p99(MS(40), MS(400), None).unwrap();
        assert_eq!([Duration::ZERO, Duration::MAX].map(|at| share(&lognormal, at)), ["1", "0"]);
        let point = Distribution::uniform(MS(5), MS(5)).unwrap();
        assert_eq!([MS(4), MS(5)].map(|at| share(&point, at)), ["1", "0"]);
    }
}
