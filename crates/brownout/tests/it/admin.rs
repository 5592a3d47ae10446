//! A service that is watched and changed while it runs, by programs that are not ours.

use std::time::Duration;

use serde_json::Value;

use crate::http::{curl, curl_is_there};
use crate::program::{Server, brownout, brownout_in, repository};

/// What the admin API of `server` answers at `target`.
fn asked(server: &Server, arguments: &[&str], target: &str) -> Value {
    let url = format!("{}{target}", server.admin.as_ref().unwrap());
    let answer = curl(&[arguments, &[&url]].concat());
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

fn status_of(url: &str) -> String {
    curl(&["--output", "/dev/null", "--write-out", "%{http_code}", url])
}

/// Waits for what comes soon.
#[track_caller]
pub(crate) fn soon(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..400 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("{what} did not come");
}

#[test]
fn curl_watches_changes_and_explains() {
    if !curl_is_there() {
        return;
    }
    let server = Server::start("--seed 42 --success-rate 1 --admin 0 --time-scale 1000");
    assert_eq!(status_of(&server.url), "200");
    let change = r#"{"for": "20h", "name": "mine", "outcomes": {"error": "100%"}}"#;
    let begun = asked(&server, &["--json", change], "/changes");
    assert_eq!((begun["number"].as_u64(), begun["phase"].as_str()), (Some(1), Some("mine")));
    assert_eq!(status_of(&server.url), "500");
    assert_eq!(asked(&server, &["--request", "DELETE"], "/changes/1")["did"], "begun");
    assert_eq!(status_of(&server.url), "200");
    let counters = asked(&server, &[], "/counters");
    assert_eq!((&counters["requests"], &counters["by_status"]["500"]), (&3.into(), &1.into()));

    let admin = server.admin.as_ref().unwrap();
    let explained = brownout(&format!("explain 2 --admin {admin}"));
    assert_eq!(explained.code, Some(0), "{explained:?}");
    assert!(explained.stdout.contains("meets: "), "{explained:?}");
    assert!(explained.stdout.contains("met error 500; "), "{explained:?}");
    assert_eq!(brownout(&format!("explain 2 --admin {admin} --json")).json()["journal"][0]["phase"], "mine");
    // A change that is over stays on the timeline, up to where it was ended.
    let timeline = brownout(&format!("explain --timeline --admin {admin}"));
    assert!(timeline.stdout.contains("mine: error 1"), "{timeline:?}");
    let gone = brownout("explain 2 --admin http://127.0.0.1:1");
    assert!(gone.code == Some(1) && gone.stderr.contains("no answer from the admin API"), "{gone:?}");
    brownout(&format!("explain README.md 2 --admin {admin}")).refused(&["drop the file"]);

    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0));
}

#[test]
fn a_file_that_changes_is_read_again_and_a_bad_one_is_not_taken() {
    if !curl_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.toml");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("[service]\nlatency = 0\n");
    let server = Server::start(&format!("{} --admin 0", file.display()));
    assert_eq!(status_of(&server.url), "200");
    write("[service]\nlatency = 0\noutcomes = { error = 1 }\n");
    soon("the change", || status_of(&server.url) == "500");
    // One that is not sound leaves what runs as it is, and the reason is told with its place.
    write("[service]\nlatency = 0\noutcomes = { erorr = 0.5 }\n");
    let refused = || asked(&server, &[], "/status")["reload_refused"].to_string();
    soon("the refusal", || refused().contains("day.toml:3:14"));
    assert_eq!(status_of(&server.url), "500");
    // SIGHUP reads it without a look at the clock.
    write("[service]\nlatency = 0\noutcomes = { rate_limit = 1 }\n");
    server.signal("HUP");
    soon("the change by signal", || status_of(&server.url) == "429");
    write("seed = 7\n[service]\nlatency = 0\n[services.db]\nlatency = 0\n");
    soon("another refusal", || refused().contains("start again") || refused().contains("db"));
    assert!(asked(&server, &[], "/counters")["by_status"]["429"].as_u64().unwrap_or(0) > 0);
    server.signal("TERM");
    let (code, said) = server.wait();
    assert_eq!(code, Some(0));
    assert!(said.contains("was read again") && said.contains("what runs stays as it is"), "{said}");
    assert!(said.contains("did you mean `error`?"), "{said}");
}

#[test]
fn off_loopback_it_takes_a_token() {
    brownout("serve --port 0 --admin 0.0.0.0:0").refused(&["can be reached from other machines", "--admin-token"]);
    brownout("serve --port 0 --admin 0 --admin-token short").refused(&["a token has 16 to 256"]);
    brownout("serve --port 0 --admin-token 0123456789abcdef").refused(&["--admin"]);
    brownout("serve --port 0 --admin 99999").refused(&["a port from 0 to 65535"]);
    if !curl_is_there() {
        return;
    }
    let server = Server::start("--admin 0 --admin-token 0123456789abcdef");
    let url = format!("{}/status", server.admin.as_ref().unwrap());
    assert_eq!(status_of(&url), "401");
    assert!(curl(&["--oauth2-bearer", "0123456789abcdef", &url]).contains("\"seed\""));
    let admin = server.admin.as_ref().unwrap();
    assert!(brownout(&format!("explain 1 --admin {admin}")).stderr.contains("answers 401"));
    let told = brownout_in(&repository(), &["explain", "1", "--admin", admin, "--admin-token", "0123456789abcdef"]);
    assert_eq!(told.code, Some(0), "{told:?}");
}

/// Promtool is not at hand: what every scraper needs is held here.
#[test]
fn metrics_are_well_formed() {
    if !curl_is_there() {
        return;
    }
    let server = Server::start("examples/retries-multiply.toml --admin 0");
    status_of(&server.url);
    let text = curl(&[&format!("{}/metrics", server.admin.as_ref().unwrap())]);
    let mut typed = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            typed = rest.split(' ').next().map(ToOwned::to_owned);
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(name.starts_with(typed.as_deref().unwrap()), "{line} under {typed:?}");
        }
    }
    assert!(text.ends_with("# EOF\n"));
    assert!(text.contains("brownout_downstream_rq_total{service=\"db\"} 64"), "{text}");
}
