//! HTTP/2, by `hyper`.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::answer::Answer;
use crate::broken::Broken;
use crate::connection::{Failure, Wanted};
use crate::stream::Stream;

/// A connection with any number of streams.
#[derive(Clone, Debug)]
pub(crate) struct Http2(SendRequest<Full<Bytes>>);

impl Http2 {
    pub(crate) async fn new(stream: Stream) -> Result<Self, Broken> {
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (sender, connection) = handshake.await.map_err(|error| Broken::of(&error))?;
        // The connection's own end is told to whoever is sending on it.
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Whether a request can still be sent on it.
    pub(crate) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    /// Sends a request and receives its answer.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        wanted: Wanted<'_>,
    ) -> Result<Answer, Failure> {
        self.0.ready().await.map_err(|_| Failure::Unsent)?;
        let sent = self.0.try_send_request(request).await;
        let broken = |error: &hyper::Error| Failure::Broken(Broken::of(error));
        let (head, mut body) = match sent {
            Ok(response) => response.into_parts(),
            Err(mut failed) => {
                let unsent = failed.take_message().is_some();
                return Err(if unsent { Failure::Unsent } else { broken(failed.error()) });
            }
        };
        let mut answer = wanted.answer(head.status.as_u16());
        for (name, value) in &head.headers {
            answer.header(name.as_str(), value.as_bytes());
        }
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            if let Some(data) = frame.data_ref() {
                answer.more(data).map_err(Failure::Broken)?;
            }
        }
        Ok(answer)
    }
}
