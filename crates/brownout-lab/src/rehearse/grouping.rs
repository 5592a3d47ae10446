//! Which requests are attempts of one call.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Visit;

/// How requests are put together into calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GroupBy {
    /// By the first of [`HEADERS`] and the scenario's own that a request carries, else by likeness.
    #[default]
    Found,
    /// By this header, in lower case; requests without it by likeness.
    Header(String),
    /// By method, path and body. What comes after a success is another call.
    Likeness,
}

/// How requests were put together into calls, and why so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grouping {
    /// How many requests were put together by what: the name of a header, or `likeness`.
    pub by: BTreeMap<String, u64>,
    /// In words.
    pub why: String,
    /// What speaks against it.
    pub doubts: Vec<String>,
}

impl Grouping {
    /// Whether some requests were put together by nothing but that they look alike.
    #[must_use]
    pub fn is_by_likeness(&self) -> bool {
        self.by.contains_key(LIKENESS)
    }
}

/// Headers that say which call a request is of, the surest first.
pub const HEADERS: [&str; 3] = ["x-brownout-request", "idempotency-key", "x-request-id"];

/// May name each attempt as well as each call.
const OF_ATTEMPTS: &str = "x-request-id";
const IDEMPOTENCY: &str = "idempotency-key";
const LIKENESS: &str = "likeness";

/// What requests of one call have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'v> {
    Header(&'v str, &'v str),
    Alike(Likeness<'v>),
}

/// Method, path, body.
type Likeness<'v> = (&'v str, &'v str, u64);

/// Puts `visits`, in the order in which they came, together: the places of the attempts of each call.
///
/// - `identity`: the header that the scenario names, in lower case, which goes before all but brownout's own.
#[must_use]
pub fn group(visits: &[Visit], by: &GroupBy, identity: Option<&str>) -> (Vec<Vec<usize>>, Grouping) {
    let of_attempts = names_attempts(visits);
    let headers: Vec<&str> = match by {
        GroupBy::Header(name) => vec![name],
        GroupBy::Likeness => vec![],
        GroupBy::Found => {
            let own = identity.filter(|name| !HEADERS.contains(name));
            let after_own = HEADERS[1..].iter().copied().filter(|name| *name != OF_ATTEMPTS || !of_attempts);
            [HEADERS[0]].into_iter().chain(own).chain(after_own).collect()
        }
    };
    let mut calls: Vec<Vec<usize>> = Vec::new();
    let mut open: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (place, visit) in visits.iter().enumerate() {
        let key = key(visit, &headers);
        let call = *open.entry(key.clone()).or_insert_with(|| {
            calls.push(Vec::new());
            calls.len() - 1
        });
        calls[call].push(place);
        let name = match &key {
            Key::Header(name, _) => *name,
            Key::Alike(_) => LIKENESS,
        };
        *counts.entry(name.to_owned()).or_default() += 1;
        if matches!(key, Key::Alike(_)) && visit.answer.is_success() {
            open.remove(&key);
        }
    }
    let doubts = doubts(visits, &calls, &counts, of_attempts && *by == GroupBy::Found);
    let why = why(&counts, by, &headers);
    (calls, Grouping { by: counts, why, doubts })
}

fn key<'v>(visit: &'v Visit, headers: &[&'v str]) -> Key<'v> {
    let named = headers.iter().find_map(|name| Some(Key::Header(name, value(visit, name)?)));
    named.unwrap_or(Key::Alike(likeness(visit)))
}

fn value<'v>(visit: &'v Visit, name: &str) -> Option<&'v str> {
    visit.names.iter().find(|(own, value)| own == name && !value.is_empty()).map(|(_, value)| value.as_str())
}

fn likeness(visit: &Visit) -> Likeness<'_> {
    (&visit.method, &visit.path, visit.body)
}

/// Whether request ids differ where requests that look alike follow a failure: then they are of attempts.
fn names_attempts(visits: &[Visit]) -> bool {
    never_repeats(visits, OF_ATTEMPTS) && follows_failure(visits, OF_ATTEMPTS)
}

/// Whether no two requests carry the same value, and two carry one at all.
fn never_repeats(visits: &[Visit], name: &str) -> bool {
    let values: Vec<&str> = visits.iter().filter_map(|visit| value(visit, name)).collect();
    values.len() > 1 && values.iter().collect::<BTreeSet<_>>().len() == values.len()
}

/// Whether a request with that header comes after one like it that failed.
fn follows_failure(visits: &[Visit], name: &str) -> bool {
    let mut failed = BTreeSet::new();
    visits.iter().filter(|visit| value(visit, name).is_some()).any(|visit| {
        let follows = failed.contains(&likeness(visit));
        let likeness = likeness(visit);
        if visit.answer.is_success() {
            failed.remove(&likeness)
        } else {
            failed.insert(likeness)
        };
        follows
    })
}

fn why(counts: &BTreeMap<String, u64>, by: &GroupBy, headers: &[&str]) -> String {
    const ALIKE: &str = "method, path and body, a call until it succeeds";
    let named = |count: &u64, name: &str| match (counts.len(), name) {
        (1, LIKENESS) => ALIKE.to_owned(),
        (1, name) => name.to_owned(),
        (_, LIKENESS) => format!("{ALIKE} ({count} without)"),
        (_, name) => format!("{name} ({count} requests)"),
    };
    let mut parts: Vec<String> = headers.iter().filter_map(|name| Some(named(counts.get(*name)?, name))).collect();
    parts.extend(counts.get(LIKENESS).map(|count| named(count, LIKENESS)));
    let parts = parts.join(", else by ");
    match by {
        GroupBy::Found if counts.contains_key(LIKENESS) && counts.len() == 1 => {
            format!("by {parts}: no request carries {}", headers.join(", "))
        }
        GroupBy::Found if counts.len() == 1 => format!("by {parts}, which every request carries"),
        GroupBy::Found => format!("by {parts}"),
        GroupBy::Header(_) | GroupBy::Likeness => format!("by {parts}, as --group-by says"),
    }
}

fn doubts(
    visits: &[Visit],
    calls: &[Vec<usize>],
    counts: &BTreeMap<String, u64>,
    skipped_request_ids: bool,
) -> Vec<String> {
    let mut doubts = Vec::new();
    if skipped_request_ids {
        doubts.push(format!("{OF_ATTEMPTS} is another on every request, so it names attempts, not calls"));
    }
    if counts.contains_key(IDEMPOTENCY) && never_repeats(visits, IDEMPOTENCY) && follows_failure(visits, IDEMPOTENCY) {
        doubts.push(format!(
            "{IDEMPOTENCY} is another on every request, though alike ones follow a failure; if your client makes a new key for \
             each attempt, no service can tell its retries: say --group-by path"
        ));
    }
    let overlaps = |call: &Vec<usize>| {
        call.windows(2).any(|pair| visits[pair[0]].until.is_some_and(|until| visits[pair[1]].at < until))
    };
    if counts.contains_key(LIKENESS) && calls.iter().any(overlaps) {
        doubts.push(
            "requests that look alike overlap, so they may be of several calls at once; say --calls if you know how many"
                .to_owned(),
        );
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::super::visit::tests::{get, named};
    use super::{GroupBy, group};
    use crate::rehearse::Visit;
    use std::time::Duration;

    #[track_caller]
    fn check(visits: &[Visit], by: &GroupBy, expected: &[&[usize]], why: &str) -> Vec<String> {
        let (calls, grouping) = group(visits, by, Some("x-order"));
        assert_eq!(calls, expected);
        assert_eq!(grouping.why, why);
        assert_eq!(grouping.by.values().sum::<u64>(), visits.len() as u64);
        grouping.doubts
    }

    #[test]
    fn without_a_header_alike_requests_are_a_call_until_one_succeeds() {
        let visits = [get(0, 503), get(1, 503), get(2, 200), get(3, 503), get(4, 200)];
        let why = "by method, path and body, a call until it succeeds: no request carries x-brownout-request, x-order, \
                   idempotency-key, x-request-id";
        assert!(check(&visits, &GroupBy::Found, &[&[0, 1, 2], &[3, 4]], why).is_empty());
        let other = [get(0, 503), Visit { body: 1, ..get(1, 503) }, Visit { path: "/b".to_owned(), ..get(2, 503) }];
        check(&other, &GroupBy::Found, &[&[0], &[1], &[2]], why);
    }

    #[test]
    fn a_header_holds_a_call_together_whatever_is_asked_and_answered() {
        let key = |visit, value: &str| named(visit, "idempotency-key", value);
        let visits = [key(get(0, 503), "a"), key(get(1, 503), "b"), key(get(2, 200), "a"), key(get(3, 200), "a")];
        let why = "by idempotency-key, which every request carries";
        assert!(check(&visits, &GroupBy::Found, &[&[0, 2, 3], &[1]], why).is_empty());
    }

    #[test]
    fn the_surest_header_counts_and_who_has_none_is_told_by_likeness() {
        let both =
            Visit { names: vec![("x-request-id".into(), "r".into()), ("x-order".into(), "o".into())], ..get(0, 503) };
        let visits = [both.clone(), named(get(1, 503), "x-order", "o"), get(2, 503), get(3, 503)];
        let why = "by x-order (2 requests), else by method, path and body, a call until it succeeds (2 without)";
        check(&visits, &GroupBy::Found, &[&[0, 1], &[2, 3]], why);
        let by = GroupBy::Header("x-request-id".to_owned());
        check(&[both], &by, &[&[0]], "by x-request-id, as --group-by says");
    }

    #[test]
    fn ids_of_attempts_are_no_ids_of_calls() {
        let id = |visit, value: &str| named(visit, "x-request-id", value);
        let retried = [id(get(0, 503), "1"), id(get(1, 503), "2"), id(get(2, 200), "3")];
        let why = "by method, path and body, a call until it succeeds: no request carries x-brownout-request, x-order, idempotency-key";
        let doubts = check(&retried, &GroupBy::Found, &[&[0, 1, 2]], why);
        assert!(doubts[0].contains("names attempts, not calls"), "{doubts:?}");
        // Without a failure nothing speaks against them.
        let calls = [id(get(0, 200), "1"), id(get(1, 200), "2")];
        check(&calls, &GroupBy::Found, &[&[0], &[1]], "by x-request-id, which every request carries");
    }

    #[test]
    fn a_key_for_each_attempt_is_believed_and_doubted() {
        let key = |visit, value: &str| named(visit, "idempotency-key", value);
        let visits = [key(get(0, 503), "1"), key(get(1, 503), "2")];
        let doubts = check(&visits, &GroupBy::Found, &[&[0], &[1]], "by idempotency-key, which every request carries");
        assert!(doubts[0].contains("--group-by path"), "{doubts:?}");
        let why = "by method, path and body, a call until it succeeds, as --group-by says";
        assert!(check(&visits, &GroupBy::Likeness, &[&[0, 1]], why).is_empty());
    }

    #[test]
    fn alike_requests_at_once_may_be_of_several_calls() {
        let slow = Visit { until: Some(Duration::from_millis(50)), ..get(0, 503) };
        let (_, grouping) = group(&[slow, get(10, 503)], &GroupBy::Found, None);
        assert!(grouping.doubts[0].contains("--calls"), "{grouping:?}");
    }
}
