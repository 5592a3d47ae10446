//! Events that come in the order in which they leave.

use std::collections::VecDeque;

use super::NONE;

/// A ring of keys that only grow. The first one is kept apart: a queue looks at it with every pop.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    head: u128,
    tail: u128,
    /// All but the head.
    rest: VecDeque<u128>,
}

impl Default for Lane {
    fn default() -> Self {
        Self { head: NONE, tail: 0, rest: VecDeque::new() }
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
        if self.head == NONE {
            self.head = key;
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
        self.head = self.rest.pop_front().unwrap_or(NONE);
    }
}
