//! How an answer goes over HTTP/2, where one connection carries many.
//!
//! What a fault does by its name to a connection it does here too, and all that are on it suffer: `connection_reset`,
//! `empty_response`, `malformed_chunk`, `garbage_then_close`, `goaway`. All others end their own stream and no other. A head comes
//! whole, in one frame, so that what would befall its middle befalls its end, unless the connection goes with it.

use std::iter::once;
use std::time::Duration;

use super::delivery::{GARBAGE, Rest};
use super::{Delivery, End, ErrorCode, Point};

/// A step of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Its head, whole.
    Head,
    /// So much of its body.
    Data(&'a [u8]),
    /// The last step.
    Finish(Finish),
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Its stream ends cleanly, with `END_STREAM`.
    EndStream,
    /// Its stream ends with `RST_STREAM`.
    ResetStream(ErrorCode),
    /// The connection ends with `GOAWAY`, whose last stream is the one before this, and with a FIN once the others are answered.
    GoAway(ErrorCode),
    /// The connection ends with a FIN.
    Close,
    /// The connection ends with an RST.
    Reset,
    /// The same after half of the frame of the head, which has not been sent.
    ResetInHead,
    /// A frame of the body whose padding is longer than itself, and a FIN of the connection.
    Malformed,
    /// Bytes that are no frame, and a FIN of the connection.
    Garbage(&'static [u8]),
}

impl Delivery {
    /// Whether the head says how long the body is. What ends the connection in the middle of a body can then be told from its end.
    #[must_use]
    pub const fn has_length_over_http2(&self) -> bool {
        !matches!(self, Self::Stream(..))
    }

    /// What is sent of an answer with this `body` over HTTP/2, each step with when it is due after the start of the answer;
    /// `None` where the request was a HEAD.
    pub fn steps<'a>(&self, body: Option<&'a [u8]>) -> impl Iterator<Item = (Duration, Step<'a>)> + use<'a> {
        let (finish, end) = (self.finish(body.is_some()), self.end().1);
        let has_head = match *self {
            Self::Cut(point, _) => point != Point::Start && finish != Finish::ResetInHead,
            _ => !matches!(finish, Finish::Garbage(_) | Finish::ResetInHead),
        };
        let late = matches!((self, body), (Self::Paced(..), None));
        let head = has_head.then_some((if late { end } else { Duration::ZERO }, Step::Head));
        let body = body.map_or(Rest::Nothing, |body| self.of_body(body));
        let body = body.map(|(due, bytes)| (due, Step::Data(bytes)));
        head.into_iter().chain(body).chain(once((end, Step::Finish(finish))))
    }

    /// How an answer ends, that of a HEAD if it has no body.
    fn finish(&self, has_body: bool) -> Finish {
        match *self {
            Self::Whole | Self::Paced(..) | Self::HeldOpen(_) => Finish::EndStream,
            Self::Garbage => Finish::Garbage(GARBAGE),
            Self::MalformedChunk if has_body => Finish::Malformed,
            Self::MalformedChunk => Finish::Garbage(GARBAGE),
            Self::Cut(Point::Start, End::Close) => Finish::Close,
            // Less came than the head promised.
            Self::Cut(Point::Body(_) | Point::HalfBody, End::Close) if has_body => Finish::EndStream,
            Self::Cut(Point::Start, End::Reset) => Finish::Reset,
            Self::Cut(Point::Body(_) | Point::HalfBody, End::Reset) | Self::Stream(.., End::Reset) if has_body => {
                Finish::Reset
            }
            Self::Cut(_, End::Reset) | Self::Stream(.., End::Reset) => Finish::ResetInHead,
            Self::Cut(_, end) | Self::Stream(.., end) => match end {
                End::ResetStream(code) => Finish::ResetStream(code),
                End::RefuseStream => Finish::ResetStream(ErrorCode::RefusedStream),
                End::GoAway(code) => Finish::GoAway(code),
                // What servers say whose handler failed, or was lost on its way.
                End::Close | End::Hang(_) | End::Reset => Finish::ResetStream(ErrorCode::InternalError),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Finish, Step};
    use crate::{Delivery, End, ErrorCode, Fault, Pacing, Point};
    use std::num::NonZeroU32;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);
    const INTERNAL: Finish = Finish::ResetStream(ErrorCode::InternalError);

    fn n(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    /// Each step before the last as `seconds:what`, and the last, for an answer with `body`.
    #[track_caller]
    fn check(delivery: Delivery, body: Option<&str>, expected: &[&str], last: (Duration, Finish)) {
        let mut steps: Vec<_> = delivery.steps(body.map(str::as_bytes)).collect();
        let (due, Step::Finish(finish)) = steps.pop().unwrap() else { panic!("a finish is last") };
        let steps = steps.into_iter().map(|(due, step)| match step {
            Step::Head => format!("{}:HEAD", due.as_secs()),
            Step::Data(bytes) => format!("{}:{}", due.as_secs(), String::from_utf8_lossy(bytes)),
            Step::Finish(_) => panic!("two ends"),
        });
        assert_eq!(steps.collect::<Vec<_>>(), expected);
        assert_eq!((due, finish), last);
    }

    const BODY: Option<&str> = Some("0123456789");

    #[test]
    fn a_reset_of_a_stream_comes_where_it_says_and_leaves_the_connection() {
        let cut = |point| Delivery::Cut(point, End::ResetStream(ErrorCode::Cancel));
        let last = (Duration::ZERO, Finish::ResetStream(ErrorCode::Cancel));
        check(cut(Point::Start), BODY, &[], last);
        check(cut(Point::Head), BODY, &["0:HEAD"], last);
        check(cut(Point::Body(3)), BODY, &["0:HEAD", "0:012"], last);
        check(cut(Point::Body(3)), None, &["0:HEAD"], last);
        let refused = Delivery::Cut(Point::Start, End::RefuseStream);
        check(refused, BODY, &[], (Duration::ZERO, Finish::ResetStream(ErrorCode::RefusedStream)));
        check(*Fault::lost_reply(Fault::LOST_REPLY).unwrap().delivery(), BODY, &[], (Duration::ZERO, INTERNAL));
    }

    #[test]
    fn what_ends_the_connection_ends_it() {
        let reset = |point| Delivery::Cut(point, End::Reset);
        check(reset(Point::Start), BODY, &[], (Duration::ZERO, Finish::Reset));
        check(reset(Point::Head), BODY, &[], (Duration::ZERO, Finish::ResetInHead));
        check(reset(Point::Body(2)), BODY, &["0:HEAD", "0:01"], (Duration::ZERO, Finish::Reset));
        check(reset(Point::Body(2)), None, &[], (Duration::ZERO, Finish::ResetInHead));
        check(Delivery::Cut(Point::Start, End::Close), BODY, &[], (Duration::ZERO, Finish::Close));
        let away = End::GoAway(ErrorCode::NoError);
        check(Delivery::Cut(Point::Start, away), BODY, &[], (Duration::ZERO, Finish::GoAway(ErrorCode::NoError)));
        check(Delivery::MalformedChunk, BODY, &["0:HEAD"], (Duration::ZERO, Finish::Malformed));
        let garbage = |body| match Delivery::Garbage.steps(body).collect::<Vec<_>>()[..] {
            [(Duration::ZERO, Step::Finish(Finish::Garbage(bytes)))] => bytes,
            _ => panic!("garbage alone"),
        };
        // Its first three bytes are the length of a frame, which is 16 KiB at the most unless a client asks for more.
        assert!(garbage(Some(b"0")).len() > 9 && garbage(None)[0] > 0x40);
    }

    #[test]
    fn a_body_comes_in_its_time_and_ends_cleanly() {
        let clean = |after| (after, Finish::EndStream);
        check(Delivery::Whole, BODY, &["0:HEAD", "0:0123456789"], clean(Duration::ZERO));
        check(Delivery::Cut(Point::HalfBody, End::Close), BODY, &["0:HEAD", "0:01234"], clean(Duration::ZERO));
        check(Delivery::HeldOpen(SECOND), BODY, &["0:HEAD", "0:0123456789"], clean(SECOND));
        let dribble = Delivery::Paced(Pacing::Dribble(n(4), SECOND), 10);
        check(dribble, BODY, &["0:HEAD", "0:0123", "1:4567", "2:89"], clean(2 * SECOND));
        check(dribble, None, &["2:HEAD"], clean(2 * SECOND));
        check(Delivery::HeldOpen(SECOND), None, &["0:HEAD"], clean(SECOND));
    }

    #[test]
    fn what_breaks_off_is_reset_as_servers_do() {
        let events = Some("data: a\n\ndata: bc\n\n");
        let stream = |end| Delivery::Stream(SECOND, 2, end);
        let sent = ["0:HEAD", "0:data: a\n\n", "1:data: bc\n\n"];
        check(stream(End::Close), events, &sent, (2 * SECOND, INTERNAL));
        check(stream(End::Reset), events, &sent, (2 * SECOND, Finish::Reset));
        check(stream(End::Close), None, &["0:HEAD"], (2 * SECOND, INTERNAL));
        check(Delivery::Cut(Point::Start, End::Hang(SECOND)), BODY, &[], (SECOND, INTERNAL));
        // A HEAD that ended cleanly would be a sound answer.
        check(Delivery::Cut(Point::HalfBody, End::Close), None, &["0:HEAD"], (Duration::ZERO, INTERNAL));
    }
}
