//! The callers' side of a run: calls begin, make attempts, and end.

use std::time::Duration;

use brownout_draw::{Stream, draw, nanos};
use brownout_load::{Attempt, Over, Reply, Step};
use brownout_policy::{StopReason, Transport, Verdict};
use brownout_service::{Abandoned, Outcome};

use super::event::Event;
use super::{AttemptState, CallState, LANE_ARRIVAL, LANE_REACH, LANE_TIMEOUT, NONE, Observer, Run, Stage};
use crate::World;
use crate::queue::Ticket;

impl<O: Observer> Run<'_, O> {
    /// Puts the next call of an open load on the agenda.
    pub(super) fn expect_arrival(&mut self) {
        let service = self.world.service;
        let (at, client) = match self.schedule.step(|elapsed| service.load_factor(elapsed)) {
            Step::Call(arrival) => (arrival.at_ns, Some(arrival.client)),
            Step::Nothing { until_ns } => (until_ns, None),
            Step::Over => return,
        };
        self.due_client = client;
        self.push_lane(LANE_ARRIVAL, at, Event::Arrival);
    }

    /// A call of an open load is due.
    pub(super) fn arrive(&mut self) {
        let due = self.due_client;
        self.expect_arrival();
        if let Some(client) = due {
            self.begin(client, false);
        }
    }

    /// A closed client is free for its next call.
    pub(super) fn begin_of_closed(&mut self, client: u32) {
        if self.number < self.load.count_max() && self.load.goes_on_at(self.elapsed()) {
            self.begin(client, false);
        }
    }

    /// A client makes again what failed before.
    pub(super) fn come_back(&mut self, client: u32) {
        if self.load.goes_on_at(self.elapsed()) {
            self.tally.returned();
            self.begin(client, true);
        }
    }

    fn begin(&mut self, client: u32, returned: bool) {
        self.number += 1;
        let call = self.callers.call(client, self.elapsed());
        let state = CallState { call, number: self.number, live: true, returned, attempts: NONE, hedge: None };
        match self.calls.insert(state, self.limits.in_flight) {
            Some(slot) => self.attempt(slot),
            None => self.cut("calls in flight", self.limits.in_flight.into()),
        }
    }

    /// A call makes its next attempt, if its policy lets it.
    pub(super) fn attempt(&mut self, slot: u32) {
        let now = self.elapsed();
        let state = &mut self.calls[slot];
        let draw = throttle_draw(self.world, state);
        match self.callers.begin(&mut state.call, now, draw) {
            Err(reason) => self.end(slot, Some(reason)),
            Ok(go) if go.after.is_zero() => self.send(slot, false, go.allowance),
            Ok(go) => {
                let at = self.later(go.after);
                self.push(at, Event::Send(slot));
            }
        }
    }

    /// A copy is sent beside the attempts in flight, if it is still wanted and the policy lets it.
    pub(super) fn hedge(&mut self, slot: u32, ticket: Ticket) {
        let now = self.elapsed();
        let state = &mut self.calls[slot];
        if state.hedge != Some(ticket) {
            return;
        }
        state.hedge = None;
        let draw = throttle_draw(self.world, state);
        match self.callers.hedge(&mut state.call, now, draw) {
            Err(StopReason::BudgetDenied) => self.tally.budget_denied(),
            Err(_) => {}
            Ok(go) => self.send(slot, true, go.allowance),
        }
    }

    /// The limiter that held an attempt back lets it go.
    pub(super) fn send_held_back(&mut self, slot: u32) {
        let allowance = self.callers.allowance(&self.calls[slot].call, self.elapsed());
        self.send(slot, false, allowance);
    }

    /// The attempt that was begun last is on its way, and may take so long.
    fn send(&mut self, slot: u32, hedge: bool, allowance: Option<Duration>) {
        let state = &mut self.calls[slot];
        let number = state.call.attempt();
        let connect = self.load.connect_ns(self.world.seed, state.number, number.get());
        let attempt = AttemptState {
            call: slot,
            next: state.attempts,
            request: state.number,
            number,
            place: 0,
            hedge,
            awaited: true,
            stage: Stage::OnItsWay,
            outcome: Outcome::Success,
            sent: self.now,
            reached: u64::MAX,
            begun: 0,
            latency: 0,
            due: u64::MAX,
            timer: None,
            event: None,
        };
        let Some(index) = self.attempts.insert(attempt, self.limits.in_flight) else {
            return self.cut("attempts in flight", self.limits.in_flight.into());
        };
        state.attempts = index;
        // Before the attempt can be settled at once, which must find the timer there to stop it.
        if let Some(after) = self.callers.hedge_after(&state.call) {
            let at = self.now.saturating_add(nanos(after));
            state.hedge = Some(self.queue.push(at, Event::Hedge(slot).pack()));
        }
        let gives_up = allowance.map(|allowance| self.later(allowance));
        if connect > 0 {
            self.push_lane(LANE_REACH, self.now.saturating_add(connect), Event::Reach(index));
        }
        // Where nothing but the answer itself decides when it comes, one of the two events is enough.
        if connect == 0 && self.site.is_none() {
            self.answer_or_give_up(index, gives_up);
        } else if let Some(at) = gives_up {
            self.attempts[index].timer = Some(self.push_lane(LANE_TIMEOUT, at, Event::Timeout(index)));
        }
        if connect == 0 && self.site.is_some() {
            self.reach(index);
        }
    }

    /// The answer to attempt `index` comes, or its caller gives up, whichever is first; the answer where both are.
    fn answer_or_give_up(&mut self, index: u32, gives_up: Option<u64>) {
        self.decide(index);
        let attempt = &mut self.attempts[index];
        match gives_up {
            Some(at) if at < self.now.saturating_add(attempt.latency) => {
                attempt.stage = Stage::Lost;
                self.attempts[index].timer = Some(self.push_lane(LANE_TIMEOUT, at, Event::Timeout(index)));
            }
            _ => self.expect_reply(index),
        }
    }

    /// The answer to an attempt has reached its caller, if that one still waits.
    pub(super) fn reply(&mut self, index: u32) {
        let outcome = self.attempts[index].outcome;
        self.answer(index, outcome.status(), outcome.retry_after());
    }

    /// An answer has reached the caller of attempt `index`, if that one still waits.
    pub(super) fn answer(&mut self, index: u32, status: u16, retry_after: Option<Duration>) {
        let awaited = self.attempts[index].awaited;
        if awaited {
            self.settle(index, Reply::Status(status), retry_after);
        }
        self.free(index);
    }

    /// The caller of an attempt gives up, if it still waits.
    pub(super) fn time_out(&mut self, index: u32, ticket: Ticket) {
        let attempt = &self.attempts[index];
        // An answer that comes at the very moment counts.
        if attempt.timer != Some(ticket) || !attempt.awaited || attempt.due == self.now {
            return;
        }
        self.settle(index, Reply::Broken(Transport::Timeout), None);
        self.forget(index);
    }

    /// What attempt `index` brought, and what follows for its call. The attempt is no longer awaited.
    fn settle(&mut self, index: u32, reply: Reply, retry_after: Option<Duration>) {
        let now = self.elapsed();
        self.unlink(index);
        let attempt = &self.attempts[index];
        let AttemptState { call: slot, number, sent, .. } = *attempt;
        let retry = attempt.is_another();
        let state = &mut self.calls[slot];
        let Some(failure) = reply.failure(retry_after) else {
            self.callers.succeeded(&mut state.call, now, Duration::from_nanos(self.now - sent), retry);
            if !retry && sent == state.call.started_ns() && state.attempts == NONE {
                return self.end_single(index, slot, reply);
            }
            self.record(index, reply, None);
            return self.end(slot, None);
        };
        let draw = draw(self.world.seed, Stream::JITTER, state.number, number.get());
        let verdict = self.callers.failed(&mut state.call, now, &failure, draw, retry);
        self.record(index, reply, Some(verdict));
        match verdict {
            Verdict::Await => {}
            Verdict::Stop(reason) => {
                if reason == StopReason::BudgetDenied {
                    self.tally.budget_denied();
                }
                self.end(slot, Some(reason));
            }
            Verdict::Retry { after, .. } => {
                self.calls[slot].hedge = None;
                let at = self.later(after);
                self.push(at, Event::Attempt(slot));
            }
        }
    }

    /// Counts attempt `index`, now that it is over for its caller.
    fn record(&mut self, index: u32, reply: Reply, verdict: Option<Verdict>) {
        let attempt = self.attempts[index].over(self.now, reply, verdict);
        self.tally.attempt(&attempt);
        self.observe(index, &attempt);
    }

    fn observe(&mut self, index: u32, attempt: &Attempt) {
        let AttemptState { request, reached, .. } = self.attempts[index];
        let reached = (reached <= self.now).then(|| Duration::from_nanos(reached));
        self.observer.attempt(request, attempt, reached);
    }

    /// Call `slot` is over, and was nothing but attempt `index`, which succeeded. Most calls are like that.
    fn end_single(&mut self, index: u32, slot: u32, reply: Reply) {
        let attempt = self.attempts[index].over(self.now, reply, None);
        self.tally.single(&attempt);
        self.observe(index, &attempt);
        self.close(slot, None);
    }

    /// A call is over.
    fn end(&mut self, slot: u32, failed: Option<StopReason>) {
        while self.calls[slot].attempts != NONE {
            let index = self.calls[slot].attempts;
            self.unlink(index);
            let attempt = &self.attempts[index];
            let latency = Duration::from_nanos(self.now - attempt.sent);
            self.callers.cancelled(&mut self.calls[slot].call, latency, attempt.is_another());
            self.record(index, Reply::Broken(Transport::Cancelled), None);
            self.forget(index);
        }
        self.tally.call(&self.calls[slot].over(self.now, failed));
        self.close(slot, failed);
    }

    /// Call `slot`, which has been counted, makes room for its client's next.
    fn close(&mut self, slot: u32, failed: Option<StopReason>) {
        let state = &mut self.calls[slot];
        let (number, client, returned) = (state.number, state.call.client(), state.returned);
        self.observer.call(number, &state.over(self.now, failed));
        // A timer that is still to fire must not find it waiting.
        (state.hedge, state.live) = (None, false);
        self.calls.remove(slot);
        if self.load.is_open() {
            self.after_open(client, number, returned, failed.is_some());
        } else {
            let at = self.now.saturating_add(self.load.pause_ns(self.world.seed, number));
            self.push(at, Event::Begin(client));
        }
    }

    /// What becomes of what call `number` was to do, where callers do not wait for each other.
    fn after_open(&mut self, client: u32, number: u64, returned: bool, failed: bool) {
        let over = Over { client, number, returned, failed };
        if let Some(after) = self.given_up.over(self.load, self.world.seed, over) {
            let at = self.later(after);
            self.push(at, Event::Return(client));
        }
    }

    /// The caller no longer waits for attempt `index`.
    fn unlink(&mut self, index: u32) {
        let attempt = &mut self.attempts[index];
        attempt.awaited = false;
        let (next, first) = (attempt.next, &mut self.calls[attempt.call].attempts);
        if *first == index {
            *first = next;
            return;
        }
        let mut at = *first;
        while self.attempts[at].next != index {
            at = self.attempts[at].next;
        }
        self.attempts[at].next = next;
    }

    /// What the service does with attempt `index`, now that its caller has gone.
    fn forget(&mut self, index: u32) {
        let rule = self.site.as_ref().map(|site| site.rule.abandoned);
        match (self.attempts[index].stage, rule) {
            (Stage::Lost, _) => self.free(index),
            (Stage::Waiting, Some(Abandoned::DropWaiting | Abandoned::Drop)) => {
                self.leave(index, false);
                self.free(index);
            }
            (Stage::Working, Some(Abandoned::Drop)) => {
                self.finish_work(index);
                self.free(index);
                self.start_waiting();
            }
            // An event that is still to come finds that nobody waits.
            _ => {}
        }
    }

    /// Caller and service are done with attempt `index`.
    pub(super) fn free(&mut self, index: u32) {
        let attempt = &mut self.attempts[index];
        (attempt.stage, attempt.timer, attempt.event) = (Stage::Lost, None, None);
        self.attempts.remove(index);
    }
}

/// The luck of the next attempt of a call, as far as leave to make it needs any.
fn throttle_draw(world: World<'_>, CallState { call, number, .. }: &CallState) -> u64 {
    let drawn = || draw(world.seed, Stream::THROTTLE, *number, call.next_attempt());
    if world.policy.throttles() { drawn() } else { 0 }
}
