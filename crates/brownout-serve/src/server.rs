//! Accepting connections, and ending cleanly.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;

use crate::app::Answer;
use crate::door::Door;
use crate::origin::Origin;
use crate::pulse::Pulse;
use crate::schedule::Schedule;
use crate::wire::Parcel;
use crate::{App, Limits};

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
        let mut end = std::pin::pin!(end);
        let mut door = Door::new(self.listener, self.address);
        let mut schedule = Schedule::new(&app);
        door.follow(schedule.refuses).await;
        let mut connections = 0..;
        loop {
            let accepted = tokio::select! {
                () = &mut end => break,
                Some(_) = conversations.join_next() => continue,
                () = schedule.change() => {
                    door.follow(schedule.refuses).await;
                    continue;
                }
                accepted = door.accept(&places) => accepted,
            };
            if let Some((stream, place)) = accepted {
                let signals = Signals { closed: door.closed(), ended: ended.clone() };
                let address = stream.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
                let origin = Origin { address, connection: connections.next().unwrap_or(u64::MAX) };
                let conversation = converse(stream, origin, Arc::clone(&app), self.limits, signals);
                let app = Arc::clone(&app);
                conversations.spawn(async move {
                    let _connected = app.books().connected();
                    conversation.await;
                    drop(place);
                });
            }
        }
        let _ = ending.send(true);
        drop(door);
        let drained = async { while conversations.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(self.limits.drain_time, drained).await;
    }
}

/// What conversations are told of.
struct Signals {
    /// Ends when no request is to follow those under way.
    closed: watch::Receiver<()>,
    /// True once the server ends.
    ended: watch::Receiver<bool>,
}

/// Answers what comes over one connection, until its client leaves or falls silent, or the door that it came through is shut.
async fn converse(stream: TcpStream, origin: Origin, app: Arc<App>, limits: Limits, signals: Signals) {
    let Signals { mut closed, ended } = signals;
    // Answers are small and whole; waiting to fill a packet would add latency that nobody drew.
    let _ = stream.set_nodelay(true);
    // Who has only stopped sending cannot be told from who is gone.
    let half_close = !app.run().minds_who_is_gone();
    let (parcels, mut parcel) = oneshot::channel();
    let parcels = Mutex::new(Some(parcels));
    let (pulse, now_ended) = (Pulse::default(), ended.clone());
    let conversation = Arc::new(Conversation { app, origin, limits, pulse, ended: now_ended, parcels });
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
        // Nothing is ever sent; that nothing can be any more is the signal.
        _ = closed.changed() => None,
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
    origin: Origin,
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
            self.app.answer(request, self.origin, &self.limits).await
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
