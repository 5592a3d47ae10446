//! `fixed_window`: so many in each window of the clock.

use std::num::NonZeroU64;

use super::meter::{Meter, Room};

/// At most `count` in each window. Windows follow each other from the start of the run, for all callers alike, so that twice
/// as much can come around the end of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedWindow {
    /// In thousandths.
    pub count: NonZeroU64,
    /// How long a window lasts, in nanoseconds.
    pub window_ns: NonZeroU64,
}

/// What was taken in a window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    window: u64,
    amount: u64,
}

impl FixedWindow {
    fn taken(&self, state: &Taken, now: u64) -> u64 {
        if now / self.window_ns > state.window { 0 } else { state.amount }
    }
}

impl Meter for FixedWindow {
    type State = Taken;

    fn fresh(&self) -> Taken {
        Taken::default()
    }

    fn room(&self, state: &mut Taken, now: u64, amount: u64) -> Room {
        let left = self.count.get().saturating_sub(self.taken(state, now));
        let over_in = self.window_ns.get() - now % self.window_ns;
        Room::of(left, amount, || over_in, over_in)
    }

    fn take(&self, state: &mut Taken, now: u64, amount: u64) {
        let amount = self.taken(state, now).saturating_add(amount);
        *state = Taken { window: state.window.max(now / self.window_ns), amount };
    }

    fn is_fresh(&self, state: &Taken, now: u64) -> bool {
        self.taken(state, now) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::meter::{Meter, Wait};
    use super::FixedWindow;
    use proptest::prelude::*;

    fn window(count: u64, window_ns: u64) -> FixedWindow {
        FixedWindow { count: count.try_into().unwrap(), window_ns: window_ns.try_into().unwrap() }
    }

    #[test]
    fn twice_as_many_come_around_a_boundary() {
        let window = window(5_000, 1_000);
        let mut state = window.fresh();
        let mut let_in = |now| {
            let room = window.room(&mut state, now, 1_000).wait == Wait::Not;
            if room {
                window.take(&mut state, now, 1_000);
            }
            room
        };
        let times: Vec<u64> = (990..1_010).filter(|now| let_in(*now)).collect();
        assert_eq!(times, [990, 991, 992, 993, 994, 1_000, 1_001, 1_002, 1_003, 1_004]);
    }

    #[test]
    fn it_tells_when_the_window_is_over() {
        let window = window(1_000, 1_000);
        let mut state = window.fresh();
        window.take(&mut state, 1_300, 1_000);
        assert_eq!(window.room(&mut state, 1_400, 1).wait, Wait::For(600));
        assert_eq!(window.room(&mut state, 2_000, 1_000).wait, Wait::Not);
    }

    proptest! {
        #[test]
        fn it_counts_what_the_list_of_all_requests_says(
            count in 1_u64..10_000, window_ns in 1_u64..1_000,
            asks in prop::collection::vec((0_u64..500, 0_u64..10_000), 1..200),
        ) {
            let window = window(count, window_ns);
            let (mut state, mut now, mut taken) = (window.fresh(), 0, Vec::new());
            for (gap, cost) in asks {
                now += gap;
                let cost = cost.min(count);
                let used: u64 = taken.iter().filter(|(at, _)| at / window_ns == now / window_ns).map(|(_, cost)| cost).sum();
                let room = window.room(&mut state, now, cost);
                prop_assert_eq!(room.left, count - used);
                prop_assert_eq!(room.wait == Wait::Not, used + cost <= count);
                if room.wait == Wait::Not {
                    window.take(&mut state, now, cost);
                    taken.push((now, cost));
                }
                prop_assert_eq!(window.is_fresh(&state, now), taken.iter().all(|(at, cost)| *cost == 0 || at / window_ns < now / window_ns));
            }
        }
    }
}
