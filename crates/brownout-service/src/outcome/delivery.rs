//! How an answer goes over the wire: what of it is sent, when, and how its connection ends.
//!
//! Nothing is sent here. A driver of sockets sends the [pieces](Delivery::pieces) in their time and ends the connection as
//! [`end`](Delivery::end) says; virtual time asks only for [`seen`](Delivery::seen) and [`lasts`](Delivery::lasts). After any
//! delivery but [`Whole`](Delivery::Whole) the connection is over. All that is HTTP/1.1, which virtual time follows; what becomes of
//! it over HTTP/2 is told by [`steps`](Delivery::steps).

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::time::Duration;

use super::ErrorCode;

/// How an answer goes over the wire.
///
/// A HEAD has no body, so what would befall the body befalls the end of the head: callers see the same in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// As any answer; the connection can be used again.
    Whole,
    /// As far as this point, and no further.
    Cut(Point, End),
    /// The head at once and the body, of so many bytes, in its time.
    Paced(Pacing, u32),
    /// Whole and at once; the end of the connection so long after it.
    HeldOpen(Duration),
    /// Events, one after each wait, and after one more wait the end in place of what would follow.
    Stream(Duration, u32, End),
    /// A head that announces chunks, and bytes that are no chunk.
    MalformedChunk,
    /// Bytes that are no HTTP in place of the answer.
    Garbage,
}

/// A point of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before its first byte.
    Start,
    /// In the middle of its head.
    Head,
    /// After so many bytes of its body.
    Body(u32),
    /// After half of its body.
    HalfBody,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a FIN: a clean end.
    Close,
    /// With an RST: what was not read yet may be lost.
    Reset,
    /// Silent for so long, then with a FIN.
    Hang(Duration),
    /// With an RST; over HTTP/2 only the stream ends, with this code.
    ResetStream(ErrorCode),
    /// With a FIN; over HTTP/2 with a GOAWAY of this code before it.
    GoAway(ErrorCode),
    /// With a FIN; over HTTP/2 only the stream ends, as one that is refused.
    RefuseStream,
}

/// When the bytes of a body are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pacing {
    /// So many at once, and so many more after each wait.
    Dribble(NonZeroU32, Duration),
    /// So many a second, evenly.
    Bandwidth(NonZeroU32),
}

/// What an attempt brings its caller in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A whole answer with this status.
    Status(u16),
    /// The connection was reset.
    Reset,
    /// The connection ended before the answer did.
    Closed,
    /// What came was no HTTP.
    NotHttp,
}

impl Seen {
    /// What is no whole answer.
    pub const BROKEN: [Self; 3] = [Self::Reset, Self::Closed, Self::NotHttp];
}

/// Bytes of an answer, and when they are due after its start.
pub type Piece<'a> = (Duration, Cow<'a, [u8]>);

/// What is sent in place of an answer, or of a chunk: no status line, no number of bytes, no text in any encoding. As the head
/// of a frame of HTTP/2 it tells of one larger than any may be.
pub(super) const GARBAGE: &[u8] =
    b"\xb5\x9f\x8a\xe1\x00\x13\xfe\xc7\x9c\xf2\x1b\xa6\xd0\x07\x88\xeb\r\n\xf9\x82\x97\xbf\x01\xdd\xa4\x90\r\n";

impl Delivery {
    /// What the caller of an answer with this `status` sees of it in the end.
    #[must_use]
    pub const fn seen(&self, status: u16) -> Seen {
        match self {
            Self::Whole | Self::Paced(..) | Self::HeldOpen(_) => Seen::Status(status),
            Self::Cut(_, End::Reset | End::ResetStream(_)) | Self::Stream(_, _, End::Reset | End::ResetStream(_)) => {
                Seen::Reset
            }
            Self::Cut(..) | Self::Stream(..) => Seen::Closed,
            Self::MalformedChunk | Self::Garbage => Seen::NotHttp,
        }
    }

    /// Whether it ends in silence rather than with the last byte.
    pub(super) const fn is_silent(&self) -> bool {
        matches!(self, Self::Cut(_, End::Hang(_)) | Self::Stream(_, _, End::Hang(_)))
    }

    /// How long after the start of the answer its caller has seen that.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        if let Self::HeldOpen(_) = self { Duration::ZERO } else { self.end().1 }
    }

    /// Whether the connection ends with a reset rather than with a FIN, and how long after the start of the answer.
    #[must_use]
    pub fn end(&self) -> (bool, Duration) {
        match *self {
            Self::Whole | Self::MalformedChunk | Self::Garbage => (false, Duration::ZERO),
            Self::Cut(_, end) => end.after(Duration::ZERO),
            Self::Paced(pacing, size) => (false, pacing.due(size, size)),
            Self::HeldOpen(time) => (false, time),
            Self::Stream(every, events, end) => end.after(every.saturating_mul(events)),
        }
    }

    /// Whether the head announces chunks rather than a length.
    #[must_use]
    pub const fn is_chunked(&self) -> bool {
        matches!(self, Self::Stream(..) | Self::MalformedChunk)
    }

    /// What is sent of an answer with this `head`, its empty line included, and this `body`; none where the request was a HEAD.
    pub fn pieces<'a>(&self, head: &'a [u8], body: Option<&'a [u8]>) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        let half_head = &head[..head.len() / 2];
        let last = head.len().saturating_sub(b"\r\n".len());
        let (first, rest) = match (*self, body) {
            (Self::Cut(Point::Start, _), _) => (&head[..0], Rest::Nothing),
            (Self::Garbage, _) | (Self::MalformedChunk, None) => (GARBAGE, Rest::Nothing),
            (Self::Cut(Point::Head, _), _) | (Self::Cut(..) | Self::Stream(..), None) => (half_head, Rest::Nothing),
            (Self::MalformedChunk, Some(_)) => (head, Rest::Body(GARBAGE)),
            (Self::Paced(..), None) => (&head[..last], Rest::Late(&head[last..], self.end().1)),
            (_, body) => (head, body.map_or(Rest::Nothing, |body| self.of_body(body))),
        };
        let first = (!first.is_empty()).then_some((Duration::ZERO, Cow::Borrowed(first)));
        let chunked = matches!(self, Self::Stream(..));
        let rest = rest.map(move |(due, bytes)| (due, if chunked { chunk(bytes).into() } else { bytes.into() }));
        first.into_iter().chain(rest)
    }

    /// What is sent of `body`, and when.
    pub(super) fn of_body<'a>(&self, body: &'a [u8]) -> Rest<'a> {
        match *self {
            Self::Cut(Point::Start | Point::Head, _) | Self::Garbage | Self::MalformedChunk => Rest::Nothing,
            Self::Cut(Point::Body(bytes), _) => {
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(body.len());
                Rest::Body(&body[..bytes])
            }
            Self::Cut(Point::HalfBody, _) => Rest::Body(&body[..body.len() / 2]),
            Self::Paced(pacing, _) => Rest::Paced(pacing, body, 0),
            Self::Stream(every, ..) => Rest::Events(every, body, 0),
            Self::Whole | Self::HeldOpen(_) => Rest::Body(body),
        }
    }
}

/// Bytes as a chunk.
fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

impl End {
    fn after(self, time: Duration) -> (bool, Duration) {
        match self {
            Self::Close | Self::GoAway(_) | Self::RefuseStream => (false, time),
            Self::Reset | Self::ResetStream(_) => (true, time),
            Self::Hang(silence) => (false, time.saturating_add(silence)),
        }
    }
}

impl Pacing {
    /// How many bytes of a body of `size` are to be sent after the first `sent`, and when.
    fn next(self, sent: u32, size: u32) -> (u32, Duration) {
        let bytes = match self {
            Self::Dribble(bytes, _) => bytes.get(),
            // Fifty steps a second look even, and cost little.
            Self::Bandwidth(per_second) => (per_second.get() / 50).max(1),
        };
        let until = sent.saturating_add(bytes).min(size);
        (until, self.due(until, size))
    }

    /// When the first `bytes` of a body of `size` are all sent.
    fn due(self, bytes: u32, size: u32) -> Duration {
        let bytes = bytes.min(size);
        match self {
            Self::Dribble(each, every) => every.saturating_mul(bytes.saturating_sub(1) / each),
            Self::Bandwidth(per_second) => {
                Duration::from_nanos(u64::from(bytes) * 1_000_000_000 / u64::from(per_second.get()))
            }
        }
    }
}

/// What is still to be sent.
pub(super) enum Rest<'a> {
    Nothing,
    Body(&'a [u8]),
    Late(&'a [u8], Duration),
    /// Of a body so many bytes are sent.
    Paced(Pacing, &'a [u8], u32),
    /// So many events are sent; these are left.
    Events(Duration, &'a [u8], u32),
}

impl<'a> Iterator for Rest<'a> {
    type Item = (Duration, &'a [u8]);

    fn next(&mut self) -> Option<(Duration, &'a [u8])> {
        match *self {
            Self::Nothing => None,
            Self::Body(bytes) => {
                *self = Self::Nothing;
                (!bytes.is_empty()).then_some((Duration::ZERO, bytes))
            }
            Self::Late(bytes, due) => {
                *self = Self::Nothing;
                Some((due, bytes))
            }
            Self::Paced(pacing, body, sent) => {
                let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
                let (until, due) = pacing.next(sent, size);
                *self = Self::Paced(pacing, body, until);
                (sent < until).then(|| (due, &body[sent as usize..until as usize]))
            }
            Self::Events(every, body, sent) => {
                let end = body.windows(2).position(|pair| pair == b"\n\n").map(|at| at + 2)?;
                let (event, left) = body.split_at(end);
                *self = Self::Events(every, left, sent + 1);
                Some((every.saturating_mul(sent), event))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Delivery, End, GARBAGE, Pacing, Point, Seen};
    use std::num::NonZeroU32;
    use std::time::Duration;

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nserver: nobody\r\n\r\n";
    const SECOND: Duration = Duration::from_secs(1);

    fn n(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    /// Each piece as `when:bytes`, for an answer with `body`, its head as `HEAD`.
    #[track_caller]
    fn check(delivery: Delivery, body: Option<&[u8]>, expected: &[&str]) {
        let pieces = delivery.pieces(HEAD, body).map(|(due, bytes)| {
            let text = if *bytes == *HEAD {
                "HEAD".into()
            } else {
                String::from_utf8_lossy(&bytes).escape_debug().to_string()
            };
            format!("{due:?}:{text}")
        });
        assert_eq!(pieces.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_answer_is_cut_where_it_says() {
        let cut = |point| Delivery::Cut(point, End::Reset);
        check(cut(Point::Start), Some(b"0123456789"), &[]);
        check(cut(Point::Head), Some(b"0123456789"), &["0ns:HTTP/1.1 200 OK\\r\\n"]);
        check(cut(Point::Body(3)), Some(b"0123456789"), &["0ns:HEAD", "0ns:012"]);
        check(cut(Point::Body(0)), Some(b"0123456789"), &["0ns:HEAD"]);
        check(cut(Point::HalfBody), Some(b"0123456789"), &["0ns:HEAD", "0ns:01234"]);
    }

    #[test]
    fn a_body_comes_in_its_time() {
        let dribble = Delivery::Paced(Pacing::Dribble(n(4), SECOND), 10);
        check(dribble, Some(b"0123456789"), &["0ns:HEAD", "0ns:0123", "1s:4567", "2s:89"]);
        assert_eq!(dribble.lasts(), 2 * SECOND);
        let bandwidth = Delivery::Paced(Pacing::Bandwidth(n(2)), 3);
        check(bandwidth, Some(b"012"), &["0ns:HEAD", "500ms:0", "1s:1", "1.5s:2"]);
        assert_eq!(bandwidth.lasts(), Duration::from_millis(1500));
        let fast = Delivery::Paced(Pacing::Bandwidth(n(1000)), 1000);
        assert_eq!(fast.pieces(HEAD, Some(&[0; 1000])).count(), 1 + 50);
    }

    #[test]
    fn events_are_chunks_and_the_last_chunk_never_comes() {
        let stream = Delivery::Stream(SECOND, 2, End::Close);
        check(
            stream,
            Some(b"data: a\n\ndata: bc\n\n"),
            &["0ns:HEAD", "0ns:9\\r\\ndata: a\\n\\n\\r\\n", "1s:a\\r\\ndata: bc\\n\\n\\r\\n"],
        );
        assert_eq!(stream.end(), (false, 2 * SECOND));
    }

    #[test]
    fn without_a_body_the_head_takes_what_was_meant_for_it() {
        check(Delivery::Cut(Point::Body(3), End::Close), None, &["0ns:HTTP/1.1 200 OK\\r\\n"]);
        check(Delivery::Stream(SECOND, 2, End::Reset), None, &["0ns:HTTP/1.1 200 OK\\r\\n"]);
        let paced = Delivery::Paced(Pacing::Bandwidth(n(2)), 3);
        check(paced, None, &["0ns:HTTP/1.1 200 OK\\r\\nserver: nobody\\r\\n", "1.5s:\\r\\n"]);
        assert_eq!(Delivery::MalformedChunk.pieces(HEAD, None).next().unwrap().1, GARBAGE);
        check(Delivery::HeldOpen(SECOND), None, &["0ns:HEAD"]);
    }

    #[test]
    fn what_is_seen_follows_from_the_end() {
        let seen = |delivery: Delivery| (delivery.seen(200), delivery.lasts());
        assert_eq!(seen(Delivery::Cut(Point::Start, End::Reset)), (Seen::Reset, Duration::ZERO));
        assert_eq!(seen(Delivery::Cut(Point::Start, End::Hang(SECOND))), (Seen::Closed, SECOND));
        assert_eq!(seen(Delivery::Stream(SECOND, 3, End::Reset)), (Seen::Reset, 3 * SECOND));
        assert_eq!(seen(Delivery::HeldOpen(SECOND)), (Seen::Status(200), Duration::ZERO));
        assert_eq!(seen(Delivery::Garbage), (Seen::NotHttp, Duration::ZERO));
    }
}
