//! The last stretch of time, kept in slots.

use std::num::NonZeroU64;
use std::time::Duration;

use brownout_draw::nanos;

/// `N` counters that together cover a stretch of time ending now.
///
/// The slot of this moment is still filling and the oldest goes out whole, so that what was counted is remembered for
/// between `(N-1)/N` of the stretch and all of it. A quiet stretch costs nothing: slots are emptied when next looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window<T, const N: usize> {
    slots: [T; N],
    /// The number of the slot that is filling, from the beginning of the run.
    newest: u64,
}

/// How long one slot lasts: what a rule keeps so that a million windows need not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotLength(NonZeroU64);

/// Shorter windows are no use to anyone, and keep no whole slots.
pub(crate) const WINDOW_MIN: Duration = Duration::from_millis(1);

impl SlotLength {
    /// Of a window of length `whole` in `N` slots; rounded down to the nanosecond, and never zero.
    pub(crate) fn of<const N: usize>(whole: Duration) -> Self {
        let nanos = nanos(whole) / (N as u64).max(1);
        Self(NonZeroU64::new(nanos).unwrap_or(NonZeroU64::MIN))
    }

    /// The window of `N` slots, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "a window of over 104 days may lose nanoseconds")]
    pub(crate) fn window_secs<const N: usize>(self) -> f64 {
        self.0.get() as f64 * N as f64 / 1e9
    }

    fn number(self, now: Duration) -> u64 {
        nanos(now) / self.0
    }
}

impl<T: Copy + Default, const N: usize> Default for Window<T, N> {
    fn default() -> Self {
        Self { slots: [T::default(); N], newest: 0 }
    }
}

impl<T: Copy + Default, const N: usize> Window<T, N> {
    /// The slot of this moment, to count in.
    pub(crate) fn current(&mut self, length: SlotLength, now: Duration) -> &mut T {
        self.advance(length, now);
        let index = Self::index(self.newest);
        &mut self.slots[index]
    }

    /// What is still remembered, in no particular order.
    pub(crate) fn live(&mut self, length: SlotLength, now: Duration) -> &[T; N] {
        self.advance(length, now);
        &self.slots
    }

    /// As numbers: the slot that is filling, then what `write` makes of each slot.
    pub(crate) fn numbers(&self, write: impl Fn(&T, &mut Vec<i64>)) -> Vec<i64> {
        let mut numbers = vec![i64::try_from(self.newest).unwrap_or(i64::MAX)];
        self.slots.iter().for_each(|slot| write(slot, &mut numbers));
        numbers
    }

    /// From the front of such numbers, each slot by `read`; `None` where they are none.
    pub(crate) fn from_numbers<I: Iterator<Item = i64>>(
        numbers: &mut I,
        mut read: impl FnMut(&mut I) -> Option<T>,
    ) -> Option<Self> {
        let newest = u64::try_from(numbers.next()?).ok()?;
        let mut slots = [T::default(); N];
        for slot in &mut slots {
            *slot = read(numbers)?;
        }
        Some(Self { slots, newest })
    }

    /// Empties the slots that `now` has left behind. Time that runs backwards counts as standing still.
    fn advance(&mut self, length: SlotLength, now: Duration) {
        let number = length.number(now);
        let passed = number.saturating_sub(self.newest);
        if passed >= N as u64 {
            self.slots = [T::default(); N];
        } else {
            for skipped in 1..=passed {
                self.slots[Self::index(self.newest + skipped)] = T::default();
            }
        }
        self.newest = self.newest.max(number);
    }

    #[expect(clippy::cast_possible_truncation, reason = "below N")]
    fn index(number: u64) -> usize {
        (number % N as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::{SlotLength, Window};
    use proptest::prelude::*;
    use std::time::Duration;

    const TEN_SECONDS: Duration = Duration::from_secs(10);

    fn sum(window: &mut Window<u32, 10>, now: Duration) -> u32 {
        window.live(SlotLength::of::<10>(TEN_SECONDS), now).iter().sum()
    }

    /// Counted at `at_ms`, is it remembered at `now_ms`?
    #[track_caller]
    fn check(at_ms: u64, now_ms: u64, remembered: bool) {
        let mut window = Window::<u32, 10>::default();
        *window.current(SlotLength::of::<10>(TEN_SECONDS), Duration::from_millis(at_ms)) += 1;
        assert_eq!(sum(&mut window, Duration::from_millis(now_ms)), u32::from(remembered), "{at_ms} {now_ms}");
    }

    #[test]
    fn a_slot_goes_out_when_the_tenth_after_it_begins() {
        check(0, 0, true);
        check(0, 9_999, true);
        check(0, 10_000, false);
        check(999, 9_999, true);
        check(999, 10_000, false);
        check(1_000, 10_999, true);
        check(1_000, 11_000, false);
        check(123_456, 132_999, true);
        check(123_456, 1_000_000, false);
    }

    #[test]
    fn time_that_runs_backwards_forgets_nothing() {
        check(5_000, 0, true);
    }

    proptest! {
        #[test]
        fn no_moment_panics_and_a_window_later_all_is_forgotten(
            length in any::<u64>(), moments in prop::collection::vec(any::<u64>(), 1..20),
        ) {
            let whole = Duration::from_nanos(length);
            let slot = SlotLength::of::<10>(whole);
            let mut window = Window::<u32, 10>::default();
            for nanos in &moments {
                *window.current(slot, Duration::from_nanos(*nanos)) += 1;
            }
            let last = moments.iter().copied().max().unwrap_or_default();
            let later = Duration::from_nanos(last).saturating_add(whole.max(Duration::from_nanos(10)));
            if later.as_nanos() <= u128::from(u64::MAX) {
                prop_assert_eq!(window.live(slot, later).iter().sum::<u32>(), 0);
            }
        }

        #[test]
        fn within_nine_tenths_nothing_is_forgotten(at in 0_u64..1 << 40, after in 0_u64..=9_000_000_000) {
            let slot = SlotLength::of::<10>(TEN_SECONDS);
            let mut window = Window::<u32, 10>::default();
            *window.current(slot, Duration::from_nanos(at)) += 1;
            prop_assert_eq!(sum(&mut window, Duration::from_nanos(at + after)), 1);
        }
    }
}
