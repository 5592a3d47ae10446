//! Requests as their clients made them.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use brownout_service::{Done, Seen};
use hyper::header::HeaderName;
use hyper::http::request::Parts;

/// What is written down of each request.
#[derive(Clone, Debug, Default)]
pub struct VisitBounds {
    /// Headers whose values are kept. Default none.
    pub headers: Vec<HeaderName>,
    /// How many requests; those beyond are only counted. Default 0.
    pub entries: usize,
}

/// A request as its client made it, and what the client saw.
#[derive(Clone, Debug)]
pub struct Visit {
    /// When it came, in the scenario's time.
    pub at: Duration,
    /// When its answer had gone out, or its client left; `None` where the answer is a silence in which the client may leave.
    pub until: Option<Duration>,
    /// Which of the connections that came, from 0.
    pub connection: u64,
    /// Its method.
    pub method: Box<str>,
    /// Its path and query.
    pub target: Box<str>,
    /// A fingerprint of its body.
    pub body: u64,
    /// Those of its headers that are kept and can be read.
    pub headers: Vec<(HeaderName, Box<str>)>,
    /// Whether its client left before the answer.
    pub left: bool,
    /// What its client saw; `None` where it was left without an answer.
    pub seen: Option<Seen>,
    /// How long the answer asked its client to stay away.
    pub retry_after: Option<Duration>,
    /// What became of its effect; `None` where it has none. Empty while nothing is done.
    pub effect: Option<Arc<OnceLock<Done>>>,
}

/// What is known of a visit before its answer.
#[derive(Clone, Debug)]
pub(crate) struct Coming {
    pub(crate) connection: u64,
    pub(crate) method: Box<str>,
    pub(crate) target: Box<str>,
    pub(crate) body: u64,
    pub(crate) headers: Vec<(HeaderName, Box<str>)>,
    pub(crate) effect: Option<Arc<OnceLock<Done>>>,
}

/// The requests of a server, in the order in which they ended.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    bounds: VisitBounds,
    kept: Vec<Visit>,
    /// How many were not kept.
    omitted: u64,
}

impl Coming {
    pub(crate) fn new(head: &Parts, names: &[HeaderName], connection: u64, body: u64) -> Self {
        let value = |name: &HeaderName| Some((name.clone(), head.headers.get(name)?.to_str().ok()?.into()));
        let target = head.uri.path_and_query().map_or(head.uri.path(), |target| target.as_str());
        Self {
            connection,
            method: head.method.as_str().into(),
            target: target.into(),
            body,
            headers: names.iter().filter_map(value).collect(),
            effect: None,
        }
    }
}

impl Visits {
    pub(crate) const fn new(bounds: VisitBounds) -> Self {
        Self { bounds, kept: Vec::new(), omitted: 0 }
    }

    pub(crate) fn push(&mut self, visit: Visit) {
        if self.kept.len() < self.bounds.entries {
            self.kept.push(visit);
        } else {
            self.omitted += 1;
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(std::mem::take(&mut self.bounds));
    }

    /// What was kept, and how many were not.
    pub(crate) fn kept(&self) -> (Vec<Visit>, u64) {
        (self.kept.clone(), self.omitted)
    }
}
