//! A service on real sockets.
//!
//! The loop asks the service core what a request meets, waits as long as it says, and sends what it says. Bounds on
//! what clients may do are in [`Limits`].

mod app;
mod limits;
mod pulse;
mod server;

pub use app::App;
pub use limits::Limits;
pub use server::{ServeError, Server};
