//! What is changed of a service while it runs.

use std::time::Duration;

use crate::{Phase, Service, ServiceError};

/// A change of a running service. Each is of its phases, so that what follows from it is decided, drawn and explained as all else.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there are few of them")]
pub enum Live {
    /// A phase more, after those of the file: it wins over them.
    Begun(Phase),
    /// The phases of this name end at that moment; one that was to begin later does not.
    Ended {
        /// Their name.
        phase: String,
        /// Since the run began.
        at: Duration,
    },
}

impl Live {
    /// Of the phase that it is about.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Begun(phase) => &phase.name,
            Self::Ended { phase, .. } => phase,
        }
    }
}

impl Service {
    /// The same service with the changes made to it, one after another.
    ///
    /// # Errors
    /// Without a capacity, where one changes it; of replicas that there are not.
    pub fn with_live(&self, live: &[Live]) -> Result<Self, Vec<ServiceError>> {
        let mut phases = self.phases().to_vec();
        for change in live {
            match change {
                Live::Begun(phase) => phases.push(phase.clone()),
                Live::Ended { phase, at } => {
                    phases.retain(|own| own.name != *phase || own.window.from < *at);
                    phases.iter_mut().filter(|own| own.name == *phase).for_each(|own| own.end_at(*at));
                }
            }
        }
        let same = self.clone().scheduled(phases).with_capacity(self.capacity().cloned())?;
        same.with_replicas(self.replicas().cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::Live;
    use crate::{Behaviour, Change, Factor, Factors, Only, Outcomes, Phase, Ramp, Service, ServiceError, Window};
    use brownout_draw::{Distribution, Seed};
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    fn phase(name: &str, from: u64, until: Option<u64>, error: &str) -> Phase {
        let outcomes = Outcomes::new([(crate::Outcome::Error, error.parse().unwrap())]).unwrap();
        Phase {
            name: name.to_owned(),
            window: Window { from: SECS(from), until: until.map(SECS) },
            ramp: Ramp { up: SECS(1), down: Duration::ZERO },
            change: Change { outcomes: Some(outcomes), latency: None },
            factors: Factors::default(),
            only: Only::default(),
        }
    }

    fn service(phases: Vec<Phase>) -> Service {
        let base = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(SECS(0)) };
        Service::new(base, vec![], phases).unwrap()
    }

    fn phase_at(service: &Service, elapsed: u64) -> Option<String> {
        let decision = service.decide(Seed(1), crate::RouteId::UNMATCHED, crate::Identity::first(1), SECS(elapsed));
        decision.phase.map(ToOwned::to_owned)
    }

    #[test]
    fn what_is_begun_wins_and_heals_by_itself() {
        let service = service(vec![phase("day", 0, None, "10%")]);
        let live = [Live::Begun(phase("mine", 100, Some(130), "100%"))];
        let changed = service.with_live(&live).unwrap();
        assert_eq!(phase_at(&changed, 99).as_deref(), Some("day"));
        assert_eq!(phase_at(&changed, 129).as_deref(), Some("mine"));
        assert_eq!(phase_at(&changed, 130).as_deref(), Some("day"));
    }

    #[test]
    fn what_is_ended_is_over_then_and_does_not_begin_again() {
        let ended = |phase: &str| Live::Ended { phase: phase.to_owned(), at: SECS(50) };
        let both = vec![phase("outage", 0, Some(100), "50%"), phase("later", 200, Some(300), "50%")];
        let changed = service(both).with_live(&[ended("outage")]).unwrap();
        assert_eq!(phase_at(&changed, 49).as_deref(), Some("outage"));
        assert_eq!((phase_at(&changed, 50), phase_at(&changed, 250).as_deref()), (None, Some("later")));
        assert_eq!(phase_at(&changed.with_live(&[ended("later")]).unwrap(), 250), None);
        // Begun again after its end, it is on.
        let again = [ended("outage"), Live::Begun(phase("outage", 60, Some(70), "50%"))];
        assert_eq!(phase_at(&changed.with_live(&again).unwrap(), 65).as_deref(), Some("outage"));
    }

    #[test]
    fn a_ramp_fits_into_what_is_left() {
        let changed = service(vec![phase("slow", 0, None, "50%")]);
        let changed = changed.with_live(&[Live::Ended { phase: "slow".to_owned(), at: Duration::from_millis(400) }]);
        assert_eq!(changed.unwrap().phases()[0].ramp.up, Duration::from_millis(400));
    }

    #[test]
    fn a_capacity_that_is_not_there_cannot_change() {
        let factors = Factors { capacity: Factor::new(0.5), ..Factors::default() };
        let cut = Phase { factors, ..phase("cut", 0, Some(1), "0") };
        let refusal = service(vec![]).with_live(&[Live::Begun(cut)]).unwrap_err();
        assert!(matches!(refusal[..], [ServiceError::NoCapacity { .. }]));
    }
}
