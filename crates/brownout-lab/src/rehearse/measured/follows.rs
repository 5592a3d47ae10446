//! What a client does after which failure.

use std::collections::BTreeMap;

use super::super::{Answer, Rehearsal};
use super::{Doubts, calls};

/// What followed failures, by what they were.
#[derive(Default)]
pub(super) struct Follows(BTreeMap<&'static str, BTreeMap<String, Follow>>);

/// What followed failures of one kind.
#[derive(Default)]
struct Follow {
    /// As `retry_on` says it.
    word: String,
    /// Another try.
    again: u64,
    /// None, though calls have had more.
    left: u64,
    /// None, and no call has had more.
    last: u64,
}

impl Follows {
    pub(super) fn of(runs: &[Rehearsal], worst: u64) -> Self {
        let mut follows = Self::default();
        for call in runs.iter().flat_map(calls) {
            for (place, attempt) in call.attempts.iter().enumerate().filter(|(_, attempt)| !attempt.answer.is_success())
            {
                let (class, word) = named(attempt.answer);
                let kind = follows.0.entry(class).or_default().entry(attempt.answer.to_string()).or_default();
                kind.word = word;
                let is_last = place + 1 == call.attempts.len();
                let count = match is_last {
                    false => &mut kind.again,
                    true if (place as u64) + 1 < worst => &mut kind.left,
                    true => &mut kind.last,
                };
                *count += 1;
            }
        }
        follows
    }

    fn kinds(&self) -> impl Iterator<Item = (&String, &Follow)> {
        self.0.values().flatten()
    }

    pub(super) fn tried_again(&self) -> Vec<String> {
        self.kinds().filter(|(_, follow)| follow.again > 0).map(|(name, _)| name.clone()).collect()
    }

    /// What of that is not sure, with calls of at most `worst` attempts.
    pub(super) fn doubt(&self, worst: u64, doubts: &mut Doubts) {
        let gave_up = self.kinds().any(|(_, follow)| follow.last > 0 && (worst == 1 || follow.again > 0));
        if !gave_up {
            doubts.add("No call was seen to fail at its last try, so there may be more; preset:always-503 would tell.");
        }
        let left = self.kinds().filter(|(_, follow)| worst > 1 && follow.again == 0);
        let left: Vec<&str> = left.map(|(name, _)| name.as_str()).collect();
        if !left.is_empty() {
            doubts.add(format!("It was not seen to try again after: {}.", left.join(", ")));
        }
    }

    /// What is tried again; empty where nothing speaks against the default.
    pub(super) fn retry_on(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut as_default = true;
        for class in DEFAULT {
            let kinds = self.0.get(class);
            let refused = kinds.is_some_and(|kinds| kinds.values().any(|follow| follow.again == 0 && follow.left > 0));
            match kinds {
                Some(kinds) if refused => {
                    as_default = false;
                    words.extend(kinds.values().filter(|follow| follow.again > 0).map(|follow| follow.word.clone()));
                }
                _ => words.push(class.to_owned()),
            }
        }
        let others = self.0.get(OTHER).into_iter().flat_map(BTreeMap::values).filter(|follow| follow.again > 0);
        for other in others {
            as_default = false;
            words.push(other.word.clone());
        }
        if as_default { Vec::new() } else { words }
    }
}

/// The words of the default of `retry_on`.
const DEFAULT: [&str; 3] = ["429", "5xx", "transport"];
/// Whatever is in none of them.
const OTHER: &str = "other";

/// Which word of the default has an answer in it, and the word for that one alone.
fn named(answer: Answer) -> (&'static str, String) {
    let word = match answer {
        Answer::Status(status) => status.to_string(),
        Answer::Reset => "reset".to_owned(),
        Answer::Closed => "closed".to_owned(),
        Answer::NotHttp => "protocol".to_owned(),
        Answer::Silence | Answer::Left => "timeout".to_owned(),
    };
    let class = match answer {
        Answer::Status(429) => DEFAULT[0],
        Answer::Status(500..=599) => DEFAULT[1],
        Answer::Status(_) => OTHER,
        _ => DEFAULT[2],
    };
    (class, word)
}
