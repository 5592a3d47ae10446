//! Real sockets: against brownout's own server, and against raw servers that misbehave.

mod both;
mod faults;
mod line;
mod open;
mod policy;
mod probe;
mod raw;
mod theory;
mod tls;
mod wire;
mod worlds;
