//! The services behind the first: where each listens, who calls whom, and how they end one after another.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use brownout_clock::Clock;
use brownout_draw::Seed;
use brownout_drive::{Line, Target, Trust};
use brownout_load::{Graph, HopCounts};
use brownout_serve::{App, Behind, Limits, ServeError, Server};
use brownout_service::Identity;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::exit::Stop;
use crate::flags::HTTP_ATTEMPT_TIMEOUT;

/// Where a service behind is to listen.
#[derive(Clone, Debug)]
pub(crate) struct Listen {
    name: String,
    address: SocketAddr,
}

/// Services that listen, that of the clients first, with the lines along which each calls others.
pub(crate) struct Row {
    servers: Vec<Server>,
    lines: Vec<Vec<Arc<Line>>>,
    /// Who calls each of them.
    callers: Vec<Vec<usize>>,
    drain_time: Duration,
}

/// Any free port on loopback.
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Reads `NAME=PORT` or `NAME=ADDRESS:PORT`.
pub(crate) fn listen(text: &str) -> Result<Listen, String> {
    let Some((name, place)) = text.split_once('=') else {
        return Err(format!("expected NAME=PORT or NAME=ADDRESS:PORT, as in db=7430, found `{text}`"));
    };
    let address = self::place(place)?;
    if !address.ip().is_loopback() {
        let port = address.port();
        return Err(format!(
            "serve listens on loopback only, found `{place}`; say {name}={port}, {name}=127.0.0.1:{port} or {name}=[::1]:{port}"
        ));
    }
    Ok(Listen { name: name.to_owned(), address })
}

/// Reads `PORT`, on loopback, or `ADDRESS:PORT`.
pub(crate) fn place(text: &str) -> Result<SocketAddr, String> {
    let port = text.parse().map(|port| SocketAddr::new(ANY.ip(), port)).ok();
    port.or_else(|| text.parse().ok()).ok_or_else(|| {
        format!("a service listens on a port from 0 to 65535, or on an address with one, found `{text}`")
    })
}

/// Where each service of `graph` is to listen, the `first` service apart.
pub(crate) fn places(graph: &Graph, first: SocketAddr, wanted: &[Listen]) -> Result<Vec<SocketAddr>, Stop> {
    let names: Vec<&str> = graph.behind.iter().map(|node| node.name.as_str()).collect();
    let mut places: BTreeMap<&str, SocketAddr> = BTreeMap::new();
    for Listen { name, address } in wanted {
        if !names.contains(&name.as_str()) {
            let there_are = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let message = format!(
                "--listen is for services behind, and there is no `{name}` among them; there are: {there_are} (the first has --port)"
            );
            return Err(Stop::usage(message));
        }
        if let Some(other) = places.insert(name, *address) {
            return Err(Stop::usage(format!("--listen names `{name}` twice, with {other} and {address}; drop one")));
        }
    }
    let mut taken = BTreeMap::from([(first, "--port".to_owned())]);
    for (name, address) in places.iter().filter(|(_, address)| address.port() != 0) {
        if let Some(other) = taken.insert(*address, format!("--listen {name}")) {
            let message = format!(
                "two services cannot listen on {address}, which {other} and --listen {name} say; give one another port, or 0 for \
                 any free one"
            );
            return Err(Stop::usage(message));
        }
    }
    Ok(names.into_iter().map(|name| places.get(name).copied().unwrap_or(ANY)).collect())
}

impl Row {
    /// `first` and the services of `graph` behind it, which listen at `places` from now on; all calls have the luck of `seed`, in the time of `clock`.
    pub(crate) async fn new(
        first: Server,
        graph: &Graph,
        places: &[SocketAddr],
        limits: Limits,
        (seed, clock): (Seed, Clock),
    ) -> Result<Self, Stop> {
        let mut servers = vec![first];
        for (node, address) in graph.behind.iter().zip(places) {
            let server = Server::bind(*address, limits).await;
            servers.push(server.map_err(|error| refusal(&node.name, &error))?);
        }
        let mut number = 0;
        let mut callers = vec![Vec::new(); servers.len()];
        let mut lines = Vec::with_capacity(servers.len());
        for (caller, hops) in graph.hops().enumerate() {
            let mut own = Vec::with_capacity(hops.len());
            for hop in hops {
                number += 1;
                let url = format!("http://{}", servers[hop.to + 1].address());
                let target = Target::new(&url, "GET", None, &Trust::default()).map_err(Stop::failed)?;
                let policy = hop.policy.clone().or_attempt_timeout(HTTP_ATTEMPT_TIMEOUT);
                own.push(Arc::new(Line::new(number, target, policy, hop.pass_deadline, seed, clock)));
                callers[hop.to + 1].push(caller);
            }
            lines.push(own);
        }
        Ok(Self { servers, lines, callers, drain_time: limits.drain_time })
    }

    /// Where each listens, that of the clients first.
    pub(crate) fn urls(&self) -> impl Iterator<Item = String> {
        self.servers.iter().map(|server| format!("{}://{}", server.scheme(), server.address()))
    }

    /// What answers at each place: `first`, and the services of `graph` behind it, with the luck of `seed` in the time of `clock`. Each is
    /// `dressed`, and makes its calls along its lines.
    pub(crate) fn apps(
        &self,
        first: App,
        graph: &Graph,
        (seed, clock): (Seed, Clock),
        dressed: impl Fn(App) -> App,
    ) -> Vec<Arc<App>> {
        let line = |line: &Arc<Line>| Box::new(Wire(Arc::clone(line))) as Box<dyn Behind>;
        let behind = graph.behind.iter().map(|node| App::new(node.service.clone(), seed, None, clock));
        let apps = std::iter::once(first).chain(behind).zip(&self.lines);
        apps.map(|(app, lines)| Arc::new(dressed(app).calling(lines.iter().map(line).collect()))).collect()
    }

    /// Answers as `apps` say, until `end`; then each service ends when nobody is left to call it, all of them within the time that
    /// answers under way have. Tells what was counted of every hop, in their order.
    pub(crate) async fn run(self, apps: Vec<Arc<App>>, end: impl Future<Output = ()>) -> Vec<HopCounts> {
        let Self { servers, lines, callers, drain_time } = self;
        let (over, ended): (Vec<_>, Vec<_>) = servers.iter().map(|_| watch::channel(())).unzip();
        let mut rest = JoinSet::new();
        let mut first = None;
        for (place, ((server, app), over)) in servers.into_iter().zip(apps).zip(over).enumerate() {
            let own = lines[place].clone();
            if place == 0 {
                first = Some((server, app, over, own));
                continue;
            }
            let callers: Vec<_> = callers[place].iter().map(|caller| ended[*caller].clone()).collect();
            rest.spawn(async move {
                server.run(app, all_over(callers)).await;
                end_all(&own).await;
                drop(over);
            });
        }
        let mut asked = tokio::time::Instant::now();
        if let Some((server, app, over, own)) = first {
            let end = async {
                end.await;
                asked = tokio::time::Instant::now();
            };
            server.run(app, end).await;
            end_all(&own).await;
            drop(over);
        }
        let left = asked + drain_time;
        let _ = tokio::time::timeout_at(left.max(tokio::time::Instant::now() + GRACE), async {
            while rest.join_next().await.is_some() {}
        })
        .await;
        // What has not ended by now is cut off.
        rest.shutdown().await;
        for own in &lines {
            end_all(own).await;
        }
        lines.iter().flatten().map(|line| line.counts()).collect()
    }
}

/// What services behind have to end in, however long the first took.
const GRACE: Duration = Duration::from_millis(100);

/// A line, as the service that calls along it sees it.
#[derive(Debug)]
struct Wire(Arc<Line>);

impl Behind for Wire {
    fn call(&self, asked: Identity, until: Option<Duration>) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(self.0.call(asked, until))
    }
}

async fn all_over(callers: Vec<watch::Receiver<()>>) {
    for mut caller in callers {
        // Nothing is ever sent: who is over drops its end.
        let _ = caller.changed().await;
    }
}

async fn end_all(lines: &[Arc<Line>]) {
    for line in lines {
        line.end().await;
    }
}

fn refusal(name: &str, error: &ServeError) -> Stop {
    let message = match error {
        ServeError::PortInUse(address) => format!(
            "failed to listen on {address} for `{name}`: the port is in use; choose another with --listen, as in {name}=7430, or 0 \
             for any free one"
        ),
        other => format!("failed to {other}, for `{name}`"),
    };
    Stop::failed(message)
}
