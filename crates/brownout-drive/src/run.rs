//! What the clients of a run share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use brownout_clock::Clock;
use brownout_draw::{Seed, nanos};
use brownout_load::{Attempt, CallEnd, CohortResult, Load, LoadResult, Numbers, Pace, Part, Shard, Snapshot, Tally};
use brownout_policy::{Callers, Transport, Verdict};
use tokio::sync::watch;
use tokio::task::JoinError;

use crate::Drive;

/// A run under way.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) clock: Clock,
    /// Tells every client that the run is ended.
    ending: watch::Sender<bool>,
    tally: Mutex<Tally>,
    pace: Mutex<Pace>,
    /// How many calls all crowds have begun.
    begun: AtomicU64,
}

/// A population of clients in a run.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) run: Arc<Run>,
    pub(crate) drive: Drive,
    pub(crate) load: Load,
    /// What its arrivals are drawn from.
    pub(crate) arrivals_seed: Seed,
    /// The number of its first client among those of all crowds.
    pub(crate) first_client: u32,
    /// Which part of it is run, where the whole is not.
    pub(crate) shard: Option<Shard>,
    /// How many calls it asks for; `None` where that is as many as come in its duration.
    pub(crate) asked: Option<u64>,
    numbers: Numbers,
    /// How many calls it has begun.
    begun: AtomicU64,
    callers: Mutex<Callers>,
    /// Its name and what became of its calls, where there are other crowds.
    cohort: Option<(String, Mutex<Tally>)>,
}

impl Run {
    /// A run in the time of `clock`, before its first call.
    pub(crate) fn new(clock: Clock) -> Self {
        let tally = Mutex::new(Tally::new(&[]).with_latencies());
        Self { clock, ending: watch::Sender::new(false), tally, pace: Mutex::default(), begun: AtomicU64::new(0) }
    }

    /// Ends it: every call that is under way, and every wait.
    pub(crate) fn end(&self) {
        let _ = self.ending.send(true);
    }

    /// What it came to, of the `offered` calls; `cut_short` says why it was ended before its end.
    pub(crate) fn result(&self, offered: u64, cut_short: Option<String>) -> LoadResult {
        let result = LoadResult { cut_short, ..result(&self.tally, offered) };
        let pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let generator = pace.generator(&result, self.clock.scale().get());
        LoadResult { generator: Some(generator), ..result }
    }

    /// What it has come to so far.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let elapsed = self.clock.now();
        let snapshot = self.tally.lock().unwrap_or_else(PoisonError::into_inner).snapshot();
        let pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Looked at last, so that no call has ended that was not begun.
        snapshot.at(elapsed, self.begun.load(Ordering::Relaxed), pace)
    }

    fn note(&self, note: impl FnOnce(&mut Pace)) {
        note(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Crowd {
    /// One of the populations of a load before its first call.
    pub(crate) fn new(run: &Arc<Run>, drive: &Drive, part: &Part<'_>) -> Self {
        let policy = part.own.map_or_else(|| Arc::clone(&drive.policy), |own| Arc::new(own.policy.clone()));
        Self {
            run: Arc::clone(run),
            load: part.load.clone(),
            arrivals_seed: part.seed(drive.seed),
            first_client: part.first.0,
            shard: part.shard,
            asked: part.asked(),
            numbers: part.numbers,
            begun: AtomicU64::new(0),
            callers: Mutex::new(Callers::new(&policy, part.load.population())),
            cohort: part.name.map(|name| (name.to_owned(), Mutex::new(Tally::new(&[])))),
            drive: Drive { policy, ..drive.clone() },
        }
    }

    /// The one population of a run of its own in the time of `clock`, of one client.
    pub(crate) fn alone(drive: &Drive, clock: Clock) -> Self {
        Self::new(&Arc::new(Run::new(clock)), drive, &Load::default().parts()[0])
    }

    /// How many calls it has begun with the next, and the number of that one.
    pub(crate) fn next_call(&self) -> (u64, u64) {
        let nth = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        (nth, self.numbers.of(nth))
    }

    /// The same of call `turn`, from 0, of closed `client`, where clients take turns.
    pub(crate) fn call_in_turn(&self, client: u32, turn: u64) -> (u64, u64) {
        let nth = self.load.before_turn(client, turn) + 1;
        (nth, self.numbers.of(nth))
    }

    /// Where a client hears of the end.
    pub(crate) fn ended(&self) -> watch::Receiver<bool> {
        self.run.ending.subscribe()
    }

    /// Asks what the callers remember. The time is taken once it is this client's turn, so that it never goes back for them.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&mut Callers, Duration) -> T) -> T {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.run.clock.now();
        question(&mut callers, now)
    }

    /// The same of what has nothing to do with the time.
    pub(crate) fn look<T>(&self, question: impl FnOnce(&mut Callers) -> T) -> T {
        question(&mut self.callers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that a call was begun so late.
    pub(crate) fn begun(&self, late: Duration) {
        self.run.begun.fetch_add(1, Ordering::Relaxed);
        if self.load.has_schedule() {
            self.run.note(|pace| pace.begun(nanos(late)));
        }
    }

    /// Notes an attempt that failed for want of something of this machine's.
    pub(crate) fn own_failure(&self) {
        self.run.note(Pace::own_failure);
    }

    /// Keeps the words for what broke an attempt.
    pub(crate) fn broke(&self, transport: Transport, error: &str) {
        self.count(|tally| tally.broke(transport, error));
    }

    /// Counts an answer that `asked` for so long, and what its caller made of it.
    pub(crate) fn retry_after(&self, asked: Duration, verdict: Verdict) {
        self.count(|tally| tally.retry_after(asked, verdict));
    }

    /// Counts an attempt that is over.
    pub(crate) fn attempt_over(&self, attempt: &Attempt) {
        self.count(|tally| tally.attempt(attempt));
    }

    /// Counts a call that is over.
    pub(crate) fn call_over(&self, end: &CallEnd) {
        self.count(|tally| tally.call(end));
    }

    /// Counts a retry or hedge that a budget refused.
    pub(crate) fn budget_denied(&self) {
        self.count(Tally::budget_denied);
    }

    /// Counts a call begun as one that failed before.
    pub(crate) fn returned(&self) {
        self.count(Tally::returned);
    }

    fn count(&self, count: impl Fn(&mut Tally)) {
        let own = self.cohort.iter().map(|(_, tally)| tally);
        for tally in own.chain([&self.run.tally]) {
            count(&mut tally.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// What it came to, of the `offered` calls, where there are other crowds.
    pub(crate) fn result(&self, offered: u64) -> Option<CohortResult> {
        let (name, tally) = self.cohort.as_ref()?;
        Some(CohortResult { name: name.clone(), result: result(tally, offered) })
    }
}

fn result(tally: &Mutex<Tally>, offered: u64) -> LoadResult {
    tally.lock().unwrap_or_else(PoisonError::into_inner).result(offered, None)
}

/// What a task of a run came to; its panic is the run's.
pub(crate) fn value<T>(task: Result<T, JoinError>) -> T {
    task.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}
