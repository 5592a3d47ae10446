//! Calls that a service makes of another.

use std::io::Write;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_draw::Seed;
use brownout_drive::{Line, Target, Trust};
use brownout_load::{HopCounts, inner_number};
use brownout_policy::{Growth, Policy, Settings};
use brownout_service::{Identity, TimeLeft};

use crate::raw::{head, server};

const MS: fn(u64) -> Duration = Duration::from_millis;
const ASKED: Identity = Identity::first(7);
const WELL: &str = "200 OK";
const ILL: &str = "500 Ill";

fn line(url: &str, settings: Settings, pass_deadline: bool) -> Line {
    let target = Target::new(url, "GET", None, &Trust::default()).unwrap();
    Line::new(3, target, Policy::new(settings).unwrap(), pass_deadline, Seed(1), Clock::start(Scale::ONE))
}

/// A server that answers one request a connection, each with the next of `statuses`, and tells the heads that it read.
fn answers(statuses: &'static [&'static str]) -> (String, Receiver<String>) {
    let (heads, seen) = channel();
    let url = server(statuses.len(), move |number, mut stream| {
        let _ = heads.send(head(&mut stream));
        let status = statuses[number];
        let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    });
    (url, seen)
}

fn every(delay: Duration, max_retries: u32) -> Settings {
    Settings {
        max_retries: Some(max_retries),
        growth: Some(Growth::Constant),
        base_delay: Some(delay),
        ..Settings::default()
    }
}

/// What a head says in a header.
fn said(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
}

#[tokio::test]
async fn its_attempts_say_whose_they_are_and_how_long_they_are_waited_for() {
    let (url, heads) = answers(&[ILL, WELL]);
    let settings = Settings { attempt_timeout: Some(MS(20_000)), ..every(MS(1), 3) };
    let line = line(&url, settings, false);
    assert!(line.call(ASKED, None).await);
    for attempt in 1..=2 {
        let head = heads.recv().unwrap();
        assert_eq!(said(&head, Identity::REQUEST_HEADER), Some(inner_number(ASKED, 3).to_string()));
        assert_eq!(said(&head, Identity::ATTEMPT_HEADER), Some(attempt.to_string()));
        let TimeLeft(left) = said(&head, TimeLeft::HEADER).unwrap().parse().unwrap();
        assert!(left <= MS(20_000) && left > MS(1), "{left:?}");
    }
    assert_eq!(line.counts(), HopCounts { calls: 1, succeeded: 1, attempts: 2, budget_denied: 0 });
}

#[tokio::test]
async fn without_a_timeout_nothing_is_said_of_it() {
    let (url, heads) = answers(&[WELL]);
    assert!(line(&url, every(MS(1), 0), true).call(ASKED, None).await);
    assert_eq!(said(&heads.recv().unwrap(), TimeLeft::HEADER), None);
}

#[tokio::test]
async fn a_deadline_that_is_passed_on_ends_the_call_and_is_told_to_the_next() {
    let (url, heads) = answers(&[ILL; 6]);
    let patient = |pass_deadline| {
        let settings = Settings { attempt_timeout: Some(MS(20_000)), ..every(MS(300), 2) };
        line(&url, settings, pass_deadline)
    };
    let soon = || Some(MS(450));
    let (passing, keeping) = (patient(true), patient(false));
    assert!(!passing.call(ASKED, soon()).await && !keeping.call(ASKED, soon()).await);
    // At 0 and 300 ms; the third would have been at 600 ms.
    assert!((1..=2).contains(&passing.counts().attempts), "{:?}", passing.counts());
    assert_eq!(keeping.counts().attempts, 3);
    let TimeLeft(left) = said(&heads.recv().unwrap(), TimeLeft::HEADER).unwrap().parse().unwrap();
    assert!(left <= MS(450), "{left:?}");
}

#[tokio::test]
async fn a_deadline_that_is_past_makes_no_attempt() {
    let (url, _heads) = answers(&[WELL]);
    let line = line(&url, every(MS(1), 3), true);
    assert!(!line.call(ASKED, Some(Duration::ZERO)).await);
    assert_eq!(line.counts(), HopCounts { calls: 1, ..HopCounts::default() });
}

#[tokio::test]
async fn calls_under_way_end_with_it_and_none_is_made_after() {
    // Nobody answers there, and nobody refuses.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let line = line(&url, every(MS(1), 3), false);
    let (call, ()) = tokio::join!(line.call(ASKED, None), async {
        tokio::time::sleep(MS(50)).await;
        line.end().await;
    });
    assert!(!call && !line.call(ASKED, None).await);
    assert_eq!(line.counts(), HopCounts { calls: 1, attempts: 1, ..HopCounts::default() });
}
