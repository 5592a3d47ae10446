//! When a server has something to do that no request asks for.

use std::sync::Arc;
use std::time::Duration;

use brownout_service::Service;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::App;
use crate::run::Run;

/// Follows what the phases of a service do to its port and to its workers, through every change of it.
#[derive(Debug)]
pub(crate) struct Schedule {
    runs: watch::Receiver<Arc<Run>>,
    run: Arc<Run>,
    services: watch::Receiver<Arc<Service>>,
    /// Whether connections are refused.
    pub(crate) refuses: bool,
    /// When that may change.
    next: Option<Duration>,
    /// Of the run, and ended with it.
    workers: JoinSet<()>,
}

impl Schedule {
    pub(crate) fn new(app: &App) -> Self {
        let mut runs = app.runs();
        let run = Arc::clone(&runs.borrow_and_update());
        let services = run.services();
        let mut own = Self { runs, run, services, refuses: false, next: None, workers: JoinSet::new() };
        own.begin();
        own
    }

    /// Resolves when [`refuses`](Self::refuses) may have changed.
    pub(crate) async fn change(&mut self) {
        let reached = async {
            match self.next {
                Some(next) => {
                    self.run.clock.sleep_until(next).await;
                    next
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Ok(()) = self.runs.changed() => {
                self.run = Arc::clone(&self.runs.borrow_and_update());
                self.services = self.run.services();
                self.begin();
            }
            Ok(()) = self.services.changed() => self.look(self.run.clock.now()),
            next = reached => self.look(next),
            else => std::future::pending().await,
        }
    }

    fn begin(&mut self) {
        self.workers = JoinSet::new();
        if let Some(site) = &self.run.site {
            self.workers.spawn(Arc::clone(site).follow_workers());
        }
        self.look(self.run.clock.now());
    }

    fn look(&mut self, elapsed: Duration) {
        self.services.mark_unchanged();
        (self.refuses, self.next) = self.run.refusal(elapsed);
    }
}
