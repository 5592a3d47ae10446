//! What an exchange received, whichever protocol it came over.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brownout_clock::Scale;
use brownout_load::{Exchange, Reply};
use brownout_policy::retry_after;

use crate::broken::Broken;

/// How much of an answer's body is kept; the rest is read and forgotten.
pub const BODY_BYTES_KEPT: usize = 1 << 20;
/// How much of an answer's body is read before it counts as broken.
pub const BODY_BYTES_MAX: u64 = 1 << 30;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Whether headers and body are kept.
    keep: bool,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// How much of the body has come.
    seen: u64,
}

impl Answer {
    /// One with this status, of which headers and body are kept or not.
    pub(crate) const fn new(status: u16, keep: bool) -> Self {
        Self { status, keep, headers: Vec::new(), body: Vec::new(), seen: 0 }
    }

    /// Takes a header, its name written small.
    pub(crate) fn header(&mut self, name: &str, value: &[u8]) {
        if self.keep {
            self.headers.push((name.to_ascii_lowercase(), String::from_utf8_lossy(value).into_owned()));
        }
    }

    /// Takes more of the body.
    pub(crate) fn more(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.seen = self.seen.saturating_add(bytes.len() as u64);
        if self.seen > BODY_BYTES_MAX {
            let error = format!("the body is larger than {BODY_BYTES_MAX} bytes");
            return Err(Broken::protocol(error));
        }
        if self.keep {
            self.body.extend_from_slice(&bytes[..bytes.len().min(BODY_BYTES_KEPT - self.body.len())]);
        }
        Ok(())
    }

    /// What the exchange came to, after `latency`.
    pub(crate) fn exchange(self, latency: Duration, scale: Scale) -> Exchange {
        let header = |name| self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value);
        // A moment is told on the service's clock, so its own date is the better now.
        let now = || header("date").and_then(|date| retry_after::date(date)).or_else(wall_clock);
        Exchange {
            reply: Reply::Status(self.status),
            retry_after: retry_after::told(header, now).map(|wait| scale.scenario(wait)),
            body: String::from_utf8_lossy(&self.body).into_owned(),
            headers: self.headers,
            latency,
            error: None,
            own_failure: false,
        }
    }
}

fn wall_clock() -> Option<Duration> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok()
}
