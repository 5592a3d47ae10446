//! What is going on, told again and again.
//!
//! An event is all that there is to know of one service at one moment, so that who missed the one before has missed nothing: a reader
//! that is slow skips, and nothing is kept for it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use brownout_load::EffectResult;
use brownout_report::Origin;
use brownout_service::{Outcome, Phase};
use bytes::Bytes;
use hyper::StatusCode;
use hyper::body::{Body, Frame};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::api::Failure;
use crate::clients::Clients;
use crate::control::{Control, Served};
use crate::fare::Fare;
use crate::journal::{Journal, RecordView};
use crate::lately::{Point, Rates};
use crate::views::{EarlyView, LimitView, ServiceStatus};

/// How many may look on at once.
const LOOKING_MAX: usize = 16;
/// How many of the last answers are told.
const RECORDS: usize = 20;
/// How many phases are told of those that have begun, and of those that come.
const BEGUN: usize = 16;
const COMING: usize = 3;
/// How many phases are named that can be begun.
const NAMES: usize = 40;
/// Of how long clients are told, in real time.
const CLIENTS: Duration = Duration::from_secs(10);

/// Room for those who look on.
#[derive(Debug)]
pub(crate) struct Gallery(Arc<Semaphore>);

/// Somebody who looks on at a service.
#[derive(Debug)]
pub(crate) struct Onlooker {
    service: usize,
    looks: watch::Receiver<u64>,
    _place: OwnedSemaphorePermit,
}

/// Events for an onlooker, as they go over the wire.
pub(crate) struct Events {
    control: Arc<Control>,
    service: usize,
    next: Pin<Box<dyn Future<Output = Option<watch::Receiver<u64>>> + Send>>,
    _place: OwnedSemaphorePermit,
}

/// All there is to know at one moment.
#[derive(Debug, Serialize)]
pub(crate) struct Event {
    /// The time of the run.
    time_s: f64,
    time_scale: f64,
    reload_refused: Option<String>,
    /// Every service in short.
    services: Vec<Brief>,
    /// The one that is looked at.
    #[serde(flatten)]
    service: ServiceStatus,
    /// The routes that have outcomes of their own.
    own_routes: Vec<String>,
    lately: Rates,
    /// A point a second, the latest last.
    course: Vec<Point>,
    /// The phases of the last two minutes and those to come, the first of these.
    timeline: Vec<Placed>,
    /// The phases of the scenario that can be begun, by name.
    known_phases: Vec<String>,
    /// The outcomes that there are, by name.
    known_outcomes: [&'static str; Outcome::ALL.len()],
    limits: Vec<LimitView>,
    came_back_early: Option<EarlyView>,
    /// `None` where there is no journal.
    clients: Option<Clients>,
    /// The last answers, the oldest first.
    journal: Option<Vec<RecordView>>,
    ledger: Vec<EffectResult>,
    #[serde(flatten)]
    origin: Origin,
}

/// A service in short.
#[derive(Debug, Serialize)]
struct Brief {
    name: String,
    url: String,
    #[serde(flatten)]
    fare: Fare,
}

/// A phase on the timeline.
#[derive(Debug, Serialize)]
struct Placed {
    name: String,
    from_s: f64,
    until_s: Option<f64>,
}

impl Default for Gallery {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LOOKING_MAX)))
    }
}

impl Gallery {
    /// Somebody who looks on at `served` from now on.
    pub(crate) fn admit(&self, control: &Control, served: &Served) -> Result<Onlooker, Failure> {
        let full = |_| {
            let why = format!("{LOOKING_MAX} look on at once at the most; close another page or stream first");
            Failure::new((StatusCode::SERVICE_UNAVAILABLE, why))
        };
        let _place = Arc::clone(&self.0).try_acquire_owned().map_err(full)?;
        let service = control.place(served);
        let mut looks = control.lately.looks();
        // What there is now is the first event.
        looks.mark_changed();
        Ok(Onlooker { service, looks, _place })
    }
}

impl Events {
    pub(crate) fn new(control: Arc<Control>, Onlooker { service, looks, _place }: Onlooker) -> Self {
        Self { control, service, next: Box::pin(next(looks)), _place }
    }
}

/// Waits for the next look.
async fn next(mut looks: watch::Receiver<u64>) -> Option<watch::Receiver<u64>> {
    looks.changed().await.ok()?;
    Some(looks)
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(looks) = ready!(self.next.as_mut().poll(context)) else { return Poll::Ready(None) };
        self.next = Box::pin(next(looks));
        let event = serde_json::to_string(&Event::of(&self.control, self.service)).expect("records are valid JSON");
        Poll::Ready(Some(Ok(Frame::data(format!("data: {event}\n\n").into()))))
    }
}

impl Event {
    /// Of the service at `place`, now.
    fn of(control: &Control, place: usize) -> Self {
        let served = &control.services[place];
        let (app, clock) = (&served.app, control.clock());
        let (service, now) = (app.service(), clock.now());
        let (lately, course) = control.lately.told(place);
        let (limits, early) = app.limits().unzip();
        let brief = |(place, served): (usize, &Served)| Brief {
            name: served.name.clone(),
            url: served.url.clone(),
            fare: control.lately.fare(place),
        };
        let routes = service.routes().iter().filter(|route| route.change.outcomes.is_some());
        let since = course.first().map_or(now, Point::began);
        Self {
            time_s: now.as_secs_f64(),
            time_scale: clock.scale().get(),
            reload_refused: control.reloaded().refused,
            services: control.services.iter().enumerate().map(brief).collect(),
            service: ServiceStatus::of(served),
            own_routes: routes.map(|route| route.pattern.to_string()).collect(),
            lately,
            course,
            timeline: timeline(service.phases(), since, now),
            known_phases: app.phase_names().into_iter().take(NAMES).collect(),
            known_outcomes: Outcome::ALL.map(Outcome::name),
            limits: limits.into_iter().flatten().map(LimitView::of).collect(),
            came_back_early: early.filter(|early| early.attempts > 0).map(EarlyView::of),
            clients: Clients::of(served, clock.scale().scenario(CLIENTS)),
            journal: Journal::of(served, RECORDS, |_| true).map(|journal| journal.records),
            ledger: app.effects().into_iter().map(EffectResult::new).collect(),
            origin: control.origin(),
        }
    }
}

/// The phases that are on at any time from `since` to `now`, the last of them, and those that come next, in the order in which they begin.
fn timeline(phases: &[Phase], since: Duration, now: Duration) -> Vec<Placed> {
    let placed = |phase: &&Phase| Placed {
        name: phase.name.clone(),
        from_s: phase.window.from.as_secs_f64(),
        until_s: phase.window.until.map(|until| until.as_secs_f64()),
    };
    let mut sorted: Vec<&Phase> =
        phases.iter().filter(|phase| phase.window.until.is_none_or(|until| since < until)).collect();
    // One that was taken back before it came has no time at all.
    sorted.retain(|phase| phase.window.until.is_none_or(|until| phase.window.from < until));
    sorted.sort_by_key(|phase| phase.window.from);
    let coming = sorted.partition_point(|phase| phase.window.from <= now);
    let been = &sorted[coming.saturating_sub(BEGUN)..coming];
    been.iter().chain(sorted[coming..].iter().take(COMING)).map(placed).collect()
}

#[cfg(test)]
mod tests {
    use super::{Events, timeline};
    use crate::control::{Control, Served};
    use brownout_clock::{Clock, Scale};
    use brownout_draw::Seed;
    use brownout_report::Origin;
    use brownout_serve::App;
    use brownout_service::{Change, Factors, Only, Phase, Ramp, Service, Window};
    use http_body_util::BodyExt;
    use serde_json::Value;
    use std::sync::Arc;
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    fn control() -> Arc<Control> {
        let app = App::new(Service::default(), Seed(1), None, Clock::start(Scale::ONE));
        let served = Served { name: "service".to_owned(), url: String::new(), app: Arc::new(app) };
        let origin = Origin {
            seed: Seed(1),
            scenario: "built-in".to_owned(),
            scenario_digest: String::new(),
            time: "real".into(),
            version: "0".into(),
        };
        Arc::new(Control::new(vec![served], origin, Box::new(|| Err("nothing to read".to_owned()))))
    }

    /// How many points the next event has; `None` where none is due.
    async fn points(events: &mut Events) -> Option<usize> {
        let frame = tokio::time::timeout(Duration::from_millis(20), events.frame()).await.ok()?;
        let data = frame.unwrap().unwrap().into_data().unwrap();
        let event = std::str::from_utf8(&data).unwrap().strip_prefix("data: ").unwrap().trim_end();
        let event: Value = serde_json::from_str(event).unwrap();
        Some(event["course"].as_array().unwrap().len())
    }

    #[tokio::test]
    async fn who_reads_slowly_skips_and_nothing_waits_for_them() {
        let control = control();
        let mut events = Events::new(Arc::clone(&control), control.gallery.admit(&control, control.first()).unwrap());
        assert_eq!(points(&mut events).await, Some(0));
        assert_eq!(points(&mut events).await, None);
        // Five looks that nobody reads come to one event, the last.
        (0..5).for_each(|_| control.lately.look(&control));
        assert_eq!(points(&mut events).await, Some(4));
        assert_eq!(points(&mut events).await, None);
    }

    fn phase(name: &str, from: u64, until: Option<u64>) -> Phase {
        Phase {
            name: name.to_owned(),
            window: Window { from: SECS(from), until: until.map(SECS) },
            ramp: Ramp::default(),
            change: Change::default(),
            factors: Factors::default(),
            only: Only::default(),
        }
    }

    #[test]
    fn the_timeline_has_what_was_on_lately_and_what_comes_next() {
        let mut phases = vec![
            phase("over", 0, Some(10)),
            phase("later", 500, None),
            phase("on", 90, Some(200)),
            phase("never came", 150, Some(150)),
            phase("been", 5, Some(40)),
        ];
        phases.extend((0..20).map(|number| phase("again", 1000 + number, Some(1001 + number))));
        let names: Vec<String> = timeline(&phases, SECS(30), SECS(100)).into_iter().map(|phase| phase.name).collect();
        assert_eq!(names, ["been", "on", "later", "again", "again"]);
    }
}
