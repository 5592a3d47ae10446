//! What calls ask for, where they differ in that: in virtual time, over sockets, and as somebody else's server hears it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use brownout_draw::Seed;
use brownout_scenario::Scenario;
use serde_json::json;

use crate::limits::scenario;
use crate::program::{Server, brownout};

const MIX: &str = r#"
seed = 5

[[load.requests]]
weight  = 3
request = "GET /users/{user}/orders?page={page}"
headers = { x-tenant = "{tenant}" }

[[load.requests]]
request = "POST /orders"
body    = '{"user": "{user}", "note": "ü"}'
headers = { x-tenant = "of {tenant}" }
idempotency_key = true

[load.values]
user   = ["alice", "bob/2", "carol"]
page   = { from = 1, to = 50 }
tenant = ["north", "south"]
"#;

/// What a server heard.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Heard {
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// A server that answers every first attempt with 500 and every other with 200, and what it hears.
fn somebody() -> (String, mpsc::Receiver<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, heard) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut line = || {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                line.trim_end().to_owned()
            };
            let first = line();
            let mut headers = BTreeMap::new();
            while let Some((name, value)) = line().split_once(": ") {
                headers.insert(name.to_ascii_lowercase(), value.to_owned());
            }
            let mut body = vec![0; headers.get("content-length").map_or(0, |length| length.parse().unwrap())];
            stream.read_exact(&mut body).unwrap();
            let status = if headers["x-brownout-attempt"] == "1" { "500 Not Yet" } else { "200 OK" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            if tell.send(Heard { line: first, headers, body: String::from_utf8(body).unwrap() }).is_err() {
                return;
            }
        }
    });
    (url, heard)
}

#[test]
fn what_is_drawn_is_what_is_sent_and_sent_again() {
    let text = format!("{MIX}[policy]\nmax_retries = 1\nbase_delay = 0\n");
    let file = scenario(&text);
    let (url, heard) = somebody();
    let load = brownout(&format!("load {} --count 40 --url {url} --json", file.path().display())).json();
    assert_eq!(load["by_status"], json!({ "200": 40, "500": 40 }));
    let carried = Scenario::parse("mix.toml", &text).unwrap().load.carried;
    let mut methods = BTreeMap::new();
    for heard in heard.iter().take(80) {
        let call: u64 = heard.headers["x-brownout-request"].parse().unwrap();
        let drawn = carried.drawn(Seed(5), call).unwrap();
        let line = drawn.line();
        assert_eq!(heard.line, format!("{} {} HTTP/1.1", line.method, line.path));
        assert_eq!(heard.body, drawn.body().unwrap_or_default());
        for (name, value) in drawn.headers() {
            assert_eq!(heard.headers[name], value, "{heard:?}");
        }
        let key = (line.method == "POST").then(|| format!("brownout-5-{call}"));
        assert_eq!(heard.headers.get("idempotency-key"), key.as_ref());
        assert_eq!(heard.headers.contains_key("content-length"), line.method == "POST");
        *methods.entry(line.method).or_insert(0) += 1;
    }
    assert!(methods["GET"] > methods["POST"] && methods["POST"] >= 2, "{methods:?}");
}

#[test]
fn virtual_time_and_http_meet_the_same_on_every_route() {
    let service = r#"
[service.outcomes]
status = [{ rate = 0.1, code = 503 }]
[[service.routes]]
match    = "GET /users/bob%2F2/orders"
outcomes = { error = 0.4 }
[[service.routes]]
match    = "POST /orders"
outcomes = { status = [{ rate = 0.5, code = 409 }] }
[service.rate_limit]
fixed_window = { count = 90, window = "1h" }
key          = "header:x-tenant"
"#;
    let file = scenario(&format!("{MIX}{service}"));
    let file = file.path().display();
    let of = |load: serde_json::Value| (load["by_status"].clone(), load["limits"].clone());
    let (virtual_time, limits) = of(brownout(&format!("load {file} --count 400 --json")).json());
    let server = Server::start(&format!("{file}"));
    let (http, _) = of(brownout(&format!("load {file} --count 400 --url {} --json", server.url)).json());
    assert_eq!(http, virtual_time);
    // All that can happen has happened: on either route, on none, and at the limit, whose keys are north, south and of either.
    let statuses: Vec<_> = virtual_time.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(statuses, ["200", "409", "429", "500", "503"]);
    // Of 300 calls with a GET, half are of each tenant, so about 120 of them are too many; those with a POST are too few for that.
    let refused = limits["limits"][0]["refused"].as_u64().unwrap();
    assert!(refused.abs_diff(120) < 45, "{limits}");
    let other = brownout(&format!("load {file} --count 400 --seed 6 --json")).json();
    assert_ne!(other["by_status"], virtual_time);
}

#[test]
fn one_call_explained_is_the_one_that_was_made() {
    let service = "[[service.routes]]\nmatch = \"POST /orders\"\noutcomes = { error = 1.0 }\n";
    let text = format!("{MIX}{service}");
    let (file, carried) = (scenario(&text), Scenario::parse("mix.toml", &text).unwrap().load.carried);
    let post = (1..).find(|call| carried.drawn(Seed(5), *call).unwrap().line().method == "POST").unwrap();
    let explained = brownout(&format!("explain {} {post}", file.path().display()));
    assert!(
        explained.stdout.contains("route `POST /orders`") && explained.stdout.contains("meets: error"),
        "{explained:?}"
    );
    let named = brownout(&format!("load {} --path /orders --method POST --count 3", file.path().display()));
    assert!(named.stdout.contains("500: 3"), "{named:?}");
    let check = brownout(&format!("check {}", file.path().display()));
    assert!(check.stdout.contains("100 × GET /users/alice/orders?page=1 or another of 2 kinds"), "{check:?}");
}

#[test]
fn flags_give_a_header_and_a_body() {
    let (url, heard) = somebody();
    let file = scenario(r#"{"a": 1}"#);
    let run = |flags: &[&str]| {
        let arguments = [&["request", "--url", &url, "--method", "POST"], flags].concat();
        let run = crate::program::brownout_in(&crate::program::repository(), &arguments);
        assert_eq!(run.code, Some(0), "{run:?}");
        let Heard { headers, body, .. } = heard.recv().unwrap();
        (headers.get("content-type").cloned(), headers.get("x-a").cloned(), body)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        run(&["--body", "plain", "--header", "X-A: b: c"]),
        (some("text/plain"), some("b: c"), "plain".to_owned())
    );
    let from_file = format!("@{}", file.path().display());
    assert_eq!(run(&["--body", &from_file]), (some("application/json"), None, r#"{"a": 1}"#.to_owned()));
    assert_eq!(run(&["--body", "1", "--header", "content-type: a/b"]).0, some("a/b"));
    brownout("request --header a:b").refused(&["--url"]);
    let refused = |flags: &str| brownout(&format!("request --url {url} {flags}"));
    refused("--header a").refused(&["a name, a colon and a value, found `a`"]);
    refused("--header host:b").refused(&["`host` tells how a request is sent"]);
    refused("--body @nothing.txt").refused(&["--body @nothing.txt: No such file"]);
}
