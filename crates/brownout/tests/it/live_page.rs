//! The live page of `serve`, in a real browser, over a service that is called all the time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::browser::{Browser, chromium};
use crate::program::Server;

const SCENARIO: &str = r#"
seed = 7
[service]
latency = "2ms"
effect  = "payment"
[service.rate_limit]
name         = "quota"
fixed_window = { count = 1000000, window = "1h" }
key          = "header:authorization"
[[phases]]
name     = "night"
from     = "20h"
for      = "1h"
outcomes = { gateway_timeout = 1.0 }
"#;

const HOSTILE_PATH: &str = r#"/a&amp;"onload="alert(1)//'{x}"#;
const HOSTILE_CLIENT: &str = "<img src=x onerror=alert(1)>";

/// Calls a service again and again until it is dropped.
struct Caller {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Caller {
    fn start(url: &str) -> Self {
        let (over, url) = (Arc::new(AtomicBool::new(false)), url.to_owned());
        let is_over = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            while !is_over.load(Relaxed) {
                call(&url, HOSTILE_PATH, &format!("x-brownout-client: {HOSTILE_CLIENT}\r\nidempotency-key: one\r\n"));
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// The status of an answer; 0 where none comes.
fn call(url: &str, path: &str, headers: &str) -> u16 {
    let Ok(mut stream) = TcpStream::connect(url.trim_start_matches("http://")) else { return 0 };
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    let mut answer = String::new();
    let read = stream.write_all(head.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
    read.ok().and_then(|_| answer.split(' ').nth(1)?.parse().ok()).unwrap_or(0)
}

/// Waits for what comes within a minute at the most.
#[track_caller]
fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1200 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} did not come");
}

/// What stands at a place of the page.
fn at(browser: &mut Browser, place: &str) -> String {
    browser.text(&format!("document.querySelector(`{place}`)?.textContent ?? ``"))
}

fn requests(browser: &mut Browser) -> u64 {
    let numbers = "[...document.querySelectorAll('#numbers div')]";
    let own = format!(
        "{numbers}.find((own) => own.firstChild.textContent === 'requests so far')?.lastChild.textContent ?? '0'"
    );
    browser.text(&own).replace(',', "").parse().unwrap()
}

/// Fills in a field, and presses a button.
fn press(browser: &mut Browser, fields: &[(&str, &str)], button: &str) {
    for (field, value) in fields {
        browser.value(&format!("document.getElementById('{field}').value = '{value}'"));
    }
    browser.value(&format!("document.getElementById('{button}').click()"));
}

#[test]
fn the_page_tells_what_goes_on_and_changes_it_for_a_while() {
    let Some(program) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("live.toml");
    std::fs::write(&file, SCENARIO).unwrap();
    let server = Server::start(&format!("{} --admin 0", file.display()));
    let admin = server.admin.clone().unwrap();
    let _caller = Caller::start(&server.url);
    let mut browser = Browser::start(program);
    browser.width(1280);
    browser.visit(&format!("{admin}/live"));

    soon("a verdict", || at(&mut browser, "#word") == "Answers well");
    let before = requests(&mut browser);
    soon("more requests", || requests(&mut browser) > before + 20);
    soon("bars", || browser.value("document.querySelectorAll('#course .fare.well').length").as_u64() > Some(2));

    // What clients send is text here, whatever it looks like.
    assert!(at(&mut browser, "#journal").contains(HOSTILE_PATH));
    assert!(at(&mut browser, "#clients").contains(&format!("client {HOSTILE_CLIENT}")));
    assert_eq!(browser.value("document.images.length"), 0);
    // One key over and over: all but the first are duplicates.
    assert!(at(&mut browser, "#ledger").contains("payment"));
    browser.value("document.querySelector('#journal button').click()");
    soon("the reason", || at(&mut browser, "#why-text").contains("x-brownout-decision"));
    browser.value("document.getElementById('why').close()");
    browser.shoot("live");

    // An outage, ended by the one who started it.
    press(&mut browser, &[("outage-kind", "503")], "outage-start");
    soon("the outage", || call(&server.url, "/", "") == 503);
    soon("what was done", || at(&mut browser, "#told").contains("status 0 % → 100 %; until "));
    soon("what it does", || {
        at(&mut browser, "#word") == "Fails" && at(&mut browser, "#changes").contains("live outage")
    });
    browser.shoot("live-outage");
    browser.scheme("dark");
    browser.shoot("live-dark");
    browser.scheme("light");
    press(&mut browser, &[], "outage-end");
    soon("its end", || call(&server.url, "/", "") == 200);
    soon("what was undone", || at(&mut browser, "#told").contains("status 100 % → 0 %"));

    // A rate, which ends by itself.
    press(&mut browser, &[("ttl", "5"), ("rate-outcome", "error"), ("rate-percent", "100")], "rate-set");
    soon("the rate", || call(&server.url, "/", "") == 500);
    soon("its end by itself", || call(&server.url, "/", "") == 200);
    soon("that it was told of", || at(&mut browser, "#log").contains("(rate of error) has ended by itself"));
    // What cannot be done is told, and changes nothing.
    press(&mut browser, &[("ttl", "60"), ("slow-factor", "2000")], "slow-set");
    assert_eq!(browser.value("document.getElementById('slow-factor').validity.valid"), false);

    // A phase of the scenario.
    press(&mut browser, &[("phase-name", "night")], "phase-turn");
    soon("the phase", || call(&server.url, "/", "") == 504);
    soon("its button", || at(&mut browser, "#phase-turn") == "End it");
    press(&mut browser, &[], "phase-turn");
    soon("its end", || call(&server.url, "/", "") == 200);
    // The one that is due tomorrow still comes.
    soon("nothing changed", || at(&mut browser, "#changes").contains("what its scenario says"));

    browser.value("document.getElementById('pause').click()");
    let still = requests(&mut browser);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(requests(&mut browser), still);
    browser.value("document.getElementById('pause').click()");
    soon("more requests", || requests(&mut browser) > still);

    browser.width(390);
    soon("a narrow picture", || browser.fits());
    browser.shoot("live-telephone");
    assert!(
        browser.asked().iter().all(|url| url.starts_with(&admin) || url.starts_with("data:")),
        "{:?}",
        browser.asked()
    );
}

#[test]
fn where_a_token_is_wanted_the_page_asks_for_it() {
    const TOKEN: &str = "0123456789abcdef";
    let Some(program) = chromium() else { return };
    let server = Server::start(&format!("--seed 42 --admin 0 --admin-token {TOKEN}"));
    let admin = server.admin.clone().unwrap();
    let mut browser = Browser::start(program);
    browser.width(390);
    browser.visit(&format!("{admin}/live"));
    soon("the question", || browser.value("document.getElementById('token').hidden") == false);
    assert_eq!(browser.value("document.getElementById('main').hidden"), true);
    browser.shoot("live-token");
    press(&mut browser, &[("token-text", "fedcba9876543210")], "token-given");
    soon("a refusal", || at(&mut browser, "#token-told") == "That is not the token.");
    press(&mut browser, &[("token-text", TOKEN)], "token-given");
    soon("the page", || browser.value("document.getElementById('main').hidden") == false);
    press(&mut browser, &[], "outage-start");
    soon("the outage", || call(&server.url, "/", "") == 503);
    // It never stands in an address.
    let sent = browser.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
    let urls: Vec<String> = sent.map(|event| event["params"]["request"]["url"].to_string()).collect();
    assert!(urls.len() > 5 && urls.iter().all(|url| !url.contains(TOKEN)), "{urls:?}");
}
