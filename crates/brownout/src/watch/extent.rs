//! How much of a load there is.

use std::time::Duration;

use brownout_load::{Load, Shard, Snapshot};

/// What a load is done after: so many calls, or so much of its time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent {
    pub(crate) calls: Option<u64>,
    pub(crate) ends: Option<Duration>,
}

impl Extent {
    /// Of `load`, or of its `shard`.
    pub(crate) fn of(load: &Load, shard: Option<Shard>) -> Self {
        let parts = load.parts().into_iter();
        Self { calls: parts.map(|part| part.of_shard(shard).asked()).sum(), ends: load.ends_of_all() }
    }

    /// How much of it is done, from 0 to 1; `None` where nobody knows.
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    pub(crate) fn done(&self, now: &Snapshot) -> Option<f64> {
        let of_calls = self.calls.filter(|calls| *calls > 0).map(|calls| now.ended as f64 / calls as f64);
        let of_time =
            self.ends.filter(|ends| !ends.is_zero()).map(|ends| now.elapsed.as_secs_f64() / ends.as_secs_f64());
        of_calls.into_iter().chain(of_time).reduce(f64::max).map(|share| share.min(1.0))
    }

    /// The scenario's time that is left, if it goes on as it went so far; `None` where nobody knows yet.
    pub(crate) fn left(&self, now: &Snapshot) -> Option<Duration> {
        let by_time = self.ends.map(|ends| ends.saturating_sub(now.elapsed));
        let done = self.done(now).filter(|done| *done > 0.0);
        let by_calls = done.filter(|_| self.calls.is_some()).map(|done| now.elapsed.mul_f64((1.0 - done) / done));
        by_calls.into_iter().chain(by_time).min()
    }
}

#[cfg(test)]
mod tests {
    use super::Extent;
    use brownout_load::{CallEnd, Pace, Snapshot, Tally};
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    fn after(seconds: u64, calls: u64) -> Snapshot {
        let mut tally = Tally::new(&[]);
        (0..calls).for_each(|_| tally.call(&CallEnd { started_ns: 0, elapsed_ns: 1, attempts: 1, failed: None }));
        tally.snapshot().at(SECS(seconds), calls, Pace::default())
    }

    #[test]
    fn what_is_left_goes_on_as_what_is_done() {
        let calls = Extent { calls: Some(400), ends: None };
        assert_eq!((calls.done(&after(10, 100)), calls.left(&after(10, 100))), (Some(0.25), Some(SECS(30))));
        assert_eq!((calls.done(&after(10, 0)), calls.left(&after(10, 0))), (Some(0.0), None));
        let time = Extent { calls: None, ends: Some(SECS(40)) };
        assert_eq!((time.done(&after(10, 7)), time.left(&after(10, 7))), (Some(0.25), Some(SECS(30))));
        // Calls may still be under way when none is begun any more.
        assert_eq!((time.done(&after(50, 7)), time.left(&after(50, 7))), (Some(1.0), Some(SECS(0))));
        assert_eq!((Extent::default().done(&after(10, 7)), Extent::default().left(&after(10, 7))), (None, None));
    }
}
