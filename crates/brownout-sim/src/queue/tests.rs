use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;

/// The queue beside the plainest thing that keeps the same order. Every step is made on both and compared.
struct Pair {
    queue: Queue<LANES>,
    oracle: BinaryHeap<Reverse<(u64, u64, u32)>>,
    now: u64,
    pushed: u64,
}

impl Pair {
    fn new(spread_above: usize) -> Self {
        Self { queue: Queue::with_threshold(spread_above), oracle: BinaryHeap::new(), now: 0, pushed: 0 }
    }

    fn push_after(&mut self, delay: u64, lane: Option<usize>) {
        let at = self.now.saturating_add(delay);
        // Not the number of the push, which the ticket has already: an event says nothing about the order.
        let event = (self.pushed.wrapping_mul(0x9E37_79B9) & 0xFFF_FFFF) as u32;
        let ticket = match lane {
            Some(lane) => self.queue.push_lane(lane, at, event),
            None => self.queue.push(at, event),
        };
        self.pushed += 1;
        assert_eq!(ticket.0.get(), self.pushed);
        self.oracle.push(Reverse((at, self.pushed, event)));
        self.agree();
    }

    fn pop(&mut self) {
        let fired = self.queue.pop();
        let expected = self.oracle.pop().map(|Reverse(it)| it);
        assert_eq!(fired.map(|Fired { at, ticket, event }| (at, ticket.0.get(), event)), expected);
        self.now = fired.map_or(self.now, |fired| fired.at);
        self.agree();
    }

    fn agree(&self) {
        assert_eq!(self.queue.len(), self.oracle.len() as u64);
        assert_eq!(self.queue.is_empty(), self.oracle.is_empty());
        assert_eq!(self.queue.pushed(), self.pushed);
        assert_eq!(self.queue.next_at(), self.oracle.peek().map(|Reverse((at, ..))| *at));
    }

    fn pop_all(&mut self) {
        while !self.oracle.is_empty() {
            self.pop();
        }
        self.pop();
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Push { delay: u64 },
    PushLane { lane: usize, delay: u64 },
    Pop,
    PopMany(usize),
    PushMany { count: u64, delay: u64 },
}

const LANES: usize = 3;
/// The constant delay of each lane; the last is none at all.
const LANE_DELAYS: [u64; LANES] = [1_000, 50, 0];

fn step() -> impl Strategy<Value = Step> {
    let delay = prop_oneof![
        2 => Just(0),
        4 => 0_u64..10,
        8 => 0_u64..1_000_000,
        2 => 0_u64..1 << 50,
        1 => Just(u64::MAX),
    ];
    prop_oneof![
        8 => delay.clone().prop_map(|delay| Step::Push { delay }),
        4 => (0..LANES).prop_map(|lane| Step::PushLane { lane, delay: LANE_DELAYS[lane] }),
        1 => (0..LANES, delay.clone()).prop_map(|(lane, delay)| Step::PushLane { lane, delay }),
        8 => Just(Step::Pop),
        1 => (1_usize..200).prop_map(Step::PopMany),
        1 => (1_u64..400, delay).prop_map(|(count, delay)| Step::PushMany { count, delay }),
    ]
}

fn check(spread_above: usize, steps: &[Step]) {
    let mut pair = Pair::new(spread_above);
    for &step in steps {
        match step {
            Step::Push { delay } => pair.push_after(delay, None),
            Step::PushLane { lane, delay } => pair.push_after(delay, Some(lane)),
            Step::Pop => pair.pop(),
            Step::PopMany(count) => (0..count).for_each(|_| pair.pop()),
            // Every second one for the same moment, the others ever further from it.
            Step::PushMany { count, delay } => (0..count).for_each(|place| {
                pair.push_after(delay.saturating_add(place % 2 * place * 1_000), None);
            }),
        }
    }
    pair.pop_all();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// From a radix that is open from the first event on to a heap that never gives anything away.
    #[test]
    fn the_order_is_that_of_a_plain_heap(
        spread_above in prop_oneof![Just(0_usize), 1_usize..50, 300_usize..1_000, Just(usize::MAX / 2)],
        steps in proptest::collection::vec(step(), 0..400),
    ) {
        check(spread_above, &steps);
    }

    /// As a run does it: each event that fires sets off another, so the number that is pending stays.
    #[test]
    fn the_order_holds_while_events_set_off_others(
        spread_above in 0_usize..2_000,
        pending in 1_u64..1_000,
        delays in proptest::collection::vec((0_u64..1 << 30, proptest::option::of(0..LANES)), 1..1_000),
    ) {
        let mut pair = Pair::new(spread_above);
        (0..pending).for_each(|place| pair.push_after(place * 1_000_003, None));
        for (delay, lane) in delays {
            pair.pop();
            pair.push_after(lane.map_or(delay, |lane| LANE_DELAYS[lane]), lane);
        }
        pair.pop_all();
    }
}

#[test]
fn equal_times_leave_in_the_order_in_which_they_came() {
    for spread_above in [0, 100, usize::MAX / 2] {
        let mut queue = Queue::<1>::with_threshold(spread_above);
        for event in 0..1_000 {
            if event % 3 == 0 {
                queue.push_lane(0, 7, event)
            } else {
                queue.push(7, event)
            };
        }
        let left: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|fired| fired.event).collect();
        assert_eq!(left, (0..1_000).collect::<Vec<_>>());
    }
}

#[test]
fn the_radix_opens_above_the_threshold_and_closes_at_a_quarter_of_it() {
    let mut pair = Pair::new(1_000);
    for _ in 0..3 {
        (0..1_000).for_each(|place| pair.push_after(place * 7_919 % 1_009, None));
        assert!(!pair.queue.far.is_open());
        (0..2_000).for_each(|place| pair.push_after(place * 7_919 % 100_003, None));
        assert!(pair.queue.far.is_open());
        (0..2_749).for_each(|_| pair.pop());
        assert!(pair.queue.far.is_open());
        pair.pop();
        assert!(!pair.queue.far.is_open());
        pair.pop_all();
    }
}

#[test]
fn a_horizon_far_ahead_is_brought_back() {
    let mut pair = Pair::new(100);
    (0..101).for_each(|place| pair.push_after(1_000_000_000 + place, None));
    (0..1_000).for_each(|place| pair.push_after(place % 500, None));
    assert!(pair.queue.near.len() <= 100 + pair.queue.far.len() / 8);
    assert!(pair.queue.far.len() >= 900);
    pair.pop_all();
}

#[test]
fn a_lane_holds_what_comes_in_order_and_nothing_else() {
    let mut pair = Pair::new(100);
    for (delay, in_heap) in [(10, 0), (10, 0), (20, 0), (19, 1), (20, 1), (0, 2)] {
        pair.push_after(delay, Some(0));
        assert_eq!(pair.queue.near.len(), in_heap);
    }
    pair.pop_all();
    // Emptied, the lane starts anew.
    pair.push_after(5, Some(0));
    assert_eq!(pair.queue.near.len(), 0);
    pair.pop_all();
}

#[test]
fn the_widest_event_and_the_last_moment_fit() {
    let (widest, mut queue) = ((1 << EVENT_BITS) - 1, Queue::<0>::new());
    let ticket = queue.push(u64::MAX, widest);
    assert_eq!(queue.pop(), Some(Fired { at: u64::MAX, ticket, event: widest }));
}

#[test]
#[cfg_attr(debug_assertions, should_panic(expected = "pushed when it was 10 ns already"))]
fn the_past_is_refused_or_taken_for_now() {
    let mut queue = Queue::<0>::new();
    queue.push(10, 0);
    queue.pop();
    let late = queue.push(9, 1);
    assert_eq!(queue.pop(), Some(Fired { at: 10, ticket: late, event: 1 }));
}

#[test]
#[should_panic(expected = "more events than a key can count")]
fn a_run_too_long_for_its_keys_is_stopped() {
    let mut queue = Queue::<0>::new();
    queue.pushed = (1 << SEQUENCE_BITS) - 2;
    queue.push(0, 0);
    queue.push(0, 0);
}
