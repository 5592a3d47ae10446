//! HTTP/1.1: one request after another over one connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::{oneshot, watch};

use crate::app::Answer;
use crate::conversation::{Conversation, Silence};
use crate::socket::Socket;
use crate::wire::Parcel;

/// What hyper needs to read a head into.
const HEAD_BYTES_MIN: usize = 8 << 10;

/// Answers what comes, until the client leaves or falls silent, or the door that it came through is shut.
pub(crate) async fn converse(socket: impl Socket, conversation: Conversation, mut closed: watch::Receiver<()>) {
    let (limits, ended) = (conversation.limits, conversation.ended.clone());
    // Who has only stopped sending cannot be told from who is gone.
    let half_close = !conversation.app.minds_who_is_gone();
    let (parcels, mut parcel) = oneshot::channel();
    let exchange = Arc::new(Exchange { conversation, parcels: Mutex::new(Some(parcels)) });
    let answer = {
        let exchange = Arc::clone(&exchange);
        service_fn(move |request| Arc::clone(&exchange).answer(request))
    };
    let mut connection = http1::Builder::new()
        .half_close(half_close)
        .max_buf_size(limits.head_bytes.max(HEAD_BYTES_MIN))
        // One small buffer goes out faster than two smaller ones.
        .writev(false)
        .serve_connection(TokioIo::new(socket), answer);
    // A client that breaks off is no concern of anybody else's.
    let mut given = tokio::select! {
        _ = &mut connection => return,
        // Half a request head is all there can be left, or a request that is left without an answer: nothing to finish.
        () = exchange.conversation.pulse.stopped(limits.head_time) => return,
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
        let socket = connection.into_parts().io.into_inner();
        parcel.send(socket, limits.head_time, ended).await;
    }
}

/// A conversation, and the way out of it.
struct Exchange {
    conversation: Conversation,
    /// Takes the one answer that is not sent as others are: nothing comes after it.
    parcels: Mutex<Option<oneshot::Sender<Parcel>>>,
}

impl Exchange {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Silence> {
        let Conversation { app, origin, limits, pulse, .. } = &self.conversation;
        let answer = {
            let _busy = pulse.busy();
            app.answer(request, *origin, limits).await
        };
        let Some(mut answer) = answer else { return Err(self.conversation.silence().await) };
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
}
