//! `rst_stream`: the end of one stream of HTTP/2, before the answer or within it; others on its connection go on.

use super::fault::{Says, cut};
use super::{Delivery, End, ErrorCode, Fault, FaultError, Outcome, Point, Profile};

pub(super) const PROFILE: Profile = Profile::fault("rst_stream", &DEFAULT);

static DEFAULT: Fault = at(Point::Start, Fault::RST_STREAM, 0);

impl Fault {
    /// The code of a stream that is reset, unless told otherwise: what servers say whose handler failed.
    pub const RST_STREAM: ErrorCode = ErrorCode::InternalError;

    /// The stream is reset at this point of the answer. Default: its start, with [`RST_STREAM`](Self::RST_STREAM).
    ///
    /// # Errors
    /// When no body is that large.
    pub fn rst_stream(point: Point, code: ErrorCode) -> Result<Self, FaultError> {
        let bytes = if let Point::Body(bytes) = point { cut(bytes)? + 1 } else { 0 };
        Ok(at(point, code, bytes))
    }
}

/// Of an answer of so many bytes at least, so that there is something behind the point.
const fn at(point: Point, code: ErrorCode, bytes: u32) -> Fault {
    Fault::new(Outcome::RstStream, Delivery::Cut(point, End::ResetStream(code)), Says::Success(bytes))
}
