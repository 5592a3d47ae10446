//! The service's side of a run: attempts arrive, wait, are worked on, and are answered.

use std::time::Duration;

use brownout_draw::{Seed, nanos};
use brownout_load::Reply;
use brownout_policy::{Failure, Transport};
use brownout_service::{Abandoned, Entry, Held, Service, Shed};

use super::arena::Arena;
use super::event::Event;
use super::node::Node;
use super::replicas::landed;
use super::site::Job;
use super::{AttemptState, LANES, Observer, Run, Stage};
use crate::queue::{Queue, Ticket};

impl<O: Observer> Run<'_, O> {
    /// An attempt reaches the service.
    pub(super) fn reach(&mut self, index: u32) {
        if self.nodes[usize::from(self.attempts[index].node)].service.refuses_at(self.elapsed()) {
            return self.refuse_connection(index);
        }
        if self.gate.is_some() && !self.let_in(index) {
            return;
        }
        let (now, elapsed) = (self.now, self.elapsed());
        let attempt = &mut self.attempts[index];
        let node = &mut self.nodes[usize::from(attempt.node)];
        node.decide(self.seed, attempt, now);
        if !node.service.lets_in(self.seed, attempt.identity(), elapsed) {
            attempt.stage = Stage::Answered;
            return self.answer(index, Service::TURNED_AWAY, None);
        }
        let Some(site) = &mut node.site else {
            // Where its caller has gone, nobody here is any the worse for it.
            return if attempt.awaited { self.own_part_done(index) } else { self.free(index) };
        };
        if !attempt.awaited && site.rule.abandoned != Abandoned::KeepWorking {
            return self.free(index);
        }
        attempt.place = site.next_place();
        match site.enter(now, (index, attempt.place)) {
            Entry::Started => node.begin_work(self.seed, attempt, index, now, &mut self.queue),
            Entry::Queued => self.wait(index),
            Entry::Shed => self.shed(index),
        }
    }

    /// Nobody listens where attempt `index` would have been heard, which its caller is told at once.
    #[cold]
    fn refuse_connection(&mut self, index: u32) {
        self.attempts[index].stage = Stage::Answered;
        let refused = Transport::Connect;
        self.bring(index, Reply::Broken(refused), Some(Failure::transport(refused)));
    }

    /// The answer to attempt `index` is there once its latency has passed.
    pub(super) fn expect_reply(&mut self, index: u32) {
        let attempt = &mut self.attempts[index];
        attempt.stage = Stage::Answered;
        attempt.due = self.now.saturating_add(attempt.latency);
        let at = attempt.due;
        self.push(at, Event::Reply(index));
    }

    fn wait(&mut self, index: u32) {
        let attempt = &mut self.attempts[index];
        let patience = self.nodes[usize::from(attempt.node)].service.patience(self.seed, attempt.identity());
        attempt.stage = Stage::Waiting;
        attempt.event = patience
            .map(|patience| self.queue.push(self.now.saturating_add(nanos(patience)), Event::Impatient(index).pack()));
    }

    /// Attempt `index` is not taken.
    fn shed(&mut self, index: u32) {
        if let Some(gate) = &mut self.gate {
            gate.release(index);
        }
        let Some(site) = &self.nodes[usize::from(self.attempts[index].node)].site else { return };
        match site.rule.shed {
            Shed::Answer { status, retry_after } => {
                self.attempts[index].stage = Stage::Answered;
                self.answer(index, status, retry_after);
            }
            // Nobody tells the caller: it finds out by its own timeout.
            Shed::Silent if self.attempts[index].awaited => self.attempts[index].stage = Stage::Lost,
            Shed::Silent => self.free(index),
        }
    }

    /// An attempt has waited too long in the queue, if it still waits.
    pub(super) fn lose_patience(&mut self, index: u32, ticket: Ticket) {
        let attempt = &self.attempts[index];
        if attempt.event != Some(ticket) || attempt.stage != Stage::Waiting {
            return;
        }
        self.leave(index, true);
        self.shed(index);
    }

    /// The work of an attempt is done.
    pub(super) fn done(&mut self, index: u32, ticket: Ticket) {
        let attempt = &mut self.attempts[index];
        if attempt.event != Some(ticket) {
            return;
        }
        attempt.event = None;
        if self.nodes[usize::from(attempt.node)].is_leaf() {
            return self.work_over(index);
        }
        self.own_part_done(index);
    }

    /// The service has done its own part of attempt `index`: what it calls is next, where it calls anybody, or the answer.
    fn own_part_done(&mut self, index: u32) {
        let elapsed = self.elapsed();
        let attempt = &self.attempts[index];
        let node = &mut self.nodes[usize::from(attempt.node)];
        if !attempt.outcome.has_effect() || node.is_leaf() {
            return self.work_over(index);
        }
        let phases = node.service.phases();
        let mut hit = |cache: &mut Held| cache.is_hit(self.seed, attempt.identity(), elapsed, phases);
        if node.cache.as_mut().is_some_and(&mut hit) {
            return self.work_over(index);
        }
        self.call_behind(index);
    }

    /// Everything is done for attempt `index` but to answer it.
    pub(super) fn work_over(&mut self, index: u32) {
        let attempt = &mut self.attempts[index];
        attempt.stage = Stage::Answered;
        let AttemptState { awaited, latency, node, reached, begun, .. } = *attempt;
        if self.books.is_some() {
            self.enter_effect(index);
        }
        let Some(site) = &mut self.nodes[usize::from(node)].site else { return self.expect_reply(index) };
        site.finish(self.now, reached, self.now - begun, awaited);
        self.start_waiting(node);
        if !awaited {
            self.free(index);
        } else if latency == 0 {
            self.reply(index);
        } else {
            self.expect_reply(index);
        }
    }

    /// The worker of attempt `index` is free again.
    pub(super) fn finish_work(&mut self, index: u32) {
        let attempt = &self.attempts[index];
        if let Some(site) = &mut self.nodes[usize::from(attempt.node)].site {
            site.finish(self.now, attempt.reached, self.now - attempt.begun, attempt.awaited);
        }
    }

    /// Attempt `index` leaves the queue: with its caller, or since it waited too long (`shed`).
    pub(super) fn leave(&mut self, index: u32, shed: bool) {
        let attempt = &mut self.attempts[index];
        attempt.stage = Stage::Lost;
        let AttemptState { reached, node, .. } = *attempt;
        let attempts = &self.attempts;
        if let Some(site) = &mut self.nodes[usize::from(node)].site {
            site.leave(self.now, reached, shed, |job| waits(attempts, job));
        }
    }

    /// Workers of service `node` that are free take who waits.
    pub(super) fn start_waiting(&mut self, node: u16) {
        let node = &mut self.nodes[usize::from(node)];
        while let Some(site) = &mut node.site {
            let Some((index, _)) = site.next(self.now, |job| waits(&self.attempts, job)) else { return };
            let attempt = &mut self.attempts[index];
            site.started(self.now, attempt.reached);
            node.begin_work(self.seed, attempt, index, self.now, &mut self.queue);
        }
    }

    /// Puts the next change of the number of workers of service `node` on the agenda.
    pub(super) fn expect_workers_change(&mut self, node: u16) {
        let Node { service, site, .. } = &self.nodes[usize::from(node)];
        if let Some(at) = service.next_workers_change(self.elapsed())
            && site.is_some()
        {
            self.push(nanos(at), Event::Workers(node.into()));
        }
    }

    /// The number of workers of service `node` may have changed.
    pub(super) fn change_workers(&mut self, node: u16) {
        let elapsed = self.elapsed();
        let Node { service, site, .. } = &mut self.nodes[usize::from(node)];
        let workers = service.workers(elapsed);
        if let Some(site) = site {
            site.set_workers(self.now, workers);
        }
        self.start_waiting(node);
        // With nobody left to come, a change would only keep the run from ending.
        if !self.queue.is_empty() {
            self.expect_workers_change(node);
        }
    }
}

impl Node<'_> {
    /// Decides what becomes of `attempt`, which has reached the service at `now`.
    #[expect(clippy::inline_always, reason = "one attempt in every three events asks; measured")]
    #[inline(always)]
    pub(super) fn decide(&mut self, seed: Seed, attempt: &mut AttemptState, now: u64) {
        let (outcome, latency) = if let Some(steady) = &mut self.steady {
            steady.decide(attempt.identity())
        } else {
            let landed = self.landed(seed, attempt);
            let route = self.route_of(seed, attempt.request);
            let decision = self.service.decide(seed, route, landed, Duration::from_nanos(now));
            (decision.outcome, nanos(decision.until_seen()))
        };
        (attempt.reached, attempt.outcome, attempt.latency) = (now, outcome, latency);
    }

    /// A worker begins with the attempt in slot `index`.
    fn begin_work(&mut self, seed: Seed, attempt: &mut AttemptState, index: u32, now: u64, queue: &mut Queue<LANES>) {
        let elapsed = Duration::from_nanos(now);
        let (service, carried) = (self.service, self.carried);
        let replica = || landed(service, seed, attempt.identity(), attempt.client, carried).replica;
        let work = service.work_ahead_ns(seed, attempt.identity(), elapsed, &mut self.works, replica);
        let done = now.saturating_add(work);
        attempt.stage = Stage::Working;
        attempt.begun = now;
        attempt.due = if self.is_leaf() { done.saturating_add(attempt.latency) } else { u64::MAX };
        attempt.event = Some(queue.push(done, Event::Done(index).pack()));
    }
}

/// Whether the attempt that `job` names still waits.
fn waits(attempts: &Arena<AttemptState>, (slot, place): Job) -> bool {
    let attempt = &attempts[slot];
    attempt.stage == Stage::Waiting && attempt.place == place
}
