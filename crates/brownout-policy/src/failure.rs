//! What went wrong, and whether it is worth another try.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// One failed attempt, as its caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// How long the service asked the caller to stay away, if it did: see [`retry_after`](crate::retry_after).
    pub retry_after: Option<Duration>,
}

/// Kinds of failure that policies tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// An answer with a status that is no success.
    Status(u16),
    /// An answer with a status that is no success, whose body names a throttling error: see
    /// [`names_throttling`](crate::names_throttling). A policy that does not look at bodies takes it for the status alone.
    Throttled(u16),
    /// No answer, or a broken one.
    Transport(Transport),
    /// Something else: a command that failed, a function that returned an error.
    Other,
}

/// How an exchange broke without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// The name could not be looked up.
    Resolve,
    /// No connection: refused, unreachable.
    Connect,
    /// No secure connection: a certificate or a protocol that does not fit.
    Tls,
    /// The connection was reset.
    Reset,
    /// The connection ended before the answer did.
    Closed,
    /// What came was no HTTP.
    Protocol,
    /// The attempt was given up by its caller: no answer in time.
    Timeout,
    /// The run was ended in the middle of the attempt.
    Interrupted,
    /// Another copy of the attempt was answered first.
    Cancelled,
}

impl FailureKind {
    pub(crate) const fn is_throttling(self) -> bool {
        matches!(self, Self::Status(429) | Self::Throttled(_))
    }
}

impl Transport {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Resolve,
        Self::Connect,
        Self::Tls,
        Self::Reset,
        Self::Closed,
        Self::Protocol,
        Self::Timeout,
        Self::Interrupted,
        Self::Cancelled,
    ];

    /// Whether it befalls an attempt, rather than being its caller's own doing.
    const fn is_of_the_wire(self) -> bool {
        !matches!(self, Self::Interrupted | Self::Cancelled)
    }

    /// The name in results: `timeout`, `reset`, …
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Protocol => "protocol",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Failure {
    /// A status, without a `Retry-After`.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self { kind: FailureKind::Status(status), retry_after: None }
    }

    /// A broken exchange.
    #[must_use]
    pub const fn transport(transport: Transport) -> Self {
        Self { kind: FailureKind::Transport(transport), retry_after: None }
    }

    /// The same, where the body names a throttling error.
    #[must_use]
    pub const fn throttled(self) -> Self {
        match self.kind {
            FailureKind::Status(status) => Self { kind: FailureKind::Throttled(status), ..self },
            _ => self,
        }
    }

    /// Whether the service said that there is too much of this caller: by a 429, or in the body.
    #[must_use]
    pub const fn is_throttling(&self) -> bool {
        self.kind.is_throttling()
    }

    /// A failure of another kind.
    pub const OTHER: Self = Self { kind: FailureKind::Other, retry_after: None };
}

/// Which failures are worth another try. Failures of other kinds always are.
///
/// Written as a list of words: a status (`429`), a class (`5xx`), a range (`500-504`), the name of a broken exchange
/// (`timeout`, `reset`, …), `transport` for all of those that may pass by themselves, `retry_after` for 413, 429 and
/// 503 where the answer says when to come back, or `throttling` for any status whose body names a throttling error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    statuses: Vec<RangeInclusive<u16>>,
    transports: Vec<Transport>,
    hinted: bool,
    throttled: bool,
}

/// The statuses that come with a `Retry-After` of their own right. Source: RFC 9110, 10.2.3, and RFC 6585, 4.
const HINTED: [u16; 3] = [413, 429, 503];

/// A word that names no failure.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "a retryable failure is a status (429), a class (5xx), a range (500-504), \"transport\", \"retry_after\", \"throttling\" or \
     one of resolve, connect, tls, reset, closed, protocol, timeout, found `{0}`"
)]
pub struct FailuresError(pub String);

impl Failures {
    /// From words as above.
    ///
    /// # Errors
    /// The first word that names no failure.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, FailuresError> {
        let mut retry_on = Self { statuses: Vec::new(), transports: Vec::new(), hinted: false, throttled: false };
        for word in words {
            let named = Transport::ALL.into_iter().find(|transport| transport.name() == word);
            match named.filter(|transport| transport.is_of_the_wire()) {
                Some(transport) => retry_on.transports.push(transport),
                None if word == "retry_after" => retry_on.hinted = true,
                None if word == "throttling" => retry_on.throttled = true,
                None if word == "transport" => retry_on.transports.extend(transient()),
                None => retry_on.statuses.push(statuses(word).ok_or_else(|| FailuresError(word.to_owned()))?),
            }
        }
        Ok(retry_on)
    }

    /// Whether a failure is one of these.
    #[must_use]
    pub fn includes(&self, failure: &Failure) -> bool {
        match failure.kind {
            FailureKind::Throttled(_) if self.throttled => true,
            FailureKind::Status(status) | FailureKind::Throttled(status) => {
                let hinted = self.hinted && failure.retry_after.is_some() && HINTED.contains(&status);
                hinted || self.statuses.iter().any(|range| range.contains(&status))
            }
            FailureKind::Transport(transport) => self.transports.contains(&transport),
            FailureKind::Other => true,
        }
    }
}

/// Broken exchanges that may pass by themselves. A certificate that does not fit will not.
fn transient() -> impl Iterator<Item = Transport> {
    Transport::ALL.into_iter().filter(|transport| transport.is_of_the_wire() && *transport != Transport::Tls)
}

/// 429, every 5xx, and every broken exchange that may pass by itself. Other 4xx say that the request is wrong.
impl Default for Failures {
    fn default() -> Self {
        Self {
            statuses: vec![429..=429, 500..=599],
            transports: transient().collect(),
            hinted: false,
            throttled: false,
        }
    }
}

/// Words separated by commas.
impl FromStr for Failures {
    type Err = FailuresError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text.split(',').map(str::trim))
    }
}

/// The statuses that a word names: one, a class or a range.
pub(crate) fn statuses(word: &str) -> Option<RangeInclusive<u16>> {
    let status = |text: &str| text.parse().ok().filter(|status| (100..=599).contains(status));
    if let Some(class) = word.strip_suffix("xx") {
        let first = status(&format!("{class}00"))?;
        return Some(first..=first + 99);
    }
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (status(first)?, status(last)?);
    (first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::{Failure, Failures, Transport};
    use std::time::Duration;

    #[track_caller]
    fn check(retry_on: &Failures, yes: &[u16], no: &[u16]) {
        for status in yes {
            assert!(retry_on.includes(&Failure::status(*status)), "{status}");
        }
        for status in no {
            assert!(!retry_on.includes(&Failure::status(*status)), "{status}");
        }
    }

    #[test]
    fn by_default_what_may_pass_by_itself_is_retried() {
        let default = Failures::default();
        check(&default, &[429, 500, 501, 503, 529, 599], &[400, 401, 404, 408, 418, 301]);
        assert!(default.includes(&Failure::transport(Transport::Reset)));
        assert!(!default.includes(&Failure::transport(Transport::Tls)));
        assert!(default.includes(&Failure::OTHER));
        assert_eq!(default, "429, 5xx, transport".parse().unwrap());
    }

    #[test]
    fn words_name_statuses_classes_and_ranges() {
        let given = Failures::new(["408", "500-503"]).unwrap();
        check(&given, &[408, 500, 503], &[429, 504]);
        assert!(!given.includes(&Failure::transport(Transport::Timeout)));
        let named = Failures::new(["tls", "timeout"]).unwrap();
        assert!(named.includes(&Failure::transport(Transport::Tls)));
        assert!(!named.includes(&Failure::transport(Transport::Reset)));
    }

    #[test]
    fn a_status_can_count_only_where_it_says_when_to_come_back() {
        let hinted = Failures::new(["retry_after"]).unwrap();
        check(&hinted, &[], &[413, 429, 503, 500]);
        let told = |status| Failure { retry_after: Some(Duration::from_secs(1)), ..Failure::status(status) };
        assert!([413, 429, 503].iter().all(|status| hinted.includes(&told(*status))));
        assert!(!hinted.includes(&told(500)));
    }

    #[test]
    fn a_body_that_names_throttling_counts_whatever_its_status() {
        let reads = Failures::new(["503", "throttling"]).unwrap();
        check(&reads, &[503], &[400, 429]);
        assert!(reads.includes(&Failure::status(400).throttled()));
        let does_not = Failures::default();
        assert!(!does_not.includes(&Failure::status(400).throttled()));
        assert!(does_not.includes(&Failure::status(503).throttled()));
        assert!(Failure::status(400).throttled().is_throttling() && !Failure::status(400).is_throttling());
        assert_eq!(Failure::OTHER.throttled(), Failure::OTHER);
    }

    #[test]
    fn other_words_are_refused() {
        for word in ["", "xx", "9xx", "42", "600", "503-500", "5xx-599", "timeouts", "interrupted", "cancelled"] {
            let refusal = Failures::new([word]).unwrap_err().to_string();
            assert!(refusal.ends_with(&format!("found `{word}`")), "{refusal}");
        }
    }
}
