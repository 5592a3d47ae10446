//! Pages in a real browser: headless Chromium, spoken to over its debugging pipe.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::program::{PROGRAM, brownout_in, repository};

/// A browser starts slowly on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The browser of this machine. Without one tests are skipped, but not in CI.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn chromium() -> Option<&'static str> {
    let works = |name: &&str| {
        let version = Command::new(name).arg("--version").stderr(Stdio::null()).output();
        version.is_ok_and(|output| output.status.success())
    };
    let found = CHROMIUM.into_iter().find(works);
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "Chromium is missing, which CI must have");
    if found.is_none() {
        eprintln!("skipped: no Chromium");
    }
    found
}

/// A browser with one page.
pub(crate) struct Browser {
    process: Child,
    commands: File,
    messages: Receiver<Value>,
    session: Option<String>,
    number: u64,
    /// What it told that was no answer.
    pub(crate) events: Vec<Value>,
    _folder: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn start(program: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pipe = |name: &str| {
            let path = folder.path().join(name);
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            path
        };
        let (to, from) = (pipe("to"), pipe("from"));
        // The debugging pipe is descriptors 3 and 4, which only a shell can set without unsafe code.
        let script = r#"exec "$1" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
            --disable-background-networking --disable-component-update --user-data-dir="$4" \
            --remote-debugging-pipe about:blank 3<"$2" 4>"$3""#;
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", program]).arg(&to).arg(&from).arg(folder.path().join("profile"));
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let commands = OpenOptions::new().write(true).open(to).unwrap();
        let mut answers = BufReader::new(File::open(from).unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
                message.clear();
            }
        });
        let events = Vec::new();
        let mut browser = Self { process, commands, messages, session: None, number: 0, events, _folder: folder };
        let target = browser.ask("Target.createTarget", &json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.ask("Target.attachToTarget", &json!({ "targetId": target, "flatten": true }));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Network", "Log", "Runtime"] {
            browser.ask(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    fn next(&self, what: &str) -> Value {
        self.messages.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("the browser does not answer {what}"))
    }

    pub(crate) fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.number += 1;
        let mut message = json!({ "id": self.number, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.commands.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut answer = self.next(method);
            if answer["id"] == self.number {
                assert_eq!(answer["error"], Value::Null, "{method}");
                return answer["result"].take();
            }
            self.events.push(answer);
        }
    }

    fn open(&mut self, page: &Path) {
        self.visit(&format!("file://{}", page.display()));
    }

    /// Opens a page, and waits until it is there.
    pub(crate) fn visit(&mut self, url: &str) {
        self.events.clear();
        self.ask("Page.navigate", &json!({ "url": url }));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.next("that the page is there");
            self.events.push(event);
        }
    }

    /// What an expression in the page comes to.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let found = self.ask("Runtime.evaluate", &json!({ "expression": expression, "returnByValue": true }));
        assert_eq!(found["exceptionDetails"], Value::Null, "{expression}");
        found["result"]["value"].clone()
    }

    pub(crate) fn text(&mut self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_else(|| panic!("{expression} is no text")).to_owned()
    }

    /// A page as wide as a telephone, or as a screen.
    pub(crate) fn width(&mut self, width: u32) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Whether nothing is wider than the page.
    pub(crate) fn fits(&mut self) -> bool {
        self.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth") == true
    }

    /// Holds that nothing was complained of, and nothing asked for but the page itself.
    #[track_caller]
    fn is_content(&self, page: &Path) {
        let own = format!("file://{}", page.display());
        let asked = self.asked();
        assert!(asked.contains(&own), "{asked:?}");
        assert!(asked.iter().all(|url| *url == own || url.starts_with("data:")), "{asked:?}");
    }

    /// What was asked for, where nothing was complained of.
    #[track_caller]
    pub(crate) fn asked(&self) -> Vec<String> {
        let of = |method: &str| self.events.iter().filter(move |event| event["method"] == method).collect::<Vec<_>>();
        for complaint in ["Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"] {
            assert!(of(complaint).is_empty(), "{:?}", of(complaint));
        }
        let sent = of("Network.requestWillBeSent");
        sent.iter().map(|event| event["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    /// Keeps a picture of the whole page, where `BROWNOUT_SHOTS` names a folder for it.
    pub(crate) fn shoot(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("BROWNOUT_SHOTS").map(PathBuf::from) else { return };
        std::fs::create_dir_all(&folder).unwrap();
        let size = self.ask("Page.getLayoutMetrics", &json!({}))["cssContentSize"].take();
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let picture = self.ask("Page.captureScreenshot", &json!({ "captureBeyondViewport": true, "clip": clip }));
        let bytes = BASE64_STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(folder.join(name).with_extension("png"), bytes).unwrap();
    }

    /// Whether what is shown is light or dark.
    pub(crate) fn scheme(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.ask("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_page_opens_without_complaint_and_has_the_numbers_of_its_result() {
    let Some(program) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().canonicalize().unwrap();
    // A name that would be an element, were it not escaped.
    let scenario = "<img src=x onerror=alert(1)>.toml";
    std::fs::copy(repository().join("examples/retry-storm.toml"), here.join(scenario)).unwrap();
    let load = ["load", scenario, "--max-retries", "1", "--html", "page.html", "--json"];
    let result = brownout_in(&here, &load).json();
    let page = here.join("page.html");
    let mut browser = Browser::start(program);
    browser.width(1280);
    browser.open(&page);

    browser.shoot("never-recovered");
    assert_eq!(browser.text("document.querySelector('h1').lastChild.textContent"), "Never recovered");
    let body = browser.text("document.body.innerText");
    for key in ["started", "succeeded"] {
        let count = grouped(result["calls"][key].as_u64().unwrap());
        assert!(body.contains(&count), "no {count} in {body}");
    }
    assert!(body.contains(scenario), "{body}");
    assert_eq!(browser.value("document.images.length"), 0);
    let sum = "[...document.querySelectorAll('#timeline tbody tr')].reduce((sum, row) => \
               sum + Number(row.cells[2].textContent.replaceAll(',', '')), 0)";
    assert_eq!(browser.value(sum), result["attempts"]["total"]);

    // What is pointed at is told, and it is the row of the table that lies there.
    let middle = "(() => { const box = document.querySelector('#timeline svg').getBoundingClientRect(); \
                  return [box.x + box.width / 2, box.y + box.height / 2] })()";
    let middle = browser.value(middle);
    browser.ask("Input.dispatchMouseEvent", &json!({ "type": "mouseMoved", "x": middle[0], "y": middle[1] }));
    let told = browser.text("document.querySelector('#timeline .told').innerText");
    let row = "(() => { const from = document.querySelector('#timeline .told').firstChild.textContent.slice(6); \
               return [...document.querySelectorAll('#timeline tbody tr')].find((row) => row.cells[0].textContent === from).cells[2].textContent })()";
    assert!(told.contains(&format!("attempts: {}", browser.text(row))), "{told}");

    // On a telephone nothing is wider than the page, and letters in pictures can be read.
    browser.width(390);
    assert!(browser.fits());
    let shown = "[...document.querySelectorAll('svg')].filter((svg) => svg.clientWidth > 0)";
    let least = format!("Math.min(...{shown}.map((svg) => 12 * svg.clientWidth / svg.viewBox.baseVal.width))");
    let least = browser.value(&least).as_f64().unwrap();
    assert!(least >= 9.0, "letters of {least} px");
    browser.shoot("never-recovered-telephone");
    browser.is_content(&page);
}

#[test]
fn every_kind_of_page_opens_without_complaint() {
    let Some(program) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().canonicalize().unwrap();
    std::fs::copy(repository().join("examples/retry-storm.toml"), here.join("s.toml")).unwrap();
    // A comparison of results takes runs that go on evenly for a while.
    let even = "seed = 1\n[service]\nlatency = { exponential = \"20ms\" }\n[load]\narrivals = { poisson = \"200/s\" }\nduration = \"2m\"\n";
    std::fs::write(here.join("even.toml"), even).unwrap();
    let load = "load --url {url}/payments --count 3 --concurrency 3 --max-retries 2 --base-delay 50ms --jitter full";
    let rehearse = format!("rehearse RUNS -- {PROGRAM} {load}");
    let mut browser = Browser::start(program);
    browser.width(390);
    for (name, command) in [
        ("load", "load even.toml --output a.json"),
        ("compare", "compare s.toml --policies none,budget-10 --seeds 2"),
        ("storm", "storm s.toml --policies budget-10 --seeds 6 --verdict-only"),
        ("map", "storm s.toml --policies budget-10 --seeds 2 --map --loads 50%,80% --triggers 1s,2s"),
        ("diff", "diff a.json a.json"),
        ("report", "report a.json a.json"),
        ("rehearse", &rehearse.replace("RUNS", "--preset lost-reply")),
        ("rehearse-seeds", &rehearse.replace("RUNS", "--preset flaky --seeds 1..3")),
        ("run", "run --fail-count 2 --base-delay 20ms --jitter full"),
    ] {
        let page = here.join(format!("{name}.html"));
        let (verb, rest) = command.split_once(' ').unwrap();
        let arguments: Vec<_> =
            [verb, "--html", page.to_str().unwrap()].into_iter().chain(rest.split_whitespace()).collect();
        let run = brownout_in(&here, &arguments);
        assert!(page.exists(), "{run:?}");
        browser.open(&page);
        assert_ne!(browser.text("document.querySelector('h1').textContent"), "", "{name}");
        assert!(browser.value("document.querySelectorAll('svg').length").as_u64().unwrap() > 0, "{name}");
        assert!(browser.fits(), "{name} is wider than a telephone");
        browser.is_content(&page);
        browser.width(1280);
        browser.shoot(name);
        browser.width(390);
    }
}

/// In groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}
