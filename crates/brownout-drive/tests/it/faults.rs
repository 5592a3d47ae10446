//! Every fault in both worlds: what virtual time says of an attempt, a socket says of it too.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::Distribution;
use brownout_load::{Load, Reply};
use brownout_policy::{Settings, Transport};
use brownout_service::{
    Behaviour, Change, End, Factors, Fault, Only, Outcome, Outcomes, Phase, Point, Ramp, Service, Window,
};

use crate::both::Scenario;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn n(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

/// The fault of an outcome as it is by default.
fn by_default(outcome: Outcome) -> Fault {
    let outcomes = Outcomes::new([(outcome, "1".parse().unwrap())]).unwrap();
    outcomes.fault(outcome, || 0).unwrap().clone()
}

/// A service in which half of the attempts meet `fault`, and some an error; its callers try again.
fn scenario(faults: Vec<(Fault, &str)>) -> Scenario {
    let rate = |text: &str| text.parse().unwrap();
    let faults: Vec<_> = faults.into_iter().map(|(fault, share)| (fault, rate(share))).collect();
    let outcomes = Outcomes::with_faults([(Outcome::Error, rate("15%"))], faults).unwrap();
    let latency = Distribution::fixed(Duration::ZERO);
    Scenario {
        service: Service::new(Behaviour { outcomes, latency }, vec![], vec![]).unwrap(),
        settings: Settings {
            max_retries: Some(3),
            base_delay: Some(MS(1)),
            attempt_timeout: Some(MS(700)),
            ..Settings::default()
        },
        load: Load { count: Some(24), clients: n(8), ..Load::default() },
    }
}

/// Runs `fault` in both worlds and wants the same of both: this reply among others.
async fn check(fault: Fault, reply: Reply) {
    let scenario = scenario(vec![(fault.clone(), "50%")]);
    let (virtual_time, sockets) = (scenario.in_virtual_time(), scenario.over_http().await);
    assert_eq!(virtual_time.sorted(), sockets.sorted(), "{fault:?}");
    let replies: BTreeSet<_> = virtual_time.steps.iter().map(|step| format!("{:?}", step.reply)).collect();
    let mut expected = BTreeSet::from(["Status(200)".to_owned(), "Status(500)".to_owned()]);
    expected.insert(format!("{reply:?}"));
    assert_eq!(replies, expected, "{fault:?}");
}

const RESET: Reply = Reply::Broken(Transport::Reset);
const CLOSED: Reply = Reply::Broken(Transport::Closed);
const PROTOCOL: Reply = Reply::Broken(Transport::Protocol);
const WELL: Reply = Reply::Status(200);

#[tokio::test]
async fn a_reset_is_seen_as_one() {
    check(Fault::connection_reset(Point::Start).unwrap(), RESET).await;
    check(Fault::connection_reset(Point::Head).unwrap(), RESET).await;
    check(Fault::connection_reset(Point::Body(0)).unwrap(), RESET).await;
    check(Fault::connection_reset(Point::Body(20)).unwrap(), RESET).await;
    check(Fault::lost_reply(End::Reset).unwrap(), RESET).await;
    check(by_default(Outcome::LostReply), RESET).await;
    check(by_default(Outcome::RstStream), RESET).await;
    check(Fault::rst_stream(Point::Body(20), Fault::RST_STREAM).unwrap(), RESET).await;
    check(Fault::stream_break(3, MS(5), End::Reset).unwrap(), RESET).await;
}

#[tokio::test]
async fn an_end_before_its_time_is_seen_as_one() {
    check(by_default(Outcome::EmptyResponse), CLOSED).await;
    check(by_default(Outcome::GoAway), CLOSED).await;
    check(by_default(Outcome::RefusedStream), CLOSED).await;
    check(Fault::truncate_half(), CLOSED).await;
    check(Fault::truncate(0).unwrap(), CLOSED).await;
    check(Fault::stream_break(3, MS(5), End::Close).unwrap(), CLOSED).await;
    check(Fault::stream_break(0, MS(5), End::Close).unwrap(), CLOSED).await;
    check(Fault::hang(MS(100)).unwrap(), CLOSED).await;
    check(Fault::lost_reply(End::Hang(MS(100))).unwrap(), CLOSED).await;
}

#[tokio::test]
async fn what_is_no_http_is_seen_as_that() {
    check(by_default(Outcome::MalformedChunk), PROTOCOL).await;
    check(by_default(Outcome::GarbageThenClose), PROTOCOL).await;
}

#[tokio::test]
async fn slow_answers_are_answers() {
    check(Fault::dribble(n(16), MS(5), 128).unwrap(), WELL).await;
    check(Fault::bandwidth(n(1000), 100).unwrap(), WELL).await;
    check(Fault::slow_close(MS(200)).unwrap(), WELL).await;
}

#[tokio::test]
async fn what_lasts_longer_than_its_caller_is_a_timeout() {
    let timeout = Reply::Broken(Transport::Timeout);
    check(by_default(Outcome::Hang), timeout).await;
    check(by_default(Outcome::Dribble), timeout).await;
    check(by_default(Outcome::Bandwidth), timeout).await;
}

#[tokio::test]
async fn statuses_and_what_they_ask_for() {
    let header = vec![("retry-after-ms".to_owned(), "20".to_owned())];
    let overloaded = Fault::status_of_its_own(529, header, r#"{"type": "overloaded_error"}"#.to_owned()).unwrap();
    check(overloaded, Reply::Status(529)).await;
    let throttled = r#"{"__type": "ThrottlingException"}"#.to_owned();
    check(Fault::status_of_its_own(400, vec![], throttled).unwrap(), Reply::Status(400)).await;
}

/// Every fault in one service, told apart by what comes back.
#[tokio::test]
async fn all_of_them_at_once() {
    let faults: Vec<_> = Outcome::ALL.into_iter().filter(|outcome| outcome.is_fault()).map(by_default).collect();
    let mut scenario = scenario(faults.into_iter().map(|fault| (fault, "5%")).collect());
    scenario.load.count = Some(100);
    scenario.load.clients = n(25);
    let (virtual_time, sockets) = (scenario.in_virtual_time(), scenario.over_http().await);
    assert_eq!(virtual_time.sorted(), sockets.sorted());
    let by_fault: Vec<_> = virtual_time.result.by_fault.keys().copied().collect();
    assert_eq!(by_fault, ["closed", "protocol", "reset", "timeout"]);
    assert_eq!(virtual_time.result.by_fault, sockets.result.by_fault);
}

/// Nobody listens, all day.
#[tokio::test]
async fn a_refused_connection_is_seen_as_one() {
    let mut scenario = scenario(vec![]);
    let phase = Phase {
        name: "shut".to_owned(),
        window: Window { from: Duration::ZERO, until: None },
        ramp: Ramp::default(),
        change: Change::default(),
        factors: Factors { refuse: true, ..Factors::default() },
        only: Only::default(),
    };
    scenario.service = Service::new(scenario.service.base().clone(), vec![], vec![phase]).unwrap();
    let (virtual_time, sockets) = (scenario.in_virtual_time(), scenario.over_http().await);
    assert_eq!(virtual_time.sorted(), sockets.sorted());
    assert_eq!(virtual_time.result.by_fault["connect"], 24 * 4);
}
