//! The arrivals of an open load, one after another: a pure function of load and seed.

use std::time::Duration;

use brownout_draw::{ROW, Seed, Stream, draw, draw_row, exponential, nanos, unit};

use crate::{Arrivals, Load, Spacing};

/// Gives out the arrivals of an open load in order. A closed load has none.
///
/// N independent Poisson clients are one stream of their summed rate and a draw of which of them it is (superposition).
/// A rate that varies is had by *thinning*: candidates come at the highest rate, and each is kept with the probability
/// that the rate of its moment is of the highest. Source: P. Lewis, G. Shedler, "Simulation of Nonhomogeneous Poisson
/// Processes by Thinning", Naval Research Logistics Quarterly 26 (1979). What the load itself says of its rate is had by a
/// change of time ([`Curve`](crate::Curve)), which makes no candidates in vain.
#[derive(Clone, Debug)]
pub struct Schedule<'l> {
    load: &'l Load,
    seed: Seed,
    /// The most that the rate is ever multiplied by; `None` where it never varies.
    factor_max: Option<f64>,
    /// Between candidates, on the mean: in nanoseconds, or in calls of a curve.
    gap: f64,
    /// When the load is over.
    end_ns: u64,
    count_max: u64,
    candidates: u64,
    given: u64,
    /// What candidates have added up to, of constant arrivals.
    credit: f64,
    /// Of the last candidate, in nanoseconds. Fractions are kept, so that they do not add up to a drift.
    at: f64,
    /// How many calls of a curve the last candidate has reached, and in which piece of it.
    reached: f64,
    piece: usize,
    /// Of calls at moments of their own: how many more are due at the last one, and the part of a call that is left over.
    again: u64,
    owed: f64,
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
        let gap = match &load.arrivals {
            Arrivals::Constant(rate) | Arrivals::Poisson(rate) => rate.gap_ns(),
            _ => 1.0,
        };
        let (count_max, end_ns) = (load.count_max(), load.ends().map_or(u64::MAX, nanos));
        Self {
            load,
            seed,
            factor_max,
            gap: gap / factor_max.unwrap_or(1.0),
            end_ns,
            count_max,
            candidates: 0,
            given: 0,
            credit: 1.0,
            at: 0.0,
            reached: 0.0,
            piece: 0,
            again: 0,
            owed: 0.0,
            gaps: [0.0; ROW],
            who: [0; ROW],
        }
    }

    /// How many arrivals it has given out.
    pub(crate) const fn given(&self) -> u64 {
        self.given
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
                Arrivals::Constant(_) => self.constant(),
                Arrivals::Poisson(_) => self.poisson(),
                _ => match self.shaped() {
                    Some(client) => client,
                    None => return Step::Over,
                },
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
    #[expect(clippy::cast_precision_loss, reason = "a count of candidates")]
    fn constant(&mut self) -> u32 {
        // A product, so that roundings do not add up.
        self.at = self.candidates as f64 * self.gap;
        self.candidates += 1;
        self.turn()
    }

    /// Whose turn it is, where clients take turns.
    #[expect(clippy::cast_possible_truncation, reason = "below the number of clients")]
    fn turn(&self) -> u32 {
        (self.given % u64::from(self.load.clients.get())) as u32
    }

    /// The next candidate of arrivals with a shape of their own, and whose it would be; `None` where there is no more.
    #[inline(never)]
    #[expect(clippy::cast_precision_loss, reason = "a count of candidates, and nanoseconds")]
    fn shaped(&mut self) -> Option<u32> {
        let load = self.load;
        let (at, client) = match &load.arrivals {
            Arrivals::Varying { curve, spacing } => {
                let client = match spacing {
                    Spacing::Even => {
                        self.reached = self.candidates as f64 * self.gap;
                        self.candidates += 1;
                        self.turn()
                    }
                    Spacing::Random => {
                        let (gap, client) = self.gap_and_client();
                        self.reached += gap * self.gap;
                        client
                    }
                };
                (curve.moment(self.reached, &mut self.piece)?, client)
            }
            _ if self.again > 0 => (self.at, self.turn()),
            Arrivals::Bursts(bursts) => {
                self.candidates += 1;
                (bursts.at_ns(self.candidates - 1) as f64, self.turn())
            }
            Arrivals::Replay(replay) => {
                self.candidates += 1;
                (*replay.moments().get(usize::try_from(self.candidates - 1).ok()?)? as f64, self.turn())
            }
            Arrivals::Closed { .. } | Arrivals::Constant(_) | Arrivals::Poisson(_) => return None,
        };
        self.at = at;
        Some(client)
    }

    /// The next candidate of Poisson arrivals, and whose it would be.
    #[inline]
    fn poisson(&mut self) -> u32 {
        let (gap, client) = self.gap_and_client();
        self.at += gap * self.gap;
        client
    }

    /// The gap before the next Poisson candidate, of mean 1, and whose it would be.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "below the number of clients")]
    fn gap_and_client(&mut self) -> (f64, u32) {
        let place = self.candidates as usize % ROW;
        self.candidates += 1;
        if place == 0 {
            self.next_row();
        }
        (self.gaps[place], ((u128::from(self.who[place]) * u128::from(self.load.clients.get())) >> 64) as u32)
    }

    /// Draws for the Poisson candidates from this one on.
    fn next_row(&mut self) {
        let mut gaps = [0; ROW];
        draw_row(self.seed, Stream::ARRIVAL, self.candidates, 0, (&mut gaps, &mut self.who));
        self.gaps = gaps.map(exponential);
    }

    /// Whether the candidate at `at_ns` is a call. Constant ones each add their share of a call, and one is due when a whole one
    /// has come together; of Poisson ones chance keeps that share. Those at moments of their own are as many calls each, what is
    /// less than a whole one being left for the next.
    #[inline]
    fn keeps(&mut self, at_ns: u64, factor: impl Fn(Duration) -> f64) -> bool {
        let Some(most) = self.factor_max else { return true };
        let factor = factor(Duration::from_nanos(at_ns));
        match self.load.arrivals {
            Arrivals::Poisson(_) | Arrivals::Varying { spacing: Spacing::Random, .. } => {
                return unit(draw(self.seed, Stream::ARRIVAL, self.candidates, 1)) * most < factor;
            }
            Arrivals::Bursts(_) | Arrivals::Replay(_) => return self.is_due(factor),
            _ => {}
        }
        self.credit += factor / most;
        let whole = self.credit > 1.0;
        self.credit -= if whole { 1.0 } else { 0.0 };
        whole
    }

    /// Whether a call is due at a moment that is `factor` calls.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a factor is at most 1000")]
    fn is_due(&mut self, factor: f64) -> bool {
        if self.again == 0 {
            self.owed += factor;
            // Sums of factors such as 0.1 may stay a little below a whole call.
            self.again = (self.owed + 1e-9) as u64;
            self.owed -= self.again as f64;
        }
        let due = self.again > 0;
        self.again -= u64::from(due);
        due
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
    use crate::{Arrivals, Bursts, Curve, Load, Rate, Replay, Segment, Spacing};
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

    const fn ramp(from: f64, to: f64, seconds: u64) -> Segment {
        Segment { from, to, lasts: Some(Duration::from_secs(seconds)) }
    }

    fn varying(spacing: Spacing, segments: &[Segment]) -> Load {
        let arrivals = Arrivals::Varying { curve: Curve::new(segments).unwrap(), spacing };
        Load { duration: None, ..load(arrivals, 1) }
    }

    #[test]
    fn a_level_for_ever_is_a_constant_rate() {
        let level = Segment { lasts: None, ..ramp(3.7, 3.7, 1) };
        for (spacing, plain) in
            [(Spacing::Even, Arrivals::Constant(rate(3.7))), (Spacing::Random, Arrivals::Poisson(rate(3.7)))]
        {
            let duration = Some(Duration::from_secs(1000));
            let (shaped, plain) = (Load { duration, ..varying(spacing, &[level]) }, load(plain, 1000));
            for factor in [None, Some((2.5, always as Factor))] {
                let (shaped, plain) = (times(&shaped, 1, factor), times(&plain, 1, factor));
                assert_eq!(shaped.len(), plain.len());
                for ((at, client), (other, of)) in shaped.iter().zip(&plain) {
                    // Poisson gaps are added up in calls here and in nanoseconds there.
                    assert!(at.abs_diff(*other) <= Duration::from_nanos(1) && client == of, "{at:?} for {other:?}");
                }
            }
        }
    }

    #[test]
    fn even_arrivals_of_a_ramp_come_where_its_integral_is_whole() {
        for (from, to) in [(10.0, 100.0), (100.0, 10.0), (0.0, 30.0), (30.0, 0.0), (1e-7, 5.0)] {
            let times = times(&varying(Spacing::Even, &[ramp(from, to, 60)]), 1, None);
            // The area under a straight line is a trapezoid; where it has grown to a whole number is found by halving.
            let area = |at: f64| at * (from + (from + (to - from) * at / 60.0)) / 2.0;
            let root = |calls: f64| {
                let halve = |(low, high): (f64, f64), _| {
                    let middle = f64::midpoint(low, high);
                    if area(middle) < calls { (middle, high) } else { (low, middle) }
                };
                (0..60).fold((0.0, 60.0), halve).1
            };
            assert!((times.len() as f64 - area(60.0).ceil()).abs() < 0.5, "{from} to {to}: {}", times.len());
            for (calls, (at, _)) in times.iter().enumerate() {
                let due = root(calls as f64);
                // Near a rate of 0 the area is flat, and the root less sharp.
                assert!((at.as_secs_f64() - due).abs() < 2e-6, "call {calls} of {from} to {to}: {at:?} for {due}");
            }
        }
    }

    #[test]
    fn random_arrivals_are_as_many_in_each_segment_as_their_integral_says() {
        let segments = [ramp(10.0, 10.0, 300), ramp(10.0, 100.0, 60), ramp(0.0, 0.0, 20), ramp(80.0, 0.0, 100)];
        let expected = [3000.0, 3300.0, 0.0, 4000.0];
        for seed in 0..10 {
            let times = times(&varying(Spacing::Random, &segments), seed, None);
            let mut from = Duration::ZERO;
            for (segment, expected) in segments.iter().zip(expected) {
                let until = from + segment.lasts.unwrap();
                let found = times.iter().filter(|(at, _)| (from..until).contains(at)).count() as f64;
                // Five standard deviations of a Poisson count.
                assert!((found - expected).abs() <= 5.0 * f64::sqrt(expected), "seed {seed}: {found} for {expected}");
                from = until;
            }
            assert!(times.is_sorted_by_key(|(at, _)| *at) && times.iter().all(|(at, _)| *at < from));
        }
        assert_ne!(
            times(&varying(Spacing::Random, &segments), 1, None),
            times(&varying(Spacing::Random, &segments), 2, None)
        );
    }

    #[test]
    fn random_arrivals_of_a_ramp_are_spread_as_its_rate() {
        // Of a ramp from 0, half of the calls come before 1/√2 of its time.
        let times = times(&varying(Spacing::Random, &[ramp(0.0, 2000.0, 100)]), 3, None);
        let early = times.iter().filter(|(at, _)| at.as_secs_f64() < 100.0 * std::f64::consts::FRAC_1_SQRT_2).count();
        let share = early as f64 / times.len() as f64;
        // Of 100,000; five standard deviations of a share.
        assert!((share - 0.5).abs() < 5.0 * 0.5 / f64::sqrt(times.len() as f64), "{share}");
    }

    #[test]
    fn what_a_phase_makes_of_the_rate_is_on_top_of_the_curve() {
        let half: fn(Duration) -> f64 = |at| if at.as_secs() < 60 { 2.0 } else { 0.5 };
        for spacing in [Spacing::Even, Spacing::Random] {
            let times = times(&varying(spacing, &[ramp(0.0, 100.0, 60), ramp(100.0, 100.0, 60)]), 1, Some((2.0, half)));
            let early = times.iter().filter(|(at, _)| at.as_secs() < 60).count();
            // 6000 and 3000; five standard deviations.
            assert!(
                early.abs_diff(6000) < 388 && (times.len() - early).abs_diff(3000) < 274,
                "{early} of {}",
                times.len()
            );
        }
    }

    fn at_moments(arrivals: Arrivals, factor: Option<(f64, Factor)>) -> Vec<(u128, u32)> {
        let load = Load { count: Some(1000), ..load(arrivals, 10) };
        times(&load, 1, factor).into_iter().map(|(at, client)| (at.as_millis(), client)).collect()
    }

    #[test]
    fn bursts_and_given_moments_are_met_exactly() {
        const SECOND: Duration = Duration::from_secs(1);
        let bursts = Arrivals::Bursts(Bursts::new(3.try_into().unwrap(), 4 * SECOND, SECOND / 2).unwrap());
        let expected = [0, 166, 333, 4000, 4166, 4333, 8000, 8166, 8333];
        assert_eq!(
            at_moments(bursts.clone(), None),
            expected.into_iter().zip([0, 1, 2, 3].into_iter().cycle()).collect::<Vec<_>>()
        );
        let replay =
            Arrivals::Replay(Replay::new([0, 700, 700, 9999, 10_000].map(|ms| ms * 1_000_000).to_vec(), 1.0).unwrap());
        // The load is over after 10 s.
        assert_eq!(at_moments(replay.clone(), None), [(0, 0), (700, 1), (700, 2), (9999, 3)]);
        let later: fn(Duration) -> f64 = |at| if at < SECOND { 2.0 } else { 0.5 };
        let met = |arrivals, factor| {
            at_moments(arrivals, Some((2.0, factor))).into_iter().map(|(at, _)| at).collect::<Vec<_>>()
        };
        assert_eq!(met(replay, later), [0, 0, 700, 700, 700, 700]);
        assert_eq!(met(bursts, later), [0, 0, 166, 166, 333, 333, 4166, 8000, 8333]);
    }

    #[test]
    fn given_moments_end_by_themselves() {
        let replay = Replay::new((0..500).map(|at| at * 1000).collect(), 1.0).unwrap();
        let load = Load { arrivals: Arrivals::Replay(replay), ..Load::default() };
        assert_eq!(times(&load, 1, None).len(), 500);
        assert_eq!((load.asked(), load.arrivals.calls_by(Duration::from_micros(10))), (None, Some(10.0)));
    }
}
