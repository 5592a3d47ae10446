//! Virtual time: the service and the policy run against each other, and nobody waits.
//!
//! ```
//! use brownout_draw::Seed;
//! use brownout_load::Load;
//! use brownout_policy::Policy;
//! use brownout_service::{Request, Service};
//! use brownout_sim::World;
//!
//! let (service, policy) = (Service::default(), Policy::none());
//! let world = World::new(&service, &policy, Seed(42));
//! let request = Request { method: "GET", path: "/" };
//! let result = world.load(&request, &Load::default());
//! assert_eq!(result.calls.started, 100);
//! ```
//!
//! What is decided here: the order of things in time. What is left out: what the service and the caller do, which
//! they decide themselves, as they do on real sockets.

mod heard;
#[doc(hidden)]
pub mod queue;
mod run;
mod world;

pub use heard::failure_of;
pub use run::{IN_FLIGHT_MAX, Limits, Observer, landed};
pub use world::World;
