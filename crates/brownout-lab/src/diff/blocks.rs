//! Percentiles of a run that might as well have been: its intervals, drawn anew in blocks of neighbours.

use std::collections::BTreeSet;

use brownout_draw::{Seed, Stream, draw};

use crate::statistics::Summary;

/// How often a run is put together anew.
const RUNS: u32 = 400;

/// What the blocks begin with. Key: the run; index: the block.
const STREAM: Stream = Stream::named("diff");

/// The latencies of each interval, by bucket.
pub(super) struct Blocks {
    /// The highest value of each bucket that holds something in any interval, in order.
    values: Vec<u64>,
    /// For each interval, how many lie in each.
    counts: Vec<Vec<u64>>,
}

impl Blocks {
    /// - `intervals`: for each, the values of its buckets and how many lie in them.
    ///
    /// `None` where nothing was recorded.
    pub(super) fn new(intervals: &[Vec<(u64, u64)>]) -> Option<Self> {
        let values: BTreeSet<u64> = intervals.iter().flatten().map(|(value, _)| *value).collect();
        let values: Vec<u64> = values.into_iter().collect();
        let row = |interval: &Vec<(u64, u64)>| {
            let mut row = vec![0; values.len()];
            for (value, count) in interval {
                let place = values.binary_search(value).expect("every value is among all values");
                row[place] += count;
            }
            row
        };
        let counts = intervals.iter().map(row).collect();
        (!values.is_empty()).then_some(Self { values, counts })
    }

    /// How many values of each interval lie above the `quantile` of all of them, that of its bucket in part.
    pub(super) fn above(&self, quantile: f64) -> Vec<f64> {
        let total = self.total(0..self.counts.len());
        let whole: u64 = total.iter().sum();
        let (place, part) = reached(&total, quantile * number(whole));
        let above = |row: &Vec<u64>| {
            let (at, beyond) = (number(row[place]), number(row[place + 1..].iter().sum()));
            beyond + (1.0 - part) * at
        };
        self.counts.iter().map(above).collect()
    }

    /// How many stretches of so much `time`, in intervals, bear what lies above the `quantile`: as many as there are where each has its
    /// share, few where it lies in few, however many there are. `(Σ a)² / Σ a²` over what lies above in each.
    pub(super) fn bearing(&self, quantile: f64, time: f64) -> f64 {
        let above = self.above(quantile);
        let stretches: Vec<f64> =
            above.chunks(length_of(time, above.len())).map(|stretch| stretch.iter().sum()).collect();
        let (sum, squares) = (stretches.iter().sum::<f64>(), stretches.iter().map(|part| part * part).sum::<f64>());
        if squares > 0.0 { sum * sum / squares } else { 0.0 }
    }

    /// The standard error of the logarithm of the `quantile`: its deviation over runs that are put together of blocks of neighbours, as
    /// long as twice the `time` for which values stay alike, in intervals, or the cube root of their number where that is longer.
    ///
    /// What is alike beyond the ends of a block is lost to it, so that it shows too little scatter, of the `influence` of each interval
    /// as of the quantile: the error is larger in the proportion in which blocks miss what the whole series of influences shows.
    ///
    /// `None` where blocks as long as that are too few.
    ///
    /// Source: H. Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of Statistics 17 (1989).
    pub(super) fn error(&self, quantile: f64, influence: &[f64], time: f64, luck: Seed) -> Option<f64> {
        let n = self.counts.len();
        let length = length_of(time, n);
        // Fewer blocks than these could be put together in too few ways.
        if n < 5 * length {
            return None;
        }
        let places = (n - length + 1) as u64;
        let run = |run: u32| {
            let mut total = vec![0; self.values.len()];
            for block in 0..n.div_ceil(length) {
                let drawn = draw(luck, STREAM, run.into(), u32::try_from(block).unwrap_or(u32::MAX));
                let start = usize::try_from((u128::from(drawn) * u128::from(places)) >> 64).unwrap_or_default();
                // The last one makes the run as long as it was.
                let length = length.min(n - block * length);
                for row in &self.counts[start..start + length] {
                    total.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
                }
            }
            self.quantile(&total, quantile)
        };
        let quantiles: Option<Vec<f64>> = (0..RUNS).map(|number| run(number).map(libm::log)).collect();
        Some(Summary::of(&quantiles?)?.deviation? * missed(influence, length, time))
    }

    /// The `quantile` of counts by bucket, in proportion within the bucket.
    fn quantile(&self, total: &[u64], quantile: f64) -> Option<f64> {
        let whole: u64 = total.iter().sum();
        if whole == 0 {
            return None;
        }
        let (place, part) = reached(total, quantile * number(whole));
        let high = number(self.values[place]);
        // Buckets are a thirty-second of their octave wide; those between two filled ones are empty.
        let low =
            (high * (1.0 - 1.0 / 32.0)).max(place.checked_sub(1).map_or(0.0, |before| number(self.values[before])));
        Some((low + part * (high - low)).max(1.0))
    }

    fn total(&self, intervals: std::ops::Range<usize>) -> Vec<u64> {
        let mut total = vec![0; self.values.len()];
        for row in &self.counts[intervals] {
            total.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
        }
        total
    }
}

/// The length of a block where values stay alike for so much `time`, in intervals of which there are n.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of intervals")]
fn length_of(time: f64, n: usize) -> usize {
    (2.0 * time).max(libm::cbrt(number(n as u64))).ceil() as usize
}

/// By how much blocks of a `length` show too small a deviation of the mean of `series`, whose values stay alike for so much `time`.
fn missed(series: &[f64], length: usize, time: f64) -> f64 {
    let Some(Summary { mean, deviation: Some(deviation), .. }) = Summary::of(series) else { return 1.0 };
    let sums = series.windows(length).map(|block| block.iter().map(|value| value - mean).sum::<f64>());
    let squares: Vec<f64> = sums.map(|sum| sum * sum).collect();
    let shown = squares.iter().sum::<f64>() / number(squares.len() as u64) / number(length as u64);
    if shown > 0.0 { libm::sqrt(deviation * deviation * time / shown).max(1.0) } else { 1.0 }
}

/// The bucket in which `wanted` values are reached, and the share of it that they take.
fn reached(total: &[u64], wanted: f64) -> (usize, f64) {
    let mut seen = 0.0;
    for (place, count) in total.iter().enumerate() {
        let count = number(*count);
        if count > 0.0 && seen + count >= wanted {
            return (place, ((wanted - seen) / count).clamp(0.0, 1.0));
        }
        seen += count;
    }
    (total.len() - 1, 1.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts to calculate with")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::Blocks;
    use brownout_draw::{Seed, Stream, draw, exponential};

    /// So many intervals of 100 exponential latencies each, of mean 100 ms, in buckets of a thirty-second.
    fn intervals(seed: u64, count: u32) -> Vec<Vec<(u64, u64)>> {
        let value = |interval: u32, nth: u64| {
            let nanos = 1e8 * exponential(draw(Seed(seed), Stream::named("latency"), nth, interval));
            let bucket = (nanos.log2() * 32.0).ceil() / 32.0;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds")]
            (bucket.exp2() as u64, 1)
        };
        (0..count).map(|interval| (0..100).map(|nth| value(interval, nth)).collect()).collect()
    }

    /// The median of n exponential values has a standard error of 1/(ln 2 · √n) of itself, the q quantile one of
    /// √(q / (n (1 - q))) / -ln(1 - q) (H. Cramér, "Mathematical Methods of Statistics", 28.5).
    #[test]
    fn the_error_of_a_quantile_is_that_of_theory() {
        let n = 200.0 * 100.0_f64;
        for quantile in [0.5, 0.9, 0.99] {
            let expected = (quantile / (n * (1.0 - quantile))).sqrt() / -(1.0 - quantile).ln();
            let error = |seed| {
                let blocks = Blocks::new(&intervals(seed, 200)).unwrap();
                blocks.error(quantile, &blocks.above(quantile), 1.0, Seed(seed)).unwrap()
            };
            let mean = (0..10).map(error).sum::<f64>() / 10.0;
            assert!((mean / expected - 1.0).abs() < 0.15, "{quantile}: {mean}, expected {expected}");
        }
    }

    #[test]
    fn long_blocks_of_a_short_run_say_nothing() {
        let blocks = Blocks::new(&intervals(1, 40)).unwrap();
        let error = |time| blocks.error(0.5, &blocks.above(0.5), time, Seed(1));
        assert!(error(4.0).is_some() && error(5.0).is_none());
        assert!(Blocks::new(&[vec![], vec![]]).is_none());
    }

    #[test]
    fn half_of_all_values_lie_above_the_median() {
        let above = Blocks::new(&intervals(3, 50)).unwrap().above(0.5);
        assert!((above.iter().sum::<f64>() - 2500.0).abs() < 1e-6);
    }
}
