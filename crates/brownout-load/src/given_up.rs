//! What clients do about calls that they gave up.

use std::collections::BTreeMap;
use std::time::Duration;

use brownout_draw::Seed;

use crate::{AfterGiveUp, Load};

/// What the clients of an open load keep of calls that failed.
#[derive(Clone, Debug, Default)]
pub struct GivenUp {
    /// How many calls each client has still to make again, where it keeps any.
    backlogs: BTreeMap<u32, u32>,
}

/// A call of an open load that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// Whose it was.
    pub client: u32,
    /// Its number.
    pub number: u64,
    /// Whether it was one that failed before, made again.
    pub returned: bool,
    /// Whether it failed.
    pub failed: bool,
}

impl GivenUp {
    /// How long after the end of a call its client makes one again that failed, this one or one that it kept; `None`
    /// where it makes none.
    #[inline]
    pub fn over(&mut self, load: &Load, seed: Seed, call: Over) -> Option<Duration> {
        let again = match &load.after_give_up {
            AfterGiveUp::Drop => false,
            AfterGiveUp::ComeBack(_) => call.failed,
            AfterGiveUp::Queue(_) => self.next_of_queue(call),
        };
        if again { load.return_after(seed, call.number) } else { None }
    }

    /// Whether the next of a queue is due: one at a time, when the last has ended.
    fn next_of_queue(&mut self, Over { client, returned, failed, .. }: Over) -> bool {
        let backlog = self.backlogs.entry(client).or_default();
        match (returned, failed) {
            (false, true) => *backlog += 1,
            (true, false) => *backlog -= 1,
            _ => {}
        }
        let left = *backlog;
        if left == 0 {
            self.backlogs.remove(&client);
        }
        left > 0 && (returned || (failed && left == 1))
    }
}
