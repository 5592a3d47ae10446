//! Calls, retries and loads over real sockets.
//!
//! The loop asks the policy core what follows an attempt, waits as long as it says, and tries again when it says so.
//! One attempt is one request on the wire: connections are our own, so nothing underneath retries, follows a redirect
//! or goes through a proxy.

mod answer;
mod broken;
mod call;
mod client;
mod closed;
mod connection;
mod drive;
mod http1;
mod http2;
mod line;
mod open;
mod outgoing;
mod probe;
mod run;
mod spares;
mod stream;
mod target;
mod tls;
mod wait;

pub use answer::{BODY_BYTES_KEPT, BODY_BYTES_MAX};
pub use client::Client;
pub use drive::Drive;
pub use line::Line;
pub use probe::Probe;
pub use target::{Target, TargetError};
pub use tls::{Trust, TrustError};
