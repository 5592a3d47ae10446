//! Many things of one kind, each in a numbered slot that is used again.

/// Slots for `T`. A slot is reused once it is given back; whoever might still hold its number must be able to tell.
#[derive(Clone, Debug)]
pub(super) struct Arena<T> {
    slots: Vec<T>,
    free: Vec<u32>,
}

impl<T> Arena<T> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// Puts `item` into a free slot; `None` when all `most` slots are taken.
    pub(super) fn insert(&mut self, item: T, most: u32) -> Option<u32> {
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = item;
            return Some(slot);
        }
        let slot = u32::try_from(self.slots.len()).ok().filter(|slot| *slot < most)?;
        self.slots.push(item);
        Some(slot)
    }

    /// Gives the slot back.
    pub(super) fn remove(&mut self, slot: u32) {
        self.free.push(slot);
    }

    /// Every slot there is, taken or not.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter()
    }
}

impl<T> std::ops::Index<u32> for Arena<T> {
    type Output = T;

    fn index(&self, slot: u32) -> &T {
        &self.slots[slot as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Arena<T> {
    fn index_mut(&mut self, slot: u32) -> &mut T {
        &mut self.slots[slot as usize]
    }
}
