//! A function that fails for practice.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_report::{Failing, Reason};

use crate::{Attempted, Signals, Work};

/// Fails a given number of times, then succeeds. Takes no time.
#[derive(Clone, Copy, Debug)]
pub struct Flaky {
    /// How often it fails. Default 3.
    pub fail_count: u32,
}

impl Work for Flaky {
    async fn attempt(&mut self, number: NonZeroU32, _: Option<Duration>, _: &mut Signals) -> Attempted {
        if self.fail_count < number.get() {
            return Ok(());
        }
        let error = format!("flaky function failed ({number} of {} failures)", self.fail_count);
        Err(Failing::new(error, Reason::Error).into())
    }
}
