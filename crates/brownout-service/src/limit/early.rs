//! Who comes back before it was told to.

use std::collections::BTreeMap;

use super::meter::{Bounded, LIMIT_KEYS_MAX};
use crate::Identity;
use crate::worst::Worst;

/// Attempts that came before a refusal had said.
///
/// A retry is too early before the time that the last refusal of its own request gave; the first try of a request, before the
/// latest time that the limit gave to its client. What was sent before the refusal was heard is not held against anybody, as
/// far as that is known.
///
/// A client is who has the limit's key; of a limit for all or for a route, who has [`LimitKey::Client`](crate::LimitKey).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EarlyReturns {
    /// All of them.
    pub attempts: u64,
    /// Of these, retries: the same request again, before its time. The others are new requests of a client that was to wait.
    pub retries: u64,
    /// How many clients made them.
    pub clients: u64,
    /// The worst clients by name, each with its attempts: [`EARLY_CLIENTS_SHOWN`] at the most.
    pub worst: Vec<(String, u64)>,
}

/// How many clients that come back too early are named.
pub const EARLY_CLIENTS_SHOWN: usize = 5;

/// What one limit told whom.
#[derive(Debug, Default)]
pub(crate) struct Told {
    clients: Bounded<Stay>,
    requests: Bounded<Stay>,
}

/// When somebody was told to stay away, and until when.
#[derive(Clone, Copy, Debug)]
struct Stay {
    told: u64,
    until: u64,
}

impl Told {
    /// A `request` of client `client` is told at `now` to stay away until then.
    pub(crate) fn tell(&mut self, client: u64, request: u64, now: u64, until: u64) {
        let stay = Stay { told: now, until };
        let is_over = |stay: &Stay| stay.until <= now;
        if let Some(own) = self.requests.get_or(request, || stay, is_over) {
            *own = stay;
        }
        if let Some(own) = self.clients.get_or(client, || stay, is_over) {
            // What was said first was heard first; what reaches further holds.
            if own.until <= now {
                own.told = now;
            }
            own.until = own.until.max(until);
        }
    }

    /// Whether an attempt of `client` that was sent at `sent` should not have come `now`.
    pub(crate) fn is_early(&self, client: u64, identity: Identity, sent: u64, now: u64) -> bool {
        let retry = identity.attempt.get() > 1;
        let stay = if retry { self.requests.get(identity.request) } else { self.clients.get(client) };
        stay.is_some_and(|stay| stay.told < sent && now < stay.until)
    }
}

/// The account of those who came too early.
#[derive(Debug, Default)]
pub(crate) struct Account {
    attempts: u64,
    retries: u64,
    /// By the first limit that tells clients apart in this way, and its client.
    by_client: BTreeMap<(usize, u64), (String, u64)>,
    worst: Worst<(usize, u64), EARLY_CLIENTS_SHOWN>,
}

impl Account {
    /// An attempt, a retry or not, came too early from the client that `limit` knows by `key`, and others like it.
    pub(crate) fn count(&mut self, limit: usize, key: u64, retry: bool, name: &str) {
        self.attempts += 1;
        self.retries += u64::from(retry);
        if let Some((_, attempts)) = self.by_client.get_mut(&(limit, key)) {
            *attempts += 1;
            self.worst.grew((limit, key), *attempts);
        } else if self.by_client.len() < LIMIT_KEYS_MAX {
            self.by_client.insert((limit, key), (name.to_owned(), 1));
            self.worst.grew((limit, key), 1);
        }
    }

    pub(crate) fn result(&self) -> EarlyReturns {
        EarlyReturns {
            attempts: self.attempts,
            retries: self.retries,
            clients: self.by_client.len() as u64,
            worst: self.worst.iter().filter_map(|(client, _)| self.by_client.get(&client)).cloned().collect(),
        }
    }
}
