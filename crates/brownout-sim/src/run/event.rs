//! What can happen, packed into the bits that the queue leaves for it.

use crate::queue::EVENT_BITS;

/// How many bits name the slot that an event is about.
const SLOT_BITS: u32 = EVENT_BITS - 4;

/// How many slots an event can tell apart: 16.7 million.
pub(super) const SLOTS_MAX: u32 = 1 << SLOT_BITS;

/// What happens, and to which slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The next call of an open crowd is due. Slot: the crowd.
    Arrival(u32),
    /// A closed client makes its next call. Slot: the client, among those of all crowds.
    Begin(u32),
    /// A client makes again what failed before. Slot: the client, among those of all crowds.
    Return(u32),
    /// A call makes its next attempt. Slot: the call.
    Attempt(u32),
    /// A call sends an attempt that a limiter held back. Slot: the call.
    Send(u32),
    /// A call sends a copy. Slot: the call.
    Hedge(u32),
    /// An attempt reaches the service. Slot: the attempt.
    Reach(u32),
    /// An attempt has waited too long in the queue. Slot: the attempt.
    Impatient(u32),
    /// The work of an attempt is done. Slot: the attempt.
    Done(u32),
    /// The answer reaches the caller. Slot: the attempt.
    Reply(u32),
    /// The caller gives up. Slot: the attempt.
    Timeout(u32),
    /// The number of workers may change. Slot: the service.
    Workers(u32),
}

impl Event {
    pub(super) const fn pack(self) -> u32 {
        let (kind, slot) = match self {
            Self::Arrival(slot) => (0, slot),
            Self::Begin(slot) => (1, slot),
            Self::Return(slot) => (2, slot),
            Self::Attempt(slot) => (3, slot),
            Self::Send(slot) => (4, slot),
            Self::Hedge(slot) => (5, slot),
            Self::Reach(slot) => (6, slot),
            Self::Impatient(slot) => (7, slot),
            Self::Done(slot) => (8, slot),
            Self::Reply(slot) => (9, slot),
            Self::Timeout(slot) => (10, slot),
            Self::Workers(slot) => (11, slot),
        };
        kind << SLOT_BITS | slot
    }

    pub(super) const fn unpack(event: u32) -> Self {
        let slot = event & (SLOTS_MAX - 1);
        match event >> SLOT_BITS {
            0 => Self::Arrival(slot),
            1 => Self::Begin(slot),
            2 => Self::Return(slot),
            3 => Self::Attempt(slot),
            4 => Self::Send(slot),
            5 => Self::Hedge(slot),
            6 => Self::Reach(slot),
            7 => Self::Impatient(slot),
            8 => Self::Done(slot),
            9 => Self::Reply(slot),
            10 => Self::Timeout(slot),
            _ => Self::Workers(slot),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, SLOTS_MAX};

    #[test]
    fn packing_loses_nothing() {
        let last = SLOTS_MAX - 1;
        for event in [
            Event::Arrival(last),
            Event::Begin(last),
            Event::Return(0),
            Event::Attempt(1),
            Event::Send(last),
            Event::Hedge(2),
            Event::Reach(last),
            Event::Impatient(3),
            Event::Done(last),
            Event::Reply(4),
            Event::Timeout(last),
            Event::Workers(5),
        ] {
            assert_eq!(Event::unpack(event.pack()), event);
        }
    }
}
