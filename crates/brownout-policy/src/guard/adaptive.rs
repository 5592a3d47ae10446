//! The adaptive retry mode of the AWS SDKs: a client that limits its own rate.

use std::time::Duration;

/// A token bucket whose rate falls when the service throttles and grows back along a cubic curve.
///
/// It does nothing until the first response that throttles. That one, and every later one, sets the rate to 0.7 of what was
/// being sent; each other response sets it to `0.4 · (t - K)³ + W`, t seconds after the last throttling, where W is the
/// rate before the cut and `K = ∛(W · 0.3 / 0.4)` the time to reach it again. Never above twice the rate measured, nor below
/// one attempt in two seconds.
///
/// No settings: the SDKs have none. A rule all the same, so that it is used like its siblings. Source: botocore,
/// `retries/adaptive.py`, `retries/throttling.py`, `retries/bucket.py`; the curve is that of RFC 9438 (CUBIC).
///
/// ```
/// use std::time::Duration;
/// use brownout_policy::Adaptive;
///
/// let mut state = Adaptive.state();
/// for tenth in 1..=10 {
///     assert_eq!(Adaptive.acquire(&mut state, Duration::from_millis(tenth * 100)), Duration::ZERO);
///     Adaptive.update(&mut state, Duration::from_millis(tenth * 100), tenth == 10);
/// }
/// // Measured 9.6 a second, cut to 0.7 of that.
/// assert!((state.rate().unwrap() - 6.72).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adaptive;

/// What the limiter remembers: 88 bytes. Times are seconds since the run began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptiveState {
    enabled: bool,
    cubic: Cubic,
    measured: Measured,
    bucket: Bucket,
}

impl Adaptive {
    /// A limiter that has seen nothing and limits nothing, made when the run begins.
    #[must_use]
    pub const fn state(&self) -> AdaptiveState {
        AdaptiveState { enabled: false, cubic: Cubic::NEW, measured: Measured::NEW, bucket: Bucket::NEW }
    }

    /// Takes a token for one attempt, and tells how long it must wait for it before it may be sent.
    ///
    /// Tokens are taken even where there are none, so that attempts that wait stand in a row. The SDKs look again when the
    /// rate changes in the meantime; here the wait told is kept, and the change is felt by the next attempt.
    #[must_use]
    pub fn acquire(&self, state: &mut AdaptiveState, now: Duration) -> Duration {
        if state.enabled { state.bucket.acquire(now.as_secs_f64()) } else { Duration::ZERO }
    }

    /// A response, or the failure to get one, has arrived. `throttled`: the service said that there were too many.
    pub fn update(&self, state: &mut AdaptiveState, now: Duration, throttled: bool) {
        let now = now.as_secs_f64();
        let measured = state.measured.record(now);
        let rate = if throttled {
            let rate = if state.enabled { measured.min(state.bucket.rate) } else { measured };
            state.enabled = true;
            state.cubic.throttled(rate, now)
        } else {
            state.cubic.succeeded(now)
        };
        state.bucket.set_rate(rate.min(MEASURED_FACTOR_MAX * measured), now);
    }
}

impl AdaptiveState {
    /// Attempts a second that the bucket fills with, and whether anything is held back at all.
    #[must_use]
    pub const fn rate(&self) -> Option<f64> {
        if self.enabled { Some(self.bucket.rate) } else { None }
    }
}

/// The rate is at most this many times the one measured.
const MEASURED_FACTOR_MAX: f64 = 2.0;

/// The curve.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cubic {
    /// W: the rate before the last cut, a second.
    rate_max: f64,
    /// K: seconds from the cut until that rate is reached again.
    recovery: f64,
    /// When the last cut was.
    cut_at: f64,
}

impl Cubic {
    /// How steep the curve is: CUBIC's C.
    const SCALE: f64 = 0.4;
    /// What is left of the rate: CUBIC's β.
    const BETA: f64 = 0.7;
    const NEW: Self = Self { rate_max: 0.0, recovery: 0.0, cut_at: 0.0 };

    fn from_cut(rate_max: f64, cut_at: f64) -> Self {
        let recovery = libm::cbrt(rate_max * (1.0 - Self::BETA) / Self::SCALE);
        Self { rate_max, recovery, cut_at }
    }

    fn succeeded(&self, now: f64) -> f64 {
        let t = now - self.cut_at - self.recovery;
        Self::SCALE * t * t * t + self.rate_max
    }

    /// The rate after a cut from `rate`. W is the rate *before* the cut: with the one after it, the curve would come back
    /// to less each time.
    fn throttled(&mut self, rate: f64, now: f64) -> f64 {
        *self = Self::from_cut(rate, now);
        rate * Self::BETA
    }
}

/// How many responses arrive in a second, smoothed.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Measured {
    rate: f64,
    /// When the half second began up to which responses are in `rate`.
    since: f64,
    /// Responses that are not.
    count: f64,
}

impl Measured {
    /// How often the rate is brought up to date.
    const STEP: f64 = 0.5;
    /// The weight of the newest rate.
    const SMOOTHING: f64 = 0.8;
    const NEW: Self = Self { rate: 0.0, since: 0.0, count: 0.0 };

    /// Counts one response; the rate.
    fn record(&mut self, now: f64) -> f64 {
        let step = libm::floor(now / Self::STEP) * Self::STEP;
        self.count += 1.0;
        if step > self.since {
            let newest = self.count / (step - self.since);
            self.rate = newest * Self::SMOOTHING + self.rate * (1.0 - Self::SMOOTHING);
            self.count = 0.0;
            self.since = step;
        }
        self.rate
    }
}

/// Tokens that one attempt each is sent for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bucket {
    /// Tokens a second.
    rate: f64,
    capacity: f64,
    /// Below zero, as many attempts are waiting.
    tokens: f64,
    filled_at: f64,
}

impl Bucket {
    const RATE_MIN: f64 = 0.5;
    const CAPACITY_MIN: f64 = 1.0;
    const NEW: Self = Self { rate: 1.0, capacity: Self::CAPACITY_MIN, tokens: 0.0, filled_at: 0.0 };

    fn acquire(&mut self, now: f64) -> Duration {
        self.fill(now);
        self.tokens -= 1.0;
        if self.tokens >= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(-self.tokens / self.rate).unwrap_or(Duration::MAX)
    }

    /// What has passed is filled at the rate that held.
    fn set_rate(&mut self, rate: f64, now: f64) {
        self.fill(now);
        self.rate = rate.max(Self::RATE_MIN);
        self.capacity = rate.max(Self::CAPACITY_MIN);
        self.tokens = self.tokens.min(self.capacity);
    }

    fn fill(&mut self, now: f64) {
        let passed = (now - self.filled_at).max(0.0);
        self.tokens = (self.tokens + passed * self.rate).min(self.capacity);
        self.filled_at = self.filled_at.max(now);
    }
}

#[cfg(test)]
mod tests;
