//! What every kind of limit answers, and the memory that keeps callers apart.

use std::collections::BTreeMap;
use std::fmt::Debug;

/// How many callers one limit tells apart. Those whose allowance is whole again are forgotten first, which changes nothing
/// for them; where none is, newcomers share one allowance, so that nobody gets more than the limit gives.
pub const LIMIT_KEYS_MAX: usize = 1 << 20;

/// A kind of limit: what one caller has left, and since when. Amounts are thousandths of a unit, times nanoseconds since the
/// run began, never going back.
pub(crate) trait Meter: Debug + Send {
    type State: Debug + Send;

    /// Of a caller who has never come.
    fn fresh(&self) -> Self::State;

    /// Whether `amount` is left `now`, and what else there is to tell. Takes nothing.
    fn room(&self, state: &mut Self::State, now: u64, amount: u64) -> Room;

    /// Takes `amount`, for which there was [`room`](Self::room).
    fn take(&self, state: &mut Self::State, now: u64, amount: u64);

    /// A request that took something has ended.
    fn give_back(&self, _: &mut Self::State) {}

    /// Whether the state is that of a caller who has never come.
    fn is_fresh(&self, state: &Self::State, now: u64) -> bool;
}

/// What a limit has left for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) wait: Wait,
    /// In thousandths.
    pub(crate) left: u64,
    /// Until all of it is left again, in nanoseconds; `None` where nobody knows.
    pub(crate) whole_in: Option<u64>,
}

/// How long until there is room, if nobody else comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Not,
    /// In nanoseconds, more than 0.
    For(u64),
    /// Until somebody else has ended.
    Unknown,
}

impl Room {
    /// There is room where `amount` is no more than is `left`; else there will be, after `wait`.
    pub(crate) fn of(left: u64, amount: u64, wait: impl FnOnce() -> u64, whole_in: u64) -> Self {
        let wait = if amount <= left { Wait::Not } else { Wait::For(wait().max(1)) };
        Self { wait, left, whole_in: Some(whole_in) }
    }
}

/// Values by key, at most [`LIMIT_KEYS_MAX`] of them.
#[derive(Debug)]
pub(crate) struct Bounded<V> {
    values: BTreeMap<u64, V>,
    /// At so many it is looked which can be forgotten.
    sweep_at: usize,
    /// How many newcomers are turned away before it is looked again.
    closed_for: usize,
}

const SWEEP_MIN: usize = 1 << 10;

impl<V> Default for Bounded<V> {
    fn default() -> Self {
        Self { values: BTreeMap::new(), sweep_at: SWEEP_MIN, closed_for: 0 }
    }
}

impl<V> Bounded<V> {
    /// The value of `key`, made `anew` if it has none; `None` where there is no room for another. Values that are `over` may be
    /// forgotten.
    pub(crate) fn get_or(&mut self, key: u64, anew: impl FnOnce() -> V, over: impl Fn(&V) -> bool) -> Option<&mut V> {
        if self.sweep_at <= self.values.len() && !self.values.contains_key(&key) {
            if self.closed_for > 0 {
                self.closed_for -= 1;
                return None;
            }
            self.values.retain(|_, value| !over(value));
            self.sweep_at = (self.values.len() * 2).clamp(SWEEP_MIN, LIMIT_KEYS_MAX);
            if self.values.len() >= LIMIT_KEYS_MAX {
                // A look costs as much as there are values, so one is not worth it for each newcomer.
                self.closed_for = LIMIT_KEYS_MAX / 16;
                return None;
            }
        }
        Some(self.values.entry(key).or_insert_with(anew))
    }

    pub(crate) fn get(&self, key: u64) -> Option<&V> {
        self.values.get(&key)
    }

    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        self.values.get_mut(&key)
    }
}

/// Whose allowance was taken from: a key of its own, or `None` for that which newcomers share.
pub(crate) type Owner = Option<u64>;

/// One limit at work, whatever its kind.
pub(crate) trait Limiter: Debug + Send {
    fn room(&mut self, key: u64, now: u64, amount: u64) -> Room;
    fn take(&mut self, key: u64, now: u64, amount: u64) -> Owner;
    fn give_back(&mut self, owner: Owner);
}

/// A kind of limit with the state of each caller.
#[derive(Debug)]
pub(crate) struct Keyed<M: Meter> {
    meter: M,
    states: Bounded<M::State>,
    shared: M::State,
}

impl<M: Meter> Keyed<M> {
    pub(crate) fn new(meter: M) -> Self {
        Self { states: Bounded::default(), shared: meter.fresh(), meter }
    }

    fn state(&mut self, key: u64, now: u64) -> (&M, &mut M::State, Owner) {
        let Self { meter, states, shared } = self;
        match states.get_or(key, || meter.fresh(), |state| meter.is_fresh(state, now)) {
            Some(state) => (meter, state, Some(key)),
            None => (meter, shared, None),
        }
    }
}

impl<M: Meter> Limiter for Keyed<M> {
    fn room(&mut self, key: u64, now: u64, amount: u64) -> Room {
        let (meter, state, _) = self.state(key, now);
        meter.room(state, now, amount)
    }

    fn take(&mut self, key: u64, now: u64, amount: u64) -> Owner {
        let (meter, state, owner) = self.state(key, now);
        meter.take(state, now, amount);
        owner
    }

    fn give_back(&mut self, owner: Owner) {
        let Self { meter, states, shared } = self;
        match owner {
            None => meter.give_back(shared),
            Some(key) => states.get_mut(key).into_iter().for_each(|state| meter.give_back(state)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounded, LIMIT_KEYS_MAX};

    #[test]
    fn what_is_over_makes_room_and_nothing_else_does() {
        let mut bounded = Bounded::default();
        let keys = LIMIT_KEYS_MAX as u64;
        for key in 0..keys {
            assert!(bounded.get_or(key, || key, |_| false).is_some());
        }
        assert!(bounded.get_or(keys, || keys, |_| false).is_none());
        assert!(bounded.get_or(7, || 0, |_| false).is_some_and(|value| *value == 7));
        // It is not looked again at once, but in the end it is.
        let turned_away = (0..keys).position(|more| bounded.get_or(keys + more, || 0, |key| *key < 100).is_some());
        assert_eq!(turned_away, Some(LIMIT_KEYS_MAX / 16));
        assert!(bounded.get(99).is_none() && bounded.get(100).is_some());
    }

    #[test]
    fn who_comes_once_is_not_kept_for_ever() {
        let mut bounded = Bounded::default();
        for now in 0..1_000_000_u64 {
            bounded.get_or(now, || now, |came| came + 10 < now);
        }
        assert!(bounded.values.len() <= super::SWEEP_MIN);
    }
}
