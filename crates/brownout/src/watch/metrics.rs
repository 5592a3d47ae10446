//! The counts of a load for Prometheus, while it goes on.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use brownout_admin::{Admin, Guard};
use brownout_drive::Probe;
use brownout_load::Snapshot;
use tokio::sync::oneshot;

use crate::exit::Stop;
use crate::flags::admin_token;
use crate::output::talk;

/// How long a look is good for, however often somebody asks.
const FRESH: Duration = Duration::from_millis(100);

/// An endpoint that answers from a thread of its own, until this is dropped.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// Nothing is ever sent: who is done drops its end.
    over: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Metrics {
    /// Serves at `address` what `probe` sees, and says where that is.
    pub(crate) fn serve(address: SocketAddr, probe: Probe) -> Result<Self, Stop> {
        let guard = guard(address)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Stop::failed(format!("failed to start the runtime: {error}")))?;
        let (over, is_over) = oneshot::channel::<()>();
        let (tell, told) = mpsc::channel();
        // The runtime of the calls may be at work here, and a thread has one at a time.
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let admin = match Admin::bind(address, guard).await {
                    Ok(admin) => admin,
                    Err(error) => {
                        let _ = tell.send(Err(error));
                        return;
                    }
                };
                let _ = tell.send(Ok(admin.address()));
                let last = Mutex::new(None);
                tokio::select! {
                    () = admin.run_for_load(move || look(&probe, &last)) => {}
                    _ = is_over => {}
                }
            });
        });
        let bound = told.recv().map_err(|_| Stop::failed("the metrics came to an end before they began"))?;
        let refusal = |error| {
            Stop::failed(format!(
                "failed to listen on {address} for the metrics: {error}; choose another port with --metrics, or 0 for any free one"
            ))
        };
        talk(&format!("metrics http://{}/metrics", bound.map_err(refusal)?));
        Ok(Self { over: Some(over), thread: Some(thread) })
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        drop(self.over.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Who may ask at `address`.
pub(super) fn guard(address: SocketAddr) -> Result<Guard, Stop> {
    let token = if address.ip().is_loopback() { None } else { admin_token(None) };
    let refusal = |error| Stop::usage(format!("--metrics: {error}; the token is that of $BROWNOUT_ADMIN_TOKEN"));
    Guard::new(address, token).map_err(refusal)
}

/// What was seen a moment ago, else what is to be seen now.
fn look(probe: &Probe, last: &Mutex<Option<(Instant, Snapshot)>>) -> Option<Snapshot> {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    if last.as_ref().is_none_or(|(at, _)| at.elapsed() > FRESH) {
        *last = Some((Instant::now(), probe.snapshot()?));
    }
    last.as_ref().map(|(_, snapshot)| snapshot.clone())
}
