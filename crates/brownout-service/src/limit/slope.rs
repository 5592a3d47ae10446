//! `slope`: no faster growth than this.

use std::num::NonZeroU64;

use super::meter::{Meter, Room};

/// In each window at most so many times what was let in in the one before, and `min` in any case: a limit on how fast traffic
/// grows rather than on how much there is. Windows follow each other from the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slope {
    /// Times what was let in before, in thousandths.
    pub factor: NonZeroU64,
    /// How long a window lasts, in nanoseconds.
    pub window_ns: NonZeroU64,
    /// What is let in in any case, in thousandths.
    pub min: NonZeroU64,
}

/// What was taken in a window, and in the one before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Growth {
    window: u64,
    taken: u64,
    before: u64,
}

impl Slope {
    fn at(&self, state: &Growth, now: u64) -> Growth {
        let window = state.window.max(now / self.window_ns);
        match window - state.window {
            0 => *state,
            1 => Growth { window, taken: 0, before: state.taken },
            _ => Growth { window, taken: 0, before: 0 },
        }
    }

    fn allowed(&self, before: u64) -> u64 {
        let grown = u128::from(before) * u128::from(self.factor.get()) / 1000;
        u64::try_from(grown).unwrap_or(u64::MAX).max(self.min.get())
    }
}

impl Meter for Slope {
    type State = Growth;

    fn fresh(&self) -> Growth {
        Growth::default()
    }

    fn room(&self, state: &mut Growth, now: u64, amount: u64) -> Room {
        let Growth { taken, before, .. } = self.at(state, now);
        let left = self.allowed(before).saturating_sub(taken);
        let over_in = self.window_ns.get() - now % self.window_ns;
        Room::of(left, amount, || over_in, over_in)
    }

    fn take(&self, state: &mut Growth, now: u64, amount: u64) {
        *state = self.at(state, now);
        state.taken = state.taken.saturating_add(amount);
    }

    fn is_fresh(&self, state: &Growth, now: u64) -> bool {
        let Growth { taken, before, .. } = self.at(state, now);
        taken == 0 && before == 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::meter::{Meter, Wait};
    use super::Slope;

    /// A crowd that is always there is let in at a rate that triples, and has to begin anew after a pause.
    #[test]
    fn each_window_lets_in_three_times_the_one_before() {
        let number = |number: u64| number.try_into().unwrap();
        let slope = Slope { factor: number(3_000), window_ns: number(1_000), min: number(2_000) };
        let mut state = slope.fresh();
        let mut let_in = |window: u64| {
            let times = (0..1_000).map(|at| window * 1_000 + at);
            times.fold(0, |count, now| match slope.room(&mut state, now, 1_000).wait {
                Wait::Not => {
                    slope.take(&mut state, now, 1_000);
                    count + 1
                }
                wait => {
                    assert_eq!(wait, Wait::For(1_000 - now % 1_000));
                    count
                }
            })
        };
        assert_eq!([0, 1, 2, 3, 5, 6].map(&mut let_in), [2, 6, 18, 54, 2, 6]);
    }
}
