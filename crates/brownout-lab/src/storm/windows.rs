//! What a run came to, window by window.

use brownout_load::{Attempt, CallEnd};
use brownout_sim::Observer;

/// How many windows in a row must be well.
pub(super) const IN_A_ROW: usize = 5;
/// Goodput of a window that is well, in hundredths of what it is held against.
const GOODPUT_MIN: u64 = 90;
/// Amplification of a window that is well, in hundredths of what it is held against.
const AMPLIFICATION_MAX: u64 = 110;

/// What is counted in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Calls started.
    pub(super) calls: u32,
    /// Attempts started.
    pub(super) attempts: u32,
    /// Calls that ended well.
    pub(super) succeeded: u32,
}

/// Counts per window, from the beginning of the run; its memory does not depend on the run.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    window_ns: u64,
    counts: Vec<Counts>,
}

/// What callers come to where nobody is in their way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ease {
    /// Calls that succeed, of all.
    pub(super) success: f64,
    /// Attempts a call.
    pub(super) amplification: f64,
}

impl Windows {
    pub(super) fn new(window_ns: u64, windows: usize) -> Self {
        Self { window_ns, counts: vec![Counts::default(); windows] }
    }

    pub(super) fn into_counts(self) -> Vec<Counts> {
        self.counts
    }

    /// What comes after the last window is not looked at.
    #[expect(clippy::cast_possible_truncation, reason = "past the end in any case")]
    fn at(&mut self, ns: u64) -> Option<&mut Counts> {
        self.counts.get_mut((ns / self.window_ns) as usize)
    }
}

impl Observer for Windows {
    fn attempt(&mut self, _: u64, attempt: &Attempt, _: Option<std::time::Duration>) {
        if let Some(counts) = self.at(attempt.started_ns) {
            counts.attempts += 1;
        }
    }

    fn call(&mut self, _: u64, end: &CallEnd) {
        if let Some(counts) = self.at(end.started_ns) {
            counts.calls += 1;
        }
        if end.failed.is_none()
            && let Some(counts) = self.at(end.ended_ns())
        {
            counts.succeeded += 1;
        }
    }
}

impl Counts {
    /// Whether it is as good as the same window of the control.
    pub(super) fn is_well_beside(&self, control: &Self) -> bool {
        let [calls, attempts, succeeded] = [self.calls, self.attempts, self.succeeded].map(u64::from);
        GOODPUT_MIN * u64::from(control.succeeded) <= 100 * succeeded
            && 100 * attempts * u64::from(control.calls) <= AMPLIFICATION_MAX * u64::from(control.attempts) * calls
    }

    /// Whether nine tenths of what callers come to at ease succeed.
    #[expect(clippy::cast_precision_loss, reason = "a share of a hundred")]
    pub(super) fn has_goodput(&self, ease: Ease) -> bool {
        GOODPUT_MIN as f64 / 100.0 * ease.success * f64::from(self.calls) <= f64::from(self.succeeded)
    }

    /// The same, and attempts are no more than a tenth above it.
    #[expect(clippy::cast_precision_loss, reason = "a share of a hundred")]
    pub(super) fn is_well(&self, ease: Ease) -> bool {
        let most = AMPLIFICATION_MAX as f64 / 100.0 * ease.amplification;
        self.has_goodput(ease) && f64::from(self.attempts) <= most * f64::from(self.calls)
    }
}

/// The first of five windows in a row, from `first` on, that are well.
pub(super) fn first_well(windows: usize, first: usize, is_well: impl Fn(usize) -> bool) -> Option<usize> {
    let mut row = 0;
    for index in first..windows {
        row = if is_well(index) { row + 1 } else { 0 };
        if row == IN_A_ROW {
            return Some(index + 1 - IN_A_ROW);
        }
    }
    None
}

/// The end of the last five windows in a row that are well.
pub(super) fn last_well(windows: usize, is_well: impl Fn(usize) -> bool) -> Option<usize> {
    let mut row = 0;
    for index in (0..windows).rev() {
        row = if is_well(index) { row + 1 } else { 0 };
        if row == IN_A_ROW {
            return Some(index + IN_A_ROW);
        }
    }
    None
}
