//! Accepting connections, and ending cleanly.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::JoinSet;

use crate::app::Answer;
use crate::pulse::Pulse;
use crate::wire::Parcel;
use crate::{App, Limits};

/// How long to leave the listener alone after it could not accept, out of file descriptors as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What hyper needs to read a head into.
const HEAD_BYTES_MIN: usize = 8 << 10;

/// A server that listens and has not begun to answer.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
}

/// Why a server could not be set up.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Somebody else has the port.
    #[error("listen on {0}: the port is in use; choose another with --port, or 0 for any free one")]
    PortInUse(SocketAddr),
    /// Another reason not to listen.
    #[error("listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

impl Server {
    /// Listens on `address`; port 0 takes any free one.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind(address: SocketAddr, limits: Limits) -> Result<Self, ServeError> {
        let failed = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::AddrInUse => ServeError::PortInUse(address),
            _ => ServeError::Listen { address, source },
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, limits })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `end` resolves, then lets the answers under way finish, within [`Limits::drain_time`]; what is left
    /// then is cut off.
    pub async fn run(self, app: Arc<App>, end: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let (ending, ended) = watch::channel(false);
        let mut conversations = JoinSet::new();
        // Ends with this value.
        let mut workers = JoinSet::new();
        if let Some(site) = app.site() {
            workers.spawn(Arc::clone(site).follow_workers());
        }
        let mut end = std::pin::pin!(end);
        loop {
            let accepted = tokio::select! {
                () = &mut end => break,
                Some(_) = conversations.join_next() => continue,
                accepted = self.accept(&places) => accepted,
            };
            if let Some((stream, place)) = accepted {
                let conversation = converse(stream, Arc::clone(&app), self.limits, ended.clone());
                conversations.spawn(async move {
                    conversation.await;
                    drop(place);
                });
            }
        }
        drop(self.listener);
        let _ = ending.send(true);
        let drained = async { while conversations.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(self.limits.drain_time, drained).await;
    }

    /// The next connection, once there is a place for it.
    async fn accept(&self, places: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let place = Arc::clone(places).acquire_owned().await.expect("the semaphore is never closed");
        match self.listener.accept().await {
            Ok((stream, _)) => Some((stream, place)),
            Err(_) => {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                None
            }
        }
    }
}

/// Answers what comes over one connection, until its client leaves or falls silent, or the server ends.
async fn converse(stream: TcpStream, app: Arc<App>, limits: Limits, mut ended: watch::Receiver<bool>) {
    // Answers are small and whole; waiting to fill a packet would add latency that nobody drew.
    let _ = stream.set_nodelay(true);
    // Who has only stopped sending cannot be told from who is gone.
    let half_close = !app.minds_who_is_gone();
    let address = stream.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let (parcels, mut parcel) = oneshot::channel();
    let parcels = Mutex::new(Some(parcels));
    let (pulse, now_ended) = (Pulse::default(), ended.clone());
    let conversation = Arc::new(Conversation { app, address, limits, pulse, ended: now_ended, parcels });
    let answer = {
        let conversation = Arc::clone(&conversation);
        service_fn(move |request| Arc::clone(&conversation).answer(request))
    };
    let mut connection = http1::Builder::new()
        .half_close(half_close)
        .max_buf_size(limits.head_bytes.max(HEAD_BYTES_MIN))
        // One small buffer goes out faster than two smaller ones.
        .writev(false)
        .serve_connection(TokioIo::new(stream), answer);
    // A client that breaks off is no concern of anybody else's.
    let mut given = tokio::select! {
        _ = &mut connection => return,
        // Half a request head is all there can be left, or a request that is left without an answer: nothing to finish.
        () = conversation.pulse.stopped(limits.head_time) => return,
        Ok(parcel) = &mut parcel => Some(parcel),
        _ = ended.wait_for(|ended| *ended) => None,
    };
    if given.is_none() {
        Pin::new(&mut connection).graceful_shutdown();
        given = tokio::select! {
            _ = &mut connection => return,
            Ok(parcel) = &mut parcel => Some(parcel),
        };
    }
    if let Some(parcel) = given {
        let stream = connection.into_parts().io.into_inner();
        parcel.send(stream, limits.head_time, ended).await;
    }
}

/// What the requests of one connection share.
struct Conversation {
    app: Arc<App>,
    /// Of the client.
    address: IpAddr,
    limits: Limits,
    pulse: Pulse,
    ended: watch::Receiver<bool>,
    /// Takes the one answer that is not sent as others are: nothing comes after it.
    parcels: Mutex<Option<oneshot::Sender<Parcel>>>,
}

/// Why a connection is closed without an answer.
#[derive(Debug, Error)]
#[error("the request is left without an answer")]
struct Silence;

impl Conversation {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Silence> {
        let answer = {
            let _busy = self.pulse.busy();
            self.app.answer(request, self.address, &self.limits).await
        };
        let Some(mut answer) = answer else { return Err(self.silence().await) };
        match answer.extensions_mut().remove() {
            None => Ok(answer),
            Some(sending) => self.hand_over(Parcel { answer, sending }).await,
        }
    }

    /// Leaves an answer and its connection to whoever holds the socket; this request is never heard of again.
    async fn hand_over(&self, parcel: Parcel) -> ! {
        let taker = self.parcels.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(taker) = taker {
            let _ = taker.send(parcel);
        }
        loop {
            std::future::pending::<()>().await;
        }
    }

    /// Says nothing until the server ends; as a rule the client goes before that, or is let go.
    async fn silence(&self) -> Silence {
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
        Silence
    }
}
