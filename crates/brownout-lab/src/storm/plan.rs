//! How long everything takes, and the runs of one cell.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::{Seed, nanos};
use brownout_load::{Arrivals, Graph, Load, Node};
use brownout_policy::{Luck, Policy};
use brownout_service::{Change, Factors, Only, Phase, Ramp, Service, Window};
use brownout_sim::World;

use super::precheck::{Precheck, rate_of, scaled};
use super::windows::{Counts, Ease, Windows};
use super::{At, Experiment, StormError};

/// How long everything takes at one load and one length of the trigger.
#[derive(Clone, Debug)]
pub struct Plan<'e> {
    /// What is planned.
    pub experiment: Experiment<'e>,
    /// Where.
    pub at: At,
    /// Calls a second.
    pub rate: f64,
    /// Before the trigger.
    pub warm_up: Duration,
    /// From its start to its end.
    pub trigger: Duration,
    /// After it.
    pub observe: Duration,
    /// Of what is counted together.
    pub window: Duration,
    /// What can be said without a run.
    pub precheck: Precheck,
    /// The phases of the service, moved and stretched.
    phases: Vec<Phase>,
    /// The services behind it, with their phases moved and stretched.
    graph: Graph,
    load: Load,
    /// How long it takes to work off what the trigger piles up, at the least.
    pub(super) drain: Duration,
    pub(super) timeout: Duration,
}

/// The services of one arm.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    service: Service,
    graph: Graph,
}

/// Recovering from a backlog at a few per cent below capacity takes hours; nobody would call that a recovery.
const DRAIN_MAX: Duration = Duration::from_secs(3600);

/// Shortest window.
const WINDOW_MIN: Duration = Duration::from_secs(1);
/// Service times in a window.
const WORK_IN_WINDOW: u32 = 10;
/// Calls in a window on the mean, so that its shares are more than noise.
const CALLS_IN_WINDOW: f64 = 100.0;
/// Windows of warm-up and of observation, at the least.
const WARM_UP_WINDOWS: u32 = 10;
const OBSERVE_WINDOWS: u32 = 30;
/// Triggers, drains of the backlog and timeouts of observation, at the least.
const OBSERVE_TRIGGERS: u32 = 20;
const OBSERVE_DRAINS: u32 = 10;
const OBSERVE_TIMEOUTS: u32 = 30;
/// A first look, as a part of the whole, and the windows that it has at the least.
const FIRST_LOOK: u32 = 8;
const FIRST_LOOK_WINDOWS: u32 = 10;
/// How many calls tell what callers come to where nobody is in their way.
const EASE_CALLS: u64 = 1000;

/// How long an observation has to be, and which rule says so.
struct Needed {
    length: Duration,
    why: String,
}

impl<'e> Plan<'e> {
    /// Plans a cell.
    ///
    /// # Errors
    /// Where there is nothing to find out: no trigger or one without end, arrivals that are closed or change, a service that is overloaded
    /// without it, a horizon that is too short.
    pub fn new(experiment: Experiment<'e>, at: At) -> Result<Self, StormError> {
        let plan = Self::any(experiment, at)?;
        if plan.precheck.at_ease >= 1.0 {
            return Err(StormError::Overloaded { rate: plan.rate, utilisation: plan.precheck.at_ease });
        }
        Ok(plan)
    }

    /// The same where an overloaded service is an answer.
    pub(super) fn any(experiment: Experiment<'e>, at: At) -> Result<Self, StormError> {
        let (from, until) = experiment.trigger()?;
        let rate = experiment.rate()? * at.load;
        let trigger = (until - from).mul_f64(at.trigger.clamp(0.0, 1e6));
        if trigger.is_zero() {
            return Err(StormError::NoLength(trigger));
        }
        let precheck = Precheck::new(&experiment, at)?;
        let timeout =
            experiment.policies().filter_map(|policy| policy.allowance(Duration::ZERO)).max().unwrap_or_default();
        let window = window(experiment.service, rate);
        let warm_up = whole(from.max(window * WARM_UP_WINDOWS), window);
        let drain = drain(&experiment, rate, trigger, timeout, &precheck).min(DRAIN_MAX / OBSERVE_DRAINS);
        let needed = needed(trigger, drain, timeout, window);
        let observe = experiment.horizon.unwrap_or(needed.length);
        if observe < needed.length {
            return Err(StormError::TooShort { horizon: observe, needed: needed.length, why: needed.why });
        }
        let moved = |phases: &[Phase]| -> Vec<Phase> {
            phases.iter().map(|phase| stretched(phase, from, warm_up, at.trigger)).collect()
        };
        let phases = moved(experiment.service.phases());
        let graph = with_phases(experiment.graph, |service| moved(service.phases()));
        let load = scaled(experiment.load, at.load)?.each(|load| Load { count: None, ..load });
        Ok(Self {
            experiment,
            at,
            rate,
            warm_up,
            trigger,
            observe: whole(observe, window),
            window,
            precheck,
            phases,
            graph,
            load,
            drain,
            timeout,
        })
    }

    /// The same times at a multiple of its load.
    pub(super) fn at_load(&self, by: f64) -> Result<Self, StormError> {
        let load = scaled(&self.load, by)?;
        Ok(Self { load, rate: self.rate * by, ..self.clone() })
    }

    /// Where a first look at a long observation ends: seeds that have recovered by then need no longer one, since a run is the
    /// same up to there, however long it is.
    pub(super) fn first_look(&self, observe: Duration) -> Duration {
        (observe / FIRST_LOOK).max(self.window * FIRST_LOOK_WINDOWS).min(observe)
    }

    /// When the trigger is over.
    pub(super) fn released(&self) -> Duration {
        self.warm_up + self.trigger
    }

    /// When all is over.
    pub(super) fn end(&self) -> Duration {
        self.released() + self.observe
    }

    /// The first window that begins after the trigger, or after another moment.
    pub(super) fn window_after(&self, moment: Duration) -> usize {
        windows(moment, self.window, f64::ceil)
    }

    /// How many whole windows there are before a moment.
    pub(super) fn windows_before(&self, moment: Duration) -> usize {
        windows(moment, self.window, f64::floor)
    }

    #[cfg(test)]
    pub(super) fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// The services without the trigger.
    pub(super) fn control(&self) -> Stage {
        Stage { service: self.service(Vec::new()), graph: with_phases(&self.graph, |_| Vec::new()) }
    }

    /// The services with the trigger, and with more phases after it.
    pub(super) fn triggered(&self, more: impl IntoIterator<Item = Phase>) -> Stage {
        let phases = self.phases.iter().cloned().chain(more).collect();
        Stage { service: self.service(phases), graph: self.graph.clone() }
    }

    /// Candidates for arrivals come at the highest rate that any phase asks for. Where phases raise the load, each arm is given
    /// one that does, for after its end, so that all arms draw from the same candidates and meet the same arrivals.
    fn service(&self, mut phases: Vec<Phase>) -> Service {
        let most = self.phases.iter().filter_map(|phase| phase.factors.load).max_by(|a, b| a.get().total_cmp(&b.get()));
        if let Some(most) = most {
            let from = Duration::from_secs(u64::from(u32::MAX));
            let window = Window { from, until: Some(from * 2) };
            let factors = Factors { load: Some(most), ..Factors::default() };
            let name = free_name(&phases, "highest load");
            phases.push(Phase {
                name,
                window,
                ramp: Ramp::default(),
                change: Change::default(),
                factors,
                only: Only::default(),
            });
        }
        self.experiment.service.with_phases(phases).expect("phases that were valid are so when moved and stretched")
    }

    /// One run, to `until`: what it counted, and why it was cut short, if it was.
    pub(super) fn watch(&self, stage: &Stage, seed: Seed, until: Duration) -> (Vec<Counts>, Option<String>) {
        let Experiment { policy, request, limits, .. } = &self.experiment;
        let load = self.load.lasting(Some(until));
        let windows = Windows::new(nanos(self.window), self.windows_before(until));
        let world = World::new(&stage.service, policy, seed).with_graph(&stage.graph);
        let (result, windows) = world.watch(request, &load, *limits, windows);
        (windows.into_counts(), result.cut_short)
    }

    /// What callers come to where nobody is in their way: of each population one, call after call.
    pub(super) fn ease(&self) -> Ease {
        let Experiment { request, limits, seed, .. } = &self.experiment;
        let Stage { service, graph } = self.control();
        let mut ease = Ease { success: 0.0, amplification: 0.0 };
        for (part, policy) in self.load.parts().iter().zip(self.experiment.policies()) {
            let alone = Load {
                arrivals: Arrivals::CLOSED,
                count: Some(EASE_CALLS),
                duration: None,
                clients: NonZeroU32::MIN,
                ..part.load.clone()
            };
            let world = World::new(&service, policy, *seed).with_graph(&graph);
            let (result, ()) = world.watch(request, &alone, *limits, ());
            let share = rate_of(part.load).map_or(1.0, |rate| rate / self.rate);
            ease.success += share * result.success_rate.unwrap_or(0.0);
            ease.amplification += share * result.amplification.unwrap_or(1.0);
        }
        ease
    }
}

/// How long a window is: a second, ten service times or a hundred calls, whichever is longest.
fn window(service: &Service, rate: f64) -> Duration {
    let work =
        service.capacity().map_or_else(|| service.base().latency.mean(), |capacity| capacity.service_time.mean());
    let calls = Duration::from_secs_f64((CALLS_IN_WINDOW / rate).ceil());
    WINDOW_MIN.max(work * WORK_IN_WINDOW).max(calls.min(Duration::from_secs(24 * 3600)))
}

/// How long to look on: 20 triggers, 10 times as long as it takes to work off the backlog, 30 timeouts, 30 windows.
fn needed(trigger: Duration, drain: Duration, timeout: Duration, window: Duration) -> Needed {
    let rules = [
        (trigger * OBSERVE_TRIGGERS, format!("{OBSERVE_TRIGGERS} times the trigger of {trigger:?}")),
        (
            drain * OBSERVE_DRAINS,
            format!("{OBSERVE_DRAINS} times the {drain:?} in which the backlog can be worked off"),
        ),
        (timeout * OBSERVE_TIMEOUTS, format!("{OBSERVE_TIMEOUTS} timeouts of {timeout:?}")),
        (window * OBSERVE_WINDOWS, format!("{OBSERVE_WINDOWS} windows of {window:?}")),
    ];
    let longest = rules.into_iter().max_by_key(|(length, _)| *length);
    let (length, why) = longest.expect("there are rules");
    Needed { length: whole(length, window), why }
}

/// How long it takes to work off what the trigger piles up: backlog ÷ (capacity - what is asked for at ease), at the service
/// that takes longest. A service behind is taken to be asked for once a call.
fn drain(
    experiment: &Experiment<'_>,
    rate: f64,
    trigger: Duration,
    timeout: Duration,
    precheck: &Precheck,
) -> Duration {
    let surge = experiment.service.load_factor_max().unwrap_or(1.0);
    // No call makes more attempts in the trigger than there are timeouts in it.
    let at_most = if timeout.is_zero() { 1.0 } else { 1.0 + trigger.as_secs_f64() / timeout.as_secs_f64() };
    let attempts = precheck.amplification.unwrap_or(f64::INFINITY).min(at_most);
    let arrived = rate * surge * trigger.as_secs_f64() * attempts;
    let behind = experiment.graph.behind.iter().map(|node| &node.service);
    let drains = [experiment.service].into_iter().chain(behind).filter_map(Service::capacity).map(|capacity| {
        let workers = f64::from(capacity.workers.get());
        let room = capacity.queue.length.map_or(f64::INFINITY, |length| f64::from(length) + workers);
        let spare = workers / capacity.service_time.mean().as_secs_f64() - rate * precheck.attempts_at_ease;
        if spare <= 0.0 { DRAIN_MAX } else { seconds(arrived.min(room) / spare) }
    });
    drains.max().unwrap_or_default()
}

/// The same services behind, with other phases.
fn with_phases(graph: &Graph, phases: impl Fn(&Service) -> Vec<Phase>) -> Graph {
    let node = |node: &Node| {
        let service = node.service.with_phases(phases(&node.service));
        Node { service: service.expect("phases that were valid are so when moved and stretched"), ..node.clone() }
    };
    Graph { calls: graph.calls.clone(), behind: graph.behind.iter().map(node).collect() }
}

/// A phase moved, from where the trigger began to `to`, and stretched; what comes before the trigger is as long before it.
fn stretched(phase: &Phase, from: Duration, to: Duration, by: f64) -> Phase {
    let by = by.clamp(0.0, 1e6);
    let moved = |moment: Duration| match moment.checked_sub(from) {
        Some(after) => to + after.mul_f64(by),
        None => to - (from - moment),
    };
    let start = moved(phase.window.from);
    let until = phase.window.until.map(|until| moved(until).max(start + Duration::from_nanos(1)));
    let length = until.map_or(Duration::MAX, |until| until - start);
    // Rounding must not make the ramps longer than the phase.
    let up = phase.ramp.up.mul_f64(by).min(length);
    let down = phase.ramp.down.mul_f64(by).min(length - up);
    let bursts = phase.only.bursts.as_ref().map(|bursts| bursts.moved(moved));
    let only = Only { bursts, ..phase.only.clone() };
    Phase { window: Window { from: start, until }, ramp: Ramp { up, down }, only, ..phase.clone() }
}

/// A name that no phase has, since two of one name make no service.
pub(super) fn free_name(phases: &[Phase], name: &str) -> String {
    let mut free = name.to_owned();
    while phases.iter().any(|phase| phase.name == free) {
        free.push('\'');
    }
    free
}

/// A length, rounded up to whole windows.
fn whole(length: Duration, window: Duration) -> Duration {
    window * u32::try_from(windows(length, window, f64::ceil)).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is meant")]
fn windows(moment: Duration, window: Duration, round: fn(f64) -> f64) -> usize {
    // To the millionth, so that a moment that is a whole number of windows is one.
    round((moment.as_secs_f64() / window.as_secs_f64() * 1e6).round() / 1e6) as usize
}

/// A number of seconds, however long.
pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(DRAIN_MAX)
}

/// How long the calls of a policy go on at the most, of which every attempt runs into its timeout.
pub(super) fn longest_call(policy: &Policy, timeout: Duration) -> Duration {
    let failure = brownout_policy::Failure::transport(brownout_policy::Transport::Timeout);
    policy.course(&failure, timeout, Luck::Longest).lasts
}
