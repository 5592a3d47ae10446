//! A running service over its admin API.

mod live;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use brownout_admin::{Admin, Control, Guard, Served};
use brownout_clock::{Clock, Scale};
use brownout_draw::Seed;
use brownout_report::Origin;
use brownout_scenario::Scenario;
use brownout_serve::{App, JournalBounds, Limits, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

const SCENARIO: &str = r#"
[service]
latency = "0s"
[[service.routes]]
match    = "GET /slow"
latency  = "5ms"
[[service.routes]]
match    = "POST /payments"
effect   = "payment"
[service.rate_limit]
name         = "quota"
fixed_window = { count = 3, window = "1h" }
match        = "GET /limited"
[[phases]]
name     = "outage"
from     = "20h"
for      = "1h"
outcomes = { error = 1.0 }
[[phases]]
name     = "for ever"
from     = "23h"
slowdown = 1.0
"#;

/// A service and its API, both on loopback.
struct World {
    service: SocketAddr,
    admin: SocketAddr,
    /// Whether the file is sound when it is read again.
    sound: Arc<AtomicBool>,
    _end: oneshot::Sender<()>,
}

async fn world(journal: Option<JournalBounds>) -> World {
    let scenario = Scenario::parse("test.toml", SCENARIO).unwrap();
    let app = App::new(scenario.service.clone(), Seed(42), None, Clock::start(Scale::ONE));
    let app = Arc::new(match journal {
        Some(bounds) => app.with_journal(bounds),
        None => app,
    });
    let server = Server::bind(([127, 0, 0, 1], 0).into(), Limits::default()).await.unwrap();
    let (end, ended) = oneshot::channel::<()>();
    let service = server.address();
    tokio::spawn(server.run(Arc::clone(&app), async { _ = ended.await }));
    let address = ([127, 0, 0, 1], 0).into();
    let admin = Admin::bind(address, Guard::new(address, None).unwrap()).await.unwrap();
    let origin = Origin {
        seed: Seed(42),
        scenario: "test.toml".to_owned(),
        scenario_digest: String::new(),
        time: "real".into(),
        version: "0".into(),
    };
    let (sound, again, own) = (Arc::new(AtomicBool::new(true)), origin.clone(), Arc::clone(&app));
    let is_sound = Arc::clone(&sound);
    let reload = move || {
        if !is_sound.load(Ordering::SeqCst) {
            return Err("test.toml:3:7 no such key".to_owned());
        }
        own.reload(scenario.service.clone());
        Ok(again.clone())
    };
    let served = Served { name: "service".to_owned(), url: format!("http://{service}"), app };
    let control = Arc::new(Control::new(vec![served], origin, Box::new(reload)));
    let address = admin.address();
    tokio::spawn(admin.run(control));
    World { service, admin: address, sound, _end: end }
}

/// Sends a request as it stands; status, and body.
async fn raw(address: SocketAddr, text: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    read.expect("an answer in time").unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
}

impl World {
    /// Asks the API.
    async fn ask(&self, method: &str, target: &str, body: &str) -> (u16, Value) {
        let length = body.len();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        let (status, body) = raw(self.admin, &(head + body)).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    async fn get(&self, target: &str) -> Value {
        let (status, answer) = self.ask("GET", target, "").await;
        assert_eq!(status, 200, "{target}: {answer}");
        answer
    }

    /// A request of the service: its status.
    async fn call(&self, path: &str, headers: &str) -> u16 {
        raw(self.service, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")).await.0
    }
}

#[tokio::test]
async fn status_counters_journal_and_metrics_agree() {
    let world = world(Some(JournalBounds::default())).await;
    for _ in 0..4 {
        assert_eq!(world.call("/slow", "").await, 200);
    }
    for expected in [200, 200, 200, 429, 429] {
        assert_eq!(world.call("/limited", "x-brownout-client: 7\r\n").await, expected);
    }
    let counters = world.get("/counters").await;
    assert_eq!(counters["requests"], 9);
    assert_eq!(counters["by_outcome"], json!({ "limited": 2, "success": 7 }));
    assert_eq!(counters["by_status"], json!({ "200": 7, "429": 2 }));
    assert_eq!(counters["by_route"], json!({ "": 5, "GET /slow": 4 }));
    assert_eq!(counters["limits"], json!([{ "name": "quota", "asked": 5, "refused": 2 }]));
    // The last came before the one before it had been told to, and is named.
    assert_eq!(counters["came_back_early"]["worst"], json!([["client 7", 1]]));
    let status = world.get("/status").await;
    assert_eq!((&status["services"][0]["requests"], &status["seed"]), (&json!(9), &json!(42)));

    let journal = world.get("/journal").await;
    let records = journal["records"].as_array().unwrap();
    assert_eq!((journal["written"].as_u64(), records.len()), (Some(9), 9));
    let numbers: Vec<_> = records.iter().map(|record| record["number"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted());
    let last = &records[8];
    assert_eq!((&last["outcome"], &last["status"], &last["limit"]), (&json!("limited"), &json!(429), &json!("quota")));
    assert_eq!(last["came_back_early"], "client 7");
    assert!(
        records[0]["took_ms"].as_f64() >= records[0]["asked_ms"].as_f64() && records[0]["asked_ms"] == 5.0,
        "{records:?}"
    );
    assert_eq!(world.get("/journal?outcome=limited&last=1").await["records"].as_array().unwrap().len(), 1);
    assert_eq!(world.get("/journal?after=7").await["records"].as_array().unwrap().len(), 2);

    // What was asked for is known, and what came of it took as long at least.
    assert_eq!((&counters["asked_ms"]["count"], &counters["took_ms"]["count"]), (&json!(9), &json!(9)));
    let p90 = |which: &str| counters[which]["p90"].as_f64();
    assert_eq!(p90("asked_ms"), None, "nine values do not tell a tenth");
    assert!(counters["took_ms"]["p50"].as_f64() >= counters["asked_ms"]["p50"].as_f64(), "{counters}");

    let (status, metrics) = world.ask("GET", "/metrics", "").await;
    let metrics = metrics.as_str().unwrap().to_owned();
    assert_eq!(status, 200);
    let value = |name: &str| {
        let line =
            metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {metrics}"));
        line.trim().parse::<f64>().unwrap()
    };
    assert!((value("brownout_downstream_rq_total{service=\"service\"}") - 9.0).abs() < 0.1);
    assert!((value("brownout_outcomes_total{service=\"service\",outcome=\"limited\"}") - 2.0).abs() < 0.1);
    assert!(
        (value("brownout_downstream_rq_xx_total{service=\"service\",response_code_class=\"4\"}") - 2.0).abs() < 0.1
    );
    assert!((value("brownout_ratelimit_over_limit_total{service=\"service\",limit=\"quota\"}") - 2.0).abs() < 0.1);
    assert!((value("brownout_injected_latency_seconds_sum{service=\"service\"}") - 0.02).abs() < 1e-9);
    assert!((value("brownout_own_overhead_seconds_count{service=\"service\"}") - 9.0).abs() < 0.1);
    let delivered = value("brownout_delivered_latency_seconds_sum{service=\"service\"}");
    let injected = value("brownout_injected_latency_seconds_sum{service=\"service\"}");
    let own = value("brownout_own_overhead_seconds_sum{service=\"service\"}");
    assert!((delivered - injected - own).abs() < 1e-6, "{delivered} {injected} {own}");
    let all = value("brownout_own_overhead_seconds_bucket{le=\"+Inf\",service=\"service\"}");
    assert!((all - 9.0).abs() < 0.1, "{all}");
}

#[tokio::test]
async fn the_ledger_tells_what_was_done_twice() {
    let world = world(None).await;
    let pay = async |key: &str| {
        let head = format!("POST /payments HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n{key}\r\n");
        assert_eq!(raw(world.service, &head).await.0, 200);
    };
    for key in ["idempotency-key: a\r\n", "idempotency-key: a\r\n", "idempotency-key: b\r\n", ""] {
        pay(key).await;
    }
    let ledger = world.get("/ledger").await;
    let payment = &ledger["effects"][0];
    assert_eq!((&payment["name"], &payment["done"], &payment["duplicates"]), (&json!("payment"), &json!(4), &json!(1)));
    let (_, metrics) = world.ask("GET", "/metrics", "").await;
    let line = "brownout_duplicate_effects_total{service=\"service\",effect=\"payment\"} 1";
    assert!(metrics.as_str().unwrap().contains(line), "{metrics}");
}

#[tokio::test]
async fn a_change_holds_for_its_time_or_until_it_is_undone() {
    let world = world(None).await;
    assert_eq!(world.call("/", "").await, 200);
    let (status, change) =
        world.ask("POST", "/changes", r#"{ "for": "1h", "name": "mine", "outcomes": { "error": 1 } }"#).await;
    assert_eq!((status, &change["number"], &change["phase"]), (201, &json!(1), &json!("mine")));
    assert_eq!(world.call("/", "").await, 500);
    assert_eq!(world.get("/status").await["services"][0]["phases"][0]["name"], "mine");
    assert_eq!(world.ask("DELETE", "/changes/1", "").await.0, 200);
    assert_eq!(world.call("/", "").await, 200);
    assert_eq!(world.get("/changes").await, json!([]));

    let (status, _) =
        world.ask("POST", "/changes", r#"{ "for": "300ms", "outcomes": { "gateway_timeout": 1 } }"#).await;
    assert_eq!((status, world.call("/", "").await), (201, 504));
    let mut tries = 0;
    while world.call("/", "").await == 504 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        tries += 1;
        assert!(tries < 500, "it does not heal");
    }
    assert_eq!(world.ask("DELETE", "/changes/2", "").await.0, 404);
}

#[tokio::test]
async fn phases_are_begun_and_ended() {
    let world = world(None).await;
    let (status, begun) = world.ask("POST", "/phases/outage/begin", "").await;
    assert_eq!((status, world.call("/", "").await), (201, 500), "{begun}");
    // As long as in the scenario.
    assert!((begun["until_s"].as_f64().unwrap() - begun["from_s"].as_f64().unwrap() - 3600.0).abs() < 1e-6, "{begun}");
    assert_eq!(world.ask("POST", "/phases/outage/end", "").await.0, 201);
    assert_eq!(world.call("/", "").await, 200);
    assert_eq!(world.ask("POST", "/phases/outage/begin?for=30s", "").await.0, 201);
    assert_eq!(world.call("/", "").await, 500);
    let (status, refusal) = world.ask("POST", "/phases/for%20ever/begin", "").await;
    assert!(status == 400 && refusal["error"].as_str().unwrap().contains("?for=30s"), "{refusal}");
    let (status, refusal) = world.ask("POST", "/phases/nope/end", "").await;
    assert!(status == 404 && refusal["error"].as_str().unwrap().contains("there are: for ever, outage"), "{refusal}");
    let timeline = world.get("/timeline").await;
    // The one that was to come at 20 h is not to come any more.
    assert_eq!(timeline["timeline"].as_array().unwrap().len(), 3, "{timeline}");
}

#[tokio::test]
async fn reset_begins_again_and_reload_goes_on() {
    let world = world(Some(JournalBounds::default())).await;
    for expected in [200, 200, 200, 429] {
        assert_eq!(world.call("/limited", "").await, expected);
    }
    assert_eq!(world.ask("POST", "/changes", r#"{ "for": "1h", "outcomes": { "error": 1 } }"#).await.0, 201);

    assert_eq!(world.ask("POST", "/reload", "").await.0, 200);
    // A change goes on, counts and who asked too; the window of the limit begins anew.
    assert_eq!(world.call("/limited", "").await, 500);
    assert_eq!(world.get("/counters").await["requests"], 5);
    assert_eq!(world.get("/journal?last=1").await["records"][0]["request"], 5);
    world.sound.store(false, Ordering::SeqCst);
    let (status, refusal) = world.ask("POST", "/reload", "").await;
    assert!(status == 409 && refusal["error"].as_str().unwrap().contains(":3:7"), "{refusal}");
    let told = world.get("/status").await;
    assert_eq!((&told["reloads"], &told["reload_refused"]), (&json!(1), &json!("test.toml:3:7 no such key")));

    assert_eq!(world.ask("POST", "/reset", "").await.0, 200);
    assert_eq!(world.get("/counters").await["requests"], 0);
    assert_eq!(world.call("/limited", "").await, 200);
    assert_eq!(world.get("/journal").await["records"][0]["request"], 1);
}

#[tokio::test]
async fn explain_tells_what_was_met_and_why() {
    let world = world(Some(JournalBounds::default())).await;
    assert_eq!(world.call("/slow", "x-brownout-request: 17\r\nx-brownout-attempt: 2\r\n").await, 200);
    let explained = world.get("/explain?request=17&attempt=2").await;
    assert_eq!((&explained["route"], &explained["outcome"]), (&json!("GET /slow"), &json!("success")));
    assert_eq!(explained["journal"][0]["at_s"], explained["at_s"]);
    let (_, text) = world.ask("GET", "/explain?request=17&attempt=2&format=text", "").await;
    assert!(text.as_str().unwrap().contains("journal 1: came at "), "{text}");
    let at = world.get("/explain?request=1&at=20h30m").await;
    assert_eq!((&at["outcome"], &at["journal"]), (&json!("error"), &json!([])));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told_so_and_changes_nothing() {
    let world = world(None).await;
    for (method, target, body, status, words) in [
        ("POST", "/changes", "{", 400, "the change:1:"),
        ("POST", "/changes", "", 400, "found nothing"),
        ("POST", "/changes", "[]", 400, "table"),
        ("POST", "/changes", r#"{ "for": "1h" }"#, 400, "a change changes something"),
        ("POST", "/changes", r#"{ "for": "1h", "outcomes": { "erorr": 1 } }"#, 400, "did you mean `error`?"),
        ("POST", "/changes", r#"{ "for": "1h", "capacity": 0 }"#, 409, "give the service a `capacity`"),
        ("POST", "/changes", r#"{ "for": "1h", "refuse": true, "service": "db" }"#, 404, "no service `db`"),
        ("GET", "/changes?service=db", "", 404, "there are: service"),
        ("GET", "/journal", "", 404, "it was turned off"),
        ("GET", "/explain", "", 400, "`request` is missing"),
        ("GET", "/explain?request=x", "", 400, "found `x`"),
        ("GET", "/explain?request=1&attempt=0", "", 400, "from 1"),
        ("GET", "/explain?request=1&format=xml", "", 400, "found `xml`"),
        ("GET", "/status?verbose=1", "", 400, "no parameter `verbose`"),
        ("GET", "/%ff", "", 404, "nothing at"),
        ("PUT", "/status", "", 405, "this is for GET"),
        ("DELETE", "/changes/x", "", 404, "no change `x`"),
    ] {
        let (found, answer) = world.ask(method, target, body).await;
        let why = answer["error"].as_str().unwrap_or_default();
        assert!(found == status && why.contains(words), "{method} {target} {body}: {found} {answer}");
    }
    let too_large = format!("{{ \"for\": \"1h\", \"name\": \"{}\" }}", "x".repeat(70_000));
    assert_eq!(world.ask("POST", "/changes", &too_large).await.0, 413);
    assert_eq!(world.get("/changes").await, json!([]));
    assert_eq!(world.call("/", "").await, 200);
}

#[tokio::test]
async fn other_pages_and_other_names_are_kept_out() {
    let world = world(None).await;
    let asked = async |headers: &str| {
        let text = format!("POST /reset HTTP/1.1\r\nconnection: close\r\ncontent-length: 0\r\n{headers}\r\n");
        raw(world.admin, &text).await.0
    };
    assert_eq!(asked("host: localhost\r\n").await, 200);
    assert_eq!(asked("host: rebound.test\r\n").await, 403);
    assert_eq!(asked("host: localhost\r\norigin: http://evil.test\r\n").await, 403);
    assert_eq!(asked("host: localhost\r\nsec-fetch-site: cross-site\r\n").await, 403);
    assert_eq!(asked("").await, 403);
}

/// The document against the router: what it describes answers, and with the media type that it says.
#[tokio::test]
async fn the_openapi_document_describes_what_answers() {
    let world = world(Some(JournalBounds::default())).await;
    let document = world.get("/openapi.json").await;
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            // What never ends is read as far as its first event, elsewhere.
            if operation["responses"]["200"]["content"]["text/event-stream"].is_object() {
                continue;
            }
            let target = path.replace("{number}", "1").replace("{name}", "outage");
            let target = target.replace("{outcome}", "error").replace("{file}", "page.js");
            let required = |parameter: &&Value| parameter["in"] == "query" && parameter["required"] == true;
            let query = operation["parameters"].as_array().unwrap().iter().filter(required);
            let query: Vec<_> = query.map(|parameter| format!("{}=1", parameter["name"].as_str().unwrap())).collect();
            let body = if operation["requestBody"].is_object() { r#"{ "for": "1h", "slowdown": 1 }"# } else { "" };
            let (status, answer) =
                world.ask(&method.to_uppercase(), &format!("{target}?{}", query.join("&")), body).await;
            assert!(operation["responses"][status.to_string()].is_object(), "{method} {path}: {status} {answer}");
            asked += 1;
        }
    }
    assert!(asked > 12, "{asked}");
}
