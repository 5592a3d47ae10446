//! Draws of consecutive keys, many at a time.

use crate::{Seed, Stream, draw_pair};

/// How many keys a row has.
pub const ROW: usize = 32;

/// [`draw_pair`] of [`ROW`] keys, from `first` on, into the `row` of the ones and that of the others. The blocks do not wait for
/// each other, which more than halves what one costs.
pub fn draw_row(seed: Seed, stream: Stream, first: u64, index: u32, row: (&mut [u64; ROW], &mut [u64; ROW])) {
    let mut key = first;
    for (one, other) in row.0.iter_mut().zip(row.1) {
        (*one, *other) = draw_pair(seed, stream, key, index);
        key = key.wrapping_add(1);
    }
}

/// Values of keys that are mostly asked for in order, made a row ahead. Where a value comes from changes nothing about it.
#[derive(Clone, Debug)]
pub struct Ahead {
    values: [u64; ROW],
    /// The first key after the row.
    end: u64,
    /// Whether the row was made at all.
    made: bool,
    /// How many of its values were asked for.
    used: usize,
}

impl Default for Ahead {
    fn default() -> Self {
        Self { values: [0; ROW], end: 0, made: false, used: 0 }
    }
}

impl Ahead {
    /// The value of `key`: out of a row, which `row` makes from its first key on, or made `alone`.
    #[inline]
    pub fn get(&mut self, key: u64, row: impl FnOnce(u64, &mut [u64; ROW]), alone: impl FnOnce() -> u64) -> u64 {
        if self.end <= key {
            self.turn(key, row);
        }
        // Of a key before the row, which is rare, this is out of range.
        let place = key.wrapping_sub(self.end).wrapping_add(ROW as u64);
        match self.values.get(usize::try_from(place).unwrap_or(ROW)) {
            Some(value) if self.made => {
                self.used += 1;
                *value
            }
            _ => alone(),
        }
    }

    /// Goes on to the row that begins with `key`. After one of which little was used, as when keys jump, it is not made.
    fn turn(&mut self, key: u64, row: impl FnOnce(u64, &mut [u64; ROW])) {
        self.made = !self.made || ROW / 4 <= self.used;
        (self.end, self.used) = (key.saturating_add(ROW as u64), 0);
        if self.made {
            row(key, &mut self.values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ahead, ROW, draw_row};
    use crate::{Seed, Stream, draw, draw_pair};
    use proptest::prelude::*;

    #[test]
    fn a_row_holds_what_each_draw_gives() {
        for first in [0, 1, u64::from(u32::MAX) - 3, u64::MAX - 5] {
            let (mut one, mut other) = ([0; ROW], [0; ROW]);
            draw_row(Seed(7), Stream::WORK, first, 3, (&mut one, &mut other));
            for place in 0..ROW {
                let key = first.wrapping_add(place as u64);
                assert_eq!((one[place], other[place]), draw_pair(Seed(7), Stream::WORK, key, 3));
            }
        }
    }

    /// How many values were made alone, of those of these keys.
    fn alone(keys: impl Iterator<Item = u64>) -> usize {
        let (mut ahead, mut count) = (Ahead::default(), 0);
        for key in keys {
            let single = || {
                count += 1;
                draw(Seed(1), Stream::WORK, key, 1)
            };
            let row = |first, row: &mut _| draw_row(Seed(1), Stream::WORK, first, 1, (row, &mut [0; ROW]));
            let value = ahead.get(key, row, single);
            assert_eq!(value, draw(Seed(1), Stream::WORK, key, 1));
        }
        count
    }

    #[test]
    fn keys_in_order_come_out_of_rows_and_keys_that_jump_do_not() {
        assert_eq!(alone(1..=1000), 0);
        // Of each pair, the second is before the row that the first one began.
        assert_eq!(alone((1..=1000).map(|key| key ^ 1)), 1000 / ROW);
        assert!(alone((1..=1000).map(|key| key * 100)) >= 499);
        assert!(alone((1..=1000).rev()) > 900);
    }

    proptest! {
        #[test]
        fn any_order_gives_the_same_values(keys in prop::collection::vec(0_u64..200, 0..300)) {
            alone(keys.into_iter());
        }
    }
}
