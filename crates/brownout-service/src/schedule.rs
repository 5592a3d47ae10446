//! Phases that come again, on time or by chance.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::{Distribution, Seed, Stream, draw};

use crate::{Phase, Ramp, Window};

/// A phase that comes more than once. When it does is a pure function of it and of a seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Recurring {
    /// What comes. Its window begins where the wait for its first time does; where it comes on time, it is the first time.
    pub phase: Phase,
    /// When it comes again.
    pub again: Again,
    /// How often it comes at the most.
    pub times: Option<NonZeroU32>,
}

/// When a phase comes again.
#[derive(Clone, Debug, PartialEq)]
pub enum Again {
    /// So long after it came last, from start to start.
    Every(Duration),
    /// By chance. With exponential times this is the usual model of outages: `between` has the mean time between failures, `last`
    /// the mean time to repair.
    Random {
        /// From its end to its next start.
        between: Distribution,
        /// From its start to its end.
        last: Distribution,
    },
}

/// How often a phase may be expected to come: every decision looks at every time.
pub const TIMES_MAX: u32 = 1_000;

/// Where chance makes more of it than was expected, it ends.
const TIMES_END: usize = 4 * TIMES_MAX as usize;

impl Recurring {
    /// How often it can be expected to come before `end`.
    #[must_use]
    pub fn expected(&self, end: Duration) -> f64 {
        let period = match &self.again {
            Again::Every(every) => *every,
            Again::Random { between, last } => between.mean().saturating_add(last.mean()),
        };
        let room = end.saturating_sub(self.phase.window.from).as_secs_f64() / period.as_secs_f64().max(1e-9);
        self.times.map_or(room, |times| room.min(times.get().into()))
    }

    /// Each of its times that begins before `end`, in their order, numbered from 1.
    #[must_use]
    pub fn phases(&self, seed: Seed, end: Duration) -> Vec<Phase> {
        let most = self.times.map_or(TIMES_END, |times| TIMES_END.min(times.get() as usize));
        match &self.again {
            Again::Every(every) => self.before(end, self.on_time(*every).take(most)),
            Again::Random { between, last } => self.before(end, self.by_chance(seed, between, last).take(most)),
        }
    }

    fn before(&self, end: Duration, windows: impl Iterator<Item = Window>) -> Vec<Phase> {
        let windows = windows.take_while(|window| window.from < end);
        (1..).zip(windows).map(|(number, window)| self.at(number, window)).collect()
    }

    fn on_time(&self, every: Duration) -> impl Iterator<Item = Window> {
        let Window { from, until } = self.phase.window;
        let shifted = move |number: u32| {
            let by = every.saturating_mul(number);
            Window { from: from.saturating_add(by), until: until.map(|until| until.saturating_add(by)) }
        };
        (0..).map(shifted)
    }

    fn by_chance(&self, seed: Seed, between: &Distribution, last: &Distribution) -> impl Iterator<Item = Window> {
        let stream = Stream::SCHEDULE.within(&self.phase.name);
        let mut ended = self.phase.window.from;
        (0..).map(move |number| {
            let from = ended.saturating_add(between.sample(draw(seed, stream, number, 0)));
            // No time at all would be no phase, and no end of them.
            let lasts = last.sample(draw(seed, stream, number, 1)).max(Duration::from_nanos(1));
            ended = from.saturating_add(lasts);
            Window { from, until: Some(ended) }
        })
    }

    /// The phase as it comes for the `number`th time; its ramps fit into what there is of it.
    fn at(&self, number: u32, window: Window) -> Phase {
        let lasts = window.until.map_or(Duration::MAX, |until| until - window.from);
        let up = self.phase.ramp.up.min(lasts);
        let ramp = Ramp { up, down: self.phase.ramp.down.min(lasts - up) };
        Phase { name: format!("{} {number}", self.phase.name), window, ramp, ..self.phase.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Again, Recurring};
    use crate::{Change, Factors, Only, Phase, Ramp, Window};
    use brownout_draw::{Distribution, Seed};
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    fn recurring(again: Again) -> Recurring {
        let window = Window { from: SECS(10), until: Some(SECS(15)) };
        let ramp = Ramp { up: SECS(2), down: SECS(2) };
        let phase = Phase {
            name: "deploy".to_owned(),
            window,
            ramp,
            change: Change::default(),
            factors: Factors::default(),
            only: Only::default(),
        };
        Recurring { phase, again, times: None }
    }

    fn starts(phases: &[Phase]) -> Vec<u64> {
        phases.iter().map(|phase| phase.window.from.as_secs()).collect()
    }

    #[test]
    fn on_time_until_the_end_or_so_many_times() {
        let hourly = recurring(Again::Every(SECS(60)));
        let phases = hourly.phases(Seed(1), SECS(190));
        assert_eq!(starts(&phases), [10, 70, 130]);
        assert_eq!((phases[2].name.as_str(), phases[2].window.until), ("deploy 3", Some(SECS(135))));
        assert_eq!(
            starts(&Recurring { times: 2.try_into().ok(), ..hourly.clone() }.phases(Seed(1), SECS(900))),
            [10, 70]
        );
        assert_eq!(hourly.phases(Seed(1), SECS(190)), hourly.phases(Seed(2), SECS(190)));
    }

    #[test]
    fn by_chance_with_the_means_that_were_asked_for() {
        let exponential = |mean| Distribution::exponential(SECS(mean), None).unwrap();
        let outages = recurring(Again::Random { between: exponential(600), last: exponential(60) });
        let phases = outages.phases(Seed(1), SECS(600_000));
        assert_eq!(phases, outages.phases(Seed(1), SECS(600_000)));
        assert_ne!(starts(&phases), starts(&outages.phases(Seed(2), SECS(600_000))));
        // 909 expected; the number of renewals has a standard deviation of about 0.91 √909 = 28.
        assert!(phases.len().abs_diff(909) < 28 * 5, "{}", phases.len());
        let ends = |phase: &Phase| phase.window.until.unwrap();
        let down: Duration = phases.iter().map(|phase| ends(phase) - phase.window.from).sum();
        // A mean of n exponentials lies within 5/√n of theirs.
        let mean = down.as_secs_f64() / phases.len() as f64;
        assert!((mean / 60.0 - 1.0).abs() < 5.0 / 30.0, "{mean}");
        assert!(phases.windows(2).all(|pair| ends(&pair[0]) <= pair[1].window.from));
        // Short ones have no room for two seconds of ramp at either end.
        assert!(phases.iter().all(|phase| phase.ramp.up + phase.ramp.down <= ends(phase) - phase.window.from));
        assert!((outages.expected(SECS(600_000)) - 909.1).abs() < 0.1);
    }
}
