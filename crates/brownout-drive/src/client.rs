//! One client and its connections.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brownout_clock::{Clock, Scale};
use brownout_load::{Exchange, Reply};
use brownout_policy::{Transport, retry_after};
use brownout_service::{Identity, LimitKey, TimeLeft};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Target;
use crate::broken::Broken;
use crate::spares::{Connection, Spares};

/// How much of an answer's body is kept; the rest is read and forgotten.
pub const BODY_BYTES_KEPT: usize = 1 << 20;
/// How much of an answer's body is read before it counts as broken.
pub const BODY_BYTES_MAX: usize = 1 << 30;

/// How many connections of a client by itself are kept while they are idle.
const SPARES_OF_ONE: usize = 8;

/// A client: sends each request on a connection of its own, one that it kept where it has one.
#[derive(Clone, Debug)]
pub struct Client {
    target: Arc<Target>,
    clock: Clock,
    /// Which client of the load it is, and of those that share the spares.
    number: u32,
    spares: Arc<Spares>,
}

/// A whole answer.
struct Received {
    head: Response<()>,
    body: Vec<u8>,
}

impl Client {
    /// Client `number` of a load, without a connection; the first request makes one.
    #[must_use]
    pub fn numbered(target: Arc<Target>, clock: Clock, number: u32) -> Self {
        Self::one_of(target, clock, number, Arc::new(Spares::new(SPARES_OF_ONE)))
    }

    /// Client `number` of those that keep their connections in `spares`.
    pub(crate) const fn one_of(target: Arc<Target>, clock: Clock, number: u32, spares: Arc<Spares>) -> Self {
        Self { target, clock, number, spares }
    }

    /// Makes one attempt, one request on the wire, within `allowance` if there is one; the service is told what is left of it.
    ///
    /// - `delay`: how long the attempt is on its way before anything is sent; part of its latency.
    pub async fn exchange(&self, identity: Identity, delay: Duration, allowance: Option<Duration>) -> Exchange {
        let started = self.clock.now();
        let attempt = async {
            self.clock.sleep(delay).await;
            let until = allowance.map(|allowance| started.saturating_add(allowance));
            self.attempt(identity, until).await
        };
        let received = match allowance {
            Some(allowance) => self.clock.timeout(allowance, attempt).await.map_err(|_| allowance),
            None => Ok(attempt.await),
        };
        let latency = self.clock.now().saturating_sub(started);
        match received {
            Ok(Ok(received)) => received.exchange(latency, self.clock.scale()),
            Ok(Err(Broken { transport, error })) => Exchange::broken(transport, latency, error),
            Err(allowance) => Exchange { latency, ..Exchange::timed_out(allowance) },
        }
    }

    async fn attempt(&self, identity: Identity, until: Option<Duration>) -> Result<Received, Broken> {
        let mut request = self.request(identity);
        // Taken out for the time of the attempt: one that is given up halfway cannot be used again.
        let mut kept = self.spares.take(self.number);
        if let Some(connection) = &mut kept
            && connection.ready().await.is_err()
        {
            kept = None;
        }
        let (connection, response) = match kept {
            None => self.send_anew(request, until).await?,
            Some(mut connection) => {
                self.tell_time_left(&mut request, until);
                match connection.try_send_request(request).await {
                    Ok(response) => (connection, response),
                    // The kept connection had been closed and no byte of the request left: this is still the first try.
                    Err(mut failed) => match failed.take_message() {
                        Some(request) => self.send_anew(request, until).await?,
                        None => return Err(Broken::of(failed.error())),
                    },
                }
            }
        };
        let received = receive(response).await?;
        self.spares.keep(self.number, connection);
        Ok(received)
    }

    async fn send_anew(
        &self,
        mut request: Request<Empty<Bytes>>,
        until: Option<Duration>,
    ) -> Result<(Connection, Response<Incoming>), Broken> {
        let mut connection = self.connect().await?;
        self.tell_time_left(&mut request, until);
        let response = connection.send_request(request).await.map_err(|error| Broken::of(&error))?;
        Ok((connection, response))
    }

    async fn connect(&self) -> Result<Connection, Broken> {
        let Target { host, port, tls, .. } = &*self.target;
        let addresses = tokio::net::lookup_host((host.as_str(), *port)).await;
        let addresses: Vec<_> = addresses.map_err(|error| Broken::new(Transport::Resolve, &error))?.collect();
        let stream = TcpStream::connect(&*addresses).await;
        let stream = stream.map_err(|error| Broken {
            transport: Transport::Connect,
            error: format!("connect to {host}:{port}: {error}"),
        })?;
        let _ = stream.set_nodelay(true);
        match tls {
            None => handshake(TokioIo::new(stream)).await,
            Some(tls) => {
                let stream = tls.connect(stream).await.map_err(|error| Broken::new(Transport::Tls, &error))?;
                handshake(TokioIo::new(stream)).await
            }
        }
    }

    fn request(&self, identity: Identity) -> Request<Empty<Bytes>> {
        let target = &*self.target;
        let mut request = Request::new(Empty::new());
        *request.method_mut() = target.method.clone();
        *request.uri_mut() = target.path.clone();
        request.headers_mut().clone_from(&target.headers);
        let headers = request.headers_mut();
        headers.insert(HOST, target.authority.clone());
        headers.insert(USER_AGENT, concat!("brownout/", env!("CARGO_PKG_VERSION")).parse().expect("plain text"));
        headers.insert(ACCEPT, "*/*".parse().expect("plain text"));
        headers.insert(Identity::REQUEST_HEADER, identity.request.into());
        headers.insert(Identity::ATTEMPT_HEADER, identity.attempt.get().into());
        headers.insert(LimitKey::CLIENT_HEADER, self.number.into());
        target.carry(identity.request, headers);
        request
    }

    /// Says in `request`, which is sent now, how long its answer is really waited for.
    fn tell_time_left(&self, request: &mut Request<Empty<Bytes>>, until: Option<Duration>) {
        if let Some(until) = until {
            let left = until.saturating_sub(self.clock.now());
            let left = TimeLeft(self.clock.scale().real(left)).to_string();
            request.headers_mut().insert(TimeLeft::HEADER, HeaderValue::try_from(left).expect("digits and a point"));
        }
    }
}

async fn handshake<I>(io: I) -> Result<Connection, Broken>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(io).await.map_err(|error| Broken::of(&error))?;
    // The connection's own end is told to whoever is sending on it.
    tokio::spawn(connection);
    Ok(sender)
}

async fn receive(response: Response<Incoming>) -> Result<Received, Broken> {
    let (head, mut incoming) = response.into_parts();
    let mut body = Vec::new();
    let mut seen = 0;
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| Broken::of(&error))?;
        let Some(data) = frame.data_ref() else { continue };
        seen += data.len();
        if seen > BODY_BYTES_MAX {
            let error = format!("the body is larger than {BODY_BYTES_MAX} bytes");
            return Err(Broken { transport: Transport::Protocol, error });
        }
        body.extend_from_slice(&data[..data.len().min(BODY_BYTES_KEPT - body.len())]);
    }
    Ok(Received { head: Response::from_parts(head, ()), body })
}

impl Received {
    fn exchange(self, latency: Duration, scale: Scale) -> Exchange {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = self.head.headers();
        let header = |name| headers.get(name).map(|value: &HeaderValue| text(value.as_bytes()));
        // A moment is told on the service's clock, so its own date is the better now.
        let now = || header("date").and_then(|date| retry_after::date(&date)).or_else(wall_clock);
        Exchange {
            reply: Reply::Status(self.head.status().as_u16()),
            retry_after: retry_after::told(header, now).map(|wait| scale.scenario(wait)),
            headers: headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
            body: text(&self.body),
            latency,
            error: None,
        }
    }
}

fn wall_clock() -> Option<Duration> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok()
}
