//! Calls and loads: the policy decides, this waits and sends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use brownout_draw::{Seed, Stream, draw};
use brownout_load::{Attempt, CallEnd, CallTrace, Exchange, Load, LoadResult, Reply, Tally, Trail};
use brownout_policy::{Call, Policy, StopReason, Transport, Verdict};
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
        let observe = |attempt: &Attempt| trail.push(*attempt);
        let (end, last) = self.call(&mut client, number, Instant::now(), &mut ended, observe).await;
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
        let shared =
            Arc::new(Shared { next: AtomicU64::new(1), tally: Mutex::new(Tally::new(&[])), began: Instant::now() });
        let (ending, ended) = watch::channel(false);
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..load.busy_clients() {
            let (drive, load, shared) = (self.clone(), load.clone(), Arc::clone(&shared));
            clients.spawn(drive.client(load, shared, ended.clone(), observe.clone()));
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
        shared.tally().result(load.count)
    }

    /// One closed client: call after call, until there are none left or the run is ended.
    async fn client<O>(self, load: Load, shared: Arc<Shared>, mut ended: watch::Receiver<bool>, observe: O)
    where
        O: Fn(u64, &Attempt),
    {
        let mut client = Client::new(Arc::clone(&self.target));
        while !*ended.borrow() {
            let number = shared.next.fetch_add(1, Ordering::Relaxed);
            if number > load.count {
                return;
            }
            let count = |attempt: &Attempt| {
                shared.tally().attempt(attempt);
                observe(number, attempt);
            };
            let (finished, _) = self.call(&mut client, number, shared.began, &mut ended, count).await;
            shared.tally().call(&finished);
            unless_ended(&mut ended, pause(load.pause(self.seed, number))).await;
        }
    }

    /// Call `number` over `client`; `began` is when the run did. Without an exchange where the run was ended first.
    async fn call(
        &self,
        client: &mut Client,
        number: u64,
        began: Instant,
        ended: &mut watch::Receiver<bool>,
        mut observe: impl FnMut(&Attempt),
    ) -> (CallEnd, Option<Exchange>) {
        let due = Instant::now();
        let started = due - began;
        let end = |failed| CallEnd { started, elapsed: due.elapsed(), failed };
        let mut call = Call::new(&self.policy);
        let mut last = None;
        loop {
            let identity = Identity { request: number, attempt: call.attempt() };
            let begun = Instant::now();
            let attempt = |latency, reply, verdict| Attempt {
                number: identity.attempt,
                started: begun - began,
                latency,
                reply,
                verdict,
            };
            let allowance = match call.begin(due.elapsed()) {
                Ok(allowance) => allowance,
                Err(reason) => return (end(Some(reason)), last),
            };
            let Some(exchange) = unless_ended(ended, client.exchange(identity, allowance)).await else {
                observe(&attempt(begun.elapsed(), Reply::Broken(Transport::Interrupted), None));
                return (end(Some(StopReason::Interrupted)), None);
            };
            let over = end(None);
            let verdict = exchange.reply.failure(exchange.retry_after).map(|failure| {
                let draw = draw(self.seed, Stream::JITTER, number, identity.attempt.get());
                call.failed(over.elapsed, &failure, draw)
            });
            observe(&attempt(exchange.latency, exchange.reply, verdict));
            match verdict {
                None => return (over, Some(exchange)),
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
