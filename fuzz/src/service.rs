//! What any service says when it is asked.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::Seed;
use brownout_service::{Identity, Phase, Request, RouteId, Service};

/// The luck of every run here.
pub(crate) const SEED: Seed = Seed(7);

/// How many phases are asked where they begin and end.
const PHASES: usize = 4;

const REQUESTS: [Request<'_>; 2] =
    [Request { method: "GET", path: "/" }, Request { method: "POST", path: "/payments/7" }];

/// Asks for decisions and the reasons for them, from the beginning to past the end, at the borders of phases too.
pub(crate) fn ask(service: &Service, horizon: Duration) {
    let borders = |phase: &Phase| [Some(phase.window.from), phase.window.until];
    let borders = service.phases().iter().take(PHASES).flat_map(borders).flatten();
    let moments = [Duration::ZERO, horizon / 2, horizon, Duration::MAX].into_iter().chain(borders);
    let last = Identity { request: u64::MAX, attempt: NonZeroU32::MAX };
    for elapsed in moments {
        for identity in [Identity::first(1), last] {
            for request in &REQUESTS {
                ask_at(service, request, identity, elapsed);
            }
        }
        assert!(service.next_workers_change(elapsed).is_none_or(|next| next > elapsed));
        assert!(service.next_refusal_change(elapsed).is_none_or(|next| next > elapsed));
        assert!(service.load_factor(elapsed) >= 0.0);
        let _ = (service.workers(elapsed), service.slowed(horizon, elapsed));
    }
}

fn ask_at(service: &Service, request: &Request<'_>, identity: Identity, elapsed: Duration) {
    let route: RouteId = service.route(request);
    let landed = service.land(SEED, identity, |_| Some(1));
    let decision = service.decide(SEED, route, landed, elapsed);
    let why = service.explain(SEED, route, landed, elapsed);
    assert_eq!(why.decision, decision);
    assert!(why.outcomes.iter().any(|(outcome, ..)| *outcome == decision.outcome), "{why:?}");
    assert!(why.outcomes.iter().all(|(_, start, end)| 0.0 <= *start && *end <= 1.0 + 1e-9), "{why:?}");
    assert!(why.phases.iter().all(|(_, strength, _)| (0.0..=1.0).contains(strength)), "{why:?}");
    let response = decision.respond(request);
    assert!((200..=599).contains(&response.status), "{}", response.status);
    let _ = (service.patience(SEED, identity), service.lets_in(SEED, identity, elapsed));
}
