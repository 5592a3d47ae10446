//! Who is worst, of counts that only grow.

use std::cmp::Reverse;

/// The keys with the highest counts, `N` at the most; of equals the one that comes first, so that the same run names the same.
///
/// It is told of each count that grows. Those that do not keep their order, so that nobody has to look through all of them.
#[derive(Clone, Debug)]
pub(crate) struct Worst<K, const N: usize> {
    kept: Vec<(K, u64)>,
}

impl<K, const N: usize> Default for Worst<K, N> {
    fn default() -> Self {
        Self { kept: Vec::new() }
    }
}

impl<K: Copy + Ord, const N: usize> Worst<K, N> {
    /// The count of `key` has grown to `count`.
    #[inline]
    pub(crate) fn grew(&mut self, key: K, count: u64) {
        // Most are behind all that are kept; one that is kept was there with less.
        let last = self.kept.last().filter(|_| self.kept.len() == N);
        if last.is_none_or(|(last, least)| (Reverse(count), key) < (Reverse(*least), *last)) {
            self.keep(key, count);
        }
    }

    fn keep(&mut self, key: K, count: u64) {
        match self.kept.iter_mut().find(|(kept, _)| *kept == key) {
            Some((_, kept)) => *kept = count,
            None => self.kept.push((key, count)),
        }
        self.kept.sort_unstable_by_key(|(key, count)| (Reverse(*count), *key));
        self.kept.truncate(N);
    }

    /// They, the worst first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, u64)> {
        self.kept.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Worst;
    use proptest::prelude::*;
    use std::cmp::Reverse;
    use std::collections::BTreeMap;

    proptest! {
        /// Against looking through all of them at the end.
        #[test]
        fn they_are_those_that_a_look_at_all_would_find(keys in prop::collection::vec(0..12_u8, 0..200)) {
            let mut worst = Worst::<u8, 3>::default();
            let mut all: BTreeMap<u8, u64> = BTreeMap::new();
            for key in keys {
                let count = all.entry(key).or_default();
                *count += 1;
                worst.grew(key, *count);
            }
            let mut sorted: Vec<(u8, u64)> = all.into_iter().collect();
            sorted.sort_by_key(|(_, count)| Reverse(*count));
            sorted.truncate(3);
            prop_assert_eq!(worst.iter().collect::<Vec<_>>(), sorted);
        }
    }
}
