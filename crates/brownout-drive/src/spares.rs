//! Connections that nobody uses at the moment.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::connection::Connection;

/// Idle connections, each of one client, for that client to use again. Where there are too many, the one that was idle
/// longest is closed.
#[derive(Debug)]
pub(crate) struct Spares {
    /// Whose it is, the one kept last at the end.
    kept: Mutex<VecDeque<(u32, Connection)>>,
    max: usize,
}

impl Spares {
    /// Room for `max` connections.
    pub(crate) const fn new(max: usize) -> Self {
        Self { kept: Mutex::new(VecDeque::new()), max }
    }

    /// The connection that `client` used last, if it is kept. One that many requests can share stays.
    pub(crate) fn take(&self, client: u32) -> Option<Connection> {
        let mut kept = self.kept();
        let index = kept.iter().rposition(|(of, _)| *of == client)?;
        if let (_, Connection::Http2(shared)) = &kept[index]
            && shared.is_open()
        {
            return Some(Connection::Http2(shared.clone()));
        }
        kept.remove(index).map(|(_, connection)| connection)
    }

    /// Keeps a connection of `client`; of those that many requests can share, one is enough.
    pub(crate) fn keep(&self, client: u32, connection: Connection) {
        let mut kept = self.kept();
        let shared = matches!(connection, Connection::Http2(_));
        if shared && kept.iter().any(|(of, _)| *of == client) {
            return;
        }
        kept.push_back((client, connection));
        if kept.len() > self.max {
            kept.pop_front();
        }
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(u32, Connection)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
