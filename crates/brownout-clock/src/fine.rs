//! Waiting to a fraction of a millisecond.
//!
//! Tokio's timers tick in whole milliseconds and fire at the tick after the moment, so that every latency would be up to a
//! millisecond longer than was drawn. The kernel's timers are finer. One of them serves all who wait, for the last stretch of
//! their waits; the way there goes through tokio's wheel, which is made for many.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

/// How long before its moment a wait leaves tokio's wheel, which may be late by a tick and a half.
const STRETCH: Duration = Duration::from_millis(2);

/// A timer of the kernel, and who waits for it.
#[derive(Debug)]
pub(crate) struct Fine {
    timer: AsyncFd<OwnedFd>,
    waiting: Mutex<BTreeMap<Key, Waker>>,
    number: AtomicU64,
}

/// A moment; the number tells equal ones apart.
type Key = (Instant, u64);

/// A place among those who wait, left when this is dropped.
struct Place<'f> {
    fine: &'f Fine,
    key: Key,
}

impl Fine {
    /// Of the runtime that it is made in, which it needs for as long as anybody waits.
    pub(crate) fn start() -> io::Result<&'static Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "the other way is unsafe, to be promised what an `OwnedFd` is: the file that it says"
        )]
        let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
        // One for a program: it goes with it.
        let own: &'static Self =
            Box::leak(Box::new(Self { timer, waiting: Mutex::default(), number: AtomicU64::new(0) }));
        tokio::spawn(own.wake());
        Ok(own)
    }

    /// Waits for a moment.
    pub(crate) async fn sleep_until(&self, moment: Instant) {
        if let Some(early) = moment.checked_sub(STRETCH)
            && Instant::now() < early
        {
            tokio::time::sleep_until(early).await;
        }
        let place = Place { fine: self, key: (moment, self.number.fetch_add(1, Relaxed)) };
        poll_fn(|context| {
            if moment <= Instant::now() {
                return Poll::Ready(());
            }
            self.wait(place.key, context.waker());
            Poll::Pending
        })
        .await;
    }

    fn wait(&self, key: Key, waker: &Waker) {
        let mut waiting = self.waiting();
        let first = waiting.first_key_value().is_none_or(|(first, _)| key < *first);
        waiting.insert(key, waker.clone());
        if first {
            self.set(key.0);
        }
    }

    /// Wakes whose moment has come, again and again.
    async fn wake(&'static self) {
        loop {
            let Ok(mut ready) = self.timer.readable().await else { return };
            // Setting it again takes the readiness away, too, as reading it would.
            ready.clear_ready();
            let mut due = Vec::new();
            {
                let mut waiting = self.waiting();
                let now = Instant::now();
                while let Some(first) = waiting.first_entry() {
                    if first.key().0 > now {
                        self.set(first.key().0);
                        break;
                    }
                    due.push(first.remove());
                }
            }
            due.into_iter().for_each(Waker::wake);
        }
    }

    /// Lets the timer fire at `moment`, or at once where that is past.
    fn set(&self, moment: Instant) {
        let left = moment.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec::try_from(left).expect("a stretch is short"),
        };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &once).expect("a timer of ours takes a time");
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Key, Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.fine.waiting().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::{Fine, STRETCH};
    use std::time::Duration;
    use tokio::task::JoinSet;
    use tokio::time::Instant;

    const MICROS: fn(u64) -> Duration = Duration::from_micros;

    /// How late waits of so many microseconds end, sorted.
    async fn late(fine: &'static Fine, waits: impl Iterator<Item = u64>) -> Vec<Duration> {
        let start = Instant::now();
        let wait = |micros| async move {
            fine.sleep_until(start + MICROS(micros)).await;
            start.elapsed().checked_sub(MICROS(micros)).expect("nobody is woken early")
        };
        let mut waits: JoinSet<Duration> = waits.map(wait).collect();
        let mut late = Vec::new();
        while let Some(own) = waits.join_next().await {
            late.push(own.unwrap());
        }
        late.sort_unstable();
        late
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn nobody_is_early_and_all_come() {
        let fine = Fine::start().unwrap();
        // Short and long, past and far, many at one moment, in no order.
        let waits = (0..2_000).map(|n| n * 7_919 % 40_000).chain([0, 1, 100_000]).chain([20_000; 100]);
        assert_eq!(late(fine, waits).await.len(), 2_103);
        assert!(fine.waiting().is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn it_is_finer_than_a_tick_of_tokio() {
        let fine = Fine::start().unwrap();
        let mut ours = Vec::new();
        let mut tokios = Vec::new();
        // In turn, so that a busy machine hits both.
        for n in 0..200 {
            let wait = MICROS(300 + n * 37 % 3_000);
            for (fine, lates) in [(Some(fine), &mut ours), (None, &mut tokios)] {
                let moment = Instant::now() + wait;
                match fine {
                    Some(fine) => fine.sleep_until(moment).await,
                    None => tokio::time::sleep_until(moment).await,
                }
                lates.push(moment.elapsed());
            }
        }
        ours.sort_unstable();
        tokios.sort_unstable();
        assert!(ours[100] * 2 < tokios[100], "{:?} and {:?}", ours[100], tokios[100]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn who_gives_up_leaves_nothing_behind() {
        let fine = Fine::start().unwrap();
        for wait in [STRETCH / 2, STRETCH * 20] {
            let _ = tokio::time::timeout(Duration::ZERO, fine.sleep_until(Instant::now() + wait)).await;
        }
        assert!(fine.waiting().is_empty());
        // Who comes after is not kept waiting by a moment that nobody waits for.
        fine.sleep_until(Instant::now() + STRETCH).await;
    }
}
