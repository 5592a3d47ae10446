//! Populations of different clients in one load.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::{Seed, Stream, draw};
use brownout_policy::{Policy, PolicyError, Population, Settings};

use crate::{Load, Shard};

/// A population of clients beside others.
#[derive(Clone, Debug, PartialEq)]
pub struct Cohort {
    /// In results.
    pub name: String,
    /// When its calls start. Its duration is that of the whole load.
    pub load: Load,
    /// What its clients do after a failure, where that is not what the run's policy says.
    pub own: Option<OwnPolicy>,
}

/// A policy that holds for one cohort.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnPolicy {
    /// What makes it.
    pub settings: Settings,
    /// What they make.
    pub policy: Policy,
}

/// One of the populations that make up a load: a cohort, or all there is.
#[derive(Clone, Copy, Debug)]
pub struct Part<'l> {
    /// The name of the cohort.
    pub name: Option<&'l str>,
    /// When its calls start.
    pub load: &'l Load,
    /// What its clients do after a failure, where that is not what the run's policy says.
    pub own: Option<&'l OwnPolicy>,
    /// How its calls are numbered.
    pub numbers: Numbers,
    /// The number of its first client among those of all populations, and of the first process that they live in.
    pub first: (u32, u32),
    /// Which part of it is run, where the whole is not.
    pub shard: Option<Shard>,
}

/// How the calls of a population are numbered: so that those of each have the same numbers, and the same luck, whatever becomes
/// of those of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    first: u64,
    step: u64,
}

impl OwnPolicy {
    /// The policy that `settings` make.
    ///
    /// # Errors
    /// Why they make none.
    pub fn new(settings: Settings) -> Result<Self, Vec<PolicyError>> {
        Ok(Self { policy: Policy::new(settings.clone())?, settings })
    }
}

impl Numbers {
    /// Those of a load whose first call has number `first`.
    #[must_use]
    pub const fn from(first: u64) -> Self {
        Self { first, step: 1 }
    }

    /// Those of every `step`th of its calls, `skipped` of them left out first.
    pub(crate) const fn every(self, step: u32, skipped: u32) -> Self {
        Self { first: self.first + self.step * skipped as u64, step: self.step * step as u64 }
    }

    /// The number of its call number `nth`, from 1.
    #[must_use]
    #[inline]
    pub const fn of(self, nth: u64) -> u64 {
        self.first + (nth - 1) * self.step
    }
}

impl Part<'_> {
    /// What its arrivals are drawn from: of cohorts, each has luck of its own.
    #[must_use]
    pub fn seed(&self, seed: Seed) -> Seed {
        self.name.map_or(seed, |name| Seed(draw(seed, Stream::COHORT.within(name), 0, 0)))
    }
}

impl Load {
    /// The populations that it is made of: its cohorts, or itself. Their calls are numbered in turn.
    #[must_use]
    pub fn parts(&self) -> Vec<Part<'_>> {
        if self.cohorts.is_empty() {
            return vec![Part {
                name: None,
                load: self,
                own: None,
                numbers: Numbers::from(1),
                first: (0, 0),
                shard: None,
            }];
        }
        let (mut parts, mut first) = (Vec::new(), (0, 0));
        for (number, Cohort { name, load, own }) in (1..).zip(&self.cohorts) {
            let numbers = Numbers { first: number, step: self.cohorts.len() as u64 };
            parts.push(Part { name: Some(name), load, own: own.as_ref(), numbers, first, shard: None });
            let Population { clients, processes } = load.population();
            first = (first.0 + clients, first.1 + processes);
        }
        parts
    }

    /// The same load, which starts calls before `duration`; `None` as long as there are calls to start.
    #[must_use]
    pub fn lasting(&self, duration: Option<Duration>) -> Self {
        self.each(|load| Self { duration, ..load })
    }

    /// The same load, with something else about it and about each of its cohorts.
    #[must_use]
    pub fn each(&self, change: impl Fn(Self) -> Self) -> Self {
        let cohort = |cohort: &Cohort| Cohort { load: change(cohort.load.clone()), ..cohort.clone() };
        let cohorts = self.cohorts.iter().map(cohort).collect();
        Self { cohorts, ..change(self.clone()) }
    }

    /// How many clients all populations have together.
    #[must_use]
    pub fn all_clients(&self) -> u32 {
        self.parts().iter().map(|part| part.load.clients).map(NonZeroU32::get).sum()
    }

    /// Before when all populations start their calls; `None` where one has no end.
    #[must_use]
    pub fn ends_of_all(&self) -> Option<Duration> {
        self.parts().iter().map(|part| part.load.ends()).try_fold(Duration::ZERO, |latest, end| Some(latest.max(end?)))
    }

    /// Whether some of its clients follow the policy of the run: cohorts may all have their own.
    #[must_use]
    pub fn follows_policy(&self) -> bool {
        self.parts().iter().any(|part| part.own.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::{Cohort, OwnPolicy, Part};
    use crate::{Arrivals, Load, Rate};
    use brownout_draw::Seed;
    use brownout_policy::Settings;

    fn cohort(name: &str, clients: u32) -> Cohort {
        let arrivals = Arrivals::Constant(Rate::per_second(1.0).unwrap());
        let load = Load { arrivals, clients: clients.try_into().unwrap(), count: Some(10), ..Load::default() };
        Cohort { name: name.to_owned(), load, own: None }
    }

    #[test]
    fn calls_clients_and_luck_of_cohorts_are_their_own() {
        let load = Load { cohorts: vec![cohort("a", 3), cohort("b", 5), cohort("c", 1)], ..Load::default() };
        let parts = load.parts();
        let mut numbers: Vec<u64> = parts.iter().flat_map(|part| (1..=4).map(|nth| part.numbers.of(nth))).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
        assert_eq!(parts.iter().map(|part| part.first).collect::<Vec<_>>(), [(0, 0), (3, 1), (8, 2)]);
        let seeds: Vec<Seed> = parts.iter().map(|part| part.seed(Seed(1))).collect();
        assert!(seeds[0] != seeds[1] && seeds[1] != seeds[2] && seeds[0] != Seed(1));
        assert_eq!(load.all_clients(), 9);
        assert_eq!(parts.iter().map(Part::asked).sum::<Option<u64>>(), Some(30));
    }

    #[test]
    fn a_load_without_cohorts_is_its_own_part() {
        let load = Load::default();
        let [part] = load.parts()[..] else { panic!("more than one") };
        assert_eq!((part.load, part.seed(Seed(7)), part.numbers.of(9)), (&load, Seed(7), 9));
        assert!(load.follows_policy());
        let own = OwnPolicy::new(Settings::default()).unwrap();
        let load = Load { cohorts: vec![Cohort { own: Some(own), ..cohort("a", 1) }], ..load };
        assert!(!load.follows_policy());
    }
}
