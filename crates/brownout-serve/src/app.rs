//! From a request on the wire to an answer on the wire.

use std::borrow::Cow;
use std::net::IpAddr;
use std::num::Saturating;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use brownout_draw::Seed;
use brownout_service::{
    Arrivals, Asked, Claim, Decision, Delivery, EarlyReturns, Fault, Identity, LimitCounts, Request, Response, Service,
    Shed, TimeLeft,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use tokio::time::Instant;

use crate::behind::{Behind, Calls, Errand, Worked};
use crate::gate::{Gate, Held, Peer};
use crate::site::{Fate, Site};
use crate::wire::Sending;
use crate::{Limits, shed};

/// What a server answers with: the service, its luck, and the memory of who asked.
///
/// Where the service has a capacity, its time at work is really spent by its workers. A client that is gone, as far as can
/// be told, has abandoned its request. A client that has only stopped sending looks the same from here, so it counts as
/// gone too, and gets no answer; of a service without a capacity that calls nobody it does get one.
#[derive(Debug)]
pub struct App {
    service: Arc<Service>,
    seed: Seed,
    identity_header: Option<HeaderName>,
    started: Instant,
    memory: Mutex<Memory>,
    /// Only with a capacity.
    site: Option<Arc<Site>>,
    /// Only with limits.
    gate: Option<Arc<Gate>>,
    /// Only where it calls others.
    calls: Option<Arc<Calls>>,
}

#[derive(Debug, Default)]
struct Memory {
    arrivals: Arrivals,
    requests: Saturating<u64>,
    /// Of these, first attempts.
    firsts: Saturating<u64>,
}

/// An answer on the wire.
pub(crate) type Answer = hyper::Response<Full<Bytes>>;

impl App {
    /// `service` with the luck of `seed`. Its time begins now.
    ///
    /// - `identity_header`: where requests say who they are when they do not carry brownout's own header; a name that
    ///   no header can have is never met.
    #[must_use]
    pub fn new(service: Service, seed: Seed, identity_header: Option<&str>) -> Self {
        let (service, started) = (Arc::new(service), Instant::now());
        Self {
            site: Site::new(&service, seed, started),
            gate: Gate::new(&service, seed, started),
            service,
            seed,
            identity_header: identity_header.and_then(|name| name.parse().ok()),
            started,
            memory: Mutex::default(),
            calls: None,
        }
    }

    /// The same where the service calls others, one after another, for each request that it does not fail of itself; where it has a
    /// cache, for those that miss it.
    #[must_use]
    pub fn calling(self, behind: Vec<Box<dyn Behind>>) -> Self {
        let calls = (!behind.is_empty()).then(|| Calls::new(&self.service, self.seed, self.started, behind));
        Self { calls: calls.map(Arc::new), ..self }
    }

    /// How many requests were answered or are being answered.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).requests.0
    }

    /// How many of these were first attempts: so many calls clients made.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).firsts.0
    }

    /// What each limit of the service did, and who came back too early; `None` where it has no limits.
    #[must_use]
    pub fn limits(&self) -> Option<(Vec<LimitCounts>, EarlyReturns)> {
        self.gate.as_ref().map(|gate| gate.account())
    }

    /// Whether connections are refused at `elapsed`.
    pub(crate) fn refuses_at(&self, elapsed: Duration) -> bool {
        self.service.refuses_at(elapsed)
    }

    /// The next time after `elapsed` at which that may change, if there is one, and its moment.
    pub(crate) fn next_refusal_change(&self, elapsed: Duration) -> Option<(Duration, Instant)> {
        let next = self.service.next_refusal_change(elapsed)?;
        Some((next, self.started.checked_add(next)?))
    }

    /// Where requests wait and are worked on, if they have to.
    pub(crate) const fn site(&self) -> Option<&Arc<Site>> {
        self.site.as_ref()
    }

    /// Whether it makes a difference who has gone before the answer.
    pub(crate) const fn minds_who_is_gone(&self) -> bool {
        self.site.is_some() || self.calls.is_some()
    }

    /// Answers one request, once the latency that was decided for it has passed since it came, or since its work was done;
    /// `None` leaves it without an answer.
    pub(crate) async fn answer(
        &self,
        request: hyper::Request<Incoming>,
        address: IpAddr,
        limits: &Limits,
    ) -> Option<Answer> {
        let arrived = Instant::now();
        let (head, body) = request.into_parts();
        match tokio::time::timeout(limits.body_time, read_through(body, limits.body_bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => return Some(refused(why.0, why.1)),
            Err(_) => return Some(refused(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
        }
        let asked = Request { method: head.method.as_str(), path: head.uri.path() };
        let route = self.service.route(&asked);
        let identity = {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.requests += 1;
            let identity = memory.arrivals.identify(route, self.claim(&head.headers));
            memory.firsts += u64::from(identity.attempt.get() == 1);
            identity
        };
        let decision = self.service.decide(self.seed, route, identity, arrived - self.started);
        let held = match &self.gate {
            None => None,
            Some(gate) => {
                let asked = Asked { request: &asked, route, identity };
                match gate.ask(&asked, &Peer { headers: &head.headers, address }) {
                    Ok(held) => Some(Arc::new(held)),
                    Err(refused) => return Some(on_the_wire(refused.respond(&self.service, &decision))),
                }
            }
        };
        let until = || time_left(&head.headers).and_then(|left| arrived.checked_add(left));
        let calls = self.calls.as_ref().filter(|_| decision.outcome.has_effect());
        // The caller is dropped with this future, when nobody waits for it any more.
        let (errand, _caller) = calls.map(|calls| Errand::new(calls, identity, until())).unzip();
        let answer = self.work(&asked, &decision, arrived, errand, held.as_ref()).await;
        answer.map(|mut answer| {
            let fields = held.as_deref().map(Held::fields).unwrap_or_default();
            add_headers(answer.headers_mut(), fields.iter().cloned());
            answer
        })
    }

    /// Answers a request that was let in, in its time; where it has to wait for a worker or for others, `held` is held until
    /// that is done.
    async fn work(
        &self,
        asked: &Request<'_>,
        decision: &Decision<'_>,
        arrived: Instant,
        errand: Option<Errand>,
        held: Option<&Arc<Held>>,
    ) -> Option<Answer> {
        if !self.service.lets_in(self.seed, decision.identity, arrived - self.started) {
            return Some(shed::answer(decision, Duration::ZERO, Service::TURNED_AWAY, None));
        }
        let worked = match &self.site {
            None => match errand {
                None => Worked { at: arrived, failed: false },
                Some(errand) => errand.run_to_its_end(arrived, held.cloned()).await,
            },
            Some(site) => match site.enter(decision.identity, held.cloned(), errand).await {
                Fate::Done(worked) => worked,
                Fate::Shed(waited) => {
                    return match self.service.capacity()?.shed {
                        Shed::Answer { status, retry_after } => {
                            Some(shed::answer(decision, waited, status, retry_after))
                        }
                        Shed::Silent => None,
                    };
                }
            },
        };
        if !decision.latency.is_zero() {
            tokio::time::sleep_until(worked.at + decision.latency).await;
        }
        if worked.failed {
            return Some(on_the_wire(decision.bad_gateway()));
        }
        let response = decision.respond(asked);
        Some(match decision.fault.map(Fault::delivery) {
            None | Some(Delivery::Whole) => on_the_wire(response),
            Some(delivery) => {
                let head_only = asked.method == "HEAD";
                let Response { status, headers, body } = response;
                let (body, none) = (in_bytes(body), Cow::Borrowed(""));
                let mut answer = on_the_wire(Response { status, headers, body: none });
                let sending = Sending { delivery: *delivery, body, head_only, _held: held.cloned() };
                answer.extensions_mut().insert(sending);
                answer
            }
        })
    }

    fn claim<'h>(&self, headers: &'h HeaderMap) -> Claim<'h> {
        let text = |value: Option<&'h HeaderValue>| {
            value.and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty())
        };
        let own = text(headers.get(Identity::REQUEST_HEADER));
        let named = || text(self.identity_header.as_ref().and_then(|name| headers.get(name)));
        Claim { request: own.or_else(named), attempt: text(headers.get(Identity::ATTEMPT_HEADER)) }
    }
}

/// How long the caller still waited when it sent this, as far as it says so.
fn time_left(headers: &HeaderMap) -> Option<Duration> {
    let TimeLeft(left) = headers.get(TimeLeft::HEADER)?.to_str().ok()?.parse().ok()?;
    Some(left)
}

/// Reads a body to its end and forgets it, so that the connection can be used again. Otherwise says why it cannot.
async fn read_through(mut body: Incoming, bytes_max: usize) -> Result<(), (StatusCode, &'static str)> {
    const TOO_LARGE: (StatusCode, &str) = (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(TOO_LARGE);
    }
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| (StatusCode::BAD_REQUEST, "the body is broken"))?;
        seen += frame.data_ref().map_or(0, Bytes::len);
        if seen > bytes_max {
            return Err(TOO_LARGE);
        }
    }
    Ok(())
}

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
fn refused(status: StatusCode, why: &'static str) -> Answer {
    let mut answer = hyper::Response::new(Full::from(format!("{{\"error\": \"{why}\"}}")));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
