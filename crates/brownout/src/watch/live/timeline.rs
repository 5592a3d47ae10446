//! The phases of a scenario along its time.

use std::time::Duration;

use brownout_service::Phase;

/// How many names are shown.
const ROWS_MAX: usize = 4;

/// The phases of one name, column by column.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    /// Whether one of them is on in each column.
    pub(super) on: Vec<bool>,
}

/// Up to when the line reaches: the end of the load, where that is known, else the end of the last phase that has one, or now.
pub(super) fn horizon(phases: &[Phase], ends: Option<Duration>, now: Duration) -> Duration {
    let last = phases.iter().filter_map(|phase| phase.window.until).max().unwrap_or_default();
    ends.unwrap_or(last).max(now).max(Duration::from_secs(1))
}

/// The column of `now` on a line of so many columns, which reaches to `horizon`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a column of a terminal")]
pub(super) fn column(now: Duration, horizon: Duration, columns: usize) -> usize {
    let place = now.as_secs_f64() / horizon.as_secs_f64() * columns as f64;
    (place as usize).min(columns.saturating_sub(1))
}

/// The first few names of `phases`, in their order, on a line of so many columns.
pub(super) fn rows(phases: &[Phase], horizon: Duration, columns: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for phase in phases {
        let row = match rows.iter().position(|row| row.name == phase.name) {
            Some(row) => row,
            None if rows.len() < ROWS_MAX => {
                rows.push(Row { name: phase.name.clone(), on: vec![false; columns] });
                rows.len() - 1
            }
            None => continue,
        };
        if columns == 0 || phase.window.from >= horizon {
            continue;
        }
        // However short it is, it has a column.
        let first = column(phase.window.from, horizon, columns);
        let until = phase.window.until.unwrap_or(horizon).min(horizon);
        let last = column(until.saturating_sub(Duration::from_nanos(1)), horizon, columns).max(first);
        rows[row].on[first..=last].fill(true);
    }
    rows
}

#[cfg(test)]
pub(super) mod tests {
    use super::{column, horizon, rows};
    use brownout_service::{Change, Factors, Only, Phase, Ramp, Window};
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    pub(in crate::watch::live) fn phase(name: &str, from: u64, until: Option<u64>) -> Phase {
        Phase {
            name: name.to_owned(),
            window: Window { from: SECS(from), until: until.map(SECS) },
            ramp: Ramp::default(),
            change: Change { outcomes: None, latency: None },
            factors: Factors::default(),
            only: Only::default(),
        }
    }

    #[test]
    fn each_name_has_a_row_and_each_phase_its_columns() {
        let phases = [phase("outage", 10, Some(20)), phase("night", 30, None), phase("outage", 30, Some(31))];
        let rows = rows(&phases, SECS(40), 8);
        let shown = |row: usize| -> String { rows[row].on.iter().map(|on| if *on { '#' } else { '-' }).collect() };
        assert_eq!((rows.len(), shown(0), shown(1)), (2, "--##--#-".to_owned(), "------##".to_owned()));
    }

    #[test]
    fn it_reaches_to_the_end_that_is_known() {
        let phases = [phase("outage", 10, Some(20)), phase("night", 30, None)];
        assert_eq!(horizon(&phases, Some(SECS(60)), SECS(5)), SECS(60));
        assert_eq!(horizon(&phases, None, SECS(5)), SECS(20));
        assert_eq!(horizon(&phases, None, SECS(50)), SECS(50));
        assert_eq!(
            (column(SECS(0), SECS(60), 60), column(SECS(30), SECS(60), 60), column(SECS(60), SECS(60), 60)),
            (0, 30, 59)
        );
        // A line too short for anything.
        assert_eq!((column(SECS(5), SECS(60), 0), super::rows(&phases, SECS(60), 0)[0].on.len()), (0, 0));
    }
}
