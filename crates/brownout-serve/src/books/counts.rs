//! What a server has done so far, in numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use brownout_service::Seen;

use super::{Asked, Latencies, Met};

/// The account of a server.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Requests that came to an end, one way or another; those that a bound of the server refused left out.
    pub requests: u64,
    /// Of these, first attempts.
    pub firsts: u64,
    /// By what they met: the outcome that was drawn, or why it never came to that ([`LIMITED`](Self::LIMITED) and so on).
    pub by_outcome: BTreeMap<&'static str, u64>,
    /// By the status of the answer, where one came.
    pub by_status: BTreeMap<u16, u64>,
    /// By the route of the service that took them; `None` for those that none took.
    pub by_route: BTreeMap<Option<Box<str>>, u64>,
    /// Those that met a phase, by its name.
    pub by_phase: BTreeMap<Box<str>, u64>,
    /// Answers that broke on the wire, by how.
    pub broken: BTreeMap<&'static str, u64>,
    /// What a bound of the server refused, by which.
    pub refused: BTreeMap<&'static str, u64>,
    /// How long the scenario asked answers to take, in its own time.
    pub injected: Times,
    /// How long they took, in its own time.
    pub delivered: Times,
    /// How long they took longer than asked, in real time.
    pub own: Times,
    /// How long the scenario asked answers to take, and how long they took, for quantiles.
    pub asked_and_took: [Latencies; 2],
}

/// The upper ends of the buckets of [`Times`], in microseconds; the last bucket has none.
pub const TIMES_BOUNDS: [u64; 20] = [
    10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    2_000_000, 5_000_000, 10_000_000, 60_000_000,
];

/// Durations, counted in buckets.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// How many fell into each bucket of [`TIMES_BOUNDS`] and into the one above.
    pub buckets: [u64; TIMES_BOUNDS.len() + 1],
    /// All of them together.
    pub sum: Duration,
}

impl Counts {
    /// A limit refused it.
    pub const LIMITED: &'static str = "limited";
    /// The capacity did not take it.
    pub const SHED: &'static str = "shed";
    /// A phase throttles the intake.
    pub const TURNED_AWAY: &'static str = "turned_away";
    /// A service behind failed it.
    pub const BAD_GATEWAY: &'static str = "bad_gateway";
    /// It was held as long as any request may be.
    pub const HELD_TOO_LONG: &'static str = "held_too_long";
    /// Its client left before the answer.
    pub const LEFT: &'static str = "left";

    /// - `took`: how long it took, in the scenario's time, and how much longer than asked, in real time.
    pub(super) fn answered(&mut self, asked: &Asked, met: &Met<'_>, (took, own): (Duration, Duration)) {
        self.requests += 1;
        self.firsts += u64::from(asked.identity.attempt.get() == 1);
        *self.by_outcome.entry(met.outcome).or_default() += 1;
        match met.seen {
            Some(Seen::Status(status)) => *self.by_status.entry(status).or_default() += 1,
            Some(seen) => *self.broken.entry(name(seen)).or_default() += 1,
            None => {}
        }
        count(&mut self.by_route, met.route, |route| route.map(Box::from));
        if let Some(phase) = met.phase {
            match self.by_phase.get_mut(phase) {
                Some(count) => *count += 1,
                None => _ = self.by_phase.insert(phase.into(), 1),
            }
        }
        if met.outcome != Self::LEFT {
            self.injected.add(met.asked);
            self.delivered.add(took);
            self.own.add(own);
            let [all_asked, all_took] = &mut self.asked_and_took;
            all_asked.add(met.asked);
            all_took.add(took);
        }
    }
}

/// Counts by a route, without making a key of its own for each.
fn count(
    by: &mut BTreeMap<Option<Box<str>>, u64>,
    route: Option<&str>,
    own: impl Fn(Option<&str>) -> Option<Box<str>>,
) {
    // A map of few: looking through it is cheaper than a key would be.
    match by.iter_mut().find(|(key, _)| key.as_deref() == route) {
        Some((_, count)) => *count += 1,
        None => _ = by.insert(own(route), 1),
    }
}

/// How an answer that is none looks to its client.
#[must_use]
pub(crate) const fn name(seen: Seen) -> &'static str {
    match seen {
        Seen::Status(_) => "answered",
        Seen::Reset => "reset",
        Seen::Closed => "closed",
        Seen::NotHttp => "protocol",
    }
}

impl Times {
    fn add(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = TIMES_BOUNDS.partition_point(|bound| *bound < micros);
        self.buckets[bucket] += 1;
        self.sum = self.sum.saturating_add(time);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Times;
    use std::time::Duration;

    #[test]
    fn a_time_falls_into_the_first_bucket_that_reaches_it() {
        let mut times = Times::default();
        for micros in [0, 10, 11, 60_000_000, 60_000_001] {
            times.add(Duration::from_micros(micros));
        }
        assert_eq!((times.buckets[0], times.buckets[1], times.buckets[19], times.buckets[20]), (2, 1, 1, 1));
        assert_eq!((times.count(), times.sum), (5, Duration::from_micros(120_000_022)));
    }
}
