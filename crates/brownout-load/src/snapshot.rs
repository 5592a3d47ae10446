//! What a run has come to while it still goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{Attempts, LatencyHistogram, Pace};

/// The counts of a run at one moment. Calls and attempts are counted when they end, as in a result.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The scenario's time since the run began.
    pub elapsed: Duration,
    /// Calls begun.
    pub begun: u64,
    /// Of these, calls that are over.
    pub ended: u64,
    /// Of these, calls that succeeded.
    pub succeeded: u64,
    /// Attempts that are over.
    pub attempts: Attempts,
    /// Attempts by the status of their answer.
    pub by_status: BTreeMap<u16, u64>,
    /// Attempts without a whole answer, by what broke.
    pub by_fault: BTreeMap<&'static str, u64>,
    /// How well this machine keeps up.
    pub pace: Pace,
    /// As a tally keeps them: what can be put together later is not, while whoever counts has to wait.
    pub(crate) latencies: Apart,
}

/// Latencies as they are counted.
#[derive(Clone, Debug)]
pub(crate) struct Apart {
    /// Of calls that were nothing but one attempt that succeeded, and of that attempt.
    pub(crate) single: LatencyHistogram,
    /// Of other calls that succeeded, of those that did not, and of their attempts.
    pub(crate) success: LatencyHistogram,
    pub(crate) failure: LatencyHistogram,
    pub(crate) service: LatencyHistogram,
}

impl Snapshot {
    /// The same at a moment, with the calls that were begun by then, and the pace of whoever begins them.
    #[must_use]
    pub fn at(self, elapsed: Duration, begun: u64, pace: Pace) -> Self {
        Self { elapsed, begun, pace, ..self }
    }

    /// Latencies of calls, from when they were due.
    #[must_use]
    pub fn response(&self) -> LatencyHistogram {
        let mut all = self.latencies.single.clone();
        all.merge(&self.latencies.success);
        all.merge(&self.latencies.failure);
        all
    }

    /// Latencies of attempts.
    #[must_use]
    pub fn service(&self) -> LatencyHistogram {
        let mut all = self.latencies.single.clone();
        all.merge(&self.latencies.service);
        all
    }

    /// Calls under way.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        self.begun.saturating_sub(self.ended)
    }

    /// Calls that are over and did not succeed.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.ended - self.succeeded
    }
}

#[cfg(test)]
mod tests {
    use crate::{Attempt, CallEnd, Reply, Tally};
    use brownout_policy::{StopReason, Transport};

    #[test]
    fn it_counts_what_a_result_counts() {
        let mut tally = Tally::new(&[]);
        let attempt = |number: u32, reply| Attempt {
            number: number.try_into().unwrap(),
            hedge: number == 3,
            started_ns: 0,
            latency_ns: 1000 * u64::from(number),
            reply,
            verdict: None,
        };
        tally.single(&attempt(1, Reply::Status(200)));
        tally.attempt(&attempt(1, Reply::Status(503)));
        tally.attempt(&attempt(2, Reply::Broken(Transport::Reset)));
        tally.attempt(&attempt(3, Reply::Status(503)));
        tally.budget_denied();
        tally.call(&CallEnd { started_ns: 0, elapsed_ns: 9000, attempts: 3, failed: Some(StopReason::BudgetDenied) });
        tally.call(&CallEnd { started_ns: 0, elapsed_ns: 100, attempts: 1, failed: None });
        let (snapshot, result) = (tally.snapshot(), tally.result(3, None));
        assert_eq!((snapshot.ended, snapshot.succeeded, snapshot.failed()), (3, 2, 1));
        assert_eq!((snapshot.attempts, snapshot.attempts.retries), (result.attempts, 1));
        assert_eq!(snapshot.response().summary(), result.latency_ms.response);
        assert_eq!(snapshot.service().summary(), result.latency_ms.service);
        assert_eq!((snapshot.by_status, snapshot.by_fault), (result.by_status, result.by_fault));
    }
}
