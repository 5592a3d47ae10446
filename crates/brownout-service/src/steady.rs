//! A route whose luck is the same at any time, decided many requests ahead.

use std::num::NonZeroU32;

use brownout_draw::{Ahead, Distribution, ROW, Seed, Stream, draw, draw_row, nanos};

use crate::outcome::Pace;
use crate::{Identity, Outcome, Outcomes};

/// What attempts meet at a route where no phase has a say: what [`Service::decide`](crate::Service::decide) decides, for a
/// driver that asks mostly in the order of the requests, in less time.
#[derive(Clone, Debug)]
pub struct Steady<'s> {
    outcomes: &'s Outcomes,
    latency: &'s Distribution,
    seed: Seed,
    outcome_stream: Stream,
    latency_stream: Stream,
    /// What all meet, where there is no chance in it.
    certain: Option<(Outcome, u64)>,
    /// In nanoseconds, where all take equally long.
    fixed_ns: Option<u64>,
    longest_ns: u64,
    /// Uniform draws of first attempts.
    outcome_draws: Ahead,
    /// Latencies of first attempts, in nanoseconds.
    latencies: Ahead,
}

impl<'s> Steady<'s> {
    pub(crate) fn new(outcomes: &'s Outcomes, latency: &'s Distribution, seed: Seed, label: &str) -> Self {
        let fixed_ns = latency.is_fixed().then(|| latency.sample_nanos(0));
        Self {
            certain: outcomes
                .certain()
                .zip(fixed_ns)
                .map(|(outcome, latency_ns)| (outcome, latency_ns.saturating_add(lasts_ns(outcomes, outcome)))),
            outcomes,
            latency,
            seed,
            outcome_stream: Stream::OUTCOME.within(label),
            latency_stream: Stream::LATENCY.within(label),
            fixed_ns,
            longest_ns: nanos(latency.longest()),
            outcome_draws: Ahead::default(),
            latencies: Ahead::default(),
        }
    }

    /// The outcome of attempt `identity`, and how long it takes until its caller has seen it, in nanoseconds.
    #[inline]
    pub fn decide(&mut self, identity: Identity) -> (Outcome, u64) {
        if let Some(certain) = self.certain {
            return certain;
        }
        let outcome = self.outcomes.certain().unwrap_or_else(|| self.outcome(identity));
        let latency_ns = match (outcome.pace(), self.fixed_ns) {
            (Pace::Longest, _) => self.longest_ns,
            (Pace::Drawn, Some(fixed_ns)) => fixed_ns,
            (Pace::Drawn, None) => self.latency_ns(identity),
        };
        if outcome.is_fault() {
            return (outcome, latency_ns.saturating_add(lasts_ns(self.outcomes, outcome)));
        }
        (outcome, latency_ns)
    }

    fn outcome(&mut self, Identity { request, attempt }: Identity) -> Outcome {
        let (seed, stream) = (self.seed, self.outcome_stream);
        let alone = || draw(seed, stream, request, attempt.get());
        let row = |first, row: &mut _| draw_row(seed, stream, first, 1, (row, &mut [0; ROW]));
        self.outcomes.pick(first_or(&mut self.outcome_draws, request, attempt, row, alone))
    }

    fn latency_ns(&mut self, Identity { request, attempt }: Identity) -> u64 {
        let (latency, seed, stream) = (self.latency, self.seed, self.latency_stream);
        let alone = || latency.sample_nanos(draw(seed, stream, request, attempt.get()));
        let row = |first, row: &mut _| {
            draw_row(seed, stream, first, 1, (row, &mut [0; ROW]));
            latency.sample_row(row);
        };
        first_or(&mut self.latencies, request, attempt, row, alone)
    }
}

/// How long an answer takes to be seen once it has begun. Which of several statuses it is makes no difference: all are whole.
#[cold]
fn lasts_ns(outcomes: &Outcomes, outcome: Outcome) -> u64 {
    outcomes.fault(outcome, || 0).map_or(0, |fault| nanos(fault.lasts()))
}

/// A value of a first attempt out of the rows of `ahead`; of another, made `alone`.
#[inline]
pub(crate) fn first_or(
    ahead: &mut Ahead,
    request: u64,
    attempt: NonZeroU32,
    row: impl FnOnce(u64, &mut [u64; ROW]),
    alone: impl FnOnce() -> u64,
) -> u64 {
    // Requests that other requests have set off have numbers without an order, above all others.
    let in_order = attempt == NonZeroU32::MIN && request < 1 << 63;
    if in_order { ahead.get(request, row, alone) } else { alone() }
}
