//! Calls and loads: the policy decides, this waits and sends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use brownout_draw::{Seed, Stream, draw};
use brownout_load::{Attempt, CallEnd, CallTrace, Exchange, Load, LoadResult, Reply, Tally, Trail};
use brownout_policy::{Callers, Policy, Population, StopReason, Transport, Verdict};
use brownout_service::Identity;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::{Client, Target};

/// What a run over sockets is made of.
#[derive(Clone, Debug)]
pub struct Drive {
    /// Where requests go.
    pub target: Arc<Target>,
    /// What callers do after a failure.
    pub policy: Arc<Policy>,
    /// The luck of the callers: jitter and think time.
    pub seed: Seed,
}

/// What the clients of a load share.
struct Shared {
    next: AtomicU64,
    tally: Mutex<Tally>,
    callers: Mutex<Callers>,
    began: Instant,
}

impl Drive {
    /// One attempt, without a policy: attempt 1 of call `number`.
    pub async fn request(&self, number: u64, allowance: Option<Duration>) -> Exchange {
        Client::new(Arc::clone(&self.target)).exchange(Identity::first(number), allowance).await
    }

    /// Call `number` with all its attempts.
    pub async fn trace(&self, number: u64) -> CallTrace {
        let mut client = Client::new(Arc::clone(&self.target));
        let mut trail = Trail::default();
        let (_running, mut ended) = watch::channel(false);
        let shared = self.shared(Population::ONE, number);
        let observe = |attempt: &Attempt| trail.push(*attempt);
        let (end, last) = self.call(&mut client, 0, number, &shared, &mut ended, observe).await;
        let last = last.expect("a run that is not ended makes every attempt to its end");
        CallTrace { trail, last, end }
    }

    /// A whole load: closed clients, each with its own connection. Ends early, with what was measured so far, when `end`
    /// resolves.
    ///
    /// `observe` sees every attempt, by the number of its call, in the order in which attempts end.
    ///
    /// # Panics
    /// When `observe` does.
    pub async fn load<O>(&self, load: &Load, end: impl Future<Output = ()>, observe: O) -> LoadResult
    where
        O: Fn(u64, &Attempt) + Clone + Send + Sync + 'static,
    {
        let population = Population { clients: load.busy_clients().max(1), processes: load.processes.get() };
        let shared = Arc::new(self.shared(population, 1));
        let (ending, ended) = watch::channel(false);
        let mut clients = tokio::task::JoinSet::new();
        for client in 0..load.busy_clients() {
            let (drive, load, shared) = (self.clone(), load.clone(), Arc::clone(&shared));
            clients.spawn(drive.client(client, load, shared, ended.clone(), observe.clone()));
        }
        let mut end = std::pin::pin!(end);
        let mut told = false;
        loop {
            tokio::select! {
                () = &mut end, if !told => {
                    told = true;
                    let _ = ending.send(true);
                }
                client = clients.join_next() => match client {
                    None => break,
                    Some(Ok(())) => {}
                    Some(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
                },
            }
        }
        shared.tally().result(if load.duration.is_some() { 0 } else { load.count_max() }, None)
    }

    /// One closed client: call after call, until there are none left or the run is ended.
    async fn client<O>(self, client: u32, load: Load, shared: Arc<Shared>, mut ended: watch::Receiver<bool>, observe: O)
    where
        O: Fn(u64, &Attempt),
    {
        let mut connection = Client::new(Arc::clone(&self.target));
        while !*ended.borrow() && load.goes_on_at(shared.began.elapsed()) {
            let number = shared.next.fetch_add(1, Ordering::Relaxed);
            if number > load.count_max() {
                return;
            }
            let count = |attempt: &Attempt| {
                shared.tally().attempt(attempt);
                observe(number, attempt);
            };
            let (finished, _) = self.call(&mut connection, client, number, &shared, &mut ended, count).await;
            shared.tally().call(&finished);
            unless_ended(&mut ended, pause(load.pause(self.seed, number))).await;
        }
    }

    /// What the clients of a run share, before its first call, which has the number `first`.
    fn shared(&self, population: Population, first: u64) -> Shared {
        Shared {
            next: AtomicU64::new(first),
            tally: Mutex::new(Tally::new(&[])),
            callers: Mutex::new(Callers::new(&self.policy, population)),
            began: Instant::now(),
        }
    }

    /// Call `number`, of client number `client`, over its `connection`. Without an exchange where the run was ended first.
    async fn call(
        &self,
        connection: &mut Client,
        client: u32,
        number: u64,
        shared: &Shared,
        ended: &mut watch::Receiver<bool>,
        mut observe: impl FnMut(&Attempt),
    ) -> (CallEnd, Option<Exchange>) {
        let due = Instant::now();
        let started = due - shared.began;
        let end = |failed| CallEnd { started, elapsed: due.elapsed(), failed };
        let mut call = shared.callers().call(client, started);
        let mut last = None;
        loop {
            let throttle = draw(self.seed, Stream::THROTTLE, number, call.next_attempt());
            let go = shared.callers().begin(&mut call, shared.began.elapsed(), throttle);
            let go = match go {
                Ok(go) => go,
                Err(reason) => return (end(Some(reason)), last),
            };
            if unless_ended(ended, pause(go.after)).await.is_none() {
                return (end(Some(StopReason::Interrupted)), last);
            }
            let identity = Identity { request: number, attempt: call.attempt() };
            let retry = identity.attempt.get() > 1;
            let begun = Instant::now();
            let attempt = |latency, reply, verdict| Attempt {
                number: identity.attempt,
                hedge: false,
                started: begun - shared.began,
                latency,
                reply,
                verdict,
            };
            let Some(exchange) = unless_ended(ended, connection.exchange(identity, go.allowance)).await else {
                observe(&attempt(begun.elapsed(), Reply::Broken(Transport::Interrupted), None));
                return (end(Some(StopReason::Interrupted)), None);
            };
            let over = end(None);
            let now = started + over.elapsed;
            let verdict = match exchange.reply.failure(exchange.retry_after) {
                Some(failure) => {
                    let draw = draw(self.seed, Stream::JITTER, number, identity.attempt.get());
                    Some(shared.callers().failed(&mut call, now, &failure, draw, retry))
                }
                None => {
                    shared.callers().succeeded(&mut call, now, exchange.latency, retry);
                    None
                }
            };
            observe(&attempt(exchange.latency, exchange.reply, verdict));
            match verdict {
                None | Some(Verdict::Await) => return (over, Some(exchange)),
                Some(Verdict::Stop(reason)) => return (CallEnd { failed: Some(reason), ..over }, Some(exchange)),
                Some(Verdict::Retry { after, .. }) => {
                    last = Some(exchange);
                    if unless_ended(ended, pause(after)).await.is_none() {
                        return (end(Some(StopReason::Interrupted)), last);
                    }
                }
            }
        }
    }
}

/// What `work` comes to, or `None` when the run is ended first.
async fn unless_ended<T>(ended: &mut watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        Ok(_) = ended.wait_for(|ended| *ended) => None,
    }
}

impl Shared {
    fn callers(&self) -> std::sync::MutexGuard<'_, Callers> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits; no time at all is no trip through the timer, which would round it up to a millisecond.
async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
