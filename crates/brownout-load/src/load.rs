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
}

impl Default for Load {
    fn default() -> Self {
        Self { count: 100, clients: NonZeroU32::MIN, think: None }
    }
}

impl Load {
    /// How long the client that made `call` pauses after it.
    #[must_use]
    pub fn pause(&self, seed: Seed, call: u64) -> Duration {
        self.think.as_ref().map_or(Duration::ZERO, |think| think.sample(draw(seed, Stream::THINK, call, 0)))
    }
}
