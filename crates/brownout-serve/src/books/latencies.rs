//! How long answers take, finely enough for quantiles.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Durations from a microsecond to an hour, each known to a hundredth of itself; longer ones count as an hour.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

/// In microseconds.
const LONGEST: u64 = 3_600_000_000;

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST, 2).expect("an hour of microseconds has room in a histogram"))
    }
}

impl Latencies {
    pub(super) fn add(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// What was added since they were as `earlier`; all of them, where these do not go on from there.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut new = self.0.clone();
        match new.subtract(&earlier.0) {
            Ok(()) => Self(new),
            Err(_) => self.clone(),
        }
    }

    /// What a share `quantile` of them does not exceed; `None` without as many as it takes to tell, 1/(1-q).
    #[expect(clippy::cast_precision_loss, reason = "a count for comparison")]
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        // A hair of slack: 1 - 0.9 is a little less than a tenth.
        let enough = self.0.len() as f64 * (1.0 - quantile) > 1.0 - 1e-9;
        // The middle of its bucket is nearest to what was added.
        enough.then(|| Duration::from_micros(self.0.median_equivalent(self.0.value_at_quantile(quantile))))
    }
}

#[cfg(test)]
mod tests {
    use super::Latencies;
    use std::time::Duration;

    const MILLIS: fn(u64) -> Duration = Duration::from_millis;

    fn of(millis: impl Iterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        millis.for_each(|millis| latencies.add(MILLIS(millis)));
        latencies
    }

    #[track_caller]
    fn check(latencies: &Latencies, quantile: f64, millis: Option<f64>) {
        let found = latencies.quantile(quantile).map(|time| time.as_secs_f64() * 1000.0);
        let near = found.zip(millis).is_none_or(|(found, millis)| (found / millis - 1.0).abs() <= 0.01);
        assert!(near && found.is_some() == millis.is_some(), "{quantile}: {found:?}, not {millis:?}");
    }

    #[test]
    fn quantiles_are_told_to_a_hundredth_or_not_at_all() {
        let thousand = of(1..=1000);
        check(&thousand, 0.5, Some(500.0));
        check(&thousand, 0.99, Some(990.0));
        let few = of(1..=99);
        check(&few, 0.5, Some(50.0));
        check(&few, 0.99, None);
        check(&Latencies::default(), 0.5, None);
        // A day counts as an hour.
        check(&of([86_400_000; 2].into_iter()), 0.5, Some(3_600_000.0));
    }

    #[test]
    fn what_came_later_stands_alone() {
        let early = of(1..=1000);
        let mut all = early.clone();
        (0..10).for_each(|_| all.add(MILLIS(5000)));
        let later = all.since(&early);
        check(&later, 0.5, Some(5000.0));
        assert_eq!((later.count(), all.count()), (10, 1010));
        // Begun anew in between.
        assert_eq!(of(1..=3).since(&early).count(), 3);
    }
}
