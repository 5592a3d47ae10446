//! A retry runner around whatever can fail.
//!
//! The loop makes an attempt, asks the policy core what follows, and obeys. Its clock is tokio's, so a test that pauses
//! that clock runs the real loop without waiting.

mod command;
mod flaky;
mod runner;

pub use command::Command;
pub use flaky::Flaky;
pub use runner::{Attempted, Failed, Runner, Work};
