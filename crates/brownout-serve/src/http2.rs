//! HTTP/2: many requests at once over one connection.
//!
//! Each request has a task of its own, which sends its answer step by step; the conversation hands bytes to and fro. A stream
//! that is to end is reset by its task. A connection that is to end is taken from the library between two frames, once all
//! frames before have gone, and ended here.

mod reply;
mod upload;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll};

use brownout_service::ErrorCode;
use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use hyper::{Method, Request};
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::conversation::Conversation;
use crate::frames;
use crate::socket::{Socket, close, reset};
use crate::tap::{Tap, Valve};
use reply::Reply;
use upload::Upload;

/// What the requests of a connection ask of it.
#[derive(Clone, Debug)]
struct Link {
    orders: mpsc::UnboundedSender<Order>,
    /// The last stream that is answered, once the connection goes away.
    last: Arc<AtomicU32>,
}

#[derive(Debug)]
enum Order {
    /// To be told when all that was sent so far has reached the socket.
    Settle(oneshot::Sender<()>),
    /// To end the connection. The reply that asks for it is held until then, so that no frame ends its stream before.
    End(Ending, Box<Reply>),
}

/// How a connection ends.
#[derive(Debug)]
enum Ending {
    /// With these bytes and a FIN.
    Close(Vec<u8>),
    /// With these bytes and an RST.
    Reset(Vec<u8>),
    /// With `GOAWAY`, and a FIN once all streams to the last that it names are answered.
    GoAway(u32, ErrorCode),
}

/// What happens on a connection.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and the large one is the common one")]
enum Event<S> {
    /// A request came.
    Asked(Request<RecvStream>, SendResponse<Bytes>),
    /// The client has gone, or broke the protocol.
    Over,
    /// Here is the socket, to be ended like this.
    Taken(S, Ending),
}

/// A connection at work.
struct Exchange<S: Socket> {
    connection: Connection<Tap<S>, Bytes>,
    valve: Valve<S>,
    orders: mpsc::UnboundedReceiver<Order>,
    /// Who wants to be told when all has reached the socket.
    settling: Vec<oneshot::Sender<()>>,
    ending: Option<Ending>,
    /// Held to the end.
    replies: Vec<Reply>,
}

/// Answers what comes, until the client leaves or falls silent, or the door that it came through is shut.
pub(crate) async fn converse(socket: impl Socket, conversation: Arc<Conversation>, mut closed: watch::Receiver<()>) {
    let limits = conversation.limits;
    let mut silent = pin!(conversation.pulse.stopped(limits.head_time));
    let (tap, valve) = Tap::new(socket);
    let mut handshake = h2::server::Builder::new();
    handshake.max_concurrent_streams(limits.streams);
    handshake.max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX));
    let shaken = tokio::select! {
        shaken = handshake.handshake(tap) => shaken,
        () = &mut silent => return,
        _ = closed.changed() => return,
    };
    let Ok(connection) = shaken else { return };
    let (sender, orders) = mpsc::unbounded_channel();
    let link = Link { orders: sender, last: Arc::new(AtomicU32::new(u32::MAX)) };
    let mut exchange = Exchange { connection, valve, orders, settling: Vec::new(), ending: None, replies: Vec::new() };
    // Ends with this value.
    let mut streams = JoinSet::new();
    let mut open = true;
    loop {
        let event = tokio::select! {
            event = poll_fn(|context| exchange.poll(context)) => event,
            Some(_) = streams.join_next() => {
                if link.goes_away() && streams.is_empty() {
                    exchange.ending = Some(Ending::Close(Vec::new()));
                }
                continue;
            }
            // Half a request head is all there can be left, or requests that are left without an answer: nothing to finish.
            () = &mut silent => return,
            // Nothing is ever sent; that nothing can be any more is the signal.
            _ = closed.changed(), if open => {
                open = false;
                if !link.goes_away() {
                    exchange.connection.graceful_shutdown();
                }
                continue;
            }
        };
        match event {
            Event::Asked(_, mut respond) if link.goes_away() => respond.send_reset(Reason::REFUSED_STREAM),
            Event::Asked(request, respond) => {
                streams.spawn(answer(Arc::clone(&conversation), link.clone(), request, respond));
            }
            Event::Over => return,
            Event::Taken(mut socket, Ending::GoAway(last, code)) => {
                link.last.store(last, Relaxed);
                if write(&mut socket, &frames::goaway(last, code), limits.head_time).await.is_none() {
                    return;
                }
                exchange.valve.give_back(socket);
                if streams.is_empty() {
                    exchange.ending = Some(Ending::Close(Vec::new()));
                }
            }
            Event::Taken(mut socket, ending) => {
                let (bytes, with_reset) = match ending {
                    Ending::Reset(bytes) => (bytes, true),
                    Ending::Close(bytes) => (bytes, false),
                    Ending::GoAway(..) => unreachable!("taken care of above"),
                };
                drop((streams, exchange));
                // A client that breaks off is no concern of anybody else's.
                if write(&mut socket, &bytes, limits.head_time).await.is_some() {
                    let _ = if with_reset { reset(socket) } else { close(socket).await };
                }
                return;
            }
        }
    }
}

/// Writes bytes past the library, if the client takes them within `patience`.
async fn write(socket: &mut impl Socket, bytes: &[u8], patience: std::time::Duration) -> Option<()> {
    let written = async {
        socket.write_all(bytes).await?;
        socket.flush().await
    };
    timeout(patience, written).await.ok()?.ok()
}

impl<S: Socket> Exchange<S> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Event<S>> {
        // Orders first: what was sent before them is then on its way before they are obeyed.
        while let Poll::Ready(Some(order)) = self.orders.poll_recv(context) {
            match order {
                Order::Settle(told) => self.settling.push(told),
                Order::End(ending, reply) => {
                    self.ending.get_or_insert(ending);
                    self.replies.push(*reply);
                }
            }
        }
        match self.connection.poll_accept(context) {
            Poll::Ready(Some(Ok((request, respond)))) => return Poll::Ready(Event::Asked(request, respond)),
            Poll::Ready(_) => return Poll::Ready(Event::Over),
            Poll::Pending if !self.valve.is_flushed() => return Poll::Pending,
            Poll::Pending => {}
        }
        for told in self.settling.drain(..) {
            let _ = told.send(());
        }
        let taken = self.ending.take().and_then(|ending| Some(Event::Taken(self.valve.take()?, ending)));
        taken.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Link {
    fn goes_away(&self) -> bool {
        self.last.load(Relaxed) < u32::MAX
    }

    fn leaves_out(&self, stream: u32) -> bool {
        self.last.load(Relaxed) < stream
    }

    /// Resolves when all that was sent so far has reached the socket, or never will.
    async fn settle(&self) {
        let (told, settled) = oneshot::channel();
        if self.orders.send(Order::Settle(told)).is_ok() {
            let _ = settled.await;
        }
    }
}

/// Answers one request, unless its client gives it up.
async fn answer(
    conversation: Arc<Conversation>,
    link: Link,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    let Conversation { app, origin, limits, pulse, ended } = &*conversation;
    let busy = pulse.busy();
    let head_only = request.method() == Method::HEAD;
    let answer = tokio::select! {
        answer = app.answer(request.map(Upload), *origin, limits) => answer,
        _ = poll_fn(|context| respond.poll_reset(context)) => return,
    };
    let Some(answer) = answer else {
        drop(busy);
        tokio::select! {
            _ = conversation.silence() => {}
            _ = poll_fn(|context| respond.poll_reset(context)) => {}
        }
        return;
    };
    if link.leaves_out(respond.stream_id().as_u32()) {
        return;
    }
    let mut reply = Reply::new(answer, head_only, respond, app.clock()).await;
    match timeout(reply.lasts().saturating_add(limits.head_time), reply.deliver(&link, ended.clone())).await {
        Ok(Ok(Some(ending))) => _ = link.orders.send(Order::End(ending, Box::new(reply))),
        // The client has all of it, or wants no more.
        Ok(Ok(None) | Err(_)) => {}
        Err(_) => reply.give_up(),
    }
}
