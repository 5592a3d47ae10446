//! What a closed breaker has seen.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{SlotLength, Trip, TripWindow, reaches};
use crate::guard::window::Window;

const SLOTS: usize = 10;

/// Recent results, in the form that the rule judges by. Larger forms are boxed, so that a run of failures stays small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Results {
    /// Failures since the last success.
    Run(u32),
    Ring(Ring),
    Slots(Box<Window<Tally, SLOTS>>),
}

/// Results of a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    total: u32,
    failed: u32,
}

/// The last results, a bit each, set where one failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ring {
    bits: Box<[u64]>,
    /// Where the next result goes: in place of the oldest, once the ring is full.
    next: u32,
    total: u32,
    failed: u32,
}

impl Results {
    pub(super) fn new(trip: Trip) -> Self {
        match trip {
            Trip::Consecutive(_) => Self::Run(0),
            Trip::Ratio { window: TripWindow::Count(calls), .. } => Self::Ring(Ring::new(calls)),
            Trip::Ratio { window: TripWindow::Time(_), .. } => Self::Slots(Box::default()),
        }
    }

    /// Counts one result; whether the breaker trips on it.
    pub(super) fn record(&mut self, trip: Trip, now: Duration, ok: bool) -> bool {
        match (self, trip) {
            (Self::Run(run), Trip::Consecutive(most)) => {
                *run = if ok { 0 } else { run.saturating_add(1) };
                most.get() <= *run
            }
            (Self::Ring(ring), Trip::Ratio { ratio, window: TripWindow::Count(calls), min_calls }) => {
                ring.push(calls, ok);
                min_calls.get() <= ring.total && reaches(ratio, ring.failed.into(), ring.total.into())
            }
            (Self::Slots(slots), Trip::Ratio { ratio, window: TripWindow::Time(length), min_calls }) => {
                let (total, failed) = count(slots, SlotLength::of::<SLOTS>(length), now, ok);
                u64::from(min_calls.get()) <= total && reaches(ratio, failed, total)
            }
            (results, trip) => panic!("{trip:?} was handed {results:?}, the memory of a breaker of another kind"),
        }
    }
}

/// Counts one result among those of the window; all of them, and the failed ones.
fn count(slots: &mut Window<Tally, SLOTS>, slot: SlotLength, now: Duration, ok: bool) -> (u64, u64) {
    let tally = slots.current(slot, now);
    tally.total = tally.total.saturating_add(1);
    tally.failed = tally.failed.saturating_add(u32::from(!ok));
    let add = |(total, failed), tally: &Tally| (total + u64::from(tally.total), failed + u64::from(tally.failed));
    slots.live(slot, now).iter().fold((0, 0), add)
}

impl Ring {
    fn new(calls: NonZeroU32) -> Self {
        let words = usize::try_from(calls.get().div_ceil(u64::BITS)).unwrap_or(usize::MAX);
        Self { bits: vec![0; words].into(), next: 0, total: 0, failed: 0 }
    }

    fn push(&mut self, calls: NonZeroU32, ok: bool) {
        let word = usize::try_from(self.next / u64::BITS).unwrap_or(usize::MAX);
        let bit = 1_u64 << (self.next % u64::BITS);
        // Before the ring is full, the bit of the oldest is one that was never set.
        self.failed -= u32::from(self.bits[word] & bit != 0);
        self.failed += u32::from(!ok);
        if ok {
            self.bits[word] &= !bit;
        } else {
            self.bits[word] |= bit;
        }
        self.total = (self.total + 1).min(calls.get());
        self.next = (self.next + 1) % calls;
    }
}
