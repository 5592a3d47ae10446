//! The bounds of `serve`, met from outside.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::admin::soon;
use crate::http::{curl, curl_is_there};
use crate::program::Server;

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn admin(server: &Server, target: &str) -> Value {
    let url = format!("{}{target}", server.admin.as_ref().unwrap());
    serde_json::from_str(&curl(&[&url])).unwrap()
}

/// What comes back until the server closes.
fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_body_too_large_is_told_so_whether_its_sender_waits_or_not() {
    if !curl_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    // Curl waits for a word before it sends a body of more than a megabyte, if it is not told not to.
    std::fs::write(&file, vec![b'x'; 2 << 20]).unwrap();
    let body = format!("@{}", file.display());
    let server = Server::start("--seed 42 --admin 0");
    for expect in ["expect: 100-continue", "expect:"] {
        let arguments =
            ["--output", "/dev/null", "--write-out", "%{http_code}", "--header", expect, "--data-binary", &body];
        assert_eq!(curl(&[&arguments[..], &[&server.url]].concat()), "413", "{expect}");
    }
    let counters = admin(&server, "/counters");
    assert_eq!((&counters["refused"]["the body is too large"], &counters["requests"]), (&2.into(), &0.into()));
}

#[test]
fn a_head_that_comes_drop_by_drop_is_let_go() {
    let server = Server::start("--seed 42 --head-time 400ms --max-head 8KiB");
    let mut slow = connect(&server);
    slow.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").unwrap();
    let mut sent = 0;
    // It is let go between once and twice the time; who sends on then finds nobody there.
    while slow.write_all(b"x").is_ok() {
        std::thread::sleep(Duration::from_millis(20));
        sent += 1;
        assert!(sent < 500, "nobody minds");
    }
    let mut long = connect(&server);
    let _ = long.write_all(format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(20_000)).as_bytes());
    assert!(rest(long).starts_with("HTTP/1.1 431 "));
}

#[test]
fn nobody_is_held_for_ever() {
    if !curl_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slow.toml");
    std::fs::write(&file, "[service]\nlatency = \"1h\"\n").unwrap();
    let server = Server::start(&format!("{} --answer-time 200ms --admin 0", file.display()));
    assert_eq!(curl(&["--output", "/dev/null", "--write-out", "%{http_code}", &server.url]), "503");
    assert_eq!(admin(&server, "/counters")["by_outcome"]["held_too_long"], 1);
}

/// What is sent as no client should: an answer or a clean end, and nobody else is disturbed.
#[test]
fn malformed_requests_disturb_nobody() {
    let server = Server::start("--seed 42 --success-rate 1 --max-body 1KiB");
    let good = "GET /good HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    for bad in [
        "\r\n\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nhost x\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nabc",
        "\u{16}\u{3}\u{1}\u{2}\u{0}",
        "GET /%zz%00%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET http://x:99999/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "BREW /pot HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nx-brownout-request: \u{7f}\u{1}\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nx-brownout-attempt: 99999999999999\r\nconnection: close\r\n\r\n",
    ] {
        let mut stream = connect(&server);
        stream.write_all(bad.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = rest(stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1."), "{bad:?}: {answer}");
        let mut stream = connect(&server);
        stream.write_all(good.as_bytes()).unwrap();
        assert!(rest(stream).starts_with("HTTP/1.1 200 "), "after {bad:?}");
    }
    // Three requests at once on one connection are answered in turn.
    let mut stream = connect(&server);
    stream.write_all(format!("{}{good}", "GET /a HTTP/1.1\r\nhost: x\r\n\r\n".repeat(2)).as_bytes()).unwrap();
    assert_eq!(rest(stream).matches("HTTP/1.1 200 ").count(), 3);
    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0));
}

/// Ten thousand connections that say nothing: they cost little, keep nobody out, and are forgotten when they go.
#[test]
#[cfg(target_os = "linux")]
fn ten_thousand_idle_connections_are_held() {
    if !curl_is_there() {
        return;
    }
    const IDLE: u64 = 10_000;
    if rlimit::increase_nofile_limit(u64::MAX).unwrap_or(0) < IDLE + 500 {
        // Nothing can be opened that the system forbids; CI lets as many.
        assert!(std::env::var_os("CI").is_none(), "the limit of open files is too low");
        return;
    }
    let server = Server::start("--seed 42 --success-rate 1 --max-connections 11000 --admin 0");
    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = memory();
    let open = || admin(&server, "/status")["services"][0]["connections_open"].as_u64().unwrap();
    let mut idle = Vec::new();
    while (idle.len() as u64) < IDLE {
        // So many as the system lets wait to be accepted.
        idle.extend((0..500).map(|_| connect(&server)));
        soon("a batch of them", || open() >= idle.len() as u64);
    }
    assert_eq!(curl(&["--output", "/dev/null", "--write-out", "%{http_code}", &server.url]), "200");
    let each = (memory() - before) * 1024 / IDLE;
    assert!(each < 24 << 10, "{each} bytes each");
    drop(idle);
    soon("the end of all of them", || open() == 0);
}

/// A bound on connections makes others wait; it does not turn them away.
#[test]
fn one_connection_too_many_waits() {
    let server = Server::start("--seed 42 --success-rate 1 --max-connections 1");
    let first = connect(&server);
    let mut second = connect(&server);
    second.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    second.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(second.read(&mut [0]).is_err(), "it was let in beside the first");
    drop(first);
    second.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(rest(second).starts_with("HTTP/1.1 200 "));
}
