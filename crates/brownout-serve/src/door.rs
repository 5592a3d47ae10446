//! The port of a service, which a phase can shut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How long to leave a port alone after it could not accept, out of file descriptors as a rule, or could not be opened again.
const PAUSE: Duration = Duration::from_millis(50);

/// A port, open or shut. A shut one refuses connections: nobody listens.
#[derive(Debug)]
pub(crate) struct Door {
    address: SocketAddr,
    open: Option<Open>,
    /// Whether it is to be open: somebody else may have taken the port meanwhile.
    wanted: bool,
}

#[derive(Debug)]
struct Open {
    listener: TcpListener,
    /// Dropped with the listener, which tells everybody who came through it.
    closing: watch::Sender<()>,
}

impl Open {
    fn new(listener: TcpListener) -> Self {
        Self { listener, closing: watch::channel(()).0 }
    }
}

impl Door {
    pub(crate) fn new(listener: TcpListener, address: SocketAddr) -> Self {
        Self { address, open: Some(Open::new(listener)), wanted: true }
    }

    /// Shuts or opens it.
    pub(crate) async fn follow(&mut self, refuses: bool) {
        self.wanted = !refuses;
        if self.wanted {
            self.try_open().await;
        } else {
            self.open = None;
        }
    }

    /// Tells by its end that this door is shut, whether it is opened again or not.
    pub(crate) fn closed(&self) -> watch::Receiver<()> {
        self.open.as_ref().map_or_else(|| watch::channel(()).1, |open| open.closing.subscribe())
    }

    /// The next connection, once there is a place for it; none while it is shut.
    pub(crate) async fn accept(&mut self, places: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        if !self.wanted {
            return std::future::pending().await;
        }
        let place = Arc::clone(places).acquire_owned().await.expect("the semaphore is never closed");
        self.try_open().await;
        if let Some(open) = &self.open
            && let Ok((stream, _)) = open.listener.accept().await
        {
            return Some((stream, place));
        }
        tokio::time::sleep(PAUSE).await;
        None
    }

    async fn try_open(&mut self) {
        if self.open.is_none() {
            self.open = TcpListener::bind(self.address).await.ok().map(Open::new);
        }
    }
}
