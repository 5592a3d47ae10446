//! Many buckets, most of them full.

/// Buckets of one capacity, in units of their own.
///
/// A deposit into a full bucket changes nothing, and while all is well each success makes one. So a bit of each bucket tells
/// whether it is full: the bits of a million buckets fit in a near cache, the buckets do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Buckets {
    levels: Vec<u32>,
    /// A bit each, set while the bucket is not full.
    drained: Vec<u64>,
    capacity: u32,
}

impl Buckets {
    /// `count` buckets of this `capacity`, filled up to `initial`.
    pub(super) fn new(count: usize, initial: u32, capacity: u32) -> Self {
        let bits = if initial < capacity { u64::MAX } else { 0 };
        Self { levels: vec![initial; count], drained: vec![bits; count.div_ceil(64)], capacity }
    }

    /// How much is in it.
    pub(super) fn level(&self, index: usize) -> u32 {
        self.levels[index]
    }

    /// How much fits.
    pub(super) const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Lets `change` put something in, unless the bucket is full.
    #[inline]
    pub(super) fn fill(&mut self, index: usize, change: impl FnOnce(&mut u32)) {
        if self.drained[index / 64] >> (index % 64) & 1 == 1 {
            self.change(index, change);
        }
    }

    /// Lets `change` put something in or take something out.
    pub(super) fn change<T>(&mut self, index: usize, change: impl FnOnce(&mut u32) -> T) -> T {
        let changed = change(&mut self.levels[index]);
        let bit = 1 << (index % 64);
        if self.levels[index] < self.capacity {
            self.drained[index / 64] |= bit;
        } else {
            self.drained[index / 64] &= !bit;
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::Buckets;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_hold_what_plain_buckets_hold(
            initial in 0_u32..=10, steps in prop::collection::vec((0_usize..130, any::<bool>(), 0_u32..5), 0..300),
        ) {
            let mut plain = vec![initial; 130];
            let mut buckets = Buckets::new(130, initial, 10);
            for (index, out, amount) in steps {
                if out {
                    plain[index] = plain[index].saturating_sub(amount);
                    buckets.change(index, |level| *level = level.saturating_sub(amount));
                } else {
                    plain[index] = (plain[index] + amount).min(10);
                    buckets.fill(index, |level| *level = (*level + amount).min(10));
                }
                prop_assert_eq!(buckets.level(index), plain[index]);
            }
        }
    }
}
