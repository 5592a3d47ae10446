//! A service with a capacity: queues, sheds, and clients that leave.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use brownout_draw::Distribution;
use brownout_serve::{App, Limits};
use brownout_service::{Abandoned, Behaviour, Capacity, Outcomes, Queue, Service, Shed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::{get, header, talk, with_app, with_server};

const MS: fn(u64) -> Duration = Duration::from_millis;
const AGES: Duration = Duration::from_secs(3600);

/// One worker that takes `work` for everything.
fn one_worker(work: Duration) -> Capacity {
    Capacity {
        workers: 1.try_into().unwrap(),
        service_time: Distribution::fixed(work),
        queue: Queue::default(),
        shed: Shed::default(),
        abandoned: Abandoned::KeepWorking,
    }
}

fn service(capacity: Capacity) -> Service {
    let behaviour = Behaviour { outcomes: Outcomes::default(), latency: Distribution::fixed(Duration::ZERO) };
    Service::new(behaviour, vec![], vec![]).unwrap().with_capacity(Some(capacity)).unwrap()
}

/// What is still worked on when a test is over is not waited for.
fn impatient() -> Limits {
    Limits { drain_time: MS(50), ..Limits::default() }
}

/// What comes back first of `count` requests sent at once; the others go on.
async fn first_answer(address: SocketAddr, count: u32) -> (String, JoinSet<String>) {
    let mut calls: JoinSet<String> = (0..count).map(|_| async move { talk(address, &get("/", "")).await }).collect();
    let first = calls.join_next().await.unwrap().unwrap();
    (first, calls)
}

/// How long 16 requests of two clients take.
async fn two_clients(workers: u32) -> Duration {
    let capacity = Capacity { workers: workers.try_into().unwrap(), ..one_worker(MS(50)) };
    with_server(service(capacity), Limits::default(), async |address| {
        let start = Instant::now();
        let client = async || {
            for _ in 0..8 {
                assert!(talk(address, &get("/", "")).await.starts_with("HTTP/1.1 "));
            }
        };
        tokio::join!(client(), client());
        start.elapsed()
    })
    .await
}

#[tokio::test]
async fn one_worker_makes_two_clients_take_turns() {
    let (one, two) = tokio::join!(two_clients(1), two_clients(2));
    assert!(one >= MS(50) * 16, "{one:?}");
    assert!(one > two * 5 / 4, "{one:?} with one worker, {two:?} with two");
}

#[tokio::test]
async fn a_full_queue_says_so_and_when_to_come_back() {
    let capacity = Capacity {
        queue: Queue { length: Some(1), ..Queue::default() },
        shed: Shed::Answer { status: 503, retry_after: Some(MS(1500)) },
        ..one_worker(AGES)
    };
    let answer = with_server(service(capacity), impatient(), async |address| first_answer(address, 3).await.0).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert_eq!(header(&answer, "retry-after"), Some("2"));
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    let decision = "request=3;attempt=1;outcome=shed;latency_ms=0.000";
    assert_eq!(header(&answer, "x-brownout-decision"), Some(decision));
    assert_eq!(answer.split("\r\n\r\n").nth(1), Some(r#"{"error": "Overloaded"}"#));
}

#[tokio::test]
async fn lost_patience_is_told_with_the_time_it_took() {
    let queue = Queue { patience: Some(Distribution::fixed(MS(100))), ..Queue::default() };
    let shed = Shed::Answer { status: 429, retry_after: None };
    let capacity = Capacity { queue, shed, ..one_worker(AGES) };
    let answer = with_server(service(capacity), impatient(), async |address| first_answer(address, 2).await.0).await;
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert_eq!(header(&answer, "retry-after"), None);
    let decision = "request=2;attempt=1;outcome=shed;latency_ms=100.000";
    assert_eq!(header(&answer, "x-brownout-decision"), Some(decision));
}

/// One worker for ages, and silence for everybody else.
fn silent() -> Service {
    service(Capacity { queue: Queue { length: Some(0), ..Queue::default() }, shed: Shed::Silent, ..one_worker(AGES) })
}

#[tokio::test]
async fn who_is_shed_in_silence_hears_nothing_until_the_watch_closes_the_connection() {
    let limits = Limits { head_time: MS(200), ..impatient() };
    with_server(silent(), limits, async |address| {
        let start = Instant::now();
        let (first, mut others) = first_answer(address, 2).await;
        assert_eq!(first, "");
        assert!(start.elapsed() >= MS(200), "{:?}", start.elapsed());
        // The other one is worked on, and not let go.
        assert!(tokio::time::timeout(MS(800), others.join_next()).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn silence_ends_with_the_server() {
    // A drain as long as this would fail the test.
    let limits = Limits { drain_time: AGES, ..Limits::default() };
    let capacity =
        Capacity { queue: Queue { length: Some(0), ..Queue::default() }, shed: Shed::Silent, ..one_worker(MS(300)) };
    let mut others = with_server(service(capacity), limits, async |address| {
        let (first, others) = first_answer(address, 2).await;
        assert!(first.starts_with("HTTP/1.1 "), "{first}");
        others
    })
    .await;
    assert_eq!(others.join_next().await.unwrap().unwrap(), "");
}

/// How a client leaves while its request is inside.
#[derive(Clone, Copy, Debug)]
enum Exit {
    /// It closes its socket.
    Closes,
    /// It closes only its own direction, and listens on.
    HalfCloses,
}

/// A request that was seen by the server.
async fn begun(address: SocketAddr, app: &App) -> TcpStream {
    let seen = app.requests();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(get("/", "").as_bytes()).await.unwrap();
    while app.requests() == seen {
        tokio::time::sleep(MS(1)).await;
    }
    stream
}

/// One request is worked on and one waits when their clients leave; then comes a third. How long that is answered after the
/// first began, in works.
async fn works_until_the_third(abandoned: Abandoned, exit: Exit) -> u128 {
    let work = MS(600);
    let capacity = Capacity { abandoned, ..one_worker(work) };
    with_app(service(capacity), impatient(), async |address, app| {
        let start = Instant::now();
        let mut left = Vec::new();
        for _ in 0..2 {
            let mut stream = begun(address, app).await;
            match exit {
                Exit::Closes => drop(stream),
                Exit::HalfCloses => {
                    stream.shutdown().await.unwrap();
                    left.push(stream);
                }
            }
        }
        // Long enough for the server to be told.
        tokio::time::sleep(MS(50)).await;
        assert!(talk(address, &get("/", "")).await.starts_with("HTTP/1.1 "));
        start.elapsed().as_nanos() / work.as_nanos()
    })
    .await
}

#[tokio::test]
async fn what_a_client_left_behind_is_worked_on_finished_or_dropped() {
    for exit in [Exit::Closes, Exit::HalfCloses] {
        let (keep, finish, drop) = tokio::join!(
            works_until_the_third(Abandoned::KeepWorking, exit),
            works_until_the_third(Abandoned::DropWaiting, exit),
            works_until_the_third(Abandoned::Drop, exit),
        );
        assert_eq!((keep, finish, drop), (3, 2, 1), "{exit:?}");
    }
}

/// What a client that stops sending before its answer is there gets of `service`.
async fn half_closed(service: Service) -> String {
    with_app(service, impatient(), async |address, app| {
        let mut stream = begun(address, app).await;
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    })
    .await
}

#[tokio::test]
async fn a_client_that_stops_sending_counts_as_gone_only_where_requests_take_turns() {
    assert!(half_closed(crate::service(MS(200))).await.starts_with("HTTP/1.1 "));
    assert_eq!(half_closed(service(one_worker(MS(200)))).await, "");
}
