//! What a program does to a service that fails: the requests of a command, as the service saw them, put together into calls.
//!
//! What is decided here: which requests are of one call, how often each was tried, which rule its waits follow, and whether it did
//! what it was told. All of it is a function of the [`Visit`]s; who runs the command and who answers it is left out.

mod backoff;
mod expect;
mod grouping;
mod layers;
mod measured;
mod summary;
mod visit;

use std::time::Duration;

use brownout_draw::millis;
use serde::{Deserialize, Serialize};

pub use backoff::{Backoff, Jitter, fit};
pub use expect::{Expectation, Judged, Measure, outcome};
pub use grouping::{GroupBy, Grouping, HEADERS, group};
pub use layers::layers;
pub use measured::{Measured, measured};
pub use summary::Summary;
pub use visit::{Answer, Visit};

/// How visits are looked at.
#[derive(Clone, Debug, Default)]
pub struct Lens {
    /// How they are put together into calls.
    pub by: GroupBy,
    /// How many calls the command makes, where its user says so.
    pub calls: Option<u64>,
    /// The header that the scenario names, in lower case.
    pub identity: Option<String>,
    /// What it is to come to.
    pub expect: Vec<Expectation>,
}

/// What one run of a command came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// The luck of the service.
    pub seed: u64,
    /// How the command ended.
    pub command: CommandEnd,
    /// Requests that the service saw.
    pub attempts: u64,
    /// Calls that they were of.
    pub calls: u64,
    /// Requests ÷ calls; `None` without a call.
    pub amplification: Option<f64>,
    /// Of the call with the most; `None` where calls are counted by the user and cannot be told apart.
    pub attempts_worst: Option<u64>,
    /// Calls whose last attempt failed; `None` as above.
    pub calls_failed: Option<u64>,
    /// How requests were put together.
    pub grouping: Grouping,
    /// The rule behind the waits.
    pub backoff: Backoff,
    /// How often each layer of retries tries, the innermost first; empty where none show.
    pub layers: Vec<usize>,
    /// Whether it stayed away as long as it was told to.
    pub retry_after: RetryAfter,
    /// What was done, and what of it twice; `None` where nothing has an effect.
    pub effects: Option<Effects>,
    /// Connections that requests came over.
    pub connections: u64,
    /// Most requests at once.
    pub peak: u64,
    /// What was expected, and what became of it.
    pub expectations: Vec<Judged>,
    /// Attempts that are not in the list below.
    pub attempts_omitted: u64,
    /// The calls in the order in which they began.
    pub list: Vec<CallSeen>,
    #[serde(skip)]
    waits: Vec<Vec<Option<f64>>>,
}

/// How the command ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandEnd {
    /// Its own exit code; `None` where it has none.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// It was ended, since its time was up.
    pub timed_out: bool,
}

/// What became of a wait that the service asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heed {
    /// The next attempt of the call came no sooner.
    Honoured,
    /// It came sooner.
    Broken,
    /// There was none.
    GivenUp,
}

/// What became of the waits that the service asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryAfter {
    /// Answers that asked for one.
    pub told: u64,
    /// The next attempt of the call came no sooner.
    pub honoured: u64,
    /// It came sooner.
    pub broken: u64,
    /// There was none.
    pub given_up: u64,
}

/// What was done for calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    /// How often.
    pub done: u64,
    /// Beyond the first time for one call.
    pub duplicates: u64,
}

/// A call, by its attempts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallSeen {
    /// Of its first attempt.
    pub method: String,
    /// Of its first attempt.
    pub path: String,
    /// In the order in which they came.
    pub attempts: Vec<AttemptSeen>,
}

/// One attempt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptSeen {
    /// When it came, from the start of the command.
    pub at_ms: f64,
    /// When its answer went out, or its client left; `None` where neither can be told.
    pub ended_ms: Option<f64>,
    /// From the end of the one before; `None` for the first, and where that end cannot be told or came later.
    pub wait_ms: Option<f64>,
    /// Whether the service asked for that wait, so that it says nothing of the client's own rule.
    pub wait_asked: bool,
    /// What its client saw.
    pub answer: Answer,
    /// How long the answer asked it to stay away.
    pub retry_after_ms: Option<f64>,
    /// What became of that; `None` where nothing was asked for.
    pub retry_after: Option<Heed>,
    /// Whether what it asked for was done; `None` where it asked for nothing that can be done twice.
    pub done: Option<bool>,
    /// Which connection it came over.
    pub connection: u64,
}

/// So many attempts are listed.
const LISTED_MAX: usize = 1000;
/// Some clients wait up to so much longer than they are asked to, so that not all come back together: Envoy's rate-limited backoff.
const ASKED_JITTER: f64 = 1.5;
/// And so much longer, since they or their machine were busy.
const LATE: Duration = Duration::from_millis(250);
/// Timers of clients fire a little early, and clocks are read one after another.
const EARLY: Duration = Duration::from_millis(15);

/// What `visits` were, in whatever order they are.
#[must_use]
pub fn rehearse(mut visits: Vec<Visit>, seed: u64, command: CommandEnd, lens: &Lens) -> Rehearsal {
    visits.sort_by_key(|visit| visit.at);
    let (groups, mut grouping) = group(&visits, &lens.by, lens.identity.as_deref());
    let told_apart = count(groups.len());
    let calls = lens.calls.filter(|_| !visits.is_empty()).unwrap_or(told_apart);
    let is_sure = calls == told_apart;
    if lens.calls.is_some() && !visits.is_empty() {
        grouping.why = match is_sure {
            true => format!("{}; as many as --calls says", grouping.why),
            false => format!("{calls}, as --calls says; {told_apart} can be told apart {}", grouping.why),
        };
    }
    let of = |group: &Vec<usize>| group.iter().map(|place| &visits[*place]).collect::<Vec<_>>();
    let attempts_of: Vec<Vec<&Visit>> = groups.iter().map(of).collect();
    let waits: Vec<Vec<Option<f64>>> = attempts_of.iter().map(|call| own_waits(call)).collect();
    let attempts = count(visits.len());
    let rehearsal = Rehearsal {
        seed,
        command,
        attempts,
        calls,
        amplification: ratio(attempts, calls),
        attempts_worst: attempts_of.iter().map(|call| count(call.len())).max().filter(|_| is_sure),
        calls_failed: is_sure.then(|| count(attempts_of.iter().filter(|call| is_failed(call)).count())),
        grouping,
        backoff: fit(&waits),
        layers: common_layers(&waits),
        retry_after: attempts_of.iter().fold(RetryAfter::default(), |sum, call| sum.with(call)),
        effects: effects(&attempts_of),
        connections: connections(&visits),
        peak: peak(&visits),
        expectations: vec![],
        attempts_omitted: attempts.saturating_sub(count(LISTED_MAX)),
        list: listed(&attempts_of),
        waits,
    };
    let expectations = lens.expect.iter().map(|expectation| expectation.judge(&rehearsal)).collect();
    Rehearsal { expectations, ..rehearsal }
}

/// From the end of one attempt to the beginning of the next; `None` where that end is not known, or comes later.
fn wait(before: &Visit, next: &Visit) -> Option<Duration> {
    next.at.checked_sub(before.until?)
}

/// The waits of a call that are its own: not those that the service asked for and got.
fn own_waits(call: &[&Visit]) -> Vec<Option<f64>> {
    let own = |pair: &[&Visit]| wait(pair[0], pair[1]).filter(|wait| !is_asked(pair[0], *wait)).map(millis);
    call.windows(2).map(own).collect()
}

/// Whether the `wait` after an attempt is what its answer asked for: no shorter, and no longer than with some jitter on it.
fn is_asked(before: &Visit, wait: Duration) -> bool {
    let longest = |asked: Duration| asked.mul_f64(ASKED_JITTER) + LATE;
    before.retry_after.is_some_and(|asked| asked > EARLY && asked <= wait + EARLY && wait <= longest(asked))
}

/// What became of what an attempt was told, by when the `next` of its call came.
fn heed(visit: &Visit, next: Option<&&Visit>) -> Option<Heed> {
    let asked = visit.retry_after?;
    Some(match next {
        None => Heed::GivenUp,
        Some(next) if visit.until.unwrap_or(visit.at) + asked <= next.at + EARLY => Heed::Honoured,
        Some(_) => Heed::Broken,
    })
}

/// The layers that every call with retries shows.
fn common_layers(waits: &[Vec<Option<f64>>]) -> Vec<usize> {
    let mut all = waits.iter().filter(|waits| !waits.is_empty()).map(|waits| layers(waits));
    let first = all.next().unwrap_or_default();
    if all.all(|other| other == first) { first } else { Vec::new() }
}

fn is_failed(call: &[&Visit]) -> bool {
    !call.iter().any(|visit| visit.answer.is_success())
}

impl RetryAfter {
    /// Of several runs together.
    fn of(runs: &[Rehearsal]) -> Self {
        runs.iter().fold(Self::default(), |sum, run| sum.plus(run.retry_after))
    }

    fn with(mut self, call: &[&Visit]) -> Self {
        for heed in call.iter().enumerate().filter_map(|(place, visit)| heed(visit, call.get(place + 1))) {
            self.told += 1;
            *match heed {
                Heed::Honoured => &mut self.honoured,
                Heed::Broken => &mut self.broken,
                Heed::GivenUp => &mut self.given_up,
            } += 1;
        }
        self
    }

    fn plus(self, other: Self) -> Self {
        Self {
            told: self.told + other.told,
            honoured: self.honoured + other.honoured,
            broken: self.broken + other.broken,
            given_up: self.given_up + other.given_up,
        }
    }
}

fn effects(calls: &[Vec<&Visit>]) -> Option<Effects> {
    let mut effects = None;
    for call in calls {
        let asked = call.iter().filter_map(|visit| visit.done);
        let done = count(asked.clone().filter(|done| *done).count());
        if asked.count() > 0 {
            let sum: &mut Effects = effects.get_or_insert_default();
            sum.done += done;
            sum.duplicates += done.saturating_sub(1);
        }
    }
    effects
}

fn connections(visits: &[Visit]) -> u64 {
    let all: std::collections::BTreeSet<u64> = visits.iter().map(|visit| visit.connection).collect();
    count(all.len())
}

/// The most requests that were under way at once. One that ends when another begins is not.
fn peak(visits: &[Visit]) -> u64 {
    let ends = visits.iter().map(|visit| (visit.until.unwrap_or(visit.at), false));
    let mut changes: Vec<(Duration, bool)> = visits.iter().map(|visit| (visit.at, true)).chain(ends).collect();
    // Of what begins and ends at one moment, each counts by itself.
    changes.sort_by_key(|(at, begins)| (*at, *begins));
    let (mut under_way, mut peak) = (0_i64, i64::from(!visits.is_empty()));
    for (_, begins) in changes {
        under_way += if begins { 1 } else { -1 };
        peak = peak.max(under_way);
    }
    u64::try_from(peak).unwrap_or_default()
}

fn listed(calls: &[Vec<&Visit>]) -> Vec<CallSeen> {
    let mut left = LISTED_MAX;
    let mut list = Vec::new();
    for call in calls {
        if left == 0 {
            break;
        }
        let attempt = |(place, visit): (usize, &&Visit)| {
            let before = place.checked_sub(1).map(|before| call[before]);
            let waited = before.and_then(|before| Some((before, wait(before, visit)?)));
            AttemptSeen {
                at_ms: millis(visit.at),
                ended_ms: visit.until.map(millis),
                wait_ms: waited.map(|(_, wait)| millis(wait)),
                wait_asked: waited.is_some_and(|(before, wait)| is_asked(before, wait)),
                answer: visit.answer,
                retry_after_ms: visit.retry_after.map(millis),
                retry_after: heed(visit, call.get(place + 1)),
                done: visit.done,
                connection: visit.connection,
            }
        };
        let attempts: Vec<AttemptSeen> = call.iter().enumerate().take(left).map(attempt).collect();
        left -= attempts.len();
        list.push(CallSeen { method: call[0].method.clone(), path: call[0].path.clone(), attempts });
    }
    list
}

#[expect(clippy::cast_precision_loss, reason = "counts to show")]
fn ratio(count: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| count as f64 / of as f64)
}

fn count(number: usize) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests;
