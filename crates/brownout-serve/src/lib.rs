//! A service on real sockets.
//!
//! The loop asks the service core what a request meets, waits as long as it says, and sends what it says; where the service
//! has a capacity, requests queue for its workers as they do in virtual time, and where it has limits, they hold here too.
//! Where it calls others, it asks each of them ([`Behind`]) and knows nothing of how they are reached. Bounds on what clients
//! may do are in [`Limits`].

mod app;
mod behind;
mod books;
mod conversation;
mod door;
mod effects;
mod frames;
mod gate;
mod http1;
mod http2;
mod limits;
mod origin;
mod pulse;
mod run;
mod schedule;
mod script;
mod server;
mod shed;
mod site;
mod socket;
mod tap;
mod tls;
mod told;
mod wire;

pub use app::App;
pub use behind::Behind;
pub use books::{Client, Counts, Journal, JournalBounds, Latencies, Record, TIMES_BOUNDS, Times, Visit, VisitBounds};
pub use conversation::converse_in_memory;
pub use limits::Limits;
pub use script::{Change, ChangeError};
pub use server::{ServeError, Server};
pub use tls::{Tls, TlsError};
