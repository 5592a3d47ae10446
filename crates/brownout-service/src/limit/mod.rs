//! How much a service lets each caller have, and what it says to those who ask for more.
//!
//! A kind of limit is a file beside this one: its numbers, and a [`Meter`](meter::Meter) that says whether there is room.
//! [`Limiters`] asks several of them at once and keeps account.

mod concurrency;
mod early;
mod fields;
mod fixed_window;
mod hint;
mod limiters;
mod meter;
mod sliding_window;
mod slope;
mod token_bucket;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use brownout_draw::{Distribution, Seed, Stream, draw, fingerprint};

use crate::{Identity, Pattern, Request};

pub use concurrency::Concurrency;
pub use early::{EARLY_CLIENTS_SHOWN, EarlyReturns};
pub use fields::QuotaFields;
pub use fixed_window::FixedWindow;
pub use hint::{Hint, HintForm, RetryAfter, RetryAfterWait};
pub use limiters::{Asked, Asker, Leave, LimitCounts, Limiters, Permit, Refused};
pub use meter::LIMIT_KEYS_MAX;
pub use sliding_window::SlidingWindow;
pub use slope::Slope;
pub use token_bucket::{Refill, TokenBucket};

use meter::{Keyed, Limiter};

/// A limit: how much of what, for whom, and what a request meets that is too much.
///
/// A request is asked for when it reaches the service, before its outcome is drawn and before it may wait for a worker. One that
/// is refused is answered at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Shown in results, in the decision header, and in `RateLimit` fields.
    pub name: String,
    /// How much.
    pub rule: LimitRule,
    /// For whom. Default: all together.
    pub key: LimitKey,
    /// Of which requests. Default: of all.
    pub only: Option<Pattern>,
    /// How much a request takes. Default: one unit.
    pub cost: Cost,
    /// How much some requests take; the first that matches counts.
    pub costs: Vec<(Pattern, Cost)>,
    /// The status of a refusal. Default 429.
    pub status: u16,
    /// The body of a refusal. Default `{"message": "Too Many Requests"}`.
    pub body: Cow<'static, str>,
    /// When a refusal says to come back.
    pub retry_after: RetryAfter,
    /// What answers tell of what is left. Default: nothing.
    pub fields: QuotaFields,
}

/// How much a limit lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitRule {
    /// So many at once, and so many a second in the long run.
    TokenBucket(TokenBucket),
    /// So many in each window of the clock.
    FixedWindow(FixedWindow),
    /// So many in any stretch of so long.
    SlidingWindow(SlidingWindow),
    /// So many under way.
    Concurrency(Concurrency),
    /// No faster growth than this.
    Slope(Slope),
}

/// Who shares one allowance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitKey {
    /// All requests.
    Global,
    /// The requests of one route; those that no route takes share one too.
    Route,
    /// The requests of one client: in virtual time its number; over HTTP the header `x-brownout-client`, which brownout's own
    /// clients send, else the address.
    Client,
    /// The requests from one address: in virtual time one process of the load; over HTTP the peer's address.
    Address,
    /// The requests that carry one value of this header; those without it share one allowance. In virtual time each client
    /// carries a value of its own, unless the load names the header.
    Header(String),
}

/// How much of a limit a request takes, in thousandths of a unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Cost {
    /// Always as much.
    Fixed(u64),
    /// Drawn, one second of the distribution being one unit. A retry takes as much as the first try of its request did. More
    /// than the limit ever holds counts as all that it holds.
    Drawn(Distribution),
}

/// One unit, in thousandths.
pub const UNIT: u64 = 1000;

/// The most units that a limit can speak of: a thousand million, so that sums and products stay exact.
pub const UNITS_MAX: u64 = 1_000_000_000;

impl LimitKey {
    /// The request header that says which client this is.
    pub const CLIENT_HEADER: &'static str = "x-brownout-client";
}

impl LimitRule {
    /// The name of the kind in scenarios.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::TokenBucket(_) => "token_bucket",
            Self::FixedWindow(_) => "fixed_window",
            Self::SlidingWindow(_) => "sliding_window",
            Self::Concurrency(_) => "concurrency",
            Self::Slope(_) => "slope",
        }
    }

    /// The most that it holds for a caller who has never come, in thousandths.
    #[must_use]
    pub fn holds(&self) -> u64 {
        match self {
            Self::TokenBucket(bucket) => bucket.burst.get(),
            Self::FixedWindow(window) => window.count.get(),
            Self::SlidingWindow(window) => window.count.get(),
            Self::Concurrency(limit) => u64::from(limit.0.get()) * UNIT,
            Self::Slope(slope) => slope.min.get(),
        }
    }

    /// How long a caller who has used all of it is refused at the most; `None` where that depends on others.
    ///
    /// Of a bucket: until it is full again, which is as long as what was used can be felt.
    #[must_use]
    pub fn window(&self) -> Option<Duration> {
        let nanos = match self {
            Self::TokenBucket(bucket) => bucket.fills_in(),
            Self::FixedWindow(window) => window.window_ns.get(),
            Self::SlidingWindow(window) => window.window_ns.get(),
            Self::Slope(slope) => slope.window_ns.get(),
            Self::Concurrency(_) => return None,
        };
        Some(Duration::from_nanos(nanos))
    }

    fn limiter(self) -> Box<dyn Limiter> {
        match self {
            Self::TokenBucket(bucket) => Box::new(Keyed::new(bucket)),
            Self::FixedWindow(window) => Box::new(Keyed::new(window)),
            Self::SlidingWindow(window) => Box::new(Keyed::new(window)),
            Self::Concurrency(limit) => Box::new(Keyed::new(limit)),
            Self::Slope(slope) => Box::new(Keyed::new(slope)),
        }
    }
}

impl Limit {
    /// A limit by this `rule` that says nothing of anything else.
    #[must_use]
    pub fn new(rule: LimitRule) -> Self {
        Self {
            name: rule.kind().to_owned(),
            rule,
            key: LimitKey::Global,
            only: None,
            cost: Cost::Fixed(UNIT),
            costs: Vec::new(),
            status: 429,
            body: r#"{"message": "Too Many Requests"}"#.into(),
            retry_after: RetryAfter::default(),
            fields: QuotaFields::None,
        }
    }

    /// Whether it has a say in this request.
    fn counts(&self, request: &Request<'_>) -> bool {
        self.only.as_ref().is_none_or(|only| only.matches(request))
    }

    /// How much of it a request takes, in thousandths.
    fn amount(&self, seed: Seed, request: &Request<'_>, identity: Identity) -> u64 {
        let own = self.costs.iter().find(|(pattern, _)| pattern.matches(request)).map(|(_, cost)| cost);
        match own.unwrap_or(&self.cost) {
            Cost::Fixed(amount) => *amount,
            Cost::Drawn(distribution) => {
                let draw = draw(seed, Stream::COST.within(&self.name), identity.request, 0);
                (distribution.sample_nanos(draw) / NANOS_OF_A_THOUSANDTH).min(self.rule.holds())
            }
        }
    }

    /// Every fixed cost it speaks of, with its place in `costs`.
    pub(crate) fn fixed_costs(&self) -> impl Iterator<Item = (Option<usize>, u64)> {
        let others = self.costs.iter().enumerate().map(|(index, (_, cost))| (Some(index), cost));
        [(None, &self.cost)].into_iter().chain(others).filter_map(|(index, cost)| match cost {
            Cost::Fixed(amount) => Some((index, *amount)),
            Cost::Drawn(_) => None,
        })
    }
}

/// Thousandths as a number of units, for people.
pub(crate) struct Units(pub(crate) u64);

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / UNIT, self.0 % UNIT);
        let digits = format!("{rest:03}");
        match digits.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            digits => write!(f, "{whole}.{digits}"),
        }
    }
}

/// A distribution counts in seconds, a limit in units.
const NANOS_OF_A_THOUSANDTH: u64 = 1_000_000;

/// The key of a caller that is told from others by a text.
#[must_use]
pub fn limit_key(text: &[u8]) -> u64 {
    fingerprint(text)
}

/// That key for people, where the text is the value of a header, which may be a secret: half of its fingerprint.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "half of a fingerprint tells callers apart well enough")]
pub fn shown_key(header: &str, key: u64) -> String {
    format!("{header} #{:08x}", key as u32)
}

#[cfg(test)]
mod tests;
