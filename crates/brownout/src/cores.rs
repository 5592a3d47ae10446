//! Many runs on every core.

use std::io::{IsTerminal, Write, stderr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// How long nothing is said about work under way.
const QUIET: Duration = Duration::from_secs(1);

/// Makes run 0 to `runs`, on as many cores as there are (or `RAYON_NUM_THREADS` allows), and gives their results in the
/// order of their numbers. On a terminal it tells how far it is, once it takes longer than a second.
pub(crate) fn map<T: Send>(runs: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let progress = Progress { done: AtomicUsize::new(0), runs, began: Instant::now(), shown: stderr().is_terminal() };
    let results = (0..runs).into_par_iter().map(|index| {
        let result = run(index);
        progress.one_more();
        result
    });
    let results = results.collect();
    progress.end();
    results
}

struct Progress {
    done: AtomicUsize,
    runs: usize,
    began: Instant,
    shown: bool,
}

impl Progress {
    fn one_more(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.shown && QUIET < self.began.elapsed() {
            say(&format!("\r{done} of {} runs", self.runs));
        }
    }

    fn end(&self) {
        if self.shown && QUIET < self.began.elapsed() {
            say("\r\x1b[K");
        }
    }
}

/// How far one long run is, on a terminal.
pub(crate) struct LongRun {
    began: Instant,
    shown: bool,
}

impl LongRun {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), shown: stderr().is_terminal() }
    }

    pub(crate) fn end(&self) {
        if self.shown && QUIET < self.began.elapsed() {
            say("\r\x1b[K");
        }
    }
}

impl brownout_sim::Observer for LongRun {
    fn progress(&mut self, events: u64, elapsed: Duration) {
        if self.shown && QUIET < self.began.elapsed() {
            let seconds = elapsed.as_secs_f64();
            say(&format!("\r{:.1} million events, {seconds:.1} s of virtual time ", events as f64 / 1e6));
        }
    }
}

fn say(text: &str) {
    let mut stderr = stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
