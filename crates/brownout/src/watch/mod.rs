//! Looking on while a load goes on, and ending it early.
//!
//! Over sockets a thread of its own looks at the counts every now and then, so that what is shown takes nothing from the calls.

mod extent;
mod flags;
mod history;
mod line;
mod metrics;
mod simulated;

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use brownout_clock::Scale;
use brownout_drive::Probe;
use brownout_load::{Load, Shard};

use crate::cores::Meter;
use crate::exit::Stop;
use crate::output::talk_is_drawn;
use extent::Extent;
use history::History;
use metrics::Metrics;

pub(crate) use flags::WatchFlags;
pub(crate) use simulated::simulate;

/// How often a load is looked at, in real time.
const TICK: Duration = Duration::from_millis(200);

/// How much of real time a rate or a percentile is of.
const STRETCH: Duration = Duration::from_secs(1);

/// What is looked at.
#[derive(Debug)]
pub(crate) struct Watched {
    probe: Probe,
    extent: Extent,
    scale: Scale,
}

/// Whoever looks on, until this is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Nothing is ever sent: who is done drops its end.
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _metrics: Option<Metrics>,
}

impl Watched {
    /// The `load` that `probe` looks at, or its `shard`, in time of `scale`.
    pub(crate) fn new(probe: Probe, load: &Load, shard: Option<Shard>, scale: Scale) -> Self {
        Self { probe, extent: Extent::of(load, shard), scale }
    }

    /// Adds a look to the `history`, which begins with the first.
    fn look(&self, history: &mut Option<History>) {
        let Some(now) = self.probe.snapshot() else { return };
        match history {
            Some(history) => history.look(now),
            None => *history = Some(History::new(now, self.scale.scenario(STRETCH))),
        }
    }
}

impl Watch {
    /// Serves what `flags` ask for, and tells how far it is where that is of use, on a terminal, once it takes longer than a second.
    pub(crate) fn begin(flags: WatchFlags, watched: Watched) -> Result<Self, Stop> {
        let serve = |address| Metrics::serve(address, watched.probe.clone());
        let metrics = flags.metrics.map(serve).transpose()?;
        if !talk_is_drawn() {
            return Ok(Self { over: None, thread: None, _metrics: metrics });
        }
        let (over, is_over) = channel();
        let thread = std::thread::spawn(move || tell(&watched, &is_over));
        Ok(Self { over: Some(over), thread: Some(thread), _metrics: metrics })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.over.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Err(panicked)) = ended
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(panicked);
        }
    }
}

fn tell(watched: &Watched, is_over: &Receiver<()>) {
    let (meter, mut history) = (Meter::new(), None);
    while is_over.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        watched.look(&mut history);
        if let Some(history) = &history {
            meter.show(|| line::line(history, &watched.extent, watched.scale));
        }
    }
    meter.end();
}
