//! One weighted choice from one draw.

/// Whole-number weights to choose from.
///
/// A choice is exact: of the 2^64 possible draws, each choice owns its share to within one draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Running sums; the last is the total.
    cumulative: Vec<u64>,
}

/// What a draw picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The place of the choice in the list of weights.
    pub index: usize,
    /// What is left of the draw, again uniform over `u64`: lets one draw serve a choice and what follows it.
    pub rest: u64,
}

impl Weights {
    /// From weights of any scale; `None` when they add up to nothing, or to more than `u64` holds.
    #[must_use]
    pub fn new(weights: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut total = 0_u64;
        let mut cumulative = Vec::new();
        for weight in weights {
            total = total.checked_add(weight)?;
            cumulative.push(total);
        }
        (total > 0).then_some(Self { cumulative })
    }

    /// The sum of all weights.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or(0)
    }

    /// The weight at `index`, 0 when there is none.
    #[must_use]
    pub fn weight(&self, index: usize) -> u64 {
        let Some(end) = self.cumulative.get(index) else { return 0 };
        end - self.start(index)
    }

    /// The place of the choice at a uniform `draw`. A weight of 0 is never chosen.
    #[must_use]
    pub fn choose(&self, draw: u64) -> usize {
        let place = ((u128::from(draw) * u128::from(self.total())) >> 64) as u64;
        // A handful of weights: a scan beats a search.
        self.cumulative.iter().position(|end| place < *end).unwrap_or(0)
    }

    /// The choice at a uniform `draw`, and what it leaves of the draw.
    #[must_use]
    pub fn pick(&self, draw: u64) -> Pick {
        let index = self.choose(draw);
        let into = u128::from(draw) * u128::from(self.total()) - (u128::from(self.start(index)) << 64);
        #[expect(clippy::cast_possible_truncation, reason = "below weight * 2^64, so the quotient is below 2^64")]
        let rest = (into / u128::from(self.weight(index))) as u64;
        Pick { index, rest }
    }

    fn start(&self, index: usize) -> u64 {
        index.checked_sub(1).map_or(0, |before| self.cumulative[before])
    }
}

#[cfg(test)]
mod tests {
    use super::{Pick, Weights};
    use crate::{Seed, Stream, draw};
    use proptest::prelude::*;

    #[test]
    fn the_whole_range_of_a_draw_is_shared_out_in_order() {
        let weights = Weights::new([1, 0, 3]).unwrap();
        assert_eq!(weights.pick(0), Pick { index: 0, rest: 0 });
        assert_eq!(weights.pick((1 << 62) - 1).index, 0);
        assert_eq!(weights.pick(1 << 62), Pick { index: 2, rest: 0 });
        assert_eq!(weights.pick(u64::MAX).index, 2);
    }

    #[test]
    fn nothing_to_choose_from_is_refused() {
        assert_eq!(Weights::new([]), None);
        assert_eq!(Weights::new([0, 0]), None);
        assert_eq!(Weights::new([u64::MAX, 1]), None);
    }

    #[test]
    fn the_rest_of_a_draw_is_uniform_again_within_each_choice() {
        let weights = Weights::new([1, 3]).unwrap();
        let mut above_half = [0_u32; 2];
        let mut picked = [0_u32; 2];
        for key in 0..100_000 {
            let pick = weights.pick(draw(Seed(5), Stream::OUTCOME, key, 0));
            picked[pick.index] += 1;
            above_half[pick.index] += u32::from(pick.rest > u64::MAX / 2);
        }
        // 25,000 and 75,000 expected, standard deviation 137; then halves of each.
        assert!(picked[0].abs_diff(25_000) < 685, "{picked:?}");
        assert!(above_half[0].abs_diff(picked[0] / 2) < 400, "{above_half:?}");
        assert!(above_half[1].abs_diff(picked[1] / 2) < 700, "{above_half:?}");
    }

    proptest! {
        #[test]
        fn no_draw_and_no_weights_panic_or_pick_a_zero(
            weights in prop::collection::vec(0_u64..=u64::MAX / 8, 1..8),
            draw in any::<u64>(),
        ) {
            if let Some(table) = Weights::new(weights.iter().copied()) {
                prop_assert!(weights[table.pick(draw).index] > 0);
            }
        }
    }
}
