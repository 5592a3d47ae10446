//! The events that are still to come, in the order in which they will happen.
//!
//! ```
//! use brownout_sim::queue::{Fired, Queue};
//!
//! let mut queue = Queue::<1>::new();
//! let answer = queue.push(700, 1);
//! let time_out = queue.push_lane(0, 500, 2);
//! assert_eq!(queue.pop(), Some(Fired { at: 500, ticket: time_out, event: 2 }));
//! assert_eq!(queue.pop(), Some(Fired { at: 700, ticket: answer, event: 1 }));
//! assert_eq!(queue.pop(), None);
//! ```
//!
//! What is decided here: the order, which is total. The earlier time goes first, and of equal times the event
//! that was pushed first. What is left out: what an event means, and whether it still matters. Nothing is ever
//! taken back; a caller that no longer waits for a [`Ticket`] skips the event when it fires.
//!
//! # How the order is kept
//!
//! An event is one `u128` key: 64 bits of time, 36 of sequence, 28 of event. Keys are unique and sort as events
//! do, so every structure that holds them gives the same order, and the choice between them is one of speed only:
//!
//! - **Lanes** are for delays that are always the same, as time-outs mostly are. Equal delays end in the order in
//!   which they began, so a ring buffer is enough.
//! - A **heap** holds the rest while there is little of it, and all of it is in a near cache.
//! - Above [`SPREAD_ABOVE`] events a heap has too many steps to take, and later a cache miss with each of them. Events
//!   beyond a horizon then go to a **radix** of buckets, which moves keys in long runs. The heap keeps what is due
//!   before the horizon.

mod heap;
mod lane;
mod radix;

use std::num::NonZeroU64;

use heap::Heap;
use lane::Lane;
use radix::Radix;

/// How many bits of a key an event may fill; the kind and the slot are packed by the caller.
pub const EVENT_BITS: u32 = 28;

/// How many bits of a key count the events of a run: 68 thousand million, some hours of pushing at full speed.
pub const SEQUENCE_BITS: u32 = 64 - EVENT_BITS;

/// Pending events, lanes not counted, above which those far ahead leave the heap: measured, a radix overtakes it
/// between 1,000 and 10,000. They return at a quarter of it, so that a number that hovers about the threshold does not
/// move everything over and over.
pub const SPREAD_ABOVE: usize = 4_096;

/// In the place of a key where there is none. No event has it: the sequence ends one before.
const NONE: u128 = u128::MAX;

/// The number of an event: the first one pushed has 1, and no two in a run have the same.
///
/// Whoever waits for a timer keeps its ticket. A timer that fires with another one is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub NonZeroU64);

/// An event whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fired {
    /// When, in nanoseconds since the beginning of the run.
    pub at: u64,
    /// Which one, as [`Queue::push`] named it.
    pub ticket: Ticket,
    /// What, as the caller packed it: at most [`EVENT_BITS`] bits.
    pub event: u32,
}

/// The event queue of one run in virtual time.
///
/// It has `LANES` lanes, numbered from 0. Each pop looks at every lane: a few are quick, more than eight are not.
#[derive(Clone, Debug)]
pub struct Queue<const LANES: usize> {
    /// Keys up to the horizon of `far`; all of them while that one is closed.
    near: Heap,
    /// Keys beyond the horizon.
    far: Radix,
    lanes: [Lane; LANES],
    /// The key popped last. Every pending key is greater.
    last: u128,
    pushed: u64,
    popped: u64,
    spread_above: usize,
}

impl<const LANES: usize> Default for Queue<LANES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const LANES: usize> Queue<LANES> {
    /// A queue without events.
    #[must_use]
    pub fn new() -> Self {
        Self::with_threshold(SPREAD_ABOVE)
    }

    /// The same with another threshold than [`SPREAD_ABOVE`].
    fn with_threshold(spread_above: usize) -> Self {
        Self {
            near: Heap::default(),
            far: Radix::default(),
            lanes: std::array::from_fn(|_| Lane::default()),
            last: 0,
            pushed: 0,
            popped: 0,
            spread_above,
        }
    }

    /// Lets `event` happen at `at` nanoseconds, after all that was pushed for that time before.
    ///
    /// A time before that of the last [`pop`](Self::pop) is a bug of the caller: a debug build panics, a release
    /// build takes the time of that pop. So is an event of more than [`EVENT_BITS`] bits.
    ///
    /// # Panics
    ///
    /// When the run has used up its [`SEQUENCE_BITS`]; the order would be wrong from there on.
    #[inline]
    pub fn push(&mut self, at: u64, event: u32) -> Ticket {
        let (key, ticket) = self.key(at, event);
        self.insert(key);
        ticket
    }

    /// As [`push`](Self::push), for an event whose delay is the same as that of all others in `lane`.
    ///
    /// It costs no more than a few instructions as long as that is true. An event due before one that is already in
    /// the lane is pushed without it.
    ///
    /// # Panics
    ///
    /// As [`push`](Self::push), and when there is no such lane.
    #[inline]
    pub fn push_lane(&mut self, lane: usize, at: u64, event: u32) -> Ticket {
        let (key, ticket) = self.key(at, event);
        if !self.lanes[lane].push(key) {
            self.insert(key);
        }
        ticket
    }

    /// Takes the next event out; `None` when there is none left.
    #[expect(clippy::inline_always, reason = "one call for each event of a run: apart, 20 instructions each more")]
    #[inline(always)]
    pub fn pop(&mut self) -> Option<Fired> {
        if self.is_empty() {
            return None;
        }
        let mut key = self.near.top();
        let mut from = LANES;
        for (place, lane) in self.lanes.iter().enumerate() {
            if lane.head() < key {
                (key, from) = (lane.head(), place);
            }
        }
        let far = self.far.top();
        if far < key {
            key = far;
            self.far.pop();
        } else if let Some(lane) = self.lanes.get_mut(from) {
            lane.pop();
        } else {
            self.near.pop();
        }
        self.last = key;
        self.popped += 1;
        if self.far.is_open() && self.near.len() + self.far.len() <= self.spread_above / 4 {
            self.gather();
        }
        Some(unpack(key))
    }

    /// When the next event is due, in nanoseconds; `None` when there is none left.
    #[must_use]
    pub fn next_at(&self) -> Option<u64> {
        let least = self.lanes.iter().map(Lane::head).fold(self.near.top().min(self.far.top()), u128::min);
        (least != NONE).then(|| at_of(least))
    }

    /// How many events are still to come.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.pushed - self.popped
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events were pushed since the beginning of the run.
    #[must_use]
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Gives out the next ticket, and the key that holds it.
    #[inline]
    fn key(&mut self, at: u64, event: u32) -> (u128, Ticket) {
        let now = at_of(self.last);
        debug_assert!(now <= at, "an event at {at} ns was pushed when it was {now} ns already");
        debug_assert!(event >> EVENT_BITS == 0, "event {event:#x} has more than {EVENT_BITS} bits");
        let sequence = NonZeroU64::MIN.saturating_add(self.pushed);
        assert!(sequence.get() < (1 << SEQUENCE_BITS) - 1, "the run has pushed more events than a key can count");
        self.pushed += 1;
        let key = u128::from(at.max(now)) << 64 | u128::from(sequence.get() << EVENT_BITS | u64::from(event));
        (key, Ticket(sequence))
    }

    #[inline]
    fn insert(&mut self, key: u128) {
        // What a small model does all the time.
        if !self.far.is_open() && self.near.is_empty() {
            return self.near.push_first(key);
        }
        self.insert_among(key);
    }

    fn insert_among(&mut self, key: u128) {
        if self.far.takes(key) {
            self.far.push(key);
        } else {
            self.near.push(key);
            // The eighth keeps the moves to a few for each push, however much is beyond the horizon already.
            if self.spread_above + self.far.len() / 8 < self.near.len() {
                self.spread();
            }
        }
    }

    /// Moves the horizon to where the run is now. This is the way up across the threshold. It is also the way out
    /// when the horizon turns out to be so far ahead that the heap holds too much once more.
    #[cold]
    fn spread(&mut self) {
        let keys = self.drain();
        // Only the very first event can be where the run is: its key may be 0.
        let floor = self.last;
        keys.iter().filter(|&&key| key <= floor).for_each(|&key| self.near.push(key));
        self.far.open(floor, keys.into_iter().filter(|&key| floor < key));
    }

    /// Returns everything to the heap.
    #[cold]
    fn gather(&mut self) {
        for key in self.drain() {
            self.near.push(key);
        }
    }

    /// Takes out all that is not in a lane, in no order. The horizon is where no key can be beyond it.
    fn drain(&mut self) -> Vec<u128> {
        let mut keys = Vec::with_capacity(self.near.len() + self.far.len());
        self.near.drain_into(&mut keys);
        self.far.close_into(&mut keys);
        keys
    }
}

#[inline]
const fn at_of(key: u128) -> u64 {
    (key >> 64) as u64
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the fields of a key are cut out of it")]
fn unpack(key: u128) -> Fired {
    let low = key as u64;
    // Only the key that stands for the beginning of the run has the number 0, and nobody is handed that.
    let sequence = NonZeroU64::new(low >> EVENT_BITS).unwrap_or(NonZeroU64::MIN);
    Fired { at: at_of(key), ticket: Ticket(sequence), event: low as u32 & ((1 << EVENT_BITS) - 1) }
}

#[cfg(test)]
mod tests;
