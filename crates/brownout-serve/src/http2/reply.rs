//! An answer on its way over HTTP/2.

use std::future::poll_fn;
use std::time::{Duration, SystemTime};

use brownout_clock::Clock;
use brownout_service::{Delivery, ErrorCode, Finish, Step};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http_body_util::BodyExt;
use hyper::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE};
use hyper::{HeaderMap, Response, StatusCode};
use tokio::sync::watch;

use super::{Ending, Link};
use crate::app::Answer;
use crate::frames;
use crate::wire::Sending;

/// Headers that speak of the connection, of which HTTP/2 knows nothing. RFC 9113 §8.2.2.
const OF_THE_CONNECTION: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// An answer, its stream, and how far it is.
#[derive(Debug)]
pub(super) struct Reply {
    head: Response<()>,
    sending: Sending,
    respond: SendResponse<Bytes>,
    /// Once the head is sent.
    stream: Option<SendStream<Bytes>>,
}

/// The client wants no more of it.
#[derive(Debug)]
pub(super) struct Gone;

impl From<h2::Error> for Gone {
    fn from(_: h2::Error) -> Self {
        Self
    }
}

impl Reply {
    pub(super) async fn new(answer: Answer, head_only: bool, respond: SendResponse<Bytes>, clock: Clock) -> Self {
        let (mut parts, body) = answer.into_parts();
        let sending = match parts.extensions.remove() {
            Some(sending) => sending,
            None => {
                let Ok(body) = body.collect().await;
                Sending { delivery: Delivery::Whole, clock, body: body.to_bytes(), head_only, _held: None }
            }
        };
        let mut head = Response::from_parts(parts, ());
        complete(&mut head, &sending);
        Self { head, sending, respond, stream: None }
    }

    /// How long it really takes to be sent to a client that takes it.
    pub(super) fn lasts(&self) -> Duration {
        self.sending.clock.scale().real(self.sending.delivery.end().1)
    }

    /// Sends it. Where it is not its stream but the connection that is to end, that is left to whoever holds the socket.
    ///
    /// - `ended`: true once the server ends; nobody is left hanging after that.
    pub(super) async fn deliver(
        &mut self,
        link: &Link,
        mut ended: watch::Receiver<bool>,
    ) -> Result<Option<Ending>, Gone> {
        let Sending { delivery, clock, body, head_only, .. } = self.sending.clone();
        let start = clock.now();
        let mut steps = delivery.steps((!head_only).then_some(&body)).peekable();
        while let Some((due, step)) = steps.next() {
            if !due.is_zero() {
                tokio::select! {
                    () = clock.sleep_until(start + due) => {}
                    () = self.gone() => return Err(Gone),
                    _ = ended.wait_for(|ended| *ended), if matches!(step, Step::Finish(_)) => {}
                }
            }
            // What is followed by nothing says so itself.
            let last = steps.peek() == Some(&(due, Step::Finish(Finish::EndStream)));
            match step {
                Step::Head => self.stream = Some(self.respond.send_response(self.head.clone(), last)?),
                Step::Data(bytes) => self.send(body.slice_ref(bytes), last).await?,
                Step::Finish(finish) => return self.finish(finish, link).await,
            }
            if last {
                break;
            }
        }
        Ok(None)
    }

    /// Ends the stream: it took too long for its client to take it.
    pub(super) fn give_up(&mut self) {
        self.respond.send_reset(Reason::CANCEL);
    }

    /// Sends a piece of the body as the client has room for it.
    async fn send(&mut self, mut bytes: Bytes, last: bool) -> Result<(), Gone> {
        let stream = self.stream.as_mut().ok_or(Gone)?;
        while !bytes.is_empty() {
            stream.reserve_capacity(bytes.len());
            while stream.capacity() == 0 {
                poll_fn(|context| stream.poll_capacity(context)).await.ok_or(Gone)??;
            }
            let piece = bytes.split_to(stream.capacity().min(bytes.len()));
            stream.send_data(piece, last && bytes.is_empty())?;
        }
        Ok(())
    }

    async fn finish(&mut self, finish: Finish, link: &Link) -> Result<Option<Ending>, Gone> {
        let id = self.respond.stream_id().as_u32();
        Ok(Some(match finish {
            Finish::EndStream => {
                self.stream.as_mut().ok_or(Gone)?.send_data(Bytes::new(), true)?;
                return Ok(None);
            }
            Finish::ResetStream(code) => {
                if self.stream.is_some() {
                    // The library forgets what it has not sent yet of a stream that is reset.
                    link.settle().await;
                }
                self.respond.send_reset(reason(code));
                return Ok(None);
            }
            // Clients number their streams 1, 3, 5, …
            Finish::GoAway(code) => Ending::GoAway(id.saturating_sub(2), code),
            Finish::Close => Ending::Close(Vec::new()),
            Finish::Reset => Ending::Reset(Vec::new()),
            Finish::ResetInHead => Ending::Reset(frames::half_head(id, &self.head)),
            Finish::Malformed => Ending::Close(frames::malformed_data(id)),
            Finish::Garbage(bytes) => Ending::Close(bytes.to_vec()),
        }))
    }

    /// Resolves when the client gives the request up.
    async fn gone(&mut self) {
        let Self { respond, stream, .. } = self;
        let _ = poll_fn(|context| match stream {
            Some(stream) => stream.poll_reset(context),
            None => respond.poll_reset(context),
        })
        .await;
    }
}

/// Makes a head what it has to be over HTTP/2.
fn complete(head: &mut Response<()>, Sending { delivery, body, .. }: &Sending) {
    let has_length =
        delivery.has_length_over_http2() && !matches!(head.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let headers: &mut HeaderMap = head.headers_mut();
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    if has_length {
        headers.insert(CONTENT_LENGTH, body.len().into());
    }
    let date = HeaderValue::from_str(&httpdate::fmt_http_date(SystemTime::now())).expect("a date is visible ASCII");
    headers.insert(DATE, date);
}

fn reason(code: ErrorCode) -> Reason {
    code.number().into()
}
