//! A retry runner around whatever can fail.
//!
//! The loop makes an attempt, asks the policy core what follows, and obeys. Its clock is tokio's, so a test that pauses
//! that clock runs the real loop without waiting.

mod command;
mod flaky;
mod hook;
mod input;
mod output;
mod rules;
mod runner;
mod shared;
mod signals;
#[cfg(unix)]
mod terminal;
#[cfg_attr(not(unix), path = "no_tree.rs")]
mod tree;
mod watch;

pub use command::{Command, Tries};
pub use flaky::Flaky;
pub use input::StdinMode;
pub use rules::{Cause, Ends, EndsError, Examiner, Judgement, Pattern, PatternError, Rules, Seen, Stream};
pub use runner::{Attempted, Event, Failed, Runner, Work};
pub use shared::{SharedBudget, SharedBudgetError};
pub use signals::{Signals, Told};
