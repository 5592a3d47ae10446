//! What clients may do, and how much is kept of it.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use brownout_scenario::units::size;
use brownout_serve::{JournalBounds, Limits};
use clap::Args;

use crate::flags::limit;

/// Bounds of the server. They are real time, whatever the time scale.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Bounds, in real time")]
pub(super) struct BoundFlags {
    /// Connections held at once; more wait to be accepted
    #[arg(long, value_name = "COUNT", default_value = "10000", value_parser = count, allow_negative_numbers = true)]
    max_connections: NonZeroUsize,

    /// Requests under way at once on one connection of HTTP/2
    #[arg(long, value_name = "COUNT", default_value = "100", value_parser = crate::flags::positive, allow_negative_numbers = true)]
    max_streams: NonZeroU32,

    /// The largest request body; a larger one gets a 413
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = bytes, allow_hyphen_values = true)]
    max_body: usize,

    /// The largest request head, at least 8KiB; a larger one gets a 431
    #[arg(long, value_name = "SIZE", default_value = "64KiB", value_parser = bytes, allow_hyphen_values = true)]
    max_head: usize,

    /// How long a client may take over a request body before it gets a 408
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = limit, allow_hyphen_values = true)]
    body_time: Duration,

    /// How long a client may take over a request head, or be silent, before its connection is closed; it may take twice as long
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = limit, allow_hyphen_values = true)]
    head_time: Duration,

    /// How long a request is held at the most, whatever the scenario says, before it gets a 503
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = limit, allow_hyphen_values = true)]
    answer_time: Duration,

    /// How long answers under way may take once the program is told to end
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = limit, allow_hyphen_values = true)]
    drain_time: Duration,
}

/// How much of its answers a service remembers.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Journal, read over the admin API")]
pub(super) struct JournalFlags {
    /// Keeps no journal
    #[arg(long)]
    no_journal: bool,

    /// How many answers of each service are kept
    #[arg(long, value_name = "COUNT", default_value = "10000", value_parser = count, allow_negative_numbers = true)]
    journal_entries: NonZeroUsize,

    /// How much memory they may take
    #[arg(long, value_name = "SIZE", default_value = "8MiB", value_parser = bytes, allow_hyphen_values = true)]
    journal_bytes: usize,
}

impl BoundFlags {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            connections: self.max_connections.get(),
            streams: self.max_streams.get(),
            body_bytes: self.max_body,
            body_time: self.body_time,
            head_bytes: self.max_head,
            head_time: self.head_time,
            answer_time: self.answer_time,
            drain_time: self.drain_time,
        }
    }
}

impl JournalFlags {
    /// `None` where none is kept.
    pub(super) fn bounds(&self) -> Option<JournalBounds> {
        let bounds = JournalBounds { entries: self.journal_entries.get(), bytes: self.journal_bytes };
        (!self.no_journal).then_some(bounds)
    }
}

fn count(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| format!("a count is a whole number from 1, found `{text}`"))
}

fn bytes(text: &str) -> Result<usize, String> {
    size(text).map(|bytes| bytes as usize).map_err(|error| error.to_string())
}
