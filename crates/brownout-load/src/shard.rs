//! One load on several machines: which calls are whose.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Arrival, Load, Part, Schedule, Step};

/// A part of a load that is run by itself.
///
/// Call k of an open load, counted from 0 over the whole schedule, belongs to shard k modulo N, and closed client c to shard c
/// modulo N: so that all shards together are the whole, whoever runs them. Dividing the rate instead would make another load.
///
/// ```
/// use brownout_load::Shard;
///
/// let shard: Shard = "1/3".parse()?;
/// assert_eq!((0..9).filter(|place| shard.owns(*place)).collect::<Vec<_>>(), [1, 4, 7]);
/// assert!("3/3".parse::<Shard>().is_err());
/// # Ok::<(), brownout_load::ShardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Shard {
    index: u32,
    of: u32,
}

/// A shard as a result has it.
#[derive(Deserialize)]
struct Written {
    index: u32,
    of: u32,
}

/// Why a text is no shard.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a shard is I/N with I from 0 to N-1 and N from 1 to {SHARDS_MAX}, found `{0}`; the first of eight is 0/8")]
pub struct ShardError(String);

/// How many shards a load may have.
const SHARDS_MAX: u32 = 65_536;

impl Shard {
    /// Number `index`, from 0, `of` so many; `None` where there is no such shard.
    #[must_use]
    pub const fn new(index: u32, of: u32) -> Option<Self> {
        if index < of && of <= SHARDS_MAX { Some(Self { index, of }) } else { None }
    }

    /// Which one it is, from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    #[must_use]
    pub const fn of(self) -> u32 {
        self.of
    }

    /// Whether the call or client at this place, from 0, is one of its own.
    #[must_use]
    pub const fn owns(self, place: u64) -> bool {
        place % self.of as u64 == self.index as u64
    }

    /// How many of the first `count` places are its own.
    #[must_use]
    pub const fn share(self, count: u64) -> u64 {
        count / self.of as u64 + (count % self.of as u64 > self.index as u64) as u64
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        numbers.and_then(|(index, of)| Self::new(index, of)).ok_or_else(|| ShardError(text.to_owned()))
    }
}

impl TryFrom<Written> for Shard {
    type Error = ShardError;

    fn try_from(Written { index, of }: Written) -> Result<Self, ShardError> {
        Self::new(index, of).ok_or_else(|| ShardError(format!("{index}/{of}")))
    }
}

impl<'l> Part<'l> {
    /// What of it belongs to `shard`; all without one.
    ///
    /// Calls keep the numbers that they have in the whole. Those of closed clients would depend on when the calls of all others
    /// end: in a shard the clients take turns, and call t of client c, both from 0, is number t · clients + c + 1.
    #[must_use]
    pub fn of_shard(self, shard: Option<Shard>) -> Self {
        let numbers = match shard {
            Some(shard) if self.load.is_open() => self.numbers.every(shard.of, shard.index),
            _ => self.numbers,
        };
        Self { numbers, shard, ..self }
    }

    /// How many calls it asks for; `None` where that is as many as come in its duration.
    #[must_use]
    pub fn asked(&self) -> Option<u64> {
        let asked = self.load.asked()?;
        Some(match self.shard {
            None => asked,
            Some(shard) if self.load.is_open() => shard.share(asked),
            Some(shard) => {
                let clients = u64::from(self.load.busy_clients().max(1));
                asked / clients * shard.share(clients) + shard.share(asked % clients)
            }
        })
    }
}

impl Load {
    /// How many calls of closed `client` come before its call `turn`, from 0, where the clients take turns.
    #[must_use]
    pub fn before_turn(&self, client: u32, turn: u64) -> u64 {
        turn.saturating_mul(self.busy_clients().into()).saturating_add(client.into())
    }
}

impl Schedule<'_> {
    /// [`step`](Self::step) to the next arrival that belongs to `shard`.
    pub fn step_of(&mut self, shard: Shard, factor: impl Fn(Duration) -> f64) -> Step {
        loop {
            match self.step(&factor) {
                Step::Call(_) if !shard.owns(self.given() - 1) => {}
                step => return step,
            }
        }
    }

    /// [`next`](Self::next) of those that belong to `shard`, of all without one.
    pub fn next_of(&mut self, shard: Option<Shard>, factor: impl Fn(Duration) -> f64) -> Option<Arrival> {
        let Some(shard) = shard else { return self.next(factor) };
        loop {
            match self.step_of(shard, &factor) {
                Step::Call(arrival) => return Some(arrival),
                Step::Nothing { .. } => {}
                Step::Over => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;
    use crate::{Arrivals, Load, Rate, Schedule};
    use brownout_draw::Seed;
    use std::time::Duration;

    fn shard(index: u32, of: u32) -> Shard {
        Shard::new(index, of).unwrap()
    }

    #[test]
    fn a_shard_is_a_number_below_another() {
        assert_eq!("2/8".parse(), Ok(shard(2, 8)));
        for text in ["8/8", "0/0", "1", "-1/2", "1/65537", "a/b", "", "1/2/3"] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains("I from 0 to N-1") && error.contains(&format!("`{text}`")), "{error}");
        }
        assert!(serde_json::from_str::<Shard>(r#"{ "index": 2, "of": 2 }"#).is_err());
    }

    #[test]
    fn every_place_is_owned_once_and_counted() {
        for of in 1..6 {
            for count in 0..40 {
                let owned = |shard: Shard| (0..count).filter(|place| shard.owns(*place)).count() as u64;
                let shares: Vec<u64> = (0..of).map(|index| shard(index, of).share(count)).collect();
                assert_eq!(shares, (0..of).map(|index| owned(shard(index, of))).collect::<Vec<_>>());
                assert_eq!(shares.iter().sum::<u64>(), count);
            }
        }
    }

    #[test]
    fn arrivals_of_all_shards_are_those_of_the_whole_with_their_numbers() {
        let rate = Rate::per_second(100.0).unwrap();
        let clients = 7.try_into().unwrap();
        for arrivals in [Arrivals::Poisson(rate), Arrivals::Constant(rate)] {
            let load = Load { arrivals, duration: Some(Duration::from_secs(20)), clients, ..Load::default() };
            let pause = |at: Duration| if at.as_secs() == 5 { 0.0 } else { 1.0 };
            let calls = |shard| {
                let mut schedule = Schedule::new(&load, Seed(3), Some(1.0));
                let numbers = load.parts()[0].of_shard(shard).numbers;
                let next = || schedule.next_of(shard, pause).map(|arrival| (arrival.at_ns, arrival.client));
                (1..).map(|nth| numbers.of(nth)).zip(std::iter::from_fn(next)).collect::<Vec<_>>()
            };
            let mut all: Vec<_> = (0..8).flat_map(|index| calls(Some(shard(index, 8)))).collect();
            all.sort_unstable();
            assert!(all.len() > 1000);
            assert_eq!(all, calls(None));
        }
    }

    #[test]
    fn closed_clients_of_all_shards_ask_for_every_call_once() {
        for (count, clients) in [(100, 7), (5, 7), (0, 3), (21, 7), (1, 1)] {
            let load = Load { count: Some(count), clients: clients.try_into().unwrap(), ..Load::default() };
            let (mut numbers, mut asked) = (Vec::new(), 0);
            for shard in (0..3).map(|index| shard(index, 3)) {
                let part = load.parts()[0].of_shard(Some(shard));
                asked += part.asked().unwrap();
                for client in (0..load.busy_clients()).filter(|client| shard.owns((*client).into())) {
                    let before = (0..).map(|turn| load.before_turn(client, turn));
                    numbers
                        .extend(before.take_while(|before| *before < count).map(|before| part.numbers.of(before + 1)));
                }
            }
            numbers.sort_unstable();
            assert_eq!(numbers, (1..=count).collect::<Vec<_>>());
            assert_eq!(asked, count);
        }
    }
}
