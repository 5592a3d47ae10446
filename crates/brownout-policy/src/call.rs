//! The memory of one call.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::{Failure, Policy, StopReason, Verdict};

/// One call on its way through a policy: which attempt is being made, and the delay before it.
///
/// Every driver, in virtual time, over sockets and around a command, is a loop that makes the attempt, asks
/// [`failed`](Self::failed), and obeys.
#[derive(Clone, Debug)]
pub struct Call<'p> {
    policy: &'p Policy,
    attempt: NonZeroU32,
    previous: Option<Duration>,
}

impl<'p> Call<'p> {
    /// A call before its first attempt.
    #[must_use]
    pub const fn new(policy: &'p Policy) -> Self {
        Self { policy, attempt: NonZeroU32::MIN, previous: None }
    }

    /// The attempt to make, or being made, from 1.
    #[must_use]
    pub const fn attempt(&self) -> NonZeroU32 {
        self.attempt
    }

    /// How long the attempt may take that is about to begin, `elapsed` after the first one did: its own timeout or what is
    /// left of the deadline, whichever is shorter; `None` without either.
    ///
    /// # Errors
    /// When nothing is left. A timer is a little late, so a wait that fitted may end past the deadline, and no attempt is
    /// begun for no time.
    pub fn begin(&self, elapsed: Duration) -> Result<Option<Duration>, StopReason> {
        match self.policy.allowance(elapsed) {
            Some(Duration::ZERO) => Err(StopReason::DeadlineExceeded),
            allowance => Ok(allowance),
        }
    }

    /// What follows, now that the attempt has failed; on [`Verdict::Retry`] the call goes on to the next attempt.
    ///
    /// - `elapsed`: since the first attempt began.
    /// - `draw`: uniform over `u64`, the only chance in here. Equal histories give equal verdicts.
    pub fn failed(&mut self, elapsed: Duration, failure: &Failure, draw: u64) -> Verdict {
        if let Some(reason) = self.policy.stop(self.attempt, elapsed, failure) {
            return Verdict::Stop(reason);
        }
        let backoff = self.policy.delay(self.attempt, self.previous, draw);
        let verdict = self.policy.wait(elapsed, failure, backoff);
        if let Verdict::Retry { .. } = verdict {
            // What the service asked for is no step of the caller's own walk.
            self.previous = Some(backoff);
            self.attempt = self.attempt.saturating_add(1);
        }
        verdict
    }
}
