//! The state of a capacity: who is worked on and who waits.

use std::collections::VecDeque;

use super::{Capacity, Order};

/// What becomes of a request that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A worker takes it at once.
    Started,
    /// It waits.
    Queued,
    /// It is not taken.
    Shed,
}

/// Workers and waiting requests. `J` names a request, as its driver likes.
///
/// It holds no clock: a driver says when a request [arrives](Self::enter), when work is [finished](Self::finish), when one
/// that waits has [left](Self::leave), and then asks [who is next](Self::next).
#[derive(Clone, Debug)]
pub struct Station<J> {
    busy: u32,
    waiting: u32,
    /// In the order they came; some may have left since.
    line: VecDeque<J>,
}

impl<J> Default for Station<J> {
    fn default() -> Self {
        Self { busy: 0, waiting: 0, line: VecDeque::new() }
    }
}

impl<J: Copy> Station<J> {
    /// A request arrives while there are `workers`.
    pub fn enter(&mut self, rule: &Capacity, workers: u32, job: J) -> Entry {
        if self.busy < workers && self.waiting == 0 {
            self.busy += 1;
            return Entry::Started;
        }
        if rule.queue.length.is_some_and(|length| length <= self.waiting) {
            return Entry::Shed;
        }
        self.waiting += 1;
        self.line.push_back(job);
        Entry::Queued
    }

    /// A worker is done with a request.
    pub const fn finish(&mut self) {
        self.busy -= 1;
    }

    /// One that waited has left the queue; `waits` from now on says no for it.
    pub fn leave(&mut self, waits: impl Fn(J) -> bool) {
        self.waiting -= 1;
        // What left stays in line until it is reached; a last-come line might never reach it.
        if self.line.len() > 64 && self.line.len() / 4 > self.waiting as usize {
            self.line.retain(|job| waits(*job));
        }
    }

    /// Who is started now, where a worker is free and somebody waits. `waits` tells who is still there.
    pub fn next(&mut self, rule: &Capacity, workers: u32, waits: impl Fn(J) -> bool) -> Option<J> {
        if workers <= self.busy || self.waiting == 0 {
            return None;
        }
        loop {
            let job = match rule.queue.order {
                Order::Fifo => self.line.pop_front(),
                Order::Lifo => self.line.pop_back(),
            }?;
            if waits(job) {
                self.waiting -= 1;
                self.busy += 1;
                return Some(job);
            }
        }
    }

    /// How many are worked on.
    #[must_use]
    pub const fn busy(&self) -> u32 {
        self.busy
    }

    /// How many wait.
    #[must_use]
    pub const fn waiting(&self) -> u32 {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Station};
    use crate::{Abandoned, Capacity, Order, Queue, Shed};
    use brownout_draw::Distribution;
    use proptest::prelude::*;
    use std::time::Duration;

    fn rule(workers: u32, length: Option<u32>, order: Order) -> Capacity {
        Capacity {
            workers: workers.try_into().unwrap(),
            service_time: Distribution::fixed(Duration::from_secs(1)),
            queue: Queue { length, order, patience: None },
            shed: Shed::default(),
            abandoned: Abandoned::KeepWorking,
        }
    }

    #[track_caller]
    fn check(order: Order, expected: [u32; 3]) {
        let rule = rule(1, Some(3), order);
        let mut station = Station::default();
        let entries: Vec<_> = (1..=5).map(|job| station.enter(&rule, 1, job)).collect();
        assert_eq!(entries, [Entry::Started, Entry::Queued, Entry::Queued, Entry::Queued, Entry::Shed]);
        let started = [(); 3].map(|()| {
            station.finish();
            station.next(&rule, 1, |_| true).unwrap()
        });
        assert_eq!(started, expected);
        station.finish();
        assert_eq!((station.next(&rule, 1, |_| true), station.busy(), station.waiting()), (None, 0, 0));
    }

    #[test]
    fn who_waits_is_served_in_the_order_of_the_queue() {
        check(Order::Fifo, [2, 3, 4]);
        check(Order::Lifo, [4, 3, 2]);
    }

    #[test]
    fn who_left_is_passed_over_and_makes_room() {
        let rule = rule(1, Some(2), Order::Fifo);
        let mut station = Station::default();
        (1..=3).for_each(|job| _ = station.enter(&rule, 1, job));
        assert_eq!(station.enter(&rule, 1, 4), Entry::Shed);
        station.leave(|job| job != 2);
        assert_eq!(station.enter(&rule, 1, 5), Entry::Queued);
        station.finish();
        assert_eq!(station.next(&rule, 1, |job| job != 2), Some(3));
    }

    #[test]
    fn fewer_workers_start_nobody_until_enough_have_finished() {
        let rule = rule(2, None, Order::Fifo);
        let mut station = Station::default();
        (1..=3).for_each(|job| _ = station.enter(&rule, 2, job));
        station.finish();
        assert_eq!(station.next(&rule, 1, |_| true), None);
        station.finish();
        assert_eq!(station.next(&rule, 1, |_| true), Some(3));
        assert_eq!(station.enter(&rule, 0, 4), Entry::Queued);
    }

    proptest! {
        /// No idle worker while a request waits, no queue over its bound, nobody lost.
        #[test]
        fn work_is_conserved(
            workers in 1_u32..4, length in prop::option::of(0_u32..4), lifo in any::<bool>(),
            steps in prop::collection::vec(0_u8..3, 0..200),
        ) {
            let rule = rule(workers, length, if lifo { Order::Lifo } else { Order::Fifo });
            let mut station = Station::default();
            let mut waits: Vec<bool> = Vec::new();
            let mut done = 0;
            let mut shed = 0;
            let mut left = 0;
            for step in steps {
                match step {
                    0 => {
                        let entry = station.enter(&rule, workers, waits.len());
                        waits.push(entry == Entry::Queued);
                        shed += u32::from(entry == Entry::Shed);
                    }
                    1 if station.busy() > 0 => {
                        station.finish();
                        done += 1;
                    }
                    2 => if let Some(job) = waits.iter().position(|waits| *waits) {
                        waits[job] = false;
                        station.leave(|job| waits[job]);
                        left += 1;
                    },
                    _ => {}
                }
                while let Some(job) = station.next(&rule, workers, |job| waits[job]) {
                    prop_assert!(std::mem::take(&mut waits[job]));
                }
                prop_assert!(station.busy() <= workers);
                prop_assert!(station.waiting() == 0 || station.busy() == workers);
                prop_assert!(length.is_none_or(|length| station.waiting() <= length));
                let arrived = u32::try_from(waits.len()).unwrap();
                prop_assert_eq!(arrived, done + shed + left + station.busy() + station.waiting());
            }
        }
    }
}
