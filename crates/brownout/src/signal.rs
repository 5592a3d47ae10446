//! Being asked to end.

/// Comes true at Ctrl-C or SIGTERM. A second one ends the program at once, as it would without this.
pub(crate) async fn asked_to_end() {
    first().await;
    tokio::spawn(async {
        first().await;
        std::process::exit(130);
    });
}

#[cfg(unix)]
async fn first() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(not(unix))]
async fn first() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
