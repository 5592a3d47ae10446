//! What comes over a connection, byte by byte, and over HTTP/2.

use std::io::Write;
use std::net::TcpStream;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_draw::{Distribution, Seed};
use brownout_drive::{Drive, Target, Trust};
use brownout_load::{Exchange, Load, LoadResult, Reply};
use brownout_policy::{Growth, Policy, Settings, Transport};
use brownout_serve::{App, Server};
use brownout_service::{Behaviour, Outcome, Outcomes, Service};
use tokio::sync::oneshot;

use crate::raw::{head, server};

fn target(url: &str) -> Target {
    Target::new(url, "GET", None, &Trust::default()).unwrap()
}

fn drive(target: Target) -> Drive {
    let (target, policy) = (Arc::new(target), Arc::new(Policy::none()));
    Drive { target, policy, seed: Seed(1), clock: Clock::start(Scale::ONE) }
}

/// What a client makes of these bytes, which come `at_once` or one by one, after which the connection ends.
async fn read(answer: &'static [u8], at_once: bool) -> Exchange {
    let url = server(1, move |_, mut stream: TcpStream| {
        stream.set_nodelay(true).unwrap();
        head(&mut stream);
        for piece in answer.chunks(if at_once { answer.len() } else { 1 }) {
            if stream.write_all(piece).is_err() {
                return;
            }
        }
    });
    drive(target(&url)).request(1, Some(Duration::from_secs(20))).await
}

#[tokio::test]
async fn an_answer_is_whole_in_whatever_frame_and_pieces_it_comes() {
    let whole: [(&[u8], u16, &str); 11] = [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", 200, "hello"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello, and what nobody asked for", 200, "hello"),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end"),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, "ok"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, "hello"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nx: y\r\n\r\n",
            200,
            "hello",
        ),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200, "x"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nto the end", 200, "to the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n", 404, ""),
        (b"HTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n", 204, ""),
    ];
    for (bytes, status, body) in whole {
        for at_once in [true, false] {
            let exchange = read(bytes, at_once).await;
            let shown = String::from_utf8_lossy(bytes);
            assert_eq!(
                (exchange.reply, exchange.body.as_str()),
                (Reply::Status(status), body),
                "{shown}: {exchange:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_is_told_for_what_it_is() {
    let broken: [(&[u8], Transport); 11] = [
        (b"", Transport::Closed),
        (b"HTTP/1.1 200 OK\r\ncontent-le", Transport::Closed),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell", Transport::Closed),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhell", Transport::Closed),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", Transport::Closed),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello\r\n", Transport::Protocol),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello, and more", Transport::Protocol),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\x00\r\n\r\n", Transport::Protocol),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello", Transport::Protocol),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello", Transport::Protocol),
        (b"SSH-2.0-OpenSSH_9.9\r\n", Transport::Protocol),
    ];
    for (bytes, transport) in broken {
        let exchange = read(bytes, true).await;
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(exchange.reply, Reply::Broken(transport), "{shown}: {exchange:?}");
        assert!(exchange.error.is_some());
    }
}

#[tokio::test]
async fn a_head_without_end_is_given_up() {
    let url = server(1, |_, mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let exchange = drive(target(&url)).request(1, Some(Duration::from_secs(20))).await;
    assert_eq!(exchange.reply, Reply::Broken(Transport::Protocol), "{exchange:?}");
}

/// On how many connections three calls of one client come, where each answer is these bytes and the service would take more.
async fn connections(answer: &'static [u8], keep_alive: bool) -> usize {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let url = server(3, move |_, mut stream| {
        count.fetch_add(1, Ordering::SeqCst);
        // One after another: the next connection is taken once this one is left.
        loop {
            let head = head(&mut stream);
            if head.is_empty() {
                return;
            }
            assert_eq!(head.contains("connection: close\r\n"), !keep_alive, "{head}");
            stream.write_all(answer).unwrap();
        }
    });
    let target = if keep_alive { target(&url) } else { target(&url).without_keep_alive() };
    let load = Load { count: Some(3), ..Load::default() };
    let result = drive(target).load(&load, None, std::future::pending(), |_, _| ()).await;
    assert_eq!(result.calls.succeeded, 3, "{result:?}");
    opened.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_connection_is_used_again_where_the_answer_lets_it() {
    let well = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    assert_eq!(connections(well, true).await, 1);
    assert_eq!(connections(well, false).await, 3);
    assert_eq!(connections(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok", true).await, 3);
    assert_eq!(connections(b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", true).await, 3);
    assert_eq!(connections(b"HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 2\r\n\r\nok", true).await, 1);
    // Who says more than he was asked for is not trusted with another request.
    assert_eq!(connections(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok, and more", true).await, 3);
}

/// Calls a service of these outcomes in HTTP/2: what came of it, and how many connections it took.
async fn over_http2(outcomes: Outcomes, settings: Settings, load: Load) -> (LoadResult, u64) {
    let latency = Distribution::fixed(Duration::from_millis(5));
    let service = Service::new(Behaviour { outcomes, latency }, vec![], vec![]).unwrap();
    let limits = brownout_serve::Limits { drain_time: Duration::from_millis(50), ..Default::default() };
    let server = Server::bind(([127, 0, 0, 1], 0).into(), limits).await.unwrap();
    let url = format!("http://{}/", server.address());
    let app = Arc::new(App::new(service, Seed(42), None, Clock::start(Scale::ONE)));
    let (end, ended) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(Arc::clone(&app), async { ended.await.unwrap_or(()) }));
    let drive = Drive { policy: Arc::new(Policy::new(settings).unwrap()), ..drive(target(&url).over_http2()) };
    let result = drive.load(&load, None, std::future::pending(), |_, _| ()).await;
    drop(end);
    running.await.unwrap();
    (result, app.connections().0)
}

#[tokio::test]
async fn http2_carries_the_calls_of_a_client_over_one_connection() {
    let error = Outcomes::new([(Outcome::Error, "30%".parse().unwrap())]).unwrap();
    let settings = Settings { max_retries: Some(3), growth: Some(Growth::Constant), ..Settings::default() };
    let load = Load { count: Some(60), clients: NonZeroU32::new(4).unwrap(), ..Load::default() };
    let (result, connections) = over_http2(error, settings, load).await;
    assert_eq!((result.calls.started, connections), (60, 4));
    assert!(result.by_fault.is_empty() && result.attempts.retries > 0, "{result:?}");
}

#[tokio::test]
async fn ends_of_streams_are_told_apart() {
    for (outcome, transport) in [
        (Outcome::RstStream, "reset"),
        (Outcome::GoAway, "closed"),
        (Outcome::RefusedStream, "closed"),
        (Outcome::ConnectionReset, "reset"),
    ] {
        let outcomes = Outcomes::new([(outcome, "100%".parse().unwrap())]).unwrap();
        let settings = Settings { max_retries: Some(0), ..Settings::default() };
        let (result, _) = over_http2(outcomes, settings, Load { count: Some(3), ..Load::default() }).await;
        assert_eq!(result.by_fault, [(transport, 3)].into(), "{outcome:?}: {result:?}");
    }
}
