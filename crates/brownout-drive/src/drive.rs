//! Calls and loads: the policy decides, this waits and sends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use brownout_draw::{Seed, Stream, draw};
use brownout_load::{Attempt, CallEnd, CallTrace, Exchange, Load, LoadResult, Tally};
use brownout_policy::{Call, Policy, StopReason, Verdict};
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
        let mut attempts = Vec::new();
        let (end, last) = self.call(&mut client, number, Instant::now(), |attempt| attempts.push(*attempt)).await;
        CallTrace { attempts, last, end }
    }

    /// A whole load: closed clients, each with its own connection. Ends early, with what was measured so far, when
    /// `end` comes true.
    ///
    /// `observe` sees every attempt, by the number of its call, in the order in which attempts end.
    pub async fn load<O>(&self, load: &Load, end: impl Future<Output = ()>, observe: O) -> LoadResult
    where
        O: Fn(u64, &Attempt) + Clone + Send + Sync + 'static,
    {
        let shared =
            Arc::new(Shared { next: AtomicU64::new(1), tally: Mutex::new(Tally::new(&[])), began: Instant::now() });
        let (ending, ended) = watch::channel(false);
        let mut clients = tokio::task::JoinSet::new();
        let count = u64::from(load.clients.get()).min(load.count);
        for _ in 0..count {
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
                client = clients.join_next() => if client.is_none() { break },
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
            let due = Instant::now();
            let count = |attempt: &Attempt| {
                shared.tally().attempt(attempt);
                observe(number, attempt);
            };
            let finished = tokio::select! {
                (finished, _) = self.call(&mut client, number, shared.began, count) => finished,
                _ = ended.wait_for(|ended| *ended) => CallEnd {
                    started: due - shared.began,
                    elapsed: due.elapsed(),
                    failed: Some(StopReason::Interrupted),
                },
            };
            shared.tally().call(&finished);
            tokio::select! {
                () = pause(load.pause(self.seed, number)) => {}
                _ = ended.wait_for(|ended| *ended) => return,
            }
        }
    }

    /// Call `number` over `client`; `began` is when the run did.
    async fn call(
        &self,
        client: &mut Client,
        number: u64,
        began: Instant,
        mut observe: impl FnMut(&Attempt),
    ) -> (CallEnd, Exchange) {
        let due = Instant::now();
        let started = due - began;
        let mut call = Call::new(&self.policy);
        loop {
            let identity = Identity { request: number, attempt: call.attempt() };
            let begun = Instant::now();
            let exchange = client.exchange(identity, call.allowance(due.elapsed())).await;
            let elapsed = due.elapsed();
            let verdict = exchange.reply.failure(exchange.retry_after).map(|failure| {
                let draw = draw(self.seed, Stream::JITTER, number, identity.attempt.get());
                call.failed(elapsed, &failure, draw)
            });
            observe(&Attempt {
                number: identity.attempt,
                started: begun - began,
                latency: exchange.latency,
                reply: exchange.reply,
                verdict,
            });
            let failed = match verdict {
                Some(Verdict::Retry { after, .. }) => {
                    pause(after).await;
                    continue;
                }
                Some(Verdict::Stop(reason)) => Some(reason),
                None => None,
            };
            return (CallEnd { started, elapsed, failed }, exchange);
        }
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
