//! What a service calls while it works on a request.
//!
//! Here is decided what a request still needs once the service has done its own part of it, as in virtual time: nothing where the
//! cache has it, else a call of each service behind, one after another, until one fails. How a call is made is left to whoever
//! implements [`Behind`].

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use brownout_clock::Clock;
use brownout_draw::Seed;
use brownout_service::{Abandoned, Held as Cached, Identity, Service};
use tokio::task::JoinError;

use crate::effects::Posting;
use crate::gate::Held;

/// A service behind, as the one that calls it sees it.
pub trait Behind: Debug + Send + Sync {
    /// Makes a whole call, retries and all, for attempt `asked`; whether it succeeded. Who sent that attempt gives it up at
    /// `until` by the clock of the run, as far as is known. The call goes on when they have gone, so that it must come to an end by itself.
    fn call(&self, asked: Identity, until: Option<Duration>) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;
}

/// Whom a service calls, and what it keeps at hand so that it need not.
#[derive(Debug)]
pub(crate) struct Calls {
    seed: Seed,
    clock: Clock,
    behind: Arc<[Box<dyn Behind>]>,
    cache: Option<Mutex<Cached>>,
    /// Whether work is stopped when its caller goes.
    drops: bool,
}

/// What is left to do for a request once the service's own part of it is done.
#[derive(Debug)]
pub(crate) struct Errand {
    calls: Arc<Calls>,
    service: Arc<Service>,
    identity: Identity,
    /// When its caller gives up, as far as it said so.
    until: Option<Duration>,
    /// Gone when the caller is.
    caller: Weak<()>,
}

/// A request is done with but for its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worked {
    /// Since when.
    pub(crate) at: Duration,
    /// Whether a service behind has failed it.
    pub(crate) failed: bool,
}

impl Calls {
    /// What `service` calls, in the time of `clock`; `None` where that is nobody.
    pub(crate) fn new(service: &Service, seed: Seed, clock: Clock, behind: Arc<[Box<dyn Behind>]>) -> Option<Self> {
        let cache = service.cache().map(|rule| Mutex::new(Cached::new(rule)));
        let drops = service.capacity().is_some_and(|capacity| capacity.abandoned == Abandoned::Drop);
        (!behind.is_empty()).then_some(Self { seed, clock, behind, cache, drops })
    }

    /// Whom it calls.
    pub(crate) fn behind(&self) -> Arc<[Box<dyn Behind>]> {
        Arc::clone(&self.behind)
    }

    fn is_hit(&self, service: &Service, identity: Identity) -> bool {
        self.cache().is_some_and(|mut cache| {
            // Taken once it is this request's turn, so that time never goes back for the cache.
            cache.is_hit(self.seed, identity, self.clock.now(), service.phases())
        })
    }

    fn cache(&self) -> Option<MutexGuard<'_, Cached>> {
        self.cache.as_ref().map(|cache| cache.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Errand {
    /// What `calls` of `service` are to bring for attempt `identity`, whose sender waits `until` then at the most, and as long as
    /// the value is kept that is handed back beside it.
    pub(crate) fn new(
        calls: &Arc<Calls>,
        service: &Arc<Service>,
        identity: Identity,
        until: Option<Duration>,
    ) -> (Self, Arc<()>) {
        let (caller, service) = (Arc::new(()), Arc::clone(service));
        (Self { calls: Arc::clone(calls), service, identity, until, caller: Arc::downgrade(&caller) }, caller)
    }

    /// Runs it, now that the service's own part was done at `done`.
    pub(crate) async fn run(self, done: Duration) -> Worked {
        let Self { calls, service, identity, until, .. } = &self;
        if calls.is_hit(service, *identity) {
            return Worked { at: done, failed: false };
        }
        for behind in calls.behind.iter() {
            let let_go = calls.drops && !self.is_awaited();
            if let_go || !behind.call(*identity, *until).await {
                return Worked { at: calls.clock.now(), failed: true };
            }
        }
        if self.is_awaited()
            && let Some(mut cache) = calls.cache()
        {
            cache.fill(calls.seed, *identity);
        }
        Worked { at: calls.clock.now(), failed: false }
    }

    /// The same where no worker is held by it, so that nothing else sees to it that it goes on when the caller has gone. `held` is
    /// held until then, and `posting` entered unless it failed.
    pub(crate) async fn run_to_its_end(
        self,
        done: Duration,
        held: Option<Arc<Held>>,
        posting: Option<Posting>,
    ) -> Worked {
        let running = tokio::spawn(async move {
            let worked = self.run(done).await;
            if !worked.failed {
                posting.into_iter().for_each(Posting::done);
            }
            drop(held);
            worked
        });
        match running.await.map_err(JoinError::try_into_panic) {
            Ok(worked) => worked,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime ends, and this with it.
            Err(Err(_)) => std::future::pending().await,
        }
    }

    fn is_awaited(&self) -> bool {
        self.caller.strong_count() > 0 && self.until.is_none_or(|until| self.calls.clock.now() < until)
    }
}
