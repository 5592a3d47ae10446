//! What callers meet of each fault, and when.

use brownout_service::{End, Fault, Point};

use super::*;

const ONE_MS: Duration = Duration::from_millis(1);

fn failing(fault: Fault, phases: Vec<Phase>) -> Service {
    let outcomes = Outcomes::with_faults([], [(fault, "1".parse().unwrap())]).unwrap();
    Service::new(Behaviour { outcomes, latency: Distribution::fixed(MS(10)) }, vec![], phases).unwrap()
}

fn one() -> Load {
    Load { count: Some(1), ..Load::default() }
}

/// What one attempt at a service with this fault brings after so many milliseconds, latency included.
#[track_caller]
fn check(fault: &Fault, reply: Reply, ms: u64) {
    let service = failing(fault.clone(), vec![]);
    let (_, log) = watch(&service, none(), &one(), Limits::default());
    assert_eq!((log.0[0].1.reply, log.0[0].1.latency_ns), (reply, ms * 1_000_000), "{fault:?}");
    // The same where a phase may have a say, and a decision is made for each attempt by itself.
    let change = Change { outcomes: None, latency: Some(Distribution::fixed(MS(10))) };
    let window = Window { from: Duration::ZERO, until: None };
    let phase = Phase { name: "all day".to_owned(), window, ramp: Ramp::default(), change, ..phase() };
    let service = failing(fault.clone(), vec![phase]);
    let (_, log) = watch(&service, none(), &one(), Limits::default());
    assert_eq!((log.0[0].1.reply, log.0[0].1.latency_ns), (reply, ms * 1_000_000), "{fault:?}");
    // And of one request and one call traced by themselves.
    let policy = Policy::new(none()).unwrap();
    let world = World::new(&service, &policy, Seed(1));
    let get = Request { method: "GET", path: "/" };
    let alone = world.request(&get, 1, Duration::ZERO, None);
    assert_eq!((alone.reply, alone.latency), (reply, MS(ms)), "{fault:?}");
    assert_eq!(alone.error.is_some(), matches!(reply, Reply::Broken(_)));
    assert_eq!(world.trace(&get, 1).unwrap().last, alone, "{fault:?}");
}

#[test]
fn each_fault_is_seen_as_what_it_is_when_it_is_seen() {
    let broken = |transport| Reply::Broken(transport);
    let ok = Reply::Status(200);
    let n = |n| NonZeroU32::new(n).unwrap();
    check(&Fault::connection_reset(Point::Start).unwrap(), broken(Transport::Reset), 10);
    check(&Fault::connection_reset(Point::Body(3)).unwrap(), broken(Transport::Reset), 10);
    check(&Fault::truncate_half(), broken(Transport::Closed), 10);
    check(&Fault::dribble(n(10), MS(30), 100).unwrap(), ok, 10 + 9 * 30);
    check(&Fault::bandwidth(n(1000), 500).unwrap(), ok, 10 + 500);
    check(&Fault::hang(MS(1000)).unwrap(), broken(Transport::Closed), 1010);
    check(&Fault::slow_close(MS(1000)).unwrap(), ok, 10);
    check(&Fault::lost_reply(End::Reset).unwrap(), broken(Transport::Reset), 10);
    check(&Fault::lost_reply(End::Hang(MS(500))).unwrap(), broken(Transport::Closed), 510);
    check(&Fault::stream_break(4, MS(20), End::Close).unwrap(), broken(Transport::Closed), 90);
    check(&Fault::stream_break(4, MS(20), End::Reset).unwrap(), broken(Transport::Reset), 90);
    check(&Fault::status_of_its_own(529, vec![], String::new()).unwrap(), Reply::Status(529), 10);
}

#[test]
fn faults_without_terms_are_those_by_default() {
    for (outcome, reply) in [
        (Outcome::EmptyResponse, Reply::Broken(Transport::Closed)),
        (Outcome::MalformedChunk, Reply::Broken(Transport::Protocol)),
        (Outcome::GarbageThenClose, Reply::Broken(Transport::Protocol)),
        (Outcome::LostReply, Reply::Broken(Transport::Reset)),
        (Outcome::RstStream, Reply::Broken(Transport::Reset)),
        (Outcome::GoAway, Reply::Broken(Transport::Closed)),
        (Outcome::RefusedStream, Reply::Broken(Transport::Closed)),
    ] {
        let outcomes = Outcomes::new([(outcome, "1".parse().unwrap())]).unwrap();
        let service = Service::new(Behaviour { outcomes, latency: at_once() }, vec![], vec![]).unwrap();
        let (_, log) = watch(&service, none(), &one(), Limits::default());
        assert_eq!(log.0[0].1.reply, reply);
    }
}

#[test]
fn what_takes_longer_than_its_caller_waits_is_a_timeout() {
    let hang = failing(Fault::hang(Fault::HANG).unwrap(), vec![]);
    let (result, log) = watch(&hang, hasty(50), &one(), Limits::default());
    assert_eq!((log.0[0].1.reply, log.0[0].1.latency_ns), (Reply::Broken(Transport::Timeout), 50_000_000));
    assert_eq!(result.by_fault["timeout"], 1);
    let stream = failing(Fault::stream_break(4, MS(20), End::Close).unwrap(), vec![]);
    assert_eq!(watch(&stream, hasty(89), &one(), Limits::default()).1.0[0].1.reply, Reply::Broken(Transport::Timeout));
    // An answer that comes at the very moment counts.
    assert_eq!(watch(&stream, hasty(90), &one(), Limits::default()).1.0[0].1.reply, Reply::Broken(Transport::Closed));
}

#[test]
fn an_answer_in_its_own_words_asks_to_stay_away() {
    let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let pause = |headers| {
        let fault = Fault::status_of_its_own(503, headers, String::new()).unwrap();
        let settings = Settings { max_retries: Some(1), base_delay: Some(ONE_MS), ..Settings::default() };
        let (_, log) = watch(&failing(fault, vec![]), settings, &one(), Limits::default());
        log.0[1].1.started_ns - log.0[0].1.started_ns - log.0[0].1.latency_ns
    };
    assert_eq!(pause(vec![]), 1_000_000);
    assert_eq!(pause(header("Retry-After", "2")), 2_000_000_000);
    assert_eq!(pause(header("retry-after-ms", "40")), 40_000_000);
}

/// The effect of a request whose answer is lost happens: what its service calls is called.
#[test]
fn a_service_that_loses_its_reply_has_called_those_behind() {
    let behind = |fault| {
        let service = failing(fault, vec![]);
        let policy = Policy::new(none()).unwrap();
        let node = brownout_load::Node { name: "b".to_owned(), service: service_without_faults(), calls: vec![] };
        let hop = brownout_load::Hop { to: 0, policy: Policy::new(none()).unwrap(), pass_deadline: false };
        let graph = brownout_load::Graph { behind: vec![node], calls: vec![hop] };
        let world = World::new(&service, &policy, Seed(1)).with_graph(&graph);
        world.load(&Request { method: "GET", path: "/" }, &one()).behind[0].calls
    };
    assert_eq!(behind(Fault::lost_reply(End::Reset).unwrap()), 1);
    assert_eq!(behind(Fault::truncate_half()), 1);
    assert_eq!(behind(Fault::connection_reset(Point::Start).unwrap()), 0);
}

fn service_without_faults() -> Service {
    service(None, "0", at_once(), vec![])
}

fn phase() -> Phase {
    Phase {
        name: String::new(),
        window: Window { from: Duration::ZERO, until: None },
        ramp: Ramp::default(),
        change: Change::default(),
        factors: Factors::default(),
        only: Only::default(),
    }
}

/// Nobody listens from 1 to 2 s.
fn shut() -> Phase {
    let window = Window { from: MS(1000), until: Some(MS(2000)) };
    let factors = Factors { refuse: true, ..Factors::default() };
    Phase { name: "restart".to_owned(), window, factors, ..phase() }
}

#[test]
fn attempts_break_at_once_while_nobody_listens() {
    let check = |capacity: Option<Capacity>| {
        let served = capacity.is_some();
        let service = service(capacity, "0", at_once(), vec![shut()]);
        let (result, log) = watch(&service, none(), &open(10.0, 3), Limits::default());
        assert_eq!(result.by_fault["connect"], 10, "a second of ten");
        for (_, attempt) in &log.0 {
            let during = (1_000_000_000..2_000_000_000).contains(&attempt.started_ns);
            let expected = if during { Reply::Broken(Transport::Connect) } else { Reply::Status(200) };
            assert_eq!(attempt.reply, expected);
            assert!(!during || attempt.latency_ns == 0);
        }
        assert_eq!(result.capacity.map(|capacity| capacity.arrived), served.then_some(20), "the others never came");
    };
    check(None);
    check(Some(Capacity { workers: NonZeroU32::new(100).unwrap(), ..capacity() }));
}

#[test]
fn one_request_and_one_call_are_refused_too() {
    let service =
        service(None, "0", at_once(), vec![Phase { window: Window { from: MS(0), until: Some(MS(50)) }, ..shut() }]);
    let settings = Settings { max_retries: Some(2), base_delay: Some(MS(40)), ..Settings::default() };
    let policy = Policy::new(settings).unwrap();
    let world = World::new(&service, &policy, Seed(1));
    let get = Request { method: "GET", path: "/" };
    let refused = world.request(&get, 1, Duration::ZERO, None);
    assert_eq!((refused.reply, refused.latency), (Reply::Broken(Transport::Connect), Duration::ZERO));
    // At 0 and 40 ms it is refused, at 120 ms somebody listens again.
    let trace = world.trace(&get, 1).unwrap();
    let replies: Vec<_> = trace.trail.attempts.iter().map(|attempt| attempt.reply).collect();
    assert_eq!(replies, [refused.reply, refused.reply, Reply::Status(200)]);
    let hopeless = Policy::new(none()).unwrap();
    assert_eq!(World::new(&service, &hopeless, Seed(1)).trace(&get, 1).unwrap().last, refused);
}
