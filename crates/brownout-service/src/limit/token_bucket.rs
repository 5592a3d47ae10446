//! `token_bucket`: so many at once, and so many a second in the long run.

use std::num::NonZeroU64;

use super::meter::{Meter, Room};

/// A bucket that holds `burst` and is refilled all the time. Full at first.
///
/// Exact: what is missing is counted in thousandths of a unit times nanoseconds, so nothing is ever rounded away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBucket {
    /// How fast it is refilled.
    pub refill: Refill,
    /// The most it holds, in thousandths.
    pub burst: NonZeroU64,
}

/// An amount in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refill {
    /// In thousandths.
    pub amount: NonZeroU64,
    /// In nanoseconds.
    pub per_ns: NonZeroU64,
}

/// What is missing from a full bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missing {
    /// Thousandths times `per_ns`: each nanosecond takes `amount` off.
    scaled: u128,
    /// When that was so.
    at: u64,
}

impl TokenBucket {
    fn missing(&self, state: &Missing, now: u64) -> u128 {
        let refilled = u128::from(self.refill.amount.get()) * u128::from(now.saturating_sub(state.at));
        state.scaled.saturating_sub(refilled)
    }

    /// How long it takes to refill what is `scaled`.
    fn time(&self, scaled: u128) -> u64 {
        u64::try_from(scaled.div_ceil(u128::from(self.refill.amount.get()))).unwrap_or(u64::MAX)
    }

    fn scaled(&self, amount: u64) -> u128 {
        u128::from(amount) * u128::from(self.refill.per_ns.get())
    }

    /// How long an empty bucket takes to be full, in nanoseconds.
    pub(crate) fn fills_in(&self) -> u64 {
        self.time(self.scaled(self.burst.get()))
    }
}

impl Meter for TokenBucket {
    type State = Missing;

    fn fresh(&self) -> Missing {
        Missing { scaled: 0, at: 0 }
    }

    fn room(&self, state: &mut Missing, now: u64, amount: u64) -> Room {
        let (missing, burst) = (self.missing(state, now), self.scaled(self.burst.get()));
        let left = burst.saturating_sub(missing) / u128::from(self.refill.per_ns.get());
        let lacking = (missing + self.scaled(amount)).saturating_sub(burst);
        Room::of(u64::try_from(left).unwrap_or(u64::MAX), amount, || self.time(lacking), self.time(missing))
    }

    fn take(&self, state: &mut Missing, now: u64, amount: u64) {
        let missing = self.missing(state, now);
        *state = Missing { scaled: missing + self.scaled(amount), at: now.max(state.at) };
    }

    fn is_fresh(&self, state: &Missing, now: u64) -> bool {
        self.missing(state, now) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::meter::{Meter, Wait};
    use super::{Refill, TokenBucket};
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;
    const DAY: u64 = 24 * 3600 * SECOND;
    const YEAR: u64 = 365 * DAY;

    fn bucket(amount: u64, per_ns: u64, burst: u64) -> TokenBucket {
        let refill = Refill { amount: amount.try_into().unwrap(), per_ns: per_ns.try_into().unwrap() };
        TokenBucket { refill, burst: burst.try_into().unwrap() }
    }

    #[test]
    fn a_burst_then_one_at_a_time() {
        let bucket = bucket(100_000, SECOND, 3_000);
        let mut state = bucket.fresh();
        for left in [3_000, 2_000, 1_000] {
            let room = bucket.room(&mut state, 5, 1_000);
            assert_eq!((room.wait, room.left), (Wait::Not, left));
            bucket.take(&mut state, 5, 1_000);
        }
        assert_eq!(bucket.room(&mut state, 5, 1_000).wait, Wait::For(10_000_000));
        assert_eq!(bucket.room(&mut state, 5 + 9_999_999, 1_000).wait, Wait::For(1));
        assert_eq!(bucket.room(&mut state, 5 + 10_000_000, 1_000).wait, Wait::Not);
    }

    /// Seven in three days, for 82 years: exactly as many as that, though they fall between the nanoseconds.
    #[test]
    fn nothing_is_lost_over_the_years() {
        let bucket = bucket(7_000, 3 * DAY, 2_000);
        let (mut state, mut now) = (bucket.fresh(), 0);
        bucket.take(&mut state, 0, 2_000);
        for _ in 0..70_000 {
            let Wait::For(wait) = bucket.room(&mut state, now, 1_000).wait else { panic!("it is empty") };
            now += wait;
            bucket.take(&mut state, now, 1_000);
        }
        // Waits are whole nanoseconds; what each of them brings too much is kept for the next.
        assert_eq!(now, 30_000 * DAY);
        // Left alone for a century it is full, no more.
        let room = bucket.room(&mut state, now + 100 * YEAR, 1_000);
        assert_eq!((room.left, room.whole_in), (2_000, Some(0)));
        assert!(bucket.is_fresh(&state, now + 100 * YEAR));
    }

    proptest! {
        /// Against a bucket whose refill is added up from the list of all that was taken, in whole numbers.
        #[test]
        fn it_is_the_bucket_of_the_textbook(
            amount in 1_u64..5_000, per_ns in 1_u64..2_000, burst in 1_u64..20_000,
            asks in prop::collection::vec((0_u64..2_000, 0_u64..20_000), 1..100),
        ) {
            let bucket = bucket(amount, per_ns, burst);
            let (mut state, mut now, mut taken) = (bucket.fresh(), 0, Vec::<(u64, u64)>::new());
            for (gap, cost) in asks {
                now += gap;
                let cost = cost.min(burst);
                // Level at each taking, in thousandths times per_ns: the refill since, cut at the burst.
                let (full, mut level, mut at) = (u128::from(burst) * u128::from(per_ns), u128::from(burst) * u128::from(per_ns), 0);
                for (then, cost) in taken.iter().chain([&(now, 0)]) {
                    level = (level + u128::from(amount) * u128::from(then - at)).min(full);
                    level -= u128::from(*cost) * u128::from(per_ns);
                    at = *then;
                }
                let enough = u128::from(cost) * u128::from(per_ns) <= level;
                let room = bucket.room(&mut state, now, cost);
                prop_assert_eq!(room.wait == Wait::Not, enough);
                prop_assert_eq!(u128::from(room.left), level / u128::from(per_ns));
                if let Wait::For(wait) = room.wait {
                    prop_assert_eq!(bucket.room(&mut state, now + wait, cost).wait, Wait::Not);
                    prop_assert_ne!(bucket.room(&mut state, now + wait - 1, cost).wait, Wait::Not);
                } else {
                    bucket.take(&mut state, now, cost);
                    taken.push((now, cost));
                }
            }
        }
    }
}
