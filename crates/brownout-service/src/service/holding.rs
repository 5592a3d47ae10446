//! What holds of a service at a moment.

use std::time::Duration;

use super::Service;
use crate::{Outcome, Outcomes, phase};

/// What holds at a moment for a request that no route takes, on a replica that nothing befalls but what befalls all. Of a phase that
/// is on in part, it has that part.
#[derive(Clone, Debug, PartialEq)]
pub struct Holding {
    /// The outcomes that can come, each with how often, from 0 to 1.
    pub outcomes: Vec<(Outcome, f64)>,
    /// What latency and service time are multiplied by.
    pub slowdown: f64,
    /// The share of requests that is let in.
    pub intake: f64,
    /// How many workers there are; `None` without a capacity.
    pub workers: Option<u32>,
    /// Whether connections are refused.
    pub refuses: bool,
}

impl Service {
    /// What holds at `elapsed`.
    #[must_use]
    pub fn holding(&self, elapsed: Duration) -> Holding {
        let phases = || self.phases.iter().filter(|phase| phase.befalls(None));
        let changing = || phases().filter_map(|phase| Some((phase.change.outcomes.as_ref()?, phase.strength(elapsed))));
        // An attempt meets a phase with a probability that is its strength, and the later phase wins.
        let rate = |outcome: Outcome| {
            changing().fold(self.base.outcomes.rate(outcome), |rate, (own, strength)| {
                (1.0 - strength) * rate + strength * own.rate(outcome)
            })
        };
        let outcomes = Outcome::ALL.into_iter().map(|outcome| (outcome, rate(outcome)));
        Holding {
            outcomes: outcomes.filter(|(_, rate)| *rate > 0.0).collect(),
            slowdown: phase::factor_on(&self.phases, elapsed, None, |factors| factors.slowdown),
            intake: self.intake(elapsed),
            workers: self.capacity.as_ref().map(|_| self.workers(elapsed)),
            refuses: self.refuses_at(elapsed),
        }
    }

    /// The outcomes of the last phase that is wholly on at `elapsed` and has its own, else those of the service.
    #[must_use]
    pub fn outcomes_at(&self, elapsed: Duration) -> &Outcomes {
        let own = phase::replacing(&self.phases, elapsed, None, |_, _| false, |change| change.outcomes.as_ref());
        own.map_or(&self.base.outcomes, |(_, outcomes)| outcomes)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Behaviour, Change, Factor, Factors, Identity, Only, Outcome, Outcomes, Phase, Ramp, RouteId, Service, Window,
    };
    use brownout_draw::Seed;
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    /// Practice; from 10 to 30 s, coming over ten seconds, 70 % errors, three times as slow.
    fn service() -> Service {
        let outcomes = Outcomes::new([(Outcome::Error, "70%".parse().unwrap())]).unwrap();
        let phase = Phase {
            name: "out".to_owned(),
            window: Window { from: SECS(10), until: Some(SECS(30)) },
            ramp: Ramp { up: SECS(10), down: SECS(0) },
            change: Change { outcomes: Some(outcomes), latency: None },
            factors: Factors { slowdown: Factor::new(3.0), ..Factors::default() },
            only: Only::default(),
        };
        Service::new(Behaviour::default(), vec![], vec![phase]).unwrap()
    }

    /// Against the decisions themselves, for no strength, a half and a whole one.
    #[test]
    fn rates_are_those_that_attempts_meet() {
        let service = service();
        for (at, error, slowdown) in [(SECS(5), 0.1, 1.0), (SECS(15), 0.4, 2.0), (SECS(25), 0.7, 3.0)] {
            let holding = service.holding(at);
            let told = holding.outcomes.iter().find(|(outcome, _)| *outcome == Outcome::Error).unwrap().1;
            assert!((told - error).abs() < 1e-9 && (holding.slowdown - slowdown).abs() < 1e-9, "{holding:?}");
            let met = (0..4000_u64).filter(|request| {
                let decision = service.decide(Seed(3), RouteId::UNMATCHED, Identity::first(*request), at);
                decision.outcome == Outcome::Error
            });
            // Five standard deviations are 0.039 at the most.
            assert!((met.count() as f64 / 4000.0 - error).abs() < 0.04, "{at:?}");
        }
    }

    #[test]
    fn a_phase_that_is_coming_has_no_say_in_what_is_changed_further() {
        let service = service();
        let rate = |at| service.outcomes_at(at).rate(Outcome::Error);
        assert!((rate(SECS(15)) - 0.1).abs() < 1e-9 && (rate(SECS(25)) - 0.7).abs() < 1e-9);
    }
}
