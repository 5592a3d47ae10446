//! A function that fails for practice.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_report::Exit;

use crate::{Attempted, Failed, Work};

/// Fails a given number of times, then succeeds. Takes no time.
#[derive(Clone, Copy, Debug)]
pub struct Flaky {
    /// How often it fails. Default 3.
    pub fail_count: u32,
}

impl Work for Flaky {
    async fn attempt(&mut self, number: NonZeroU32, _: Option<Duration>) -> Attempted {
        if self.fail_count < number.get() {
            return Ok(());
        }
        let error = format!("flaky function failed ({number} of {} failures)", self.fail_count);
        Err(Failed { error, exit: Exit::default(), fatal: None })
    }
}
