//! What a server counts and remembers of its answers.

mod client;
mod counts;
mod journal;
mod latencies;
mod visits;

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use brownout_clock::Clock;
use brownout_service::{Identity, Seen};
use hyper::Method;
use hyper::header::HeaderName;

pub use client::Client;
pub use counts::{Counts, TIMES_BOUNDS, Times};
pub use journal::{Journal, JournalBounds, Record};
pub use latencies::Latencies;
pub(crate) use visits::{Coming, Visits};
pub use visits::{Visit, VisitBounds};

/// The books of a server.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pages: Mutex<Pages>,
    has_journal: bool,
    /// The headers that are kept of each request, where requests are written down.
    visit_headers: Option<Vec<HeaderName>>,
    /// Requests that are being answered.
    active: AtomicU64,
    /// Connections that came, and those that are open.
    connections: AtomicU64,
    open: AtomicU64,
}

#[derive(Debug, Default)]
pub(crate) struct Pages {
    pub(crate) counts: Counts,
    pub(crate) journal: Option<Journal>,
    pub(crate) visits: Option<Visits>,
}

/// An open connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Connected<'b>(&'b Books);

/// A request that is being answered. Dropped before its end is told, its client has left.
#[derive(Debug)]
pub(crate) struct Note<'b> {
    books: &'b Books,
    clock: Clock,
    asked: Option<Asked>,
}

/// Who asked for what, and when.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) at: Duration,
    pub(crate) identity: Identity,
    pub(crate) method: Method,
    pub(crate) path: Box<str>,
    pub(crate) client: Client,
    /// Where requests are written down.
    pub(crate) coming: Option<Box<Coming>>,
}

/// What became of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Met<'m> {
    /// The outcome that was drawn, or why it never came to that.
    pub(crate) outcome: &'static str,
    /// What its client sees; `None` where it is left without an answer.
    pub(crate) seen: Option<Seen>,
    /// Whether that comes after a silence in which it may leave.
    pub(crate) silent: bool,
    /// How long after the start of the answer it sees that.
    pub(crate) lasts: Duration,
    pub(crate) route: Option<&'m str>,
    pub(crate) phase: Option<&'m str>,
    /// The replica that it landed on.
    pub(crate) replica: Option<NonZeroU32>,
    /// The limit that refused it.
    pub(crate) limit: Option<&'m str>,
    /// The client that was told to stay away longer.
    pub(crate) early: Option<&'m str>,
    /// How long it was to take from when it came: waiting, work and drawn latency.
    pub(crate) asked: Duration,
    /// How long its client was asked to stay away.
    pub(crate) retry_after: Option<Duration>,
}

impl Books {
    /// Books with a journal of that size.
    pub(crate) fn with_journal(bounds: JournalBounds) -> Self {
        let pages = Pages { journal: Some(Journal::new(bounds)), ..Pages::default() };
        Self { pages: Mutex::new(pages), has_journal: true, ..Self::default() }
    }

    /// Books in which requests are written down.
    pub(crate) fn with_visits(bounds: VisitBounds) -> Self {
        let visit_headers = Some(bounds.headers.clone());
        let pages = Pages { visits: Some(Visits::new(bounds)), ..Pages::default() };
        Self { pages: Mutex::new(pages), visit_headers, ..Self::default() }
    }

    /// The headers that are kept of each request, where requests are written down.
    pub(crate) fn visit_headers(&self) -> Option<&[HeaderName]> {
        self.visit_headers.as_deref()
    }

    /// Whether answers are remembered one by one.
    pub(crate) const fn has_journal(&self) -> bool {
        self.has_journal
    }

    pub(crate) fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins them again; what is under way stays so.
    pub(crate) fn clear(&self) {
        let mut pages = self.pages();
        pages.counts = Counts::default();
        if let Some(journal) = &mut pages.journal {
            journal.clear();
        }
        if let Some(visits) = &mut pages.visits {
            visits.clear();
        }
    }

    /// How many requests are being answered.
    pub(crate) fn active(&self) -> u64 {
        self.active.load(Relaxed)
    }

    /// How many connections came, and how many are open.
    pub(crate) fn connections(&self) -> (u64, u64) {
        (self.connections.load(Relaxed), self.open.load(Relaxed))
    }

    /// Counts a connection.
    pub(crate) fn connected(&self) -> Connected<'_> {
        self.connections.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
        Connected(self)
    }

    /// Counts what a bound of the server, not the service, refused.
    pub(crate) fn refused(&self, why: &'static str) {
        *self.pages().counts.refused.entry(why).or_default() += 1;
    }

    /// A request that is to be answered.
    pub(crate) fn note(&self, clock: Clock, asked: Asked) -> Note<'_> {
        self.active.fetch_add(1, Relaxed);
        Note { books: self, clock, asked: Some(asked) }
    }
}

impl Note<'_> {
    /// Its end: an answer goes out now, or never will.
    pub(crate) fn close(mut self, met: &Met<'_>) {
        self.write(met);
    }

    fn write(&mut self, met: &Met<'_>) {
        let Some(mut asked) = self.asked.take() else { return };
        let took = self.clock.now().saturating_sub(asked.at);
        // What the scenario asks for is its own time; what this machine adds to it is not.
        let own = self.clock.scale().real(took.saturating_sub(met.asked));
        let mut pages = self.books.pages();
        pages.counts.answered(&asked, met, (took, own));
        if let (Some(visits), Some(coming)) = (&mut pages.visits, asked.coming.take()) {
            visits.push(visit(*coming, &asked, met, took));
        }
        if let Some(journal) = &mut pages.journal {
            journal.push(Record::new(asked, met, took));
        }
    }
}

fn visit(coming: Coming, asked: &Asked, met: &Met<'_>, took: Duration) -> Visit {
    let Coming { connection, method, target, body, headers, effect } = coming;
    let (at, ends) = (asked.at, asked.at.saturating_add(took).saturating_add(met.lasts));
    let until = (!met.silent).then_some(ends);
    let (left, seen, retry_after) = (met.outcome == Counts::LEFT, met.seen, met.retry_after);
    Visit { at, until, connection, method, target, body, headers, left, seen, retry_after, effect }
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        self.books.active.fetch_sub(1, Relaxed);
        self.write(&Met { outcome: Counts::LEFT, ..Met::default() });
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}
