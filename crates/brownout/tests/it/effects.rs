//! Effects that are done twice, in virtual time, over sockets, and by curl.

use std::process::Command;

use crate::http::curl_is_there;
use crate::limits::scenario;
use crate::program::{Server, brownout, repository};

/// The example as it is, or with changes: what stands there, and what comes in its place.
fn example(changes: &[(&str, &str)]) -> tempfile::NamedTempFile {
    let mut text = std::fs::read_to_string(repository().join("examples/duplicate-effects.toml")).unwrap();
    for (what, by) in changes {
        assert!(text.contains(what), "the example has no {what}");
        text = text.replacen(what, by, 1);
    }
    scenario(&text)
}

const ONCE: (&str, &str) = ("effect   = \"payment\"\n# effect", "effect");
const KEYS: (&str, &str) = ("idempotency_key = false", "idempotency_key = true");

/// The account of the payments.
fn payments(result: &serde_json::Value) -> serde_json::Value {
    result["effects"][0].clone()
}

#[test]
fn the_example_shows_that_a_key_and_a_service_that_honours_it_are_both_needed() {
    for seed in 1..=5 {
        let counts = |changes: &[(&str, &str)]| {
            let file = example(changes);
            let load = brownout(&format!("load {} --seed {seed} --json", file.path().display())).json();
            assert!(load["success_rate"].as_f64().unwrap() > 0.999, "{load}");
            let payments = payments(&load);
            (payments["duplicates"].as_u64().unwrap(), payments["prevented"].as_u64().unwrap())
        };
        let (duplicates, prevented) = counts(&[]);
        // Each attempt is lost with 4 % and tried again: 10,000 × 0.04 / 0.91 of them, with a standard deviation of 21.
        assert!(duplicates.abs_diff(440) < 5 * 21 && prevented == 0, "seed {seed}: {duplicates}");
        assert_eq!(counts(&[KEYS]), (duplicates, 0));
        assert_eq!(counts(&[ONCE]), (duplicates, 0));
        assert_eq!(counts(&[ONCE, KEYS]), (0, duplicates));
    }
}

/// What is asked for twice is told in the same words in both worlds, keys and all.
#[cfg(unix)]
#[test]
fn virtual_time_and_http_count_the_same_duplicates() {
    let quick = ("count    = 10_000\narrivals = { constant = \"100/s\" }", "count = 300\nclients = 8");
    for changes in [vec![quick], vec![quick, KEYS], vec![quick, ONCE, KEYS]] {
        let fast = [
            ("min = \"20ms\", max = \"80ms\"", "min = 0, max = \"2ms\""),
            ("base_delay      = \"100ms\"", "base_delay = \"1ms\""),
        ];
        let file = example(&[&changes[..], &fast].concat());
        let file = file.path().display();
        let foretold = brownout(&format!("load {file} --seed 42")).stdout;
        let foretold = &foretold[foretold.find("Effect payment: ").unwrap()..];
        let server = Server::start(&format!("{file} --seed 42"));
        let met = brownout(&format!("load {file} --seed 42 --json --url {}", server.url)).json();
        assert!(met.get("effects").is_none(), "the service is somebody else's: {met}");
        server.signal("TERM");
        let (_, said) = server.wait();
        assert_eq!(&said[said.find("Effect payment: ").unwrap_or_else(|| panic!("{said}"))..], foretold);
        assert!(!foretold.contains(" 0 duplicates") || foretold.contains("prevented"), "{foretold}");
    }
}

#[cfg(unix)]
#[test]
fn curl_pays_twice_unless_its_key_is_honoured() {
    if !curl_is_there() {
        return;
    }
    let file = scenario(
        "[[service.routes]]\nmatch = \"POST /payments\"\neffect = \"payment\"\n\
         [[service.routes]]\nmatch = \"POST /orders\"\neffect = { name = \"order\", once = true }\n\
         [[service.routes]]\nmatch = \"POST /mails\"\neffect = { name = \"mail\", key = \"header:X-Mail\", once = true }\n",
    );
    let server = Server::start(&format!("{} --seed 1", file.path().display()));
    let post = |path: &str, headers: &[&str]| {
        let headers = headers.iter().flat_map(|header| ["--header", header]);
        let answer = Command::new("curl")
            .args([
                "--silent",
                "--max-time",
                "30",
                "--request",
                "POST",
                "--write-out",
                "%{http_code}",
                "--output",
                "/dev/null",
            ])
            .args(headers)
            .arg(format!("{}{path}", server.url))
            .output();
        assert_eq!(String::from_utf8(answer.unwrap().stdout).unwrap(), "200");
    };
    for _ in 0..2 {
        post("/payments", &["Idempotency-Key: foobar"]);
        post("/orders", &["Idempotency-Key: foobar"]);
        post("/orders", &[]);
        post("/mails", &["Idempotency-Key: foobar", "x-mail: a"]);
        post("/other", &["Idempotency-Key: foobar"]);
    }
    server.signal("TERM");
    let (_, said) = server.wait();
    // The key is not said, only half of its published FNV-1a hash.
    let payment = "Effect payment: done 2 times for 1 key, 1 duplicate\n  done more than once: 1 key: idempotency-key #f73967e8 (2)\n";
    let order = "Effect order: done 3 times for 1 key, 0 duplicates, 1 more prevented, 2 without a key, which may be duplicates too\n";
    let mail = "Effect mail: done 1 time for 1 key, 0 duplicates, 1 more prevented\n";
    assert!(said.ends_with(&format!("requests answered: 10\n{payment}{order}{mail}")), "{said}");
}

#[test]
fn compare_has_a_column_for_duplicates_where_there_are_effects() {
    let file = example(&[("count    = 10_000", "count = 1000")]);
    let file = file.path().display();
    let compare = brownout(&format!("compare {file} --seeds 2 --policies none,scenario"));
    assert!(compare.stdout.contains("  duplicate\n"), "{compare:?}");
    let json = brownout(&format!("compare {file} --seeds 2 --policies none,scenario --json")).json();
    let duplicates = |arm: usize| json["policies"][arm]["duplicates"]["mean"].as_f64().unwrap();
    assert!(duplicates(0) < 0.5 && duplicates(1) > 20.0, "{json}");
    let json = brownout("compare --seeds 1 --policies none --json").json();
    assert!(json["policies"][0].get("duplicates").is_none(), "{json}");
}

#[test]
fn effects_that_cannot_be_are_refused_at_their_place() {
    let file = scenario("[service]\neffect = \"none\"\n");
    brownout(&format!("check {}", file.path().display()))
        .refused(&[":2:10", "names no effect has none; drop `effect`"]);
    let file =
        scenario("[[service.routes]]\nmatch = \"/a\"\neffect = \"none\"\n[load.request]\nheaders = { host = \"x\" }\n");
    brownout(&format!("check {}", file.path().display())).refused(&[
        ":3:10",
        "the service has no effect that this route could be without",
        ":5:11",
        "`host` tells how a request is sent",
    ]);
    let file = scenario(
        "[service]\neffect = \"order\"\n[[service.routes]]\nmatch = \"/a\"\neffect = { name = \"order\", once = true }\n",
    );
    brownout(&format!("check {}", file.path().display())).refused(&[":5:10", "`order` is one effect"]);
}
