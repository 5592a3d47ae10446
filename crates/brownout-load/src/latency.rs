//! Latencies as HDR histograms.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::buckets::Buckets;

/// Latencies from a nanosecond up, in memory that does not grow with their number.
#[derive(Clone, Debug)]
pub struct LatencyHistogram {
    /// Three significant digits: a recorded value is off by less than a thousandth of itself.
    buckets: Buckets,
    /// The ends as they were recorded: a bucket would show them a little too long. The wrong way round without a value.
    min_ns: u64,
    max_ns: u64,
    /// Exact, so that the mean lies between the ends.
    sum_ns: u128,
    censored: u64,
}

/// A histogram as a result shows it. Times in milliseconds.
///
/// A percentile is `None` where the count cannot carry it: the q quantile needs at least 1/(1-q) values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How many values.
    pub count: u64,
    /// How many of them were given up rather than ended, so that the true value is longer.
    pub censored: u64,
    /// The shortest.
    pub min: Option<f64>,
    /// The mean.
    pub mean: Option<f64>,
    /// The median; needs 2 values.
    pub p50: Option<f64>,
    /// Needs 10 values.
    pub p90: Option<f64>,
    /// Needs 20 values.
    pub p95: Option<f64>,
    /// Needs 100 values.
    pub p99: Option<f64>,
    /// Needs 1000 values.
    pub p99_9: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
    /// The shortest once more, to the nanosecond.
    pub min_ns: Option<u64>,
    /// The longest.
    pub max_ns: Option<u64>,
    /// All values together, to the nanosecond. As text, since it may be longer than numbers of JSON.
    #[serde(with = "crate::read::sum")]
    pub sum_ns: u128,
    /// The whole histogram, lossless: `nanoseconds:count` pairs, by HDR bucket (its highest value, three digits).
    pub hdr_ns: String,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self { buckets: Buckets::default(), min_ns: u64::MAX, max_ns: 0, sum_ns: 0, censored: 0 }
    }
}

impl LatencyHistogram {
    /// Adds one value of so many nanoseconds; `censored` when it was given up rather than ended.
    #[inline]
    pub fn record(&mut self, nanos: u64, censored: bool) {
        self.buckets.record(nanos);
        self.min_ns = self.min_ns.min(nanos);
        self.max_ns = self.max_ns.max(nanos);
        self.sum_ns += u128::from(nanos);
        self.censored += u64::from(censored);
    }

    /// How many values.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.buckets.total()
    }

    /// Adds all values of another histogram: nothing is lost.
    pub fn merge(&mut self, other: &Self) {
        self.buckets.merge(&other.buckets);
        self.min_ns = self.min_ns.min(other.min_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        self.censored += other.censored;
    }

    /// What was recorded since it was as `earlier`; the ends and the censored are not known of that, and are those of all.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let sum_ns = self.sum_ns.saturating_sub(earlier.sum_ns);
        Self { buckets: self.buckets.since(&earlier.buckets), sum_ns, ..*self }
    }

    /// All values together.
    #[must_use]
    pub fn sum_ns(&self) -> u128 {
        self.sum_ns
    }

    /// The highest value of each bucket, and how many values lie in it.
    pub fn values(&self) -> impl Iterator<Item = (u64, u64)> {
        self.buckets.filled()
    }

    /// The value, in nanoseconds, that a share `quantile` of all values does not exceed; `None` without values enough to tell.
    #[expect(clippy::cast_precision_loss, reason = "a count for comparison")]
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        // A hair of slack: 1 - 0.9 is a little less than a tenth.
        let enough = self.buckets.total() as f64 * (1.0 - quantile) > 1.0 - 1e-9;
        enough.then(|| self.buckets.quantile(quantile).clamp(self.min_ns, self.max_ns))
    }

    /// For a result.
    #[must_use]
    pub fn summary(&self) -> Latency {
        let quantile = |q| self.quantile(q).map(|nanos| millis(nanos_f64(nanos)));
        let end = |nanos: u64| (self.buckets.total() > 0).then(|| millis(nanos_f64(nanos)));
        Latency {
            count: self.buckets.total(),
            censored: self.censored,
            min: end(self.min_ns),
            mean: self.mean_ns().map(millis),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p95: quantile(0.95),
            p99: quantile(0.99),
            p99_9: quantile(0.999),
            max: end(self.max_ns),
            min_ns: (self.buckets.total() > 0).then_some(self.min_ns),
            max_ns: (self.buckets.total() > 0).then_some(self.max_ns),
            sum_ns: self.sum_ns,
            hdr_ns: pairs(self.buckets.filled()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a mean for showing")]
    fn mean_ns(&self) -> Option<f64> {
        let count = self.buckets.total();
        (count > 0).then(|| self.sum_ns as f64 / count as f64)
    }
}

/// Values and how many of each, as text.
pub(crate) fn pairs(values: impl Iterator<Item = (u64, u64)>) -> String {
    let mut text = String::new();
    for (value, count) in values {
        let space = if text.is_empty() { "" } else { " " };
        write!(text, "{space}{value}:{count}").expect("writing to a string cannot fail");
    }
    text
}

/// What [`pairs`] wrote; `None` where the text is of another kind.
pub(crate) fn read_pairs(text: &str) -> Option<Vec<(u64, u64)>> {
    let pair =
        |pair: &str| pair.split_once(':').and_then(|(value, count)| Some((value.parse().ok()?, count.parse().ok()?)));
    text.split(' ').filter(|pair| !pair.is_empty()).map(pair).collect()
}

impl Latency {
    /// The histogram that it shows: nothing is lost.
    ///
    /// # Errors
    /// Where its numbers do not belong together, in words.
    pub fn histogram(&self) -> Result<LatencyHistogram, &'static str> {
        let mut buckets = Buckets::default();
        for (value, count) in read_pairs(&self.hdr_ns).ok_or("`hdr_ns` is not made of pairs as `1023:5`")? {
            buckets.add(value, count).ok_or("`hdr_ns` counts more values than there can be")?;
        }
        if buckets.total() != self.count || self.count < self.censored {
            return Err("`count` is not what `hdr_ns` counts");
        }
        let (min_ns, max_ns) = match (self.min_ns, self.max_ns) {
            (Some(min), Some(max)) if self.count > 0 && min <= max => (min, max),
            (None, None) if self.count == 0 => (u64::MAX, 0),
            _ => return Err("`min_ns` and `max_ns` are not the ends of anything"),
        };
        Ok(LatencyHistogram { buckets, min_ns, max_ns, sum_ns: self.sum_ns, censored: self.censored })
    }
}

#[expect(clippy::cast_precision_loss, reason = "104 days of nanoseconds are exact in f64")]
const fn nanos_f64(nanos: u64) -> f64 {
    nanos as f64
}

/// Milliseconds to the microsecond, which is finer than what is recorded for anything above a millisecond.
fn millis(nanos: f64) -> f64 {
    (nanos / 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::LatencyHistogram;

    const MS: u64 = 1_000_000;

    fn recorded(millis: impl Iterator<Item = u64>) -> LatencyHistogram {
        let mut histogram = LatencyHistogram::default();
        millis.for_each(|ms| histogram.record(ms * MS, false));
        histogram
    }

    #[test]
    fn quantiles_are_right_to_three_digits() {
        let latency = recorded(1..=10_000).summary();
        for (found, expected) in [(latency.p50, 5000.0), (latency.p99, 9900.0), (latency.p99_9, 9990.0)] {
            let found = found.unwrap();
            assert!((found / expected - 1.0).abs() < 0.001, "{found}, expected {expected}");
        }
        assert_eq!((latency.count, latency.censored), (10_000, 0));
    }

    #[test]
    fn a_percentile_needs_values_enough() {
        let told = |count| {
            let latency = recorded(1..=count).summary();
            [latency.p50, latency.p90, latency.p99, latency.p99_9].map(|percentile| percentile.is_some())
        };
        assert_eq!(told(0), [false, false, false, false]);
        assert_eq!(told(1), [false, false, false, false]);
        assert_eq!(told(2), [true, false, false, false]);
        assert_eq!(told(10), [true, true, false, false]);
        assert_eq!(told(100), [true, true, true, false]);
        assert_eq!(told(1000), [true, true, true, true]);
    }

    #[test]
    fn what_came_since_is_told_from_what_was_before() {
        let mut histogram = recorded(1..=100);
        let before = histogram.clone();
        (1..=50).for_each(|ms| histogram.record(10_000 * ms * MS, false));
        let since = histogram.since(&before);
        let all: Vec<_> = recorded((1..=50).map(|ms| 10_000 * ms)).values().collect();
        assert_eq!(since.values().collect::<Vec<_>>(), all);
        assert_eq!((since.count(), since.sum_ns()), (50, 10_000 * 1275 * u128::from(MS)));
        assert_eq!(histogram.since(&histogram).quantile(0.5), None);
    }

    #[test]
    fn nothing_recorded_says_nothing() {
        let latency = recorded(std::iter::empty()).summary();
        assert_eq!((latency.min, latency.mean, latency.max, latency.hdr_ns.as_str()), (None, None, None, ""));
    }

    #[test]
    fn given_up_values_stay_in_and_are_told() {
        let mut histogram = recorded(1..=3);
        histogram.record(1000 * MS, true);
        let latency = histogram.summary();
        assert_eq!((latency.count, latency.censored), (4, 1));
        assert!((latency.max.unwrap() - 1000.0).abs() < 1.0);
    }

    #[test]
    fn the_pairs_carry_every_value() {
        let histogram = recorded([5, 5, 900].into_iter());
        let summary = histogram.summary();
        let counts: Vec<u64> =
            summary.hdr_ns.split(' ').map(|pair| pair.split_once(':').unwrap().1.parse().unwrap()).collect();
        assert_eq!(counts, [2, 1]);
    }

    #[test]
    fn what_is_shown_is_the_whole_histogram() {
        let mut histogram = recorded([5, 5, 900, 70_000].into_iter());
        histogram.record(u64::MAX, true);
        let shown = histogram.summary();
        assert_eq!(shown.histogram().unwrap().summary(), shown);
        let nothing = LatencyHistogram::default().summary();
        assert_eq!(nothing.histogram().unwrap().summary(), nothing);
        let text = serde_json::to_string(&shown).unwrap();
        assert_eq!(serde_json::from_str::<super::Latency>(&text).unwrap(), shown);
    }

    #[test]
    fn what_does_not_belong_together_is_no_histogram() {
        let shown = recorded(1..=10).summary();
        for (broken, why) in [
            (super::Latency { count: 11, ..shown.clone() }, "`count`"),
            (super::Latency { hdr_ns: "5;5".to_owned(), ..shown.clone() }, "pairs"),
            (super::Latency { hdr_ns: format!("5:{0} 6:{0}", u64::MAX), ..shown.clone() }, "more values"),
            (super::Latency { min_ns: None, ..shown.clone() }, "`min_ns`"),
            (super::Latency { min_ns: Some(u64::MAX), ..shown }, "`min_ns`"),
        ] {
            let refused = broken.histogram().unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn the_ends_and_the_mean_are_exact_and_percentiles_lie_between() {
        let latency = recorded(std::iter::repeat_n(500, 100)).summary();
        assert_eq!([latency.min, latency.mean, latency.p50, latency.p99, latency.max], [Some(500.0); 5]);
    }

    #[test]
    fn the_longest_imaginable_still_counts() {
        let mut histogram = LatencyHistogram::default();
        histogram.record(u64::MAX, false);
        assert_eq!(histogram.summary().count, 1);
    }
}
