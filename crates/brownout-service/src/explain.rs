//! Why an attempt meets what it meets.

use std::time::Duration;

use brownout_draw::{Seed, Stream, unit};

use crate::outcome::Pace;
use crate::service::drawn;
use crate::{BurstAt, Decision, Landed, Outcome, RouteId, Service};

/// A decision with the draws behind it. A draw is shown as the share of all draws that lies below it, from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation<'s> {
    /// What was decided.
    pub decision: Decision<'s>,
    /// The replica that it lands on, and how many there are.
    pub replica: Option<(u32, u32)>,
    /// The phases on at that moment, each with how strongly, from 0 to 1, and the draw that told where that is neither.
    pub phases: Vec<(&'s str, f64, Option<f64>)>,
    /// The phases at that moment that hold in bursts, each with where it lies.
    pub bursts: Vec<(&'s str, BurstAt)>,
    /// The phase whose outcomes hold, and the one whose latency holds.
    pub from_phases: [Option<&'s str>; 2],
    /// The outcomes that can come, each with the share of draws at which it begins and the one at which it ends.
    pub outcomes: Vec<(Outcome, f64, f64)>,
    /// What chose between them; `None` where there was nothing to choose.
    pub outcome_draw: Option<f64>,
    /// What chose the latency; `None` where the outcome always takes as long.
    pub latency_draw: Option<f64>,
    /// The share of requests that is let in, and the draw that told, where a phase throttles the intake.
    pub intake: Option<(f64, f64)>,
    /// Whether nobody listens, so that it never comes to that.
    pub refused: bool,
    /// How much work it is for a worker, where the service has a capacity; how long it waits for one depends on the others.
    pub work: Option<Duration>,
}

impl Service {
    /// Why an attempt at `route`, `elapsed` after the run began, meets what [`decide`](Self::decide) says.
    #[must_use]
    pub fn explain(
        &self,
        seed: Seed,
        route: RouteId,
        attempt: impl Into<Landed>,
        elapsed: Duration,
    ) -> Explanation<'_> {
        let landed @ Landed { identity, replica } = attempt.into();
        let decision = self.decide(seed, route, landed, elapsed);
        let holds = self.in_force(seed, route, landed, elapsed);
        let drawn = |stream: Stream| unit(drawn(seed, stream, holds.label, identity));
        let on = self.phases().iter().filter(|phase| phase.befalls(replica) && phase.strength(elapsed) > 0.0);
        let phases = on.map(|phase| {
            let strength = phase.strength(elapsed);
            (phase.name.as_str(), strength, (strength < 1.0).then(|| drawn(Stream::PHASE.within(&phase.name))))
        });
        let during = self.phases().iter().filter(|phase| phase.befalls(replica) && phase.window.contains(elapsed));
        let bursts = during.filter_map(|phase| Some((phase.name.as_str(), phase.only.bursts.as_ref()?.at(elapsed)?)));
        let mut end = 0.0;
        let mut share = |outcome| {
            let start = end;
            end += holds.outcomes.rate(outcome);
            (outcome, start, end)
        };
        let outcomes: Vec<_> = Outcome::ALL.into_iter().map(&mut share).filter(|(_, start, end)| start < end).collect();
        let varies = decision.outcome.pace() == Pace::Drawn && !holds.latency.is_fixed();
        Explanation {
            replica: replica.zip(self.replicas()).map(|(replica, all)| (replica.get(), all.count.get())),
            phases: phases.collect(),
            bursts: bursts.collect(),
            from_phases: [holds.outcomes_phase, holds.latency_phase]
                .map(|phase| phase.map(|phase| phase.name.as_str())),
            outcome_draw: (outcomes.len() > 1).then(|| drawn(Stream::OUTCOME)),
            latency_draw: varies.then(|| drawn(Stream::LATENCY)),
            outcomes,
            intake: self.throttles().then(|| self.intake_of(seed, identity, elapsed)),
            refused: self.refuses_at(elapsed),
            work: self.capacity().map(|_| Duration::from_nanos(self.work_ns(seed, landed, elapsed))),
            decision,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Behaviour, Change, Factors, Identity, Only, Outcome, Outcomes, Phase, Ramp, RouteId, Service, Window};
    use brownout_draw::{Distribution, Seed};
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    /// Practice, with an outage that comes over ten seconds.
    fn service() -> Service {
        let change = Change {
            outcomes: Some(Outcomes::new([(Outcome::Error, "70%".parse().unwrap())]).unwrap()),
            latency: None,
        };
        let window = Window { from: SECS(10), until: Some(SECS(30)) };
        let ramp = Ramp { up: SECS(10), down: SECS(0) };
        let phase =
            Phase { name: "out".to_owned(), window, ramp, change, factors: Factors::default(), only: Only::default() };
        Service::new(Behaviour::default(), vec![], vec![phase]).unwrap()
    }

    #[test]
    fn draws_and_shares_lead_to_the_decision() {
        let service = service();
        let mut met = 0;
        for request in 1..=500 {
            let why = service.explain(Seed(3), RouteId::UNMATCHED, Identity::first(request), SECS(15));
            let draw = why.outcome_draw.unwrap();
            let chosen = why.outcomes.iter().find(|(_, start, end)| (*start..*end).contains(&draw)).unwrap();
            assert_eq!(chosen.0, why.decision.outcome);
            // Half on, it is met by half of the attempts.
            let [("out", strength, Some(phase_draw))] = why.phases[..] else { panic!("one phase") };
            assert_eq!(phase_draw < strength, why.from_phases[0] == Some("out"));
            met += usize::from(phase_draw < strength);
        }
        assert!(met.abs_diff(250) < 60, "{met}");
    }

    #[test]
    fn what_is_certain_has_no_draws() {
        let sure = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(SECS(1)) };
        let service = Service::new(sure, vec![], vec![]).unwrap();
        let why = service.explain(Seed(3), RouteId::UNMATCHED, Identity::first(1), SECS(0));
        assert_eq!((why.outcome_draw, why.latency_draw, why.intake, why.work), (None, None, None, None));
        assert_eq!(why.outcomes, [(Outcome::Success, 0.0, 1.0)]);
    }
}
