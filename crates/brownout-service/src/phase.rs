//! What changes, and when.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::{Bursts, Change};

/// A stretch of elapsed time: from its start (inclusive) to its end (exclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Since the run began.
    pub from: Duration,
    /// `None` lasts to the end of the run.
    pub until: Option<Duration>,
}

/// A named stretch of the run in which things are different.
///
/// Where phases overlap, the later in the list wins, for each thing it changes. On its ramps a phase is on in part, with a
/// *strength* from 0 to 1: a factor lies that far on the way, and an attempt meets outcomes and latency with that probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Shown in results and in the decision header.
    pub name: String,
    /// When it holds.
    pub window: Window,
    /// How gradually it comes and goes.
    pub ramp: Ramp,
    /// What it replaces, on every route.
    pub change: Change,
    /// What it multiplies, or takes away.
    pub factors: Factors,
    /// What of all that it befalls.
    pub only: Only,
}

/// What a phase befalls within its window. Default: everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Only {
    /// The replicas, numbered from 1, in their order; empty for all, and where there are none.
    pub replicas: Vec<u32>,
    /// When it holds; `None` for all the time.
    pub bursts: Option<Bursts>,
}

/// How long a phase takes to be wholly on, and to be off again. Default: no time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ramp {
    /// From its start.
    pub up: Duration,
    /// Before its end.
    pub down: Duration,
}

/// What a phase multiplies; `None` leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Factors {
    /// Of the workers, rounded to whole ones: 0 stops the service.
    pub capacity: Option<Factor>,
    /// Of latency, and of the service time of work that is begun in the phase.
    pub slowdown: Option<Factor>,
    /// Of the rate at which calls arrive, where arrivals are open.
    pub load: Option<Factor>,
    /// Of the requests that are let in: an operator throttles, and raises it step by step. At most 1.
    pub intake: Option<Factor>,
    /// How many nodes of the cache are emptied when the phase begins.
    pub cache_lost: u32,
    /// Whether the port refuses connections, as if nobody listened; on a ramp it does not yet, or no longer.
    pub refuse: bool,
}

/// A number from 0 to 1000.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factor(f64);

impl Factor {
    /// `None` where the number is no factor.
    #[must_use]
    pub fn new(factor: f64) -> Option<Self> {
        (0.0..=1000.0).contains(&factor).then_some(Self(factor))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Window {
    /// Whether it holds at `elapsed`.
    #[must_use]
    pub fn contains(&self, elapsed: Duration) -> bool {
        self.from <= elapsed && self.until.is_none_or(|until| elapsed < until)
    }

    /// Whether it holds whenever `other` does.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let ends_later = match (self.until, other.until) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(until), Some(other)) => other <= until,
        };
        self.from <= other.from && ends_later
    }
}

impl Phase {
    /// Whether this phase, coming later in the list, leaves nothing of `earlier`.
    pub(crate) fn hides(&self, earlier: &Self) -> bool {
        fn replaces<T>(own: Option<&T>, other: Option<&T>) -> bool {
            own.is_some() || other.is_none()
        }
        let (own, other, own_refuse) = (&self.change, &earlier.change, self.factors.refuse);
        replaces(own.outcomes.as_ref(), other.outcomes.as_ref())
            && replaces(own.latency.as_ref(), other.latency.as_ref())
            && Factors::ALL.iter().all(|pick| replaces(pick(&self.factors).as_ref(), pick(&earlier.factors).as_ref()))
            && (own_refuse || !earlier.factors.refuse)
            && self.only.covers(&earlier.only)
            && self.ramp == Ramp::default()
            && self.window.covers(&earlier.window)
    }

    /// Whether it befalls what lands on `replica`.
    #[must_use]
    pub fn befalls(&self, replica: Option<NonZeroU32>) -> bool {
        let Only { replicas, .. } = &self.only;
        replicas.is_empty() || replica.is_some_and(|replica| replicas.contains(&replica.get()))
    }

    /// Whether it is what an operator does about trouble, rather than trouble.
    #[must_use]
    pub fn is_remedy(&self) -> bool {
        let remedy = Factors { intake: self.factors.intake, ..Factors::default() };
        self.factors.intake.is_some() && self.factors == remedy && self.change == Change::default()
    }

    /// From the start of the first phase to the end of the last, those that only throttle the intake left out; `None` without
    /// phases, and where one never ends.
    #[must_use]
    pub fn span(phases: &[Self]) -> Option<(Duration, Duration)> {
        let trouble = || phases.iter().filter(|phase| !phase.is_remedy());
        let from = trouble().map(|phase| phase.window.from).min()?;
        let ends: Option<Vec<Duration>> = trouble().map(|phase| phase.window.until).collect();
        Some((from, ends?.into_iter().max()?))
    }

    /// Ends it at `moment`, if it does not end before; its ramps fit into what is left of it.
    pub fn end_at(&mut self, moment: Duration) {
        let Window { from, until } = self.window;
        let until = until.map_or(moment, |until| until.min(moment)).max(from);
        self.window.until = Some(until);
        self.ramp.up = self.ramp.up.min(until - from);
        self.ramp.down = self.ramp.down.min(until - from - self.ramp.up);
    }

    /// How far it is on at `elapsed`, from 0 to 1.
    #[must_use]
    pub fn strength(&self, elapsed: Duration) -> f64 {
        let is_on = |bursts: &Bursts| bursts.is_on(elapsed);
        if !self.window.contains(elapsed) || !self.only.bursts.as_ref().is_none_or(is_on) {
            return 0.0;
        }
        let share = |part: Duration, whole: Duration| {
            if part < whole { part.as_secs_f64() / whole.as_secs_f64() } else { 1.0 }
        };
        let up = share(elapsed - self.window.from, self.ramp.up);
        let down = self.window.until.map_or(1.0, |until| share(until - elapsed, self.ramp.down));
        up.min(down)
    }

    /// The first moment after `elapsed` at which it begins to change or ends to: its ends, and those of its ramps and bursts.
    fn next_corner(&self, elapsed: Duration) -> Option<Duration> {
        let Window { from, until } = self.window;
        let last = until.into_iter().flat_map(|until| [until - self.ramp.down, until]);
        let corners = [from, from + self.ramp.up].into_iter().chain(last);
        let edge = self.only.bursts.as_ref().and_then(|bursts| bursts.next_edge(elapsed));
        corners.filter(|corner| elapsed < *corner).chain(edge).min()
    }
}

impl Only {
    /// Whether it befalls whatever `other` does.
    fn covers(&self, other: &Self) -> bool {
        let all = self.replicas.is_empty();
        let on = self.bursts.is_none();
        on && (all
            || (!other.replicas.is_empty() && other.replicas.iter().all(|replica| self.replicas.contains(replica))))
    }
}

impl Factors {
    /// Every one of them.
    const ALL: [fn(&Self) -> Option<Factor>; 4] =
        [|factors| factors.capacity, |factors| factors.slowdown, |factors| factors.load, |factors| factors.intake];
}

/// The last of the phases on at `elapsed` for `replica` that replaces what `pick` looks at, and what it puts in its place.
///
/// `meets` tells whether an attempt meets a phase that is on with a strength below 1.
pub(crate) fn replacing<T>(
    phases: &[Phase],
    elapsed: Duration,
    replica: Option<NonZeroU32>,
    meets: impl Fn(&Phase, f64) -> bool,
    pick: impl Fn(&Change) -> Option<&T>,
) -> Option<(&Phase, &T)> {
    let on = phases.iter().rev().filter(|phase| {
        let strength = phase.strength(elapsed);
        phase.befalls(replica) && (strength >= 1.0 || (strength > 0.0 && meets(phase, strength)))
    });
    on.filter_map(|phase| Some((phase, pick(&phase.change)?))).next()
}

/// What `pick` comes to at `elapsed` for the whole service: 1 where no phase is on.
pub(crate) fn factor(phases: &[Phase], elapsed: Duration, pick: impl Fn(&Factors) -> Option<Factor>) -> f64 {
    factor_on(phases, elapsed, None, pick)
}

/// The same for `replica`.
pub(crate) fn factor_on(
    phases: &[Phase],
    elapsed: Duration,
    replica: Option<NonZeroU32>,
    pick: impl Fn(&Factors) -> Option<Factor>,
) -> f64 {
    phases.iter().filter(|phase| phase.befalls(replica)).fold(1.0, |value, phase| match pick(&phase.factors) {
        Some(Factor(factor)) => value + phase.strength(elapsed) * (factor - value),
        None => value,
    })
}

/// Whether a phase that refuses connections is wholly on at `elapsed`.
pub(crate) fn refuses(phases: &[Phase], elapsed: Duration) -> bool {
    phases.iter().any(|phase| phase.factors.refuse && phase.strength(elapsed) >= 1.0)
}

/// The next moment after `elapsed` at which that may change.
pub(crate) fn next_refusal(phases: &[Phase], elapsed: Duration) -> Option<Duration> {
    let refusing = phases.iter().filter(|phase| phase.factors.refuse);
    refusing.filter_map(|phase| phase.next_corner(elapsed)).min()
}

/// How finely a ramp of something that is counted is followed.
const RAMP_STEPS: u32 = 200;

/// The next moment after `elapsed` at which what `pick` looks at may have changed: a corner of a phase, or a step of a ramp.
pub(crate) fn next_change(
    phases: &[Phase],
    elapsed: Duration,
    pick: impl Fn(&Factors) -> Option<Factor>,
) -> Option<Duration> {
    let concerned = || phases.iter().filter(|phase| pick(&phase.factors).is_some());
    let corner = concerned().filter_map(|phase| phase.next_corner(elapsed)).min()?;
    let ramping = concerned().filter(|phase| {
        let strength = phase.strength(elapsed);
        let starting = phase.window.from == elapsed && !phase.ramp.up.is_zero();
        starting || (strength > 0.0 && strength < 1.0)
    });
    let step = ramping.map(|phase| phase.ramp.up.max(phase.ramp.down) / RAMP_STEPS).min();
    Some(step.map_or(corner, |step| corner.min(elapsed + step.max(Duration::from_nanos(1)))))
}

#[cfg(test)]
mod tests {
    use super::{Factor, Factors, Only, Phase, Ramp, Window, factor, next_change, next_refusal, refuses};
    use crate::{Bursts, Change};
    use brownout_draw::{Distribution, Seed};
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    fn window(from: u64, until: Option<u64>) -> Window {
        Window { from: Duration::from_secs(from), until: until.map(Duration::from_secs) }
    }

    #[test]
    fn a_window_begins_with_its_start_and_ends_before_its_end() {
        let outage = window(30, Some(40));
        let at = |secs| outage.contains(Duration::from_secs(secs));
        assert_eq!([at(29), at(30), at(39), at(40)], [false, true, true, false]);
        assert!(window(30, None).contains(Duration::MAX));
    }

    #[test]
    fn covering() {
        assert!(window(0, None).covers(&window(5, Some(6))));
        assert!(window(5, Some(6)).covers(&window(5, Some(6))));
        assert!(!window(5, Some(6)).covers(&window(5, None)));
        assert!(!window(5, Some(6)).covers(&window(4, Some(6))));
    }

    /// Half the workers from 10 to 20 s, coming over 4 s and going over 2 s.
    fn cut() -> Phase {
        Phase {
            name: "cut".to_owned(),
            window: window(10, Some(20)),
            ramp: Ramp { up: SECS(4), down: SECS(2) },
            change: Change::default(),
            factors: Factors { capacity: Factor::new(0.5), ..Factors::default() },
            only: Only::default(),
        }
    }

    #[test]
    fn a_ramp_is_a_straight_line() {
        let capacity = |secs| factor(&[cut()], SECS(secs), |factors| factors.capacity).to_string();
        assert_eq!([9, 10, 12, 14, 18, 19, 20].map(capacity), ["1", "1", "0.75", "0.5", "0.5", "0.75", "1"]);
        assert_eq!(factor(&[cut()], SECS(15), |factors| factors.load).to_string(), "1");
    }

    #[test]
    fn where_phases_overlap_the_later_one_counts() {
        let mut surge = cut();
        (surge.window, surge.ramp) = (window(15, None), Ramp::default());
        surge.factors.capacity = Factor::new(2.0);
        assert_eq!(factor(&[cut(), surge], SECS(16), |factors| factors.capacity).to_string(), "2");
    }

    /// The cut without ramps, for one second after every three from the tenth on.
    fn flaky(factors: Factors) -> Phase {
        let bursts = Bursts::new(Distribution::fixed(SECS(3)), Distribution::fixed(SECS(1)));
        let only = Only { bursts: Some(bursts), ..Only::default() };
        Phase { ramp: Ramp::default(), factors, only, ..cut() }.with_bursts_of(Seed(1), SECS(60), 1)
    }

    #[test]
    fn what_comes_in_bursts_changes_at_each_of_their_ends() {
        let phases = [flaky(cut().factors)];
        let capacity = |secs| factor(&phases, SECS(secs), |factors| factors.capacity).to_string();
        assert_eq!([12, 13, 14, 17, 18].map(capacity), ["1", "0.5", "1", "0.5", "1"]);
        let changes = std::iter::successors(Some(SECS(0)), |at| next_change(&phases, *at, |factors| factors.capacity));
        assert_eq!(changes.map(|at| at.as_secs()).collect::<Vec<_>>(), [0, 10, 13, 14, 17, 18, 20]);
        let phases = [flaky(Factors { refuse: true, ..Factors::default() })];
        assert_eq!([12, 13, 14].map(|secs| refuses(&phases, SECS(secs))), [false, true, false]);
        assert_eq!([10, 13].map(|secs| next_refusal(&phases, SECS(secs))), [Some(SECS(13)), Some(SECS(14))]);
    }

    #[test]
    fn a_port_refuses_while_its_phase_is_wholly_on() {
        let shut = Phase { factors: Factors { refuse: true, ..Factors::default() }, ..cut() };
        let phases = [cut(), shut];
        assert_eq!(
            [9, 10, 14, 18, 19, 20].map(|secs| refuses(&phases, SECS(secs))),
            [false, false, true, true, false, false]
        );
        let next = |secs| next_refusal(&phases, SECS(secs));
        assert_eq!([next(0), next(10), next(14), next(20)], [Some(SECS(10)), Some(SECS(14)), Some(SECS(18)), None]);
        assert_eq!(next_refusal(&[cut()], SECS(0)), None);
    }

    #[test]
    fn changes_are_told_at_corners_and_often_on_ramps() {
        let next = |secs| next_change(&[cut()], SECS(secs), |factors| factors.capacity);
        assert_eq!([next(0), next(14), next(20)], [Some(SECS(10)), Some(SECS(18)), None]);
        assert_eq!(next(10), Some(SECS(10) + SECS(4) / 200));
        assert_eq!(next(12), Some(SECS(12) + SECS(4) / 200));
        assert_eq!(next_change(&[cut()], SECS(0), |factors| factors.load), None);
    }
}
