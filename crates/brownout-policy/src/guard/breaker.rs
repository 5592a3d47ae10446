//! A circuit breaker.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::Probability;

use self::results::Results;
use super::window::{SlotLength, WINDOW_MIN};
use crate::GuardError;

mod results;

/// Refuses every attempt for a while once too many have failed, then lets a few through to see.
///
/// Closed, it judges after every result, a success included. Open, it refuses until `open_for` has passed. Half-open, it
/// admits `half_open_calls` attempts and decides when as many results are in: by the ratio where it trips on a ratio, at
/// the first failure where it trips on a run of failures. It then closes with an empty memory, or opens once more.
///
/// Results tell nothing of the attempt they belong to. One that arrives while the breaker is open is ignored; one that was
/// admitted before and arrives half-open counts like any other, as it does in resilience4j: it too says how the service
/// fares now.
///
/// Defaults of the sources: resilience4j 50 % of the last 100 calls, at least 100, open 60 s, 10 half-open; Polly 10 % of
/// at least 100 calls in 30 s, open 5 s, 1 half-open. Source: resilience4j, "CircuitBreaker"; Polly v8, "Circuit breaker
/// resilience strategy".
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use brownout_policy::{Breaker, Trip};
///
/// let two_in_a_row = Trip::Consecutive(NonZeroU32::new(2).unwrap());
/// let breaker = Breaker::new(two_in_a_row, Duration::from_secs(5), NonZeroU32::MIN)?;
/// let mut state = breaker.state();
/// for second in 1..=2 {
///     assert!(breaker.admit(&mut state, Duration::from_secs(second)));
///     breaker.record(&mut state, Duration::from_secs(second), false);
/// }
/// assert!(!breaker.admit(&mut state, Duration::from_secs(6)));
/// assert!(breaker.admit(&mut state, Duration::from_secs(7)));
/// # Ok::<(), brownout_policy::GuardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    trip: Trip,
    open_for: Duration,
    half_open_calls: NonZeroU32,
}

/// What opens a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trip {
    /// So many failures with no success between them.
    Consecutive(NonZeroU32),
    /// A share of recent results.
    Ratio {
        /// Failures as a share of the results in the window, at which or above which it opens; above 0.
        ratio: Probability,
        /// Which results are recent.
        window: TripWindow,
        /// With fewer results in the window nothing is judged: without such a minimum, the first failure of a young
        /// client would open its breaker.
        min_calls: NonZeroU32,
    },
}

/// Which results are recent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TripWindow {
    /// The last so many, at most [`TripWindow::CALLS_MAX`].
    Count(NonZeroU32),
    /// Those of the last stretch of time, at least 1 ms; it goes by in ten steps.
    Time(Duration),
}

impl TripWindow {
    /// The most results a window of results holds; each is one bit of every client.
    pub const CALLS_MAX: u32 = 10_000;
}

/// What a breaker remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerState {
    phase: Phase,
    /// Of the closed breaker; empty in the other phases.
    results: Results,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Duration },
    HalfOpen { permits: u32, succeeded: u32, failed: u32 },
}

impl Breaker {
    /// - `open_for`: how long it refuses everything, above zero.
    /// - `half_open_calls`: how many attempts then decide, at least 1.
    ///
    /// # Errors
    /// When the ratio or `open_for` is zero, the window too short or too long, or `min_calls` more than it holds.
    pub fn new(trip: Trip, open_for: Duration, half_open_calls: NonZeroU32) -> Result<Self, GuardError> {
        if let Trip::Ratio { ratio, window, min_calls } = trip {
            if ratio == Probability::ZERO {
                return Err(GuardError::BreakerRatio(ratio));
            }
            window.check(min_calls)?;
        }
        if open_for.is_zero() {
            return Err(GuardError::BreakerOpenFor);
        }
        Ok(Self { trip, open_for, half_open_calls })
    }

    /// A closed breaker that has seen nothing.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        BreakerState { phase: Phase::Closed, results: Results::new(self.trip) }
    }

    /// Whether an attempt may be sent now. One that is admitted is either [`record`](Self::record)ed or
    /// [`release`](Self::release)d.
    #[must_use]
    pub fn admit(&self, state: &mut BreakerState, now: Duration) -> bool {
        if let Phase::Open { until } = state.phase {
            if now < until {
                return false;
            }
            state.phase = Phase::HalfOpen { permits: self.half_open_calls.get(), succeeded: 0, failed: 0 };
        }
        let Phase::HalfOpen { permits, .. } = &mut state.phase else { return true };
        let admitted = *permits > 0;
        *permits = permits.saturating_sub(1);
        admitted
    }

    /// An attempt that was admitted has no result: it was never sent, or given up because another copy won.
    ///
    /// Half-open, its place goes to the next attempt. Without this the breaker would wait for it for ever.
    pub fn release(&self, state: &mut BreakerState) {
        if let Phase::HalfOpen { permits, succeeded, failed } = &mut state.phase {
            let left = self.half_open_calls.get() - (*succeeded + *failed);
            *permits = permits.saturating_add(1).min(left);
        }
    }

    /// The result of an attempt. `ok`: the service answered as it should.
    pub fn record(&self, state: &mut BreakerState, now: Duration, ok: bool) {
        match &mut state.phase {
            Phase::Open { .. } => {}
            Phase::Closed => {
                if state.results.record(self.trip, now, ok) {
                    self.open(state, now);
                }
            }
            Phase::HalfOpen { succeeded, failed, .. } => {
                *succeeded += u32::from(ok);
                *failed += u32::from(!ok);
                let (succeeded, failed) = (*succeeded, *failed);
                self.judge(state, now, succeeded, failed);
            }
        }
    }

    /// Whether every attempt is refused now.
    #[must_use]
    pub fn is_open(&self, state: &BreakerState, now: Duration) -> bool {
        matches!(state.phase, Phase::Open { until } if now < until)
    }

    /// What the results of a half-open breaker lead to.
    fn judge(&self, state: &mut BreakerState, now: Duration, succeeded: u32, failed: u32) {
        let complete = succeeded + failed >= self.half_open_calls.get();
        let opens = match self.trip {
            Trip::Consecutive(_) => failed > 0,
            Trip::Ratio { ratio, .. } => complete && reaches(ratio, failed.into(), (succeeded + failed).into()),
        };
        if opens {
            self.open(state, now);
        } else if complete {
            *state = self.state();
        }
    }

    fn open(&self, state: &mut BreakerState, now: Duration) {
        let until = now.saturating_add(self.open_for);
        *state = BreakerState { phase: Phase::Open { until }, ..self.state() };
    }
}

impl TripWindow {
    fn check(self, min_calls: NonZeroU32) -> Result<(), GuardError> {
        match self {
            Self::Count(found) if found.get() > Self::CALLS_MAX => {
                Err(GuardError::BreakerWindow { found, max: Self::CALLS_MAX })
            }
            Self::Count(window) if window < min_calls => Err(GuardError::BreakerMinCalls { min_calls, window }),
            Self::Time(found) if found < WINDOW_MIN => {
                Err(GuardError::WindowShort { what: "window of a breaker", found })
            }
            _ => Ok(()),
        }
    }
}

/// Whether `failed` of `total` are at least `ratio` of them, in whole numbers.
fn reaches(ratio: Probability, failed: u64, total: u64) -> bool {
    u128::from(failed) * u128::from(Probability::PARTS) >= u128::from(total) * u128::from(ratio.parts())
}

#[cfg(test)]
mod tests;
