//! Latencies of one interval of many: a few buckets an octave.

use crate::buckets::{highest, index};

/// How many buckets share one width, as a power of two: 32 in each octave, each at most a thirty-second of its values wide.
const OCTAVE_BITS: u32 = 5;

/// A histogram in the layout of [`Buckets`](crate::buckets::Buckets), and coarser. Some hundreds of them are kept beside a series.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coarse(Vec<u64>);

impl Coarse {
    pub(crate) fn record(&mut self, value: u64) {
        let index = index::<OCTAVE_BITS>(value);
        if self.0.len() <= index {
            self.0.resize(index + 1, 0);
        }
        self.0[index] += 1;
    }

    /// Adds all values of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own += other);
    }

    /// The buckets that hold something: their highest value, and how many.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(index, count)| (highest::<OCTAVE_BITS>(index), *count))
    }
}

#[cfg(test)]
mod tests {
    use super::Coarse;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_lies_within_a_thirty_second_below_the_end_of_its_bucket(value in any::<u64>(), shift in 0_u32..64) {
            let value = value >> shift;
            let mut coarse = Coarse::default();
            coarse.record(value);
            let (highest, count) = coarse.filled().next().unwrap();
            prop_assert!(value <= highest && highest - value <= value / 32 && count == 1);
        }

        #[test]
        fn merging_loses_nothing(first in prop::collection::vec(any::<u64>(), 0..50), second in prop::collection::vec(any::<u64>(), 0..50)) {
            let recorded = |values: &[u64]| {
                let mut coarse = Coarse::default();
                values.iter().for_each(|value| coarse.record(*value));
                coarse
            };
            let mut merged = recorded(&first);
            merged.merge(&recorded(&second));
            let both = recorded(&[first, second].concat());
            prop_assert!(merged.filled().eq(both.filled()));
        }
    }
}
