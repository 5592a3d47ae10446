//! Workers and a queue in real time, for a service with a capacity.
//!
//! The [`Station`] decides who is worked on; here is the waiting. Whoever sent a request holds a [`Place`]: dropped before
//! the request came to its end, it says that nobody waits for the answer any more.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use brownout_clock::Clock;
use brownout_draw::Seed;
use brownout_service::{Abandoned, Capacity, Entry, Identity, Landed, Service, Shed, Station};
use tokio::sync::{oneshot, watch};

use crate::behind::{Errand, Worked};
use crate::effects::Posting;
use crate::gate::Held;

/// A service with a capacity at work.
#[derive(Debug)]
pub(crate) struct Site {
    rule: Capacity,
    /// What its work and its workers are now.
    service: watch::Receiver<Arc<Service>>,
    seed: Seed,
    clock: Clock,
    inside: Mutex<Inside>,
}

/// Who is inside. A job that is no longer among the `jobs` has left, or is done.
#[derive(Debug, Default)]
struct Inside {
    station: Station<u64>,
    /// How many workers there are now.
    workers: u32,
    jobs: BTreeMap<u64, Job>,
    /// Of the last request that came.
    number: u64,
}

#[derive(Debug)]
struct Job {
    landed: Landed,
    reached: Duration,
    working: bool,
    /// What is left to do once its own work is done, while its worker is held.
    errand: Option<Errand>,
    /// What is done by it.
    posting: Option<Posting>,
    caller: oneshot::Sender<Fate>,
    /// What the limits let it hold until its work is done, whoever still waits for it.
    _held: Option<Arc<Held>>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// Its work was done.
    Done(Worked),
    /// It was not taken, or waited too long: for so long.
    Shed(Duration),
}

/// The place of a request at a site; resolves when its fate is known.
#[derive(Debug)]
pub(crate) struct Place<'s> {
    site: &'s Arc<Site>,
    number: u64,
    fate: oneshot::Receiver<Fate>,
}

impl Site {
    /// The site of a `service` in the time of `clock`; `None` where it has no capacity.
    pub(crate) fn new(service: &watch::Receiver<Arc<Service>>, seed: Seed, clock: Clock) -> Option<Arc<Self>> {
        let now = service.borrow();
        let rule = now.capacity()?.clone();
        let inside = Inside { workers: now.workers(clock.now()), ..Inside::default() };
        Some(Arc::new(Self { rule, service: service.clone(), seed, clock, inside: Mutex::new(inside) }))
    }

    /// A request arrives, with what the service calls for it, if it calls anybody, and what is entered once it is done.
    pub(crate) fn enter(
        self: &Arc<Self>,
        landed: Landed,
        held: Option<Arc<Held>>,
        (errand, posting): (Option<Errand>, Option<Posting>),
    ) -> Place<'_> {
        let (caller, fate) = oneshot::channel();
        let mut inside = self.inside();
        inside.number += 1;
        let (number, workers, reached) = (inside.number, inside.workers, self.clock.now());
        let job = Job { landed, reached, working: false, errand, posting, caller, _held: held };
        match inside.station.enter(&self.rule, workers, number) {
            Entry::Shed => _ = job.caller.send(Fate::Shed(Duration::ZERO)),
            Entry::Started => self.begin(&mut inside, number, job, reached),
            Entry::Queued => {
                inside.jobs.insert(number, job);
                self.bound_patience(number, landed.identity, reached);
            }
        }
        Place { site: self, number, fate }
    }

    /// Follows the number of workers as the phases of the service change it, and as the service is changed; never ends.
    pub(crate) async fn follow_workers(self: Arc<Self>) {
        let mut services = self.service.clone();
        let mut elapsed = self.clock.now();
        loop {
            let service = Arc::clone(&services.borrow_and_update());
            {
                let mut inside = self.inside();
                inside.workers = service.workers(elapsed);
                self.start_waiting(&mut inside, self.clock.now());
            }
            elapsed = match service.next_workers_change(elapsed) {
                None if services.changed().await.is_err() => std::future::pending().await,
                None => self.clock.now(),
                Some(next) => tokio::select! {
                    () = self.clock.sleep_until(next) => next,
                    Ok(()) = services.changed() => self.clock.now(),
                },
            };
        }
    }

    /// Puts a request to work that a worker took at `begun`.
    fn begin(self: &Arc<Self>, inside: &mut Inside, number: u64, job: Job, begun: Duration) {
        let work = self.service.borrow().work_ns(self.seed, job.landed, begun);
        let done = begun.saturating_add(Duration::from_nanos(work));
        inside.jobs.insert(number, Job { working: true, ..job });
        let site = Arc::clone(self);
        tokio::spawn(async move {
            site.clock.sleep_until(done).await;
            site.own_part_done(number, done).await;
        });
    }

    /// The service's own part of a request was done at `done`; unless its worker was called off, what it calls is next.
    async fn own_part_done(self: &Arc<Self>, number: u64, done: Duration) {
        let errand = self.inside().jobs.get_mut(&number).and_then(|job| job.errand.take());
        let worked = match errand {
            None => Worked { at: done, failed: false },
            Some(errand) => errand.run(done).await,
        };
        self.finish(number, worked);
    }

    /// Sheds a request that still waits when its patience is over, if it has any.
    fn bound_patience(self: &Arc<Self>, number: u64, identity: Identity, reached: Duration) {
        let Some(patience) = self.service.borrow().patience(self.seed, identity) else { return };
        let site = Arc::clone(self);
        tokio::spawn(async move {
            site.clock.sleep_until(reached.saturating_add(patience)).await;
            if let Some(job) = site.leave(&mut site.inside(), number) {
                let _ = job.caller.send(Fate::Shed(patience));
            }
        });
    }

    /// A request is done with, unless its worker was called off.
    fn finish(self: &Arc<Self>, number: u64, worked: Worked) {
        let mut inside = self.inside();
        if let Some(job) = inside.jobs.remove(&number) {
            inside.station.finish();
            if !worked.failed {
                job.posting.into_iter().for_each(Posting::done);
            }
            let _ = job.caller.send(Fate::Done(worked));
            self.start_waiting(&mut inside, worked.at);
        }
    }

    /// Workers that are free since `free` take who waits.
    ///
    /// They do so then, not when a timer got round to telling: else a worker would lose up to a millisecond a request.
    fn start_waiting(self: &Arc<Self>, inside: &mut Inside, free: Duration) {
        loop {
            let Inside { station, jobs, workers, .. } = &mut *inside;
            let Some(number) = station.next(&self.rule, *workers, |job| jobs.contains_key(&job)) else { return };
            let job = jobs.remove(&number).expect("who is next is inside");
            let begun = free.max(job.reached);
            self.begin(inside, number, job, begun);
        }
    }

    /// Takes a request out of the queue, if it is still there.
    fn leave(&self, inside: &mut Inside, number: u64) -> Option<Job> {
        inside.jobs.get(&number).filter(|job| !job.working)?;
        let Inside { station, jobs, .. } = inside;
        let job = jobs.remove(&number);
        station.leave(|job| jobs.contains_key(&job));
        job
    }

    /// Nobody waits for the answer to a request any more.
    fn abandon(self: &Arc<Self>, number: u64) {
        let rule = self.rule.abandoned;
        if rule == Abandoned::KeepWorking {
            return;
        }
        let mut inside = self.inside();
        if self.leave(&mut inside, number).is_none() && rule == Abandoned::Drop && inside.jobs.remove(&number).is_some()
        {
            inside.station.finish();
            self.start_waiting(&mut inside, self.clock.now());
        }
    }

    /// What becomes of who is not taken.
    pub(crate) const fn shed(&self) -> Shed {
        self.rule.shed
    }

    /// How many requests are worked on, and how many wait.
    pub(crate) fn occupancy(&self) -> (usize, usize) {
        let inside = self.inside();
        let working = inside.jobs.values().filter(|job| job.working).count();
        (working, inside.jobs.len() - working)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Place<'_> {
    type Output = Fate;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Fate> {
        Pin::new(&mut self.fate).poll(context).map(|fate| fate.expect("who waits is told"))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // With its fate told, it is not inside any more.
        self.site.abandon(self.number);
    }
}

#[cfg(test)]
mod tests;
