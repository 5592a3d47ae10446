//! `load` against what does not answer, or not in HTTP: a line with the count and the reason, and always a report.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use crate::program::{PROGRAM, Run, Server, brownout};

/// A server that reads what comes on three connections, says this on each and, if it is to, hangs up; otherwise it waits for the
/// others to do so.
fn three(says: &'static [u8], hangs_up: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().take(3) {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(says);
            while !hangs_up && stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
        }
    });
    url
}

/// Holds that no call to `url` was answered, each for this reason, and that all of it is told.
#[track_caller]
fn check(url: &str, flags: &str, kind: &str, words: &str) {
    let Run { stdout, stderr, code } = brownout(&format!("load --url {url} --count 3 --seed 1 {flags}"));
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    assert!(stdout.starts_with("Load test: 3 requests\n"), "{stdout}");
    assert!(stdout.contains("Calls: 0 of 3 succeeded (0.0%)"), "{stdout}");
    let line = stdout.lines().find(|line| line.starts_with(&format!("  {kind}: 3, as in: ")));
    assert!(line.is_some_and(|line| line.contains(words)), "no `{kind}` with `{words}` in {stdout}");
    assert!(!stderr.contains("panic"), "{stderr}");
}

#[test]
fn what_is_no_answer_is_counted_and_named() {
    check("http://nobody.invalid", "", "resolve", "lookup");
    check(&three(b"", true), "", "closed", "closed");
    check(&three(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", true), "", "closed", "in the middle of its body");
    check(&three(b"I am no server of yours.\r\n\r\n", false), "", "protocol", "no HTTP/1.1 answer");
    check(&three(b"SSH-2.0-OpenSSH_9.2\r\n", true), "", "protocol", "no HTTP/1.1 answer");
    check(
        &three(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal", false),
        "--attempt-timeout 50ms",
        "timeout",
        "50ms",
    );
    check(&three(b"", false), "--attempt-timeout 50ms", "timeout", "no answer within 50ms");
    check(&three(b"I am no server of yours.\r\n\r\n", false).replace("http:", "https:"), "", "tls", "");
}

#[test]
fn tls_that_does_not_fit_is_named() {
    let server = Server::start("--seed 42 --success-rate 1 --tls");
    check(&server.url, "", "tls", "UnknownIssuer");
    let plain = server.url.replace("https:", "http:");
    let told = brownout(&format!("load --url {plain} --count 3 --seed 1"));
    assert_eq!(told.code, Some(1), "{told:?}");
    let insecure = brownout(&format!("load --url {} --insecure --count 3 --seed 1", server.url));
    assert!(insecure.stdout.contains("  200: 3\n") && insecure.stderr.contains("--insecure"), "{insecure:?}");
}

#[cfg(unix)]
#[test]
fn more_clients_than_descriptors_are_told_before_the_start_and_in_the_report() {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    std::fs::write(file.path(), "[service]\nlatency = \"200ms\"\n").unwrap();
    let server = Server::start(&format!("{} --seed 42", file.path().display()));
    let load = format!("load --url {} --concurrency 100 --count 200 --seed 1", server.url);
    let bounded = format!("ulimit -Sn 64; ulimit -Hn 64; exec {PROGRAM} {load}");
    let output = Command::new("sh").args(["-c", &bounded]).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(98), "{stdout}{stderr}");
    let told = stderr.lines().find(|line| line.starts_with("warning: 100 clients"));
    let told = told.unwrap_or_else(|| panic!("{stderr}"));
    assert!(told.contains("64 files open") && told.contains("ulimit -Hn"), "{told}");
    assert!(stdout.starts_with("Load test: 200 requests\n"), "{stdout}");
    assert!(stdout.contains("as in: connect to 127.0.0.1") && stdout.contains("Too many open files"), "{stdout}");
    assert!(stdout.contains("Generator saturated, do not trust p99"), "{stdout}");
    let enough = brownout(&format!("load --url {} --concurrency 4 --count 4 --seed 1", server.url));
    assert!(enough.code == Some(0) && !enough.stderr.contains("warning"), "{enough:?}");
}
