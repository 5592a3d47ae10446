//! Any bytes over a connection.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_scenario::Scenario;
use brownout_serve::{App, JournalBounds, Limits, converse_in_memory};
use brownout_service::Service;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

use super::service::SEED;

/// What HTTP/2 begins with; the first three bytes of it tell.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SIGN: &[u8] = PREFACE.split_at(3).0;

/// How long a conversation may last, in time that is not really spent: longer than all bounds of the server together.
const LASTS_MAX: Duration = Duration::from_secs(3600);

/// Until what was begun for those who are gone is done, and every limit lets anybody in again.
const QUIET: Duration = Duration::from_secs(60);

/// What is on its way at once, in either direction.
const PIPE: usize = 1 << 16;

/// So small that they are reached.
const LIMITS: Limits = Limits {
    connections: 8,
    streams: 4,
    body_bytes: 256,
    body_time: Duration::from_secs(2),
    head_bytes: 8 << 10,
    head_time: Duration::from_secs(5),
    answer_time: Duration::from_secs(30),
    drain_time: Duration::from_secs(1),
};

/// A request that is no concern of the bytes before.
const GOOD: &[u8] = b"GET /good HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// One that meets every fault, by its path, and one with a queue and limits.
static SERVICES: LazyLock<[Service; 2]> = LazyLock::new(|| {
    let faults = r#"
        [service]
        latency = { uniform = { min = "0ms", max = "20ms" } }
        routes = [
            { match = "GET /good" },
            { match = "/reset", outcomes = { connection_reset = 1 } },
            { match = "/reset/head", outcomes = { connection_reset = { rate = 1, at = "head" } } },
            { match = "/empty", outcomes = { empty_response = 1 } },
            { match = "/garbage", outcomes = { garbage_then_close = 1 } },
            { match = "/chunk", outcomes = { malformed_chunk = 1 } },
            { match = "/hang", outcomes = { hang = 1 } },
            { match = "/dribble", outcomes = { dribble = 1 } },
            { match = "/truncate", outcomes = { truncate = 1 } },
            { match = "/lost", outcomes = { lost_reply = 1 } },
            { match = "/close", outcomes = { slow_close = 1 } },
            { match = "/break", outcomes = { stream_break = 1 } },
            { match = "/stream", outcomes = { rst_stream = 1 } },
            { match = "/away", outcomes = { goaway = 1 } },
            { match = "/refused", outcomes = { refused_stream = 1 } },
            { match = "/{any}", effect = "any", outcomes = { error = "20%", rate_limit = "20%" } },
        ]
        outcomes = { error = "20%", connection_reset = "10%", hang = "5%", goaway = "5%" }
    "#;
    let busy = r#"
        [service]
        latency = "5ms"
        outcomes = {}
        replicas = { count = 2, sticky = "client" }
        capacity = { workers = 1, service_time = "20ms", queue = { length = 2 }, shed = "silent" }
        [[service.routes]]
        match = "GET /good"
        [[service.routes]]
        match = "/{any}"
        [[service.rate_limits]]
        name = "clients"
        token_bucket = { rate = "1/s", burst = 2 }
        key = "client"
        headers = "ratelimit"
        [policy]
        attempt_timeout = "1s"
    "#;
    [faults, busy].map(|text| {
        let read = Scenario::parse("served.toml", text).unwrap_or_else(|invalid| panic!("{invalid}"));
        read.scheduled(SEED).service
    })
});

/// Whatever comes over a connection, at once or in pieces, it is answered or closed, and the next one is answered as if nothing
/// had been.
pub fn request(bytes: &[u8]) {
    for service in &*SERVICES {
        for client in [Client::Waits, Client::HalfCloses, Client::BreaksOff] {
            runtime().block_on(async {
                let app = App::new(service.clone(), SEED, Some("idempotency-key"), Clock::start(Scale::ONE));
                let app = Arc::new(app.with_journal(JournalBounds::default()));
                let heard = converse(&app, bytes, client).await;
                assert!(is_sound(bytes, client, &heard), "{client:?}: {}", heard.escape_ascii());
                sleep(QUIET).await;
                let heard = converse(&app, GOOD, Client::Waits).await;
                assert!(heard.starts_with(b"HTTP/1.1 200 "), "{}", heard.escape_ascii());
                assert_eq!(app.active(), 0, "a request is being answered still");
            });
        }
    }
}

/// How a client sends its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    /// All at once; it reads what comes until the server has said enough.
    Waits,
    /// The same, and tells that it sends no more.
    HalfCloses,
    /// Piece by piece, and gone without a word, having read nothing.
    BreaksOff,
}

/// What a client hears that sends `bytes`.
async fn converse(app: &Arc<App>, bytes: &[u8], client: Client) -> Vec<u8> {
    let (mut near, far) = duplex(PIPE);
    let served = converse_in_memory(far, bytes.starts_with(SIGN), Arc::clone(app), LIMITS);
    let talked = async {
        let mut heard = Vec::new();
        if client != Client::BreaksOff {
            let (mut reads, mut writes) = tokio::io::split(near);
            // A server that has said enough takes no more.
            let sent = async {
                let _ = writes.write_all(bytes).await;
                if client == Client::HalfCloses {
                    let _ = writes.shutdown().await;
                }
            };
            let _ = tokio::join!(sent, reads.read_to_end(&mut heard));
            return heard;
        }
        for piece in bytes.chunks(bytes.len() / 4 + 1) {
            // Who is cut off has said enough.
            if near.write_all(piece).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        heard
    };
    let both = async { tokio::join!(served, talked).1 };
    timeout(LASTS_MAX, both).await.expect("the conversation comes to its end")
}

/// Whether what was heard begins as the HTTP does that was spoken, or with bytes that no text has, as one of the faults.
fn is_sound(bytes: &[u8], client: Client, heard: &[u8]) -> bool {
    const SETTINGS: u8 = 4;
    if bytes.starts_with(SIGN) {
        return client != Client::Waits || !bytes.starts_with(PREFACE) || heard.get(3) == Some(&SETTINGS);
    }
    heard.is_empty() || heard.starts_with(b"HTTP/1.") || !heard.is_ascii()
}

/// One whose time passes at once when there is nothing to do.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime without sockets")
}
