//! What requests have done, and what of it was done twice.

use std::collections::BTreeMap;

use crate::worst::Worst;
use crate::{RouteId, Service, limit_key, shown_key};

/// What a request does that is not undone by doing it again: a payment, an order, a mail.
///
/// It is done once the service has done the work of a request whose outcome [has an effect](crate::Outcome::has_effect),
/// whatever becomes of the answer. Routes may share one, which is then the same for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Shown in results.
    pub name: String,
    /// The header, in lower case, whose value says which effect it is; default [`HEADER`](Self::HEADER).
    pub header: String,
    /// Whether a value that has been seen is answered without doing it again. Default: it is done again.
    pub once: bool,
}

/// What tells an effect from others of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EffectKey {
    /// The fingerprint of what its header says.
    Header(u64),
    /// The request, where no header says it and the caller told which request it is.
    Request(u64),
}

/// What became of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Done, and not known to have been done before.
    First,
    /// Done once more.
    Again,
    /// Not done again.
    Prevented,
}

/// The effects of a service, counted by what they were done for.
///
/// - An effect without a key is counted, and never known to be a duplicate.
/// - [`LEDGER_KEYS_MAX`] keys are told apart, the first that came; what has another is counted, and not told apart. None is
///   forgotten, since a duplicate may come late.
#[derive(Clone, Debug)]
pub struct Ledger {
    books: Vec<Book>,
    /// Which book a route writes in, by its ordinal.
    by_route: Vec<Option<usize>>,
    /// How often each was done, by its book.
    done: BTreeMap<(usize, EffectKey), u64>,
    keys_max: usize,
}

/// The account of one effect.
#[derive(Clone, Debug)]
struct Book {
    effect: Effect,
    counts: EffectCounts,
    /// Of the keys that it was done for more than once.
    worst: Worst<EffectKey, EFFECT_KEYS_SHOWN>,
}

/// What was done of one effect: `done = keys + duplicates + unkeyed + untracked`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EffectCounts {
    /// Its name.
    pub name: String,
    /// How often it was done.
    pub done: u64,
    /// For how many keys.
    pub keys: u64,
    /// How often it was done for a key beyond the first time.
    pub duplicates: u64,
    /// How many keys it was done for more than once.
    pub repeated: u64,
    /// How often it was asked for once more and not done.
    pub prevented: u64,
    /// How often it was done for nobody known.
    pub unkeyed: u64,
    /// How often it was done for a key that there was no room for.
    pub untracked: u64,
    /// The worst keys by name, each with how often it was done: [`EFFECT_KEYS_SHOWN`] at the most.
    pub worst: Vec<(String, u64)>,
}

/// How many keys one ledger tells apart.
pub const LEDGER_KEYS_MAX: usize = 1 << 20;

/// How many keys are named for which an effect was done more than once.
pub const EFFECT_KEYS_SHOWN: usize = 5;

impl Effect {
    /// The header that says which effect it is, unless the scenario names another.
    ///
    /// Source: draft-ietf-httpapi-idempotency-key-header.
    pub const HEADER: &'static str = "idempotency-key";

    /// An effect that is done as often as it is asked for.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), header: Self::HEADER.to_owned(), once: false }
    }
}

impl EffectKey {
    /// The key of a request: what the header of the effect says, else the request, where it is known; an empty header says nothing.
    #[must_use]
    pub fn of(header: Option<&[u8]>, request: Option<u64>) -> Option<Self> {
        let header = header.filter(|value| !value.is_empty()).map(|value| Self::Header(limit_key(value)));
        header.or(request.map(Self::Request))
    }
}

impl Ledger {
    /// The ledger of `service` before the first request; `None` where no request has an effect.
    #[must_use]
    pub fn new(service: &Service) -> Option<Self> {
        let mut books: Vec<Book> = Vec::new();
        let mut by_route = Vec::new();
        for effect in service.effects() {
            by_route.push(effect.as_ref().map(|effect| {
                let known = books.iter().position(|book| book.effect.name == effect.name);
                known.unwrap_or_else(|| {
                    books.push(Book::new(effect.clone()));
                    books.len() - 1
                })
            }));
        }
        let (done, keys_max) = (BTreeMap::new(), LEDGER_KEYS_MAX);
        (!books.is_empty()).then_some(Self { books, by_route, done, keys_max })
    }

    /// The service has done the work of a request at `route` that has an effect; `None` where the route has none.
    pub fn record(&mut self, route: RouteId, key: Option<EffectKey>) -> Option<Done> {
        let place = (*self.by_route.get(route.place())?)?;
        let room = self.done.len() < self.keys_max;
        let Book { effect, counts, worst } = &mut self.books[place];
        let Some(key) = key else {
            counts.done += 1;
            counts.unkeyed += 1;
            return Some(Done::First);
        };
        let Some(times) = self.done.get_mut(&(place, key)) else {
            counts.done += 1;
            if room {
                self.done.insert((place, key), 1);
                counts.keys += 1;
            } else {
                counts.untracked += 1;
            }
            return Some(Done::First);
        };
        // A service knows its clients' keys, not which of their requests is a retry.
        if effect.once && matches!(key, EffectKey::Header(_)) {
            counts.prevented += 1;
            return Some(Done::Prevented);
        }
        counts.done += 1;
        counts.duplicates += 1;
        counts.repeated += u64::from(*times == 1);
        *times += 1;
        worst.grew(key, *times);
        Some(Done::Again)
    }

    /// What it came to so far, effect by effect, in the order of the file.
    #[must_use]
    pub fn account(&self) -> Vec<EffectCounts> {
        self.books.iter().map(Book::account).collect()
    }
}

impl Book {
    fn new(effect: Effect) -> Self {
        let counts = EffectCounts { name: effect.name.clone(), ..EffectCounts::default() };
        Self { effect, counts, worst: Worst::default() }
    }

    fn account(&self) -> EffectCounts {
        let worst = self.worst.iter().map(|(key, times)| (name(&self.effect, key), times));
        EffectCounts { worst: worst.collect(), ..self.counts.clone() }
    }
}

/// A key for people. The value of a header may be a secret, so that only its fingerprint is shown.
fn name(effect: &Effect, key: EffectKey) -> String {
    match key {
        EffectKey::Header(value) => shown_key(&effect.header, value),
        EffectKey::Request(request) => format!("request {request}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Done, Effect, EffectCounts, EffectKey, LEDGER_KEYS_MAX, Ledger};
    use crate::{Change, Request, Route, RouteId, Service};
    use proptest::prelude::*;

    /// A route with an effect of its own, one with none, and the effect of all others.
    fn service(once: bool) -> Service {
        let route = |pattern: &str| Route { pattern: pattern.parse().unwrap(), change: Change::default() };
        let routes = vec![route("POST /payments"), route("GET /health")];
        let service = Service::new(crate::Behaviour::default(), routes, vec![]).unwrap();
        let payment = Effect { once, ..Effect::new("payment") };
        service.with_effects(vec![Some(Effect::new("order")), Some(payment), None]).unwrap()
    }

    fn at(method: &'static str, path: &'static str) -> RouteId {
        service(false).route(&Request { method, path })
    }

    fn payment() -> RouteId {
        at("POST", "/payments")
    }

    fn account(ledger: &Ledger, name: &str) -> EffectCounts {
        ledger.account().into_iter().find(|counts| counts.name == name).unwrap()
    }

    #[test]
    fn a_key_that_comes_again_is_a_duplicate_and_no_key_never_is() {
        let mut ledger = Ledger::new(&service(false)).unwrap();
        let header = EffectKey::of(Some(b"foobar"), Some(7));
        assert_eq!(header, EffectKey::of(Some(b"foobar"), None));
        let done = [header, header, EffectKey::of(Some(b""), Some(7)), EffectKey::of(None, Some(7)), None, None]
            .map(|key| ledger.record(payment(), key).unwrap());
        assert_eq!(done, [Done::First, Done::Again, Done::First, Done::Again, Done::First, Done::First]);
        let counts = account(&ledger, "payment");
        assert_eq!((counts.done, counts.keys, counts.duplicates, counts.repeated, counts.unkeyed), (6, 2, 2, 2, 2));
        let names: Vec<&str> = counts.worst.iter().map(|(name, _)| name.as_str()).collect();
        // The half of the published FNV-1a hash of `foobar`, 85944171f73967e8.
        assert_eq!(names, ["idempotency-key #f73967e8", "request 7"]);
    }

    #[test]
    fn routes_have_their_own_that_of_the_service_or_none() {
        let mut ledger = Ledger::new(&service(false)).unwrap();
        assert_eq!(ledger.record(at("GET", "/health"), None), None);
        assert_eq!(ledger.record(at("POST", "/anything"), None), Some(Done::First));
        assert_eq!((account(&ledger, "order").done, account(&ledger, "payment").done), (1, 0));
        assert!(Ledger::new(&Service::default()).is_none());
    }

    #[test]
    fn once_prevents_what_a_header_names_and_nothing_else() {
        let mut ledger = Ledger::new(&service(true)).unwrap();
        let mut record = |header: Option<&[u8]>| ledger.record(payment(), EffectKey::of(header, Some(1))).unwrap();
        assert_eq!(
            [record(Some(b"a")), record(Some(b"a")), record(Some(b"b"))],
            [Done::First, Done::Prevented, Done::First]
        );
        assert_eq!([record(None), record(None)], [Done::First, Done::Again]);
        let counts = account(&ledger, "payment");
        assert_eq!((counts.done, counts.prevented, counts.duplicates), (4, 1, 1));
    }

    #[test]
    fn one_name_says_one_thing() {
        let twice = |other: Effect| service(false).with_effects(vec![Some(Effect::new("order")), Some(other), None]);
        assert!(twice(Effect::new("order")).is_ok());
        let error = twice(Effect { once: true, ..Effect::new("order") }).unwrap_err().remove(0);
        assert!(error.to_string().contains("`order` is one effect"), "{error}");
    }

    #[test]
    fn what_there_is_no_room_for_is_counted_and_not_told_apart() {
        let mut ledger = Ledger { keys_max: 10, ..Ledger::new(&service(true)).unwrap() };
        for round in 0..3 {
            for request in 0..15 {
                let again = round > 0 && request < 10;
                let done = ledger.record(payment(), EffectKey::of(None, Some(request)));
                assert_eq!(done == Some(Done::Again), again);
            }
        }
        let counts = account(&ledger, "payment");
        assert_eq!((counts.keys, counts.duplicates, counts.untracked), (10, 20, 15));
        assert_eq!(counts.worst.len(), super::EFFECT_KEYS_SHOWN);
        assert_eq!(Ledger::new(&service(true)).unwrap().keys_max, LEDGER_KEYS_MAX);
    }

    proptest! {
        /// Every effect done is the first of its key, a duplicate, without a key or without a place, and one of these only.
        #[test]
        fn the_account_adds_up(
            requests in prop::collection::vec((0..3_u8, 0..20_u64), 0..200),
            once in any::<bool>(),
            keys_max in 0..30_usize,
        ) {
            let mut ledger = Ledger { keys_max, ..Ledger::new(&service(once)).unwrap() };
            let asked = requests.len() as u64;
            for (kind, key) in requests {
                ledger.record(payment(), [None, Some(EffectKey::Header(key)), Some(EffectKey::Request(key))][usize::from(kind)]);
            }
            let EffectCounts { done, keys, duplicates, repeated, prevented, unkeyed, untracked, .. } = account(&ledger, "payment");
            prop_assert_eq!(done, keys + duplicates + unkeyed + untracked);
            prop_assert_eq!(done + prevented, asked);
            prop_assert!(repeated <= keys && repeated <= duplicates && keys <= keys_max as u64);
        }
    }
}
