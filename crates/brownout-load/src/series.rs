//! What happened when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Reply;
use crate::coarse::Coarse;
use crate::latency::{pairs, read_pairs};

/// How many intervals a series keeps. When a run outgrows them, neighbours are added together and the interval doubles,
/// so that memory stays flat and nothing is lost but resolution.
pub(crate) const SLOTS_MAX: usize = 512;

/// Ratios of fewer calls than these are luck.
const CALLS_TOLD: u64 = 10;

/// Counts per interval of the run, one second at first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    /// The interval is 2^this seconds, so that finding a slot is a shift.
    doublings: u32,
    slots: Vec<Slot>,
    /// Attempts that failed, by what they met, in each slot as far as there were any. A handful: a scan beats a tree.
    failures: Vec<(Reply, Vec<u64>)>,
    /// The latencies of the calls that were begun in each, where that is asked for.
    latencies: Option<Vec<Coarse>>,
}

/// What a series counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) calls: u64,
    pub(crate) attempts: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
}

/// A series as a result shows it: whole numbers, one entry an interval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesResult {
    /// The length of an interval, in seconds.
    pub interval_s: u64,
    /// Calls started in it.
    pub calls: Vec<u64>,
    /// Attempts started in it.
    pub attempts: Vec<u64>,
    /// Calls that ended well in it.
    pub succeeded: Vec<u64>,
    /// Calls started in it that did not end well.
    pub failed: Vec<u64>,
    /// Attempts started in it that failed, by what they met: a status, or what broke. The others of its attempts brought what was wanted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, Vec<u64>>,
    /// The latencies of the calls started in it, as `hdr_ns` has those of all, in buckets of a thirty-second: what a comparison with
    /// another run needs. Empty where nobody asked for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency_hdr_ns: Vec<String>,
}

impl Series {
    /// One that also keeps the latencies of each interval.
    pub(crate) fn with_latencies(self) -> Self {
        Self { latencies: Some(Vec::new()), ..self }
    }

    /// Keeps the latency of a call that was begun at the moment `ns`, if latencies are kept.
    #[inline]
    pub(crate) fn latency(&mut self, ns: u64, latency_ns: u64) {
        if self.latencies.is_some() {
            self.keep_latency(ns, latency_ns);
        }
    }

    /// The interval is there already: the call was counted.
    #[inline(never)]
    fn keep_latency(&mut self, ns: u64, latency_ns: u64) {
        let (index, length) = (slot_of(ns, self.doublings), self.slots.len());
        if let Some(latencies) = &mut self.latencies {
            latencies.resize_with(length, Coarse::default);
            latencies[index].record(latency_ns);
        }
    }

    /// Counts an attempt, begun at the moment `ns`, that met this and failed. Its interval is there already: the attempt was counted.
    pub(crate) fn failure(&mut self, ns: u64, met: Reply) {
        let index = slot_of(ns, self.doublings);
        let place = self.failures.iter().position(|(known, _)| *known == met).unwrap_or_else(|| {
            self.failures.push((met, Vec::new()));
            self.failures.len() - 1
        });
        let counts = &mut self.failures[place].1;
        if counts.len() <= index {
            counts.resize(index + 1, 0);
        }
        counts[index] += 1;
    }

    /// The slot of the moment `ns` nanoseconds after the run began.
    #[inline]
    pub(crate) fn at(&mut self, ns: u64) -> &mut Slot {
        let index = slot_of(ns, self.doublings);
        if index < self.slots.len() { &mut self.slots[index] } else { self.reach(ns) }
    }

    /// The slot of a moment that is later than any so far.
    #[cold]
    fn reach(&mut self, ns: u64) -> &mut Slot {
        while slot_of(ns, self.doublings) >= SLOTS_MAX {
            self.double();
        }
        let index = slot_of(ns, self.doublings);
        self.slots.resize(self.slots.len().max(index + 1), Slot::default());
        &mut self.slots[index]
    }

    fn double(&mut self) {
        self.doublings += 1;
        let pair = |pair: &[Slot]| {
            pair.iter().fold(Slot::default(), |sum, slot| Slot {
                calls: sum.calls + slot.calls,
                attempts: sum.attempts + slot.attempts,
                succeeded: sum.succeeded + slot.succeeded,
                failed: sum.failed + slot.failed,
            })
        };
        self.slots = self.slots.chunks(2).map(pair).collect();
        for (_, counts) in &mut self.failures {
            *counts = counts.chunks(2).map(|pair| pair.iter().sum()).collect();
        }
        let pair = |pair: &[Coarse]| {
            let mut sum = pair[0].clone();
            pair[1..].iter().for_each(|other| sum.merge(other));
            sum
        };
        self.latencies = self.latencies.take().map(|latencies| latencies.chunks(2).map(pair).collect());
    }

    pub(crate) fn result(&self) -> SeriesResult {
        let column = |pick: fn(&Slot) -> u64| self.slots.iter().map(pick).collect();
        let whole = |counts: &[u64]| {
            (0..self.slots.len()).map(|place| counts.get(place).copied().unwrap_or_default()).collect()
        };
        SeriesResult {
            interval_s: 1 << self.doublings,
            calls: column(|slot| slot.calls),
            attempts: column(|slot| slot.attempts),
            succeeded: column(|slot| slot.succeeded),
            failed: column(|slot| slot.failed),
            failures: self.failures.iter().map(|(met, counts)| (met.to_string(), whole(counts))).collect(),
            latency_hdr_ns: self.latencies.as_deref().map(|latencies| self.shown(latencies)).unwrap_or_default(),
        }
    }

    /// As text, one for each interval.
    fn shown(&self, latencies: &[Coarse]) -> Vec<String> {
        let of = |index: usize| latencies.get(index).map(|latencies| pairs(latencies.filled())).unwrap_or_default();
        (0..self.slots.len()).map(of).collect()
    }
}

impl SeriesResult {
    /// Both together, in intervals as long as the longer of theirs; `None` where the columns differ in length, or the intervals
    /// are no doublings of each other.
    pub(crate) fn merge(&self, other: &Self) -> Option<Self> {
        let interval_s = self.interval_s.max(other.interval_s);
        let (one, other) = (self.at_intervals_of(interval_s)?, other.at_intervals_of(interval_s)?);
        // Of a run without them nothing is known for the sum.
        let latencies = one.latencies().zip(other.latencies()).map(|(one, other)| {
            let length = one.len().max(other.len());
            let at = |column: &[Vec<(u64, u64)>], place: usize| column.get(place).cloned().unwrap_or_default();
            (0..length).map(|place| pairs(together(&[at(&one, place), at(&other, place)]).into_iter())).collect()
        });
        let added = |one: &[u64], other: &[u64]| {
            let at = |column: &[u64], place: usize| column.get(place).copied().unwrap_or_default();
            (0..one.len().max(other.len())).map(|place| at(one, place).saturating_add(at(other, place))).collect()
        };
        Some(Self {
            interval_s,
            calls: added(&one.calls, &other.calls),
            attempts: added(&one.attempts, &other.attempts),
            succeeded: added(&one.succeeded, &other.succeeded),
            failed: added(&one.failed, &other.failed),
            failures: {
                let none = Vec::new();
                let of = |series: &Self, met: &String| series.failures.get(met).unwrap_or(&none).clone();
                let kinds = one.failures.keys().chain(other.failures.keys());
                kinds.map(|met| (met.clone(), added(&of(&one, met), &of(&other, met)))).collect()
            },
            latency_hdr_ns: latencies.unwrap_or_default(),
        })
    }

    /// The moment, in seconds, at which the interval begins with the most attempts a call, and how many those are. Intervals with
    /// fewer than ten calls say nothing; `None` where all are such.
    #[must_use]
    pub fn worst_amplification(&self) -> Option<(u64, f64)> {
        #[expect(clippy::cast_precision_loss, reason = "a ratio of counts")]
        let of = |(calls, attempts): (&u64, &u64)| (*calls >= CALLS_TOLD).then(|| *attempts as f64 / *calls as f64);
        let all = self.calls.iter().zip(&self.attempts).map(of);
        let told = (0..).zip(all).filter_map(|(place, ratio)| Some((place * self.interval_s, ratio?)));
        // Of equal ones the first.
        told.reduce(|worst, other| if other.1 > worst.1 { other } else { worst })
    }

    /// The latencies of each interval: the highest value of each bucket and how many lie in it. `None` where there are none, or their
    /// text is of another kind.
    #[must_use]
    pub fn latencies(&self) -> Option<Vec<Vec<(u64, u64)>>> {
        let whole = self.latency_hdr_ns.len() == self.calls.len();
        self.latency_hdr_ns.iter().map(|text| read_pairs(text)).collect::<Option<_>>().filter(|_| whole)
    }

    /// The same in intervals of so many seconds, as a run that lasted longer would have it. `None` where they are no doublings of its
    /// own, or its columns differ in length.
    #[must_use]
    pub fn at_intervals_of(&self, interval_s: u64) -> Option<Self> {
        let columns = [&self.attempts, &self.succeeded, &self.failed].into_iter().chain(self.failures.values());
        let whole = columns.into_iter().all(|column| column.len() == self.calls.len());
        let times = interval_s.checked_div(self.interval_s).filter(|times| times.is_power_of_two() && whole)?;
        let times = usize::try_from(times).ok().filter(|_| interval_s.is_multiple_of(self.interval_s))?;
        let column = |column: &[u64]| {
            column.chunks(times).map(|few| few.iter().fold(0_u64, |sum, count| sum.saturating_add(*count))).collect()
        };
        Some(Self {
            interval_s,
            calls: column(&self.calls),
            attempts: column(&self.attempts),
            succeeded: column(&self.succeeded),
            failed: column(&self.failed),
            failures: self.failures.iter().map(|(met, counts)| (met.clone(), column(counts))).collect(),
            latency_hdr_ns: match self.latencies() {
                Some(latencies) => latencies.chunks(times).map(|few| pairs(together(few).into_iter())).collect(),
                None => Vec::new(),
            },
        })
    }
}

/// The values of several histograms in one.
fn together(histograms: &[Vec<(u64, u64)>]) -> BTreeMap<u64, u64> {
    let mut sums: BTreeMap<u64, u64> = BTreeMap::new();
    for (value, count) in histograms.iter().flatten() {
        let sum = sums.entry(*value).or_default();
        *sum = sum.saturating_add(*count);
    }
    sums
}

/// Which interval of 2^`doublings` seconds a moment falls into.
#[inline]
fn slot_of(ns: u64, doublings: u32) -> usize {
    usize::try_from((ns / 1_000_000_000) >> doublings).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::{SLOTS_MAX, Series, SeriesResult};
    use crate::Reply;
    use brownout_policy::Transport;

    #[test]
    fn a_long_run_loses_resolution_and_no_counts() {
        let mut series = Series::default();
        for second in 0..10_000 {
            series.at(second * 1_000_000_000).attempts += 1;
        }
        let result = series.result();
        assert_eq!(result.interval_s, 32);
        assert!(result.attempts.len() <= SLOTS_MAX);
        assert_eq!(result.attempts.iter().sum::<u64>(), 10_000);
        assert!(result.attempts[..300].iter().all(|count| *count == 32));
    }

    #[test]
    fn amplification_is_worst_where_attempts_are_most_a_call() {
        let series = |calls: &[u64], attempts: &[u64]| SeriesResult {
            interval_s: 2,
            calls: calls.to_vec(),
            attempts: attempts.to_vec(),
            ..SeriesResult::default()
        };
        assert_eq!(series(&[10, 20, 40, 9, 0], &[10, 60, 120, 90, 50]).worst_amplification(), Some((2, 3.0)));
        assert_eq!(series(&[9, 0], &[90, 50]).worst_amplification(), None);
    }

    #[test]
    fn latencies_are_kept_by_the_interval_in_which_their_call_began() {
        let of = |seconds: u64| {
            let mut series = Series::default().with_latencies();
            for second in 0..seconds {
                series.at(second * 1_000_000_000).calls += 1;
                series.latency(second * 1_000_000_000, 10);
                // What is ended reaches further than what is begun.
                series.at((second + 2) * 1_000_000_000);
            }
            series.result()
        };
        assert_eq!(of(3).latency_hdr_ns, ["10:1", "10:1", "10:1", "", ""]);
        let (short, long) = (of(3), of(2000));
        assert_eq!((long.interval_s, long.latency_hdr_ns[0].as_str()), (4, "10:4"));
        let both = short.merge(&long).unwrap();
        assert_eq!((both.latency_hdr_ns[0].as_str(), both.latency_hdr_ns[1].as_str()), ("10:7", "10:4"));
        let counted =
            |series: &SeriesResult| series.latencies().unwrap().concat().iter().map(|(_, count)| count).sum::<u64>();
        assert_eq!((counted(&long), counted(&both)), (2000, 2003));
        let mut without = Series::default();
        without.at(0).calls += 1;
        assert!(long.merge(&without.result()).unwrap().latency_hdr_ns.is_empty());
    }

    #[test]
    fn series_of_different_intervals_add_up_in_the_longer() {
        let of = |seconds: std::ops::Range<u64>| {
            let mut series = Series::default();
            seconds.for_each(|second| series.at(second * 1_000_000_000).calls += 1);
            series.result()
        };
        let (short, long) = (of(0..100), of(50..3000));
        assert_eq!((short.interval_s, long.interval_s), (1, 8));
        let (mut one, mut both) = (Series::default(), Series::default());
        for second in (0..100).chain(50..3000) {
            both.at(second * 1_000_000_000).calls += 1;
        }
        one.at(0).calls += 1;
        assert_eq!(short.merge(&long), Some(both.result()));
        assert_eq!(long.merge(&short), short.merge(&long));
        assert_eq!(one.result().merge(&SeriesResult { interval_s: 3, ..one.result() }), None);
        assert_eq!(one.result().merge(&SeriesResult { interval_s: 0, ..one.result() }), None);
        assert_eq!(one.result().merge(&SeriesResult { calls: vec![1, 2], ..one.result() }), None);
    }

    #[test]
    fn what_attempts_met_is_kept_by_the_interval_in_which_they_began() {
        let mut series = Series::default();
        for second in 0..1000 {
            series.at(second * 1_000_000_000).attempts += 1;
            if second >= 600 {
                let met = if second % 2 == 0 { Reply::Status(503) } else { Reply::Broken(Transport::Timeout) };
                series.failure(second * 1_000_000_000, met);
            }
        }
        let result = series.result();
        assert!(result.interval_s == 2 && result.failures.keys().eq(["503", "timeout"]), "{result:?}");
        let count = |met: &str, place: usize| result.failures[met][place];
        assert_eq!((count("503", 299), count("503", 300), count("timeout", 300)), (0, 1, 1));
        let both = result.merge(&result).unwrap();
        assert_eq!((both.failures["503"].iter().sum::<u64>(), both.failures["timeout"].len()), (400, 500));
        let torn = SeriesResult { failures: [("503".to_owned(), vec![1])].into(), ..result.clone() };
        assert_eq!(result.merge(&torn), None);
    }

    #[test]
    fn the_longest_run_imaginable_fits() {
        let mut series = Series::default();
        series.at(u64::MAX).calls += 1;
        assert_eq!(series.result().calls.iter().sum::<u64>(), 1);
    }
}
