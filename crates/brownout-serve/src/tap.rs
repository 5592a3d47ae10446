//! A socket that the HTTP/2 library has, and that can be taken back from it between two frames.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::socket::Socket;

/// The end of the library; while the socket is taken, nothing comes and nothing goes.
#[derive(Debug)]
pub(crate) struct Tap<S>(Arc<Mutex<Held<S>>>);

/// The other end.
#[derive(Debug)]
pub(crate) struct Valve<S>(Arc<Mutex<Held<S>>>);

#[derive(Debug)]
struct Held<S> {
    socket: Option<S>,
    /// Whether all that was written has reached the socket.
    flushed: bool,
}

impl<S: Socket> Tap<S> {
    pub(crate) fn new(socket: S) -> (Self, Valve<S>) {
        let held = Arc::new(Mutex::new(Held { socket: Some(socket), flushed: true }));
        (Self(Arc::clone(&held)), Valve(held))
    }

    fn poll<T>(&self, poll: impl FnOnce(Pin<&mut S>, &mut bool) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let Held { socket, flushed } = &mut *locked(&self.0);
        match socket {
            Some(socket) => poll(Pin::new(socket), flushed),
            None => Poll::Pending,
        }
    }
}

impl<S: Socket> Valve<S> {
    /// Whether the library has written whole frames only, and all of them have reached the socket.
    pub(crate) fn is_flushed(&self) -> bool {
        locked(&self.0).flushed
    }

    /// Takes the socket.
    pub(crate) fn take(&self) -> Option<S> {
        locked(&self.0).socket.take()
    }

    /// Gives it back.
    pub(crate) fn give_back(&self, socket: S) {
        locked(&self.0).socket = Some(socket);
    }
}

fn locked<S>(held: &Mutex<Held<S>>) -> MutexGuard<'_, Held<S>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Socket> AsyncRead for Tap<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll(|socket, _| socket.poll_read(context, bytes))
    }
}

impl<S: Socket> AsyncWrite for Tap<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(|socket, flushed| {
            *flushed = false;
            socket.poll_write(context, bytes)
        })
    }

    /// The library asks for this when it has written all of a frame, and at no other time.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|socket, flushed| {
            let polled = socket.poll_flush(context);
            *flushed |= matches!(polled, Poll::Ready(Ok(())));
            polled
        })
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|socket, _| socket.poll_shutdown(context))
    }
}
