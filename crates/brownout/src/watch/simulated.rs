//! A load in virtual time that somebody waits for.

use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::time::Duration;

use brownout_load::{Load, LoadResult};
use brownout_service::Request;
use brownout_sim::{Limits, Observer, World};

use crate::cores::Meter;
use crate::exit::Stop;
use crate::signal::{Ending, on_signal};

/// Tells how far the run is, and ends it when that is asked for.
struct Onlooker<'e> {
    meter: Meter,
    ended: &'e OnceLock<Ending>,
}

impl Observer for Onlooker<'_> {
    fn progress(&mut self, events: u64, elapsed: Duration) -> ControlFlow<String> {
        let seconds = elapsed.as_secs_f64();
        self.meter.show(|| format!("{:.1} million events, {seconds:.1} s of virtual time", events as f64 / 1e6));
        match self.ended.get() {
            Some(ending) => ControlFlow::Break(ending.why.to_owned()),
            None => ControlFlow::Continue(()),
        }
    }
}

/// Runs `load` in `world`: what it came to, and what ended it before its end, if anything did.
pub(crate) fn simulate(
    world: &World<'_>,
    request: &Request<'_>,
    load: &Load,
    limits: Limits,
) -> Result<(LoadResult, Option<Ending>), Stop> {
    let ended = OnceLock::new();
    let interrupted = |ending| _ = ended.set(ending);
    let result = on_signal(interrupted, || {
        let (result, Onlooker { meter, .. }) =
            world.watch(request, load, limits, Onlooker { meter: Meter::new(), ended: &ended });
        meter.end();
        result
    })?;
    // One that came too late for the run has ended nothing.
    let ending = ended.into_inner().filter(|_| result.cut_short.is_some());
    Ok((result, ending))
}
