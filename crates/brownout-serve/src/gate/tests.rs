//! On a paused clock: the state machine decides as it would if it were asked in virtual time.

use std::net::Ipv4Addr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_draw::{Distribution, Seed, Stream, draw};
use brownout_service::{
    Asked, Behaviour, Cost, FixedWindow, Identity, Leave, Limit, LimitKey, LimitRule, Limiters, Outcomes, Refill,
    Request, RouteId, Service, SlidingWindow, TokenBucket, UNIT,
};
use hyper::HeaderMap;

use super::{Gate, Peer};

const GET: Request<'static> = Request { method: "GET", path: "/" };

fn number(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap()
}

fn service() -> Arc<Service> {
    let refill = Refill { amount: number(31 * UNIT), per_ns: number(3_000_000_000) };
    let bucket = LimitRule::TokenBucket(TokenBucket { refill, burst: number(40 * UNIT) });
    let window_ns = number(1_300_000_000);
    let units = |units| Duration::from_secs(units);
    let limits = vec![
        Limit {
            key: LimitKey::Client,
            cost: Cost::Drawn(Distribution::uniform(units(1), units(9)).unwrap()),
            ..Limit::new(bucket)
        },
        Limit::new(LimitRule::FixedWindow(FixedWindow { count: number(9 * UNIT), window_ns: number(900_000_000) })),
        Limit::new(LimitRule::SlidingWindow(SlidingWindow { count: number(14 * UNIT), window_ns })),
    ];
    let base = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(Duration::ZERO) };
    Arc::new(Service::new(base, vec![], vec![]).unwrap().with_limits(limits).unwrap())
}

/// Which of a thousand requests of five clients, each some milliseconds after the one before, are refused, by which limit.
async fn decisions(seed: Seed) -> Vec<Option<usize>> {
    let (service, clock) = (service(), Clock::start(Scale::ONE));
    let gate = Gate::new(&service, seed, clock).unwrap();
    let mut virtually = Limiters::new(&service, None).unwrap();
    let (mut at, mut seen) = (Duration::ZERO, Vec::new());
    for request in 1..=1_000 {
        at += Duration::from_millis(draw(seed, Stream::ARRIVAL, request, 0) % 100);
        clock.sleep_until(at).await;
        let mut headers = HeaderMap::new();
        headers.insert(LimitKey::CLIENT_HEADER, (request % 5).into());
        let peer = Peer { headers: &headers, address: Ipv4Addr::LOCALHOST.into() };
        let asked = Asked { request: &GET, route: RouteId::UNMATCHED, identity: Identity::first(request) };
        let really = gate.ask(&service, &asked, &peer).err().map(|refused| (refused.limit, refused.hint));
        let now = u64::try_from(at.as_nanos()).unwrap();
        let foretold = match virtually.ask(&service, seed, &asked, &peer, (now, now)) {
            Leave::Granted(_) => None,
            Leave::Refused(refused) => Some((refused.limit, refused.hint)),
        };
        let told = |decision: &Option<(usize, Option<brownout_service::Hint>)>| {
            decision.map(|(limit, hint)| (limit, hint.map(|hint| hint.heard())))
        };
        assert_eq!(told(&really), told(&foretold), "request {request}");
        seen.push(really.map(|(limit, _)| limit));
    }
    assert_eq!(gate.account(&service).0, virtually.counts(&service));
    assert_eq!(gate.account(&service).1, virtually.early_returns());
    seen
}

#[tokio::test(start_paused = true)]
async fn the_real_clock_and_virtual_time_decide_alike() {
    let first = decisions(Seed(42)).await;
    // All limits have their say, and none of them has it always.
    for decision in [None, Some(0), Some(1), Some(2)] {
        let count = first.iter().filter(|own| **own == decision).count();
        assert!(count >= 10, "{decision:?}: {count}");
    }
    assert_eq!(first, decisions(Seed(42)).await);
    assert_ne!(first, decisions(Seed(43)).await);
}
