//! A heap with four children to a node.

use super::NONE;

/// Four siblings, which share a cache line: a step down the heap costs one miss at most.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Family([u128; 4]);

/// An implicit min-heap. The root stands apart; its children are family 0, and those of the key in place `p` of the
/// families, counted through, are family `p + 1`. Places without a key hold [`NONE`], so no family is half full.
///
/// A popped root is left vacant: most events push another, which then takes its place and sinks from there. The key
/// from the far end, which would have to sink to the far end again, is only fetched if the next call is a pop too.
#[derive(Clone, Debug)]
pub(super) struct Heap {
    /// Means nothing while vacant.
    root: u128,
    vacant: bool,
    families: Vec<Family>,
    /// Places taken in the families.
    places: usize,
}

impl Default for Heap {
    fn default() -> Self {
        Self { root: NONE, vacant: true, families: Vec::new(), places: 0 }
    }
}

impl Heap {
    /// The least key; [`NONE`] if the heap is empty.
    #[inline]
    pub(super) fn top(&self) -> u128 {
        if !self.vacant {
            return self.root;
        }
        self.families.first().map_or(NONE, |children| least(&children.0).1)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.places + usize::from(!self.vacant)
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.vacant && self.places == 0
    }

    /// Puts `key` into an empty heap.
    #[inline]
    pub(super) fn push_first(&mut self, key: u128) {
        (self.root, self.vacant) = (key, false);
    }

    #[inline]
    pub(super) fn push(&mut self, key: u128) {
        if self.vacant {
            self.vacant = false;
            self.sink(key);
            return;
        }
        let place = self.places;
        self.places += 1;
        if place / 4 == self.families.len() {
            self.families.push(Family([NONE; 4]));
        }
        self.rise(place, key);
    }

    /// Drops the least key.
    #[inline]
    pub(super) fn pop(&mut self) {
        if self.vacant {
            self.settle();
        }
        self.vacant = true;
    }

    /// Fills the vacant root from the far end.
    fn settle(&mut self) {
        let Some(place) = self.places.checked_sub(1) else { return };
        self.places = place;
        let last = std::mem::replace(&mut self.families[place / 4].0[place % 4], NONE);
        if place.is_multiple_of(4) {
            self.families.pop();
        }
        self.sink(last);
    }

    /// Moves all keys out, in no order.
    pub(super) fn drain_into(&mut self, keys: &mut Vec<u128>) {
        let families = std::mem::take(&mut self.families);
        keys.extend((!self.vacant).then_some(self.root));
        keys.extend(families.iter().flat_map(|family| family.0));
        keys.retain(|&key| key != NONE);
        *self = Self::default();
    }

    /// Puts `key` where it belongs between the empty `place` and the root.
    #[inline]
    fn rise(&mut self, mut place: usize, key: u128) {
        loop {
            let family = place / 4;
            let Some(parent) = family.checked_sub(1) else { break };
            let above = self.families[parent / 4].0[parent % 4];
            if above < key {
                self.families[family].0[place % 4] = key;
                return;
            }
            self.families[family].0[place % 4] = above;
            place = parent;
        }
        if self.root < key {
            self.families[0].0[place] = key;
        } else {
            self.families[0].0[place] = self.root;
            self.root = key;
        }
    }

    /// Puts `key` where it belongs between the empty root and the leaves.
    #[inline]
    fn sink(&mut self, key: u128) {
        let Some(children) = self.families.first() else {
            self.root = key;
            return;
        };
        let (mut place, child) = least(&children.0);
        if key < child {
            self.root = key;
            return;
        }
        self.root = child;
        while let Some(children) = self.families.get(place + 1) {
            let (index, child) = least(&children.0);
            if key < child {
                break;
            }
            self.families[place / 4].0[place % 4] = child;
            place = (place + 1) * 4 + index;
        }
        self.families[place / 4].0[place % 4] = key;
    }
}

/// The least of four keys, and where it stands. Without branches: which one it is cannot be foreseen.
#[inline]
fn least(family: &[u128; 4]) -> (usize, u128) {
    let low = usize::from(family[1] < family[0]);
    let high = 2 + usize::from(family[3] < family[2]);
    let index = if family[high] < family[low] { high } else { low };
    (index, family[index])
}
