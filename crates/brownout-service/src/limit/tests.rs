//! Limits together: who answers, what it costs, what is said, and who comes back too early.

use super::*;
use crate::{Behaviour, Decision, Leave, Outcomes, Route, RouteId, Service, ServiceError};
use brownout_draw::Distribution;
use std::num::NonZeroU64;

const SECOND: u64 = 1_000_000_000;
const GET: Request<'static> = Request { method: "GET", path: "/" };

fn number(number: u64) -> NonZeroU64 {
    number.try_into().unwrap()
}

fn window(name: &str, count: u64, seconds: u64) -> Limit {
    let rule = LimitRule::FixedWindow(FixedWindow { count: number(count * UNIT), window_ns: number(seconds * SECOND) });
    Limit { name: name.to_owned(), ..Limit::new(rule) }
}

fn concurrency(count: u32) -> Limit {
    Limit::new(LimitRule::Concurrency(Concurrency(count.try_into().unwrap())))
}

fn bucket(per_second: u64, burst: u64) -> Limit {
    let refill = Refill { amount: number(per_second * UNIT), per_ns: number(SECOND) };
    Limit::new(LimitRule::TokenBucket(TokenBucket { refill, burst: number(burst * UNIT) }))
}

fn service(limits: Vec<Limit>) -> Result<Service, Vec<ServiceError>> {
    let outcomes = Outcomes::new([]).unwrap();
    let base = Behaviour { outcomes, latency: Distribution::fixed(Duration::ZERO) };
    let routes = vec![Route { pattern: "/a".parse().unwrap(), change: crate::Change::default() }];
    Service::new(base, routes, vec![]).unwrap().with_limits(limits)
}

/// A caller with a number.
struct Client(u64);

impl Asker for Client {
    fn key(&self, _: &LimitKey) -> u64 {
        self.0
    }

    fn name(&self, _: &LimitKey) -> String {
        format!("client {}", self.0)
    }
}

/// A service under test and its state.
struct Bench(Service, Limiters, u64);

impl Bench {
    fn new(limits: Vec<Limit>) -> Self {
        let service = service(limits).unwrap();
        let limiters = Limiters::new(&service, Some(Duration::from_secs(784_111_777))).unwrap();
        Self(service, limiters, 0)
    }

    /// A first try of a new request of `client`.
    fn ask_for(&mut self, request: &Request<'_>, client: u64, now: u64) -> Leave {
        self.2 += 1;
        self.again(request, Identity::first(self.2), client, now)
    }

    fn again(&mut self, request: &Request<'_>, identity: Identity, client: u64, now: u64) -> Leave {
        let Self(service, limiters, _) = self;
        let asked = Asked { request, route: service.route(request), identity };
        limiters.ask(service, Seed(1), &asked, &Client(client), (now, now))
    }

    fn ask(&mut self, client: u64, now: u64) -> Option<usize> {
        match self.ask_for(&GET, client, now) {
            Leave::Granted(_) => None,
            Leave::Refused(refused) => Some(refused.limit),
        }
    }

    fn headers(&mut self, now: u64) -> Vec<String> {
        let line = |(name, value): (&str, &str)| format!("{name}: {value}");
        match self.ask_for(&GET, 0, now) {
            Leave::Granted(permit) => permit.fields.iter().map(|(name, value)| line((name, value))).collect(),
            Leave::Refused(refused) => {
                let decision = self.0.decide(Seed(1), RouteId::UNMATCHED, Identity::first(self.2), Duration::ZERO);
                let response = refused.respond(&self.0, &decision);
                assert_eq!(response.status, 429);
                response.headers.iter().map(|(name, value)| line((name, value))).collect()
            }
        }
    }
}

#[test]
fn all_or_nothing_and_the_first_without_room_answers() {
    let mut bench = Bench::new(vec![window("wide", 3, 10), window("narrow", 1, 1)]);
    assert_eq!([0, 1, 2].map(|now| bench.ask(0, now)), [None, Some(1), Some(1)]);
    // The refused took nothing from the first.
    assert_eq!([SECOND, 2 * SECOND].map(|now| bench.ask(0, now)), [None, None]);
    assert_eq!(bench.ask(0, 3 * SECOND), Some(0));
    let counts: Vec<_> = bench.1.counts(&bench.0).into_iter().map(|counts| (counts.asked, counts.refused)).collect();
    assert_eq!(counts, [(6, 1), (6, 2)]);
}

#[test]
fn each_caller_or_route_has_an_allowance_of_its_own() {
    let keyed = |key| Bench::new(vec![Limit { key, ..window("a", 1, 10) }]);
    assert_eq!([1, 2, 1].map(|client| keyed(LimitKey::Global).ask(client, 0)), [None, None, None]);
    let mut global = keyed(LimitKey::Global);
    assert_eq!([1, 2].map(|client| global.ask(client, 0)), [None, Some(0)]);
    let mut each = keyed(LimitKey::Client);
    assert_eq!([1, 2, 1].map(|client| each.ask(client, 0)), [None, None, Some(0)]);
    let mut route = keyed(LimitKey::Route);
    let mut asks = ["/a", "/b", "/a", "/c"]
        .into_iter()
        .map(|path| matches!(route.ask_for(&Request { method: "GET", path }, 1, 0), Leave::Granted(_)));
    assert_eq!([(); 4].map(|()| asks.next().unwrap()), [true, true, false, false]);
}

#[test]
fn a_limit_looks_at_its_own_requests_only_and_some_cost_more() {
    let only = Some("POST /a".parse().unwrap());
    let mut bench = Bench::new(vec![Limit { only, ..window("posts", 1, 10) }]);
    assert_eq!([(); 3].map(|()| bench.ask(0, 0)), [None; 3]);
    let post = Request { method: "POST", path: "/a" };
    assert!(matches!(bench.ask_for(&post, 0, 0), Leave::Granted(_)));
    assert!(matches!(bench.ask_for(&post, 0, 0), Leave::Refused(_)));

    let costs = vec![("POST /a".parse().unwrap(), Cost::Fixed(5 * UNIT))];
    let mut points = Bench::new(vec![Limit { costs, ..window("points", 11, 10) }]);
    let mut granted = |request: &Request<'_>| matches!(points.ask_for(request, 0, 0), Leave::Granted(_));
    assert_eq!(
        [granted(&post), granted(&post), granted(&post), granted(&GET), granted(&GET)],
        [true, true, false, true, false]
    );
}

#[test]
fn a_drawn_cost_belongs_to_its_request() {
    let second = Duration::from_secs(1);
    let cost = Cost::Drawn(Distribution::uniform(100 * second, 300 * second).unwrap());
    let limit = Limit { cost, ..window("tokens", 1_000_000, 60) };
    let amounts: Vec<u64> = (1..=1000).map(|request| limit.amount(Seed(1), &GET, Identity::first(request))).collect();
    assert!(amounts.iter().all(|amount| (100 * UNIT..300 * UNIT).contains(amount)));
    // The mean of a thousand of them is 200 units, within five standard deviations of 1.8.
    let mean = amounts.iter().sum::<u64>() / 1000;
    assert!(mean.abs_diff(200 * UNIT) < 10 * UNIT, "{mean}");
    let retry = Identity { request: 7, attempt: 3.try_into().unwrap() };
    assert_eq!(limit.amount(Seed(1), &GET, retry), amounts[6]);
    assert_ne!(limit.amount(Seed(2), &GET, retry), amounts[6]);
    // More than there ever is counts as all there is.
    let small = Limit { rule: window("tokens", 50, 60).rule, ..limit };
    assert_eq!(small.amount(Seed(1), &GET, retry), 50 * UNIT);
}

#[test]
fn who_is_under_way_counts_until_the_end() {
    let mut bench = Bench::new(vec![concurrency(2), window("a", 3, 10)]);
    let Leave::Granted(first) = bench.ask_for(&GET, 0, 0) else { panic!("there is room") };
    assert_eq!([bench.ask(0, 1), bench.ask(0, 2)], [None, Some(0)]);
    bench.1.give_back(first);
    assert_eq!([bench.ask(0, 3), bench.ask(0, 4)], [None, Some(0)]);
}

#[test]
fn fields_tell_what_is_left() {
    let standard = |limit| Limit { fields: QuotaFields::RateLimit, ..limit };
    let mut bench = Bench::new(vec![standard(bucket(2, 4)), standard(concurrency(3)), window("silent", 9, 9)]);
    let policy = "ratelimit-policy: \"token_bucket\";q=4;w=2, \"concurrency\";q=3;qu=\"concurrent-requests\"";
    assert_eq!(bench.headers(0), [policy, "ratelimit: \"token_bucket\";r=3;t=1, \"concurrency\";r=2"]);
    assert_eq!(bench.headers(0), [policy, "ratelimit: \"token_bucket\";r=2;t=1, \"concurrency\";r=1"]);
    assert_eq!(bench.headers(0)[1], "ratelimit: \"token_bucket\";r=1;t=2, \"concurrency\";r=0");
    assert_eq!(bench.headers(0)[1], policy);

    let github = |limit| Limit { fields: QuotaFields::XRateLimit, ..limit };
    let mut bench = Bench::new(vec![github(window("hour", 5, 3600)), github(window("second", 2, 1))]);
    let fields = |limit: &str, left: &str, reset: u64| {
        [("limit", limit.to_owned()), ("remaining", left.to_owned()), ("reset", reset.to_string())]
            .map(|(name, value)| format!("x-ratelimit-{name}: {value}"))
    };
    assert_eq!(bench.headers(SECOND / 2), fields("2", "1", 784_111_778));
    assert_eq!(bench.headers(SECOND / 2), fields("2", "0", 784_111_778));
    let refused = bench.headers(SECOND / 2);
    assert_eq!(refused[0], "content-type: application/json");
    assert_eq!(refused[1], "retry-after: 1");
    assert_eq!(refused[2..5], fields("2", "0", 784_111_778));
    let decision = "request=3;attempt=1;outcome=limited;latency_ms=0.000;limit=\"second\"";
    assert_eq!(refused[5], format!("x-brownout-decision: {decision}"));
}

#[test]
fn who_comes_back_too_early_is_counted_and_named() {
    let mut bench = Bench::new(vec![Limit { key: LimitKey::Client, ..window("a", 1, 10) }]);
    let again = |bench: &mut Bench, request: u64, attempt: u32, client, now| {
        let identity = Identity { request, attempt: attempt.try_into().unwrap() };
        matches!(bench.again(&GET, identity, client, now), Leave::Granted(_))
    };
    assert!(again(&mut bench, 1, 1, 7, 0));
    // Refused at 2 s and told to come back at 10 s.
    assert!(!again(&mut bench, 2, 1, 7, 2 * SECOND));
    assert!(!again(&mut bench, 2, 2, 7, 3 * SECOND));
    assert!(!again(&mut bench, 3, 1, 7, 9 * SECOND));
    assert!(again(&mut bench, 2, 3, 7, 10 * SECOND));
    // Another client comes twice in one instant: it had not heard yet.
    assert!(again(&mut bench, 4, 1, 8, 11 * SECOND));
    assert!([5, 6].iter().all(|request| !again(&mut bench, *request, 1, 8, 11 * SECOND)));
    assert!(!again(&mut bench, 5, 2, 8, 12 * SECOND));
    let worst = vec![("client 7".to_owned(), 2), ("client 8".to_owned(), 1)];
    assert_eq!(bench.1.early_returns(), EarlyReturns { attempts: 3, retries: 2, clients: 2, worst });
}

#[test]
fn a_lie_is_held_against_who_does_not_believe_it() {
    let retry_after = RetryAfter { wait: RetryAfterWait::Fixed(Duration::from_secs(3600)), form: HintForm::Seconds };
    let mut bench = Bench::new(vec![Limit { retry_after, ..window("a", 1, 1) }]);
    assert_eq!([0, 1, SECOND].map(|now| bench.ask(0, now)), [None, Some(0), None]);
    assert_eq!(bench.1.early_returns().attempts, 1);
    let retry_after = RetryAfter { wait: RetryAfterWait::Never, form: HintForm::Seconds };
    let mut bench = Bench::new(vec![Limit { retry_after, ..window("a", 1, 1) }]);
    assert_eq!([0, 1, 2].map(|now| bench.ask(0, now)), [None, Some(0), Some(0)]);
    assert_eq!(bench.1.early_returns(), EarlyReturns::default());
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    let refusal = |limits| service(limits).unwrap_err()[0].to_string();
    assert_eq!(
        refusal(vec![window("a", 1, 1), window("a", 2, 2)]),
        "two limits are called `a`; give one a `name` of its own"
    );
    let costly = Limit { cost: Cost::Fixed(2_500), ..window("a", 2, 1) };
    let text =
        "a request that costs 2.5 never gets through `a`, which holds 2 at the most; lower one or raise the other";
    assert_eq!(refusal(vec![costly]), text);
    let weighed = Limit { cost: Cost::Fixed(2_000), ..concurrency(5) };
    assert!(refusal(vec![weighed]).contains("each as one"));
    let until_end = RetryAfter { wait: RetryAfterWait::UntilPhaseEnd, form: HintForm::Seconds };
    assert!(refusal(vec![Limit { retry_after: until_end, ..window("a", 1, 1) }]).contains("no phase ends"));
    let mut routeless = Service::default();
    routeless = routeless.with_limits(vec![window("a", 1, 1)]).unwrap();
    let by_route = vec![Limit { key: LimitKey::Route, ..window("a", 1, 1) }];
    assert!(routeless.with_limits(by_route).unwrap_err()[0].to_string().contains("no routes"));
}

#[test]
fn the_decision_of_a_refusal_names_the_route_and_the_limit() {
    let mut bench = Bench::new(vec![Limit { body: "slow down".into(), status: 403, ..window("a", 1, 1) }]);
    let request = Request { method: "GET", path: "/a" };
    let _ = bench.ask_for(&request, 0, 0);
    let Leave::Refused(refused) = bench.ask_for(&request, 0, 0) else { panic!("there is no room") };
    let decision: Decision<'_> = bench.0.decide(Seed(1), bench.0.route(&request), Identity::first(2), Duration::ZERO);
    let response = refused.respond(&bench.0, &decision);
    assert_eq!((response.status, &*response.body), (403, "slow down"));
    assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
    let decision = "request=2;attempt=1;outcome=limited;latency_ms=0.000;route=\"/a\";limit=\"a\"";
    assert_eq!(response.header("x-brownout-decision"), Some(decision));
}

#[test]
fn other_phases_leave_the_limits_as_they_are() {
    let service = service(vec![window("a", 1, 1)]).unwrap();
    assert_eq!(service.with_phases(vec![]).unwrap(), service);
}
