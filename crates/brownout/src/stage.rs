//! The services of a scenario on loopback, in the program of those who call them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_draw::Seed;
use brownout_drive::Target;
use brownout_load::{EffectResult, Graph, HopCounts, LimitsResult, LoadResult};
use brownout_scenario::Scenario;
use brownout_serve::{App, Limits, Server, Visit, VisitBounds};
use brownout_service::{LimitKey, Service};
use tokio::sync::oneshot;

use crate::exit::Stop;
use crate::row::{Row, places};
use crate::setting::Setting;

/// Services that answer for as long as this is there, in threads of their own.
pub(crate) struct Stage {
    url: String,
    apps: Vec<Arc<App>>,
    graph: Graph,
    end: oneshot::Sender<()>,
    running: JoinHandle<Vec<HopCounts>>,
}

/// What a stage is set with.
struct Cast {
    service: Service,
    graph: Graph,
    identity_header: Option<String>,
    seed: Seed,
    scale: Scale,
    /// Of the first; 0 for any free one.
    port: u16,
    limits: Limits,
    /// What is written down of requests to the first.
    visits: Option<VisitBounds>,
}

impl Stage {
    /// The services of `setting`, each on a free port.
    pub(crate) fn set(setting: &Setting, scale: Scale) -> Result<Self, Stop> {
        Self::of(Cast::new(setting, scale))
    }

    /// The same at the pace of real time, the first on `port`, which writes its requests down. Once nobody is to be answered any more, answers
    /// under way have little time.
    pub(crate) fn observed(setting: &Setting, port: u16, visits: VisitBounds) -> Result<Self, Stop> {
        let limits = Limits { drain_time: DRAIN_TIME, ..Limits::default() };
        Self::of(Cast { port, limits, visits: Some(visits), ..Cast::new(setting, Scale::ONE) })
    }

    fn of(cast: Cast) -> Result<Self, Stop> {
        let graph = cast.graph.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Stop::failed(format!("failed to start the runtime: {error}")))?;
        let (tell, told) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let running = std::thread::spawn(move || {
            runtime.block_on(async {
                let (row, apps) = match cast.enter().await {
                    Ok(ready) => ready,
                    Err(stop) => {
                        let _ = tell.send(Err(stop));
                        return Vec::new();
                    }
                };
                let url = row.urls().next().unwrap_or_default();
                let _ = tell.send(Ok((url, apps.clone())));
                // Nothing is ever sent: who is done drops its end.
                row.run(apps, async { _ = ended.await }).await
            })
        });
        let (url, apps) = told.recv().map_err(|_| Stop::failed("the services came to an end before they began"))??;
        Ok(Self { url, apps, graph, end, running })
    }

    /// Where the first of them answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// `target`, whose clients say who they are wherever these services tell them apart.
    pub(crate) fn telling_clients(&self, target: Target) -> Target {
        let service = self.apps[0].service();
        let keys = service.limits().iter().map(|limit| match &limit.key {
            LimitKey::Header(name) => Some(name.as_str()),
            _ => None,
        });
        target.naming_clients(keys.flatten())
    }

    /// Begins their time now.
    pub(crate) fn begin(&self) {
        for app in &self.apps {
            app.reset(app.clock().anew());
        }
    }

    /// Ends them; the requests of the first that were written down, and how many were not.
    pub(crate) fn end_observed(self) -> (Vec<Visit>, u64) {
        drop(self.end);
        self.running.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked));
        self.apps[0].visits()
    }

    /// Ends them; the result of a load, with what they saw of it.
    pub(crate) fn end(self, result: LoadResult) -> LoadResult {
        drop(self.end);
        let counts = self.running.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked));
        let first = &self.apps[0];
        LoadResult {
            behind: self.graph.results(counts.into_iter(), first.calls()),
            limits: first.limits().map(|(counts, early)| LimitsResult::new(counts, early)),
            effects: first.effects().into_iter().map(EffectResult::new).collect(),
            ..result
        }
    }
}

/// How long answers under way may take whose clients have ended.
const DRAIN_TIME: Duration = Duration::from_millis(200);

impl Cast {
    fn new(setting: &Setting, scale: Scale) -> Self {
        let Scenario { service, graph, identity_header, .. } = &setting.scenario;
        let (service, graph, identity_header) = (service.clone(), graph.clone(), identity_header.clone());
        let (seed, port, limits, visits) = (setting.seed, 0, Limits::default(), None);
        Self { service, graph, identity_header, seed, scale, port, limits, visits }
    }

    /// Listens, in the runtime that this is called in.
    async fn enter(self) -> Result<(Row, Vec<Arc<App>>), Stop> {
        let Self { service, graph, identity_header, seed, scale, port, limits, visits } = self;
        let first: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
        let server = Server::bind(first, limits).await.map_err(|error| Stop::failed(format!("failed to {error}")))?;
        let clock = Clock::start_fine(scale);
        let row = Row::new(server, &graph, &places(&graph, first, &[])?, limits, (seed, clock)).await?;
        let first = App::new(service, seed, identity_header.as_deref(), clock);
        let first = match visits {
            Some(bounds) => first.with_visits(bounds),
            None => first,
        };
        let apps = row.apps(first, &graph, (seed, clock), |app| app);
        Ok((row, apps))
    }
}
