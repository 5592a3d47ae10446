//! When calls start.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::{Distribution, Seed, Stream, draw};

/// A closed load: each client makes its next call when the last one has ended.
///
/// Closed clients slow down with the service, so this is a load of people who wait, not of an open crowd.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// How many calls all clients make together. Default 100.
    pub count: u64,
    /// How many clients, each with one call in flight. Default 1.
    pub clients: NonZeroU32,
    /// How long a client pauses between two calls. Default none.
    pub think: Option<Distribution>,
    /// What every call asks for. Default `GET /`.
    pub request: RequestLine,
}

/// A method and a path, as `GET /` or `POST /orders?x=1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// In capitals as on the wire.
    pub method: String,
    /// With its query, if it has one.
    pub path: String,
}

impl Default for RequestLine {
    fn default() -> Self {
        Self { method: "GET".to_owned(), path: "/".to_owned() }
    }
}

impl Default for Load {
    fn default() -> Self {
        Self { count: 100, clients: NonZeroU32::MIN, think: None, request: RequestLine::default() }
    }
}

impl Load {
    /// How many clients get a call at all: more than there are calls would never be heard of.
    #[must_use]
    pub fn busy_clients(&self) -> u64 {
        u64::from(self.clients.get()).min(self.count)
    }

    /// How long the client that made `call` pauses after it.
    #[must_use]
    pub fn pause(&self, seed: Seed, call: u64) -> Duration {
        self.think.as_ref().map_or(Duration::ZERO, |think| think.sample(draw(seed, Stream::THINK, call, 0)))
    }
}
