//! Looking on while a load goes on, and ending it early.
//!
//! Over sockets a thread of its own looks at the counts every now and then, so that what is shown takes nothing from the calls.

mod extent;
mod flags;
mod history;
mod line;
#[cfg(feature = "tui")]
mod live;
#[cfg(not(feature = "tui"))]
#[path = "without_live.rs"]
mod live;
mod metrics;
mod simulated;

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use brownout_clock::Scale;
use brownout_drive::Probe;
use brownout_load::Shard;
use brownout_scenario::Scenario;
use brownout_service::Phase;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::cores::Meter;
use crate::exit::Stop;
use crate::output::talk_is_drawn;
use crate::setting::Setting;
use crate::signal::Ending;
use extent::Extent;
use history::History;
use metrics::Metrics;

pub(crate) use flags::WatchFlags;
pub(crate) use live::leave;
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
    /// Who is called, by what.
    #[cfg_attr(not(feature = "tui"), expect(dead_code, reason = "only the live view shows it"))]
    about: String,
    #[cfg_attr(not(feature = "tui"), expect(dead_code, reason = "only the live view shows them"))]
    phases: Vec<Phase>,
}

/// Whoever looks on, until this is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Nothing is ever sent: who is done drops its end.
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Where keys say that the run is to end.
    keys: Option<UnboundedReceiver<Ending>>,
    _metrics: Option<Metrics>,
}

impl Watched {
    /// The load of `setting` that `probe` looks at, or its `shard`, against `callee`, in time of `scale`.
    pub(crate) fn new(probe: Probe, setting: &Setting, shard: Option<Shard>, (callee, scale): (&str, Scale)) -> Self {
        let Scenario { load, service, .. } = &setting.scenario;
        let about = format!("{callee}, {}", setting.title());
        Self { probe, extent: Extent::of(load, shard), scale, about, phases: service.phases().to_vec() }
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
    /// Serves and shows what `flags` ask for; else tells on a terminal how far it is, once it takes longer than a second.
    pub(crate) fn begin(flags: WatchFlags, watched: Watched) -> Result<Self, Stop> {
        let serve = |address| Metrics::serve(address, watched.probe.clone());
        let metrics = flags.metrics.map(serve).transpose()?;
        let (over, is_over) = channel();
        let (ending, keys) = unbounded_channel();
        let thread = if flags.live {
            let screen = live::begin()?;
            Some(std::thread::spawn(move || live::show(screen, &watched, &is_over, &ending)))
        } else {
            talk_is_drawn().then(|| std::thread::spawn(move || tell(&watched, &is_over)))
        };
        Ok(Self { over: Some(over), thread, keys: flags.live.then_some(keys), _metrics: metrics })
    }

    /// Resolves when whoever looks on ends the run by a key, or `asked` does.
    pub(crate) fn ended(&mut self, asked: impl Future<Output = Ending>) -> impl Future<Output = Ending> {
        let keys = self.keys.take();
        let by_key = async {
            let Some(mut keys) = keys else { return std::future::pending().await };
            match keys.recv().await {
                Some(ending) => ending,
                None => std::future::pending().await,
            }
        };
        async {
            tokio::select! {
                ending = asked => ending,
                ending = by_key => ending,
            }
        }
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
