//! Calls, retries and loads over real sockets.
//!
//! The loop asks the policy core what follows an attempt, waits as long as it says, and tries again when it says so.
//! One attempt is one request on the wire: connections are our own, so nothing underneath retries, follows a redirect
//! or goes through a proxy.

mod broken;
mod client;
mod drive;
mod target;
mod tls;

pub use client::{BODY_BYTES_KEPT, BODY_BYTES_MAX, Client};
pub use drive::Drive;
pub use target::{Target, TargetError};
pub use tls::{Trust, TrustError};
