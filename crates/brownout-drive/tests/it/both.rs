//! One scenario in both worlds: in virtual time, and over HTTP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_draw::{Distribution, Seed};
use brownout_drive::{Drive, Target, Trust};
use brownout_load::{Attempt, Load, LoadResult, Reply};
use brownout_policy::{Policy, Settings, Verdict};
use brownout_serve::{App, Server};
use brownout_service::{Behaviour, Outcome, Outcomes, Request, Service};
use brownout_sim::{Limits, Observer, World};
use tokio::sync::oneshot;

const SEED: Seed = Seed(42);
const GET: Request<'static> = Request { method: "GET", path: "/" };

/// An attempt, but for when it was and how long it took: what it met and what was made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) call: u64,
    pub(crate) attempt: u32,
    pub(crate) hedge: bool,
    pub(crate) reply: Reply,
    pub(crate) verdict: Option<Verdict>,
}

/// What happened, in the order in which attempts ended.
pub(crate) struct Run {
    pub(crate) steps: Vec<Step>,
    pub(crate) result: LoadResult,
}

/// A service and those who call it.
pub(crate) struct Scenario {
    pub(crate) service: Service,
    pub(crate) settings: Settings,
    pub(crate) load: Load,
}

#[derive(Default)]
struct Watch(Vec<Step>);

/// A service with this share of errors.
pub(crate) fn failing(rate: &str, latency: Distribution) -> Service {
    let outcomes = Outcomes::default().with_rates(&Outcome::failures().map(|o| (o, never())).collect::<Vec<_>>());
    let outcomes = outcomes.unwrap().with_rates(&[(Outcome::Error, rate.parse().unwrap())]).unwrap();
    Service::new(Behaviour { outcomes, latency }, vec![], vec![]).unwrap()
}

fn never() -> brownout_draw::Probability {
    brownout_draw::Probability::ZERO
}

impl Step {
    fn new(call: u64, attempt: &Attempt) -> Self {
        let Attempt { number, hedge, reply, verdict, .. } = *attempt;
        Self { call, attempt: number.get(), hedge, reply, verdict }
    }
}

impl Observer for Watch {
    fn attempt(&mut self, number: u64, attempt: &Attempt, _: Option<Duration>) {
        self.0.push(Step::new(number, attempt));
    }
}

impl Run {
    /// The steps in the order of calls and attempts, where the order in time is left to chance.
    pub(crate) fn sorted(&self) -> Vec<Step> {
        let mut steps = self.steps.clone();
        steps.sort_by_key(|step| (step.call, step.attempt));
        steps
    }
}

impl Scenario {
    pub(crate) fn in_virtual_time(&self) -> Run {
        let policy = Policy::new(self.settings.clone()).unwrap();
        let world = World::new(&self.service, &policy, SEED);
        let (result, watch) = world.watch(&GET, &self.load, Limits::default(), Watch::default());
        Run { steps: watch.0, result }
    }

    /// The server and its clients take their luck from one seed.
    pub(crate) async fn over_http(&self) -> Run {
        let limits = brownout_serve::Limits { drain_time: Duration::from_millis(50), ..Default::default() };
        let server = Server::bind(([127, 0, 0, 1], 0).into(), limits).await.unwrap();
        let url = format!("http://{}", server.address());
        let app = Arc::new(App::new(self.service.clone(), SEED, None, Clock::start(Scale::ONE)));
        let (end, ended) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(app, async { ended.await.unwrap_or(()) }));
        let steps = Arc::new(Mutex::new(Vec::new()));
        let observe = {
            let steps = Arc::clone(&steps);
            move |number, attempt: &Attempt| steps.lock().unwrap().push(Step::new(number, attempt))
        };
        let drive = drive(&url, self.settings.clone(), SEED);
        let target = Arc::new((*drive.target).clone().succeeding_with(self.load.success.clone()));
        let drive = Drive { target, ..drive };
        let load = drive.load(&self.load, Some(&self.service), std::future::pending(), observe);
        let result = tokio::time::timeout(Duration::from_secs(60), load).await.expect("the load ends");
        drop(end);
        running.await.unwrap();
        let steps = std::mem::take(&mut *steps.lock().unwrap());
        Run { steps, result }
    }
}

/// Clients of `url` with this policy.
pub(crate) fn drive(url: &str, settings: Settings, seed: Seed) -> Drive {
    let target = Target::new(url, "GET", None, &Trust::default()).unwrap();
    Drive {
        target: Arc::new(target),
        policy: Arc::new(Policy::new(settings).unwrap()),
        seed,
        clock: Clock::start(Scale::ONE),
    }
}
