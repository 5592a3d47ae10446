//! How much a service can do at once, and what happens to the rest.

mod station;

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::Distribution;

pub use station::{Entry, Station};

/// Workers and a queue before them. Without a capacity every request is worked on at once.
///
/// A request needs one worker for its service time; the `latency` of the service comes on top and holds no worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// How many requests are worked on at once.
    pub workers: NonZeroU32,
    /// How long a worker is busy with a request. One draw an attempt, made when it arrives, so that the same request is the
    /// same work in whatever order requests are served.
    pub service_time: Distribution,
    /// Where requests wait for a worker.
    pub queue: Queue,
    /// What a request meets that finds the queue full, or has waited too long in it.
    pub shed: Shed,
    /// What happens to a request whose caller has gone. Default: it is worked on all the same, as most services do.
    pub abandoned: Abandoned,
}

/// Where requests wait for a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// How many may wait; `None` lets all. Default 1000.
    pub length: Option<u32>,
    /// Who is next. Default first come, first served.
    pub order: Order,
    /// How long a request waits before it is shed; one draw an attempt. Default: for ever.
    pub patience: Option<Distribution>,
}

/// Which of the waiting requests is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The one that has waited longest.
    Fifo,
    /// The one that came last: under overload some are served in time rather than all too late.
    Lifo,
}

/// What a request meets that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shed {
    /// An answer, at once.
    Answer {
        /// Its status. Default 503.
        status: u16,
        /// How long it asks the caller to stay away, if it does.
        retry_after: Option<Duration>,
    },
    /// Nothing at all: the caller finds out by its own timeout.
    Silent,
}

/// What happens to a request whose caller has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abandoned {
    /// The service does not notice: the work is done, and wasted.
    KeepWorking,
    /// It leaves the queue; work that was begun is finished.
    DropWaiting,
    /// It leaves the queue, and work that was begun stops.
    Drop,
}

impl Order {
    /// Every order with its name in scenarios.
    pub const NAMES: [(&'static str, Self); 2] = [("fifo", Self::Fifo), ("lifo", Self::Lifo)];
}

impl Abandoned {
    /// Every case with its name in scenarios.
    pub const NAMES: [(&'static str, Self); 3] =
        [("keep_working", Self::KeepWorking), ("drop_waiting", Self::DropWaiting), ("drop", Self::Drop)];
}

/// A thousand may wait, first come, first served.
impl Default for Queue {
    fn default() -> Self {
        Self { length: Some(1000), order: Order::Fifo, patience: None }
    }
}

/// 503, without a word on when to come back.
impl Default for Shed {
    fn default() -> Self {
        Self::Answer { status: 503, retry_after: None }
    }
}
