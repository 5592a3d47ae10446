//! What a running service tells of itself, and how it is changed while it runs.
//!
//! An HTTP API on a port of its own. All that it changes are phases, begun, ended or added, so that what follows is decided and
//! explained as all else is, and what is added ends by itself. [`Guard`] says who may ask. A page for browsers shows what the API tells,
//! and changes what it changes. The counts of a load under way are served in the same way, and nothing else of it.

mod api;
mod changes;
mod clients;
mod control;
mod endpoints;
mod events;
mod fare;
mod force;
mod guard;
mod journal;
mod lately;
mod load;
mod metrics;
mod openapi;
mod page;
mod server;
mod views;

pub use control::{Control, Reload, Reloaded, Served};
pub use guard::{Guard, GuardError};
pub use server::Admin;
