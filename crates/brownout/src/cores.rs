//! Many runs on every core.

use std::io::{Write, stderr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::output::talk_is_drawn;

/// How long nothing is said about work under way.
const QUIET: Duration = Duration::from_secs(1);

/// A line that is longer would wrap, and not be wiped, on a terminal of 80 columns.
const WIDTH: usize = 79;

/// Makes run 0 to `runs`, on as many cores as there are (or `RAYON_NUM_THREADS` allows), and gives their results in the
/// order of their numbers. On a terminal it tells how far it is, once it takes longer than a second.
pub(crate) fn map<T: Send>(runs: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (meter, done) = (Meter::new(), AtomicUsize::new(0));
    let results = (0..runs).into_par_iter().map(|index| {
        let result = run(index);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        meter.show(|| format!("{done} of {runs} runs"));
        result
    });
    let results = results.collect();
    meter.end();
    results
}

/// All cores, for an experiment that decides as it goes which runs to make next.
pub(crate) struct Crew {
    meter: Meter,
    runs: AtomicUsize,
    under: Mutex<String>,
}

impl Crew {
    pub(crate) fn new() -> Self {
        Self { meter: Meter::new(), runs: AtomicUsize::new(0), under: Mutex::default() }
    }

    /// Names what is under way from now on.
    pub(crate) fn begin(&self, what: String) {
        *self.under.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }

    /// Wipes what was told.
    pub(crate) fn end(&self) {
        self.meter.end();
    }
}

impl brownout_lab::storm::Cores for Crew {
    fn map<T: Send>(&self, runs: usize, run: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        let results = (0..runs).into_par_iter().map(|index| {
            let result = run(index);
            let done = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
            self.meter.show(|| {
                let under = self.under.lock().unwrap_or_else(PoisonError::into_inner);
                format!("{done} runs, {under}")
            });
            result
        });
        results.collect()
    }
}

/// Tells on a terminal how far something is, once it takes longer than a second.
pub(crate) struct Meter {
    began: Instant,
    shown: bool,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), shown: talk_is_drawn() }
    }

    /// Wipes what was told.
    pub(crate) fn end(&self) {
        self.say(|| "\r\x1b[K".to_owned());
    }

    /// Shows `text` in the place of what was told before: as much of it as fits into a line.
    pub(crate) fn show(&self, text: impl FnOnce() -> String) {
        self.say(|| format!("\r{:.1$}\x1b[K", text(), WIDTH));
    }

    fn say(&self, text: impl FnOnce() -> String) {
        if self.shown && QUIET < self.began.elapsed() {
            let mut stderr = stderr().lock();
            let _ = stderr.write_all(text().as_bytes()).and_then(|()| stderr.flush());
        }
    }
}
