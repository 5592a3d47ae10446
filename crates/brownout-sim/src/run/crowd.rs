//! The populations of clients of a run.

use std::time::Duration;

use brownout_draw::Seed;
use brownout_load::{CohortResult, GivenUp, Load, Numbers, Part, Schedule, Tally};
use brownout_service::{Phase, Service};

/// A population of clients at work.
pub(super) struct Crowd<'w> {
    pub(super) load: &'w Load,
    pub(super) numbers: Numbers,
    /// How many calls it has begun.
    pub(super) begun: u64,
    pub(super) schedule: Schedule<'w>,
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
        let Part { name, load, numbers, first, .. } = part;
        Self {
            load,
            numbers,
            begun: 0,
            schedule: Schedule::new(load, part.seed(seed), service.load_factor_max()),
            due_client: None,
            given_up: GivenUp::default(),
            first,
            cohort: name.map(|name| Cohort { name, tally: Tally::new(phases) }),
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
    /// The `parts` of a load before their first call; of a load alone, they are numbered as `numbers` says.
    pub(super) fn new(parts: Vec<Part<'w>>, numbers: Numbers, seed: Seed, service: &Service, phases: &[Phase]) -> Self {
        let alone = parts.len() == 1;
        let numbered = |part: Part<'w>| if alone { Part { numbers, ..part } } else { part };
        let mut crowds = parts.into_iter().map(|part| Crowd::new(numbered(part), seed, service, phases));
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

    /// What became of the calls of each, where there are several.
    pub(super) fn results(&self, over: Option<Duration>) -> Vec<CohortResult> {
        let result = |crowd: &Crowd<'w>| {
            let Cohort { name, tally } = crowd.cohort.as_ref()?;
            let result = tally.result(crowd.load.asked().unwrap_or(0), over);
            Some(CohortResult { name: (*name).to_owned(), result })
        };
        [&self.one].into_iter().chain(&self.others).filter_map(result).collect()
    }
}
