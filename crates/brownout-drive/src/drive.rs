//! Calls and loads: the policy decides, this waits and sends.

use std::sync::Arc;
use std::time::Duration;

use brownout_clock::Clock;
use brownout_draw::{Seed, nanos};
use brownout_load::{Attempt, CallTrace, Exchange, GuardLog, Load, LoadResult, Shard, Trail};
use brownout_policy::Policy;
use brownout_service::{Identity, Service};
use tokio::task::JoinSet;

use crate::call::UnderWay;
use crate::open::{IN_FLIGHT_MAX, Open};
use crate::run::{Crowd, Run, value};
use crate::{Client, Probe, Target, closed};

/// What a run over sockets is made of.
#[derive(Clone, Debug)]
pub struct Drive {
    /// Where requests go.
    pub target: Arc<Target>,
    /// What callers do after a failure.
    pub policy: Arc<Policy>,
    /// The luck of the callers: arrivals, jitter and think time.
    pub seed: Seed,
    /// What callers wait on; each call or load by itself begins it anew. How fast it goes, all that they wait for is in
    /// proportion, and so is what they are told to.
    pub clock: Clock,
}

impl Drive {
    /// One attempt, without a policy: attempt 1 of call `number`.
    pub async fn request(&self, number: u64, allowance: Option<Duration>) -> Exchange {
        let client = self.client(self.clock()).showing();
        client.exchange(Identity::first(number), Duration::ZERO, allowance).await
    }

    /// Call `number` with all its attempts.
    ///
    /// # Errors
    /// Why no attempt was made to its end.
    pub async fn trace(&self, number: u64) -> Result<CallTrace, String> {
        let clock = self.clock();
        let (crowd, client) = (Crowd::alone(self, clock), self.client(clock).showing());
        let mut trail = Trail::default();
        let observe = |attempt: &Attempt| trail.push(*attempt);
        let (end, last) = UnderWay::new(&crowd, &client, 0, number, clock.now(), observe).make().await;
        let last = last.ok_or("the policy let no attempt through")?;
        Ok(CallTrace { trail, last, end })
    }

    fn clock(&self) -> Clock {
        self.clock.anew()
    }

    fn client(&self, clock: Clock) -> Client {
        Client::numbered(Arc::clone(&self.target), clock, 0)
    }

    /// A whole load, with the same calls at the same moments as in virtual time. Ends early, with what was measured so far,
    /// when `end` resolves, to why: the result is cut short.
    ///
    /// A call of an open load begins when it is due, or as soon after that as this machine can; its latency counts from when
    /// it was due. With 10,000 calls in flight another is not made: it counts as unsent, and to its client as a failure.
    ///
    /// - `service`: whose phases multiply the rate of an open load, where that is known. Nothing else of it is looked at.
    /// - `observe`: sees every attempt, by the number of its call, in the order in which attempts end.
    ///
    /// # Panics
    /// When `observe` does.
    pub async fn load<O>(
        &self,
        load: &Load,
        service: Option<&Service>,
        end: impl Future<Output = String>,
        observe: O,
    ) -> LoadResult
    where
        O: Fn(u64, &Attempt) + Clone + Send + Sync + 'static,
    {
        self.load_of(None, load, service, end, observe, &Probe::default()).await
    }

    /// The same of what belongs to `shard`, all without one; `probe` looks at it meanwhile.
    ///
    /// # Panics
    /// When `observe` does.
    pub async fn load_of<O>(
        &self,
        shard: Option<Shard>,
        load: &Load,
        service: Option<&Service>,
        end: impl Future<Output = String>,
        observe: O,
        probe: &Probe,
    ) -> LoadResult
    where
        O: Fn(u64, &Attempt) + Clone + Send + Sync + 'static,
    {
        let run = Arc::new(Run::new(self.clock()));
        probe.look_at(&run);
        let parts = load.parts().into_iter().map(|part| part.of_shard(shard));
        let crowds: Vec<_> = parts.map(|part| Arc::new(Crowd::new(&run, self, &part))).collect();
        let service = service.cloned().map(Arc::new);
        let mut making = JoinSet::new();
        for (place, crowd) in crowds.iter().enumerate() {
            let (crowd, observe, service) = (Arc::clone(crowd), observe.clone(), service.clone());
            making.spawn(async move {
                let offered = if crowd.load.is_open() {
                    Open::new(crowd, IN_FLIGHT_MAX, observe).make(service.as_deref()).await
                } else {
                    closed::make(crowd, observe).await
                };
                (place, offered)
            });
        }
        // Of several populations each has guards of its own.
        let mut guards = if let [_] = crowds.as_slice() { GuardLog::default() } else { GuardLog::never() };
        let mut offered = vec![0; crowds.len()];
        let mut end = std::pin::pin!(end);
        let mut cut_short: Option<String> = None;
        loop {
            tokio::select! {
                why = &mut end, if cut_short.is_none() => {
                    cut_short = Some(why);
                    run.end();
                }
                made = making.join_next() => {
                    let Some((place, calls)) = made.map(value) else { break };
                    offered[place] = calls;
                }
                () = run.clock.sleep_until(Duration::from_nanos(guards.due())) => {
                    crowds[0].ask(|callers, now| guards.look(nanos(now), callers));
                }
            }
        }
        let cohorts = crowds.iter().zip(&offered).filter_map(|(crowd, offered)| crowd.result(*offered)).collect();
        let guards = crowds[0].ask(|callers, now| guards.series(nanos(now), callers));
        LoadResult { cohorts, guards, ..run.result(offered.iter().sum(), cut_short) }
    }
}
