//! How a call goes of which every attempt fails: what can be told of a policy before anything is run.

use std::time::Duration;

use super::Policy;
use crate::backoff::Backoff;
use crate::jitter::{Delay, Jitter};
use crate::{Adaptive, Breaker, Budget, Call, Concurrency, Failure, Guarded, Hedge, Pushback, StopReason, Throttle};

/// Which waits a call draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Luck {
    /// The shortest that its jitter allows.
    Shortest,
    /// As long as they are on the mean; of a capped decorrelated wait, whose mean has no closed form, a bound from above.
    Mean,
    /// The longest.
    Longest,
}

/// How a lone call goes of which every attempt fails in the same way, with nothing but the policy's own counts and limits
/// to end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// Attempts made, the first included, from 1.
    pub attempts: u32,
    /// Between them, all waits together.
    pub waits: Duration,
    /// From the begin of the call to its end.
    pub lasts: Duration,
    /// Why it ends.
    pub end: StopReason,
}

/// Steps that are gone through one by one. From there on every wait is taken to be as long as the last: only a backoff that
/// grows for longer than anybody waits gets so far.
const STEPS_MAX: u32 = 100_000;

impl Policy {
    /// The course of a call whose attempts each take `attempt`, or as long as they are allowed to, and then fail with `failure`.
    ///
    /// Budgets and other memory are not asked: this is the most that one call can do.
    ///
    /// ```
    /// use std::time::Duration;
    /// use brownout_policy::{Failure, Luck, Policy, Settings};
    ///
    /// let doubling = Settings { max_retries: Some(8), base_delay: Some(Duration::from_secs(1)), ..Settings::default() };
    /// let doubling = Settings { max_delay: Some(Duration::from_secs(600)), ..doubling };
    /// let course = Policy::new(doubling)?.course(&Failure::status(503), Duration::ZERO, Luck::Longest);
    /// assert_eq!((course.attempts, course.lasts), (9, Duration::from_secs(255)));
    /// # Ok::<(), Vec<brownout_policy::PolicyError>>(())
    /// ```
    #[must_use]
    pub fn course(&self, failure: &Failure, attempt: Duration, luck: Luck) -> Course {
        let Some(around) = self.around() else { return self.own_course(failure, attempt, luck) };
        // A whole call of this policy is one attempt of the policy around, for as long as that waits for it.
        let deadline = self.deadline.into_iter().chain(around.attempt_timeout).min();
        let inside = Self { deadline, around: None, ..self.clone() }.own_course(failure, attempt, luck);
        let outside = around.course(failure, inside.lasts, luck);
        Course {
            attempts: inside.attempts.saturating_mul(outside.attempts),
            waits: inside.waits.saturating_mul(outside.attempts).saturating_add(outside.waits),
            ..outside
        }
    }

    fn own_course(&self, failure: &Failure, attempt: Duration, luck: Luck) -> Course {
        let attempt = self.attempt_timeout.map_or(attempt, |timeout| timeout.min(attempt));
        let allowed = |elapsed: Duration| self.deadline.map_or(attempt, |end| attempt.min(end.saturating_sub(elapsed)));
        let mut course =
            Course { attempts: 1, waits: Duration::ZERO, lasts: allowed(Duration::ZERO), end: StopReason::Exhausted };
        let (mut made, mut step, mut previous) = (0_u32, 1, None);
        loop {
            let left = self.max_retries - made;
            let wait = match self.next_wait(failure, (step, previous), luck, course.lasts, left) {
                Ok(wait) => wait,
                Err(end) => return Course { end, ..course },
            };
            let times = if wait.settled || step >= STEPS_MAX {
                self.steps_alike(wait.after.saturating_add(attempt), course.lasts, left)
            } else {
                1
            };
            let waits = wait.after.saturating_mul(times);
            course.waits = course.waits.saturating_add(waits);
            let before = course.lasts.saturating_add(waits).saturating_add(attempt.saturating_mul(times - 1));
            course.lasts = before.saturating_add(allowed(before));
            made += times;
            course.attempts = made.saturating_add(1);
            (step, previous) = if wait.anew { (1, None) } else { (step.saturating_add(times), Some(wait.own)) };
        }
    }

    /// The wait after a failure at `elapsed`, by the same rules as [`decide`](Self::decide).
    fn next_wait(
        &self,
        failure: &Failure,
        (step, previous): (u32, Option<Duration>),
        luck: Luck,
        elapsed: Duration,
        left: u32,
    ) -> Result<Wait, StopReason> {
        if self.deadline.is_some_and(|deadline| deadline <= elapsed) {
            return Err(StopReason::DeadlineExceeded);
        }
        if !self.retries(failure) {
            return Err(StopReason::NotRetryable);
        }
        if left == 0 {
            return Err(StopReason::Exhausted);
        }
        let throttling = self.throttling_backoff.as_ref().filter(|_| failure.is_throttling());
        let backoff = throttling.unwrap_or(&self.backoff);
        let own = self.own_wait(backoff, step, previous, luck);
        let draw = match luck {
            Luck::Shortest => 0,
            Luck::Mean => u64::MAX / 2,
            Luck::Longest => u64::MAX,
        };
        let (after, source) = self.wait(own, failure.retry_after, draw).ok_or(StopReason::RetryAfterTooLong)?;
        if self.deadline.is_some_and(|deadline| deadline <= elapsed.saturating_add(after)) {
            return Err(StopReason::DeadlineNear);
        }
        let anew = self.begins_anew_after(source);
        let settled = anew || previous == Some(own) && self.is_settled(backoff, step - 1);
        Ok(Wait { after, own, anew, settled })
    }

    /// The policy's own wait before retry `step`, the last having been `previous`.
    fn own_wait(&self, backoff: &Backoff, step: u32, previous: Option<Duration>, luck: Luck) -> Duration {
        let delay = Delay { backoff: backoff.delay(step).min(self.max_delay), base: backoff.base(), previous };
        let [low, high] = [0, u64::MAX].map(|draw| self.jitter.apply(delay, draw));
        match luck {
            Luck::Shortest => low.min(self.max_delay),
            Luck::Longest => high.min(self.max_delay),
            Luck::Mean => capped_mean(low, high, self.max_delay),
        }
    }

    /// Whether from retry `step` on the backoff says the same for ever. A decorrelated wait follows the one before it alone,
    /// so two that are equal tell.
    fn is_settled(&self, backoff: &Backoff, step: u32) -> bool {
        let capped = self.max_delay <= backoff.delay(step) || backoff.base().is_zero();
        self.jitter == Jitter::Decorrelated
            || match backoff {
                Backoff::Constant { .. } => true,
                Backoff::Linear { .. } | Backoff::Fibonacci { .. } => capped,
                Backoff::Exponential { factor, .. } => capped || *factor <= 1.0,
                Backoff::List(delays) => delays.len() <= step as usize,
            }
    }

    /// How many steps that take `each` can be made at once, so that the last few before an end are gone through one by one.
    fn steps_alike(&self, each: Duration, elapsed: Duration, left: u32) -> u32 {
        let Some(deadline) = self.deadline.filter(|_| !each.is_zero()) else { return left };
        let fits = deadline.saturating_sub(elapsed).as_nanos() / each.as_nanos();
        u32::try_from(fits).unwrap_or(u32::MAX).saturating_sub(1).clamp(1, left)
    }

    /// The shortest and the longest wait of the policy's own before each retry of a call in turn, jitter included.
    pub fn waits(&self) -> impl Iterator<Item = [Duration; 2]> + '_ {
        let mut previous = [None, None];
        (1..=self.max_retries).map(move |step| {
            let of = |luck, previous| self.own_wait(&self.backoff, step, previous, luck);
            let range = [of(Luck::Shortest, previous[0]), of(Luck::Longest, previous[1])];
            previous = range.map(Some);
            range
        })
    }

    /// The same before the next retry of `call`, after the waits that it has drawn.
    #[must_use]
    pub fn next_wait_of(&self, call: &Call) -> [Duration; 2] {
        let step = call.steps.saturating_add(1);
        [Luck::Shortest, Luck::Longest].map(|luck| self.own_wait(&self.backoff, step, call.previous(), luck))
    }

    /// The delay before retry `n`, from 1, before jitter.
    #[must_use]
    pub fn delay_before(&self, n: u32) -> Duration {
        self.backoff.delay(n).min(self.max_delay)
    }

    /// Whether the delay grows by itself, whatever the backoff says.
    #[must_use]
    pub fn is_decorrelated(&self) -> bool {
        self.jitter == Jitter::Decorrelated
    }

    /// How long an attempt may take; `None` for ever.
    #[must_use]
    pub const fn attempt_timeout(&self) -> Option<Duration> {
        self.attempt_timeout
    }

    /// How long a call may take; `None` for ever.
    #[must_use]
    pub const fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// What a service's `Retry-After` does.
    #[must_use]
    pub const fn retry_after(&self) -> Pushback {
        self.retry_after
    }

    /// The longest `Retry-After` that is waited out.
    #[must_use]
    pub const fn retry_after_max(&self) -> Duration {
        self.retry_after_max
    }

    /// What all calls together may add.
    #[must_use]
    pub const fn budget(&self) -> Option<&Guarded<Budget>> {
        self.guards.budget.as_ref()
    }

    /// When to stop asking.
    #[must_use]
    pub const fn breaker(&self) -> Option<&Guarded<Breaker>> {
        self.guards.breaker.as_ref()
    }

    /// When to send less.
    #[must_use]
    pub const fn throttle(&self) -> Option<&Guarded<Throttle>> {
        self.guards.throttle.as_ref()
    }

    /// Whether attempts are spaced out after a 429.
    #[must_use]
    pub const fn adaptive(&self) -> Option<&Guarded<Adaptive>> {
        self.guards.adaptive.as_ref()
    }

    /// How many attempts may be in flight.
    #[must_use]
    pub const fn concurrency(&self) -> Option<&Guarded<Concurrency>> {
        self.guards.concurrency.as_ref()
    }

    /// When to send a second copy.
    #[must_use]
    pub const fn hedge(&self) -> Option<&Guarded<Hedge>> {
        self.guards.hedge.as_ref()
    }
}

/// One wait of a course.
struct Wait {
    after: Duration,
    own: Duration,
    /// The backoff begins anew after it.
    anew: bool,
    /// All that follow are like it.
    settled: bool,
}

/// The mean of a wait that is uniform between two ends and then capped.
fn capped_mean(low: Duration, high: Duration, cap: Duration) -> Duration {
    if cap <= low {
        return cap;
    }
    if high <= cap {
        return low + (high - low) / 2;
    }
    let [low, high, cap] = [low, high, cap].map(|duration| duration.as_secs_f64());
    let below = f64::midpoint(low, cap) * (cap - low);
    Duration::try_from_secs_f64((below + cap * (high - cap)) / (high - low)).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Course, Luck, Policy};
    use crate::{Callers, Failure, Growth, JitterKind, Pushback, Settings, StopReason, TooLong, Verdict, preset};
    use proptest::prelude::*;
    use std::time::Duration;

    const MS: fn(u64) -> Duration = Duration::from_millis;
    const SECS: fn(u64) -> Duration = Duration::from_secs;
    const BUSY: Failure = Failure::status(503);

    fn limited(retry_after: u64) -> Failure {
        Failure { retry_after: Some(SECS(retry_after)), ..Failure::status(429) }
    }

    /// Attempts, waits and end of a call whose attempts fail at once, in ms.
    #[track_caller]
    fn check(settings: Settings, failure: Failure, luck: Luck, attempts: u32, waits_ms: f64, end: StopReason) {
        let course = Policy::new(settings).unwrap().course(&failure, Duration::ZERO, luck);
        let waits = course.waits.as_secs_f64() * 1000.0;
        assert!((waits - waits_ms).abs() < 1e-3, "{waits}");
        assert_eq!((course.attempts, course.end, course.lasts), (attempts, end, course.waits));
    }

    fn retries(max_retries: u32, base_ms: u64) -> Settings {
        Settings { max_retries: Some(max_retries), base_delay: Some(MS(base_ms)), ..Settings::default() }
    }

    #[test]
    fn the_two_of_the_tracker() {
        // `curl --retry 5 --retry-delay 5`, and eight that double from a second.
        let constant = Settings { growth: Some(Growth::Constant), ..retries(5, 5000) };
        check(constant, BUSY, Luck::Longest, 6, 25_000.0, StopReason::Exhausted);
        let doubling = Settings { max_delay: Some(SECS(600)), ..retries(8, 1000) };
        check(doubling, BUSY, Luck::Longest, 9, 255_000.0, StopReason::Exhausted);
        check(preset("curl-retry").unwrap(), BUSY, Luck::Mean, 4, 7_000.0, StopReason::Exhausted);
    }

    #[test]
    fn jitter_by_its_luck() {
        let jittered = |jitter| Settings { jitter: Some(jitter), ..retries(3, 100) };
        let all = |jitter, waits: [f64; 3]| {
            for (luck, waits) in [Luck::Shortest, Luck::Mean, Luck::Longest].into_iter().zip(waits) {
                check(jittered(jitter), BUSY, luck, 4, waits, StopReason::Exhausted);
            }
        };
        all(JitterKind::None, [700.0, 700.0, 700.0]);
        all(JitterKind::Full, [0.0, 350.0, 700.0]);
        all(JitterKind::Equal, [350.0, 525.0, 700.0]);
        all(JitterKind::Proportional, [560.0, 700.0, 840.0]);
        all(JitterKind::Additive, [700.0, 1050.0, 1400.0]);
        // The means of the article: 2.00 + 3.50 + 5.75 bases; at the longest 3 + 9 + 27.
        all(JitterKind::Decorrelated, [300.0, 1125.0, 3900.0]);
        // stamina: 0.1 + U(0, 1), 0.2 + U(0, 1), … capped at 5 s: U(3.2, 4.2), then always 5 but for none.
        let stamina = Settings { max_retries: Some(6), ..preset("stamina-default").unwrap() };
        check(stamina, BUSY, Luck::Mean, 7, 600.0 + 700.0 + 900.0 + 1300.0 + 2100.0 + 3700.0, StopReason::Exhausted);
    }

    #[test]
    fn a_cap_holds_on_the_mean_too() {
        // U(4, 6) capped at 5: half at 5, half at 4.5 on the mean.
        let capped = Settings { jitter: Some(JitterKind::Proportional), max_delay: Some(SECS(5)), ..retries(1, 5000) };
        check(capped, BUSY, Luck::Mean, 2, 4750.0, StopReason::Exhausted);
    }

    #[test]
    fn retry_after_by_the_policys_own_rules() {
        check(retries(3, 100), limited(60), Luck::Mean, 4, 180_000.0, StopReason::Exhausted);
        let ignoring = Settings { retry_after: Some(Pushback::Ignore), ..retries(3, 100) };
        check(ignoring, limited(60), Luck::Mean, 4, 700.0, StopReason::Exhausted);
        let impatient = Settings { retry_after_max: Some(SECS(30)), ..retries(3, 100) };
        check(impatient.clone(), limited(60), Luck::Mean, 1, 0.0, StopReason::RetryAfterTooLong);
        let capped = Settings { retry_after_over: Some(TooLong::Cap), ..impatient };
        check(capped, limited(60), Luck::Mean, 4, 90_000.0, StopReason::Exhausted);
        let hurried = Settings { deadline: Some(SECS(10)), ..retries(3, 100) };
        check(hurried, limited(60), Luck::Mean, 1, 0.0, StopReason::DeadlineNear);
        let client_error = Failure::status(404);
        check(retries(3, 100), client_error, Luck::Mean, 1, 0.0, StopReason::NotRetryable);
    }

    #[test]
    fn retries_without_end_take_no_time_to_tell() {
        let forever = |settings| Settings { max_retries: Some(u32::MAX), ..settings };
        let course = |settings, attempt| Policy::new(forever(settings)).unwrap().course(&BUSY, attempt, Luck::Mean);
        let at_once = course(retries(0, 0), Duration::ZERO);
        assert_eq!((at_once.attempts, at_once.lasts), (u32::MAX, Duration::ZERO));
        let tiny =
            Settings { growth: Some(Growth::Linear), base_delay: Some(Duration::from_nanos(1)), ..retries(0, 0) };
        assert!(course(tiny, Duration::ZERO).lasts > SECS(400_000));
        // 10 ms and 5 ms of work: the 667th attempt begins at 9.99 s and is cut short.
        let limited = Settings { growth: Some(Growth::Constant), deadline: Some(SECS(10)), ..retries(0, 10) };
        let expected = Course { attempts: 667, waits: MS(6660), lasts: MS(9995), end: StopReason::DeadlineNear };
        assert_eq!(course(limited, MS(5)), expected);
        let google = course(preset("google-api-core").unwrap(), Duration::ZERO);
        assert!(google.end == StopReason::DeadlineNear && google.lasts > SECS(90), "{google:?}");
    }

    /// What a lone caller really does: the oracle.
    fn walked(settings: Settings, failure: &Failure, attempt: Duration, draw: u64) -> Course {
        let policy = Policy::new(settings).unwrap();
        let mut callers = Callers::one(&policy);
        let mut call = callers.call(0, Duration::ZERO);
        let (mut waits, mut elapsed) = (Duration::ZERO, Duration::ZERO);
        for attempts in 1.. {
            let go = callers.begin(&mut call, elapsed, 0).unwrap();
            elapsed += go.allowance.map_or(attempt, |allowance| allowance.min(attempt));
            match callers.failed(&mut call, elapsed, failure, draw, attempts > 1) {
                Verdict::Retry { after, .. } => (waits, elapsed) = (waits + after, elapsed + after),
                Verdict::Stop(end) => return Course { attempts, waits, lasts: elapsed, end },
                Verdict::Await => unreachable!("nothing is in flight"),
            }
        }
        unreachable!("retries are counted")
    }

    proptest! {
        #[test]
        fn a_course_is_what_a_caller_does(
            max_retries in 0_u32..40, base in 0_u64..3000, growth in 0_usize..4, jitter in 0_usize..7, push in 0_usize..5,
            over in 0_usize..3, cap in 3000_u64..20_000, deadline in prop::option::of(1_u64..60_000),
            timeout in prop::option::of(1_u64..5000), attempt in 0_u64..8000, hint in prop::option::of(0_u64..100),
            list in prop::option::of(prop::collection::vec(0_u64..3000, 1..5)), longest in any::<bool>(),
        ) {
            let jitter = JitterKind::NAMES[jitter].1;
            let list = list.filter(|_| jitter != JitterKind::Decorrelated);
            let growth = Some(Growth::NAMES[growth].1).filter(|_| jitter != JitterKind::Decorrelated && list.is_none());
            let settings = Settings {
                max_retries: Some(max_retries),
                growth,
                base_delay: Some(MS(base)).filter(|_| list.is_none()),
                delays: list.map(|list| list.into_iter().map(MS).collect()),
                jitter: Some(jitter),
                max_delay: Some(MS(cap)),
                deadline: deadline.map(MS),
                attempt_timeout: timeout.map(MS),
                retry_after: Some(Pushback::NAMES[push].1),
                retry_after_max: Some(SECS(50)),
                retry_after_over: Some(TooLong::NAMES[over].1),
                ..Settings::default()
            };
            let failure = Failure { retry_after: hint.map(SECS), ..Failure::status(429) };
            let (luck, draw) = if longest { (Luck::Longest, u64::MAX) } else { (Luck::Shortest, 0) };
            let told = Policy::new(settings.clone()).unwrap().course(&failure, MS(attempt), luck);
            prop_assert_eq!(told, walked(settings, &failure, MS(attempt), draw));
        }
    }
}
