//! How requests fared, in five words.

use brownout_serve::{Counts, Record};
use brownout_service::Seen;
use serde::Serialize;

/// How requests fared, as their clients see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Fare {
    /// An answer with a status below 400.
    pub(crate) well: u64,
    /// One from 400 to 499.
    pub(crate) refused: u64,
    /// One from 500.
    pub(crate) failed: u64,
    /// No answer, or none that is whole HTTP.
    pub(crate) broken: u64,
    /// The client left before it.
    pub(crate) left: u64,
}

impl Fare {
    /// Of all requests so far.
    pub(crate) fn of(counts: &Counts) -> Self {
        let mut fare = Self { left: counts.by_outcome.get(Counts::LEFT).copied().unwrap_or(0), ..Self::default() };
        for (status, count) in &counts.by_status {
            *fare.by_status(*status) += count;
        }
        // What neither has a status nor a client has none to see.
        fare.broken = counts.requests.saturating_sub(fare.all());
        fare
    }

    /// One more.
    pub(crate) fn add(&mut self, record: &Record) {
        let own = match record.seen {
            _ if record.outcome == Counts::LEFT => &mut self.left,
            Some(Seen::Status(status)) => self.by_status(status),
            _ => &mut self.broken,
        };
        *own += 1;
    }

    const fn by_status(&mut self, status: u16) -> &mut u64 {
        match status {
            ..400 => &mut self.well,
            400..500 => &mut self.refused,
            _ => &mut self.failed,
        }
    }

    /// Of the requests since it was as `earlier`.
    pub(crate) const fn since(self, earlier: Self) -> Self {
        Self {
            well: self.well.saturating_sub(earlier.well),
            refused: self.refused.saturating_sub(earlier.refused),
            failed: self.failed.saturating_sub(earlier.failed),
            broken: self.broken.saturating_sub(earlier.broken),
            left: self.left.saturating_sub(earlier.left),
        }
    }

    /// How many.
    pub(crate) const fn all(self) -> u64 {
        self.well + self.refused + self.failed + self.broken + self.left
    }
}
