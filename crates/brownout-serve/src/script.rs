//! What a service is to be: as its file has it, and what was changed since.

use std::collections::BTreeSet;
use std::time::Duration;

use brownout_service::{Live, Phase, Service, ServiceError};
use thiserror::Error;

/// A service and its changes.
#[derive(Debug)]
pub(crate) struct Script {
    service: Service,
    /// Those that are over among them, so that what came before can still be explained.
    changes: Vec<Change>,
    /// Of the last change.
    number: u64,
}

/// A change of a running service.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// From 1, in the order in which they were made.
    pub number: u64,
    /// What it does.
    pub live: Live,
}

/// Why a service was not changed.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ChangeError {
    /// More than anybody keeps in mind.
    #[error("there are {CHANGES_MAX} changes at once at the most; undo one, or wait until one is over")]
    TooMany,
    /// It does not go with the service.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unfit(Vec<ServiceError>),
}

/// How many changes there may be that are not over.
const CHANGES_MAX: usize = 100;

impl Script {
    pub(crate) const fn new(service: Service) -> Self {
        Self { service, changes: Vec::new(), number: 0 }
    }

    /// Makes a change at `now`: it, and the service that follows.
    pub(crate) fn change(&mut self, live: Live, now: Duration) -> Result<(Change, Service), ChangeError> {
        if self.changes.len() >= CHANGES_MAX {
            let over = self.changes.iter().position(|change| self.is_over(change, now));
            self.changes.remove(over.ok_or(ChangeError::TooMany)?);
        }
        let change = Change { number: self.number + 1, live };
        self.changes.push(change.clone());
        match self.changed() {
            Ok(service) => {
                self.number = change.number;
                Ok((change, service))
            }
            Err(errors) => {
                self.changes.pop();
                Err(ChangeError::Unfit(errors))
            }
        }
    }

    /// Undoes change `number` at `now`: it, and the service that follows; `None` where there is none, or where it is over.
    pub(crate) fn undo(&mut self, number: u64, now: Duration) -> Option<(Change, Service)> {
        let is_meant = |change: &Change| change.number == number && !self.is_over(change, now);
        let place = self.changes.iter().position(is_meant)?;
        let change = self.changes[place].clone();
        match &mut self.changes[place].live {
            // What was met until now can still be explained.
            Live::Begun(phase) => phase.end_at(now),
            Live::Ended { .. } => _ = self.changes.remove(place),
        }
        Some((change, self.changed().expect("fewer changes go with the service as more did")))
    }

    /// The phases of the service without changes, by name, each once.
    pub(crate) fn phase_names(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let names = self.service.phases().iter().map(|phase| &phase.name);
        names.filter(|name| seen.insert(*name)).cloned().collect()
    }

    /// Those that are not over at `now`.
    pub(crate) fn changes(&self, now: Duration) -> Vec<Change> {
        self.changes.iter().filter(|change| !self.is_over(change, now)).cloned().collect()
    }

    /// Puts another service in the place of the one there is; changes that go with it stay. The service that follows.
    pub(crate) fn reload(&mut self, service: Service) -> Service {
        self.service = service;
        self.changes.retain(|change| self.service.with_live(std::slice::from_ref(&change.live)).is_ok());
        self.changed().expect("changes that go with a service one by one go with it together")
    }

    /// Forgets all changes: the service that follows.
    pub(crate) fn reset(&mut self) -> Service {
        *self = Self::new(self.service.clone());
        self.service.clone()
    }

    fn changed(&self) -> Result<Service, Vec<ServiceError>> {
        let live: Vec<Live> = self.changes.iter().map(|change| change.live.clone()).collect();
        self.service.with_live(&live)
    }

    /// Whether a change makes no difference any more from `now` on.
    fn is_over(&self, change: &Change, now: Duration) -> bool {
        let goes_on = |phase: &Phase| phase.window.until.is_none_or(|until| now < until);
        let others = |name: &str| {
            let name = name.to_owned();
            self.changes.iter().filter(move |other| other.live.name() == name)
        };
        match &change.live {
            Live::Begun(phase) => {
                let ends = |other: &Change| change.number < other.number && matches!(other.live, Live::Ended { .. });
                !goes_on(phase) || others(&phase.name).any(ends)
            }
            Live::Ended { phase, .. } => {
                let own = self.service.phases().iter().filter(|own| own.name == *phase);
                let begun = others(phase).filter(|other| other.number < change.number);
                let begun =
                    begun.filter_map(|other| if let Live::Begun(phase) = &other.live { Some(phase) } else { None });
                !own.chain(begun).any(goes_on)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CHANGES_MAX, ChangeError, Script};
    use brownout_draw::Distribution;
    use brownout_service::{Behaviour, Factor, Factors, Live, Only, Outcomes, Phase, Ramp, Service, Window};
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    fn service() -> Service {
        let base = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(SECS(0)) };
        Service::new(base, vec![], vec![]).unwrap()
    }

    fn begun(until: u64, factors: Factors) -> Live {
        let window = Window { from: SECS(0), until: Some(SECS(until)) };
        let (name, ramp, change) = ("live".to_owned(), Ramp::default(), brownout_service::Change::default());
        let only = Only::default();
        Live::Begun(Phase { name, window, ramp, change, factors, only })
    }

    fn numbers(script: &Script, now: u64) -> Vec<u64> {
        script.changes(SECS(now)).iter().map(|change| change.number).collect()
    }

    #[test]
    fn changes_are_made_undone_and_over() {
        let mut script = Script::new(service());
        let slow = Factors { slowdown: Factor::new(2.0), ..Factors::default() };
        for until in [10, 20, 30] {
            script.change(begun(until, slow), SECS(0)).unwrap();
        }
        assert_eq!(numbers(&script, 0), [1, 2, 3]);
        let (_, undone) = script.undo(2, SECS(5)).unwrap();
        assert_eq!(undone.phases()[1].window.until, Some(SECS(5)));
        assert!(script.undo(2, SECS(5)).is_none());
        assert_eq!(numbers(&script, 10), [3]);
        assert_eq!(script.change(begun(40, slow), SECS(10)).unwrap().0.number, 4);
        assert_eq!(numbers(&script, 30), [4]);
        // What is over can still be explained.
        assert_eq!(script.reload(service()).phases().len(), 4);
        assert_eq!(script.reset(), service());
    }

    #[test]
    fn a_phase_may_be_begun_and_ended_any_number_of_times() {
        let mut script = Script::new(service());
        let slow = Factors { slowdown: Factor::new(2.0), ..Factors::default() };
        let last = 3 * CHANGES_MAX as u64;
        for at in 0..last {
            script.change(begun(last, slow), SECS(at)).unwrap();
            let (_, service) = script.change(Live::Ended { phase: "live".to_owned(), at: SECS(at) }, SECS(at)).unwrap();
            assert!(service.phases().iter().all(|phase| phase.window.until <= Some(SECS(at))));
        }
        assert_eq!(numbers(&script, last), [0; 0]);
    }

    #[test]
    fn what_does_not_go_with_the_service_changes_nothing() {
        let mut script = Script::new(service());
        let cut = Factors { capacity: Factor::new(0.5), ..Factors::default() };
        assert!(matches!(script.change(begun(10, cut), SECS(0)), Err(ChangeError::Unfit(_))));
        assert_eq!(numbers(&script, 0), [0; 0]);
        let slow = Factors { slowdown: Factor::new(2.0), ..Factors::default() };
        for _ in 0..CHANGES_MAX {
            script.change(begun(10, slow), SECS(0)).unwrap();
        }
        assert_eq!(script.change(begun(10, slow), SECS(0)).unwrap_err(), ChangeError::TooMany);
        assert!(script.change(begun(20, slow), SECS(10)).is_ok());
    }
}
