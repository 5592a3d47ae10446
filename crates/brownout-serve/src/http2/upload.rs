//! The body of a request.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use hyper::body::{Body, Frame};

/// A body on its way here; what has come makes room for more at once.
#[derive(Debug)]
pub(super) struct Upload(pub(super) RecvStream);

impl Body for Upload {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let data = ready!(self.0.poll_data(context));
        Poll::Ready(data.map(|data| {
            let bytes = data?;
            self.0.flow_control().release_capacity(bytes.len())?;
            Ok(Frame::data(bytes))
        }))
    }
}
