//! `stream_break`: a stream of events that begins with 200 and breaks on its way, as clients of language models meet it.

use std::time::Duration;

use super::fault::{Says, bounded};
use super::{Delivery, End, Fault, FaultError, Outcome, Profile};

pub(super) const PROFILE: Profile = Profile { effect: true, ..Profile::fault("stream_break", &DEFAULT) };

static DEFAULT: Fault = of(Fault::STREAM_BREAK.0, Fault::STREAM_BREAK.1, End::Close);

impl Fault {
    /// How many events come unless told otherwise, and how often.
    pub const STREAM_BREAK: (u32, Duration) = (3, Duration::from_millis(100));

    /// The first of so many events comes at once, the others `every` so often, and where the next was due, the end. Default: 3,
    /// every 100 ms, then a FIN.
    ///
    /// # Errors
    /// When a number is out of bounds, or the stream takes too long to break.
    pub fn stream_break(events: u32, every: Duration, end: End) -> Result<Self, FaultError> {
        if events > Self::EVENTS_MAX {
            return Err(FaultError::Events(events));
        }
        bounded(of(events, every, end))
    }
}

const fn of(events: u32, every: Duration, end: End) -> Fault {
    Fault::new(Outcome::StreamBreak, Delivery::Stream(every, events, end), Says::Events(events))
}
