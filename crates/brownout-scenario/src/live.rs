//! A change of a service that runs.

use std::time::Duration;

use brownout_service::{Phase, Window};

use crate::problem::Problems;
use crate::{Invalid, decode, read};

/// A phase that begins when it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct LivePhase {
    /// The phase, as if the run began now; it ends.
    pub(crate) phase: Phase,
    /// The service behind that it is of; `None` for the one that clients call.
    pub service: Option<String>,
}

impl LivePhase {
    /// The longest: a day. What is forgotten heals.
    pub const LASTS_MAX: Duration = Duration::from_secs(86_400);

    /// Reads JSON with the keys of a phase, without those that say when it comes.
    ///
    /// # Errors
    /// Every mistake in it, each with its place.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const NAME: &str = "the change";
        let mut problems = Problems::default();
        let tree = read::tree(text, true, &mut problems).filter(|_| problems.is_empty());
        let read = tree.and_then(|tree| decode::live_phase(&tree, &mut problems));
        read.ok_or_else(|| problems.into_invalid(NAME, text))
    }

    /// The phase, begun at `now`.
    #[must_use]
    pub fn begun(self, now: Duration) -> Phase {
        let Window { from, until } = self.phase.window;
        let shifted = Window { from: from + now, until: until.map(|until| until.saturating_add(now)) };
        Phase { window: shifted, ..self.phase }
    }
}

#[cfg(test)]
mod tests {
    use super::LivePhase;
    use std::time::Duration;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found = match LivePhase::parse(text) {
            Ok(_) => vec![],
            Err(invalid) => invalid.problems().iter().map(|problem| problem.message.clone()).collect(),
        };
        assert_eq!(found.len(), expected.len(), "{text}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{text}: {found}");
        }
    }

    #[test]
    fn it_begins_now_and_ends() {
        let live = LivePhase::parse(r#"{ "for": "30s", "outcomes": { "error": 1 }, "ramp_up": "5s" }"#).unwrap();
        let phase = live.begun(Duration::from_secs(100));
        assert_eq!((phase.name.as_str(), phase.window.from.as_secs()), ("live", 100));
        assert_eq!(phase.window.until, Some(Duration::from_secs(130)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        check(r#"{ "for": "30s", "refuse": true }"#, &[]);
        check(r#"{ "outcomes": { "error": 1 } }"#, &["`for`"]);
        check(r#"{ "for": "0s", "refuse": true }"#, &["a change lasts up to a day"]);
        check(r#"{ "for": "25h", "refuse": true }"#, &["a change lasts up to a day"]);
        check(r#"{ "for": "30s" }"#, &["a change changes something"]);
        check(r#"{ "for": "3s", "ramp_up": "4s", "slowdown": 2 }"#, &["the ramps of a change fit into it"]);
        check(r#"{ "for": "30s", "from": "1s", "every": "2s" }"#, &["from", "every"]);
        check(r#"{ "for": "30s", "outcomes": { "error": 2, "no": 1 } }"#, &["2", "no"]);
        check("[1]", &["table"]);
        check("{", &[""]);
        check("", &["found nothing"]);
    }
}
