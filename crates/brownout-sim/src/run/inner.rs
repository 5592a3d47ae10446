//! Calls that services make while they work on an attempt.

use brownout_load::inner_number;
use brownout_policy::StopReason;
use brownout_service::Identity;

use super::{CallState, NONE, Observer, Run, Stage};

/// What a call is made for, where no client makes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inner {
    /// The attempt. Its slot may be another's by now: who it was tells.
    attempt: u32,
    identity: Identity,
    /// When the call is over, come what may; the end of time where nothing was passed on.
    pub(super) until: u64,
}

impl<O: Observer> Run<'_, O> {
    /// The service is done with its own part of attempt `index` and calls the first of those behind it.
    pub(super) fn call_behind(&mut self, index: u32) {
        let attempt = &mut self.attempts[index];
        attempt.stage = Stage::Calling;
        let first = self.nodes[usize::from(attempt.node)].edges.start;
        self.begin_inner(index, first);
    }

    fn begin_inner(&mut self, index: u32, edge: u16) {
        let now = self.elapsed();
        let attempt = &self.attempts[index];
        let identity = attempt.identity();
        let line = &mut self.edges[usize::from(edge)];
        let until = if line.pass_deadline { attempt.until } else { u64::MAX };
        line.counts.calls += 1;
        let call = line.callers.call(0, now);
        let inner = self.inner.insert(Inner { attempt: index, identity, until }, u32::MAX).unwrap_or(NONE);
        // Hops are numbered from 1, whatever crowds there are.
        let number = inner_number(identity, (edge + 1 - self.client_edges).into());
        let state = CallState { call, number, edge, inner, live: true, returned: false, attempts: NONE, hedge: None };
        match self.calls.insert(state, self.limits.in_flight) {
            Some(slot) => self.attempt(slot),
            None => self.cut("calls in flight", self.limits.in_flight.into()),
        }
    }

    /// The call that was made for an attempt is over.
    pub(super) fn end_inner(&mut self, edge: u16, inner: u32, failed: Option<StopReason>) {
        let Inner { attempt: index, identity, .. } = self.inner[inner];
        self.inner.remove(inner);
        self.edges[usize::from(edge)].counts.succeeded += u64::from(failed.is_none());
        let attempt = &mut self.attempts[index];
        // Who asked has been let go since.
        if attempt.stage != Stage::Calling || attempt.identity() != identity {
            return;
        }
        attempt.bad_gateway = failed.is_some();
        let (next, awaited) = (edge + 1, attempt.awaited);
        let node = &mut self.nodes[usize::from(attempt.node)];
        if failed.is_none() && next < node.edges.end {
            return self.begin_inner(index, next);
        }
        if failed.is_none()
            && awaited
            && let Some(cache) = &mut node.cache
        {
            cache.fill(self.seed, identity);
        }
        attempt.stage = Stage::Answered;
        self.work_over(index);
    }
}
