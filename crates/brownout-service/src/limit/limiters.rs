//! All limits of a service at work, and the account of what they did.

use std::borrow::Cow;
use std::time::Duration;

use brownout_draw::{Seed, nanos};

use super::early::{Account, EarlyReturns, Told};
use super::fields::{Fields, fields};
use super::meter::{Limiter, Owner, Room, Wait};
use super::{Hint, Limit, LimitKey, LimitRule, QuotaFields};
use crate::{Decision, Identity, Request, Response, RouteId, Service};

/// Who asks, as limits tell callers apart.
pub trait Asker {
    /// What tells this caller from others under `key`; not asked for [`LimitKey::Global`] and [`LimitKey::Route`].
    fn key(&self, key: &LimitKey) -> u64;

    /// The same for people.
    fn name(&self, key: &LimitKey) -> String;
}

/// The limits of a service at work.
///
/// A request must have room in all limits that count it, and takes from all or from none: one that is refused costs nothing.
/// The first in the order of the file that has no room answers.
#[derive(Debug)]
pub struct Limiters {
    limiters: Vec<Gate>,
    early: Account,
    /// The time of day when the run began, where answers are written out; `None` where nobody reads them.
    epoch: Option<Duration>,
}

/// One of them.
#[derive(Debug)]
struct Gate {
    limiter: Box<dyn Limiter>,
    told: Told,
    /// The first limit that tells clients apart in the same way.
    like: usize,
    asked: u64,
    refused: u64,
}

/// What a request gets that asks for leave.
#[derive(Debug)]
pub enum Leave {
    /// It may go on.
    Granted(Permit),
    /// It is answered at once.
    Refused(Box<Refused>),
}

/// Leave to go on, to be given back with [`Limiters::give_back`] once the service is done with the request.
#[derive(Debug, Default)]
#[must_use]
pub struct Permit {
    /// Under which limits it counts as under way.
    held: Vec<(usize, Owner)>,
    /// What the answer tells of what is left, besides what it is; empty where nobody reads it.
    pub fields: Vec<(&'static str, std::borrow::Cow<'static, str>)>,
    /// The client, where it came before it was told to.
    pub early: Option<String>,
}

impl Permit {
    /// Whether there is anything to give back.
    #[must_use]
    pub fn counts(&self) -> bool {
        !self.held.is_empty()
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which limit refused, in the order of the file.
    pub limit: usize,
    /// When it said to come back, if it did.
    pub hint: Option<Hint>,
    /// The client, where it came before it was told to.
    pub early: Option<String>,
    fields: Fields,
}

/// What one limit did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitCounts {
    /// Its name.
    pub name: String,
    /// Requests that it had a say in.
    pub asked: u64,
    /// Of these, those that it refused.
    pub refused: u64,
}

impl Limiters {
    /// The limits of `service` before the first request; `None` where it has none.
    ///
    /// - `epoch`: the time of day when the run begins, where answers are written out.
    #[must_use]
    pub fn new(service: &Service, epoch: Option<Duration>) -> Option<Self> {
        let limits = service.limits();
        let like = |key: &LimitKey| limits.iter().position(|other| by_client(&other.key) == by_client(key));
        let limiter = |limit: &Limit| Gate {
            limiter: limit.rule.limiter(),
            told: Told::default(),
            like: like(&limit.key).unwrap_or(0),
            asked: 0,
            refused: 0,
        };
        let limiters: Vec<_> = limits.iter().map(limiter).collect();
        (!limiters.is_empty()).then(|| Self { limiters, early: Account::default(), epoch })
    }

    /// Asks leave for a request that has reached `service`.
    ///
    /// - `sent_ns`, `now_ns`: when it was sent and when it came, since the run began. `now_ns` never goes back.
    pub fn ask(
        &mut self,
        service: &Service,
        seed: Seed,
        asked: &Asked<'_>,
        asker: &impl Asker,
        (sent_ns, now_ns): (u64, u64),
    ) -> Leave {
        let limits = service.limits();
        let mut early = None;
        let mut refused = None;
        for (index, limit) in limits.iter().enumerate() {
            if !limit.counts(asked.request) {
                continue;
            }
            let own = &mut self.limiters[index];
            own.asked += 1;
            let client = client(limit, asker);
            if early.is_none() && own.told.is_early(client, asked.identity, sent_ns, now_ns) {
                let retry = asked.identity.attempt.get() > 1;
                let name = asker.name(by_client(&limit.key));
                self.early.count(own.like, client, retry, &name);
                early = Some(name);
            }
            if refused.is_none() {
                let amount = limit.amount(seed, asked.request, asked.identity);
                let room = own.limiter.room(key(limit, asked.route, asker), now_ns, amount);
                refused = (room.wait != Wait::Not).then_some((index, room, client));
            }
        }
        match refused {
            Some((index, room, client)) => {
                let refused = self.refuse(service, asked, asker, now_ns, (index, room, client));
                Leave::Refused(Box::new(Refused { early, ..refused }))
            }
            None => Leave::Granted(Permit { early, ..self.grant(limits, seed, asked, asker, now_ns) }),
        }
    }

    /// The service is done with a request.
    pub fn give_back(&mut self, permit: Permit) {
        for (index, owner) in permit.held {
            self.limiters[index].limiter.give_back(owner);
        }
    }

    /// What each limit of `service` did, in the order of the file.
    #[must_use]
    pub fn counts(&self, service: &Service) -> Vec<LimitCounts> {
        let counts = |(limit, own): (&Limit, &Gate)| LimitCounts {
            name: limit.name.clone(),
            asked: own.asked,
            refused: own.refused,
        };
        service.limits().iter().zip(&self.limiters).map(counts).collect()
    }

    /// Who came back too early.
    #[must_use]
    pub fn early_returns(&self) -> EarlyReturns {
        self.early.result()
    }

    fn grant(&mut self, limits: &[Limit], seed: Seed, asked: &Asked<'_>, asker: &impl Asker, now: u64) -> Permit {
        let mut permit = Permit::default();
        for (index, limit) in limits.iter().enumerate().filter(|(_, limit)| limit.counts(asked.request)) {
            let amount = limit.amount(seed, asked.request, asked.identity);
            let owner = self.limiters[index].limiter.take(key(limit, asked.route, asker), now, amount);
            if matches!(limit.rule, LimitRule::Concurrency(_)) {
                permit.held.push((index, owner));
            }
        }
        permit.fields = self.fields(limits, asked, asker, now, None);
        permit
    }

    fn refuse(
        &mut self,
        service: &Service,
        asked: &Asked<'_>,
        asker: &impl Asker,
        now: u64,
        (index, room, client): (usize, Room, u64),
    ) -> Refused {
        let limit = &service.limits()[index];
        let honest = match room.wait {
            Wait::For(wait) => Some(wait),
            Wait::Not | Wait::Unknown => None,
        };
        let elapsed = Duration::from_nanos(now);
        let hint = limit.retry_after.hint(honest, elapsed, self.time_of_day(now), service.phases());
        let own = &mut self.limiters[index];
        own.refused += 1;
        if let Some(hint) = hint {
            let until = now.saturating_add(nanos(hint.heard()));
            own.told.tell(client, asked.identity.request, now, until);
        }
        let fields = self.fields(service.limits(), asked, asker, now, Some(limit));
        Refused { limit: index, hint, early: None, fields }
    }

    /// What answers tell of what is left now.
    fn fields(
        &mut self,
        limits: &[Limit],
        asked: &Asked<'_>,
        asker: &impl Asker,
        now: u64,
        refused: Option<&Limit>,
    ) -> Fields {
        if self.epoch.is_none() || limits.iter().all(|limit| limit.fields == QuotaFields::None) {
            return Fields::new();
        }
        let told = limits.iter().enumerate();
        let told = told.filter(|(_, limit)| limit.fields != QuotaFields::None && limit.counts(asked.request));
        let left: Vec<_> = told
            .map(|(index, limit)| (limit, self.limiters[index].limiter.room(key(limit, asked.route, asker), now, 0)))
            .collect();
        fields(&left, refused, self.time_of_day(now))
    }

    fn time_of_day(&self, now: u64) -> Duration {
        self.epoch.unwrap_or_default().saturating_add(Duration::from_nanos(now))
    }
}

/// A request that asks for leave.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What it asks for.
    pub request: &'a Request<'a>,
    /// Which route takes it.
    pub route: RouteId,
    /// Which attempt of which request it is.
    pub identity: Identity,
}

impl Refused {
    /// The whole answer, decision header included. `decision` is what the request would have met.
    #[must_use]
    pub fn respond(self, service: &Service, decision: &Decision<'_>) -> Response {
        let limit = &service.limits()[self.limit];
        let mut response = Response::json(limit.status, limit.body.clone());
        if !limit.body.trim_start().starts_with(['{', '[']) {
            response.headers[0].1 = "text/plain; charset=utf-8".into();
        }
        response.headers.extend(self.hint.map(|hint| hint.header()).map(named));
        response.headers.extend(self.fields.into_iter().map(named));
        let decided = Decision { latency: Duration::ZERO, phase: None, ..*decision };
        let own = format!("outcome={};", decision.outcome.name());
        let text = decided.to_string().replacen(&own, "outcome=limited;", 1);
        response.headers.push((Decision::HEADER.into(), format!("{text};limit=\"{}\"", limit.name).into()));
        response
    }
}

/// A header of ours among those of an answer.
fn named((name, value): (&'static str, Cow<'static, str>)) -> (Cow<'static, str>, Cow<'static, str>) {
    (name.into(), value)
}

/// Whose allowance a request takes from.
fn key(limit: &Limit, route: RouteId, asker: &impl Asker) -> u64 {
    match &limit.key {
        LimitKey::Global => 0,
        LimitKey::Route => route.ordinal(),
        key => asker.key(key),
    }
}

/// Who is told to come back later.
fn client(limit: &Limit, asker: &impl Asker) -> u64 {
    asker.key(by_client(&limit.key))
}

const fn by_client(key: &LimitKey) -> &LimitKey {
    match key {
        LimitKey::Global | LimitKey::Route => &LimitKey::Client,
        key => key,
    }
}
