//! What the clients of a run share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use brownout_load::{Attempt, CallEnd, Load, LoadResult, Tally};
use brownout_policy::Callers;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::time::Instant;

use crate::Drive;

/// A run under way.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) drive: Drive,
    pub(crate) load: Load,
    pub(crate) began: Instant,
    /// Tells every client that the run is ended.
    ending: watch::Sender<bool>,
    /// Of the call begun last.
    number: AtomicU64,
    tally: Mutex<Tally>,
    callers: Mutex<Callers>,
}

impl Run {
    /// A run of `load` before its first call.
    pub(crate) fn new(drive: &Drive, load: &Load) -> Self {
        Self {
            drive: drive.clone(),
            load: load.clone(),
            began: Instant::now(),
            ending: watch::Sender::new(false),
            number: AtomicU64::new(0),
            tally: Mutex::new(Tally::new(&[])),
            callers: Mutex::new(Callers::new(&drive.policy, load.population())),
        }
    }

    /// The number of the next call, from 1.
    pub(crate) fn next_number(&self) -> u64 {
        self.number.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Ends it: every call that is under way, and every wait.
    pub(crate) fn end(&self) {
        let _ = self.ending.send(true);
    }

    /// Where a client hears of the end.
    pub(crate) fn ended(&self) -> watch::Receiver<bool> {
        self.ending.subscribe()
    }

    /// Asks what the callers remember. The time is taken once it is this client's turn, so that it never goes back for them.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&mut Callers, Duration) -> T) -> T {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.began.elapsed();
        question(&mut callers, now)
    }

    /// Counts an attempt that is over.
    pub(crate) fn attempt_over(&self, attempt: &Attempt) {
        self.tally().attempt(attempt);
    }

    /// Counts a call that is over.
    pub(crate) fn call_over(&self, end: &CallEnd) {
        self.tally().call(end);
    }

    /// Counts a retry or hedge that a budget refused.
    pub(crate) fn budget_denied(&self) {
        self.tally().budget_denied();
    }

    /// Counts a call begun as one that failed before.
    pub(crate) fn returned(&self) {
        self.tally().returned();
    }

    /// What it came to, of the `offered` calls.
    pub(crate) fn result(&self, offered: u64) -> LoadResult {
        self.tally().result(offered, None)
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a task of a run came to; its panic is the run's.
pub(crate) fn value<T>(task: Result<T, JoinError>) -> T {
    task.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}
