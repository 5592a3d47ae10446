//! When calls start, and who makes them.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::{Distribution, Seed, Stream, draw, nanos};
use brownout_policy::{Population, Success};
use brownout_service::Request;

use crate::{Bursts, Carried, Cohort, Curve, Replay};

/// A population of clients and the calls it makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// When calls start. Default: closed, without thinking.
    pub arrivals: Arrivals,
    /// How many calls are made at the most. Default 100, or no bound where there is a duration or arrivals that end.
    pub count: Option<u64>,
    /// Calls start before this. Default: no bound.
    pub duration: Option<Duration>,
    /// How many clients. Closed, each has one call in flight; open, each call is one of theirs. Default 1.
    pub clients: NonZeroU32,
    /// Over how many processes the clients are spread: what a policy's memory can be shared by. Default 1.
    pub processes: NonZeroU32,
    /// How long an attempt is on its way to the service. Default: no time.
    pub connect_delay: Option<Distribution>,
    /// What becomes of a call whose caller gave up.
    pub after_give_up: AfterGiveUp,
    /// What every call asks for; where each draws its own, the usual one. Default `GET /`.
    pub request: RequestLine,
    /// What every call carries beside it, or its whole request. Default: nothing.
    pub carried: Carried,
    /// Which answers callers take for a success. Default: those below 400.
    pub success: Success,
    /// Populations of different clients; with them, nothing here but `duration`, `request`, `carried` and `success` is
    /// looked at. Default none: the rest describes the one there is.
    pub cohorts: Vec<Cohort>,
}

/// When calls start.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Each client makes its next call when the last one has ended. Closed clients slow down with the service, so this
    /// is a load of people who wait, not of an open crowd.
    Closed {
        /// How long a client pauses between two calls. Default not at all.
        think: Option<Distribution>,
        /// How long after the beginning of the run a client makes its first call. Default: all begin at once.
        start: Option<Distribution>,
    },
    /// Calls at equal distances, whatever becomes of them; clients take turns.
    Constant(Rate),
    /// Calls without memory, whatever becomes of them; each is of a client picked by chance. Exactly what many independent
    /// clients make together.
    Poisson(Rate),
    /// The same at a rate that changes. With the last segment of the curve the load is over.
    Varying {
        /// The rate.
        curve: Curve,
        /// How calls follow each other.
        spacing: Spacing,
    },
    /// Calls that come together, again and again; clients take turns.
    Bursts(Bursts),
    /// Calls at given moments; clients take turns. After the last the load is over.
    Replay(Replay),
}

/// How calls follow each other at a rate that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// A call each time that the rate has come to a whole one, the first at once; clients take turns.
    Even,
    /// Without memory, each of a client picked by chance.
    Random,
}

/// Events a second: from one in 116 days to 10 million a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(f64);

/// What becomes of a call whose caller gave up.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AfterGiveUp {
    /// It is lost.
    #[default]
    Drop,
    /// The client makes it again, as a new call, after so long; again and again.
    ComeBack(Distribution),
    /// The client keeps it and makes it again after so long, one at a time: a queue of work that must be done.
    Queue(Distribution),
}

/// A method and a path, as `GET /` or `POST /orders?x=1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// In capitals as on the wire.
    pub method: String,
    /// With its query, if it has one.
    pub path: String,
}

/// How many calls a load makes that says nothing of how many or how long.
const COUNT: u64 = 100;

impl Arrivals {
    /// Clients that begin at once and never think.
    pub const CLOSED: Self = Self::Closed { think: None, start: None };

    /// Calls a second, where they come whatever becomes of those before: of a rate that changes the highest, of bursts and of
    /// given moments the mean.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        match self {
            Self::Closed { .. } => None,
            Self::Constant(rate) | Self::Poisson(rate) => Some(*rate),
            Self::Varying { curve, .. } => Some(curve.rate_max()),
            Self::Bursts(bursts) => bursts.rate(),
            Self::Replay(replay) => replay.rate(),
        }
    }

    /// When they end by themselves, if they do.
    #[must_use]
    pub fn ends(&self) -> Option<Duration> {
        match self {
            Self::Closed { .. } | Self::Constant(_) | Self::Poisson(_) | Self::Bursts(_) => None,
            Self::Varying { curve, .. } => curve.ends(),
            Self::Replay(replay) => Some(replay.ends()),
        }
    }

    /// How many calls start before `end`, on the mean; `None` of closed clients, where the service decides that.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a count of calls for a ratio")]
    pub fn calls_by(&self, end: Duration) -> Option<f64> {
        match self {
            Self::Closed { .. } => None,
            Self::Constant(rate) | Self::Poisson(rate) => Some(rate.get() * end.as_secs_f64()),
            Self::Varying { curve, .. } => Some(curve.calls_by(end)),
            Self::Bursts(bursts) => Some(bursts.rate()?.get() * end.as_secs_f64()),
            Self::Replay(replay) => Some(replay.moments().partition_point(|at| *at < nanos(end)) as f64),
        }
    }
}

impl Rate {
    /// The lowest: one in 116 days.
    pub const MIN: f64 = 1e-7;

    /// The highest: one every 100 ns.
    pub const MAX: f64 = 1e7;

    /// `None` where the number is no rate.
    #[must_use]
    pub fn per_second(rate: f64) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&rate).then_some(Self(rate))
    }

    /// The number, a second.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The mean time between two, in nanoseconds.
    pub(crate) fn gap_ns(self) -> f64 {
        1e9 / self.0
    }
}

/// As a number a second.
impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl RequestLine {
    /// What a service looks at of it: its path without the query.
    #[must_use]
    pub fn seen(&self) -> Request<'_> {
        let path = self.path.split_once('?').map_or(self.path.as_str(), |(path, _)| path);
        Request { method: &self.method, path }
    }
}

impl Default for RequestLine {
    fn default() -> Self {
        Self { method: "GET".to_owned(), path: "/".to_owned() }
    }
}

impl Default for Load {
    fn default() -> Self {
        Self {
            arrivals: Arrivals::CLOSED,
            count: None,
            duration: None,
            clients: NonZeroU32::MIN,
            processes: NonZeroU32::MIN,
            connect_delay: None,
            after_give_up: AfterGiveUp::Drop,
            request: RequestLine::default(),
            carried: Carried::NOTHING,
            success: Success::default(),
            cohorts: Vec::new(),
        }
    }
}

impl Load {
    /// Before when its calls start: its duration, or when its arrivals end by themselves, if that is sooner.
    #[must_use]
    pub fn ends(&self) -> Option<Duration> {
        [self.duration, self.arrivals.ends()].into_iter().flatten().min()
    }

    /// How many calls are made at the most.
    #[must_use]
    pub fn count_max(&self) -> u64 {
        match (self.count, self.ends()) {
            (Some(count), _) => count,
            (None, Some(_)) => u64::MAX,
            (None, None) => COUNT,
        }
    }

    /// Whether a call may still start at `elapsed`.
    #[must_use]
    #[inline]
    pub fn goes_on_at(&self, elapsed: Duration) -> bool {
        self.ends().is_none_or(|end| elapsed < end)
    }

    /// How many closed clients get a call at all: more than there are calls would never be heard of.
    #[must_use]
    pub fn busy_clients(&self) -> u32 {
        self.clients.get().min(u32::try_from(self.count_max()).unwrap_or(u32::MAX))
    }

    /// Who makes the calls.
    #[must_use]
    pub fn population(&self) -> Population {
        let clients = if self.is_open() { self.clients.get() } else { self.busy_clients().max(1) };
        Population { clients, processes: self.processes.get() }
    }

    /// How many calls it asks for; `None` where that is as many as come before it ends.
    #[must_use]
    pub fn asked(&self) -> Option<u64> {
        if self.ends().is_some() { None } else { Some(self.count_max()) }
    }

    /// Whether calls start whatever becomes of those before.
    #[must_use]
    #[inline]
    pub const fn is_open(&self) -> bool {
        !matches!(self.arrivals, Arrivals::Closed { .. })
    }

    /// Whether calls have moments of their own, rather than one beginning where another ends.
    #[must_use]
    pub const fn has_schedule(&self) -> bool {
        !matches!(self.arrivals, Arrivals::Closed { think: None, .. })
    }

    /// How long a closed client that made `call` pauses after it.
    #[must_use]
    pub fn pause(&self, seed: Seed, call: u64) -> Duration {
        Duration::from_nanos(self.pause_ns(seed, call))
    }

    /// The same in nanoseconds.
    #[must_use]
    #[inline]
    pub fn pause_ns(&self, seed: Seed, call: u64) -> u64 {
        match &self.arrivals {
            Arrivals::Closed { think: Some(think), .. } => think.sample_nanos(draw(seed, Stream::THINK, call, 0)),
            _ => 0,
        }
    }

    /// When closed client number `client` makes its first call.
    #[must_use]
    pub fn start(&self, seed: Seed, client: u32) -> Duration {
        match &self.arrivals {
            Arrivals::Closed { start: Some(start), .. } => start.sample(draw(seed, Stream::START, client.into(), 0)),
            _ => Duration::ZERO,
        }
    }

    /// How long attempt `attempt` of `call` is on its way.
    #[must_use]
    pub fn connect(&self, seed: Seed, call: u64, attempt: u32) -> Duration {
        Duration::from_nanos(self.connect_ns(seed, call, attempt))
    }

    /// The same in nanoseconds.
    #[must_use]
    #[inline]
    pub fn connect_ns(&self, seed: Seed, call: u64, attempt: u32) -> u64 {
        let connect = self.connect_delay.as_ref();
        connect.map_or(0, |delay| delay.sample_nanos(draw(seed, Stream::CONNECT, call, attempt)))
    }

    /// When what failed as `call` is made again, if it is.
    #[must_use]
    pub fn return_after(&self, seed: Seed, call: u64) -> Option<Duration> {
        match &self.after_give_up {
            AfterGiveUp::Drop => None,
            AfterGiveUp::ComeBack(after) | AfterGiveUp::Queue(after) => {
                Some(after.sample(draw(seed, Stream::COME_BACK, call, 0)))
            }
        }
    }
}
