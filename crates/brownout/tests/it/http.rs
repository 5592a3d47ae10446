//! The service over real sockets, met by real clients.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::program::{Server, brownout};

/// Whether `curl` is there; where it must be (on CI), its absence is a failure.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn curl_is_there() -> bool {
    let there = Command::new("curl").arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(there || std::env::var_os("CI").is_none(), "curl is missing, which CI must have");
    if !there {
        eprintln!("skipped: no curl");
    }
    there
}

pub(crate) fn curl(arguments: &[&str]) -> String {
    let output = Command::new("curl").args(["--silent", "--max-time", "20"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn curl_meets_what_virtual_time_foretells() {
    if !curl_is_there() {
        return;
    }
    let server = Server::start("--seed 42");
    for number in 1..=5 {
        let answer = curl(&["--include", "--request", "POST", &format!("{}/orders?x=1", server.url)]);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("x-brownout-decision: request={number};attempt=1;outcome=")), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        if number == 1 {
            // The first answer of this seed in virtual time is this one, latency and all.
            let foretold = brownout("request --seed 42 --method POST --path /orders?x=1").json();
            assert!(head.starts_with(&format!("HTTP/1.1 {} ", foretold["status_code"])), "{head}");
            assert!(head.contains(foretold["headers"]["x-brownout-decision"].as_str().unwrap()), "{head}");
            assert_eq!(body, r#"{"message": "OK", "path": "/orders", "method": "POST"}"#);
        }
    }
}

#[test]
fn curl_names_its_request_and_attempt() {
    if !curl_is_there() {
        return;
    }
    let server = Server::start("examples/payments.toml");
    let decision = |header: &str| curl(&["--include", "--header", header, &server.url]);
    assert!(decision("x-brownout-request: 17").contains("request=17;attempt=1;"));
    assert!(decision("x-brownout-request: 17").contains("request=17;attempt=2;"));
    assert!(decision("idempotency-key: 23").contains("request=23;attempt=1;"));
}

/// The counts of ten thousand calls: in virtual time, and over HTTP with eight in flight.
#[test]
fn ten_thousand_calls_over_http_count_as_virtual_time_does() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("quick.toml");
    std::fs::write(&scenario, "[service]\noutcomes = { error = 0.1, rate_limit = 0.05, gateway_timeout = 0.05 }\n")
        .unwrap();
    let scenario = scenario.display();
    let server = Server::start(&format!("{scenario} --seed 42"));
    let common = "--count 10000 --concurrency 8 --seed 42 --json";
    let foretold = brownout(&format!("load {scenario} {common}")).json();
    let met = brownout(&format!("load --url {} {common}", server.url)).json();
    assert_eq!(foretold["by_status"], met["by_status"]);
    assert_eq!(met["by_status"].as_object().unwrap().len(), 4, "the outcomes are not mixed");
    assert_eq!((&met["calls"], &met["attempts"]), (&foretold["calls"], &foretold["attempts"]));
}

#[test]
fn every_client_verb_speaks_to_a_url() {
    let server = Server::start("--seed 42 --success-rate 1");
    let url = &server.url;
    let answer = brownout(&format!("request --url {url}/hello --method PUT")).json();
    assert_eq!(answer["body"].to_string(), r#"{"message":"OK","method":"PUT","path":"/hello"}"#);
    let retry = brownout(&format!("retry --url {url} --seed 1"));
    assert!(retry.stdout.starts_with("Status: 200 after 1 attempt(s)\n"), "{retry:?}");
    let health = brownout(&format!("health --url {url}"));
    assert_eq!(
        (health.code, health.stdout.as_str()),
        (Some(0), "healthy: wanted 3 × 200 in a row, saw 200, 200, 200\n")
    );
    let load = brownout(&format!("load --url {url} --count 20 --concurrency 20 --seed 1"));
    assert!(load.stdout.starts_with("Load test: 20 requests\n  200: 20\n"), "{load:?}");
}

#[test]
fn nobody_there_is_told_by_every_client_verb() {
    let url = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let request = brownout(&format!("request --url {url}"));
    assert_eq!(request.code, Some(1));
    assert!(request.json()["error"].as_str().unwrap().contains("refused"), "{request:?}");
    let retry = brownout(&format!("retry --url {url} --seed 1 --max-retries 2"));
    assert!(retry.code == Some(1) && retry.stdout.starts_with("Status: none after 3 attempt(s)\n"), "{retry:?}");
    let health = brownout(&format!("health --url {url}"));
    assert!(health.code == Some(1) && health.stdout.contains("refused"), "{health:?}");
    let load = brownout(&format!("load --url {url} --count 3 --seed 1"));
    assert!(load.code == Some(1) && load.stdout.contains("\n  connect: 3, as in: connect to "), "{load:?}");
}

#[test]
fn urls_and_flags_that_do_not_go_together_are_refused() {
    brownout("request --url ftp://x").refused(&["http or https", "`ftp`"]);
    brownout("request --url localhost:80").refused(&["scheme and host", "localhost:80"]);
    brownout("load --url http://127.0.0.1:1 --failure-rate 0.5").refused(&["--failure-rate 0.5", "--url"]);
    brownout("request --path x").refused(&["begins with one `/`", "`x`"]);
    brownout("request --path /x#y").refused(&["`#`", "`/x#y`"]);
    brownout("request --url http://127.0.0.1:99999/").refused(&["0 to 65535", "127.0.0.1:99999"]);
    brownout("request --attempt-timeout 0").refused(&["longer than zero", "`0`"]);
    brownout("request --url https://x --cacert Cargo.toml").refused(&["--cacert Cargo.toml", "PEM"]);
}

#[test]
fn a_port_in_use_is_a_clear_error() {
    let server = Server::start("--seed 1");
    let port = server.url.rsplit(':').next().unwrap();
    let run = brownout(&format!("serve --seed 1 --port {port}"));
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("the port is in use") && run.stderr.contains("--port"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn a_signal_right_after_the_address_ends_it_cleanly() {
    for _ in 0..20 {
        let server = Server::start("--seed 42");
        server.signal("TERM");
        assert_eq!(server.wait().0, Some(0));
    }
}

#[cfg(unix)]
#[test]
fn a_load_that_is_ended_prints_what_it_has() {
    use std::process::Stdio;
    let server = Server::start("--seed 42");
    let mut command = Command::new(crate::program::PROGRAM);
    command.args(["load", "--url", &server.url, "--count", "100000", "--seed", "1"]);
    let load = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(Command::new("kill").args(["-s", "INT", &load.id().to_string()]).status().unwrap().success());
    let output = load.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("Load test: ") && text.contains(" never sent"), "{text}");
    assert!(text.contains("Cut short: ended by SIGINT; what stands above"), "{text}");
}

#[cfg(unix)]
#[test]
fn sigterm_and_ctrl_c_end_it_cleanly() {
    for signal in ["TERM", "INT"] {
        let server = Server::start("--seed 42 --success-rate 1");
        brownout(&format!("request --url {}", server.url));
        let asked = Instant::now();
        server.signal(signal);
        let (code, said) = server.wait();
        assert_eq!(code, Some(0), "{signal}");
        assert_eq!(said, "seed 42, scenario built-in\nrequests answered: 1\n");
        assert!(asked.elapsed() < Duration::from_secs(10));
    }
}
