//! What a refusal says of when to come back.

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use crate::Phase;

/// When a refusal says to come back, and in which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryAfter {
    /// When.
    pub wait: RetryAfterWait,
    /// In which form.
    pub form: HintForm,
}

/// When a refusal says to come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryAfterWait {
    /// When there will be room, if nobody else comes. Nothing, where nobody knows.
    #[default]
    Honest,
    /// It does not say.
    Never,
    /// After so long, true or not.
    Fixed(Duration),
    /// At the end of the phase that is on; of several, of the one that ends last. Honest where none is on that ends.
    UntilPhaseEnd,
}

/// The form of a `Retry-After`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HintForm {
    /// `Retry-After` in whole seconds, rounded up.
    #[default]
    Seconds,
    /// `Retry-After` as an HTTP date, rounded up.
    Date,
    /// `retry-after-ms` in whole milliseconds, rounded up, and no `Retry-After`: a field of some vendors, read by their own
    /// clients.
    Milliseconds,
}

/// A `Retry-After` of one refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    wait: Duration,
    form: HintForm,
    /// The time of day when it is given, since the Unix epoch.
    at: Duration,
}

impl HintForm {
    /// Every form with its name in scenarios.
    pub const NAMES: [(&'static str, Self); 3] =
        [("seconds", Self::Seconds), ("date", Self::Date), ("milliseconds", Self::Milliseconds)];
}

impl RetryAfter {
    /// What is said at `elapsed`, at the time of day `at`, where there will be room after `honest`.
    pub(crate) fn hint(&self, honest: Option<u64>, elapsed: Duration, at: Duration, phases: &[Phase]) -> Option<Hint> {
        let honest = honest.map(Duration::from_nanos);
        let wait = match self.wait {
            RetryAfterWait::Honest => honest,
            RetryAfterWait::Never => None,
            RetryAfterWait::Fixed(wait) => Some(wait),
            RetryAfterWait::UntilPhaseEnd => {
                let on = phases.iter().filter(|phase| phase.window.contains(elapsed));
                on.filter_map(|phase| phase.window.until).max().map(|until| until - elapsed).or(honest)
            }
        };
        wait.map(|wait| Hint { wait, form: self.form, at })
    }
}

impl Hint {
    /// How long a client stays away that takes it at its word. Of a date: by the service's own clock, as its `Date` field shows
    /// it, in whole seconds.
    #[must_use]
    pub fn heard(&self) -> Duration {
        match self.form {
            HintForm::Seconds => Duration::from_secs(up(self.wait, 1_000_000_000)),
            HintForm::Milliseconds => Duration::from_millis(up(self.wait, 1_000_000)),
            HintForm::Date => Duration::from_secs(self.date().saturating_sub(self.at.as_secs())),
        }
    }

    /// The field and its value.
    #[must_use]
    pub fn header(&self) -> (&'static str, Cow<'static, str>) {
        let (name, value) = match self.form {
            HintForm::Seconds => ("retry-after", up(self.wait, 1_000_000_000).to_string()),
            HintForm::Milliseconds => ("retry-after-ms", up(self.wait, 1_000_000).to_string()),
            HintForm::Date => {
                let date = UNIX_EPOCH.checked_add(Duration::from_secs(self.date().min(DATE_MAX)));
                ("retry-after", httpdate::fmt_http_date(date.unwrap_or(UNIX_EPOCH)))
            }
        };
        (name, value.into())
    }

    fn date(&self) -> u64 {
        up(self.at.saturating_add(self.wait), 1_000_000_000)
    }
}

/// The last second of the year 9999, after which an HTTP date has no form.
const DATE_MAX: u64 = 253_402_300_799;

/// How often `unit` nanoseconds go into `time`, rounded up: nobody is to come back too early.
pub(crate) fn up(time: Duration, unit: u128) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(unit)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Hint, HintForm, RetryAfter, RetryAfterWait};
    use crate::{Change, Factors, Only, Phase, Ramp, Window};
    use std::time::Duration;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// The example of RFC 9110: Sun, 06 Nov 1994 08:49:37 GMT.
    const RFC: u64 = 784_111_777;

    #[track_caller]
    fn check(form: HintForm, wait_ms: u64, at_ms: u64, header: (&str, &str), heard_ms: u64) {
        let hint = Hint { wait: MS(wait_ms), form, at: MS(at_ms) };
        let (name, value) = hint.header();
        assert_eq!(((name, &*value), hint.heard()), (header, MS(heard_ms)));
    }

    #[test]
    fn each_form_is_rounded_up() {
        check(HintForm::Seconds, 0, 0, ("retry-after", "0"), 0);
        check(HintForm::Seconds, 1_001, 0, ("retry-after", "2"), 2_000);
        check(HintForm::Milliseconds, 1_001, 0, ("retry-after-ms", "1001"), 1_001);
        let date = ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
        check(HintForm::Date, 5_000, (RFC - 5) * 1_000, date, 5_000);
        // At a fraction of a second the date is the next whole one, and the Date field the last.
        check(HintForm::Date, 4_500, (RFC - 5) * 1_000 + 300, date, 5_000);
        check(HintForm::Date, 4_700, (RFC - 6) * 1_000 + 301, ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), 6_000);
    }

    #[test]
    fn a_date_beyond_all_dates_is_the_last() {
        let hint = Hint { wait: Duration::MAX, form: HintForm::Date, at: Duration::ZERO };
        assert_eq!(hint.header().1, "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn what_is_said_is_true_or_not() {
        let phase = |from, until: Option<u64>| Phase {
            name: "outage".to_owned(),
            window: Window { from: MS(from), until: until.map(MS) },
            ramp: Ramp::default(),
            change: Change::default(),
            factors: Factors::default(),
            only: Only::default(),
        };
        let phases = [phase(1_000, Some(5_000)), phase(1_000, Some(9_000)), phase(8_000, None)];
        let said = |wait, honest, elapsed| {
            let hint = RetryAfter { wait, form: HintForm::Milliseconds }.hint(honest, MS(elapsed), MS(0), &phases);
            hint.map(|hint| hint.heard().as_millis())
        };
        assert_eq!(said(RetryAfterWait::Honest, Some(1_500_000), 0), Some(2));
        assert_eq!(said(RetryAfterWait::Honest, None, 0), None);
        assert_eq!(said(RetryAfterWait::Never, Some(7), 0), None);
        assert_eq!(said(RetryAfterWait::Fixed(MS(60_000)), Some(7), 0), Some(60_000));
        assert_eq!(said(RetryAfterWait::UntilPhaseEnd, Some(7), 2_000), Some(7_000));
        assert_eq!(said(RetryAfterWait::UntilPhaseEnd, Some(7_000_000), 500), Some(7));
        assert_eq!(said(RetryAfterWait::UntilPhaseEnd, None, 9_500), None);
    }
}
