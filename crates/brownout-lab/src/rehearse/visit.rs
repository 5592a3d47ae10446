//! A request as the service saw it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One request that reached the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// When it came, from the start of the command.
    pub at: Duration,
    /// When its answer went out, or its client left; `None` where neither can be told.
    pub until: Option<Duration>,
    /// Which connection it came over.
    pub connection: u64,
    /// Its method.
    pub method: String,
    /// Its path, with the query.
    pub path: String,
    /// A fingerprint of its body.
    pub body: u64,
    /// Headers that may say which call it is of, by name in lower case.
    pub names: Vec<(String, String)>,
    /// What its client saw.
    pub answer: Answer,
    /// How long the answer asked its client to stay away.
    pub retry_after: Option<Duration>,
    /// Whether what it asked for was done; `None` where it asked for nothing that can be done twice.
    pub done: Option<bool>,
}

/// What the client of a request saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A whole answer.
    Status(u16),
    /// A reset connection.
    Reset,
    /// A connection that ended before the answer did.
    Closed,
    /// Bytes that are no HTTP.
    NotHttp,
    /// No answer came, for as long as it was waited for.
    Silence,
    /// The client left before the answer.
    Left,
}

impl Answer {
    /// Whether nobody would try again after it.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Status(..400))
    }
}

/// For people.
impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Reset => f.write_str("reset"),
            Self::Closed => f.write_str("closed"),
            Self::NotHttp => f.write_str("no HTTP"),
            Self::Silence => f.write_str("silence"),
            Self::Left => f.write_str("client left"),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Answer, Visit};
    use std::time::Duration;

    /// A `GET /` that was answered at once by `status`, at so many milliseconds.
    pub(crate) fn get(at_ms: u64, status: u16) -> Visit {
        let at = Duration::from_millis(at_ms);
        Visit {
            at,
            until: Some(at),
            connection: 0,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            body: 0,
            names: vec![],
            answer: Answer::Status(status),
            retry_after: None,
            done: None,
        }
    }

    /// The same with a header.
    pub(crate) fn named(visit: Visit, name: &str, value: &str) -> Visit {
        Visit { names: vec![(name.to_owned(), value.to_owned())], ..visit }
    }
}
