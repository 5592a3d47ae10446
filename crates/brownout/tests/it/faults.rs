//! Every fault, met by curl: its exit codes tell how an exchange broke.

use std::process::Command;

use crate::http::curl_is_there;
use crate::limits::scenario;
use crate::program::{Server, brownout};

/// Routes, each with one fault that always comes; what curl ends with, and a part of what it says.
///
/// 1: no HTTP. 18: less than was promised. 28: not in time. 52: nothing at all. 56: broken while reading.
const FAULTS: [(&str, &str, i32, &str); 20] = [
    ("reset", "connection_reset = 1", 56, "000 curl: (56) Recv failure: Connection reset by peer"),
    ("reset-head", "connection_reset = { rate = 1, at = \"head\" }", 56, "(56) Recv failure: Connection reset by peer"),
    ("reset-body", "connection_reset = { rate = 1, at = 20 }", 56, "200 curl: (56) Recv failure"),
    ("wiremock-reset", "CONNECTION_RESET_BY_PEER = 1", 56, "000 curl: (56) Recv failure: Connection reset by peer"),
    ("empty", "empty_response = 1", 52, "000 curl: (52) Empty reply from server"),
    ("chunk", "malformed_chunk = 1", 56, "200 curl: (56) "),
    ("garbage", "garbage_then_close = 1", 1, "000 curl: (1) Received HTTP/0.9 when not allowed"),
    ("truncate", "truncate = { rate = 1, bytes = 1000 }", 18, "200 curl: (18) "),
    ("dribble", "dribble = { rate = 1, every = \"5ms\" }", 0, "200 "),
    ("bandwidth", "bandwidth = { rate = 1, speed = \"64KiB/s\", size = \"1KiB\" }", 0, "200 "),
    ("hang", "hang = 1", 28, "000 curl: (28) "),
    ("hang-bounded", "hang = { rate = 1, for = \"100ms\" }", 52, "000 curl: (52) Empty reply from server"),
    ("slow-close", "slow_close = { rate = 1, for = \"100ms\" }", 0, "200 "),
    ("lost", "lost_reply = 1", 56, "000 curl: (56) Recv failure: Connection reset by peer"),
    ("stream", "stream_break = { rate = 1, every = \"5ms\" }", 18, "200 curl: (18) "),
    (
        "stream-reset",
        "stream_break = { rate = 1, every = \"5ms\", then = \"reset\" }",
        56,
        "200 curl: (56) Recv failure",
    ),
    ("rst-stream", "rst_stream = 1", 56, "000 curl: (56) Recv failure: Connection reset by peer"),
    ("goaway", "goaway = 1", 52, "000 curl: (52) Empty reply from server"),
    ("refused", "refused_stream = 1", 52, "000 curl: (52) Empty reply from server"),
    ("status", "status = [{ rate = 1, code = 529, headers = { retry-after = \"5\" } }]", 0, "529 "),
];

#[test]
fn curl_says_of_each_fault_what_it_is() {
    if !curl_is_there() {
        return;
    }
    let routes = FAULTS.map(|(path, outcomes, ..)| {
        format!("[[service.routes]]\nmatch = \"/{path}\"\n[service.routes.outcomes]\n{outcomes}\n")
    });
    let file = scenario(&routes.concat());
    let server = Server::start(&format!("{} --seed 1", file.path().display()));
    for (path, outcomes, code, words) in FAULTS {
        let curl = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--max-time",
                "1",
                "--output",
                "/dev/null",
                "--write-out",
                "%{http_code} ",
            ])
            .arg(format!("{}/{path}", server.url))
            .output()
            .unwrap();
        let said = [curl.stdout, curl.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert_eq!(curl.status.code(), Some(code), "{outcomes}: {said}");
        assert!(said.contains(words), "{outcomes}: {said}");
    }
}

/// What a file says of a fault is the same without a socket.
#[test]
fn a_load_in_virtual_time_counts_faults_by_what_callers_see() {
    let file = scenario(
        "[service.outcomes]\nconnection_reset = \"20%\"\ntruncate = \"20%\"\ngarbage_then_close = \"20%\"\nhang = \"20%\"\n\
         [load]\ncount = 1000\n[policy]\nmax_retries = 0\nattempt_timeout = \"1s\"\n",
    );
    let load = brownout(&format!("load {} --seed 1 --json", file.path().display()));
    let by_fault = &load.json()["by_fault"];
    for kind in ["reset", "closed", "protocol", "timeout"] {
        let count = by_fault[kind].as_u64().unwrap_or_default();
        assert!((150..250).contains(&count), "{kind}: {by_fault}");
    }
}

#[test]
fn faults_that_cannot_be_are_refused_at_their_place() {
    let file =
        scenario("[service.outcomes]\nhang = { rate = 1, for = \"2h\" }\nEMPTY_RESPONSE = 0.1\nempty_response = 0.1\n");
    let file = file.path().display();
    brownout(&format!("serve {file} --port 0")).refused(&[
        "a wait here is from 1ms to 1h, found 7200s; write one between them",
        &format!("{file}:2:8"),
        "`EMPTY_RESPONSE` is WireMock's name of `empty_response`, found both; drop one",
    ]);
}

#[test]
fn explain_says_what_callers_see_of_a_fault() {
    let file = scenario("[service.outcomes]\nhang = 1\n");
    let explain = brownout(&format!("explain {} 1 --seed 1", file.path().display()));
    assert!(explain.stdout.contains("  meets: hang, a connection that ends before the answer does\n"), "{explain:?}");
    let json = brownout(&format!("explain {} 1 --seed 1 --json", file.path().display())).json();
    assert!(json["status"].is_null(), "{json}");
    let file = scenario("[[phases]]\nname = \"restart\"\nrefuse = true\n");
    let explain = brownout(&format!("explain {} 1 --seed 1", file.path().display()));
    assert!(explain.stdout.contains("  meets: success, a connection that is refused\n"), "{explain:?}");
}
