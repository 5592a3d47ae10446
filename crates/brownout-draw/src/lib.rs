//! Seeded chance for brownout.
//!
//! Every draw is a pure function of four values:
//!
//! ```
//! use brownout_draw::{Seed, Stream, draw};
//!
//! let first = draw(Seed(42), Stream::OUTCOME, 7, 1);
//! assert_eq!(first, draw(Seed(42), Stream::OUTCOME, 7, 1));
//! assert_ne!(first, draw(Seed(43), Stream::OUTCOME, 7, 1));
//! ```
//!
//! There is no generator to share and none to advance. Request 7, attempt 1 meets the same fate whether it is
//! the first or the millionth to be decided, on one thread or on sixty-four, and two policies compared on one
//! seed meet the same luck. A new [`Stream`] changes no other stream's draws.
//!
//! What is decided here: how a draw is made, and how one uniform draw becomes a choice ([`Weights`]) or a
//! duration ([`Distribution`]). What is left out: what the draws are *for*.

mod ahead;
mod distribution;
mod exponential;
mod fingerprint;
mod normal;
mod percentiles;
mod philox;
mod probability;
mod stream;
mod uniform;
mod weights;

pub use ahead::{Ahead, ROW, draw_row};
pub use distribution::{Distribution, DistributionError};
pub use exponential::exponential;
pub use fingerprint::{Fingerprint, fingerprint};
pub use normal::quantile as normal_quantile;
pub use percentiles::Percentiles;
pub use philox::philox4x32_10;
pub use probability::{Probability, ProbabilityError};
pub use stream::{Seed, Stream, draw, draw_pair};
pub use uniform::{millis, nanos, scale, unit};
pub use weights::{Pick, Weights};
