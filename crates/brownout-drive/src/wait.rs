//! Waiting, until the run is ended at the latest.

use std::time::Duration;

use brownout_clock::Clock;
use tokio::sync::watch;

/// Waits for a moment of `clock`; without one, for ever.
pub(crate) async fn until(clock: &Clock, moment: Option<Duration>) {
    match moment {
        Some(moment) => clock.sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Waits for the run to be ended.
pub(crate) async fn end_of(ended: &mut watch::Receiver<bool>) {
    if ended.wait_for(|ended| *ended).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What `work` comes to, or `None` when the run is ended first.
pub(crate) async fn unless_ended<T>(ended: &mut watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = end_of(ended) => None,
    }
}
