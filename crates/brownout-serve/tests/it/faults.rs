//! Every fault, byte by byte, as a plain socket meets it.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use brownout_draw::Distribution;
use brownout_serve::Limits;
use brownout_service::{
    Behaviour, Change, End, Factors, Fault, Identity, Only, Outcome, Outcomes, Pattern, Phase, Point, Ramp, Route,
    Service, Window,
};

use super::{get, header, with_app, with_server};

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// A clean end of the stream.
    Fin,
    Reset,
    /// Nothing came for a while.
    Silence,
}

/// What came over a connection.
struct Met {
    bytes: Vec<u8>,
    fate: Fate,
    /// When the first byte came, the last, and the end.
    first: Duration,
    last: Duration,
    end: Duration,
}

impl Met {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn body(&self) -> String {
        self.text().split_once("\r\n\r\n").expect("a whole head").1.to_owned()
    }

    fn promised(&self) -> usize {
        header(&self.text(), "content-length").expect("a length").parse().unwrap()
    }
}

const MS: fn(u64) -> Duration = Duration::from_millis;

pub(crate) fn n(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn service(outcomes: Outcomes) -> Service {
    Service::new(Behaviour { outcomes, latency: Distribution::fixed(Duration::ZERO) }, vec![], vec![]).unwrap()
}

/// A service with nothing but this.
pub(crate) fn always(fault: Fault) -> Service {
    service(Outcomes::with_faults([], [(fault, "1".parse().unwrap())]).unwrap())
}

pub(crate) fn by_default(outcome: Outcome) -> Service {
    service(Outcomes::new([(outcome, "1".parse().unwrap())]).unwrap())
}

/// Sends `text` and reads until the connection ends, or nothing comes for two seconds.
fn talk(address: SocketAddr, text: &str) -> Met {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(MS(2000))).unwrap();
    let start = Instant::now();
    stream.write_all(text.as_bytes()).unwrap();
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    let (mut first, mut last) = (None, Duration::ZERO);
    let fate = loop {
        match stream.read(&mut piece) {
            Ok(0) => break Fate::Fin,
            Ok(count) => {
                bytes.extend_from_slice(&piece[..count]);
                last = start.elapsed();
                first.get_or_insert(last);
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break Fate::Reset,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break Fate::Silence,
            Err(error) => panic!("{error}"),
        }
    };
    Met { bytes, fate, first: first.unwrap_or_default(), last, end: start.elapsed() }
}

/// What a plain socket meets that sends `text`.
async fn met_by(service: Service, text: String) -> Met {
    let client = async |address| tokio::task::spawn_blocking(move || talk(address, &text)).await.unwrap();
    // The server ends at once, however long it has to leave somebody hanging.
    let limits = Limits { drain_time: Duration::from_secs(5), ..Limits::default() };
    with_server(service, limits, client).await
}

async fn met(service: Service) -> Met {
    met_by(service, get("/", "")).await
}

#[tokio::test]
async fn a_reset_is_a_reset_wherever_it_comes() {
    let at = async |point| met(always(Fault::connection_reset(point).unwrap())).await;
    let start = at(Point::Start).await;
    assert_eq!((start.fate, start.bytes.len()), (Fate::Reset, 0));
    let head = at(Point::Head).await;
    assert_eq!(head.fate, Fate::Reset);
    assert!(head.text().starts_with("HTTP/1.1 200 OK\r\n") && !head.text().contains("\r\n\r\n"), "{}", head.text());
    let body = at(Point::Body(7)).await;
    assert_eq!((body.fate, body.body().as_str()), (Fate::Reset, "{\"messa"));
    assert!(body.promised() > 7);
    let long = at(Point::Body(60_000)).await;
    assert_eq!((long.fate, long.body().len(), long.promised()), (Fate::Reset, 60_000, 60_001));
}

#[tokio::test]
async fn an_empty_response_is_a_clean_end_and_nothing_else() {
    let met = met(by_default(Outcome::EmptyResponse)).await;
    assert_eq!((met.fate, met.bytes.len()), (Fate::Fin, 0));
}

#[tokio::test]
async fn a_malformed_chunk_follows_a_head_that_announces_chunks() {
    let met = met(by_default(Outcome::MalformedChunk)).await;
    assert_eq!((met.fate, header(&met.text(), "transfer-encoding")), (Fate::Fin, Some("chunked")));
    let head = met.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let size = met.bytes[head..].split(|byte| *byte == b'\r').next().unwrap();
    assert!(!size.is_empty() && !size.iter().any(u8::is_ascii_hexdigit), "{size:?}");
}

#[tokio::test]
async fn garbage_is_no_http() {
    let met = met(by_default(Outcome::GarbageThenClose)).await;
    assert_eq!(met.fate, Fate::Fin);
    assert!(!met.bytes.is_empty() && !met.bytes.starts_with(b"H"), "{:?}", met.bytes);
}

#[tokio::test]
async fn a_truncated_body_is_shorter_than_its_head_says() {
    let half = met(by_default(Outcome::Truncate)).await;
    assert_eq!((half.fate, half.body().len()), (Fate::Fin, half.promised() / 2));
    let long = met(always(Fault::truncate(100_000).unwrap())).await;
    assert_eq!((long.fate, long.body().len(), long.promised()), (Fate::Fin, 100_000, 100_001));
}

#[tokio::test]
async fn a_body_dribbles_or_comes_as_fast_as_it_says() {
    let slow = met(always(Fault::dribble(n(8), MS(40), 64).unwrap())).await;
    assert_eq!((slow.fate, slow.body().len(), slow.promised()), (Fate::Fin, 64, 64));
    // Seven waits between the first piece, which comes with the head, and the last.
    assert!(slow.last - slow.first >= MS(7 * 40 - 5), "{:?}", slow.last - slow.first);
    assert!(is_the_usual(&slow.body()), "{}", slow.body());
    let even = met(always(Fault::bandwidth(n(1000), 300).unwrap())).await;
    assert_eq!((even.fate, even.body().len()), (Fate::Fin, 300));
    assert!(even.last - even.first >= MS(295), "{:?}", even.last - even.first);
}

/// Whether a body is the usual one, with nothing but spaces behind it.
fn is_the_usual(body: &str) -> bool {
    body.trim_end() == r#"{"message": "OK"}"#
}

#[tokio::test]
async fn who_hangs_gets_nothing_and_in_the_end_a_fin() {
    let bounded = met(always(Fault::hang(MS(300)).unwrap())).await;
    assert_eq!((bounded.fate, bounded.bytes.len()), (Fate::Fin, 0));
    assert!(bounded.end >= MS(300));
    let long = met(by_default(Outcome::Hang)).await;
    assert_eq!((long.fate, long.bytes.len()), (Fate::Silence, 0));
    let lost = met(always(Fault::lost_reply(End::Hang(MS(300))).unwrap())).await;
    assert_eq!((lost.fate, lost.bytes.len()), (Fate::Fin, 0));
    assert!(lost.end >= MS(300));
}

#[tokio::test]
async fn a_lost_reply_is_a_reset() {
    let met = met(by_default(Outcome::LostReply)).await;
    assert_eq!((met.fate, met.bytes.len()), (Fate::Reset, 0));
}

#[tokio::test]
async fn a_slow_close_comes_long_after_a_whole_answer() {
    let met = met(always(Fault::slow_close(MS(400)).unwrap())).await;
    assert_eq!((met.fate, met.body().len()), (Fate::Fin, met.promised()));
    assert_eq!(header(&met.text(), "connection"), Some("close"));
    assert!(met.end - met.last >= MS(350), "{:?} after {:?}", met.end, met.last);
}

#[tokio::test]
async fn a_stream_begins_well_and_breaks() {
    for (end, fate) in [(End::Close, Fate::Fin), (End::Reset, Fate::Reset)] {
        let met = met(always(Fault::stream_break(3, MS(40), end).unwrap())).await;
        assert_eq!((met.fate, header(&met.text(), "content-type")), (fate, Some("text/event-stream")));
        assert!(met.text().starts_with("HTTP/1.1 200 OK\r\n"));
        let events =
            ["", "data: {\"event\": 1}\n\n\r\n", "data: {\"event\": 2}\n\n\r\n", "data: {\"event\": 3}\n\n\r\n"];
        assert_eq!(met.body(), events.join("14\r\n"));
        assert!(met.last - met.first >= MS(75) && met.end - met.last >= MS(30), "{:?} {:?}", met.last, met.end);
    }
}

#[tokio::test]
async fn statuses_in_their_own_words() {
    let status = |code, body: &str| {
        let headers = vec![("Retry-After".to_owned(), "5".to_owned()), ("X-Reason".to_owned(), "mine".to_owned())];
        Fault::status_of_its_own(code, headers, body.to_owned()).unwrap()
    };
    let half = || "50%".parse().unwrap();
    let outcomes = Outcomes::with_faults([], [(status(529, "{}"), half()), (status(418, "no"), half())]).unwrap();
    with_server(service(outcomes), Limits::default(), async |address| {
        let mut codes = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let answer = super::talk(address, &get("/", "")).await;
            let json = answer.starts_with("HTTP/1.1 529 ");
            assert_eq!(header(&answer, "retry-after"), Some("5"));
            assert_eq!(header(&answer, "x-reason"), Some("mine"));
            assert_eq!(answer.ends_with("\r\n\r\n{}"), json, "{answer}");
            assert_eq!(header(&answer, "content-type") == Some("application/json"), json, "{answer}");
            codes.insert(answer.split(' ').nth(1).unwrap().to_owned());
        }
        assert_eq!(codes.into_iter().collect::<Vec<_>>(), ["418", "529"]);
    })
    .await;
}

/// A path that is well, and `/bad`, with this fault.
pub(crate) fn bad_route(fault: Fault) -> Service {
    let bad = Outcomes::with_faults([], [(fault, "1".parse().unwrap())]).unwrap();
    let change = Change { outcomes: Some(bad), latency: None };
    let route = Route { pattern: "/bad".parse::<Pattern>().unwrap(), change };
    let base = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(Duration::ZERO) };
    Service::new(base, vec![route], vec![]).unwrap()
}

fn request(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n")
}

#[tokio::test]
async fn sound_answers_before_a_fault_arrive_whole_and_nothing_comes_after_it() {
    let pipelined = [request("GET", "/1"), request("GET", "/2"), request("GET", "/bad"), request("GET", "/3")].concat();
    for (fault, fate) in [
        (Fault::truncate(5).unwrap(), Fate::Fin),
        (Fault::connection_reset(Point::Start).unwrap(), Fate::Reset),
        (Fault::slow_close(MS(50)).unwrap(), Fate::Fin),
    ] {
        let met = met_by(bad_route(fault.clone()), pipelined.clone()).await;
        let text = met.text();
        let whole =
            |path| text.contains(&format!("{{\"message\": \"OK\", \"path\": \"{path}\", \"method\": \"GET\"}}"));
        assert!(whole("/1") && whole("/2") && !whole("/3"), "{fault:?}: {text}");
        assert_eq!(met.fate, fate, "{fault:?}");
    }
}

/// A HEAD has no body, so what would befall it befalls the end of the head.
#[tokio::test]
async fn a_head_is_broken_like_any_other_request() {
    let head = async |fault| met_by(always(fault), request("HEAD", "/")).await;
    let cut = head(Fault::truncate_half()).await;
    assert!(cut.fate == Fate::Fin && !cut.bytes.is_empty() && !cut.text().contains("\r\n\r\n"), "{}", cut.text());
    let reset = head(Fault::connection_reset(Point::Body(9)).unwrap()).await;
    assert!(reset.fate == Fate::Reset && !reset.bytes.is_empty() && !reset.text().contains("\r\n\r\n"));
    let stream = head(Fault::stream_break(2, MS(20), End::Close).unwrap()).await;
    assert!(stream.fate == Fate::Fin && !stream.text().contains("\r\n\r\n") && stream.end >= MS(40));
    let paced = head(Fault::bandwidth(n(1000), 200).unwrap()).await;
    assert!(paced.text().ends_with("\r\n\r\n") && paced.last >= MS(200), "{} {:?}", paced.text(), paced.last);
    let slow = head(Fault::slow_close(MS(50)).unwrap()).await;
    assert!(slow.text().ends_with("\r\n\r\n"), "{}", slow.text());
}

/// A hundred connections of clients that left do not stay behind.
#[tokio::test]
async fn who_hangs_and_leaves_is_let_go() {
    let limits = Limits { connections: 4, ..Limits::default() };
    with_app(by_default(Outcome::Hang), limits, async |address, app| {
        let visits = tokio::task::spawn_blocking(move || {
            for _ in 0..100 {
                let mut stream = std::net::TcpStream::connect(address).unwrap();
                stream.write_all(get("/", "").as_bytes()).unwrap();
                stream.set_read_timeout(Some(MS(5))).unwrap();
                assert!(stream.read(&mut [0; 1]).is_err(), "it hangs");
            }
        });
        tokio::time::timeout(Duration::from_secs(20), visits).await.expect("places are given back").unwrap();
        let start = Instant::now();
        while app.requests() < 90 && start.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(MS(5)).await;
        }
        assert!(app.requests() >= 90, "{} requests", app.requests());
    })
    .await;
}

/// One seed, one fate: of each attempt the socket shows what the core decides.
#[tokio::test]
async fn a_mix_of_faults_comes_as_it_is_decided() {
    let rate = || "25%".parse().unwrap();
    let rates = [(Outcome::EmptyResponse, rate()), (Outcome::ConnectionReset, rate()), (Outcome::Error, rate())];
    let service = service(Outcomes::new(rates).unwrap());
    let expected: Vec<_> = (1..=40)
        .map(|number| {
            let asked = brownout_service::Request { method: "GET", path: "/" };
            let (route, identity) = (service.route(&asked), Identity::first(number));
            match service.decide(brownout_draw::Seed(42), route, identity, Duration::ZERO).outcome {
                Outcome::EmptyResponse => (Fate::Fin, 0),
                Outcome::ConnectionReset => (Fate::Reset, 0),
                outcome => (Fate::Fin, outcome.status()),
            }
        })
        .collect();
    let found = with_server(service, Limits::default(), async |address| {
        let talk = move || {
            let status = |met: &Met| met.text().split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
            (0..40).map(|_| talk(address, &get("/", ""))).map(|met| (met.fate, status(&met))).collect::<Vec<_>>()
        };
        tokio::task::spawn_blocking(talk).await.unwrap()
    })
    .await;
    assert_eq!(found, expected);
    let kinds: std::collections::BTreeSet<_> = found.iter().map(|found| format!("{found:?}")).collect();
    assert_eq!(kinds.len(), 4, "{kinds:?}");
}

/// A port that is shut from 0.5 to 1 s: a new connection is refused, a kept one ended, an answer under way still comes.
#[tokio::test]
async fn a_shut_port_refuses_and_opens_again() {
    let phase = Phase {
        name: "restart".to_owned(),
        window: Window { from: MS(500), until: Some(MS(1000)) },
        ramp: Ramp::default(),
        change: Change::default(),
        factors: Factors { refuse: true, ..Factors::default() },
        only: Only::default(),
    };
    let slow = Change { outcomes: None, latency: Some(Distribution::fixed(MS(700))) };
    let route = Route { pattern: "/slow".parse::<Pattern>().unwrap(), change: slow };
    let base = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(Duration::ZERO) };
    let service = Service::new(base, vec![route], vec![phase]).unwrap();
    with_server(service, Limits::default(), async |address| {
        let visit = move || {
            let mut kept = std::net::TcpStream::connect(address).unwrap();
            kept.set_read_timeout(Some(MS(5000))).unwrap();
            kept.write_all(request("GET", "/").as_bytes()).unwrap();
            let under_way = std::thread::spawn(move || talk(address, &get("/slow", "")));
            // The whole answer, and then its end, which comes when the port is shut.
            let mut answer = Vec::new();
            kept.read_to_end(&mut answer).unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
            // The listener goes with its connections; whoever is quick enough still finds it.
            let start = Instant::now();
            let refused = || std::net::TcpStream::connect(address).err().map(|error| error.kind());
            while refused() != Some(ErrorKind::ConnectionRefused) {
                assert!(start.elapsed() < Duration::from_secs(5), "the port is never shut");
                std::thread::sleep(MS(5));
            }
            let slow = under_way.join().unwrap();
            assert!(slow.text().starts_with("HTTP/1.1 200 OK\r\n"), "{}", slow.text());
            while refused().is_some() {
                assert!(start.elapsed() < Duration::from_secs(10), "the port is never opened again");
                std::thread::sleep(MS(5));
            }
            assert!(talk(address, &get("/", "")).text().starts_with("HTTP/1.1 200 OK\r\n"));
        };
        tokio::task::spawn_blocking(visit).await.unwrap();
    })
    .await;
}
