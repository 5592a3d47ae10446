//! The live page and its events, as any client of the API has them.

use std::net::SocketAddr;
use std::time::Duration;

use brownout_serve::JournalBounds;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{World, raw, world};

/// A stream of events.
struct Stream {
    socket: TcpStream,
    read: String,
}

impl Stream {
    async fn open(admin: SocketAddr, target: &str) -> Self {
        let mut socket = TcpStream::connect(admin).await.unwrap();
        socket.write_all(format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await.unwrap();
        let mut stream = Self { socket, read: String::new() };
        while !stream.read.contains("\r\n\r\n") {
            stream.more().await;
        }
        stream
    }

    async fn more(&mut self) {
        let mut bytes = [0; 65_536];
        let read = tokio::time::timeout(Duration::from_secs(20), self.socket.read(&mut bytes)).await;
        let read = read.expect("more in time").unwrap();
        assert!(read > 0, "the stream has ended: {}", self.read);
        self.read.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }

    fn head(&self) -> &str {
        self.read.split("\r\n\r\n").next().unwrap()
    }

    /// The next event; chunks of the wire are left out.
    async fn event(&mut self) -> Value {
        loop {
            if let Some(begin) = self.read.find("data: ")
                && let Some(length) = self.read[begin..].find("\n\n")
            {
                let event = self.read[begin + 6..begin + length].to_owned();
                self.read.drain(..begin + length);
                return serde_json::from_str(&event).unwrap();
            }
            self.more().await;
        }
    }
}

async fn head(world: &World, path: &str, headers: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(world.admin).await.unwrap();
    let text = format!("GET {path} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n");
    socket.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let head = answer.split("\r\n\r\n").next().unwrap().to_owned();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head)
}

#[tokio::test]
async fn an_event_is_all_there_is_to_know_and_another_follows() {
    let world = world(Some(JournalBounds::default())).await;
    let mut stream = Stream::open(world.admin, "/events").await;
    assert!(stream.head().contains("content-type: text/event-stream"), "{}", stream.head());
    let first = stream.event().await;
    assert_eq!(
        (&first["name"], &first["seed"], &first["lately"]["requests"]),
        (&json!("service"), &json!(42), &json!(0))
    );
    for _ in 0..3 {
        assert_eq!(world.call("/slow", "x-brownout-client: 7\r\n").await, 200);
    }
    // As many as there were, in one event or another.
    let mut events = Vec::new();
    while events.last().is_none_or(|event: &Value| event["lately"]["requests"] != 3) {
        events.push(stream.event().await);
        assert!(events.len() < 8, "{events:?}");
    }
    let last = events.last().unwrap();
    assert_eq!((&last["lately"]["well"], &last["lately"]["by_outcome"]), (&json!(3), &json!({ "success": 3 })));
    assert_eq!(last["holding"]["outcomes"], json!({ "success": 1.0 }));
    assert_eq!(last["clients"]["clients"][0]["client"], "client 7");
    assert_eq!(last["journal"].as_array().unwrap().len(), 3);
    assert!(last["course"].as_array().unwrap().len() > 1 || last["time_s"].as_f64() < Some(2.5), "{last}");
    let names: Value = last["timeline"].as_array().unwrap().iter().map(|phase| phase["name"].clone()).collect();
    assert_eq!((&names, &last["known_phases"]), (&json!(["outage", "for ever"]), &names));
}

#[tokio::test]
async fn there_is_room_for_some_who_look_on() {
    let world = world(None).await;
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(Stream::open(world.admin, "/events").await);
    }
    let (status, refusal) = world.ask("GET", "/events", "").await;
    assert!(status == 503 && refusal["error"].as_str().unwrap().contains("16 look on"), "{refusal}");
    assert_eq!(world.get("/status").await["seed"], 42);
    open.pop();
    let mut tries = 0;
    while Stream::open(world.admin, "/events").await.head().starts_with("HTTP/1.1 503") {
        tries += 1;
        assert!(tries < 200, "the place of who is gone is not free again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(world.ask("GET", "/events?service=db", "").await.0, 404);
}

#[tokio::test]
async fn the_page_is_kept_from_others_as_the_api_is() {
    let world = world(None).await;
    let (status, answer) = head(&world, "/live", "host: localhost\r\n").await;
    assert_eq!(status, 200);
    let policy = answer.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(answer.contains("x-content-type-options: nosniff"), "{answer}");
    for name in ["style.css", "page.js"] {
        assert_eq!(head(&world, &format!("/live/{name}"), "host: localhost\r\n").await.0, 200, "{name}");
    }
    assert_eq!(head(&world, "/live/../status", "host: localhost\r\n").await.0, 404);
    assert_eq!(head(&world, "/live", "host: rebound.test\r\n").await.0, 403);
    for path in ["/live", "/events"] {
        assert_eq!(head(&world, path, "host: localhost\r\nsec-fetch-site: cross-site\r\n").await.0, 403, "{path}");
        assert_eq!(head(&world, path, "host: localhost\r\norigin: http://evil.test\r\n").await.0, 403, "{path}");
    }
    assert_eq!(world.ask("POST", "/live", "").await.0, 405);
    // Nothing changes by asking.
    for target in ["/outcomes/error?rate=1&for=1h", "/phases/outage/begin", "/reset", "/changes/1"] {
        assert_eq!(world.ask("GET", target, "").await.0, 405, "{target}");
    }
}

#[tokio::test]
async fn a_rate_is_changed_for_a_time_and_the_others_stay() {
    let world = world(None).await;
    let (status, changed) = world.ask("POST", "/outcomes/error?rate=100%25&for=1h", "").await;
    assert_eq!((status, &changed["phase"]), (201, &json!("rate of error")), "{changed}");
    assert_eq!(changed["before"]["outcomes"], json!({ "success": 1.0 }));
    assert_eq!(changed["after"]["outcomes"], json!({ "error": 1.0 }));
    assert_eq!(world.call("/", "").await, 500);
    let (_, undone) = world.ask("DELETE", "/changes/1", "").await;
    assert_eq!((&undone["before"], &undone["after"]), (&changed["after"], &changed["before"]));
    assert_eq!(world.call("/", "").await, 200);

    assert_eq!(world.ask("POST", "/outcomes/error?rate=0.5&for=1h", "").await.0, 201);
    let (_, more) = world.ask("POST", "/outcomes/rate_limit?rate=0.25&for=1h", "").await;
    assert_eq!(more["after"]["outcomes"], json!({ "error": 0.5, "rate_limit": 0.25, "success": 0.25 }));
    for (target, status, words) in [
        ("/outcomes/gateway_timeout?rate=0.5&for=1h", 409, "at most 1"),
        ("/outcomes/erorr?rate=0.5&for=1h", 404, "there are: success, error, rate_limit"),
        ("/outcomes/error?rate=5&for=1h", 400, "from 0 to 1"),
        ("/outcomes/error?rate=0.5", 400, "`for` is missing"),
        ("/outcomes/error?rate=0.5&for=25h", 400, "up to a day"),
        ("/outcomes/error?rate=0.5&for=0s", 400, "some time at least"),
    ] {
        let (found, answer) = world.ask("POST", target, "").await;
        let why = answer["error"].as_str().unwrap_or_default();
        assert!(found == status && why.contains(words), "{target}: {found} {answer}");
    }
    assert_eq!(world.get("/changes").await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn clients_are_told_by_what_they_say_else_by_their_address() {
    let world = world(Some(JournalBounds::default())).await;
    for _ in 0..5 {
        world.call("/limited", "x-brownout-client: 7\r\n").await;
    }
    world.call("/", "").await;
    let clients = world.get("/clients").await;
    assert_eq!((&clients["answers"], &clients["others"]), (&json!(6), &json!(0)));
    let first = &clients["clients"][0];
    assert_eq!(
        (&first["client"], &first["answers"], &first["well"], &first["refused"]),
        (&json!("client 7"), &json!(5), &json!(3), &json!(2))
    );
    assert_eq!((&clients["clients"][1]["client"], &first["came_back_early"]), (&json!("127.0.0.1"), &json!(1)));
    // Names are cut, and more clients than are named are counted.
    let long = "x".repeat(500);
    world.call("/", &format!("x-brownout-client: {long}\r\n")).await;
    for client in 100..130 {
        raw(
            world.service,
            &format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-brownout-client: {client}\r\n\r\n"),
        )
        .await;
    }
    let clients = world.get("/clients").await;
    assert_eq!((&clients["others"], &clients["others_answers"]), (&json!(21), &json!(21)));
    let journal = world.get("/journal").await;
    assert_eq!(journal["records"][6]["client"], format!("client {}", &long[..64]));
    assert_eq!(world.ask("GET", "/clients?within=x", "").await.0, 400);
}
