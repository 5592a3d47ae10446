//! What services did lately: a point a second, two minutes of them.
//!
//! Counts only grow, so that what happened in between is a difference. They are looked at once a second, by nobody who serves.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use brownout_serve::{App, Counts, Latencies};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::control::{Control, Served};
use crate::fare::Fare;

/// How often it is looked, in real time.
const EVERY: Duration = Duration::from_secs(1);
/// How many points are kept.
const POINTS: usize = 120;
/// Over how many of the last seconds rates and quantiles are told.
const SPAN: usize = 5;

/// What all services did lately.
#[derive(Debug)]
pub(crate) struct Lately {
    courses: Mutex<Vec<Course>>,
    /// How often it was looked.
    looks: watch::Sender<u64>,
}

/// What one service did lately.
#[derive(Debug, Default)]
struct Course {
    /// The last [`SPAN`] looks and the one before them, the latest last.
    looks: VecDeque<Look>,
    points: VecDeque<Point>,
}

/// What there was at one moment, in all.
#[derive(Clone, Debug)]
struct Look {
    at: Duration,
    counts: Counts,
    /// Requests that each limit refused.
    over_limit: Vec<(String, u64)>,
}

/// A second.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Point {
    /// When it ended.
    at_s: f64,
    /// How long it was, in the scenario's time.
    span_s: f64,
    #[serde(flatten)]
    fare: Fare,
    /// Of what was asked and of what it took, the median and the 99th percentile, where there were answers enough.
    asked_ms: [Option<f64>; 2],
    took_ms: [Option<f64>; 2],
}

/// The last seconds.
#[derive(Debug, Serialize)]
pub(crate) struct Rates {
    /// How long they were, in the scenario's time; 0 before the first.
    span_s: f64,
    requests: u64,
    #[serde(flatten)]
    fare: Fare,
    /// Requests by what they met.
    by_outcome: BTreeMap<&'static str, u64>,
    /// Requests that each limit refused.
    over_limit: BTreeMap<String, u64>,
    /// How long the scenario asked answers to take, and how long they took.
    asked_ms: Quantiles,
    took_ms: Quantiles,
}

/// Some of a distribution; `None` where there were not answers enough to tell.
#[derive(Debug, Serialize)]
pub(crate) struct Quantiles {
    count: u64,
    p50: Option<f64>,
    p90: Option<f64>,
    p99: Option<f64>,
    p99_9: Option<f64>,
}

impl Point {
    /// When it began.
    pub(crate) fn began(&self) -> Duration {
        Duration::try_from_secs_f64(self.at_s - self.span_s).unwrap_or_default()
    }
}

impl Lately {
    /// Of so many services, before the first look.
    pub(crate) fn of(services: usize) -> Self {
        Self { courses: Mutex::new((0..services).map(|_| Course::default()).collect()), looks: watch::Sender::new(0) }
    }

    /// Looks at what `control` has, once a second, for ever.
    pub(crate) async fn look_on(&self, control: &Control) {
        let mut ticks = tokio::time::interval(EVERY);
        // What was missed cannot be had any more.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look(control);
        }
    }

    pub(crate) fn look(&self, control: &Control) {
        let looks: Vec<_> = control.services.iter().map(Look::at).collect();
        self.courses().iter_mut().zip(looks).for_each(|(course, look)| course.push(look));
        self.looks.send_modify(|looks| *looks += 1);
    }

    /// Tells of each look that is made from now on.
    pub(crate) fn looks(&self) -> watch::Receiver<u64> {
        self.looks.subscribe()
    }

    /// The last seconds of the service at `place`, and its points, the latest last.
    pub(crate) fn told(&self, place: usize) -> (Rates, Vec<Point>) {
        let courses = self.courses();
        let course = &courses[place];
        (course.rates(), course.points.iter().cloned().collect())
    }

    /// How the service at `place` fared in the last seconds.
    pub(crate) fn fare(&self, place: usize) -> Fare {
        self.courses()[place].fare()
    }

    fn courses(&self) -> MutexGuard<'_, Vec<Course>> {
        self.courses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Look {
    fn at(served: &Served) -> Self {
        let app: &App = &served.app;
        let limits = app.limits().map(|(limits, _)| limits).unwrap_or_default();
        let over_limit = limits.into_iter().map(|limit| (limit.name, limit.refused)).collect();
        Self { at: app.clock().now(), counts: app.counts(), over_limit }
    }

    /// Whether it is of the run that `earlier` was of.
    fn follows(&self, earlier: &Self) -> bool {
        earlier.at <= self.at && earlier.counts.requests <= self.counts.requests
    }

    /// Of both asked and took, what was added since.
    fn times_since(&self, earlier: &Self) -> [Latencies; 2] {
        let ([asked, took], [asked_before, took_before]) =
            (&self.counts.asked_and_took, &earlier.counts.asked_and_took);
        [asked.since(asked_before), took.since(took_before)]
    }

    fn span_since(&self, earlier: &Self) -> f64 {
        self.at.saturating_sub(earlier.at).as_secs_f64()
    }
}

impl Course {
    fn push(&mut self, look: Look) {
        match self.looks.back() {
            Some(last) if look.follows(last) => {
                let times = look.times_since(last);
                let [asked_ms, took_ms] = times.map(|times| [millis(&times, 0.5), millis(&times, 0.99)]);
                let fare = Fare::of(&look.counts).since(Fare::of(&last.counts));
                let span_s = look.span_since(last);
                self.points.push_back(Point { at_s: look.at.as_secs_f64(), span_s, fare, asked_ms, took_ms });
            }
            Some(_) => *self = Self::default(),
            None => {}
        }
        self.looks.push_back(look);
        drop_first(&mut self.looks, SPAN + 1);
        drop_first(&mut self.points, POINTS);
    }

    /// The look since which rates are told, and the last one.
    fn ends(&self) -> Option<(&Look, &Look)> {
        self.looks.front().zip(self.looks.back())
    }

    fn fare(&self) -> Fare {
        self.ends().map_or_else(Fare::default, |(first, last)| Fare::of(&last.counts).since(Fare::of(&first.counts)))
    }

    fn rates(&self) -> Rates {
        let Some((first, last)) = self.ends() else { return Rates::none() };
        let [asked, took] = last.times_since(first);
        let since = |own: u64, before: Option<&u64>| own - before.copied().unwrap_or(0).min(own);
        let by_outcome = last.counts.by_outcome.iter();
        let by_outcome = by_outcome.map(|(met, count)| (*met, since(*count, first.counts.by_outcome.get(met))));
        let before: BTreeMap<&str, &u64> =
            first.over_limit.iter().map(|(name, count)| (name.as_str(), count)).collect();
        let over_limit = last.over_limit.iter();
        let over_limit =
            over_limit.map(|(name, count)| (name.clone(), since(*count, before.get(name.as_str()).copied())));
        Rates {
            span_s: last.span_since(first),
            requests: last.counts.requests - first.counts.requests,
            fare: self.fare(),
            by_outcome: by_outcome.filter(|(_, count)| *count > 0).collect(),
            over_limit: over_limit.collect(),
            asked_ms: Quantiles::of(&asked),
            took_ms: Quantiles::of(&took),
        }
    }
}

fn drop_first<T>(queue: &mut VecDeque<T>, most: usize) {
    while most < queue.len() {
        queue.pop_front();
    }
}

impl Rates {
    fn none() -> Self {
        let none = Latencies::default();
        Self {
            span_s: 0.0,
            requests: 0,
            fare: Fare::default(),
            by_outcome: BTreeMap::new(),
            over_limit: BTreeMap::new(),
            asked_ms: Quantiles::of(&none),
            took_ms: Quantiles::of(&none),
        }
    }
}

impl Quantiles {
    pub(crate) fn of(times: &Latencies) -> Self {
        let of = |quantile| millis(times, quantile);
        Self { count: times.count(), p50: of(0.5), p90: of(0.9), p99: of(0.99), p99_9: of(0.999) }
    }
}

fn millis(times: &Latencies, quantile: f64) -> Option<f64> {
    times.quantile(quantile).map(|time| time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::{Course, Look, POINTS, SPAN};
    use brownout_serve::Counts;
    use std::time::Duration;

    /// After so many seconds, with so many answers of 200 and so many of 500 in all.
    fn look(second: u64, well: u64, failed: u64) -> Look {
        let counts = Counts {
            requests: well + failed,
            by_outcome: [("success", well), ("error", failed)].into(),
            by_status: [(200, well), (500, failed)].into(),
            ..Counts::default()
        };
        Look { at: Duration::from_secs(second), counts, over_limit: vec![("quota".to_owned(), failed)] }
    }

    #[test]
    fn a_point_is_what_came_in_its_second_and_rates_are_those_of_the_last_five() {
        let mut course = Course::default();
        // Ten a second go well; from the tenth second on one fails.
        for second in 0..200 {
            course.push(look(second, 10 * second, second.saturating_sub(10)));
        }
        assert_eq!((course.points.len(), course.looks.len()), (POINTS, SPAN + 1));
        let last = course.points.back().unwrap();
        assert_eq!((last.fare.well, last.fare.failed, last.fare.broken), (10, 1, 0));
        let rates = course.rates();
        assert_eq!((rates.requests, rates.by_outcome["error"], rates.over_limit["quota"]), (55, 5, 5));
        assert!((rates.span_s - 5.0).abs() < 1e-9);
    }

    #[test]
    fn a_run_that_begins_again_has_no_past() {
        let mut course = Course::default();
        (0..20).for_each(|second| course.push(look(second, 10 * second, 0)));
        course.push(look(1, 3, 0));
        assert_eq!((course.points.len(), course.rates().requests), (0, 0));
        course.push(look(2, 5, 0));
        assert_eq!((course.points.len(), course.rates().requests), (1, 2));
    }
}
