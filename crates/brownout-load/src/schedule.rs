//! The arrivals of an open load, one after another: a pure function of load and seed.

use std::time::Duration;

use brownout_draw::{ROW, Seed, Stream, draw, draw_row, exponential, nanos, unit};

use crate::{Arrivals, Load, Rate};

/// Gives out the arrivals of an open load in order. A closed load has none.
///
/// N independent Poisson clients are one stream of their summed rate and a draw of which of them it is (superposition).
/// A rate that varies is had by *thinning*: candidates come at the highest rate, and each is kept with the probability
/// that the rate of its moment is of the highest. Source: P. Lewis, G. Shedler, "Simulation of Nonhomogeneous Poisson
/// Processes by Thinning", Naval Research Logistics Quarterly 26 (1979).
#[derive(Clone, Debug)]
pub struct Schedule<'l> {
    load: &'l Load,
    seed: Seed,
    /// The most that the rate is ever multiplied by; `None` where it never varies.
    factor_max: Option<f64>,
    /// Between candidates, on the mean.
    gap_ns: f64,
    /// When the load is over.
    end_ns: u64,
    count_max: u64,
    candidates: u64,
    given: u64,
    /// What candidates have added up to, of constant arrivals.
    credit: f64,
    /// Of the last candidate, in nanoseconds. Fractions are kept, so that they do not add up to a drift.
    at: f64,
    /// Of the Poisson candidates that come next: the gaps before them, of mean 1, and whose they would be.
    gaps: [f64; ROW],
    who: [u64; ROW],
}

/// A call that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// In nanoseconds since the run began.
    pub at_ns: u64,
    /// Whose it is, from 0.
    pub client: u32,
}

/// What a look at the schedule finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next call.
    Call(Arrival),
    /// No call before this moment; there is more to come.
    Nothing {
        /// In nanoseconds since the run began.
        until_ns: u64,
    },
    /// The load is over.
    Over,
}

/// How many candidates one look goes through: where the rate is far below its highest, they are many.
const CANDIDATES_A_STEP: u32 = 1024;

impl<'l> Schedule<'l> {
    /// The arrivals of `load`; `factor_max` is the most that its rate is ever multiplied by, `None` where it never varies.
    #[must_use]
    pub fn new(load: &'l Load, seed: Seed, factor_max: Option<f64>) -> Self {
        let gap_ns = load.arrivals.rate().map_or(0.0, Rate::gap_ns) / factor_max.unwrap_or(1.0);
        let (count_max, end_ns) = (load.count_max(), load.duration.map_or(u64::MAX, nanos));
        Self {
            load,
            seed,
            factor_max,
            gap_ns,
            end_ns,
            count_max,
            candidates: 0,
            given: 0,
            credit: 1.0,
            at: 0.0,
            gaps: [0.0; ROW],
            who: [0; ROW],
        }
    }

    /// The next arrival; `factor` tells what the rate is multiplied by at a moment. `None` once the load is over.
    pub fn next(&mut self, factor: impl Fn(Duration) -> f64) -> Option<Arrival> {
        loop {
            match self.step(&factor) {
                Step::Call(arrival) => return Some(arrival),
                Step::Nothing { .. } => {}
                Step::Over => return None,
            }
        }
    }

    /// The next arrival, if it is near: the work of one look is bounded, however thin the load is.
    #[inline]
    pub fn step(&mut self, factor: impl Fn(Duration) -> f64) -> Step {
        if self.count_max <= self.given {
            return Step::Over;
        }
        for _ in 0..CANDIDATES_A_STEP {
            let client = match self.load.arrivals {
                Arrivals::Closed { .. } => return Step::Over,
                Arrivals::Constant(_) => self.constant(),
                Arrivals::Poisson(_) => self.poisson(),
            };
            let Some(at_ns) = self.moment() else { return Step::Over };
            if self.keeps(at_ns, &factor) {
                self.given += 1;
                return Step::Call(Arrival { at_ns, client });
            }
        }
        self.moment().map_or(Step::Over, |until_ns| Step::Nothing { until_ns })
    }

    /// The next candidate of constant arrivals, and whose it would be.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a count of candidates, a client")]
    fn constant(&mut self) -> u32 {
        // A product, so that roundings do not add up.
        self.at = self.candidates as f64 * self.gap_ns;
        self.candidates += 1;
        (self.given % u64::from(self.load.clients.get())) as u32
    }

    /// The next candidate of Poisson arrivals, and whose it would be.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "below the number of clients")]
    fn poisson(&mut self) -> u32 {
        let place = self.candidates as usize % ROW;
        self.candidates += 1;
        if place == 0 {
            self.next_row();
        }
        self.at += self.gaps[place] * self.gap_ns;
        ((u128::from(self.who[place]) * u128::from(self.load.clients.get())) >> 64) as u32
    }

    /// Draws for the Poisson candidates from this one on.
    fn next_row(&mut self) {
        let mut gaps = [0; ROW];
        draw_row(self.seed, Stream::ARRIVAL, self.candidates, 0, (&mut gaps, &mut self.who));
        self.gaps = gaps.map(exponential);
    }

    /// Whether the candidate at `at_ns` is a call. Constant ones each add their share of a call, and one is due when a whole one
    /// has come together; of Poisson ones chance keeps that share.
    #[inline]
    fn keeps(&mut self, at_ns: u64, factor: impl Fn(Duration) -> f64) -> bool {
        let Some(most) = self.factor_max else { return true };
        let factor = factor(Duration::from_nanos(at_ns));
        if let Arrivals::Poisson(_) = self.load.arrivals {
            return unit(draw(self.seed, Stream::ARRIVAL, self.candidates, 1)) * most < factor;
        }
        self.credit += factor / most;
        let whole = self.credit > 1.0;
        self.credit -= if whole { 1.0 } else { 0.0 };
        whole
    }

    /// The moment that was reached; `None` where the load is over by then.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates after 584 years")]
    #[inline]
    fn moment(&self) -> Option<u64> {
        let at = (self.at + 0.5) as u64;
        (at < self.end_ns).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use crate::{Arrivals, Load, Rate};
    use brownout_draw::Seed;
    use std::time::Duration;

    type Factor = fn(Duration) -> f64;

    fn load(arrivals: Arrivals, seconds: u64) -> Load {
        let duration = Some(Duration::from_secs(seconds));
        Load { arrivals, duration, clients: 4.try_into().unwrap(), ..Load::default() }
    }

    fn times(load: &Load, seed: u64, factor: Option<(f64, Factor)>) -> Vec<(Duration, u32)> {
        let mut schedule = Schedule::new(load, Seed(seed), factor.map(|(most, _)| most));
        let factor = factor.map_or(always as Factor, |(_, factor)| factor);
        let next = || schedule.next(factor).map(|due| (Duration::from_nanos(due.at_ns), due.client));
        std::iter::from_fn(next).collect()
    }

    const fn always(_: Duration) -> f64 {
        1.0
    }

    fn rate(rate: f64) -> Rate {
        Rate::per_second(rate).unwrap()
    }

    #[test]
    fn constant_arrivals_keep_their_distance_and_clients_take_turns() {
        let times = times(&load(Arrivals::Constant(rate(3.0)), 100), 1, None);
        assert_eq!(times.len(), 300);
        for (index, (at, client)) in times.iter().enumerate() {
            let due = Duration::from_secs_f64(index as f64 / 3.0);
            assert!(at.abs_diff(due) < Duration::from_nanos(10), "{at:?} for {due:?}");
            assert_eq!(*client as usize, index % 4);
        }
    }

    #[test]
    fn poisson_arrivals_come_at_their_rate_without_memory_from_every_client() {
        let times = times(&load(Arrivals::Poisson(rate(100.0)), 1000), 1, None);
        // 100,000 expected; five standard deviations.
        assert!(times.len().abs_diff(100_000) < 1581, "{}", times.len());
        let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1].0 - pair[0].0).as_secs_f64() * 100.0).collect();
        let longer = |than: f64| gaps.iter().filter(|gap| **gap > than).count() as f64 / gaps.len() as f64;
        for than in [0.5, 1.0, 3.0] {
            assert!((longer(than) - (-than).exp()).abs() < 0.008, "{than}: {}", longer(than));
        }
        for client in 0..4 {
            let own = times.iter().filter(|(_, other)| *other == client).count();
            assert!(own.abs_diff(25_000) < 900, "{client}: {own}");
        }
    }

    #[test]
    fn a_rate_that_varies_is_met_by_both() {
        let double: fn(Duration) -> f64 = |at| if at.as_secs() < 500 { 0.5 } else { 2.0 };
        for arrivals in [Arrivals::Poisson(rate(100.0)), Arrivals::Constant(rate(100.0))] {
            let times = times(&load(arrivals, 1000), 1, Some((2.0, double)));
            let early = times.iter().filter(|(at, _)| at.as_secs() < 500).count();
            assert!(early.abs_diff(25_000) < 800, "{early}");
            assert!((times.len() - early).abs_diff(100_000) < 1600, "{}", times.len());
        }
    }

    #[test]
    fn a_pause_brings_nothing_and_the_rest_comes_after() {
        let pause: fn(Duration) -> f64 = |at| if (10..20).contains(&at.as_secs()) { 0.0 } else { 1.0 };
        for arrivals in [Arrivals::Poisson(rate(100.0)), Arrivals::Constant(rate(100.0))] {
            let times = times(&load(arrivals, 30), 1, Some((1.0, pause)));
            assert!(times.iter().all(|(at, _)| !(10..20).contains(&at.as_secs())));
            assert!(times.len().abs_diff(2000) < 230, "{}", times.len());
        }
    }

    #[test]
    fn a_count_ends_it_and_the_seed_decides_it() {
        let mut load = load(Arrivals::Poisson(rate(100.0)), 1000);
        load.count = Some(50);
        assert_eq!(times(&load, 1, None).len(), 50);
        assert_eq!(times(&load, 1, None), times(&load, 1, None));
        assert_ne!(times(&load, 1, None), times(&load, 2, None));
    }
}
