//! A connection to the target, in the protocol that it is to be called in.

use std::time::Duration;

use brownout_policy::{Success, Transport};
use tokio::net::TcpStream;

use crate::Target;
use crate::answer::Answer;
use crate::broken::Broken;
use crate::http1::Http1;
use crate::http2::Http2;
use crate::outgoing::Outgoing;
use crate::stream::Stream;

/// A connection that requests can be sent on.
#[derive(Debug)]
pub(crate) enum Connection {
    /// For one request at a time.
    Http1(Box<Http1>),
    /// For many; a clone is the same connection.
    Http2(Http2),
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing of the request left: it may go on another connection as if it had not been tried.
    Unsent,
    Broken(Broken),
}

/// What is asked of an exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'t> {
    /// Whether the answer has a body; that of a HEAD has none.
    pub(crate) body: bool,
    /// Whether headers and body of a success are shown to somebody.
    pub(crate) shown: bool,
    /// Which answers are one.
    pub(crate) success: &'t Success,
}

impl Wanted<'_> {
    /// An answer with this `status`, to be filled. Headers and body of a failure say what to do next; those of others are kept where they
    /// are shown.
    pub(crate) fn answer(&self, status: u16) -> Answer {
        Answer::new(status, self.shown || !self.success.includes(status))
    }
}

impl Connection {
    /// Connects to the target.
    pub(crate) async fn open(target: &Target) -> Result<Self, Broken> {
        let Target { host, port, tls, http2, .. } = target;
        let addresses = tokio::net::lookup_host((host.as_str(), *port)).await;
        let addresses: Vec<_> = addresses.map_err(|error| Broken::new(Transport::Resolve, &error))?.collect();
        let stream = TcpStream::connect(&*addresses).await;
        let stream = stream.map_err(|error| Broken::connect(host, *port, &error))?;
        let _ = stream.set_nodelay(true);
        let stream = match tls {
            None => Stream::Plain(stream),
            Some(tls) => Stream::Tls(Box::new(tls.connect(stream, *http2).await?)),
        };
        Ok(if *http2 { Self::Http2(Http2::new(stream).await?) } else { Self::Http1(Box::new(Http1::new(stream))) })
    }

    /// Whether a request can still be sent on it.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Http1(connection) => connection.is_open(),
            Self::Http2(connection) => connection.is_open(),
        }
    }

    /// Sends a request and receives its answer; also whether another request may follow.
    pub(crate) async fn exchange(
        &mut self,
        outgoing: &Outgoing<'_>,
        left: Option<Duration>,
        wanted: Wanted<'_>,
    ) -> Result<(Answer, bool), Failure> {
        match self {
            Self::Http1(connection) => connection.exchange(|to| outgoing.http1(left, to), wanted).await,
            Self::Http2(connection) => Ok((Box::pin(connection.exchange(outgoing.http2(left), wanted)).await?, true)),
        }
    }
}
