//! The loop.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::{Seed, Stream, draw};
use brownout_policy::{Callers, Failure, Policy, Verdict};
use brownout_report::{Exit, RunAttempt, RunReport, RunStop};
use tokio::time::Instant;

/// Something that can fail and be tried again.
#[expect(async_fn_in_trait, reason = "the futures stay on one thread")]
pub trait Work {
    /// Makes attempt `number`, within `allowance` if there is one.
    async fn attempt(&mut self, number: NonZeroU32, allowance: Option<Duration>) -> Attempted;

    /// The command, for the report.
    fn command(&self) -> Option<Vec<String>> {
        None
    }
}

/// What an attempt came to.
pub type Attempted = Result<(), Failed>;

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// In words.
    pub error: String,
    /// How the command ended.
    pub exit: Exit,
    /// Where another try cannot help, the exit code to end with.
    pub fatal: Option<u8>,
}

/// What a run is made of.
#[derive(Clone, Debug)]
pub struct Runner<'p> {
    /// What follows a failure.
    pub policy: &'p Policy,
    /// The luck of the jitter.
    pub seed: Seed,
}

impl Runner<'_> {
    /// Tries `work` until it succeeds or the policy gives up. `observe` sees each failed attempt once it is
    /// decided what follows, before the wait.
    pub async fn run(&self, work: &mut impl Work, mut observe: impl FnMut(&RunAttempt)) -> RunReport {
        let began = Instant::now();
        let mut callers = Callers::one(self.policy);
        let mut call = callers.call(0, Duration::ZERO);
        let mut attempts = Vec::new();
        let stop = loop {
            // A run is one call, so its draws are those of call 1.
            let throttle = draw(self.seed, Stream::THROTTLE, 1, call.next_attempt());
            let go = match callers.begin(&mut call, began.elapsed(), throttle) {
                Ok(go) => go,
                Err(reason) => break RunStop::GaveUp(reason),
            };
            if !go.after.is_zero() {
                tokio::time::sleep(go.after).await;
            }
            let number = call.attempt();
            let start = began.elapsed();
            let attempted = work.attempt(number, go.allowance).await;
            let elapsed = began.elapsed();
            let attempt = |failed| RunAttempt::new(number.get(), start, elapsed - start, failed);
            let Err(Failed { error, exit, fatal }) = attempted else {
                callers.succeeded(&mut call, elapsed, elapsed - start, number.get() > 1);
                attempts.push(attempt(None));
                break RunStop::Success;
            };
            let attempt = attempt(Some((error, exit)));
            if let Some(code) = fatal {
                observe(&attempt);
                attempts.push(attempt);
                break RunStop::Spawn(code);
            }
            let draw = draw(self.seed, Stream::JITTER, 1, number.get());
            match callers.failed(&mut call, elapsed, &Failure::OTHER, draw, number.get() > 1) {
                Verdict::Await => unreachable!("a run makes one attempt after another"),
                Verdict::Retry { after, .. } => {
                    let attempt = attempt.then_wait(after);
                    observe(&attempt);
                    attempts.push(attempt);
                    tokio::time::sleep(after).await;
                }
                Verdict::Stop(reason) => {
                    let attempt = attempt.then_give_up(reason);
                    observe(&attempt);
                    attempts.push(attempt);
                    break RunStop::GaveUp(reason);
                }
            }
        };
        RunReport::new(attempts, stop, began.elapsed(), self.seed, work.command())
    }
}

#[cfg(test)]
mod tests;
