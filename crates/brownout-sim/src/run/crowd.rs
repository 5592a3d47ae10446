//! The populations of clients of a run.

use std::time::Duration;

use brownout_draw::Seed;
use brownout_load::{CohortResult, GivenUp, Load, Numbers, Part, Schedule, Shard, Step, Tally};
use brownout_service::{Phase, Service};

/// A population of clients at work.
pub(super) struct Crowd<'w> {
    pub(super) load: &'w Load,
    pub(super) numbers: Numbers,
    /// How many calls it has begun; in a shard of closed clients, how many there are before the one that is begun next.
    pub(super) begun: u64,
    schedule: Schedule<'w>,
    /// Which part of it is run, where the whole is not.
    shard: Option<Shard>,
    /// How many calls each client has begun, of closed clients in a shard.
    turns: Vec<u64>,
    /// How many calls it asks for.
    asked: Option<u64>,
    /// Whose call the next arrival is; `None` where there is only another look at the schedule due.
    pub(super) due_client: Option<u32>,
    /// What its clients keep of calls that failed.
    pub(super) given_up: GivenUp,
    /// Its first client and process, among those of all crowds.
    pub(super) first: (u32, u32),
    /// What became of its calls, where there are others.
    cohort: Option<Cohort<'w>>,
}

/// What is told of one crowd among others.
struct Cohort<'w> {
    name: &'w str,
    tally: Tally,
}

/// The populations of a run, by their edges. Most have one, which is not looked up.
pub(super) struct Crowds<'w> {
    one: Crowd<'w>,
    others: Vec<Crowd<'w>>,
}

impl<'w> Crowd<'w> {
    fn new(part: Part<'w>, seed: Seed, service: &Service, phases: &[Phase]) -> Self {
        let Part { name, load, numbers, first, shard, .. } = part;
        let turns = if shard.is_some() && !load.is_open() { load.busy_clients() } else { 0 };
        Self {
            load,
            numbers,
            begun: 0,
            schedule: Schedule::new(load, part.seed(seed), service.load_factor_max()),
            shard,
            turns: vec![0; turns as usize],
            asked: part.asked(),
            due_client: None,
            given_up: GivenUp::default(),
            first,
            cohort: name.map(|name| Cohort { name, tally: Tally::new(phases) }),
        }
    }

    /// The next arrival of an open crowd.
    #[inline]
    pub(super) fn step(&mut self, factor: impl Fn(Duration) -> f64) -> Step {
        if self.shard.is_some() { self.step_of_shard(&factor) } else { self.schedule.step(factor) }
    }

    /// The same in a shard; apart, so that a whole load does not pay for it.
    #[cold]
    #[inline(never)]
    fn step_of_shard(&mut self, factor: &dyn Fn(Duration) -> f64) -> Step {
        self.shard.map_or(Step::Over, |shard| self.schedule.step_of(shard, factor))
    }

    /// Whether closed `client` is run here.
    pub(super) fn owns(&self, client: u32) -> bool {
        self.shard.is_none_or(|shard| shard.owns(client.into()))
    }

    /// It is the turn of closed `client`: where clients take turns, that decides which call is next.
    pub(super) fn take_turn(&mut self, client: u32) {
        if let Some(turn) = self.turns.get_mut(client as usize) {
            self.begun = self.load.before_turn(client, *turn);
            *turn += 1;
        }
    }

    /// Counts something of its calls, where they are told apart.
    #[inline]
    pub(super) fn count(&mut self, count: impl FnOnce(&mut Tally)) {
        if let Some(cohort) = &mut self.cohort {
            count(&mut cohort.tally);
        }
    }
}

impl<'w> Crowds<'w> {
    /// What belongs to `shard` of the `parts` of a load before their first call; of a load alone, they are numbered as `numbers`
    /// says.
    pub(super) fn new(
        parts: Vec<Part<'w>>,
        (numbers, shard): (Numbers, Option<Shard>),
        seed: Seed,
        service: &Service,
        phases: &[Phase],
    ) -> Self {
        let alone = parts.len() == 1;
        let numbered = |part: Part<'w>| if alone { Part { numbers, ..part } } else { part };
        let mut crowds =
            parts.into_iter().map(|part| Crowd::new(numbered(part).of_shard(shard), seed, service, phases));
        let one = crowds.next().expect("a load has a part");
        Self { one, others: crowds.collect() }
    }

    /// The crowd whose calls are made along `edge`.
    #[inline]
    pub(super) fn at(&mut self, edge: u16) -> &mut Crowd<'w> {
        if edge == 0 { &mut self.one } else { &mut self.others[usize::from(edge) - 1] }
    }

    /// The edge along which client number `client` of all makes its calls, and its number there.
    #[inline]
    pub(super) fn of_client(&self, client: u32) -> (u16, u32) {
        if self.others.is_empty() { (0, client) } else { self.search(client) }
    }

    fn search(&self, client: u32) -> (u16, u32) {
        let before = (1..).zip(&self.others).take_while(|(_, crowd)| crowd.first.0 <= client).last();
        before.map_or((0, client), |(edge, crowd)| (edge, client - crowd.first.0))
    }

    /// How many calls all of them ask for; `None` where that is as many as come in their duration.
    pub(super) fn asked(&self) -> Option<u64> {
        [&self.one].into_iter().chain(&self.others).map(|crowd| crowd.asked).sum()
    }

    /// What became of the calls of each, where there are several.
    pub(super) fn results(&self, over: Option<Duration>) -> Vec<CohortResult> {
        let result = |crowd: &Crowd<'w>| {
            let Cohort { name, tally } = crowd.cohort.as_ref()?;
            let result = tally.result(crowd.asked.unwrap_or(0), over);
            Some(CohortResult { name: (*name).to_owned(), result })
        };
        [&self.one].into_iter().chain(&self.others).filter_map(result).collect()
    }
}
