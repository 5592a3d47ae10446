//! Limits, met by real clients: curl, which knows how to wait, and brownout itself.

use std::process::Command;

use crate::http::curl_is_there;
use crate::program::{Server, brownout};

/// A scenario in a file of its own.
pub(crate) fn scenario(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn curl_waits_as_long_as_it_is_told() {
    if !curl_is_there() {
        return;
    }
    let file =
        scenario("[service.rate_limit]\ntoken_bucket = { rate = \"1/s\", burst = 1 }\nheaders = \"ratelimit\"\n");
    let server = Server::start(&format!("{} --seed 1", file.path().display()));
    let curl = |arguments: &[&str]| {
        let output =
            Command::new("curl").args(["--silent", "--max-time", "30"]).args(arguments).arg(&server.url).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    assert!(curl(&["--include"]).starts_with("HTTP/1.1 200 OK\r\n"));
    // The first answer is a refusal that asks for a second; the next one comes after it, and gets through.
    let both = curl(&["--include", "--retry", "2"]);
    assert!(both.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{both}");
    assert!(both.contains("\r\nretry-after: 1\r\n") && both.contains("HTTP/1.1 200 OK\r\n"), "{both}");
    assert!(both.contains("\r\nratelimit-policy: \"token_bucket\";q=1;w=1\r\n"), "{both}");
    assert!(both.contains("\r\nratelimit: \"token_bucket\";r=0;t=1\r\n"), "{both}");
}

#[cfg(unix)]
#[test]
fn serve_says_at_its_end_what_its_limits_did() {
    let file = scenario(
        "[service.rate_limit]\nfixed_window = { count = 2, window = \"1h\" }\nkey = \"client\"\n\
         [policy]\nmax_retries = 1\nretry_after = false\nbase_delay = 0\n",
    );
    let file = file.path().display();
    let server = Server::start(&format!("{file} --seed 1"));
    let load = brownout(&format!("load {file} --url {} --count 4 --seed 1", server.url));
    assert!(load.stdout.contains("  200: 2\n  429: 4\n"), "{load:?}");
    server.signal("TERM");
    let (code, said) = server.wait();
    assert_eq!(code, Some(0));
    let limit = "Limit fixed_window: 4 of 6 attempts refused (66.7%)\n";
    let early = "  came back before Retry-After: 2 retries, and 1 new call of clients that were to wait; 1 client: client 0 (3)\n";
    assert!(said.ends_with(&format!("requests answered: 6\n{limit}{early}")), "{said}");
}

/// One caller after another meets the same refusals in virtual time and over HTTP, at whatever moment it comes.
#[test]
fn virtual_time_and_http_refuse_the_same() {
    let file = scenario(
        "[service.rate_limit]\nfixed_window = { count = 3000, window = \"8000h\" }\ncost = { uniform = { min = 10, max = 50 } }\n\
         status = 403\nretry_after = \"none\"\n[policy]\nmax_retries = 1\nbase_delay = 0\nretry_on = [403]\n",
    );
    let server = Server::start(&format!("{} --seed 42", file.path().display()));
    let common = "--count 200 --seed 42 --json";
    let load = format!("load {} {common}", file.path().display());
    let (foretold, met) = (brownout(&load).json(), brownout(&format!("{load} --url {}", server.url)).json());
    assert_eq!(foretold["by_status"], met["by_status"]);
    assert_eq!((&foretold["calls"], &foretold["attempts"]), (&met["calls"], &met["attempts"]));
    // A hundred requests of thirty units on the mean, and a few small ones when little is left.
    let well = foretold["by_status"]["200"].as_u64().unwrap();
    assert!((90..=115).contains(&well), "{well}");
}

/// A place is held while the services behind are at work: with one place and 490 ms there, every fifth of ten a second gets it.
#[test]
fn a_place_is_held_while_services_behind_are_called() {
    let file = scenario(
        "[service]\ncalls = [\"db\"]\nrate_limit = { concurrency = 1 }\n[services.db]\nlatency = \"490ms\"\n\
         [load]\nduration = \"10s\"\narrivals = { constant = \"10/s\" }\n",
    );
    let result = brownout(&format!("load {} --seed 1 --json", file.path().display())).json();
    assert_eq!(result["by_status"], serde_json::json!({ "200": 20, "429": 80 }));
    assert_eq!(
        result["limits"]["limits"][0],
        serde_json::json!({ "name": "concurrency", "asked": 100, "refused": 80 })
    );
}
