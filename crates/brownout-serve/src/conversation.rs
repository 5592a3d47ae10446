//! A conversation with one client over one connection.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use thiserror::Error;
use tokio::io::DuplexStream;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::origin::Origin;
use crate::pulse::Pulse;
use crate::socket::{Socket, speaks_http2};
use crate::{App, Limits, Tls, http1, http2};

/// What conversations are told of.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    /// Ends when no request is to follow those under way.
    pub(crate) closed: watch::Receiver<()>,
    /// True once the server ends.
    pub(crate) ended: watch::Receiver<bool>,
}

/// What the requests of one connection share.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) app: Arc<App>,
    pub(crate) origin: Origin,
    pub(crate) limits: Limits,
    pub(crate) pulse: Pulse,
    /// True once the server ends.
    pub(crate) ended: watch::Receiver<bool>,
}

/// Why a request is left without an answer.
#[derive(Debug, Error)]
#[error("the request is left without an answer")]
pub(crate) struct Silence;

impl Conversation {
    /// Says nothing until the server ends; as a rule the client goes before that, or is let go.
    pub(crate) async fn silence(&self) -> Silence {
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
        Silence
    }
}

/// Answers what comes over one connection, in the HTTP that its client speaks.
pub(crate) async fn converse(
    stream: TcpStream,
    origin: Origin,
    app: Arc<App>,
    limits: Limits,
    tls: Option<Arc<Tls>>,
    mut signals: Signals,
) {
    // Answers are small and whole; waiting to fill a packet would add latency that nobody drew.
    let _ = stream.set_nodelay(true);
    let conversation = Conversation { app, origin, limits, pulse: Pulse::default(), ended: signals.ended };
    if let Some(tls) = tls {
        let greeted = tokio::select! {
            greeted = Box::pin(tls.accept(stream)) => greeted,
            () = sleep(limits.head_time) => return,
            _ = signals.closed.changed() => return,
        };
        if let Ok((stream, http2)) = greeted {
            speak(stream, http2, conversation, signals.closed).await;
        }
        return;
    }
    let http2 = tokio::select! {
        // What has come is looked at even when the door is being shut.
        biased;
        http2 = speaks_http2(&stream) => http2,
        () = sleep(limits.head_time) => return,
        _ = signals.closed.changed() => return,
    };
    speak(stream, http2, conversation, signals.closed).await;
}

/// Answers what comes over a stream in memory, as [`Server::run`](crate::Server::run) does over each of its connections: without a
/// socket, and with nothing that paused time would not hold.
///
/// - `http2`: which HTTP its client speaks; there are no first bytes here that could be looked at and left where they are.
pub async fn converse_in_memory(stream: DuplexStream, http2: bool, app: Arc<App>, limits: Limits) {
    let origin = Origin { address: IpAddr::V4(Ipv4Addr::LOCALHOST), connection: 0 };
    let ((_closing, closed), (_ending, ended)) = (watch::channel(()), watch::channel(false));
    let conversation = Conversation { app, origin, limits, pulse: Pulse::default(), ended };
    speak(stream, http2, conversation, closed).await;
}

async fn speak(socket: impl Socket, http2: bool, conversation: Conversation, closed: watch::Receiver<()>) {
    // Each is large, and would be moved several times on its way to where it stays.
    if http2 {
        Box::pin(http2::converse(socket, Arc::new(conversation), closed)).await;
    } else {
        Box::pin(http1::converse(socket, conversation, closed)).await;
    }
}
