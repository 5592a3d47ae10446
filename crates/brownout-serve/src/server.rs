//! Accepting connections, and ending cleanly.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::conversation::{Signals, converse};
use crate::door::Door;
use crate::origin::Origin;
use crate::schedule::Schedule;
use crate::{App, Limits, Tls};

/// A server that listens and has not begun to answer.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
    tls: Option<Arc<Tls>>,
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
        Ok(Self { listener, address, limits, tls: None })
    }

    /// The same with TLS on every connection.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        Self { tls: Some(Arc::new(tls)), ..self }
    }

    /// The scheme of its URL: `http`, or with TLS `https`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
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
                let conversation = converse(stream, origin, Arc::clone(&app), self.limits, self.tls.clone(), signals);
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
