//! The API on a port of its own.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use brownout_load::Snapshot;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::api::{Answered, Asked, Content, Endpoint, Failure};
use crate::control::Control;
use crate::endpoints::ENDPOINTS;
use crate::events::{Events, Onlooker};
use crate::guard::Guard;
use crate::{load, page};

/// How many may ask at once.
const CONNECTIONS_MAX: usize = 64;
/// The largest body.
const BODY_BYTES_MAX: usize = 64 << 10;
/// How much is read or written ahead of a client: it is all that waits for one that looks on and reads slowly.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// How long a client may take over a head, and over a body.
const PATIENCE: Duration = Duration::from_secs(10);

/// An API that listens and has not begun to answer.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    address: SocketAddr,
    guard: Guard,
}

impl Admin {
    /// Listens on `address`; port 0 takes any free one.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind(address: SocketAddr, guard: Guard) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { address: listener.local_addr()?, listener, guard })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is dropped.
    pub async fn run(self, control: Arc<Control>) {
        let own = Arc::clone(&control);
        let answers = self.converse(move |guard, request| answer(Arc::clone(&own), guard, request));
        tokio::join!(answers, control.lately.look_on(&control));
    }

    /// Answers `GET /metrics` with what `look` sees of a load, and nothing else, until it is dropped.
    pub async fn run_for_load(self, look: impl Fn() -> Option<Snapshot> + Send + Sync + 'static) {
        let look = Arc::new(look);
        self.converse(move |guard, request| {
            let look = Arc::clone(&look);
            async move { metrics_of_load(&*look, &guard, &request) }
        })
        .await;
    }

    async fn converse<A, R>(self, answer: A)
    where
        A: Fn(Arc<Guard>, Request<Incoming>) -> R + Clone + Send + 'static,
        R: Future<Output = Response<Answer>> + Send + 'static,
    {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let guard = Arc::new(self.guard);
        let mut conversations = JoinSet::new();
        loop {
            let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
            let accepted = tokio::select! {
                Some(_) = conversations.join_next() => continue,
                accepted = self.listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (answer, guard) = (answer.clone(), Arc::clone(&guard));
            let service = service_fn(move |request| {
                let answer = answer(Arc::clone(&guard), request);
                async { Ok::<_, Infallible>(answer.await) }
            });
            conversations.spawn(async move {
                let _place = place;
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(BUFFER_BYTES_MAX);
                // A client that breaks off is no concern of anybody else's.
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }
}

fn metrics_of_load(
    look: &(impl Fn() -> Option<Snapshot> + ?Sized),
    guard: &Guard,
    request: &Request<Incoming>,
) -> Response<Answer> {
    let head_only = request.method() == Method::HEAD;
    let answered = guard.check(request.headers()).map_err(Failure::new).and_then(|()| {
        if !head_only && request.method() != Method::GET {
            return Err(Failure::method(Method::GET.to_string()));
        }
        load::reply(request.uri().path(), look())
    });
    respond(answered, head_only, |_| unreachable!("a load has no events"))
}

async fn answer(control: Arc<Control>, guard: Arc<Guard>, request: Request<Incoming>) -> Response<Answer> {
    let (head, body) = request.into_parts();
    let head_only = head.method == Method::HEAD;
    let answered = async {
        let path = head.uri.path();
        let checked = if page::is_part(path) { guard.check_open(&head.headers) } else { guard.check(&head.headers) };
        checked.map_err(Failure::new)?;
        let matching = || ENDPOINTS.iter().filter_map(|endpoint| Some((endpoint, endpoint.matches(path)?)));
        let method = if head_only { &Method::GET } else { &head.method };
        let Some((endpoint, segment)) = matching().find(|(endpoint, _)| endpoint.method == method) else {
            return Err(refusal(path, matching().map(|(endpoint, _)| endpoint)));
        };
        let body = read(body).await?;
        let query = head.uri.query().unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes()).collect();
        ask(&control, endpoint, &Asked { segment, query, body: &body })
    };
    let answered = answered.await;
    respond(answered, head_only, |onlooker| Events::new(control, onlooker))
}

/// - `tell`: makes the events for somebody who looks on.
fn respond(answered: Answered, head_only: bool, tell: impl FnOnce(Onlooker) -> Events) -> Response<Answer> {
    let (reply, allow) = match answered {
        Ok(reply) => (reply, None),
        Err(failure) => failure.reply(),
    };
    let policy = if reply.content_type == page::HTML { page::POLICY } else { "default-src 'none'" };
    let mut response = Response::new(match reply.content {
        _ if head_only => Answer::Whole(Full::default()),
        Content::Text(Cow::Borrowed(text)) => Answer::Whole(Full::from(text)),
        Content::Text(Cow::Owned(text)) => Answer::Whole(Full::from(text)),
        Content::Events(onlooker) => Answer::Events(tell(onlooker)),
    });
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    if let Some(allow) = allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
        headers.insert(ALLOW, allow);
    }
    response
}

/// What goes out: a text, or events without end.
enum Answer {
    Whole(Full<Bytes>),
    Events(Events),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(text) => Pin::new(text).poll_frame(context),
            Self::Events(events) => Pin::new(events).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(text) if text.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(text) => text.size_hint(),
            Self::Events(_) => SizeHint::default(),
        }
    }
}

fn ask(control: &Control, endpoint: &Endpoint, asked: &Asked<'_>) -> Answered {
    asked.check(endpoint)?;
    (endpoint.handle)(control, asked)
}

/// Why no endpoint answers at `path`, of which there are `others` with another method.
fn refusal<'e>(path: &str, others: impl Iterator<Item = &'e Endpoint>) -> Failure {
    let methods: Vec<_> = others.map(|endpoint| endpoint.method.as_str()).collect();
    if methods.is_empty() {
        let path: String = path.chars().take(256).collect();
        return Failure::missing(format!("there is nothing at `{path}`; GET / lists what there is"));
    }
    Failure::method(methods.join(", "))
}

async fn read(body: Incoming) -> Result<String, Failure> {
    let collected = tokio::time::timeout(PATIENCE, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    let collected =
        collected.map_err(|_| Failure::new((StatusCode::REQUEST_TIMEOUT, "the body took too long".to_owned())))?;
    let too_large = || format!("a body has {BODY_BYTES_MAX} bytes at the most, and comes to its end");
    let bytes = collected.map_err(|_| Failure::new((StatusCode::PAYLOAD_TOO_LARGE, too_large())))?.to_bytes();
    String::from_utf8(bytes.into()).map_err(|_| Failure::bad("the body is no UTF-8"))
}
