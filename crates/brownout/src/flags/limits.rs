//! Bounds of a run in virtual time.

use brownout_sim::{IN_FLIGHT_MAX, Limits};
use clap::Args;

/// Flags of what runs in virtual time.
#[derive(Debug, Args)]
pub(crate) struct LimitFlags {
    /// Ends a run in virtual time after so many events, with what was counted so far
    #[arg(long, value_name = "COUNT", default_value = "1000000000", value_parser = events, allow_negative_numbers = true)]
    max_events: u64,

    /// Ends a run in virtual time with more calls, or attempts, at once; a million take about 250 MiB [at most 16777216]
    #[arg(long, value_name = "COUNT", default_value = "16777216", value_parser = in_flight, allow_negative_numbers = true)]
    max_in_flight: u32,
}

impl LimitFlags {
    pub(crate) const fn limits(&self) -> Limits {
        Limits { events: self.max_events, in_flight: self.max_in_flight }
    }
}

fn events(text: &str) -> Result<u64, String> {
    let limit = text.parse().ok().filter(|limit| *limit > 0);
    limit.ok_or_else(|| format!("a bound on events is a whole number from 1 to {}, found `{text}`", u64::MAX))
}

fn in_flight(text: &str) -> Result<u32, String> {
    let limit = text.parse().ok().filter(|limit| (1..=IN_FLIGHT_MAX).contains(limit));
    limit.ok_or_else(|| {
        format!("a bound on what is in flight is a whole number from 1 to {IN_FLIGHT_MAX}, found `{text}`")
    })
}
