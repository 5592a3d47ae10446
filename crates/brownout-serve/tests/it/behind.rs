//! A service that calls others: who are called, when they are not, and what their failure comes to.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_draw::{Distribution, Seed};
use brownout_serve::{App, Behind, Limits};
use brownout_service::{
    Abandoned, Behaviour, Cache, Capacity, Concurrency, Identity, Limit, LimitRule, Outcome, Outcomes, Queue, Service,
    Shed,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::{get, header, talk, with_whole_app};

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Who asked, and how long that attempt was still waited for.
type Asked = (Identity, Option<Duration>);

/// Somebody behind who takes a while, and remembers who asked.
#[derive(Clone, Debug)]
struct Somebody {
    takes: Duration,
    succeeds: bool,
    asked: Arc<Mutex<Vec<Asked>>>,
    over: Arc<AtomicUsize>,
}

impl Somebody {
    fn new(takes: Duration, succeeds: bool) -> Self {
        Self { takes, succeeds, asked: Arc::default(), over: Arc::default() }
    }

    fn boxed(&self) -> Box<dyn Behind> {
        Box::new(self.clone())
    }

    /// By how many requests it was asked.
    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    async fn has_answered(&self, count: usize) {
        while self.over.load(SeqCst) < count {
            tokio::time::sleep(MS(1)).await;
        }
    }

    async fn has_been_asked(&self, count: usize) {
        while self.asked() < count {
            tokio::time::sleep(MS(1)).await;
        }
    }
}

impl Behind for Somebody {
    fn call(&self, asked: Identity, until: Option<Duration>) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        self.asked.lock().unwrap().push((asked, until));
        Box::pin(async {
            tokio::time::sleep(self.takes).await;
            self.over.fetch_add(1, SeqCst);
            self.succeeds
        })
    }
}

fn service(outcomes: Outcomes, abandoned: Option<Abandoned>) -> Service {
    let behaviour = Behaviour { outcomes, latency: Distribution::fixed(Duration::ZERO) };
    let capacity = abandoned.map(|abandoned| Capacity {
        workers: 1.try_into().unwrap(),
        service_time: Distribution::fixed(MS(1)),
        queue: Queue::default(),
        shed: Shed::default(),
        abandoned,
    });
    Service::new(behaviour, vec![], vec![]).unwrap().with_capacity(capacity).unwrap()
}

fn well() -> Outcomes {
    Outcomes::new([]).unwrap()
}

async fn with_behind<T>(
    service: Service,
    behind: &[&Somebody],
    client: impl AsyncFnOnce(std::net::SocketAddr, &App) -> T,
) -> T {
    let app = App::new(service, Seed(42), None, Clock::start(Scale::ONE))
        .calling(behind.iter().map(|own| own.boxed()).collect());
    with_whole_app(app, Limits { drain_time: MS(100), ..Limits::default() }, client).await
}

/// A request whose client leaves once `somebody` has been asked for it.
async fn ask_and_leave(address: std::net::SocketAddr, somebody: &Somebody, count: usize) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(get("/", "").as_bytes()).await.unwrap();
    somebody.has_been_asked(count).await;
    drop(stream);
}

#[tokio::test]
async fn all_are_asked_in_turn_for_the_attempt_that_came() {
    let (one, two) = (Somebody::new(MS(20), true), Somebody::new(MS(20), true));
    let answer = with_behind(service(well(), None), &[&one, &two], async |address, _| {
        talk(address, &get("/", "x-brownout-request: 7\r\nx-brownout-attempt: 3\r\n")).await
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    for somebody in [one, two] {
        let asked = std::mem::take(&mut *somebody.asked.lock().unwrap());
        assert_eq!(asked, [(Identity { request: 7, attempt: 3.try_into().unwrap() }, None)]);
    }
}

#[tokio::test]
async fn a_failure_behind_is_a_502_and_ends_the_calls() {
    let (one, two) = (Somebody::new(MS(1), false), Somebody::new(MS(1), true));
    let answer =
        with_behind(service(well(), None), &[&one, &two], async |address, _| talk(address, &get("/", "")).await).await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    let decision = "request=1;attempt=1;outcome=bad_gateway;latency_ms=0.000";
    assert_eq!(header(&answer, "x-brownout-decision"), Some(decision));
    assert_eq!(answer.split("\r\n\r\n").nth(1), Some(r#"{"error": "Bad Gateway"}"#));
    assert_eq!((one.asked(), two.asked()), (1, 0));
}

#[tokio::test]
async fn a_service_that_fails_of_itself_calls_nobody() {
    let failing = well().with_rates(&[(Outcome::Error, "1".parse().unwrap())]).unwrap();
    let somebody = Somebody::new(MS(1), true);
    let answer =
        with_behind(service(failing, None), &[&somebody], async |address, _| talk(address, &get("/", "")).await).await;
    assert!(answer.starts_with("HTTP/1.1 500 ") && somebody.asked() == 0, "{answer}");
}

#[tokio::test]
async fn a_worker_is_held_until_those_behind_have_answered() {
    let somebody = Somebody::new(MS(100), true);
    with_behind(service(well(), Some(Abandoned::KeepWorking)), &[&somebody], async |address, _| {
        let start = Instant::now();
        let ask = || talk(address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        tokio::join!(ask(), ask(), ask());
        assert!(start.elapsed() >= somebody.takes * 3, "{:?}", start.elapsed());
    })
    .await;
    assert_eq!(somebody.asked(), 3);
}

#[tokio::test]
async fn what_is_left_of_an_attempt_is_known_where_its_caller_says_so() {
    let (somebody, began) = (Somebody::new(MS(1), true), Instant::now());
    with_behind(service(well(), None), &[&somebody], async |address, _| {
        for value in ["5000", "soon", "60000.5"] {
            talk(address, &get("/", &format!("x-brownout-deadline-ms: {value}\r\n"))).await;
        }
    })
    .await;
    let asked = somebody.asked.lock().unwrap();
    // By the clock of the run, which began after this test did.
    let soon = began.elapsed() + MS(5000);
    let soons: Vec<_> = asked.iter().map(|(_, until)| until.map(|until| until <= soon)).collect();
    assert_eq!(soons, [Some(true), None, Some(false)]);
}

/// Whether the second of two behind is asked though the client has gone while the first is at work.
async fn second_is_asked(abandoned: Option<Abandoned>) -> bool {
    let (one, two) = (Somebody::new(MS(300), true), Somebody::new(MS(1), true));
    with_behind(service(well(), abandoned), &[&one, &two], async |address, _| {
        ask_and_leave(address, &one, 1).await;
        // With one worker, whoever comes next is asked for when the first is done with.
        one.has_answered(1).await;
        let answer = talk(address, &get("/", "")).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    })
    .await;
    two.asked() == 2
}

#[tokio::test]
async fn what_a_client_left_is_brought_to_its_end_unless_it_is_dropped() {
    assert!(second_is_asked(None).await);
    assert!(second_is_asked(Some(Abandoned::KeepWorking)).await);
    assert!(second_is_asked(Some(Abandoned::DropWaiting)).await);
    assert!(!second_is_asked(Some(Abandoned::Drop)).await);
}

#[tokio::test]
async fn a_place_of_a_limit_is_held_though_the_client_has_gone() {
    let somebody = Somebody::new(MS(300), true);
    let limit = Limit::new(LimitRule::Concurrency(Concurrency(1.try_into().unwrap())));
    let service = service(well(), None).with_limits(vec![limit]).unwrap();
    with_behind(service, &[&somebody], async |address, _| {
        ask_and_leave(address, &somebody, 1).await;
        let refused = talk(address, &get("/", "")).await;
        assert!(refused.starts_with("HTTP/1.1 429 ") || somebody.over.load(SeqCst) > 0, "{refused}");
    })
    .await;
}

#[tokio::test]
async fn a_cache_saves_calls_once_they_have_succeeded_for_somebody() {
    let cache =
        Cache { keys: 1.try_into().unwrap(), hits: "1".parse().unwrap(), nodes: 1.try_into().unwrap(), cold: true };
    let cached = || service(well(), None).with_cache(Some(cache));
    let well = Somebody::new(MS(300), true);
    with_behind(cached(), &[&well], async |address, _| {
        // Nobody is there any more when it succeeds, so that nothing is kept.
        ask_and_leave(address, &well, 1).await;
        well.has_answered(1).await;
        for _ in 0..3 {
            assert!(talk(address, &get("/", "")).await.starts_with("HTTP/1.1 200 "));
        }
    })
    .await;
    assert_eq!(well.asked(), 2);
    let ill = Somebody::new(MS(1), false);
    with_behind(cached(), &[&ill], async |address, _| {
        for _ in 0..3 {
            assert!(talk(address, &get("/", "")).await.starts_with("HTTP/1.1 502 "));
        }
    })
    .await;
    assert_eq!(ill.asked(), 3);
}

#[tokio::test]
async fn calls_of_clients_are_their_first_attempts() {
    let somebody = Somebody::new(MS(1), true);
    with_behind(service(well(), None), &[&somebody], async |address, app| {
        for attempt in [1, 2, 3] {
            talk(address, &get("/", &format!("x-brownout-request: 5\r\nx-brownout-attempt: {attempt}\r\n"))).await;
        }
        talk(address, &get("/", "")).await;
        assert_eq!((app.requests(), app.calls()), (4, 2));
    })
    .await;
}
