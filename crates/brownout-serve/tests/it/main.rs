//! The server as a client on a raw socket meets it.

mod behind;
mod capacity;
mod effects;
mod faults;
mod http2;
mod limits;
mod raw;
mod tls;
mod visits;

use std::sync::Arc;
use std::time::{Duration, Instant};

use brownout_clock::{Clock, Scale};
use brownout_draw::{Distribution, Seed};
use brownout_serve::{App, Limits, Server, converse_in_memory};
use brownout_service::{Behaviour, Identity, Outcomes, Request, Service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

fn service(latency: Duration) -> Service {
    let behaviour = Behaviour { outcomes: Outcomes::default(), latency: Distribution::fixed(latency) };
    Service::new(behaviour, vec![], vec![]).unwrap()
}

/// Runs a server of `service`, seed 42, while `client` talks to its address.
async fn with_server<T>(service: Service, limits: Limits, client: impl AsyncFnOnce(std::net::SocketAddr) -> T) -> T {
    with_app(service, limits, async |address, _| client(address).await).await
}

/// The same where the client also looks at what the server has seen.
async fn with_app<T>(service: Service, limits: Limits, client: impl AsyncFnOnce(std::net::SocketAddr, &App) -> T) -> T {
    with_whole_app(App::new(service, Seed(42), Some("idempotency-key"), Clock::start(Scale::ONE)), limits, client).await
}

/// The same of what a server answers with.
async fn with_whole_app<T>(app: App, limits: Limits, client: impl AsyncFnOnce(std::net::SocketAddr, &App) -> T) -> T {
    let server = Server::bind(([127, 0, 0, 1], 0).into(), limits).await.unwrap();
    let (address, app) = (server.address(), Arc::new(app));
    let (end, ended) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(Arc::clone(&app), async { ended.await.unwrap_or(()) }));
    let seen = client(address, &app).await;
    drop(end);
    tokio::time::timeout(Duration::from_secs(20), running).await.expect("the server ends").unwrap();
    seen
}

/// Sends `text` on a new connection and reads what comes back until the server closes.
async fn talk(address: std::net::SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    read.expect("an answer in time").unwrap();
    String::from_utf8(answer).unwrap()
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
}

/// The value of a header in a raw answer.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn answers_carry_status_body_and_decision_as_the_core_decides() {
    let service = service(Duration::ZERO);
    let expected: Vec<String> = (1..=30)
        .map(|request| {
            let asked = Request { method: "GET", path: "/hello" };
            let decision = service.decide(Seed(42), service.route(&asked), Identity::first(request), Duration::ZERO);
            format!("{} {}", decision.outcome.status(), decision.respond(&asked).body)
        })
        .collect();
    let found = with_server(service, Limits::default(), async |address| {
        let mut found = Vec::new();
        for ordinal in 1..=30 {
            let answer = talk(address, &get("/hello", "")).await;
            let status = answer.split(' ').nth(1).unwrap().to_owned();
            let decision = header(&answer, "x-brownout-decision").unwrap();
            assert!(decision.starts_with(&format!("request={ordinal};attempt=1;")), "{decision}");
            assert_eq!(header(&answer, "retry-after"), (status == "429").then_some("60"));
            found.push(format!("{status} {}", answer.split("\r\n\r\n").nth(1).unwrap()));
        }
        found
    })
    .await;
    assert_eq!(found, expected);
}

#[tokio::test]
async fn identity_comes_from_the_headers() {
    with_server(service(Duration::ZERO), Limits::default(), async |address| {
        let decision = async |headers: &str| {
            let answer = talk(address, &get("/", headers)).await;
            header(&answer, "x-brownout-decision").unwrap().split(";outcome").next().unwrap().to_owned()
        };
        assert_eq!(decision("x-brownout-request: 7\r\nx-brownout-attempt: 3\r\n").await, "request=7;attempt=3");
        assert_eq!(decision("idempotency-key: 9\r\n").await, "request=9;attempt=1");
        assert_eq!(decision("idempotency-key: 9\r\n").await, "request=9;attempt=2");
        assert_eq!(decision("").await, "request=1;attempt=1");
    })
    .await;
}

#[tokio::test]
async fn the_latency_is_really_spent_and_requests_wait_side_by_side() {
    let latency = Duration::from_millis(300);
    with_server(service(latency), Limits::default(), async |address| {
        let start = Instant::now();
        let calls: Vec<_> = (0..20).map(|_| tokio::spawn(async move { talk(address, &get("/", "")).await })).collect();
        for call in calls {
            call.await.unwrap();
        }
        // Side by side they take one latency, one after another twenty.
        assert!(start.elapsed() >= latency && start.elapsed() < latency * 10, "{:?}", start.elapsed());
    })
    .await;
}

#[tokio::test]
async fn a_connection_is_used_again_and_bodies_are_read_through() {
    with_server(service(Duration::ZERO), Limits::default(), async |address| {
        let post = "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello";
        let answer = talk(address, &format!("{post}{post}{}", get("/", ""))).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 3, "{answer}");
        assert_eq!(answer.matches("request=3;").count(), 1, "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_body_past_the_bound_is_refused() {
    let limits = Limits { body_bytes: 10, ..Limits::default() };
    with_server(service(Duration::ZERO), limits, async |address| {
        let known = talk(address, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\nhello world").await;
        assert!(known.starts_with("HTTP/1.1 413 "), "{known}");
        let chunked = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n";
        let unknown = talk(address, chunked).await;
        assert!(unknown.starts_with("HTTP/1.1 413 "), "{unknown}");
    })
    .await;
}

#[tokio::test]
async fn a_silent_client_is_let_go_and_a_slow_answer_is_not() {
    let limits = Limits { head_time: Duration::from_millis(100), ..Limits::default() };
    with_server(service(Duration::from_millis(500)), limits, async |address| {
        assert_eq!(talk(address, "").await, "");
        assert_eq!(talk(address, "GET / HTTP/1.1\r\nhost: x\r\nx-half: a h").await, "");
        let answer = talk(address, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_stalls_in_its_body_is_let_go() {
    let limits = Limits { body_time: Duration::from_millis(100), ..Limits::default() };
    with_server(service(Duration::ZERO), limits, async |address| {
        let stalled = talk(address, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhal").await;
        assert!(stalled.starts_with("HTTP/1.1 408 ") && !stalled.contains("decision"), "{stalled}");
        let next = talk(address, &get("/", "")).await;
        assert_eq!(header(&next, "x-brownout-decision").unwrap().split(';').next(), Some("request=1"));
    })
    .await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_request_of_the_run() {
    with_server(service(Duration::ZERO), Limits::default(), async |address| {
        let chunks = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
        let broken = talk(address, chunks).await;
        assert!(broken.starts_with("HTTP/1.1 400 "), "{broken}");
        let next = talk(address, &get("/", "")).await;
        assert_eq!(header(&next, "x-brownout-decision").unwrap().split(';').next(), Some("request=1"));
    })
    .await;
}

#[tokio::test]
async fn a_head_past_the_bound_is_refused() {
    let limits = Limits { head_bytes: 8192, ..Limits::default() };
    with_server(service(Duration::ZERO), limits, async |address| {
        let answer = talk(address, &get("/", &format!("x-long: {}\r\n", "x".repeat(10_000)))).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_connection_past_the_bound_waits_for_a_place() {
    let limits = Limits { connections: 2, ..Limits::default() };
    with_server(service(Duration::ZERO), limits, async |address| {
        let first = TcpStream::connect(address).await.unwrap();
        let _second = TcpStream::connect(address).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let third = tokio::spawn(async move { talk(address, &get("/", "")).await });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!third.is_finished(), "the third connection was answered beside two others");
        drop(first);
        assert!(third.await.unwrap().starts_with("HTTP/1.1 "));
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_outlasts_the_drain_is_cut_off() {
    let limits = Limits { drain_time: Duration::from_millis(100), ..Limits::default() };
    let answer = with_server(service(Duration::from_secs(60)), limits, async |address| {
        let answer = tokio::spawn(async move { talk(address, &get("/", "")).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        Some(answer)
    })
    .await;
    assert_eq!(answer.unwrap().await.unwrap(), "");
}

#[tokio::test]
async fn an_answer_under_way_is_finished_when_the_server_ends() {
    let (asked, answer) = with_server(service(Duration::from_millis(300)), Limits::default(), async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let answer = tokio::spawn(async move {
            let mut text = String::new();
            stream.read_to_string(&mut text).await.unwrap();
            text
        });
        (Instant::now(), answer)
    })
    .await;
    assert!(asked.elapsed() < Duration::from_secs(5), "the drain waited past the answer");
    assert!(answer.await.unwrap().starts_with("HTTP/1.1 "));
}

/// Without the date, which is that of the moment.
fn undated(answer: &str) -> Vec<&str> {
    answer.lines().filter(|line| !line.starts_with("date: ")).collect()
}

#[tokio::test]
async fn over_a_stream_in_memory_the_same_comes_as_over_a_socket() {
    let asked = format!("{}{}", "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi", get("/b", ""));
    let expected = with_server(service(Duration::ZERO), Limits::default(), async |address| talk(address, &asked).await);
    let app = App::new(service(Duration::ZERO), Seed(42), None, Clock::start(Scale::ONE));
    let (mut near, far) = tokio::io::duplex(1 << 16);
    near.write_all(asked.as_bytes()).await.unwrap();
    converse_in_memory(far, false, Arc::new(app), Limits::default()).await;
    let mut found = String::new();
    near.read_to_string(&mut found).await.unwrap();
    assert_eq!(undated(&found), undated(&expected.await));
}

#[tokio::test]
async fn a_port_in_use_is_told_with_the_way_out() {
    let first = Server::bind(([127, 0, 0, 1], 0).into(), Limits::default()).await.unwrap();
    let second = Server::bind(first.address(), Limits::default()).await.unwrap_err();
    let message = second.to_string();
    assert!(message.contains(&first.address().to_string()) && message.contains("--port"), "{message}");
}
