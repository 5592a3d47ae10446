//! HTTP/2 and its faults, frame by frame, as a client on a plain socket meets them.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use brownout_draw::Distribution;
use brownout_serve::Limits;
use brownout_service::{
    Abandoned, Behaviour, Capacity, Change, End, ErrorCode, Fault, Outcome, Outcomes, Pattern, Point, Queue, Route,
    Service, Shed,
};

use crate::faults::{always, bad_route, by_default, n};
use crate::raw::{Client, DATA, Fate, Frame, GOAWAY, HEADERS, RST_STREAM, WINDOW_UPDATE, told};
use crate::{get, talk, with_app, with_server};

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Talks to a server of `service` on a thread of its own.
async fn with_client<T: Send + 'static>(
    service: Service,
    limits: Limits,
    client: impl FnOnce(SocketAddr) -> T + Send + 'static,
) -> T {
    let client = async |address| tokio::task::spawn_blocking(move || client(address)).await.unwrap();
    with_server(service, limits, client).await
}

/// What a GET of a service with nothing but this fault meets: the frames, what is no frame, and the end; where the stream has
/// ended and its connection has not, the next request on it must be answered by the same.
async fn met(fault: Fault) -> (Vec<Frame>, Vec<u8>, Option<Fate>) {
    met_by("GET", fault).await
}

async fn met_by(method: &'static str, fault: Fault) -> (Vec<Frame>, Vec<u8>, Option<Fate>) {
    with_client(always(fault), Limits::default(), move |address| {
        let mut client = Client::connect(address);
        client.ask(1, method, "/", true);
        let frames = client.until_end_of(1);
        if client.fate.is_none() {
            client.ask(3, method, "/", true);
            assert_eq!(told(&client.until_end_of(3)), told(&frames));
        }
        (frames, client.rest, client.fate)
    })
    .await
}

/// The same in words. A connection that ends has sent whole frames.
async fn told_of(fault: Fault) -> (Vec<String>, Option<Fate>) {
    let (frames, rest, fate) = met(fault).await;
    assert_eq!(rest, b"");
    (told(&frames), fate)
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

const SUCCESS: &str = r#"{"message": "OK", "path": "/", "method": "GET"}"#;

#[tokio::test]
async fn a_port_speaks_both() {
    let service = bad_route(Fault::truncate_half());
    with_client(service, Limits::default(), |address| {
        let mut client = Client::connect(address);
        for stream in [1, 3, 5] {
            client.get(stream, "/");
            assert_eq!(told(&client.until_end_of(stream)), ["200".to_owned(), format!("{SUCCESS}.")]);
        }
        client.ask(7, "HEAD", "/", true);
        assert_eq!(told(&client.until_end_of(7)), ["200."]);
        // In between, HTTP/1.1, and HTTP/2 whose first bytes come one by one.
        let mut old = TcpStream::connect(address).unwrap();
        old.write_all(get("/", "").as_bytes()).unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut old, &mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(SUCCESS), "{answer}");
        let mut slow = TcpStream::connect(address).unwrap();
        slow.set_nodelay(true).unwrap();
        slow.set_read_timeout(Some(MS(2000))).unwrap();
        for byte in [b"P", b"R"] {
            slow.write_all(byte).unwrap();
            std::thread::sleep(MS(20));
        }
        let mut client = Client::over(Behind(slow, 2), &[]);
        client.get(1, "/");
        assert_eq!(told(&client.until_end_of(1)).len(), 2);
    })
    .await;
}

/// A socket over which so many bytes were sent before.
#[derive(Debug)]
struct Behind(TcpStream, usize);

impl std::io::Read for Behind {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Write for Behind {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let sent = std::mem::take(&mut self.1);
        Ok(sent + self.0.write(&bytes[sent..])?)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[tokio::test]
async fn a_stream_is_reset_where_it_says_and_its_connection_is_not() {
    let reset = async |point, code| told_of(Fault::rst_stream(point, code).unwrap()).await;
    assert_eq!(reset(Point::Start, ErrorCode::InternalError).await, (strings(&["RST_STREAM 2"]), None));
    assert_eq!(reset(Point::Head, ErrorCode::Cancel).await, (strings(&["200", "RST_STREAM 8"]), None));
    let calm = reset(Point::Body(9), ErrorCode::EnhanceYourCalm).await;
    assert_eq!(calm, (strings(&["200", &SUCCESS[..9], "RST_STREAM 11"]), None));
    // All of a long body that is due comes before the end, whatever it takes in frames.
    let (frames, _, fate) = met(Fault::rst_stream(Point::Body(30_000), ErrorCode::NoError).unwrap()).await;
    assert_eq!((body(&frames).len(), frames.last().unwrap().kind, fate), (30_000, RST_STREAM, None));
    let refused = told_of(fault(Outcome::RefusedStream)).await;
    assert_eq!(refused, (strings(&["RST_STREAM 7"]), None));
    assert_eq!(told_of(fault(Outcome::LostReply)).await, (strings(&["RST_STREAM 2"]), None));
}

fn fault(outcome: Outcome) -> Fault {
    by_default(outcome).base().outcomes.fault(outcome, || 0).unwrap().clone()
}

fn body(frames: &[Frame]) -> Vec<u8> {
    frames.iter().filter(|frame| frame.kind == DATA).flat_map(|frame| frame.payload.clone()).collect()
}

/// A service that is slow at `/slow` and has this fault at `/bad`.
fn slow_and_bad(fault: Fault) -> Service {
    let slow = Change { outcomes: None, latency: Some(Distribution::fixed(MS(300))) };
    let bad = Outcomes::with_faults([], [(fault, "1".parse().unwrap())]).unwrap();
    let bad = Change { outcomes: Some(bad), latency: Some(Distribution::fixed(MS(50))) };
    let route = |pattern: &str, change| Route { pattern: pattern.parse::<Pattern>().unwrap(), change };
    let base = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(Duration::ZERO) };
    Service::new(base, vec![route("/slow", slow), route("/bad", bad)], vec![]).unwrap()
}

/// What a client meets that asks for `/slow` and for `/bad` at once.
async fn both(fault: Fault) -> (Vec<Frame>, Vec<u8>, Fate) {
    with_client(slow_and_bad(fault), Limits::default(), |address| {
        let mut client = Client::connect(address);
        client.get(1, "/slow");
        client.get(3, "/bad");
        let (frames, fate) = client.until_it_ends();
        (frames, client.rest, fate)
    })
    .await
}

#[tokio::test]
async fn goaway_leaves_its_request_out_and_answers_those_before() {
    let away = async |code| {
        let (frames, rest, fate) = both(Fault::goaway(code)).await;
        assert_eq!((rest.len(), fate), (0, Fate::Fin));
        told(&frames)
    };
    let slow = SUCCESS.replace('/', "/slow");
    assert_eq!(away(ErrorCode::NoError).await, ["GOAWAY 1 0".to_owned(), "200".to_owned(), format!("{slow}.")]);
    assert_eq!(away(ErrorCode::EnhanceYourCalm).await[0], "GOAWAY 1 11");
    // The first request of a connection has none before it.
    assert_eq!(told_of(fault(Outcome::GoAway)).await, (strings(&["GOAWAY 0 0"]), Some(Fate::Fin)));
    // What comes after it is not worked on.
    let late = with_client(slow_and_bad(Fault::goaway(ErrorCode::NoError)), Limits::default(), |address| {
        let mut client = Client::connect(address);
        client.get(1, "/slow");
        client.get(3, "/bad");
        assert_eq!(client.next().unwrap().kind, GOAWAY);
        client.get(5, "/");
        client.until_end_of(5)
    });
    assert_eq!(told(&late.await), ["RST_STREAM 7"]);
}

#[tokio::test]
async fn what_ends_a_connection_ends_it_for_all() {
    let reset = |point| Fault::connection_reset(point).unwrap();
    for (fault, end) in [
        (reset(Point::Start), Fate::Reset),
        (reset(Point::Head), Fate::Reset),
        (fault(Outcome::EmptyResponse), Fate::Fin),
        (fault(Outcome::MalformedChunk), Fate::Fin),
        (fault(Outcome::GarbageThenClose), Fate::Fin),
    ] {
        let (frames, _, fate) = both(fault.clone()).await;
        assert_eq!((frames.iter().filter(|frame| frame.stream == 1).count(), fate), (0, end), "{fault:?}");
    }
}

#[tokio::test]
async fn a_reset_connection_has_sent_what_it_says() {
    let reset = async |point| met(Fault::connection_reset(point).unwrap()).await;
    let (start, rest, fate) = reset(Point::Start).await;
    assert_eq!((start.len(), rest.len(), fate), (0, 0, Some(Fate::Reset)));
    // A frame that tells of more than comes, and begins as a head does.
    let (head, rest, fate) = reset(Point::Head).await;
    assert_eq!((head.len(), rest[3], fate), (0, HEADERS, Some(Fate::Reset)));
    assert!(rest[9..].starts_with(b"\0\x07:status\x03200"), "{rest:?}");
    let (frames, rest, fate) = reset(Point::Body(7)).await;
    assert_eq!((told(&frames), rest.len(), fate), (strings(&["200", &SUCCESS[..7]]), 0, Some(Fate::Reset)));
    let (frames, rest, fate) = reset(Point::Body(60_000)).await;
    assert_eq!((body(&frames).len(), rest.len(), fate), (60_000, 0, Some(Fate::Reset)));
}

#[tokio::test]
async fn empty_malformed_and_garbage() {
    assert_eq!(told_of(fault(Outcome::EmptyResponse)).await, (vec![], Some(Fate::Fin)));
    let (frames, rest, fate) = met(fault(Outcome::MalformedChunk)).await;
    let [head, data] = &frames[..] else { panic!("{frames:?}") };
    // Padded, with more padding than there is frame.
    assert_eq!((head.kind, data.kind, data.flags), (HEADERS, DATA, 0x8));
    assert!(usize::from(data.payload[0]) >= data.payload.len());
    assert_eq!((rest.len(), fate), (0, Some(Fate::Fin)));
    let (frames, rest, fate) = met(fault(Outcome::GarbageThenClose)).await;
    assert_eq!((frames.len(), fate), (0, Some(Fate::Fin)));
    // Larger than any frame that this client takes.
    assert!(rest.len() > 9 && u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) > 16_384, "{rest:?}");
}

#[tokio::test]
async fn a_truncated_body_ends_cleanly_and_too_soon() {
    let half = &SUCCESS[..SUCCESS.len() / 2];
    assert_eq!(told_of(Fault::truncate_half()).await, (strings(&["200", &format!("{half}.")]), None));
    // A client that counts finds that less came than was promised.
    with_server(always(Fault::truncate(5).unwrap()), Limits::default(), async |address| {
        let socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut send, connection) = h2::client::handshake(socket).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = hyper::Request::get("http://x/").body(()).unwrap();
        let response = send.send_request(request, true).unwrap().0.await.unwrap();
        assert_eq!(response.headers()["content-length"], "47");
        let mut body = response.into_body();
        let mut came = 0;
        let error = loop {
            match body.data().await.expect("no clean end") {
                Ok(bytes) => came += bytes.len(),
                Err(error) => break error,
            }
        };
        assert_eq!(error.reason(), Some(h2::Reason::PROTOCOL_ERROR));
        assert!(came <= 5);
        drop((send, body));
        let _ = connection.await;
    })
    .await;
}

#[tokio::test]
async fn bodies_take_their_time_and_their_streams_are_well() {
    let timed = async |fault| {
        let (frames, _, fate) = met(fault).await;
        assert_eq!(fate, None);
        let data: Vec<_> = frames.iter().filter(|frame| frame.kind == DATA).cloned().collect();
        let lasted = data.last().unwrap().at - data[0].at;
        assert!(data.last().unwrap().ends_stream());
        (body(&data).len(), data.len(), lasted)
    };
    let (bytes, pieces, lasted) = timed(Fault::dribble(n(8), MS(40), 64).unwrap()).await;
    assert!((bytes, pieces) == (64, 8) && lasted >= MS(7 * 40 - 5), "{bytes} {pieces} {lasted:?}");
    let (bytes, _, lasted) = timed(Fault::bandwidth(n(1000), 300).unwrap()).await;
    assert!(bytes == 300 && lasted >= MS(275), "{bytes} {lasted:?}");
    // All at once, and the end of the stream long after.
    let (bytes, pieces, lasted) = timed(Fault::slow_close(MS(300)).unwrap()).await;
    assert!((bytes, pieces) == (SUCCESS.len(), 2) && lasted >= MS(295), "{bytes} {pieces} {lasted:?}");
}

#[tokio::test]
async fn what_breaks_off_is_a_stream_that_is_reset() {
    let start = Instant::now();
    assert_eq!(told_of(Fault::hang(MS(150)).unwrap()).await, (strings(&["RST_STREAM 2"]), None));
    assert!(start.elapsed() >= MS(2 * 150));
    let stream = async |end| told_of(Fault::stream_break(2, MS(20), end).unwrap()).await;
    let events = ["200", "data: {\"event\": 1}\n\n", "data: {\"event\": 2}\n\n"];
    assert_eq!(stream(End::Close).await, (strings(&[&events[..], &["RST_STREAM 2"]].concat()), None));
    assert_eq!(stream(End::Reset).await, (strings(&events), Some(Fate::Reset)));
    let silent = with_client(by_default(Outcome::Hang), Limits::default(), |address| {
        let mut client = Client::connect(address);
        client.get(1, "/");
        client.until_it_ends()
    });
    let (frames, fate) = silent.await;
    assert_eq!((frames.len(), fate), (0, Fate::Silence));
}

/// A HEAD that ended cleanly would be a sound answer.
#[tokio::test]
async fn a_head_is_broken_like_any_other_request() {
    let head = async |fault| {
        let (frames, rest, fate) = met_by("HEAD", fault).await;
        (told(&frames), rest.len(), fate)
    };
    assert_eq!(head(Fault::truncate_half()).await, (strings(&["200", "RST_STREAM 2"]), 0, None));
    assert_eq!(head(Fault::slow_close(MS(20)).unwrap()).await, (strings(&["200", "."]), 0, None));
    assert_eq!(head(Fault::bandwidth(n(1000), 64).unwrap()).await, (strings(&["200."]), 0, None));
    let (frames, rest, fate) = head(Fault::connection_reset(Point::Body(9)).unwrap()).await;
    assert!(frames.is_empty() && rest > 9 && fate == Some(Fate::Reset), "{frames:?} {rest} {fate:?}");
}

/// A client with room for ten bytes gets ten, and the others when it has room for them.
#[tokio::test]
async fn bodies_wait_for_room() {
    const INITIAL_WINDOW_SIZE: u16 = 4;
    with_client(bad_route(Fault::truncate_half()), Limits::default(), |address| {
        let mut client = Client::with_settings(address, &[(INITIAL_WINDOW_SIZE, 10)]);
        client.get(1, "/");
        assert_eq!(client.next().unwrap().kind, HEADERS);
        assert_eq!(told(&[client.next().unwrap()]), [&SUCCESS[..10]]);
        client.get(3, "/nowhere");
        assert_eq!(client.next().unwrap().stream, 3, "others do not wait");
        assert_eq!(client.next().unwrap().stream, 3);
        client.send(WINDOW_UPDATE, 0, 1, &1000_u32.to_be_bytes());
        assert_eq!(told(&client.until_end_of(1)), [format!("{}.", &SUCCESS[10..])]);
    })
    .await;
}

#[tokio::test]
async fn bounds_hold() {
    const MAX_CONCURRENT_STREAMS: [u8; 6] = [0, 3, 0, 0, 0, 2];
    let limits = Limits { streams: 2, body_bytes: 10, head_bytes: 1000, ..Limits::default() };
    with_client(slow_and_bad(Fault::truncate_half()), limits, |address| {
        let mut client = Client::connect(address);
        // More than two at once are refused.
        for stream in [1, 3, 5] {
            client.get(stream, "/slow");
        }
        let (frames, _) = (client.until_end_of(3), client.fate);
        let of = |stream| frames.iter().filter(move |frame| frame.stream == stream);
        assert_eq!(of(5).map(|frame| (frame.kind, frame.number(0))).collect::<Vec<_>>(), [(RST_STREAM, 7)]);
        assert_eq!(of(1).count() + of(3).count(), 4);
        // Too much of a body, and too much of a head.
        client.ask(7, "POST", "/", false);
        client.send(DATA, 1, 7, b"hello world");
        let refused = client.until_end_of(7);
        assert!(refused[0].kind == HEADERS && body(&refused) == br#"{"error": "the body is too large"}"#);
        client.ask(9, "GET", &format!("/{}", "x".repeat(120)), false);
        client.send(DATA, 1, 9, b"");
        assert_eq!(told(&client.until_end_of(9))[0], "200");
        let long = [&[0x82, 0x86, 0x84, 0x41, 1, b'x', 0, 1, b'y', 0x7f, 0x80 | 17, 15], &[b'z'; 2064][..]].concat();
        client.send(HEADERS, 0x5, 11, &long);
        let refused = client.until_end_of(11);
        assert!(matches!(&told(&refused)[..], [one] if one == "HEADERS."), "{:?}", told(&refused));
    })
    .await;
    // Its settings say so first.
    let first = with_client(by_default(Outcome::Error), limits, |address| {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
        let mut bytes = vec![0; 64];
        let count = std::io::Read::read(&mut socket, &mut bytes).unwrap();
        bytes.truncate(count);
        bytes
    })
    .await;
    assert!(first[3] == 4 && first.windows(6).any(|window| window == MAX_CONCURRENT_STREAMS), "{first:?}");
}

#[tokio::test]
async fn a_silent_client_is_let_go_and_a_slow_answer_is_not() {
    let limits = Limits { head_time: MS(100), ..Limits::default() };
    with_client(slow_and_bad(Fault::truncate_half()), limits, |address| {
        let mut idle = Client::connect(address);
        assert_eq!(idle.until_it_ends().1, Fate::Fin);
        let mut half = TcpStream::connect(address).unwrap();
        half.write_all(b"PRI * HT").unwrap();
        half.set_read_timeout(Some(MS(2000))).unwrap();
        let mut bytes = Vec::new();
        assert!(std::io::Read::read_to_end(&mut half, &mut bytes).is_ok(), "a half preface is let go");
        let mut slow = Client::connect(address);
        slow.get(1, "/slow");
        assert_eq!(told(&slow.until_end_of(1)).len(), 2);
    })
    .await;
}

/// One worker, which drops what nobody waits for: a request that is given up makes room for the next.
#[tokio::test]
async fn who_resets_a_stream_has_abandoned_its_request() {
    let capacity = Capacity {
        workers: n(1),
        service_time: Distribution::fixed(MS(1000)),
        queue: Queue::default(),
        shed: Shed::default(),
        abandoned: Abandoned::Drop,
    };
    let base = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(Duration::ZERO) };
    let service = Service::new(base, vec![], vec![]).unwrap().with_capacity(Some(capacity)).unwrap();
    let elapsed = with_client(service, Limits::default(), |address| {
        let mut client = Client::connect(address);
        let start = Instant::now();
        client.get(1, "/");
        client.get(3, "/");
        std::thread::sleep(MS(100));
        client.send(RST_STREAM, 0, 1, &8_u32.to_be_bytes());
        let frames = client.until_end_of(3);
        assert!(frames.iter().all(|frame| frame.stream == 3));
        start.elapsed()
    })
    .await;
    assert!(elapsed >= MS(1050) && elapsed < MS(1900), "{elapsed:?}");
}

#[tokio::test]
async fn an_answer_under_way_is_finished_when_the_server_ends() {
    let service = slow_and_bad(Fault::truncate_half());
    let told = with_app(service, Limits::default(), async |address, app| {
        let talking = tokio::task::spawn_blocking(move || {
            let mut client = Client::connect(address);
            client.get(1, "/slow");
            let (frames, fate) = client.until_it_ends();
            (told(&frames), fate)
        });
        while app.requests() == 0 {
            tokio::time::sleep(MS(5)).await;
        }
        Some(talking)
    })
    .await;
    let (frames, fate) = told.unwrap().await.unwrap();
    // A warning that names no stream, the answer, and the end, which names the last.
    assert_eq!((frames[0].as_str(), fate), ("GOAWAY 2147483647 0", Fate::Fin), "{frames:?}");
    assert_eq!(frames.iter().filter(|frame| *frame == "200").count(), 1, "{frames:?}");
    assert!(frames.contains(&"GOAWAY 1 0".to_owned()), "{frames:?}");
}

/// One seed, one fate, whichever HTTP is spoken.
#[tokio::test]
async fn decisions_are_the_same_over_both() {
    let half = || "50%".parse().unwrap();
    let service = || {
        let outcomes = Outcomes::new([(Outcome::Error, half())]).unwrap();
        Service::new(Behaviour { outcomes, latency: Distribution::fixed(Duration::ZERO) }, vec![], vec![]).unwrap()
    };
    let new = with_client(service(), Limits::default(), |address| {
        let mut client = Client::connect(address);
        let answer = |number: u32| {
            client.get(2 * number + 1, "/");
            told(&client.until_end_of(2 * number + 1))[0] == "200"
        };
        (0..40).map(answer).collect::<Vec<_>>()
    })
    .await;
    let old = with_server(service(), Limits::default(), async |address| {
        let mut old = Vec::new();
        for _ in 0..40 {
            old.push(talk(address, &get("/", "")).await.starts_with("HTTP/1.1 200 "));
        }
        old
    })
    .await;
    assert_eq!(new, old);
    assert!(new.contains(&true) && new.contains(&false));
}
