//! The loop.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::{Seed, Stream, draw};
use brownout_policy::{Call, Callers, DelaySource, Failure, Policy, Verdict};
use brownout_report::{Failing, RunAttempt, RunOrigin, RunReport, RunStop};
use tokio::time::{Instant, sleep_until};

use crate::tree::pause_self;
use crate::{SharedBudget, Signals, Told};

/// Something that can fail and be tried again.
#[expect(async_fn_in_trait, reason = "the futures stay on one thread")]
pub trait Work {
    /// Makes attempt `number`, within `allowance` if there is one. A signal that says to end ends it.
    async fn attempt(&mut self, number: NonZeroU32, allowance: Option<Duration>, signals: &mut Signals) -> Attempted;

    /// Does what is to be done between a failed `attempt` and the next, within `allowance`: the signal that said to end, or
    /// what went wrong, which does not keep the next from being made.
    async fn between(
        &mut self,
        _attempt: &RunAttempt,
        _allowance: Option<Duration>,
        _signals: &mut Signals,
    ) -> Result<Option<u8>, String> {
        Ok(None)
    }

    /// The command, for the report.
    fn command(&self) -> Option<Vec<String>> {
        None
    }
}

/// Something to tell while a run goes on.
#[derive(Clone, Copy, Debug)]
pub enum Event<'r> {
    /// An attempt failed, and it is decided what follows: the report so far.
    Attempted(&'r RunReport),
    /// Something else went wrong, which does not end the run.
    Remark(&'r str),
}

/// What an attempt came to.
pub type Attempted = Result<(), Failed>;

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// How.
    pub failing: Failing,
    /// Where no other try is to be made whatever the policy, how the run ends.
    pub end: Option<RunStop>,
}

/// What a run is made of.
#[derive(Debug)]
pub struct Runner<'p> {
    /// What follows a failure.
    pub policy: &'p Policy,
    /// The luck of the jitter.
    pub seed: Seed,
    /// When it begins, since 1970, for the report.
    pub started: Option<Duration>,
    /// The policy's budget, where it is shared with other runners.
    pub budget: Option<SharedBudget>,
}

/// The policy decides.
impl From<Failing> for Failed {
    fn from(failing: Failing) -> Self {
        Self { failing, end: None }
    }
}

impl Runner<'_> {
    /// Tries `work` until it succeeds, the policy gives up, or a signal says to end. `observe` hears of each failed attempt
    /// before the wait.
    pub async fn run(
        &mut self,
        work: &mut impl Work,
        signals: &mut Signals,
        mut observe: impl FnMut(Event<'_>),
    ) -> RunReport {
        let began = Instant::now();
        // A budget that others share goes by the wall clock.
        let epoch = self.budget.as_ref().and(self.started).unwrap_or_default();
        let now = || epoch + began.elapsed();
        let mut callers = Callers::one(self.policy);
        let mut call = self.ask(&mut callers, epoch, &mut observe, |callers| callers.call(0, epoch));
        let mut report = self.begin(work);
        let stop = loop {
            // A run is one call, so its draws are those of call 1.
            let throttle = draw(self.seed, Stream::THROTTLE, 1, call.next_attempt());
            let go = match callers.begin(&mut call, now(), throttle) {
                Ok(go) => go,
                Err(reason) => break RunStop::GaveUp(reason),
            };
            // No wait at all, where none is meant: a timer goes by whole milliseconds.
            if !go.after.is_zero()
                && let Some(signal) = wait(Instant::now() + go.after, signals).await
            {
                break RunStop::Interrupted(signal);
            }
            let number = call.attempt();
            let start = began.elapsed();
            let attempted = work.attempt(number, go.allowance, signals).await;
            let elapsed = began.elapsed();
            let attempt = |failing| RunAttempt::new(number.get(), start, elapsed - start, failing);
            let Err(Failed { failing, end }) = attempted else {
                self.ask(&mut callers, epoch + elapsed, &mut observe, |callers| {
                    callers.succeeded(&mut call, epoch + elapsed, elapsed - start, number.get() > 1);
                });
                report.push(attempt(None), elapsed);
                break RunStop::Success;
            };
            let failure = Failure { retry_after: failing.retry_after, ..Failure::OTHER };
            let attempt = attempt(Some(failing));
            let (attempt, next) = match end {
                Some(stop) => (if stop == RunStop::Rule { attempt.then_stop() } else { attempt }, Err(stop)),
                None => self.decide(attempt, &failure, &mut callers, &mut call, epoch + elapsed, &mut observe),
            };
            report.push(attempt.clone(), elapsed);
            observe(Event::Attempted(&report));
            let after = match next {
                Ok(after) => after,
                Err(stop) => break stop,
            };
            // Its time is part of the wait.
            let told = match work.between(&attempt, callers.allowance(&call, now()), signals).await {
                Ok(told) => told,
                Err(error) => {
                    observe(Event::Remark(&error));
                    None
                }
            };
            let told = match told {
                None => wait(began + elapsed + after, signals).await,
                told => told,
            };
            if let Some(signal) = told {
                break RunStop::Interrupted(signal);
            }
        };
        report.end(stop, began.elapsed());
        report
    }

    /// What follows a failed `attempt`, which is told of it: how long to wait for the next, or how the run ends.
    fn decide(
        &mut self,
        attempt: RunAttempt,
        failure: &Failure,
        callers: &mut Callers,
        call: &mut Call,
        now: Duration,
        observe: &mut impl FnMut(Event<'_>),
    ) -> (RunAttempt, Result<Duration, RunStop>) {
        let draw = draw(self.seed, Stream::JITTER, 1, attempt.n);
        let range = self.policy.next_wait_of(call);
        let verdict =
            self.ask(callers, now, observe, |callers| callers.failed(call, now, failure, draw, attempt.n > 1));
        match verdict {
            Verdict::Await => unreachable!("a run makes one attempt after another"),
            Verdict::Stop(reason) => (attempt.then_give_up(reason), Err(RunStop::GaveUp(reason))),
            Verdict::Retry { after, source } => {
                let attempt = attempt.then_wait(after, source);
                // A wait of a policy around has a range of its own.
                let own = source == DelaySource::Backoff && self.policy.around().is_none();
                (if own { attempt.out_of(range) } else { attempt }, Ok(after))
            }
        }
    }

    /// Asks `callers` what their budget may have a part in.
    fn ask<T>(
        &mut self,
        callers: &mut Callers,
        now: Duration,
        observe: &mut impl FnMut(Event<'_>),
        ask: impl FnOnce(&mut Callers) -> T,
    ) -> T {
        let Some(shared) = &mut self.budget else { return ask(callers) };
        let (answer, remark) = shared.with(callers, now, ask);
        if let Some(remark) = remark {
            observe(Event::Remark(&remark));
        }
        answer
    }

    fn begin(&self, work: &impl Work) -> RunReport {
        RunReport::new(RunOrigin {
            command: work.command(),
            seed: self.seed,
            started: self.started,
            attempts_max: self.policy.attempts_max(),
        })
    }
}

/// Waits until then, or for a signal that says to end: which.
async fn wait(until: Instant, signals: &mut Signals) -> Option<u8> {
    let over = sleep_until(until);
    tokio::pin!(over);
    loop {
        tokio::select! {
            biased;
            told = signals.next() => match told {
                Told::End(signal) => return Some(signal),
                Told::Pass(_) => {}
                Told::Pause => pause_self(),
            },
            () = &mut over => return None,
        }
    }
}

#[cfg(test)]
mod tests;
