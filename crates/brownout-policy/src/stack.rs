//! Policies around a policy: an SDK that retries inside a framework that retries inside a job queue that does.

use std::time::Duration;

use brownout_draw::nanos;

use crate::{Call, Callers, Failure, Go, StopReason, Verdict};

/// What callers remember of the policies around theirs. To the policy around it, a whole call of theirs is one attempt.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    callers: Callers,
    calls: Vec<Outer>,
    /// Places in `calls` that are to be used again.
    free: Vec<u32>,
}

/// The place of a call's memory in [`Around`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u32);

/// A call of the policy around, with the attempt that is under way.
#[derive(Clone, Copy, Debug)]
struct Outer {
    call: Call,
    /// When that attempt began.
    began_ns: u64,
    /// When it will have taken too long; the end of time where it may take as long as it likes.
    until_ns: u64,
}

impl Place {
    /// Of a call with no policy around its own.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

impl Around {
    pub(crate) const fn new(callers: Callers) -> Self {
        Self { callers, calls: Vec::new(), free: Vec::new() }
    }

    /// A call of `client` begins.
    pub(crate) fn call(&mut self, client: u32, now: Duration) -> Place {
        let outer = Outer { call: self.callers.call(client, now), began_ns: nanos(now), until_ns: u64::MAX };
        if let Some(place) = self.free.pop() {
            self.calls[place as usize] = outer;
            return Place(place);
        }
        self.calls.push(outer);
        Place(u32::try_from(self.calls.len() - 1).expect("fewer calls in flight than there are numbers"))
    }

    /// Asks for leave to make the attempt that a whole call inside is.
    pub(crate) fn begin(&mut self, place: Place, now: Duration, draw: u64) -> Result<Go, StopReason> {
        let Outer { call, began_ns, until_ns } = &mut self.calls[place.0 as usize];
        let go = self.callers.begin(call, now, draw)?;
        *began_ns = nanos(now.saturating_add(go.after));
        *until_ns = go.allowance.map_or(u64::MAX, |allowance| began_ns.saturating_add(nanos(allowance)));
        Ok(go)
    }

    /// How long the attempt under way has taken.
    pub(crate) fn elapsed(&self, place: Place, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_nanos(self.calls[place.0 as usize].began_ns))
    }

    /// How long it may still take; `None` as long as it likes.
    pub(crate) fn left(&self, place: Place, now: Duration) -> Option<Duration> {
        let until_ns = self.calls[place.0 as usize].until_ns;
        (until_ns < u64::MAX).then(|| Duration::from_nanos(until_ns).saturating_sub(now))
    }

    /// The attempt under way failed: what follows. After [`Verdict::Stop`] the call is over.
    pub(crate) fn failed(&mut self, place: Place, now: Duration, failure: &Failure, draw: u64) -> Verdict {
        let call = &mut self.calls[place.0 as usize].call;
        let retry = call.attempt().get() > 1;
        let verdict = self.callers.failed(call, now, failure, draw, retry);
        if let Verdict::Stop(_) = verdict {
            self.forget(place);
        }
        verdict
    }

    /// The attempt under way succeeded, and the call is over.
    pub(crate) fn succeeded(&mut self, place: Place, now: Duration) {
        let took = self.elapsed(place, now);
        let call = &mut self.calls[place.0 as usize].call;
        let retry = call.attempt().get() > 1;
        self.callers.succeeded(call, now, took, retry);
        self.forget(place);
    }

    /// The call is over before its attempt is: a policy inside lets none through.
    pub(crate) fn abandoned(&mut self, place: Place, now: Duration) {
        let took = self.elapsed(place, now);
        let call = &mut self.calls[place.0 as usize].call;
        let retry = call.attempt().get() > 1;
        self.callers.cancelled(call, took, retry);
        self.callers.let_go(call, now);
        self.forget(place);
    }

    /// Nothing is remembered of a call that is over.
    pub(crate) fn forget(&mut self, place: Place) {
        self.free.push(place.0);
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Budget, Callers, DepositOn, Failure, Guarded, Luck, Policy, Settings, StopReason, TokenBudget, Transport,
        Verdict,
    };
    use std::time::Duration;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn retries(count: u32) -> Settings {
        Settings { max_retries: Some(count), base_delay: Some(MS(10)), ..Settings::default() }
    }

    fn stack(inner: Settings, around: Vec<Settings>) -> Policy {
        Policy::new(Settings { around, ..inner }).unwrap()
    }

    /// When the attempts of a call begin, each of which fails after `work` or when it has taken too long; and how it ends.
    fn course(policy: &Policy, work: Duration) -> (Vec<Duration>, StopReason) {
        let mut callers = Callers::one(policy);
        // Twice, so that what the first call left behind would show.
        [(); 2].map(|()| one(&mut callers, work)).into_iter().next_back().unwrap()
    }

    fn one(callers: &mut Callers, work: Duration) -> (Vec<Duration>, StopReason) {
        let (mut now, mut begun) = (Duration::ZERO, Vec::new());
        let mut call = callers.call(0, now);
        loop {
            let go = match callers.begin(&mut call, now, 0) {
                Ok(go) => go,
                Err(reason) => return (begun, reason),
            };
            begun.push(now);
            let took = go.allowance.map_or(work, |allowance| allowance.min(work));
            let failure = if took < work { Failure::transport(Transport::Timeout) } else { Failure::status(503) };
            now += took;
            let retry = call.attempt().get() > 1;
            match callers.failed(&mut call, now, &failure, 0, retry) {
                Verdict::Retry { after, .. } => now += after,
                Verdict::Stop(reason) => return (begun, reason),
                Verdict::Await => unreachable!("no copies here"),
            }
        }
    }

    /// Published: an SDK of three attempts in a framework of four makes 12, in a job queue of three 36.
    #[test]
    fn layers_multiply() {
        let sdk_in_framework = stack(retries(2), vec![retries(3)]);
        assert_eq!(course(&sdk_in_framework, MS(1)).0.len(), 12);
        let in_job_queue = stack(retries(2), vec![retries(3), retries(2)]);
        let (begun, reason) = course(&in_job_queue, MS(1));
        assert_eq!((begun.len(), reason), (36, StopReason::Exhausted));
        for policy in [&sdk_in_framework, &in_job_queue] {
            let told = policy.course(&Failure::status(503), MS(1), Luck::Mean);
            assert_eq!(told.attempts as usize, course(policy, MS(1)).0.len());
        }
    }

    #[test]
    fn each_layer_waits_as_its_own_policy_says() {
        let slow = Settings { base_delay: Some(MS(1000)), ..retries(1) };
        let (begun, _) = course(&stack(retries(2), vec![slow]), MS(5));
        // 10 and 20 ms inside, then a second outside, and once more from the beginning.
        let expected = [0, 15, 40, 1045, 1060, 1085].map(MS);
        assert_eq!(begun, expected);
    }

    #[test]
    fn a_timeout_around_cuts_off_work_and_waits_inside() {
        let patient = Settings { attempt_timeout: Some(MS(100)), ..retries(1) };
        // The second attempt inside would begin at 40 + 10 and is cut off at 100; the one after the wait around is as the first.
        let (begun, _) = course(&stack(retries(9), vec![patient.clone()]), MS(60));
        assert_eq!(begun, [0, 70, 110, 180].map(MS));
        // A wait that would be longer than what is left is not waited out: the policy around goes on at its own timeout.
        let sleepy = Settings { base_delay: Some(MS(500)), ..retries(9) };
        assert_eq!(course(&stack(sleepy, vec![patient]), MS(60)).0, [0, 110].map(MS));
    }

    #[test]
    fn a_deadline_around_ends_it() {
        let bounded = Settings { deadline: Some(MS(100)), ..retries(9) };
        let (begun, reason) = course(&stack(retries(1), vec![bounded]), MS(20));
        assert_eq!((begun, reason), ([0, 30, 60, 90].map(MS).to_vec(), StopReason::DeadlineExceeded));
    }

    #[test]
    fn a_budget_around_counts_whole_calls_inside() {
        let bucket = TokenBudget::new(2.0, 0.0, DepositOn::Success).unwrap();
        let budgeted = Settings { budget: Some(Guarded::each(Budget::Tokens(bucket))), ..retries(9) };
        let mut callers = Callers::one(&stack(retries(2), vec![budgeted]));
        // Two retries around in all: three calls inside of three attempts.
        let first = one(&mut callers, MS(1));
        assert_eq!((first.0.len(), first.1), (9, StopReason::BudgetDenied));
        assert_eq!(one(&mut callers, MS(1)).0.len(), 3);
    }

    #[test]
    fn a_success_inside_is_one_around() {
        let mut callers = Callers::one(&stack(retries(1), vec![retries(1)]));
        let mut call = callers.call(0, MS(0));
        callers.begin(&mut call, MS(0), 0).unwrap();
        callers.failed(&mut call, MS(1), &Failure::status(500), 0, false);
        callers.begin(&mut call, MS(11), 0).unwrap();
        callers.succeeded(&mut call, MS(12), MS(1), true);
        assert_eq!(one(&mut callers, MS(1)).0.len(), 4);
    }
}
