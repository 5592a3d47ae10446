//! Calls at moments that are given one by one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use brownout_draw::fingerprint;
use thiserror::Error;

use crate::Rate;

/// The moments of calls, the first of them at the beginning of the run.
#[derive(Clone, PartialEq, Eq)]
pub struct Replay {
    /// In nanoseconds, in order, at least one.
    moments: Arc<[u64]>,
}

/// Why moments cannot be replayed. Each message names the rule, the value found and the way out.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ReplayError {
    /// None.
    #[error("there is no moment to replay; give one at least")]
    Empty,
    /// A speed that is none.
    #[error("a speed is a number from 0.001 to 1000, found {0}")]
    Speed(f64),
    /// More than a year.
    #[error("moments lie within a year, found {0:?} from the first to the last; drop some, or raise `speed`")]
    Long(Duration),
}

/// The longest replay.
const LENGTH_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

impl Replay {
    /// The slowest and the fastest that moments are replayed.
    pub const SPEEDS: (f64, f64) = (1e-3, 1e3);

    /// These `moments`, in nanoseconds since any other and in any order, passing `speed` times as fast.
    ///
    /// # Errors
    /// When there is none, the speed is out of bounds, or it would take more than a year.
    ///
    /// ```
    /// use brownout_load::Replay;
    ///
    /// assert_eq!(Replay::new(vec![3_000, 1_000, 1_500], 2.0)?.moments(), [0, 250, 1_000]);
    /// # Ok::<(), brownout_load::ReplayError>(())
    /// ```
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "nanoseconds"
    )]
    pub fn new(mut moments: Vec<u64>, speed: f64) -> Result<Self, ReplayError> {
        if !(Self::SPEEDS.0..=Self::SPEEDS.1).contains(&speed) {
            return Err(ReplayError::Speed(speed));
        }
        moments.sort_unstable();
        let first = *moments.first().ok_or(ReplayError::Empty)?;
        for moment in &mut moments {
            *moment -= first;
            // As it was given, to the nanosecond, unless a speed is asked for.
            if speed.total_cmp(&1.0).is_ne() {
                *moment = (*moment as f64 / speed + 0.5) as u64;
            }
        }
        let replay = Self { moments: moments.into() };
        let length = Duration::from_nanos(replay.last());
        if length > LENGTH_MAX { Err(ReplayError::Long(length)) } else { Ok(replay) }
    }

    /// In nanoseconds since the first, in order.
    #[must_use]
    pub fn moments(&self) -> &[u64] {
        &self.moments
    }

    /// Just after the last.
    #[must_use]
    pub fn ends(&self) -> Duration {
        Duration::from_nanos(self.last() + 1)
    }

    /// Calls a second on the mean; `None` where all come at once, or that is no rate.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a count of calls for a ratio")]
    pub fn rate(&self) -> Option<Rate> {
        Rate::per_second(self.moments.len() as f64 / Duration::from_nanos(self.last()).as_secs_f64())
    }

    fn last(&self) -> u64 {
        *self.moments.last().expect("at least one moment")
    }
}

/// What tells it from others, in a few words however many moments there are.
impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Folded one by one: all of them as one text would be large.
        let print = self
            .moments
            .iter()
            .fold(0_u64, |print, moment| fingerprint(&[print.to_le_bytes(), moment.to_le_bytes()].concat()));
        write!(f, "Replay({} moments, {print:016x})", self.moments.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{Replay, ReplayError};

    const YEAR_NS: u64 = 365 * 24 * 3600 * 1_000_000_000;

    #[test]
    fn moments_are_sorted_and_counted_from_the_first() {
        let epoch = 1_700_000_000_000_000_001;
        let replay = Replay::new(vec![epoch + 5, epoch, epoch + 5, epoch + 7], 1.0).unwrap();
        assert_eq!(replay.moments(), [0, 5, 5, 7]);
        assert_eq!(replay.ends().as_nanos(), 8);
        assert_eq!(Replay::new(vec![0, 10], 0.5).unwrap().moments(), [0, 20]);
    }

    #[test]
    fn what_cannot_be_replayed_is_refused() {
        assert_eq!(Replay::new(vec![], 1.0), Err(ReplayError::Empty));
        assert_eq!(Replay::new(vec![1], 0.0), Err(ReplayError::Speed(0.0)));
        assert!(Replay::new(vec![1], f64::NAN).is_err());
        assert!(Replay::new(vec![0, YEAR_NS], 1.0).is_ok());
        assert!(matches!(Replay::new(vec![0, YEAR_NS], 0.9), Err(ReplayError::Long(_))));
    }

    #[test]
    fn different_moments_look_different() {
        let text = |moments: &[u64]| format!("{:?}", Replay::new(moments.to_vec(), 1.0).unwrap());
        assert_eq!(text(&[0, 1, 2]), text(&[5, 6, 7]));
        assert_ne!(text(&[0, 1, 3]), text(&[0, 1, 2]));
    }
}
