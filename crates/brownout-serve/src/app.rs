//! From a request on the wire to an answer on the wire.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;
use std::time::Duration;

use brownout_clock::Clock;
use brownout_draw::{Fingerprint, Seed};
use brownout_policy::retry_after;
use brownout_service::{
    Asked, Claim, Decision, Delivery, Done, EarlyReturns, EffectCounts, Identity, LimitCounts, Live, Refused, Request,
    Response, RouteId, Seen, Service, Shed, TimeLeft,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper::header::{CONNECTION, CONTENT_TYPE, EXPECT, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, StatusCode};
use tokio::sync::watch;

use crate::behind::{Behind, Errand, Worked};
use crate::books::{
    self, Books, Client, Coming, Counts, Journal, JournalBounds, Met, Note, Record, Visit, VisitBounds,
};
use crate::effects::Posting;
use crate::gate::{Held, Peer, time_of_day};
use crate::origin::Origin;
use crate::run::Run;
use crate::script::{Change, ChangeError, Script};
use crate::site::Fate;
use crate::wire::Sending;
use crate::{Limits, shed, told};

/// What a server answers with: the service, its luck, and the memory of who asked.
///
/// Where the service has a capacity, its time at work is really spent by its workers. A client that is gone, as far as can
/// be told, has abandoned its request. A client that has only stopped sending looks the same from here, so it counts as
/// gone too, and gets no answer; of a service without a capacity that calls nobody it does get one.
#[derive(Debug)]
pub struct App {
    run: watch::Sender<Arc<Run>>,
    identity_header: Option<HeaderName>,
    script: Mutex<Script>,
    books: Books,
    /// The time of day at which the clock began.
    epoch: Duration,
}

// Names that every request is looked at for, or that every answer carries: made once.
const REQUEST: HeaderName = HeaderName::from_static(Identity::REQUEST_HEADER);
const ATTEMPT: HeaderName = HeaderName::from_static(Identity::ATTEMPT_HEADER);
const DECISION: HeaderName = HeaderName::from_static(Decision::HEADER);

/// An answer on the wire.
pub(crate) type Answer = hyper::Response<Full<Bytes>>;

/// A request under way.
struct Ask<'r> {
    run: &'r Run,
    service: &'r Arc<Service>,
    request: Request<'r>,
    route: RouteId,
    /// Who it says it is, if it says so.
    told: Option<Identity>,
    headers: &'r HeaderMap,
    decision: &'r Decision<'r>,
    arrived: Duration,
    /// Told what becomes of its effect.
    effect: Option<Arc<OnceLock<Done>>>,
}

/// What a request came to.
struct End<'m> {
    answer: Option<Answer>,
    met: Met<'m>,
}

impl App {
    /// `service` with the luck of `seed`, in the time of `clock`.
    ///
    /// - `identity_header`: where requests say who they are when they do not carry brownout's own header; a name that
    ///   no header can have is never met.
    #[must_use]
    pub fn new(service: Service, seed: Seed, identity_header: Option<&str>, clock: Clock) -> Self {
        let run = Run::new(service.clone(), seed, clock, Arc::new([]));
        Self {
            run: watch::Sender::new(Arc::new(run)),
            identity_header: identity_header.and_then(|name| name.parse().ok()),
            script: Mutex::new(Script::new(service)),
            books: Books::default(),
            epoch: time_of_day().saturating_sub(clock.now()),
        }
    }

    /// The same where the service calls others, one after another, for each request that it does not fail of itself; where it has a
    /// cache, for those that miss it.
    #[must_use]
    pub fn calling(self, behind: Vec<Box<dyn Behind>>) -> Self {
        self.run.send_modify(|run| *run = Arc::new(run.calling(behind.into())));
        self
    }

    /// The same with a journal of its answers.
    #[must_use]
    pub fn with_journal(self, bounds: JournalBounds) -> Self {
        Self { books: Books::with_journal(bounds), ..self }
    }

    /// The same where each request is written down as its client made it. A client that only stops sending then counts as gone, as one does
    /// where there is a capacity.
    #[must_use]
    pub fn with_visits(self, bounds: VisitBounds) -> Self {
        Self { books: Books::with_visits(bounds), ..self }
    }

    /// What the service is now, changes included.
    #[must_use]
    pub fn service(&self) -> Arc<Service> {
        self.run().service()
    }

    /// The luck of the run.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.run().seed
    }

    /// The time of the run.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.run().clock
    }

    /// How many requests were answered or are being answered.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.books.pages().counts.requests + self.active()
    }

    /// How many of those that were answered were first attempts: so many calls clients made.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.books.pages().counts.firsts
    }

    /// What each limit of the service did, and who came back too early; `None` where it has no limits.
    #[must_use]
    pub fn limits(&self) -> Option<(Vec<LimitCounts>, EarlyReturns)> {
        let run = self.run();
        run.gate.as_ref().map(|gate| gate.account(&run.service()))
    }

    /// How many requests are worked on, and how many wait; `None` where the service has no capacity.
    #[must_use]
    pub fn occupancy(&self) -> Option<(usize, usize)> {
        self.run().site.as_ref().map(|site| site.occupancy())
    }

    /// What the service has done, effect by effect, and what of it twice; empty where it has no effects.
    #[must_use]
    pub fn effects(&self) -> Vec<EffectCounts> {
        self.run().effects.as_ref().map(|effects| effects.account()).unwrap_or_default()
    }

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.books.pages().counts.clone()
    }

    /// How many requests are being answered.
    #[must_use]
    pub fn active(&self) -> u64 {
        self.books.active()
    }

    /// How many connections came, and how many are open.
    #[must_use]
    pub fn connections(&self) -> (u64, u64) {
        self.books.connections()
    }

    /// What `read` finds in the journal; `None` where none is kept.
    pub fn journal<T>(&self, read: impl FnOnce(&Journal) -> T) -> Option<T> {
        self.books.pages().journal.as_ref().map(read)
    }

    /// The requests that were written down, in the order in which they ended, and how many were not.
    #[must_use]
    pub fn visits(&self) -> (Vec<Visit>, u64) {
        self.books.pages().visits.as_ref().map(books::Visits::kept).unwrap_or_default()
    }

    /// Whether it makes a difference who has gone before the answer.
    pub(crate) fn minds_who_is_gone(&self) -> bool {
        self.books.visit_headers().is_some() || self.run().minds_who_is_gone()
    }

    /// The phases of the scenario by name, each once, in the order of the file; changes are none of them.
    #[must_use]
    pub fn phase_names(&self) -> Vec<String> {
        self.script().phase_names()
    }

    /// The changes that are not over.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        self.script().changes(self.clock().now())
    }

    /// Changes the service from now on.
    ///
    /// # Errors
    /// When that does not go with the service, which then stays as it was.
    pub fn change(&self, live: Live) -> Result<Change, ChangeError> {
        let mut script = self.script();
        let (change, service) = script.change(live, self.clock().now())?;
        self.run().change(service);
        Ok(change)
    }

    /// Undoes change `number`; `None` where there is none, or where it is over.
    pub fn undo(&self, number: u64) -> Option<Change> {
        let mut script = self.script();
        let (change, service) = script.undo(number, self.clock().now())?;
        self.run().change(service);
        Some(change)
    }

    /// Puts `service` in the place of the one there is; changes that go with it stay. Time goes on, and so do the counts; its limits
    /// and its queue begin anew, and what is under way ends as it would have.
    pub fn reload(&self, service: Service) {
        let mut script = self.script();
        let service = script.reload(service);
        self.run.send_modify(|run| *run = Arc::new(run.with(service)));
    }

    /// Begins the run again, in the time of `clock`: without changes, with nothing counted and nobody remembered.
    pub fn reset(&self, clock: Clock) {
        let mut script = self.script();
        let service = script.reset();
        self.run.send_modify(|run| *run = Arc::new(run.anew(service, clock)));
        self.books.clear();
    }

    pub(crate) fn run(&self) -> Arc<Run> {
        Arc::clone(&self.run.borrow())
    }

    /// Tells of each run that takes the place of the one before.
    pub(crate) fn runs(&self) -> watch::Receiver<Arc<Run>> {
        self.run.subscribe()
    }

    pub(crate) const fn books(&self) -> &Books {
        &self.books
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request, once the latency that was decided for it has passed since it came, or since its work was done;
    /// `None` leaves it without an answer.
    pub(crate) async fn answer(
        &self,
        request: hyper::Request<impl Body<Data = Bytes> + Unpin>,
        origin: Origin,
        limits: &Limits,
    ) -> Option<Answer> {
        let run = self.run();
        let arrived = run.clock.now();
        let (head, body) = request.into_parts();
        let mut content = Fingerprint::default();
        if !body.is_end_stream()
            && let waits = head.headers.contains_key(EXPECT)
            && let told = self.books.visit_headers().is_some().then_some(&mut content)
            && let read = within(limits.body_time, read_through(body, limits.body_bytes, waits, told)).await
            && let Err(refusal) = read.unwrap_or(Err(TOO_SLOW))
        {
            self.books.refused(refusal.1);
            return Some(refused(refusal));
        }
        let service = run.service();
        let request = Request { method: head.method.as_str(), path: head.uri.path() };
        let route = service.route(&request);
        let claim = self.claim(&head.headers);
        let identity = run.arrivals().identify(route, claim);
        let coming = self.coming(&head, origin, content, service.effect(route).is_some());
        let effect = coming.as_ref().and_then(|coming| coming.effect.clone());
        let peer = Peer { headers: &head.headers, address: origin.address };
        let client = if self.books.has_journal() { peer.client(&service) } else { Client::Address(origin.address) };
        let note = self.note(&run, &head, (arrived, identity, client), coming);
        let landed = service.land(run.seed, identity, |sticky| origin.key(sticky, &head.headers));
        let decision = service.decide(run.seed, route, landed, arrived);
        let leave = run.gate.as_ref().map(|gate| {
            let asked = Asked { request: &request, route, identity };
            gate.ask(&service, &asked, &peer)
        });
        let told = claim.request.and(Some(identity));
        let ask = Ask {
            run: &run,
            service: &service,
            request,
            route,
            told,
            headers: &head.headers,
            decision: &decision,
            arrived,
            effect,
        };
        let (early, held, end) = match leave.transpose() {
            Ok(mut leave) => {
                let early = leave.as_mut().and_then(Held::take_early);
                let held = leave.map(Arc::new);
                let end = within(limits.answer_time, ask.work(held.as_ref())).await;
                (early, held, end.unwrap_or_else(|| self.too_long(&ask)))
            }
            Err(mut refused) => (refused.early.take(), None, ask.limited(*refused)),
        };
        let fields = held.as_deref().map(Held::fields).unwrap_or_default();
        let answer = end.answer.map(|mut answer| {
            add_headers(answer.headers_mut(), fields.iter().cloned());
            told::in_real_time(answer.headers_mut(), &run.clock, self.epoch);
            answer
        });
        let retry_after = answer.as_ref().filter(|_| self.books.visit_headers().is_some()).and_then(|answer| {
            let header = |name| answer.headers().get(name)?.to_str().ok();
            retry_after::told(header, || Some(time_of_day()))
        });
        note.close(&Met { early: early.as_deref(), retry_after, ..end.met });
        answer
    }

    /// What is to be written down of a request, where requests are.
    fn coming(&self, head: &Parts, origin: Origin, content: Fingerprint, has_effect: bool) -> Option<Box<Coming>> {
        let names = self.books.visit_headers()?;
        let coming = Coming::new(head, names, origin.connection, content.get());
        Some(Box::new(Coming { effect: has_effect.then(Arc::default), ..coming }))
    }

    /// What becomes of a request that was held as long as any may be.
    fn too_long<'r>(&self, ask: &Ask<'r>) -> End<'r> {
        self.books.refused(HELD_TOO_LONG.1);
        ask.end(Counts::HELD_TOO_LONG, refused(HELD_TOO_LONG), ask.run.clock.now())
    }

    fn note(
        &self,
        run: &Run,
        head: &Parts,
        (at, identity, client): (Duration, Identity, Client),
        coming: Option<Box<Coming>>,
    ) -> Note<'_> {
        let path = head.uri.path();
        let path = &path[..path.floor_char_boundary(Record::PATH_BYTES)];
        let path = if self.books.has_journal() { path.into() } else { Box::default() };
        self.books.note(run.clock, books::Asked { at, identity, method: head.method.clone(), path, client, coming })
    }

    fn claim<'h>(&self, headers: &'h HeaderMap) -> Claim<'h> {
        let text = |value: Option<&'h HeaderValue>| {
            value.and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty())
        };
        let own = text(headers.get(REQUEST));
        let named = || text(self.identity_header.as_ref().and_then(|name| headers.get(name)));
        Claim { request: own.or_else(named), attempt: text(headers.get(ATTEMPT)) }
    }
}

impl<'r> Ask<'r> {
    /// Answers a request that was let in, in its time; where it has to wait for a worker or for others, `held` is held until
    /// that is done.
    async fn work(&self, held: Option<&Arc<Held>>) -> End<'r> {
        let Self { run, service, decision, arrived, .. } = *self;
        if !service.lets_in(run.seed, decision.identity, arrived) {
            let answer = shed::answer(decision, Duration::ZERO, Service::TURNED_AWAY, None);
            return self.end(Counts::TURNED_AWAY, answer, arrived);
        }
        let calls = run.calls.as_ref().filter(|_| decision.outcome.has_effect());
        // The caller is dropped with this future, when nobody waits for it any more.
        let errand = calls.map(|calls| Errand::new(calls, service, decision.identity, self.until()));
        let (errand, _caller) = errand.unzip();
        let posting = self.posting();
        let worked = match &run.site {
            None => match errand {
                None => {
                    posting.into_iter().for_each(Posting::done);
                    Worked { at: arrived, failed: false }
                }
                Some(errand) => errand.run_to_its_end(arrived, held.cloned(), posting).await,
            },
            Some(site) => match site.enter(decision.landed(), held.cloned(), (errand, posting)).await {
                Fate::Done(worked) => worked,
                Fate::Shed(waited) => {
                    let due = arrived.saturating_add(waited);
                    return match site.shed() {
                        Shed::Answer { status, retry_after } => {
                            self.end(Counts::SHED, shed::answer(decision, waited, status, retry_after), due)
                        }
                        Shed::Silent => End { answer: None, met: self.met(Counts::SHED, due) },
                    };
                }
            },
        };
        let due = worked.at.saturating_add(decision.latency);
        if !decision.latency.is_zero() {
            run.clock.sleep_until(due).await;
        }
        if worked.failed {
            return self.end(Counts::BAD_GATEWAY, on_the_wire(decision.bad_gateway()), due);
        }
        let response = decision.respond(&self.request);
        let Some(fault) = decision.fault.filter(|fault| *fault.delivery() != Delivery::Whole) else {
            return self.end(decision.outcome.name(), on_the_wire(response), due);
        };
        let head_only = self.request.method == "HEAD";
        let Response { status, headers, body } = response;
        let (body, none) = (in_bytes(body), Cow::Borrowed(""));
        let mut answer = on_the_wire(Response { status, headers, body: none });
        let clock = run.clock;
        let sending = Sending { delivery: *fault.delivery(), clock, body, head_only, _held: held.cloned() };
        answer.extensions_mut().insert(sending);
        let (silent, lasts) = (fault.is_silent(), fault.lasts());
        let met = Met { seen: Some(fault.seen()), silent, lasts, ..self.met(decision.outcome.name(), due) };
        End { answer: Some(answer), met }
    }

    /// The answer of a limit.
    fn limited(&self, refused: Refused) -> End<'r> {
        let limit = self.service.limits().get(refused.limit).map(|limit| limit.name.as_str());
        let answer = on_the_wire(refused.respond(self.service, self.decision));
        let End { answer, met } = self.end(Counts::LIMITED, answer, self.arrived);
        End { answer, met: Met { limit, ..met } }
    }

    /// A whole answer that was to go out at `due`.
    fn end(&self, outcome: &'static str, answer: Answer, due: Duration) -> End<'r> {
        let seen = Some(Seen::Status(answer.status().as_u16()));
        End { answer: Some(answer), met: Met { seen, ..self.met(outcome, due) } }
    }

    fn met(&self, outcome: &'static str, due: Duration) -> Met<'r> {
        let Decision { route, phase, replica, .. } = *self.decision;
        Met { outcome, route, phase, replica, asked: due.saturating_sub(self.arrived), ..Met::default() }
    }

    /// What is entered in the ledger once its work is done, if anything is.
    fn posting(&self) -> Option<Posting> {
        let effects = self.run.effects.as_ref().filter(|_| self.decision.outcome.has_effect());
        Some(effects?.posting(self.route, self.headers, self.told)?.telling(self.effect.as_ref()))
    }

    /// When its caller gives up, as far as it says so.
    fn until(&self) -> Option<Duration> {
        let left = self.run.clock.scale().scenario(time_left(self.headers)?);
        Some(self.arrived.saturating_add(left))
    }
}

/// How long the caller still waited when it sent this, as far as it says so.
fn time_left(headers: &HeaderMap) -> Option<Duration> {
    let TimeLeft(left) = headers.get(TimeLeft::HEADER)?.to_str().ok()?.parse().ok()?;
    Some(left)
}

/// Why a request was refused by a bound of the server.
type Refusal = (StatusCode, &'static str);

const TOO_LARGE: Refusal = (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
const TOO_SLOW: Refusal = (StatusCode::REQUEST_TIMEOUT, "the body took too long");
const HELD_TOO_LONG: Refusal = (StatusCode::SERVICE_UNAVAILABLE, "the answer took too long");
const BROKEN: Refusal = (StatusCode::BAD_REQUEST, "the body is broken");

/// Reads a body to its end and forgets it, so that the connection can be used again. Otherwise says why it cannot.
///
/// - `waits`: whether the client sends nothing before it is told to.
/// - `content`: told of what was read.
async fn read_through(
    mut body: impl Body<Data = Bytes> + Unpin,
    bytes_max: usize,
    waits: bool,
    mut content: Option<&mut Fingerprint>,
) -> Result<(), Refusal> {
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large(body, bytes_max, waits).await);
    }
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BROKEN)?;
        let data = frame.data_ref().map(|data| &**data).unwrap_or_default();
        seen += data.len();
        if let Some(content) = &mut content {
            content.add(data);
        }
        if seen > bytes_max {
            return Err(too_large(body, bytes_max, waits).await);
        }
    }
    Ok(())
}

/// Reads on for a moment: who is still sending when the connection is closed may lose the answer that says why.
async fn too_large(mut body: impl Body<Data = Bytes> + Unpin, bytes_max: usize, waits: bool) -> Refusal {
    let drain = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, Bytes::len);
            if seen > bytes_max.saturating_mul(DRAINED) {
                break;
            }
        }
    };
    if !waits {
        let _ = tokio::time::timeout(DRAIN_TIME, drain).await;
    }
    TOO_LARGE
}

/// What `work` comes to within `limit`; `None` where it takes longer. What need not wait makes no timer.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    match poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
        Poll::Ready(done) => Some(done),
        Poll::Pending => tokio::time::timeout(limit, work).await.ok(),
    }
}

/// How many times the largest body is read of one that is too large, before it is answered, and for how long.
const DRAINED: usize = 16;
const DRAIN_TIME: Duration = Duration::from_secs(1);

fn on_the_wire(response: Response) -> Answer {
    let mut answer = hyper::Response::new(Full::new(in_bytes(response.body)));
    *answer.status_mut() = StatusCode::from_u16(response.status).expect("outcomes have statuses that exist");
    add_headers(answer.headers_mut(), response.headers.into_iter());
    answer
}

fn in_bytes(body: Cow<'static, str>) -> Bytes {
    match body {
        Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
        Cow::Owned(text) => Bytes::from(text),
    }
}

fn add_headers<N: Into<Cow<'static, str>>>(
    headers: &mut HeaderMap,
    fields: impl Iterator<Item = (N, Cow<'static, str>)>,
) {
    for (name, value) in fields {
        let name = match name.into() {
            Cow::Borrowed("content-type") => CONTENT_TYPE,
            Cow::Borrowed(Decision::HEADER) => DECISION,
            Cow::Borrowed(name) => HeaderName::from_static(name),
            Cow::Owned(name) => HeaderName::try_from(name).expect("scenarios have checked their headers"),
        };
        let value = match value {
            Cow::Borrowed(text) => HeaderValue::from_static(text),
            Cow::Owned(text) => HeaderValue::try_from(text).expect("decisions and quotas are visible ASCII"),
        };
        headers.insert(name, value);
    }
}

/// A bound of this server, not a decision of the service, so it carries none and is no request of the run.
fn refused((status, why): Refusal) -> Answer {
    let mut answer = hyper::Response::new(Full::from(format!("{{\"error\": \"{why}\"}}")));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
