//! What clients may do.

use std::time::Duration;

/// Bounds of a server. None of them is ever reached by a client that behaves.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections held at once; more wait to be accepted. Default 10,000.
    pub connections: usize,
    /// Requests under way at once over one connection of HTTP/2; more are refused. Default 100.
    pub streams: u32,
    /// The largest request body, in bytes; a larger one gets a 413. Default 1 MiB.
    pub body_bytes: usize,
    /// How long a client may take over its request body; a slower one gets a 408. Default 60 s.
    pub body_time: Duration,
    /// The largest request head, in bytes, over HTTP/1.1 at least 8 KiB. Default 64 KiB.
    pub head_bytes: usize,
    /// How long a client may take over its request head, and stay silent between two requests, before its connection is
    /// closed; looked at once in that time, so it may take twice as long. A request that is shed in silence is silence too.
    /// Default 60 s.
    pub head_time: Duration,
    /// How long a request may be held, whatever the service says; then it gets a 503. Default 10 min.
    pub answer_time: Duration,
    /// How long answers under way may still take once the server is told to end. Default 5 s.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            streams: 100,
            body_bytes: 1 << 20,
            body_time: Duration::from_secs(60),
            head_bytes: 64 << 10,
            head_time: Duration::from_secs(60),
            answer_time: Duration::from_secs(600),
            drain_time: Duration::from_secs(5),
        }
    }
}
