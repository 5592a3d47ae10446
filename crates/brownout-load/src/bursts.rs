//! Calls that come together.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::nanos;
use thiserror::Error;

use crate::Rate;

/// So many calls at once, again and again; the first of them at the beginning of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bursts {
    calls: NonZeroU32,
    every_ns: u64,
    spread_ns: u64,
}

/// Why there are no such bursts. Each message names the rule, the value found and the way out.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum BurstsError {
    /// More calls than a load may have.
    #[error("bursts of {calls} calls every {every:?} come to more than {max} a second; make them smaller or rarer", max = Rate::MAX)]
    Many {
        /// Of a burst.
        calls: u32,
        /// Between two bursts.
        every: Duration,
    },
    /// Bursts that run into each other.
    #[error("a burst spread over {spread:?} is not over when the next comes after {every:?}; spread it less")]
    Overlap {
        /// Of a burst.
        spread: Duration,
        /// Between two bursts.
        every: Duration,
    },
}

impl Bursts {
    /// `calls` at a time, from the start of one burst to that of the next `every`, and each evenly over `spread`.
    ///
    /// # Errors
    /// When that is more than the highest [`Rate`], or a burst is not over when the next begins.
    pub fn new(calls: NonZeroU32, every: Duration, spread: Duration) -> Result<Self, BurstsError> {
        if spread > every {
            return Err(BurstsError::Overlap { spread, every });
        }
        if f64::from(calls.get()) > Rate::MAX * every.as_secs_f64() {
            return Err(BurstsError::Many { calls: calls.get(), every });
        }
        Ok(Self { calls, every_ns: nanos(every), spread_ns: nanos(spread) })
    }

    /// How many calls a burst has.
    #[must_use]
    pub const fn calls(&self) -> NonZeroU32 {
        self.calls
    }

    /// From the start of one burst to that of the next.
    #[must_use]
    pub const fn every(&self) -> Duration {
        Duration::from_nanos(self.every_ns)
    }

    /// Over how long a burst is spread.
    #[must_use]
    pub const fn spread(&self) -> Duration {
        Duration::from_nanos(self.spread_ns)
    }

    /// Calls a second in the long run; `None` where that is less than a rate can be.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        Rate::per_second(f64::from(self.calls.get()) / self.every().as_secs_f64())
    }

    /// When call number `nth` comes, from 0.
    pub(crate) fn at_ns(&self, nth: u64) -> u64 {
        let calls = u64::from(self.calls.get());
        let (burst, place) = (nth / calls, u128::from(nth % calls));
        let within = place * u128::from(self.spread_ns) / u128::from(calls);
        u64::try_from(u128::from(burst) * u128::from(self.every_ns) + within).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::Bursts;
    use std::time::Duration;

    fn bursts(calls: u32, every: u64, spread: u64) -> Result<Bursts, String> {
        let (every, spread) = (Duration::from_millis(every), Duration::from_millis(spread));
        Bursts::new(calls.try_into().unwrap(), every, spread).map_err(|error| error.to_string())
    }

    #[test]
    fn calls_come_together_or_evenly_over_a_while() {
        let moments =
            |spread| (0..7).map(|nth| bursts(3, 1000, spread).unwrap().at_ns(nth) / 1_000_000).collect::<Vec<_>>();
        assert_eq!(moments(0), [0, 0, 0, 1000, 1000, 1000, 2000]);
        assert_eq!(moments(300), [0, 100, 200, 1000, 1100, 1200, 2000]);
        assert_eq!(bursts(3, 1000, 0).unwrap().at_ns(u64::MAX), u64::MAX);
        assert_eq!(bursts(3, 6000, 0).unwrap().rate().unwrap().get().to_string(), "0.5");
    }

    #[test]
    fn bursts_that_never_end_are_refused() {
        assert!(bursts(1, 10, 11).unwrap_err().contains("11ms is not over when the next comes after 10ms"));
        assert!(bursts(1, 0, 0).unwrap_err().contains("bursts of 1 calls every 0ns"));
        assert!(bursts(10_001, 1, 0).is_err() && bursts(10_000, 1, 1).is_ok());
    }
}
