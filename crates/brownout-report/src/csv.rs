//! A result as CSV: a row for each interval of the run.

use std::fmt::Write as _;

use brownout_load::SeriesResult;

use crate::{LoadReport, written};

/// The columns. Percentiles are of the calls begun in the interval, in milliseconds, to a thirty-second; empty where the count cannot
/// carry them, or nobody asked for them before the run.
const HEAD: &str = "from_s,until_s,calls,attempts,succeeded,p50_ms,p90_ms,p99_ms";

impl LoadReport {
    /// As CSV (RFC 4180, with bare line ends): a head, then a row for each interval.
    #[must_use]
    pub fn csv(&self) -> String {
        written(|text| write(text, &self.result.per_interval))
    }
}

fn write(text: &mut String, series: &SeriesResult) -> std::fmt::Result {
    writeln!(text, "{HEAD}")?;
    let latencies = series.latencies().unwrap_or_default();
    let columns = series.calls.iter().zip(&series.attempts).zip(&series.succeeded);
    for (index, ((calls, attempts), succeeded)) in columns.enumerate() {
        let from = index as u64 * series.interval_s;
        write!(text, "{from},{},{calls},{attempts},{succeeded}", from + series.interval_s)?;
        let values: &[(u64, u64)] = latencies.get(index).map_or(&[], Vec::as_slice);
        for (least, share) in [(2, 0.5), (10, 0.9), (100, 0.99)] {
            write!(text, ",")?;
            if let Some(nanos) = percentile(values, share, least) {
                #[expect(clippy::cast_precision_loss, reason = "milliseconds for showing")]
                write!(text, "{:.3}", nanos as f64 / 1e6)?;
            }
        }
        writeln!(text)?;
    }
    Ok(())
}

/// The value that a `share` of the values does not exceed; `None` of fewer than `least`.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
pub(crate) fn percentile(values: &[(u64, u64)], share: f64, least: u64) -> Option<u64> {
    let total: u64 = values.iter().map(|(_, count)| count).sum();
    let wanted = (share * total as f64).ceil() as u64;
    let mut seen = 0;
    let mut reached = values.iter().filter(|_| total >= least);
    reached
        .find(|(_, count)| {
            seen += count;
            seen >= wanted
        })
        .map(|(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::percentile;
    use crate::load::tests::report;
    use brownout_load::SeriesResult;

    #[test]
    fn each_interval_is_a_row_and_the_columns_add_up() {
        let mut report = report();
        report.result.per_interval = SeriesResult {
            interval_s: 4,
            calls: vec![12, 0],
            attempts: vec![18, 0],
            succeeded: vec![8, 1],
            failed: vec![4, 0],
            latency_hdr_ns: vec!["1000000:9 2500000:3".to_owned(), String::new()],
            ..SeriesResult::default()
        };
        let csv = report.csv();
        let rows: Vec<&str> = csv.lines().collect();
        let expected = [
            "from_s,until_s,calls,attempts,succeeded,p50_ms,p90_ms,p99_ms",
            "0,4,12,18,8,1.000,2.500,",
            "4,8,0,0,1,,,",
        ];
        assert_eq!(rows, expected);
        let fields = |row: &str| row.split(',').count();
        assert!(rows.iter().all(|row| fields(row) == fields(rows[0])));
    }

    #[test]
    fn percentiles_need_values_enough() {
        let values = [(10, 50), (20, 49), (30, 1)];
        assert_eq!([0.5, 0.9, 0.99, 1.0].map(|share| percentile(&values, share, 100)), [10, 20, 20, 30].map(Some));
        assert_eq!(percentile(&values, 0.5, 101), None);
        assert_eq!(percentile(&[], 0.5, 2), None);
    }
}
