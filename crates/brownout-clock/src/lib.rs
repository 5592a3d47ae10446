//! Real time for what runs on sockets, as fast as asked.
//!
//! A scenario speaks of its own time. The drivers ask a [`Clock`] what time that is and let it do their waiting, so that
//! a day passes in minutes where its [`Scale`] says so, with every latency, window, timeout and delay in proportion.

#[cfg(target_os = "linux")]
mod fine;
mod scale;

pub use scale::{Scale, ScaleError};

use std::time::Duration;

use tokio::time::Instant;
use tokio::time::error::Elapsed;

/// The time of a run: how long ago, in the scenario's time, it began.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
    scale: Scale,
    #[cfg(target_os = "linux")]
    fine: Option<&'static fine::Fine>,
}

impl Clock {
    /// A clock that begins now.
    #[must_use]
    pub fn start(scale: Scale) -> Self {
        Self {
            began: Instant::now(),
            scale,
            #[cfg(target_os = "linux")]
            fine: None,
        }
    }

    /// The same, whose waits end within a fraction of a millisecond of their moment where the system has such timers, and so tokio's
    /// clock can not be paused. For the one runtime that a program has, and made in it.
    #[must_use]
    pub fn start_fine(scale: Scale) -> Self {
        let clock = Self::start(scale);
        #[cfg(target_os = "linux")]
        let clock = Self { fine: fine::Fine::start().ok(), ..clock };
        clock
    }

    /// A clock as fine as this one, that begins now.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { began: Instant::now(), ..*self }
    }

    /// How fast it goes.
    #[must_use]
    pub const fn scale(&self) -> Scale {
        self.scale
    }

    /// The scenario's time since it began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.scale.scenario(self.began.elapsed())
    }

    /// Waits until `now` says `moment`. One that is past is no trip through the timer, which would round it up to a
    /// millisecond.
    pub async fn sleep_until(&self, moment: Duration) {
        let moment = self.instant(moment);
        if Instant::now() < moment {
            self.wait_until(moment).await;
        }
    }

    /// Waits for some of the scenario's time. None at all is no trip through the timer.
    pub async fn sleep(&self, time: Duration) {
        if !time.is_zero() {
            self.wait_until(later(Instant::now(), self.scale.real(time))).await;
        }
    }

    /// What `work` comes to within `limit` of the scenario's time.
    ///
    /// # Errors
    /// When it takes longer; it is dropped then.
    pub async fn timeout<F: Future>(&self, limit: Duration, work: F) -> Result<F::Output, Elapsed> {
        tokio::time::timeout(self.scale.real(limit), work).await
    }

    async fn wait_until(&self, moment: Instant) {
        #[cfg(target_os = "linux")]
        if let Some(fine) = self.fine {
            return fine.sleep_until(moment).await;
        }
        tokio::time::sleep_until(moment).await;
    }

    fn instant(&self, moment: Duration) -> Instant {
        later(self.began, self.scale.real(moment))
    }
}

/// A moment, or one 30 years off where the clock of the system does not reach that far.
fn later(moment: Instant, after: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    moment.checked_add(after).unwrap_or_else(|| moment + FAR)
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use std::time::Duration;
    use tokio::time::Instant;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    /// Waits as `wait` does on a clock of `scale`, and tells how long that took on it, and really.
    async fn waited<F: Future>(scale: &str, wait: impl FnOnce(Clock) -> F) -> (Duration, Duration) {
        let (clock, began) = (Clock::start(scale.parse().unwrap()), Instant::now());
        wait(clock).await;
        (clock.now(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn all_waiting_is_in_proportion() {
        assert_eq!(waited("1", |clock| async move { clock.sleep(SECS(60)).await }).await, (SECS(60), SECS(60)));
        assert_eq!(waited("60", |clock| async move { clock.sleep(SECS(60)).await }).await, (SECS(60), SECS(1)));
        assert_eq!(
            waited("720", |clock| async move { clock.sleep_until(SECS(7200)).await }).await,
            (SECS(7200), SECS(10))
        );
        let slow = |clock: Clock| async move {
            assert!(clock.timeout(SECS(1), std::future::pending::<()>()).await.is_err());
        };
        assert_eq!(waited("0.5", slow).await, (SECS(1), SECS(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_past_or_never_comes() {
        assert_eq!(waited("1", |clock| async move { clock.sleep_until(Duration::ZERO).await }).await.0, Duration::ZERO);
        assert_eq!(waited("1", |clock| async move { clock.sleep(Duration::ZERO).await }).await.0, Duration::ZERO);
        let far = |clock: Clock| async move {
            let never = tokio::time::timeout(SECS(9), clock.sleep_until(Duration::MAX)).await;
            assert!(never.is_err());
        };
        assert_eq!(waited("1", far).await.1, SECS(9));
    }
}
