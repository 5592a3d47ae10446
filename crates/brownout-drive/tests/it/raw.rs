//! Servers made by hand, each doing one thing to its client.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_draw::Seed;
use brownout_drive::{Drive, Target, Trust};
use brownout_load::{CallTrace, Reply};
use brownout_policy::{Growth, Policy, Settings, StopReason, Transport};

/// A server on a thread of its own that hands each of `connections` connections to `serve`, then stops.
pub(crate) fn server(connections: usize, serve: impl Fn(usize, TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for number in 0..connections {
            serve(number, listener.accept().unwrap().0);
        }
    });
    url
}

/// Reads one request head and returns it in lower case.
pub(crate) fn head(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap().to_lowercase()
}

fn drive(url: &str, settings: Settings) -> Drive {
    let target = Target::new(url, "GET", None, &Trust::default()).unwrap();
    Drive {
        target: Arc::new(target),
        policy: Arc::new(Policy::new(settings).unwrap()),
        seed: Seed(1),
        clock: Clock::start(Scale::ONE),
    }
}

fn hasty() -> Settings {
    Settings { base_delay: Some(Duration::from_millis(1)), ..Settings::default() }
}

async fn trace(url: &str, settings: Settings) -> CallTrace {
    drive(url, settings).trace(5).await.unwrap()
}

#[tokio::test]
async fn a_clean_end_without_an_answer_is_closed() {
    let url = server(4, |_, mut stream| drop(head(&mut stream)));
    let trace = trace(&url, hasty()).await;
    assert_eq!(trace.end.failed, Some(StopReason::Exhausted));
    assert!(trace.trail.attempts.iter().all(|attempt| attempt.reply == Reply::Broken(Transport::Closed)), "{trace:?}");
}

#[tokio::test]
async fn an_end_in_the_middle_of_the_body_is_closed() {
    let url = server(1, |_, mut stream| {
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").unwrap();
    });
    let trace = trace(&url, Settings { max_retries: Some(0), ..hasty() }).await;
    assert_eq!(trace.last.reply, Reply::Broken(Transport::Closed), "{:?}", trace.last);
}

#[tokio::test]
async fn an_unread_request_makes_the_kernel_reset() {
    // A socket closed with unread bytes in it answers with RST, as the kernels of Linux, macOS and Windows do.
    let url = server(1, |_, stream| {
        let mut byte = [0];
        (&stream).read_exact(&mut byte).unwrap();
        drop(stream);
    });
    let trace = trace(&url, Settings { max_retries: Some(0), ..hasty() }).await;
    assert_eq!(trace.last.reply, Reply::Broken(Transport::Reset), "{:?}", trace.last);
}

#[tokio::test]
async fn what_is_no_http_is_a_protocol_failure() {
    let url = server(1, |_, mut stream| {
        head(&mut stream);
        stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").unwrap();
    });
    let trace = trace(&url, Settings { max_retries: Some(0), ..hasty() }).await;
    assert_eq!(trace.last.reply, Reply::Broken(Transport::Protocol), "{:?}", trace.last);
}

#[tokio::test]
async fn nobody_listening_is_a_failure_to_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let trace = trace(&url, hasty()).await;
    assert_eq!(trace.last.reply, Reply::Broken(Transport::Connect));
    assert_eq!(trace.trail.attempts.len(), 4);
    assert!(trace.last.error.unwrap().contains("refused"));
}

#[tokio::test]
async fn silence_is_given_up_in_time_and_its_connection_with_it() {
    let url = server(2, |number, mut stream| {
        head(&mut stream);
        if number == 1 {
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        } else {
            let _ = stream.read(&mut [0]);
        }
    });
    let trace = trace(&url, Settings { attempt_timeout: Some(Duration::from_millis(200)), ..hasty() }).await;
    let replies: Vec<_> = trace.trail.attempts.iter().map(|attempt| attempt.reply).collect();
    assert_eq!(replies, [Reply::Broken(Transport::Timeout), Reply::Status(204)]);
    assert!(trace.trail.attempts[0].latency_ns >= 200_000_000);
}

#[tokio::test]
async fn each_attempt_says_which_it_is_and_a_redirect_is_not_followed() {
    let url = server(1, |_, mut stream| {
        assert!(head(&mut stream).contains("x-brownout-request: 5\r\nx-brownout-attempt: 1\r\n"));
        stream.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").unwrap();
        assert!(head(&mut stream).contains("x-brownout-request: 5\r\nx-brownout-attempt: 2\r\n"));
        stream.write_all(b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n").unwrap();
    });
    let trace = trace(&url, hasty()).await;
    let replies: Vec<_> = trace.trail.attempts.iter().map(|attempt| attempt.reply).collect();
    assert_eq!(replies, [Reply::Status(503), Reply::Status(302)]);
    assert_eq!(trace.last.header("location"), Some("/elsewhere"));
}

#[tokio::test]
async fn a_connection_closed_while_idle_costs_no_attempt() {
    let url = server(2, |number, mut stream| {
        head(&mut stream);
        let status = if number == 0 { "503 Busy" } else { "200 OK" };
        stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).unwrap();
    });
    let settings = Settings { base_delay: Some(Duration::from_millis(100)), ..Settings::default() };
    let trace = trace(&url, settings).await;
    let replies: Vec<_> = trace.trail.attempts.iter().map(|attempt| attempt.reply).collect();
    assert_eq!(replies, [Reply::Status(503), Reply::Status(200)]);
}

#[tokio::test]
async fn retry_after_is_read_as_seconds_and_as_a_date_on_the_services_clock() {
    for value in ["1", "Sun, 06 Nov 1994 08:49:38 GMT"] {
        let url = server(1, move |_, mut stream| {
            head(&mut stream);
            let headers = format!("date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: {value}");
            stream
                .write_all(format!("HTTP/1.1 429 Wait\r\ncontent-length: 0\r\n{headers}\r\n\r\n").as_bytes())
                .unwrap();
        });
        let trace = trace(&url, Settings { max_retries: Some(0), ..Settings::default() }).await;
        assert_eq!(trace.last.retry_after, Some(Duration::from_secs(1)), "{value}");
    }
}

#[tokio::test]
async fn a_load_that_is_ended_reports_what_it_has() {
    let url = server(1, |_, mut stream| {
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        head(&mut stream);
        let _ = stream.read(&mut [0]);
    });
    let load = brownout_load::Load { count: Some(10), ..Default::default() };
    let end = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        String::new()
    };
    let result = drive(&url, hasty()).load(&load, None, end, |_, _| ()).await;
    let calls = result.calls;
    assert_eq!((calls.offered, calls.started, calls.succeeded, calls.abandoned, calls.unsent), (10, 2, 1, 1, 8));
    assert_eq!(result.gave_up["interrupted"], 1);
    // The attempt that was cut off was made: it is counted, and stays in the distribution.
    assert_eq!((result.attempts.total, result.attempts.first, result.by_fault["interrupted"]), (2, 2, 1));
    assert_eq!((result.latency_ms.service.count, result.latency_ms.service.censored), (2, 1));
}

/// A server that closes each connection after one answer, without saying so, races with a client that uses it again at once.
/// Whoever wins, no attempt may be on the wire twice, and every answer must be to an attempt that was.
#[tokio::test]
async fn no_attempt_is_on_the_wire_twice() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let read = Arc::clone(&seen);
    let url = server(100, move |_, mut stream| {
        let head = head(&mut stream);
        let line = |name: &str| head.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        if let Some(identity) = line("x-brownout-request: ").zip(line("x-brownout-attempt: ")) {
            read.lock().unwrap().push(identity);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let load = brownout_load::Load { count: Some(60), ..Default::default() };
    let settings = Settings { max_retries: Some(20), growth: Some(Growth::Constant), ..hasty() };
    let result = drive(&url, settings).load(&load, None, std::future::pending(), |_, _| ()).await;
    assert_eq!(result.calls.succeeded, 60, "{result:?}");
    let mut seen = seen.lock().unwrap().clone();
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all, "an attempt was sent twice");
    assert!(all as u64 >= result.by_status[&200]);
}
