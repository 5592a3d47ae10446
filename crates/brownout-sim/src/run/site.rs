//! The service's side of a run: workers, queue, and the account of what was done there.

use brownout_load::{CapacityResult, CapacitySeries, LatencyHistogram};
use brownout_service::{Capacity, Entry, Station};

use super::levels::Levels;

/// An attempt in the queue: its slot, and its place among all that came. A slot may be taken by another attempt while the
/// line still names the one that left; the place tells them apart.
pub(super) type Job = (u32, u32);

/// A service with a capacity at work.
#[derive(Debug)]
pub(super) struct Site<'w> {
    pub(super) rule: &'w Capacity,
    station: Station<Job>,
    /// How many workers there are now.
    workers: u32,
    account: Account,
    /// Requests that wait, workers busy, workers there are.
    levels: Levels<3>,
    waits: LatencyHistogram,
}

/// What was done, in whole nanoseconds and whole requests, so that the identities hold exactly.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    /// When it was last brought up to date.
    at: u64,
    /// Requests waiting, times how long.
    waiting: u128,
    /// Workers busy, times how long.
    busy: u128,
    /// Workers there were, those that finish what they had begun included, times how long.
    workers: u128,
    /// Time spent inside by those who are out again.
    sojourns: u128,
    useful: u128,
    wasted: u128,
    waiting_max: u32,
    arrived: u64,
    waited: u64,
    served: u64,
    spoilt: u64,
    shed: u64,
    left: u64,
}

impl Account {
    const fn areas(&self) -> [u128; 3] {
        [self.waiting, self.busy, self.workers]
    }
}

impl<'w> Site<'w> {
    pub(super) fn new(rule: &'w Capacity, workers: u32) -> Self {
        let (station, account) = (Station::default(), Account::default());
        let (levels, waits) = (Levels::default(), LatencyHistogram::default());
        Self { rule, station, workers, account, levels, waits }
    }

    /// The place of the next that arrives.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "comes round after four thousand million, long after who left is gone"
    )]
    pub(super) const fn next_place(&self) -> u32 {
        self.account.arrived as u32
    }

    /// Attempt `job` arrives.
    pub(super) fn enter(&mut self, now: u64, job: Job) -> Entry {
        self.bring_up_to(now);
        self.account.arrived += 1;
        let entry = self.station.enter(self.rule, self.workers, job);
        match entry {
            Entry::Started => self.waits.record(0, false),
            Entry::Queued => {
                self.account.waited += 1;
                self.account.waiting_max = self.account.waiting_max.max(self.station.waiting());
            }
            Entry::Shed => self.account.shed += 1,
        }
        entry
    }

    /// Work that took `work` is done for somebody who is still there (`useful`) or not, and who came at `reached`.
    pub(super) fn finish(&mut self, now: u64, reached: u64, work: u64, useful: bool) {
        self.bring_up_to(now);
        self.station.finish();
        let account = &mut self.account;
        account.sojourns += u128::from(now - reached);
        if useful {
            account.served += 1;
            account.useful += u128::from(work);
        } else {
            account.spoilt += 1;
            account.wasted += u128::from(work);
        }
    }

    /// One that waited since `reached` leaves the queue: with its caller, or since it waited too long.
    pub(super) fn leave(&mut self, now: u64, reached: u64, shed: bool, waits: impl Fn(Job) -> bool) {
        self.bring_up_to(now);
        self.station.leave(waits);
        let account = &mut self.account;
        account.sojourns += u128::from(now - reached);
        if shed {
            account.shed += 1;
        } else {
            account.left += 1;
        }
    }

    /// Who is started now, if anybody is.
    pub(super) fn next(&mut self, now: u64, waits: impl Fn(Job) -> bool) -> Option<Job> {
        self.bring_up_to(now);
        self.station.next(self.rule, self.workers, waits)
    }

    /// One that waited since `reached` was started.
    pub(super) fn started(&mut self, now: u64, reached: u64) {
        self.waits.record(now - reached, false);
    }

    /// There are so many workers from now on.
    pub(super) fn set_workers(&mut self, now: u64, workers: u32) {
        self.bring_up_to(now);
        self.workers = workers;
    }

    #[inline]
    fn bring_up_to(&mut self, now: u64) {
        let account = &mut self.account;
        if now == account.at {
            return;
        }
        let (waiting, busy) = (self.station.waiting(), self.station.busy());
        let workers = self.workers.max(busy);
        if self.levels.is_due(now) {
            self.levels.end(now, account.at, account.areas(), [waiting, busy, workers]);
        }
        let past = u128::from(now - account.at);
        account.waiting += past * u128::from(waiting);
        account.busy += past * u128::from(busy);
        account.workers += past * u128::from(workers);
        account.at = now;
    }

    /// What it came to by `now`. Of those still `inside`, each came at the first time and was begun at the second, if it was.
    #[expect(clippy::cast_precision_loss, reason = "means for showing")]
    pub(super) fn result(&mut self, now: u64, inside: impl Iterator<Item = (u64, Option<u64>)>) -> CapacityResult {
        self.bring_up_to(now);
        let account = self.account;
        let (mut number, mut sojourns, mut work) = (0, account.sojourns, account.useful + account.wasted);
        for (reached, begun) in inside {
            number += 1;
            sojourns += u128::from(now - reached);
            work += begun.map_or(0, |begun| u128::from(now - begun));
        }
        // Little's law, the conservation of work, and the flow balance hold to the nanosecond in every run.
        assert_eq!(account.waiting + account.busy, sojourns, "L = λW");
        assert_eq!(account.busy, work, "busy time is work");
        let somewhere = account.served + account.spoilt + account.shed + account.left + number;
        assert_eq!(account.arrived, somewhere, "every attempt is somewhere");

        let mean = |area: u128| if now > 0 { area as f64 / now as f64 } else { 0.0 };
        let all_work = account.useful + account.wasted;
        let (interval_s, [waiting, busy, workers]) = self.levels.means(now, account.areas());
        CapacityResult {
            arrived: account.arrived,
            waited: account.waited,
            served: account.served,
            wasted: account.spoilt,
            shed: account.shed,
            left: account.left,
            inside: number,
            wait_ms: self.waits.summary(),
            inside_mean: mean(account.waiting + account.busy),
            waiting_mean: mean(account.waiting),
            waiting_max: account.waiting_max,
            busy_mean: mean(account.busy),
            utilisation: if account.workers > 0 { account.busy as f64 / account.workers as f64 } else { 0.0 },
            wasted_share: (all_work > 0).then(|| account.wasted as f64 / all_work as f64),
            per_interval: Some(CapacitySeries { interval_s, waiting, busy, workers }),
        }
    }
}
