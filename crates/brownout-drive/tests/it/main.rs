//! Real sockets: against brownout's own server, and against raw servers that misbehave.

mod raw;
mod tls;
mod worlds;
