//! Keys that are far ahead, sorted only as far as they must be.

use super::NONE;

/// Bits of a key that are told apart in one move.
const DIGIT_BITS: u32 = 4;
/// Buckets to a level: one for each value of a digit.
const FAN: usize = 1 << DIGIT_BITS;
const LEVELS: usize = (u128::BITS / DIGIT_BITS) as usize;

/// A bucket of no more than this many keys is sorted rather than moved to lower levels. Such a run is 4 KiB.
const RUN_MAX: usize = 256;

/// A monotone radix heap: everything in it is greater than its horizon, which only moves up while it is open.
///
/// A key is in the bucket of the highest digit in which it differs from the horizon (the level), and of what that
/// digit is. So all keys of a lower level are less than all of a higher one, and a key that moves at all moves to a
/// lower level: never more often than it has digits, about twice with a million keys. When the horizon moves into a
/// bucket, the keys of the other buckets still first differ from it where they did, and stay.
///
/// The least bucket is sorted ahead of time as the `run`, whose end is the next key. Keys that are pushed for times
/// before the end of the run belong to somebody else ([`takes`](Self::takes)): that is what lets the least key be
/// looked at without being taken.
#[derive(Clone, Debug)]
pub(super) struct Radix {
    /// The least keys, the least of all at the end. It is empty only if the buckets are.
    run: Vec<u128>,
    /// Level by level; none at all before the radix is first opened.
    buckets: Vec<Vec<u128>>,
    /// Which levels have a key, a bit each.
    levels: u32,
    /// Which buckets of a level have a key, a bit each.
    digits: [u16; LEVELS],
    /// No bucket has a key up to here. [`NONE`] while the radix is closed: no key is beyond that.
    horizon: u128,
    open: bool,
    /// Keys in the buckets, those of the run not counted.
    len: usize,
}

impl Default for Radix {
    fn default() -> Self {
        Self {
            run: Vec::new(),
            buckets: Vec::new(),
            levels: 0,
            digits: [0; LEVELS],
            horizon: NONE,
            open: false,
            len: 0,
        }
    }
}

impl Radix {
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether `key` is beyond the horizon.
    #[inline]
    pub(super) fn takes(&self, key: u128) -> bool {
        self.horizon < key
    }

    /// The least key; [`NONE`] if there is none.
    #[inline]
    pub(super) fn top(&self) -> u128 {
        self.run.last().copied().unwrap_or(NONE)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.run.len() + self.len
    }

    /// Opens a closed radix for `keys`, all of them beyond `floor`.
    pub(super) fn open(&mut self, floor: u128, keys: impl Iterator<Item = u128>) {
        debug_assert!(!self.is_open() && self.len() == 0, "an open radix was opened");
        self.buckets.resize_with(LEVELS * FAN, Vec::new);
        (self.horizon, self.open) = (floor, true);
        keys.for_each(|key| self.place(key));
        self.refill();
    }

    /// Puts in a key that it [takes](Self::takes).
    #[inline]
    pub(super) fn push(&mut self, key: u128) {
        if self.run.is_empty() {
            self.run.push(key);
            self.horizon = key;
        } else {
            self.place(key);
        }
    }

    /// Drops the least key.
    #[inline]
    pub(super) fn pop(&mut self) {
        self.run.pop();
        if self.run.is_empty() {
            self.refill();
        }
    }

    /// Moves all keys out, in no order, and closes.
    pub(super) fn close_into(&mut self, keys: &mut Vec<u128>) {
        let closed = std::mem::take(self);
        keys.extend(closed.run);
        keys.extend(closed.buckets.into_iter().flatten());
    }

    /// Puts a key from beyond the horizon into its bucket.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "only the lowest digit is wanted")]
    fn place(&mut self, key: u128) {
        let level = ((key ^ self.horizon).ilog2() / DIGIT_BITS) as usize;
        let digit = (key >> (level as u32 * DIGIT_BITS)) as usize % FAN;
        self.buckets[level * FAN + digit].push(key);
        self.levels |= 1 << level;
        self.digits[level] |= 1 << digit;
        self.len += 1;
    }

    /// Makes a run of the least bucket, which is first moved to lower levels for as long as it is large.
    fn refill(&mut self) {
        while self.levels != 0 {
            let level = self.levels.trailing_zeros() as usize;
            let digit = self.digits[level].trailing_zeros() as usize;
            self.digits[level] &= self.digits[level] - 1;
            if self.digits[level] == 0 {
                self.levels &= self.levels - 1;
            }
            // Taken out while its keys are moved, and put back empty, so that its room is used again.
            let mut bucket = std::mem::take(&mut self.buckets[level * FAN + digit]);
            self.len -= bucket.len();
            let small = bucket.len() <= RUN_MAX;
            if small {
                self.run.append(&mut bucket);
            } else {
                let least = bucket.iter().copied().fold(NONE, u128::min);
                self.run.push(least);
                self.horizon = least;
                bucket.drain(..).filter(|&key| key != least).for_each(|key| self.place(key));
            }
            self.buckets[level * FAN + digit] = bucket;
            if small {
                break;
            }
        }
        self.run.sort_unstable_by(|a, b| b.cmp(a));
        if let Some(&greatest) = self.run.first() {
            self.horizon = greatest;
        }
    }
}
