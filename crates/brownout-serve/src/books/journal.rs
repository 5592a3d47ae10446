//! The last answers, one by one.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use brownout_service::{Identity, Seen};
use hyper::Method;

use super::{Asked, Client, Met};

/// How much a journal keeps; what is oldest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalBounds {
    /// Default 10,000.
    pub entries: usize,
    /// Of memory, texts included. Default 8 MiB.
    pub bytes: usize,
}

/// The last answers of a server.
#[derive(Debug)]
pub struct Journal {
    bounds: JournalBounds,
    records: VecDeque<Record>,
    bytes: usize,
    /// How many were ever written.
    written: u64,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its number in the order in which answers ended, from 1.
    pub number: u64,
    /// When the request came, in the scenario's time.
    pub at: Duration,
    /// Which attempt of which request it was.
    pub identity: Identity,
    /// Its method.
    pub method: Method,
    /// Its path, [`PATH_BYTES`](Self::PATH_BYTES) of it at the most.
    pub path: Box<str>,
    /// Who sent it.
    pub client: Client,
    /// The route that took it.
    pub route: Option<Box<str>>,
    /// The outcome that was drawn, or why it never came to that.
    pub outcome: &'static str,
    /// What its client sees; `None` where it is left without an answer.
    pub seen: Option<Seen>,
    /// The phase that it met.
    pub phase: Option<Box<str>>,
    /// The replica that it landed on.
    pub replica: Option<NonZeroU32>,
    /// The limit that refused it.
    pub limit: Option<Box<str>>,
    /// The client that came before it was told to.
    pub early: Option<Box<str>>,
    /// How long the scenario asked it to take, in its own time.
    pub asked: Duration,
    /// How long it took.
    pub took: Duration,
}

impl Default for JournalBounds {
    fn default() -> Self {
        Self { entries: 10_000, bytes: 8 << 20 }
    }
}

impl Journal {
    pub(super) const fn new(bounds: JournalBounds) -> Self {
        Self { bounds, records: VecDeque::new(), bytes: 0, written: 0 }
    }

    pub(super) fn push(&mut self, record: Record) {
        self.written += 1;
        self.bytes += record.bytes();
        self.records.push_back(Record { number: self.written, ..record });
        while self.bounds.entries < self.records.len() || self.bounds.bytes < self.bytes {
            let Some(oldest) = self.records.pop_front() else { break };
            self.bytes -= oldest.bytes();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.bounds);
    }

    /// How much it keeps.
    #[must_use]
    pub const fn bounds(&self) -> JournalBounds {
        self.bounds
    }

    /// What it has, the oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &Record> + ExactSizeIterator {
        self.records.iter()
    }

    /// How many were written, those that are gone included.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.written
    }
}

impl Record {
    /// How much of a path is kept.
    pub const PATH_BYTES: usize = 256;

    pub(super) fn new(asked: Asked, met: &Met<'_>, took: Duration) -> Self {
        let Asked { at, identity, method, path, client, coming: _ } = asked;
        let text = |text: Option<&str>| text.map(Box::from);
        Self {
            number: 0,
            at,
            identity,
            method,
            path,
            client,
            route: text(met.route),
            outcome: met.outcome,
            seen: met.seen,
            phase: text(met.phase),
            replica: met.replica,
            limit: text(met.limit),
            early: text(met.early),
            asked: met.asked,
            took,
        }
    }

    fn bytes(&self) -> usize {
        let texts = [&self.route, &self.phase, &self.limit, &self.early];
        let texts: usize = texts.into_iter().flatten().map(|text| text.len()).sum();
        size_of::<Self>() + self.path.len() + self.client.bytes() + texts
    }
}

#[cfg(test)]
mod tests {
    use super::{Journal, JournalBounds, Record};
    use crate::books::{Asked, Client, Met};
    use brownout_service::Identity;
    use hyper::Method;
    use std::time::Duration;

    fn record(request: u64, path: &str) -> Record {
        let (at, identity, method) = (Duration::ZERO, Identity::first(request), Method::GET);
        let client = Client::Address([127, 0, 0, 1].into());
        let asked = Asked { at, identity, method, path: path.into(), client, coming: None };
        Record::new(asked, &Met::default(), Duration::ZERO)
    }

    fn kept(bounds: JournalBounds, paths: &[&str]) -> Vec<u64> {
        let mut journal = Journal::new(bounds);
        for (request, path) in (1..).zip(paths) {
            journal.push(record(request, path));
        }
        assert_eq!(journal.written(), paths.len() as u64);
        journal.records().map(|record| record.number).collect()
    }

    #[test]
    fn it_is_bounded_in_entries_and_in_bytes() {
        let bounds = JournalBounds::default();
        assert_eq!(kept(bounds, &["/"; 3]), [1, 2, 3]);
        assert_eq!(kept(JournalBounds { entries: 2, ..bounds }, &["/"; 5]), [4, 5]);
        let bytes = 2 * record(1, "/").bytes();
        assert_eq!(kept(JournalBounds { bytes, ..bounds }, &["/"; 5]), [4, 5]);
        assert_eq!(kept(JournalBounds { bytes, ..bounds }, &["/", "/", "/long"]), [3]);
        assert_eq!(kept(JournalBounds { entries: 0, ..bounds }, &["/"; 5]), [0; 0]);
    }
}
