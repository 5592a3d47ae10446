//! `concurrency`: so many at once.

use std::num::NonZeroU32;

use super::meter::{Meter, Room, Wait};

/// At most so many requests under way, from their arrival until the service is done with them. Each counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency(pub NonZeroU32);

impl Meter for Concurrency {
    /// How many are under way.
    type State = u32;

    fn fresh(&self) -> u32 {
        0
    }

    fn room(&self, under_way: &mut u32, _: u64, _: u64) -> Room {
        let left = self.0.get().saturating_sub(*under_way);
        let wait = if left > 0 { Wait::Not } else { Wait::Unknown };
        Room { wait, left: u64::from(left) * 1000, whole_in: None }
    }

    fn take(&self, under_way: &mut u32, _: u64, _: u64) {
        *under_way += 1;
    }

    fn give_back(&self, under_way: &mut u32) {
        *under_way = under_way.saturating_sub(1);
    }

    fn is_fresh(&self, under_way: &u32, _: u64) -> bool {
        *under_way == 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::meter::{Keyed, Limiter, Wait};
    use super::Concurrency;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_more_than_the_limit_and_never_fewer_where_more_come(
            limit in 1_u32..5, steps in prop::collection::vec((0_u64..3, any::<bool>()), 1..300),
        ) {
            let mut limiter = Keyed::new(Concurrency(limit.try_into().unwrap()));
            let mut under_way: Vec<Vec<_>> = vec![vec![]; 3];
            for (now, (key, comes)) in (0..).zip(steps) {
                let own = &mut under_way[usize::try_from(key).unwrap()];
                if !comes {
                    own.pop().into_iter().for_each(|owner| limiter.give_back(owner));
                    continue;
                }
                let room = limiter.room(key, now, 1_000).wait == Wait::Not;
                prop_assert_eq!(room, own.len() < limit as usize);
                if room {
                    own.push(limiter.take(key, now, 1_000));
                }
            }
        }
    }
}
