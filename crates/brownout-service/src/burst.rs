//! Phases that hold in bursts: failures that come together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use brownout_draw::{Distribution, Seed, Stream, draw, nanos};

use crate::{Phase, Window};

/// When a phase holds within its window: while a process of two states is in the bad one. It begins in the good one.
///
/// With exponential times the process has no memory, and mean rate and length of what it does can be chosen apart.
/// Sources: E. N. Gilbert, "Capacity of a burst-noise channel", Bell System Technical Journal 39, 1960; E. O. Elliott,
/// "Estimates of error rates for codes on burst-noise channels", the same 42, 1963: here in time rather than bit by bit.
#[derive(Clone, PartialEq)]
pub struct Bursts {
    /// From the end of a burst to the start of the next, and from the begin of the phase to the first.
    pub between: Distribution,
    /// From its start to its end; the end of the phase cuts it off.
    pub last: Distribution,
    /// Worked out once the seed is known. Before that the phase is taken to hold all the time.
    times: Option<Times>,
}

/// When bursts begin and end.
#[derive(Clone, PartialEq)]
struct Times {
    /// Begins and ends in turn, in nanoseconds since the run began.
    edges: Arc<[u64]>,
    /// What was looked at.
    from: u64,
    until: u64,
}

/// Where a moment lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BurstAt {
    /// Within a burst.
    In {
        /// Which one, from 1.
        number: usize,
        /// Since when.
        from: Duration,
        /// Until when.
        until: Duration,
    },
    /// Between two bursts, or before the first, or after the last.
    Between {
        /// When the next begins.
        next: Option<Duration>,
    },
}

/// How many bursts of one phase there may be expected to be.
pub const BURSTS_MAX: u32 = 100_000;

/// Where chance makes more of it than was expected, it ends; all times of a phase that comes again share it.
const BURSTS_END: usize = 4 * BURSTS_MAX as usize;

impl Bursts {
    /// Bursts that `last` so long, with so much `between` them.
    #[must_use]
    pub const fn new(between: Distribution, last: Distribution) -> Self {
        Self { between, last, times: None }
    }

    /// How many can be expected in `window`, before `end`.
    #[must_use]
    pub fn expected(&self, window: Window, end: Duration) -> f64 {
        let room = window.until.map_or(end, |until| until.min(end)).saturating_sub(window.from);
        let period = self.between.mean().saturating_add(self.last.mean());
        room.as_secs_f64() / period.as_secs_f64().max(1e-9)
    }

    /// How many there are, and the share of the time that was looked at which lies in one; `None` before the seed is known.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio for showing")]
    pub fn share(&self) -> Option<(usize, f64)> {
        let Times { edges, from, until } = self.times.as_ref()?;
        let on: u64 = edges.chunks_exact(2).map(|burst| burst[1].min(*until) - burst[0]).sum();
        let whole = until.saturating_sub(*from);
        Some((edges.len() / 2, if whole > 0 { on as f64 / whole as f64 } else { 0.0 }))
    }

    /// Where `elapsed` lies; `None` before the seed is known.
    #[must_use]
    pub fn at(&self, elapsed: Duration) -> Option<BurstAt> {
        let edges = &self.times.as_ref()?.edges;
        let past = past(edges, elapsed);
        let edge = |place: usize| edges.get(place).copied().map(Duration::from_nanos);
        Some(match (past % 2 == 1).then(|| edge(past - 1).zip(edge(past))).flatten() {
            Some((from, until)) => BurstAt::In { number: past / 2 + 1, from, until },
            None => BurstAt::Between { next: edge(past) },
        })
    }

    /// Whether a burst is on at `elapsed`.
    pub(crate) fn is_on(&self, elapsed: Duration) -> bool {
        self.times.as_ref().is_none_or(|Times { edges, .. }| past(edges, elapsed) % 2 == 1)
    }

    /// The first moment after `elapsed` at which one begins or ends.
    pub(crate) fn next_edge(&self, elapsed: Duration) -> Option<Duration> {
        let edges = &self.times.as_ref()?.edges;
        edges.get(past(edges, elapsed)).copied().map(Duration::from_nanos)
    }

    /// The same bursts of the phase called `name`, worked out as far as they begin in `window` and before `end`.
    fn scheduled(&self, seed: Seed, name: &str, window: Window, end: Duration, count_max: usize) -> Self {
        let stream = Stream::BURST.within(name);
        let (from, ends) = (nanos(window.from), window.until.map_or(u64::MAX, nanos));
        let until = ends.min(nanos(end));
        let mut edges = Vec::new();
        let mut ended = from;
        for number in 0.. {
            let begins = ended.saturating_add(self.between.sample_nanos(draw(seed, stream, number, 0)));
            if until <= begins || edges.len() >= 2 * count_max {
                break;
            }
            // No time at all would be no burst, and no end of them.
            let lasts = self.last.sample_nanos(draw(seed, stream, number, 1)).max(1);
            ended = begins.saturating_add(lasts).min(ends);
            edges.extend([begins, ended]);
        }
        Self { times: Some(Times { edges: edges.into(), from, until }), ..self.clone() }
    }

    /// The same bursts at other times; `moved` keeps their order.
    #[must_use]
    pub fn moved(&self, moved: impl Fn(Duration) -> Duration) -> Self {
        let at = |moment: u64| nanos(moved(Duration::from_nanos(moment)));
        let times = |Times { edges, from, until }: &Times| Times {
            edges: edges.iter().map(|edge| at(*edge)).collect(),
            from: at(*from),
            until: at(*until),
        };
        Self { times: self.times.as_ref().map(times), ..self.clone() }
    }
}

/// How many edges lie at or before `elapsed`: an odd number within a burst.
fn past(edges: &[u64], elapsed: Duration) -> usize {
    let elapsed = nanos(elapsed);
    edges.partition_point(|edge| *edge <= elapsed)
}

impl Phase {
    /// The same phase with its bursts worked out, if it has any, as far as they begin before `end`: a pure function of it and of
    /// the seed.
    ///
    /// - `times`: how often the phase comes, of which this is one.
    #[must_use]
    pub fn with_bursts_of(mut self, seed: Seed, end: Duration, times: usize) -> Self {
        if let Some(bursts) = &self.only.bursts {
            let count_max = BURSTS_END / times.max(1);
            self.only.bursts = Some(bursts.scheduled(seed, &self.name, self.window, end, count_max));
        }
        self
    }

    /// The same phase as one that comes once, for as long as a burst lasts on the mean, where it holds in bursts: so long it lasts
    /// to whoever meets it.
    #[must_use]
    pub fn with_one_burst(mut self) -> Self {
        if let Some(Bursts { last, .. }) = self.only.bursts.take() {
            let Window { from, until } = self.window;
            let ends = from.saturating_add(last.mean().max(Duration::from_nanos(1)));
            let until = until.map_or(ends, |until| until.min(ends));
            self.ramp.up = self.ramp.up.min(until - from);
            self.ramp.down = self.ramp.down.min(until - from - self.ramp.up);
            self.window.until = Some(until);
        }
        self
    }
}

/// Without the times, which follow from the rest and the seed.
impl fmt::Debug for Bursts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { between, last, .. } = self;
        f.debug_struct("Bursts").field("between", between).field("last", last).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{BurstAt, Bursts};
    use crate::{Change, Factors, Only, Phase, Ramp, Window};
    use brownout_draw::{Distribution, Seed};
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    fn exponential(mean: u64) -> Distribution {
        Distribution::exponential(SECS(mean), None).unwrap()
    }

    fn phase(bursts: Bursts, from: u64, until: Option<u64>) -> Phase {
        Phase {
            name: "flaky".to_owned(),
            window: Window { from: SECS(from), until: until.map(SECS) },
            ramp: Ramp::default(),
            change: Change::default(),
            factors: Factors::default(),
            only: Only { bursts: Some(bursts), ..Only::default() },
        }
    }

    fn scheduled(seed: u64, end: u64) -> Bursts {
        let phase = phase(Bursts::new(exponential(9), exponential(1)), 0, None);
        phase.with_bursts_of(Seed(seed), SECS(end), 1).only.bursts.unwrap()
    }

    #[test]
    fn in_the_long_run_it_is_bad_for_its_share_of_the_time() {
        for seed in 0..5 {
            let (count, share) = scheduled(seed, 100_000).share().unwrap();
            // 10,000 renewals of a mean of 10 s: their number has a standard deviation of √(9² + 1²) / 10 √10,000 = 91.
            assert!(count.abs_diff(10_000) < 5 * 91, "seed {seed}: {count}");
            // The share of an alternating renewal process has the variance 2 · 9² · 1² / (10³ · t): here 0.0013 squared.
            assert!((share - 0.1).abs() < 5.0 * 0.0013, "seed {seed}: {share}");
        }
    }

    #[test]
    fn the_seed_decides_when() {
        assert_eq!(scheduled(1, 1000), scheduled(1, 1000));
        assert_ne!(scheduled(1, 1000), scheduled(2, 1000));
        // A longer look has the same beginning.
        let (short, long) = (scheduled(1, 1000), scheduled(1, 10_000));
        assert!((0..10_000).all(|tenth| {
            let at = Duration::from_millis(100 * tenth);
            short.is_on(at) == long.is_on(at)
        }));
    }

    /// Bursts of one second after every three, from the tenth on: 13 to 14, 17 to 18, 21 to 22 and so on.
    fn regular(until: Option<u64>) -> Phase {
        let bursts = Bursts::new(Distribution::fixed(SECS(3)), Distribution::fixed(SECS(1)));
        phase(bursts, 10, until).with_bursts_of(Seed(1), SECS(100), 1)
    }

    #[test]
    fn a_phase_holds_in_its_bursts_only_and_begins_in_the_good_state() {
        let phase = regular(None);
        let on: Vec<u64> = (0..30).filter(|second| phase.strength(SECS(*second)) > 0.0).collect();
        assert_eq!(on, [13, 17, 21, 25, 29]);
        let at = |millis| phase.only.bursts.as_ref().unwrap().at(Duration::from_millis(millis)).unwrap();
        assert_eq!(at(17_500), BurstAt::In { number: 2, from: SECS(17), until: SECS(18) });
        assert_eq!(at(18_000), BurstAt::Between { next: Some(SECS(21)) });
        assert_eq!(at(5), BurstAt::Between { next: Some(SECS(13)) });
        assert_eq!(at(99_000_000), BurstAt::Between { next: None });
        // 22 bursts from 13 to 98 s of the 90 s that were looked at.
        assert_eq!(phase.only.bursts.as_ref().unwrap().share(), Some((22, 22.0 / 90.0)));
    }

    #[test]
    fn the_end_of_the_phase_cuts_off_its_last_burst() {
        let bursts = Bursts::new(Distribution::fixed(SECS(3)), Distribution::fixed(SECS(9)));
        let phase = phase(bursts, 0, Some(5)).with_bursts_of(Seed(1), SECS(100), 1);
        let bursts = phase.only.bursts.as_ref().unwrap();
        assert_eq!(bursts.at(SECS(4)), Some(BurstAt::In { number: 1, from: SECS(3), until: SECS(5) }));
        assert_eq!(bursts.share(), Some((1, 0.4)));
    }

    #[test]
    fn before_the_seed_is_known_a_phase_stands_for_all_its_bursts() {
        let bursts = Bursts::new(exponential(9), exponential(1));
        assert_eq!((bursts.at(SECS(1)), bursts.share(), bursts.next_edge(SECS(0))), (None, None, None));
        assert!((bursts.expected(Window { from: SECS(10), until: None }, SECS(110)) - 10.0).abs() < 1e-9);
        assert!((bursts.expected(Window { from: SECS(10), until: Some(SECS(30)) }, SECS(110)) - 2.0).abs() < 1e-9);
        let phase = phase(bursts, 10, None);
        assert!(phase.strength(SECS(500)) >= 1.0);
        assert_eq!(phase.with_one_burst().window, Window { from: SECS(10), until: Some(SECS(11)) });
    }

    #[test]
    fn bursts_without_end_are_ended() {
        let never = Bursts::new(Distribution::fixed(Duration::ZERO), Distribution::fixed(Duration::ZERO));
        let count = |times| {
            let phase = phase(never.clone(), 0, None).with_bursts_of(Seed(1), SECS(1000), times);
            phase.only.bursts.unwrap().share().unwrap().0
        };
        assert_eq!((count(1), count(720) * 720), (super::BURSTS_END, 555 * 720));
    }

    #[test]
    fn moved_bursts_keep_their_order_and_lengths() {
        let moved = regular(Some(30)).only.bursts.unwrap().moved(|at| at * 2);
        assert_eq!(moved.at(SECS(27)), Some(BurstAt::In { number: 1, from: SECS(26), until: SECS(28) }));
        assert_eq!(moved.share().unwrap().0, 5);
    }
}
