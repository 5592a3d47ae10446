//! What happened when, over several runs.

use brownout_load::SeriesResult;
use serde::Serialize;

/// The course of the runs of a policy, interval by interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Course {
    /// How many runs it is of: the first ones, [`RUNS_MAX`](Self::RUNS_MAX) at the most.
    pub runs: usize,
    /// The length of an interval, in seconds.
    pub interval_s: u64,
    /// Calls started in it: the mean over the runs.
    pub calls: Vec<f64>,
    /// Attempts started in it: the mean.
    pub attempts: Vec<f64>,
    /// Calls that ended well in it: the mean.
    pub succeeded: Vec<f64>,
    /// The same in the run that had the fewest.
    pub succeeded_min: Vec<u64>,
    /// The same in the run that had the most.
    pub succeeded_max: Vec<u64>,
}

impl Course {
    /// The most runs that are kept for it.
    pub const RUNS_MAX: usize = 20;

    /// Where the last interval ends, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "a time to draw to")]
    #[must_use]
    pub fn end_s(&self) -> f64 {
        self.interval_s as f64 * self.calls.len() as f64
    }

    /// Of these runs, in the intervals of the longest. What had ended by then counts as nothing. `None` of none.
    #[must_use]
    pub fn of<'s>(runs: impl Iterator<Item = &'s SeriesResult> + Clone) -> Option<Self> {
        let interval_s = runs.clone().map(|series| series.interval_s).max()?;
        let runs: Vec<_> = runs.filter_map(|series| series.at_intervals_of(interval_s)).collect();
        let length = runs.iter().map(|series| series.calls.len()).max()?;
        let at = |column: &[u64], place: usize| column.get(place).copied().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a mean of counts")]
        let mean = |pick: fn(&SeriesResult) -> &[u64]| {
            let sum = |place: usize| runs.iter().map(|series| at(pick(series), place)).sum::<u64>();
            (0..length).map(|place| sum(place) as f64 / runs.len() as f64).collect()
        };
        let ends = |place: usize| {
            let all = runs.iter().map(|series| at(&series.succeeded, place));
            all.fold((u64::MAX, 0), |(least, most), count| (least.min(count), most.max(count)))
        };
        let (succeeded_min, succeeded_max) = (0..length).map(ends).unzip();
        Some(Self {
            runs: runs.len(),
            interval_s,
            calls: mean(|series| &series.calls),
            attempts: mean(|series| &series.attempts),
            succeeded: mean(|series| &series.succeeded),
            succeeded_min,
            succeeded_max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Course;
    use brownout_load::SeriesResult;

    fn run(interval_s: u64, succeeded: &[u64]) -> SeriesResult {
        let column = succeeded.to_vec();
        SeriesResult {
            interval_s,
            calls: column.clone(),
            attempts: column.iter().map(|count| 2 * count).collect(),
            failed: vec![0; column.len()],
            succeeded: column,
            ..SeriesResult::default()
        }
    }

    #[test]
    fn runs_of_different_lengths_lie_on_the_intervals_of_the_longest() {
        let runs = [run(1, &[1, 2, 3, 4, 5]), run(2, &[5, 1])];
        let course = Course::of(runs.iter()).unwrap();
        assert_eq!((course.runs, course.interval_s), (2, 2));
        assert_eq!(course.succeeded, [4.0, 4.0, 2.5]);
        assert_eq!((course.succeeded_min, course.succeeded_max), (vec![3, 1, 0], vec![5, 7, 5]));
        assert_eq!(course.attempts, [8.0, 8.0, 5.0]);
        assert_eq!(Course::of(std::iter::empty()), None);
    }
}
