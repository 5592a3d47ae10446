//! `sliding_window`: so many in any stretch of this length.

use std::collections::VecDeque;
use std::num::NonZeroU64;

use super::meter::{Meter, Room};

/// At most `count` in every stretch of `window_ns`, wherever it begins.
///
/// Exact for up to 256 requests in a window: each is remembered. Of more, those that come within a 256th of the window of each
/// other are remembered as one, at the time of the last. So memory is bounded, the promise holds all the same, and room comes
/// back by at most that much too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlidingWindow {
    /// In thousandths.
    pub count: NonZeroU64,
    /// How long the stretch is, in nanoseconds.
    pub window_ns: NonZeroU64,
}

/// From how many on requests are remembered together.
const APART_MAX: usize = 256;

/// What was taken in the last window, the oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<(u64, u64)>,
    sum: u64,
}

impl SlidingWindow {
    const fn is_over(&self, then: u64, now: u64) -> bool {
        then.saturating_add(self.window_ns.get()) <= now
    }

    fn forget(&self, log: &mut Log, now: u64) {
        while let Some(&(then, amount)) = log.entries.front()
            && self.is_over(then, now)
        {
            log.entries.pop_front();
            log.sum -= amount;
        }
    }
}

impl Meter for SlidingWindow {
    type State = Log;

    fn fresh(&self) -> Log {
        Log::default()
    }

    fn room(&self, log: &mut Log, now: u64, amount: u64) -> Room {
        self.forget(log, now);
        let left = self.count.get().saturating_sub(log.sum);
        let until = |then: u64| then.saturating_add(self.window_ns.get()).saturating_sub(now);
        let wait = || {
            let mut lacking = amount - left;
            let enough = |(_, amount): &&(u64, u64)| {
                lacking = lacking.saturating_sub(*amount);
                lacking == 0
            };
            log.entries.iter().find(enough).map_or(u64::MAX, |(then, _)| until(*then))
        };
        Room::of(left, amount, wait, log.entries.back().map_or(0, |(then, _)| until(*then)))
    }

    fn take(&self, log: &mut Log, now: u64, amount: u64) {
        if amount == 0 {
            return;
        }
        self.forget(log, now);
        log.sum = log.sum.saturating_add(amount);
        let near = self.window_ns.get() / APART_MAX as u64;
        let many = log.entries.len() >= APART_MAX;
        match log.entries.back_mut() {
            Some((then, taken)) if *then == now || (many && now.saturating_sub(*then) < near) => {
                *then = now.max(*then);
                *taken = taken.saturating_add(amount);
            }
            _ => log.entries.push_back((now, amount)),
        }
    }

    fn is_fresh(&self, log: &Log, now: u64) -> bool {
        log.entries.back().is_none_or(|(then, _)| self.is_over(*then, now))
    }
}

#[cfg(test)]
mod tests {
    use super::super::meter::{Meter, Wait};
    use super::{APART_MAX, SlidingWindow};
    use proptest::prelude::*;

    fn window(count: u64, window_ns: u64) -> SlidingWindow {
        SlidingWindow { count: count.try_into().unwrap(), window_ns: window_ns.try_into().unwrap() }
    }

    #[test]
    fn there_is_no_boundary_to_come_around() {
        let window = window(2_000, 100);
        let mut log = window.fresh();
        for (now, wait) in
            [(90, Wait::Not), (95, Wait::Not), (100, Wait::For(90)), (189, Wait::For(1)), (190, Wait::Not)]
        {
            assert_eq!(window.room(&mut log, now, 1_000).wait, wait, "{now}");
            if wait == Wait::Not {
                window.take(&mut log, now, 1_000);
            }
        }
        // Two units are there once the one of 95 and the one of 190 have left.
        assert_eq!(window.room(&mut log, 191, 2_000).wait, Wait::For(99));
        assert_eq!(window.room(&mut log, 191, 1_000).wait, Wait::For(4));
    }

    #[test]
    fn however_many_come_the_memory_is_bounded() {
        let window = window(u64::MAX, 1_000_000);
        let mut log = window.fresh();
        for now in 0..3_000_000 {
            window.take(&mut log, now, 1_000);
        }
        assert!(log.entries.len() <= 2 * APART_MAX + 2, "{}", log.entries.len());
    }

    proptest! {
        /// With so few nothing is remembered together, and the list of all requests says the same.
        #[test]
        fn it_counts_what_the_list_of_all_requests_says(
            count in 1_u64..10_000, window_ns in 1_u64..1_000,
            asks in prop::collection::vec((0_u64..300, 0_u64..6_000), 1..200),
        ) {
            let window = window(count, window_ns);
            let (mut log, mut now, mut taken) = (window.fresh(), 0, Vec::new());
            for (gap, cost) in asks {
                now += gap;
                let cost = cost.min(count);
                let used = |at: u64| taken.iter().filter(|(then, _)| *then <= at && at < then + window_ns).map(|(_, cost)| cost).sum::<u64>();
                let room = window.room(&mut log, now, cost);
                prop_assert_eq!(room.left, count - used(now));
                match room.wait {
                    Wait::For(wait) => {
                        prop_assert!(used(now + wait) + cost <= count);
                        prop_assert!(used(now + wait - 1) + cost > count);
                    }
                    _ => {
                        prop_assert!(used(now) + cost <= count);
                        window.take(&mut log, now, cost);
                        taken.push((now, cost));
                    }
                }
            }
        }

        /// Not even where requests are remembered together.
        #[test]
        fn no_stretch_ever_has_more_than_the_count(
            count in 300_u64..2_000, gaps in prop::collection::vec(0_u64..20, 1_000..3_000),
        ) {
            let window = window(count * 1_000, 5_000);
            let (mut log, mut now, mut taken) = (window.fresh(), 0, Vec::new());
            for gap in gaps {
                now += gap;
                if window.room(&mut log, now, 1_000).wait == Wait::Not {
                    window.take(&mut log, now, 1_000);
                    taken.push(now);
                }
            }
            for (index, from) in taken.iter().enumerate() {
                let within = taken[index..].iter().filter(|at| **at < from + 5_000).count() as u64;
                prop_assert!(within <= count, "{} from {}", within, from);
            }
        }
    }
}
