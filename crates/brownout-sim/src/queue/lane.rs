//! Events that come in the order in which they leave.

use std::collections::VecDeque;

use super::NONE;

/// A ring of keys that only grow. The first one is kept apart: a queue looks at it with every pop.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// [`NONE`] while the lane is empty.
    head: u128,
    tail: u128,
    /// All but the head.
    rest: VecDeque<u128>,
    /// Rather than a look at the head: one at 128 bits that were just written in two halves is slow.
    empty: bool,
}

impl Default for Lane {
    fn default() -> Self {
        Self { head: NONE, tail: 0, rest: VecDeque::new(), empty: true }
    }
}

impl Lane {
    /// The least key; [`NONE`] if the lane is empty.
    #[inline]
    pub(super) fn head(&self) -> u128 {
        self.head
    }

    /// Takes `key` in, unless a greater one is already there.
    #[inline]
    pub(super) fn push(&mut self, key: u128) -> bool {
        if self.empty {
            (self.head, self.empty) = (key, false);
        } else if self.tail < key {
            self.rest.push_back(key);
        } else {
            return false;
        }
        self.tail = key;
        true
    }

    /// Drops the least key.
    #[inline]
    pub(super) fn pop(&mut self) {
        (self.head, self.empty) = self.rest.pop_front().map_or((NONE, true), |next| (next, false));
    }
}
