//! HTTP/2 and HTTPS, met by curl, and by brownout's own client.

use std::process::{Command, Output};

use crate::http::curl_is_there;
use crate::limits::scenario;
use crate::program::{Server, brownout};

/// Whether there is a `curl` that speaks HTTP/2; where there must be (on CI), its absence is a failure.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn curl_speaks_http2() -> bool {
    if !curl_is_there() {
        return false;
    }
    let version = Command::new("curl").arg("--version").output().unwrap();
    let speaks = String::from_utf8_lossy(&version.stdout).contains("HTTP2");
    assert!(speaks || std::env::var_os("CI").is_none(), "curl speaks no HTTP/2, which CI must have");
    if !speaks {
        eprintln!("skipped: curl speaks no HTTP/2");
    }
    speaks
}

/// What curl ends with, and what it says: the status, the version of HTTP, and its error.
fn curl(arguments: &[&str], url: &str) -> (Option<i32>, String) {
    let told = ["--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_code} %{http_version} "];
    let Output { status, stdout, stderr } =
        Command::new("curl").args(told).args(["--max-time", "1"]).args(arguments).arg(url).output().unwrap();
    let said = [stdout, stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (status.code(), said)
}

/// How versions of curl end where a connection breaks: 16, a problem of the framing; 18, less than was promised; 52, nothing at
/// all; 55 and 56, broken while sending and while reading; 92, a stream that did not end cleanly.
const BROKEN: &[i32] = &[16, 18, 52, 55, 56, 92];
const NOT_CLEANLY: &[i32] = &[92];
const IN_TIME: &[i32] = &[0];

/// Routes, each with one fault that always comes; what curl may end with, and a part of what it says.
const FAULTS: [(&str, &str, &[i32], &str); 16] = [
    ("reset", "connection_reset = 1", &[55, 56], "Connection reset by peer"),
    ("reset-head", "connection_reset = { rate = 1, at = \"head\" }", &[55, 56], "Connection reset by peer"),
    ("empty", "empty_response = 1", BROKEN, ""),
    ("chunk", "malformed_chunk = 1", BROKEN, ""),
    ("garbage", "garbage_then_close = 1", BROKEN, ""),
    ("truncate", "truncate = { rate = 1, bytes = 1000 }", NOT_CLEANLY, "PROTOCOL_ERROR (err 1)"),
    ("dribble", "dribble = { rate = 1, every = \"5ms\" }", IN_TIME, "200 2 "),
    ("hang", "hang = 1", &[28], "timed out"),
    ("hang-bounded", "hang = { rate = 1, for = \"100ms\" }", NOT_CLEANLY, "INTERNAL_ERROR (err 2)"),
    ("slow-close", "slow_close = { rate = 1, for = \"100ms\" }", IN_TIME, "200 2 "),
    ("lost", "lost_reply = 1", NOT_CLEANLY, "INTERNAL_ERROR (err 2)"),
    ("stream", "stream_break = { rate = 1, every = \"5ms\" }", NOT_CLEANLY, "INTERNAL_ERROR (err 2)"),
    ("rst-stream", "rst_stream = 1", NOT_CLEANLY, "INTERNAL_ERROR (err 2)"),
    (
        "rst-stream-head",
        "rst_stream = { rate = 1, at = \"head\", code = \"CANCEL\" }",
        NOT_CLEANLY,
        "not closed cleanly: CANCEL (err 8)",
    ),
    ("goaway", "goaway = 1", BROKEN, ""),
    ("status", "status = [{ rate = 1, code = 529 }]", IN_TIME, "529 2 "),
];

#[test]
fn curl_says_of_each_fault_what_it_is_over_http2() {
    if !curl_speaks_http2() {
        return;
    }
    let routes = FAULTS.map(|(path, outcomes, ..)| {
        format!("[[service.routes]]\nmatch = \"/{path}\"\n[service.routes.outcomes]\n{outcomes}\n")
    });
    let file = scenario(&routes.concat());
    let server = Server::start(&format!("{} --seed 1", file.path().display()));
    assert_eq!(curl(&["--http2-prior-knowledge"], &server.url), (Some(0), "200 2 ".to_owned()));
    for (path, outcomes, codes, words) in FAULTS {
        let (code, said) = curl(&["--http2-prior-knowledge"], &format!("{}/{path}", server.url));
        assert!(code.is_some_and(|code| codes.contains(&code)) && said.contains(words), "{outcomes}: {code:?} {said}");
    }
}

/// A stream that is refused may be tried again, so curl does, by itself: one call, six requests.
#[test]
fn curl_tries_a_refused_stream_again() {
    if !curl_speaks_http2() {
        return;
    }
    let file = scenario("[service.outcomes]\nrefused_stream = 1\n");
    let server = Server::start(&format!("{} --seed 1", file.path().display()));
    let (code, said) = curl(&["--http2-prior-knowledge"], &server.url);
    assert_ne!(code, Some(0), "{said}");
    server.signal("TERM");
    let (_, said) = server.wait();
    let requests: u32 = said.rsplit(' ').next().unwrap().trim().parse().unwrap();
    assert!(requests > 1, "{said}");
}

#[test]
fn curl_and_our_own_client_trust_what_is_written_and_nothing_else() {
    if !curl_speaks_http2() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("certificates/ca.pem");
    let trusted = trusted.to_str().unwrap();
    let server = Server::start(&format!("--seed 42 --success-rate 1 --tls --tls-cert-out {trusted}"));
    let url = &server.url;
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    assert_eq!(curl(&["--cacert", trusted], url), (Some(0), "200 2 ".to_owned()));
    assert_eq!(curl(&["--cacert", trusted, "--http1.1"], url), (Some(0), "200 1.1 ".to_owned()));
    let localhost = url.replace("127.0.0.1", "localhost");
    assert_eq!(curl(&["--cacert", trusted], &localhost), (Some(0), "200 2 ".to_owned()));
    let (code, said) = curl(&[], url);
    assert_eq!(code, Some(60), "{said}");
    let own = brownout(&format!("request --url {url} --cacert {trusted}"));
    assert_eq!((own.code, &own.json()["status_code"]), (Some(0), &200.into()), "{own:?}");
    let load = brownout(&format!("load --url {url} --cacert {trusted} --count 20 --concurrency 20 --seed 1"));
    assert!(load.stdout.starts_with("Load test: 20 requests\n  200: 20\n"), "{load:?}");
}

/// A service of two, the first over HTTPS: the one behind stays on HTTP, and is called.
#[test]
fn services_behind_stay_on_plain_http() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("ca.pem");
    let trusted = trusted.display();
    let file = scenario("[service]\ncalls = [{ to = \"db\" }]\n[services.db]\n");
    let server = Server::start(&format!("{} --seed 1 --tls --tls-cert-out {trusted}", file.path().display()));
    let [(name, behind)] = &server.behind[..] else { panic!("{server:?}") };
    assert!(name == "db" && behind.starts_with("http://"), "{behind}");
    let answer = brownout(&format!("request --url {} --cacert {trusted}", server.url));
    assert_eq!(answer.json()["status_code"], 200, "{answer:?}");
    server.signal("TERM");
    let (_, said) = server.wait();
    assert!(said.contains("Behind, db: 1 attempt for 1 call, 100.0% succeeded"), "{said}");
}

#[test]
fn certificates_and_keys_that_cannot_be_are_refused_with_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("text"), "hello").unwrap();
    let text = path("text");
    brownout(&format!("serve --tls-cert {} --tls-key {text}", path("none"))).refused(&[
        "failed to read --tls-cert",
        &path("none"),
        "No such file",
    ]);
    brownout(&format!("serve --tls-cert {text} --tls-key {text}"))
        .refused(&[&format!("--tls-cert {text}: expected certificates in PEM form, found none")]);
    brownout(&format!("serve --tls-cert {text}")).refused(&["--tls-key <FILE>"]);
    brownout(&format!("serve --tls-cert-out {text}")).refused(&["--tls"]);
}
