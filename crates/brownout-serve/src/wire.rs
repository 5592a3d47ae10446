//! Answers that go over the wire in another way than a sound server's do, over HTTP/1.1.
//!
//! The HTTP library sends whole answers only. So an answer with a [`Delivery`] of its own is never given to it: its
//! conversation is ended, the socket taken back, and the pieces of the answer written here, each when it is due. After that
//! the connection is over, as [`Delivery::end`] says.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brownout_clock::Clock;
use brownout_service::{Delivery, Seen};
use bytes::Bytes;
use hyper::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::app::Answer;
use crate::gate::Held;
use crate::socket::{Socket, close, read_to_end, reset};

/// How an answer is to be sent; stands among its extensions.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    pub(crate) delivery: Delivery,
    /// In whose time it goes.
    pub(crate) clock: Clock,
    pub(crate) body: Bytes,
    /// Whether the request was one whose answer has none, whatever its head says.
    pub(crate) head_only: bool,
    /// What the limits let the request hold until it is over.
    pub(crate) _held: Option<Arc<Held>>,
}

/// An answer, and how it is to be sent.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) answer: Answer,
    pub(crate) sending: Sending,
}

impl Parcel {
    /// Sends it, and ends the connection; what a client does not take within `patience` after its time is not sent.
    ///
    /// - `ended`: true once the server ends; nobody is left hanging after that.
    pub(crate) async fn send(self, socket: impl Socket, patience: Duration, ended: watch::Receiver<bool>) {
        let Sending { delivery, clock, .. } = &self.sending;
        let longest = clock.scale().real(delivery.end().1).saturating_add(patience);
        // A client that breaks off is no concern of anybody else's.
        let _ = timeout(longest, self.deliver(socket, ended)).await;
    }

    async fn deliver(self, mut socket: impl Socket, mut ended: watch::Receiver<bool>) -> io::Result<()> {
        let Self { answer, sending: Sending { delivery, clock, body, head_only, .. } } = &self;
        let start = clock.now();
        let head = head(answer, delivery, body.len());
        let body = (!head_only).then_some(&**body);
        for (due, bytes) in delivery.pieces(&head, body) {
            if !due.is_zero() {
                clock.sleep_until(start + due).await;
            }
            socket.write_all(&bytes).await?;
            socket.flush().await?;
        }
        let (with_reset, end) = delivery.end();
        if !end.is_zero() {
            tokio::select! {
                () = clock.sleep_until(start + end) => {}
                // Who has ended its side here waits for nothing more.
                _ = read_to_end(&mut socket) => {}
                _ = ended.wait_for(|ended| *ended) => {}
            }
        }
        if with_reset { reset(socket) } else { close(socket).await }
    }
}

/// The head of an answer as it goes over the wire, its empty line included.
fn head(answer: &Answer, delivery: &Delivery, length: usize) -> Vec<u8> {
    let status = answer.status();
    let mut head = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or("")).into_bytes();
    let mut line = |name: &str, value: &[u8]| {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    };
    for (name, value) in answer.headers() {
        line(name.as_str(), value.as_bytes());
    }
    if delivery.is_chunked() {
        line(TRANSFER_ENCODING.as_str(), b"chunked");
    } else {
        line(CONTENT_LENGTH.as_str(), length.to_string().as_bytes());
    }
    // Only a service that knows that it will close says so.
    if let Seen::Status(_) = delivery.seen(status.as_u16()) {
        line(CONNECTION.as_str(), b"close");
    }
    line(DATE.as_str(), httpdate::fmt_http_date(SystemTime::now()).as_bytes());
    head.extend_from_slice(b"\r\n");
    head
}
