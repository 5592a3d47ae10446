//! The callers' side of a run: calls begin, make attempts, and end.

use std::time::Duration;

use brownout_draw::{Seed, Stream, draw, nanos};
use brownout_load::{Attempt, Over, Reply, Step, Tally};
use brownout_policy::{Failure, Policy, StopReason, Success, Transport, Verdict};
use brownout_service::{Abandoned, Outcome, Service};

use super::crowd::Crowd;
use super::event::Event;
use super::node::ENTRY;
use super::{AttemptState, CallState, LANE_ARRIVAL, LANE_REACH, LANE_TIMEOUT, NONE, Observer, Run, Stage};
use crate::heard;
use crate::queue::Ticket;

impl<'w, O: Observer> Run<'w, O> {
    /// Puts the next call of an open crowd on the agenda.
    pub(super) fn expect_arrival(&mut self, crowd: u16) {
        let service = self.nodes[usize::from(ENTRY)].service;
        let open = self.crowds.at(crowd);
        let (at, client) = match open.step(|elapsed| service.load_factor(elapsed)) {
            Step::Call(arrival) => (arrival.at_ns, Some(arrival.client)),
            Step::Nothing { until_ns } => (until_ns, None),
            Step::Over => return,
        };
        open.due_client = client;
        self.push_lane(LANE_ARRIVAL, at, Event::Arrival(crowd.into()));
    }

    /// A call of an open crowd is due.
    pub(super) fn arrive(&mut self, crowd: u16) {
        let due = self.crowds.at(crowd).due_client;
        self.expect_arrival(crowd);
        if let Some(client) = due {
            self.begin(crowd, client, false);
        }
    }

    /// Puts the first calls of a closed crowd on the agenda.
    pub(super) fn expect_closed(&mut self, crowd: u16) {
        let Crowd { load, first, .. } = *self.crowds.at(crowd);
        for client in 0..load.busy_clients() {
            if !self.crowds.at(crowd).owns(client) {
                continue;
            }
            let client = first.0 + client;
            self.push(nanos(load.start(self.seed, client)), Event::Begin(client));
        }
    }

    /// A closed client is free for its next call.
    pub(super) fn begin_of_closed(&mut self, client: u32) {
        let (crowd, client) = self.crowds.of_client(client);
        self.crowds.at(crowd).take_turn(client);
        let Crowd { load, begun, .. } = *self.crowds.at(crowd);
        if begun < load.count_max() && load.goes_on_at(self.elapsed()) {
            self.begin(crowd, client, false);
        }
    }

    /// A client makes again what failed before.
    pub(super) fn come_back(&mut self, client: u32) {
        let (crowd, client) = self.crowds.of_client(client);
        if self.crowds.at(crowd).load.goes_on_at(self.elapsed()) {
            self.count(crowd, Tally::returned);
            self.begin(crowd, client, true);
        }
    }

    fn begin(&mut self, edge: u16, client: u32, returned: bool) {
        let now = self.elapsed();
        let crowd = self.crowds.at(edge);
        crowd.begun += 1;
        let (number, inner) = (crowd.numbers.of(crowd.begun), NONE);
        let call = self.edges[usize::from(edge)].callers.call(client, now);
        let state = CallState { call, number, edge, inner, live: true, returned, attempts: NONE, hedge: None };
        match self.calls.insert(state, self.limits.in_flight) {
            Some(slot) => self.attempt(slot),
            None => self.cut("calls in flight", self.limits.in_flight.into()),
        }
    }

    /// A call makes its next attempt, if its policy lets it.
    pub(super) fn attempt(&mut self, slot: u32) {
        let now = self.elapsed();
        let state = &mut self.calls[slot];
        let edge = &mut self.edges[usize::from(state.edge)];
        if self.client_edges <= state.edge && self.inner[state.inner].until <= self.now {
            edge.callers.abandoned(&state.call, now);
            return self.end(slot, Some(StopReason::DeadlineExceeded));
        }
        let draw = throttle_draw(self.seed, edge.policy, state);
        match edge.callers.begin(&mut state.call, now, draw) {
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
        let edge = &mut self.edges[usize::from(state.edge)];
        let draw = throttle_draw(self.seed, edge.policy, state);
        match edge.callers.hedge(&mut state.call, now, draw) {
            Err(StopReason::BudgetDenied) => self.budget_denied(slot),
            Err(_) => {}
            Ok(go) => self.send(slot, true, go.allowance),
        }
    }

    /// The limiter that held an attempt back lets it go.
    pub(super) fn send_held_back(&mut self, slot: u32) {
        let state = &self.calls[slot];
        let allowance = self.edges[usize::from(state.edge)].callers.allowance(&state.call, self.elapsed());
        self.send(slot, false, allowance);
    }

    /// The attempt that was begun last is on its way, and may take so long.
    fn send(&mut self, slot: u32, hedge: bool, allowance: Option<Duration>) {
        let mut until = allowance.map_or(u64::MAX, |allowance| self.later(allowance));
        let state = &mut self.calls[slot];
        let number = state.call.attempt();
        let edge = &mut self.edges[usize::from(state.edge)];
        let (mut connect, mut client) = (0, 0);
        if state.edge < self.client_edges {
            let crowd = self.crowds.at(state.edge);
            connect = crowd.load.connect_ns(self.seed, state.number, number.get());
            client = crowd.first.0 + state.call.client();
        } else {
            until = until.min(self.inner[state.inner].until);
            edge.counts.attempts += 1;
        }
        let node = edge.to;
        let attempt = AttemptState {
            call: slot,
            next: state.attempts,
            request: state.number,
            client,
            number,
            place: 0,
            node,
            hedge,
            awaited: true,
            bad_gateway: false,
            stage: Stage::OnItsWay,
            outcome: Outcome::Success,
            sent: self.now,
            reached: u64::MAX,
            begun: 0,
            latency: 0,
            due: u64::MAX,
            until,
            timer: None,
            event: None,
        };
        let Some(index) = self.attempts.insert(attempt, self.limits.in_flight) else {
            return self.cut("attempts in flight", self.limits.in_flight.into());
        };
        state.attempts = index;
        // Before the attempt can be settled at once, which must find the timer there to stop it.
        if let Some(after) = edge.callers.hedge_after(&state.call) {
            let at = self.now.saturating_add(nanos(after));
            state.hedge = Some(self.queue.push(at, Event::Hedge(slot).pack()));
        }
        if connect > 0 {
            self.push_lane(LANE_REACH, self.now.saturating_add(connect), Event::Reach(index));
        }
        // Where nothing but the answer itself decides when it comes, one of the two events is enough.
        let gated = self.gate.is_some() && node == ENTRY;
        let to = &self.nodes[usize::from(node)];
        if connect == 0
            && to.site.is_none()
            && to.is_leaf()
            && !gated
            && !to.service.throttles()
            && !to.service.refuses()
        {
            return self.answer_or_give_up(index);
        }
        if until < u64::MAX {
            self.attempts[index].timer = Some(self.push_lane(LANE_TIMEOUT, until, Event::Timeout(index)));
        }
        if connect == 0 {
            self.reach(index);
        }
    }

    /// The answer to attempt `index` comes, or its caller gives up, whichever is first; the answer where both are.
    fn answer_or_give_up(&mut self, index: u32) {
        let now = self.now;
        let attempt = &mut self.attempts[index];
        self.nodes[usize::from(attempt.node)].decide(self.seed, attempt, now);
        if self.books.is_some() {
            self.enter_effect(index);
        }
        let attempt = &mut self.attempts[index];
        let until = attempt.until;
        if now.saturating_add(attempt.latency) <= until {
            return self.expect_reply(index);
        }
        attempt.stage = Stage::Lost;
        self.attempts[index].timer = Some(self.push_lane(LANE_TIMEOUT, until, Event::Timeout(index)));
    }

    /// The answer to an attempt has reached its caller, if that one still waits.
    pub(super) fn reply(&mut self, index: u32) {
        let AttemptState { outcome, bad_gateway, awaited, .. } = self.attempts[index];
        if awaited && outcome == Outcome::Success && !bad_gateway && self.ok_succeeds {
            self.succeed(index, Reply::Status(outcome.status()));
            return self.free(index);
        }
        if bad_gateway {
            return self.answer(index, Service::BAD_GATEWAY, None);
        }
        if outcome.is_fault() {
            return self.reply_of_fault(index);
        }
        self.answer(index, outcome.status(), outcome.retry_after());
    }

    /// What a fault made of the answer to an attempt has reached its caller, if that one still waits.
    ///
    /// What the fault takes is decided once more rather than kept, so that the record of an attempt need not have room for it.
    #[cold]
    fn reply_of_fault(&mut self, index: u32) {
        let attempt = &self.attempts[index];
        let node = &self.nodes[usize::from(attempt.node)];
        let landed = node.landed(self.seed, attempt);
        let route = node.route_of(self.seed, attempt.request);
        let met = node.service.decide(self.seed, route, landed, Duration::from_nanos(attempt.reached));
        let failure = met.fault.and_then(|fault| heard::failure_of(fault, self.success(index)));
        self.bring(index, heard::reply(met.seen()), failure);
    }

    /// An answer has reached the caller of attempt `index`, if that one still waits.
    pub(super) fn answer(&mut self, index: u32, status: u16, retry_after: Option<Duration>) {
        let reply = Reply::Status(status);
        self.bring(index, reply, reply.failure(self.success(index), retry_after));
    }

    /// What the caller of attempt `index` takes for a success: clients as the load says, services what is below 400.
    fn success(&self, index: u32) -> &'w Success {
        if self.attempts[index].node == ENTRY { &self.load.success } else { Success::BELOW_400 }
    }

    /// The caller of attempt `index` hears `reply`, which is a `failure` or none, if it still waits. That was all.
    pub(super) fn bring(&mut self, index: u32, reply: Reply, failure: Option<Failure>) {
        if self.attempts[index].awaited {
            match failure {
                None => self.succeed(index, reply),
                Some(failure) => self.fail(index, reply, &failure),
            }
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
        let timeout = Transport::Timeout;
        self.fail(index, Reply::Broken(timeout), &Failure::transport(timeout));
        self.forget(index);
    }

    /// Attempt `index` has brought what was wanted. It is no longer awaited, and its call is over.
    fn succeed(&mut self, index: u32, reply: Reply) {
        let now = self.elapsed();
        self.unlink(index);
        let attempt = &self.attempts[index];
        let AttemptState { call: slot, sent, .. } = *attempt;
        let retry = attempt.is_another();
        let state = &mut self.calls[slot];
        let edge = &mut self.edges[usize::from(state.edge)];
        edge.callers.succeeded(&mut state.call, now, Duration::from_nanos(self.now - sent), retry);
        if !retry && sent == state.call.started_ns() && state.attempts == NONE && state.edge < self.client_edges {
            return self.end_single(index, slot, reply);
        }
        self.record(index, reply, None);
        self.end(slot, None);
    }

    /// Attempt `index` has failed. It is no longer awaited; its policy tells what follows for its call.
    fn fail(&mut self, index: u32, reply: Reply, failure: &Failure) {
        let now = self.elapsed();
        self.unlink(index);
        let attempt = &self.attempts[index];
        let AttemptState { call: slot, number, .. } = *attempt;
        let retry = attempt.is_another();
        let state = &mut self.calls[slot];
        let edge = &mut self.edges[usize::from(state.edge)];
        let draw = draw(self.seed, Stream::JITTER, state.number, number.get());
        let verdict = edge.callers.failed(&mut state.call, now, failure, draw, retry);
        self.record(index, reply, Some(verdict));
        if let Some(asked) = failure.retry_after
            && self.attempts[index].node == ENTRY
        {
            let edge = self.calls[slot].edge;
            self.count(edge, |tally| tally.retry_after(asked, verdict));
        }
        match verdict {
            Verdict::Await => {}
            Verdict::Stop(reason) => {
                if reason == StopReason::BudgetDenied {
                    self.budget_denied(slot);
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
        // What no client has sent is counted where it is sent.
        if self.attempts[index].node == ENTRY {
            let attempt = Attempt { verdict, ..self.attempts[index].over(self.now, reply) };
            let edge = self.calls[self.attempts[index].call].edge;
            self.count(edge, |tally| tally.attempt(&attempt));
            self.observe(index, &attempt);
        }
    }

    /// Counts for the run and for the crowd whose calls go along `edge`.
    #[inline]
    fn count(&mut self, edge: u16, count: impl Fn(&mut Tally)) {
        count(&mut self.tally);
        self.crowds.at(edge).count(count);
    }

    /// The budget refused what call `slot` wanted.
    fn budget_denied(&mut self, slot: u32) {
        let edge = self.calls[slot].edge;
        if edge < self.client_edges {
            self.count(edge, Tally::budget_denied);
        } else {
            self.edges[usize::from(edge)].counts.budget_denied += 1;
        }
    }

    fn observe(&mut self, index: u32, attempt: &Attempt) {
        let AttemptState { request, reached, .. } = self.attempts[index];
        let reached = (reached <= self.now).then(|| Duration::from_nanos(reached));
        self.observer.attempt(request, attempt, reached);
    }

    /// Call `slot` is over, and was nothing but attempt `index`, which succeeded. Most calls are like that.
    fn end_single(&mut self, index: u32, slot: u32, reply: Reply) {
        let attempt = self.attempts[index].over(self.now, reply);
        let edge = self.calls[slot].edge;
        self.count(edge, |tally| tally.single(&attempt));
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
            let state = &mut self.calls[slot];
            let edge = &mut self.edges[usize::from(state.edge)];
            edge.callers.cancelled(&mut state.call, latency, attempt.is_another());
            self.record(index, Reply::Broken(Transport::Cancelled), None);
            self.forget(index);
        }
        let state = &mut self.calls[slot];
        let (edge, inner) = (state.edge, state.inner);
        if self.client_edges <= edge {
            self.give_back(slot);
            return self.end_inner(edge, inner, failed);
        }
        let end = state.over(self.now, failed);
        self.count(edge, |tally| tally.call(&end));
        self.close(slot, failed);
    }

    /// Call `slot`, which has been counted, makes room for its client's next.
    fn close(&mut self, slot: u32, failed: Option<StopReason>) {
        let state = &mut self.calls[slot];
        let CallState { number, edge, returned, .. } = *state;
        let client = state.call.client();
        self.observer.call(number, &state.over(self.now, failed));
        self.give_back(slot);
        let crowd = self.crowds.at(edge);
        let (load, of_all) = (crowd.load, crowd.first.0 + client);
        if load.is_open() {
            // What becomes of what it was to do, where callers do not wait for each other.
            let over = Over { client, number, returned, failed: failed.is_some() };
            if let Some(after) = crowd.given_up.over(load, self.seed, over) {
                let at = self.later(after);
                self.push(at, Event::Return(of_all));
            }
        } else {
            let at = self.now.saturating_add(load.pause_ns(self.seed, number));
            self.push(at, Event::Begin(of_all));
        }
    }

    /// Slot `slot` is free for another call.
    fn give_back(&mut self, slot: u32) {
        let state = &mut self.calls[slot];
        // A timer that is still to fire must not find it waiting.
        (state.hedge, state.live) = (None, false);
        self.calls.remove(slot);
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
        let attempt = &self.attempts[index];
        let rule = self.nodes[usize::from(attempt.node)].site.as_ref().map(|site| site.rule.abandoned);
        match (attempt.stage, rule) {
            (Stage::Lost, _) => self.free(index),
            (Stage::Waiting, Some(Abandoned::DropWaiting | Abandoned::Drop)) => {
                self.leave(index, false);
                self.free(index);
            }
            (Stage::Working | Stage::Calling, Some(Abandoned::Drop)) => {
                let node = attempt.node;
                self.finish_work(index);
                self.free(index);
                self.start_waiting(node);
            }
            // An event that is still to come finds that nobody waits.
            _ => {}
        }
    }

    /// Caller and service are done with attempt `index`.
    pub(super) fn free(&mut self, index: u32) {
        if let Some(gate) = &mut self.gate {
            gate.release(index);
        }
        let attempt = &mut self.attempts[index];
        (attempt.stage, attempt.timer, attempt.event) = (Stage::Lost, None, None);
        self.attempts.remove(index);
    }
}

/// The luck of the next attempt of a call, as far as leave to make it needs any.
fn throttle_draw(seed: Seed, policy: &Policy, CallState { call, number, .. }: &CallState) -> u64 {
    let drawn = || draw(seed, Stream::THROTTLE, *number, call.next_attempt());
    if policy.throttles() { drawn() } else { 0 }
}
