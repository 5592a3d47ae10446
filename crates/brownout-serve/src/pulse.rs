//! Whether anything happens on a connection.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counts the requests of one connection, so that one whose client went silent can be told and closed.
///
/// One slow timer a connection in place of one for each request head, which would cost more than deciding the answer.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    begun: AtomicU64,
    ended: AtomicU64,
}

/// A request being answered, until it is dropped.
pub(crate) struct Busy<'p>(&'p Pulse);

impl Pulse {
    /// Counts a request whose head has come.
    pub(crate) fn busy(&self) -> Busy<'_> {
        self.begun.fetch_add(1, Relaxed);
        Busy(self)
    }

    /// Resolves when nothing happened for `silence`, at the latest for twice as long: no request came, none ended, and none
    /// is being answered.
    pub(crate) async fn stopped(&self, silence: Duration) {
        let mut seen = (0, 0);
        loop {
            tokio::time::sleep(silence).await;
            let now = (self.begun.load(Relaxed), self.ended.load(Relaxed));
            if now == seen && now.0 == now.1 {
                return;
            }
            seen = now;
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}
