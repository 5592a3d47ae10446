//! Counts by value, in buckets that are a thousandth of their values wide.

/// How many buckets share one width, as a power of two: 1024 in each octave is three significant digits.
const OCTAVE_BITS: u32 = 10;
const OCTAVE: usize = 1 << OCTAVE_BITS;

/// A histogram over whole numbers from 0 to 2^64, in the layout of HdrHistogram with three significant digits and a lowest
/// value of 1: every value up to 2047 has its own bucket, and each octave above has 1024. A test holds it to the crate
/// `hdrhistogram`; it stands here because recording is most of what a simulated call costs.
///
/// Memory grows with the largest value: 8 KiB an octave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buckets {
    counts: Vec<u64>,
    total: u64,
}

impl Buckets {
    #[inline]
    pub(crate) fn record(&mut self, value: u64) {
        let index = index::<OCTAVE_BITS>(value);
        self.total += 1;
        match self.counts.get_mut(index) {
            Some(count) => *count += 1,
            None => self.grow(index),
        }
    }

    #[cold]
    fn grow(&mut self, index: usize) {
        self.reach(index);
        self.counts[index] += 1;
    }

    /// Makes room for bucket `index`.
    fn reach(&mut self, index: usize) {
        // Whole octaves, so that values that creep up do not move everything again and again.
        let length = (index / OCTAVE + 1) * OCTAVE;
        if self.counts.is_empty() {
            // The system's zeros, which cost nothing until they are looked at.
            self.counts = vec![0; length];
        } else if self.counts.len() < length {
            self.counts.resize(length, 0);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(own, other)| *own = own.saturating_add(*other));
        self.total = self.total.saturating_add(other.total);
    }

    /// What was recorded since it was as `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let before = earlier.counts.iter().copied().chain(std::iter::repeat(0));
        let counts: Vec<u64> = self.counts.iter().zip(before).map(|(own, before)| own.saturating_sub(before)).collect();
        Self { total: counts.iter().sum(), counts }
    }

    /// Adds `count` values; `None` where that are more than can be counted.
    pub(crate) fn add(&mut self, value: u64, count: u64) -> Option<()> {
        let (index, total) = (index::<OCTAVE_BITS>(value), self.total.checked_add(count)?);
        self.reach(index);
        // Never more than the total.
        self.counts[index] += count;
        self.total = total;
        Some(())
    }

    /// How many values.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// The highest value of the first bucket by which a share `quantile` of all values is reached; 0 without values.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    pub(crate) fn quantile(&self, quantile: f64) -> u64 {
        let wanted = ((quantile * self.total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let reached = self.filled().find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        reached.map_or(0, |(highest, _)| highest)
    }

    /// The buckets that hold something: their highest value, and how many.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (u64, u64)> {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(index, count)| (highest::<OCTAVE_BITS>(index), *count))
    }
}

/// The bucket of a value, where 2^`BITS` share one width.
#[inline]
pub(crate) fn index<const BITS: u32>(value: u64) -> usize {
    let octave = u64::BITS - BITS - 1 - (value | ((2 << BITS) - 1)).leading_zeros();
    #[expect(clippy::cast_possible_truncation, reason = "below twice the buckets of an octave")]
    let place = (value >> octave) as usize;
    ((octave as usize) << BITS) + place
}

/// The highest value of a bucket, where 2^`BITS` share one width.
pub(crate) fn highest<const BITS: u32>(index: usize) -> u64 {
    let octave = (index >> BITS).saturating_sub(1);
    let place = (index - (octave << BITS)) as u64;
    (place << octave) + ((1 << octave) - 1)
}

#[cfg(test)]
mod tests {
    use super::Buckets;
    use hdrhistogram::Histogram;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_histogram_that_hdrhistogram_keeps(
            values in prop::collection::vec((0_u32..63, any::<u64>()), 1..300), quantile in 0.0..=1.0,
        ) {
            let mut theirs = Histogram::<u64>::new_with_bounds(1, u64::MAX >> 1, 3).unwrap();
            let mut ours = Buckets::default();
            for (bits, value) in values {
                let value = value >> (63 - bits) >> 1;
                theirs.record(value).unwrap();
                ours.record(value);
            }
            let pairs = theirs.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()));
            prop_assert_eq!(ours.filled().collect::<Vec<_>>(), pairs.collect::<Vec<_>>());
            prop_assert_eq!(ours.total(), theirs.len());
            prop_assert_eq!(ours.quantile(quantile), theirs.value_at_quantile(quantile));
        }

        #[test]
        fn merging_loses_nothing(first in prop::collection::vec(any::<u64>(), 0..50), second in prop::collection::vec(any::<u64>(), 0..50)) {
            let recorded = |values: &[u64]| {
                let mut buckets = Buckets::default();
                values.iter().for_each(|value| buckets.record(*value));
                buckets
            };
            let mut merged = recorded(&first);
            merged.merge(&recorded(&second));
            let both = recorded(&[first, second].concat());
            prop_assert!(merged.filled().eq(both.filled()));
        }
    }
}
