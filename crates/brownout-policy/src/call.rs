//! The memory of one call.

use std::num::NonZeroU32;
use std::time::Duration;

/// One call on its way through a policy: which attempt is being made, the delay before it, what it was charged.
///
/// Made by [`Callers::call`](crate::Callers::call) and handed back with every question about it.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub(crate) client: u32,
    /// Made so far, copies included.
    pub(crate) attempts: u32,
    /// Granted after failures.
    pub(crate) retries: u32,
    /// Of them, those since the backoff began anew.
    pub(crate) steps: u32,
    /// Copies sent beside others.
    pub(crate) hedges: u32,
    pub(crate) in_flight: u32,
    /// What a budget took for the last retry.
    pub(crate) charge: u32,
    pub(crate) started: Duration,
    pub(crate) previous: Option<Duration>,
}

impl Call {
    pub(crate) const fn new(client: u32, now: Duration) -> Self {
        Self {
            client,
            attempts: 0,
            retries: 0,
            steps: 0,
            hedges: 0,
            in_flight: 0,
            charge: 0,
            started: now,
            previous: None,
        }
    }

    /// Whose it is.
    #[must_use]
    pub const fn client(&self) -> u32 {
        self.client
    }

    /// The attempt that was begun last, from 1; before the first, the first.
    #[must_use]
    pub fn attempt(&self) -> NonZeroU32 {
        NonZeroU32::new(self.attempts).unwrap_or(NonZeroU32::MIN)
    }

    /// The attempt that would be begun next, from 1: what its draws are keyed by.
    #[must_use]
    pub const fn next_attempt(&self) -> u32 {
        self.attempts.saturating_add(1)
    }

    /// When it began, since the run did.
    #[must_use]
    pub const fn started(&self) -> Duration {
        self.started
    }

    /// A retry was granted, after the policy's own delay of `own` or, where that begins anew, after another.
    pub(crate) const fn retried(&mut self, own: Duration, anew: bool) {
        self.retries = self.retries.saturating_add(1);
        (self.steps, self.previous) = if anew { (0, None) } else { (self.steps.saturating_add(1), Some(own)) };
    }

    /// An attempt is on its way.
    pub(crate) const fn attempt_begun(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
        self.in_flight += 1;
    }

    /// An attempt is no longer in flight.
    pub(crate) const fn attempt_ended(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// How long it has been under way.
    #[must_use]
    pub const fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.started)
    }
}
