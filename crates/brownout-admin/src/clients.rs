//! Who asked lately.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use brownout_serve::{Client, Record};
use serde::Serialize;

use crate::control::Served;
use crate::fare::Fare;

/// Clients by how often they asked, of what the journal has.
#[derive(Debug, Serialize)]
pub(crate) struct Clients {
    service: String,
    /// How long ago the first of these answers went out.
    span_s: f64,
    answers: u64,
    /// Those with the most requests, the most first.
    clients: Vec<Asking>,
    /// The others together: how many, and their requests.
    others: u64,
    others_answers: u64,
}

/// A client.
#[derive(Debug, Serialize)]
struct Asking {
    client: String,
    answers: u64,
    #[serde(flatten)]
    fare: Fare,
    /// How often it came before it was told to.
    came_back_early: u64,
}

/// How many clients are named.
const NAMED: usize = 12;

impl Clients {
    /// Of the answers that went out within the last `within`; `None` where there is no journal.
    pub(crate) fn of(served: &Served, within: Duration) -> Option<Self> {
        let now = served.app.clock().now();
        let since = now.saturating_sub(within);
        let is_late = |record: &&Record| since <= record.at.saturating_add(record.took);
        let (by_client, first) = served.app.journal(|journal| {
            let mut by_client: HashMap<Client, (Fare, u64)> = HashMap::new();
            let mut first = now;
            for record in journal.records().rev().take_while(is_late) {
                first = record.at.saturating_add(record.took);
                // Most answers are those of clients that are known already, and need no key of their own.
                let (fare, early) = match by_client.get_mut(&record.client) {
                    Some(own) => own,
                    None => by_client.entry(record.client.clone()).or_default(),
                };
                fare.add(record);
                *early += u64::from(record.early.is_some());
            }
            (by_client, first)
        })?;
        let mut clients: Vec<_> = by_client.into_iter().collect();
        let answers = clients.iter().map(|(_, (fare, _))| fare.all()).sum();
        clients.sort_by_cached_key(|(client, (fare, _))| (Reverse(fare.all()), client.to_string()));
        let others = clients.split_off(clients.len().min(NAMED));
        let asking = |(client, (fare, came_back_early)): (Client, (Fare, u64))| Asking {
            client: client.to_string(),
            answers: fare.all(),
            fare,
            came_back_early,
        };
        Some(Self {
            service: served.name.clone(),
            span_s: now.saturating_sub(first).as_secs_f64(),
            answers,
            others: others.len() as u64,
            others_answers: others.iter().map(|(_, (fare, _))| fare.all()).sum(),
            clients: clients.into_iter().map(asking).collect(),
        })
    }
}
