//! Looking at a run from outside.

use std::sync::{Arc, OnceLock};

use brownout_load::Snapshot;

use crate::run::Run;

/// Looks at one load, from any thread, whenever it likes. A look takes the lock of the counts for 10 to 150 µs; nothing is
/// done for it otherwise.
#[derive(Clone, Debug, Default)]
pub struct Probe(Arc<OnceLock<Arc<Run>>>);

impl Probe {
    /// What the load has come to; `None` before it begins.
    #[must_use]
    pub fn snapshot(&self) -> Option<Snapshot> {
        Some(self.0.get()?.snapshot())
    }

    /// Looks at `run` from now on, unless it looks at another.
    pub(crate) fn look_at(&self, run: &Arc<Run>) {
        let _ = self.0.set(Arc::clone(run));
    }
}
