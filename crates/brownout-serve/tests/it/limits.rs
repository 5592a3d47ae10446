//! A service with limits: what goes over the wire, and who gets a place.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use brownout_draw::Distribution;
use brownout_serve::Limits;
use brownout_service::{
    Behaviour, Concurrency, FixedWindow, HintForm, Limit, LimitKey, LimitRule, Outcomes, QuotaFields, RetryAfter,
    RetryAfterWait, Service, UNIT,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::{get, header, talk, with_app, with_server};

const HOUR: Duration = Duration::from_secs(3600);

fn window(count: u64, window: Duration) -> Limit {
    let number = |number: u64| NonZeroU64::new(number).unwrap();
    let window_ns = number(u64::try_from(window.as_nanos()).unwrap());
    Limit::new(LimitRule::FixedWindow(FixedWindow { count: number(count * UNIT), window_ns }))
}

fn concurrency(count: u32) -> Limit {
    Limit::new(LimitRule::Concurrency(Concurrency(NonZeroU32::new(count).unwrap())))
}

fn service(limits: Vec<Limit>, latency: Duration) -> Service {
    let base = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(latency) };
    Service::new(base, vec![], vec![]).unwrap().with_limits(limits).unwrap()
}

/// The second answer of a service that lets one in an hour in.
async fn refusal(limit: Limit) -> String {
    with_server(service(vec![limit], Duration::ZERO), Limits::default(), async |address| {
        assert!(talk(address, &get("/", "")).await.starts_with("HTTP/1.1 200 "));
        talk(address, &get("/", "")).await
    })
    .await
}

fn saying(wait: RetryAfterWait, form: HintForm) -> Limit {
    Limit { retry_after: RetryAfter { wait, form }, ..window(1, HOUR) }
}

#[tokio::test]
async fn a_refusal_is_a_429_that_says_when_to_come_back() {
    let answer = refusal(window(1, HOUR)).await;
    assert!(answer.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{answer}");
    assert_eq!(header(&answer, "retry-after"), Some("3600"));
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    assert!(answer.ends_with("\r\n\r\n{\"message\": \"Too Many Requests\"}"), "{answer}");
    let decision = "request=2;attempt=1;outcome=limited;latency_ms=0.000;limit=\"fixed_window\"";
    assert_eq!(header(&answer, "x-brownout-decision"), Some(decision));
}

#[tokio::test]
async fn each_form_of_retry_after_stands_on_the_wire() {
    let fixed = |secs| RetryAfterWait::Fixed(Duration::from_secs(secs));
    let seconds = refusal(saying(fixed(5), HintForm::Seconds)).await;
    assert_eq!(header(&seconds, "retry-after"), Some("5"));
    let huge = refusal(saying(fixed(31_536_000), HintForm::Seconds)).await;
    assert_eq!(header(&huge, "retry-after"), Some("31536000"));
    let missing = refusal(saying(RetryAfterWait::Never, HintForm::Seconds)).await;
    assert_eq!((header(&missing, "retry-after"), header(&missing, "retry-after-ms")), (None, None));
    let millis = refusal(saying(RetryAfterWait::Fixed(Duration::from_millis(1500)), HintForm::Milliseconds)).await;
    assert_eq!((header(&millis, "retry-after"), header(&millis, "retry-after-ms")), (None, Some("1500")));
    let date = refusal(saying(fixed(60), HintForm::Date)).await;
    let moment = |name| httpdate::parse_http_date(header(&date, name).unwrap()).unwrap();
    let wait = moment("retry-after").duration_since(moment("date")).unwrap();
    // Both are in whole seconds, and the date of the server may be a second old.
    assert!((60..=62).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test]
async fn any_status_and_any_body() {
    let other = Limit { status: 529, body: "overloaded".into(), ..window(1, HOUR) };
    let answer = refusal(other).await;
    assert!(answer.starts_with("HTTP/1.1 529 "), "{answer}");
    assert_eq!(header(&answer, "content-type"), Some("text/plain; charset=utf-8"));
    assert!(answer.ends_with("\r\n\r\noverloaded"), "{answer}");
}

/// A list of items with parameters, as structured fields write them: (name, parameters).
fn items(field: &str) -> Vec<(String, Vec<(String, String)>)> {
    let item = |text: &str| {
        let mut parts = text.trim().split(';');
        let name = parts.next().unwrap().strip_prefix('"').unwrap().strip_suffix('"').unwrap().to_owned();
        let parameter =
            |part: &str| part.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())).unwrap();
        (name, parts.map(parameter).collect())
    };
    field.split(',').map(item).collect()
}

#[tokio::test]
async fn fields_tell_what_is_left_on_good_answers_and_bad() {
    let standard = |name: &str, limit| Limit { name: name.to_owned(), fields: QuotaFields::RateLimit, ..limit };
    let limits = vec![standard("an hour", window(1, HOUR)), standard("a day", window(9, 24 * HOUR))];
    with_server(service(limits, Duration::ZERO), Limits::default(), async |address| {
        for (status, left) in [("200", ["0", "8"]), ("429", ["0", "8"])] {
            let answer = talk(address, &get("/", "")).await;
            assert_eq!(answer.split(' ').nth(1), Some(status));
            let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
            let policy = items(header(&answer, "ratelimit-policy").unwrap());
            assert_eq!(policy[0], ("an hour".to_owned(), vec![pair("q", "1"), pair("w", "3600")]));
            assert_eq!(policy[1], ("a day".to_owned(), vec![pair("q", "9"), pair("w", "86400")]));
            let state = items(header(&answer, "ratelimit").unwrap());
            assert_eq!([&state[0].1[0], &state[1].1[0]], [&pair("r", left[0]), &pair("r", left[1])]);
            assert_eq!((&*state[0].1[1].0, &*state[0].1[1].1), ("t", "3600"));
        }
    })
    .await;
}

#[tokio::test]
async fn keys_are_headers_addresses_and_clients() {
    let statuses = async |key, headers: [&str; 4]| {
        with_server(
            service(vec![Limit { key, ..window(1, HOUR) }], Duration::ZERO),
            Limits::default(),
            async |address| {
                let mut statuses = Vec::new();
                for header in headers {
                    let answer = talk(address, &get("/", header)).await;
                    statuses.push(answer.split(' ').nth(1).unwrap().to_owned());
                }
                statuses
            },
        )
        .await
    };
    let keys = ["authorization: a\r\n", "authorization: b\r\n", "authorization: a\r\n", ""];
    assert_eq!(statuses(LimitKey::Header("authorization".to_owned()), keys).await, ["200", "200", "429", "200"]);
    assert_eq!(statuses(LimitKey::Address, keys).await, ["200", "429", "429", "429"]);
    let clients = ["x-brownout-client: 1\r\n", "x-brownout-client: 2\r\n", "x-brownout-client: 1\r\n", ""];
    assert_eq!(statuses(LimitKey::Client, clients).await, ["200", "200", "429", "200"]);
}

#[tokio::test]
async fn who_comes_back_too_early_is_named_without_its_secret() {
    let limit = Limit { key: LimitKey::Header("authorization".to_owned()), ..window(1, HOUR) };
    let (counts, early) = with_app(service(vec![limit], Duration::ZERO), Limits::default(), async |address, app| {
        for headers in [
            "x-brownout-request: 1\r\n",
            "x-brownout-request: 2\r\n",
            "x-brownout-request: 2\r\nx-brownout-attempt: 2\r\n",
            "",
        ] {
            talk(address, &get("/", &format!("authorization: Bearer secret\r\n{headers}"))).await;
        }
        app.limits().unwrap()
    })
    .await;
    assert_eq!((counts[0].asked, counts[0].refused), (4, 3));
    assert_eq!((early.attempts, early.retries, early.clients), (2, 1, 1));
    let (name, attempts) = &early.worst[0];
    assert!(name.starts_with("authorization #") && !name.contains("secret"), "{name}");
    assert_eq!(*attempts, 2);
}

#[tokio::test]
async fn a_place_is_free_again_once_the_answer_is_made_or_its_client_is_gone() {
    let limits = Limits { drain_time: Duration::from_millis(50), ..Limits::default() };
    with_server(service(vec![concurrency(1)], Duration::from_millis(300)), limits, async |address| {
        let status = async || talk(address, &get("/", "")).await.split(' ').nth(1).unwrap().to_owned();
        let first = tokio::spawn(async move { talk(address, &get("/", "")).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        let refused = talk(address, &get("/", "")).await;
        assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
        // Nobody knows when there will be room.
        assert_eq!(header(&refused, "retry-after"), None);
        assert!(first.await.unwrap().starts_with("HTTP/1.1 200 "));
        assert_eq!(status().await, "200");
        // One that is gone before its answer.
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(get("/", "").as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(stream);
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(status().await, "200");
    })
    .await;
}
