//! Calls that a service makes of another while it works on a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use brownout_clock::Clock;
use brownout_draw::Seed;
use brownout_load::{HopCounts, inner_number};
use brownout_policy::Policy;
use brownout_service::Identity;
use tokio::sync::Semaphore;

use crate::call::UnderWay;
use crate::run::Crowd;
use crate::spares::Spares;
use crate::{Client, Drive, Target};

/// How many calls may be in flight.
const PLACES: u32 = 10_000;

/// How many idle connections it keeps.
const SPARES: usize = 512;

/// A hop of a graph over sockets: one client with one memory, which makes the same calls as in virtual time.
#[derive(Debug)]
pub struct Line {
    crowd: Crowd,
    client: Client,
    number: u32,
    pass_deadline: bool,
    places: Semaphore,
    calls: AtomicU64,
    succeeded: AtomicU64,
    attempts: AtomicU64,
}

impl Line {
    /// Hop number `number` of a graph, to whoever answers at `target`, with the luck of `seed`, in the time of `clock`.
    ///
    /// - `policy`: without a timeout or a deadline, a call may wait for ever.
    /// - `pass_deadline`: whether a call is over when the attempt that it is made for is given up.
    #[must_use]
    pub fn new(number: u32, target: Target, policy: Policy, pass_deadline: bool, seed: Seed, clock: Clock) -> Self {
        let target = Arc::new(target);
        let client = Client::one_of(Arc::clone(&target), clock, 0, Arc::new(Spares::new(SPARES)));
        Self {
            // One client, whose calls begin when they are asked for.
            crowd: Crowd::alone(&Drive { target, policy: Arc::new(policy), seed, clock }, clock),
            client,
            number,
            pass_deadline,
            places: Semaphore::new(PLACES as usize),
            calls: AtomicU64::new(0),
            succeeded: AtomicU64::new(0),
            attempts: AtomicU64::new(0),
        }
    }

    /// Makes the call for attempt `asked`, which its own caller gives up at `until`, if at all; whether it succeeded.
    ///
    /// With 10,000 calls in flight another one is not made and counts as failed: it would tell of this machine's sockets only.
    pub async fn call(&self, asked: Identity, until: Option<Duration>) -> bool {
        if *self.crowd.ended().borrow() {
            return false;
        }
        self.calls.fetch_add(1, Relaxed);
        let Ok(_place) = self.places.try_acquire() else { return false };
        let (number, due) = (inner_number(asked, self.number), self.crowd.run.clock.now());
        let until = until.filter(|_| self.pass_deadline);
        let count = |_: &_| _ = self.attempts.fetch_add(1, Relaxed);
        let call = UnderWay::new(&self.crowd, &self.client, 0, number, due, count).ending(until);
        let succeeded = call.make().await.0.failed.is_none();
        self.succeeded.fetch_add(u64::from(succeeded), Relaxed);
        succeeded
    }

    /// Ends every call that is under way, and makes no more.
    pub async fn end(&self) {
        self.crowd.run.end();
        // All places are free once the last call has ended.
        let _ = self.places.acquire_many(PLACES).await;
    }

    /// What was counted so far; an attempt counts once it is over.
    #[must_use]
    pub fn counts(&self) -> HopCounts {
        HopCounts {
            calls: self.calls.load(Relaxed),
            succeeded: self.succeeded.load(Relaxed),
            attempts: self.attempts.load(Relaxed),
            budget_denied: self.crowd.run.result(0, None).attempts.budget_denied,
        }
    }
}
