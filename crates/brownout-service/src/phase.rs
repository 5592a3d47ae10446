//! What changes, and when.

use std::time::Duration;

use crate::Change;

/// A stretch of elapsed time: from its start (inclusive) to its end (exclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Since the run began.
    pub from: Duration,
    /// `None` lasts to the end of the run.
    pub until: Option<Duration>,
}

/// A named stretch of the run in which the service behaves differently.
///
/// Where phases overlap, the later in the list wins, separately for outcomes and for latency.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Shown in results and in the decision header.
    pub name: String,
    /// When it holds.
    pub window: Window,
    /// What it replaces, on every route.
    pub change: Change,
}

impl Window {
    /// Whether it holds at `elapsed`.
    #[must_use]
    pub fn contains(&self, elapsed: Duration) -> bool {
        self.from <= elapsed && self.until.is_none_or(|until| elapsed < until)
    }

    /// Whether it holds whenever `other` does.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let ends_later = match (self.until, other.until) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(until), Some(other)) => other <= until,
        };
        self.from <= other.from && ends_later
    }
}

impl Phase {
    /// Whether this phase, coming later in the list, leaves nothing of `earlier`.
    pub(crate) fn hides(&self, earlier: &Self) -> bool {
        let replaces_all = (self.change.outcomes.is_some() || earlier.change.outcomes.is_none())
            && (self.change.latency.is_some() || earlier.change.latency.is_none());
        replaces_all && self.window.covers(&earlier.window)
    }
}

/// The last of the phases on at `elapsed` that replaces what `pick` looks at, and what it puts in its place.
pub(crate) fn replacing<T>(
    phases: &[Phase],
    elapsed: Duration,
    pick: impl Fn(&Change) -> Option<&T>,
) -> Option<(&Phase, &T)> {
    let on = phases.iter().rev().filter(|phase| phase.window.contains(elapsed));
    on.filter_map(|phase| Some((phase, pick(&phase.change)?))).next()
}

#[cfg(test)]
mod tests {
    use super::Window;
    use std::time::Duration;

    fn window(from: u64, until: Option<u64>) -> Window {
        Window { from: Duration::from_secs(from), until: until.map(Duration::from_secs) }
    }

    #[test]
    fn a_window_begins_with_its_start_and_ends_before_its_end() {
        let outage = window(30, Some(40));
        let at = |secs| outage.contains(Duration::from_secs(secs));
        assert_eq!([at(29), at(30), at(39), at(40)], [false, true, true, false]);
        assert!(window(30, None).contains(Duration::MAX));
    }

    #[test]
    fn covering() {
        assert!(window(0, None).covers(&window(5, Some(6))));
        assert!(window(5, Some(6)).covers(&window(5, Some(6))));
        assert!(!window(5, Some(6)).covers(&window(5, None)));
        assert!(!window(5, Some(6)).covers(&window(4, Some(6))));
    }
}
