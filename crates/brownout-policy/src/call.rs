//! The memory of one call.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::nanos;

use crate::stack::Place;

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
    /// Where its memory is of the policies around.
    pub(crate) around: Place,
    /// In nanoseconds since the run began: a run in virtual time has a million calls under way.
    pub(crate) started_ns: u64,
    /// The last delay of the policy's own, in nanoseconds; [`NO_DELAY`] before the first.
    pub(crate) previous_ns: u64,
}

const NO_DELAY: u64 = u64::MAX;

impl Call {
    #[inline]
    pub(crate) fn new(client: u32, now: Duration, around: Place) -> Self {
        Self {
            client,
            attempts: 0,
            retries: 0,
            steps: 0,
            hedges: 0,
            in_flight: 0,
            charge: 0,
            around,
            started_ns: nanos(now),
            previous_ns: NO_DELAY,
        }
    }

    /// Whose it is.
    #[must_use]
    #[inline]
    pub const fn client(&self) -> u32 {
        self.client
    }

    /// The attempt that was begun last, from 1; before the first, the first.
    #[must_use]
    #[inline]
    pub fn attempt(&self) -> NonZeroU32 {
        NonZeroU32::new(self.attempts).unwrap_or(NonZeroU32::MIN)
    }

    /// The attempt that would be begun next, from 1: what its draws are keyed by.
    #[must_use]
    #[inline]
    pub const fn next_attempt(&self) -> u32 {
        self.attempts.saturating_add(1)
    }

    /// How many attempts were begun, copies included.
    #[must_use]
    #[inline]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// When it began, in nanoseconds since the run did.
    #[must_use]
    #[inline]
    pub const fn started_ns(&self) -> u64 {
        self.started_ns
    }

    /// The policy's own delay before the attempt that was begun last; `None` where there was none.
    pub(crate) fn previous(&self) -> Option<Duration> {
        (self.previous_ns != NO_DELAY).then(|| Duration::from_nanos(self.previous_ns))
    }

    /// Whether its next attempt is a first try: that of the call, or one that a policy around has it make anew.
    pub(crate) const fn is_fresh(&self) -> bool {
        self.retries == 0 && self.in_flight == 0
    }

    /// A policy around has it made once more, from the beginning.
    pub(crate) const fn begin_anew(&mut self) {
        (self.retries, self.steps, self.hedges, self.charge, self.previous_ns) = (0, 0, 0, 0, NO_DELAY);
    }

    /// A retry was granted, after the policy's own delay of `own` or, where that begins anew, after another.
    pub(crate) fn retried(&mut self, own: Duration, anew: bool) {
        self.retries = self.retries.saturating_add(1);
        let own_ns = nanos(own).min(NO_DELAY - 1);
        (self.steps, self.previous_ns) = if anew { (0, NO_DELAY) } else { (self.steps.saturating_add(1), own_ns) };
    }

    /// An attempt is on its way.
    #[inline]
    pub(crate) const fn attempt_begun(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
        self.in_flight += 1;
    }

    /// An attempt is no longer in flight.
    #[inline]
    pub(crate) const fn attempt_ended(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// How long it has been under way.
    #[must_use]
    #[inline]
    pub const fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_nanos(self.started_ns))
    }
}
