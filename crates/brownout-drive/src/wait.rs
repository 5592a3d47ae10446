//! Waiting on tokio's clock.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Waits; no time at all is no trip through the timer, which would round it up to a millisecond.
pub(crate) async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

/// Waits for a moment; without one, for ever. One that is past is no trip through the timer.
pub(crate) async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) if moment <= Instant::now() => {}
        Some(moment) => tokio::time::sleep_until(moment).await,
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
