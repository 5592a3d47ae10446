//! Calls, retries and loads over real sockets.
//!
//! The loop asks the policy core what follows an attempt, waits as long as it says, and tries again when it says so.
//! One attempt is one request on the wire: connections are our own, so nothing underneath retries, follows a redirect
//! or goes through a proxy.

mod broken;
mod call;
mod client;
mod closed;
mod drive;
mod line;
mod open;
mod run;
mod spares;
mod target;
mod tls;
mod wait;

pub use client::{BODY_BYTES_KEPT, BODY_BYTES_MAX, Client};
pub use drive::Drive;
pub use line::Line;
pub use target::{Target, TargetError};
pub use tls::{Trust, TrustError};
