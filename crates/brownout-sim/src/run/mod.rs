//! One run: the events, in the order of time, and what each of them does.

mod arena;
mod call;
mod crowd;
mod effects;
mod event;
mod inner;
mod levels;
mod limits;
mod node;
mod replicas;
mod serve;
mod site;

use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::time::Duration;

use brownout_draw::{Seed, nanos};
use brownout_load::{Attempt, CallEnd, CapacityResult, Graph, GuardLog, Load, LoadResult, Numbers, Reply, Tally};
use brownout_policy::{Call, StopReason, Transport};
use brownout_service::{Identity, Outcome, Refused, RouteId};

use crate::World;
use crate::queue::{Queue, Ticket};
use arena::Arena;
use crowd::Crowds;
use effects::Books;
use event::Event;
use inner::Inner;
use limits::Gate;
use node::{ENTRY, Edge, Node, place};
pub use replicas::landed;

/// Bounds of a run, so that one that would never end is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many events at the most. Default a thousand million.
    pub events: u64,
    /// How many calls in flight, and how many attempts inside the service or on their way, at the most. Default
    /// [`IN_FLIGHT_MAX`]; a million take about 250 MiB.
    pub in_flight: u32,
}

/// What the events of a run can tell apart: 16.7 million.
pub const IN_FLIGHT_MAX: u32 = event::SLOTS_MAX;

impl Default for Limits {
    fn default() -> Self {
        Self { events: 1_000_000_000, in_flight: IN_FLIGHT_MAX }
    }
}

/// Who looks on while a run goes on.
pub trait Observer {
    /// An attempt of call `number` is over. It reached the service at `reached`, unless it was given up before.
    fn attempt(&mut self, number: u64, attempt: &Attempt, reached: Option<Duration>) {
        let _ = (number, attempt, reached);
    }

    /// Attempt `attempt` of call `number` was refused by a limit of the service.
    fn refused(&mut self, number: u64, attempt: NonZeroU32, refused: &Refused) {
        let _ = (number, attempt, refused);
    }

    /// Call `number` is over.
    fn call(&mut self, number: u64, end: &CallEnd) {
        let _ = (number, end);
    }

    /// So many events have happened, up to so much time: told every quarter of a million events. A break ends the run there, with
    /// what was counted so far, and says why.
    fn progress(&mut self, events: u64, elapsed: Duration) -> ControlFlow<String> {
        let _ = (events, elapsed);
        ControlFlow::Continue(())
    }
}

/// Nobody looks on.
impl Observer for () {}

/// What events are of one constant delay, each with a lane of its own in the queue.
const LANE_ARRIVAL: usize = 0;
const LANE_TIMEOUT: usize = 1;
const LANE_REACH: usize = 2;
const LANES: usize = 3;

/// No slot.
const NONE: u32 = u32::MAX;

/// How many events there may be in one instant, but for many clients.
const AT_ONCE_MAX: u64 = 10_000_000;

/// How often a run tells how far it is.
const PROGRESS_EVENTS: u64 = 1 << 18;

/// A call under way.
#[derive(Clone, Copy, Debug)]
struct CallState {
    call: Call,
    number: u64,
    /// Along which it is made.
    edge: u16,
    /// What it is made for, where that is no client: a slot.
    inner: u32,
    /// Whether it is still under way: a slot that was given back remembers its last call.
    live: bool,
    /// Whether it is one that failed before, made again.
    returned: bool,
    /// The first of the list of its attempts in flight.
    attempts: u32,
    /// The timer of its next copy, if there is to be one.
    hedge: Option<Ticket>,
}

/// Where an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// On its way to the service.
    OnItsWay,
    /// In the queue.
    Waiting,
    /// Worked on.
    Working,
    /// The services behind are being called.
    Calling,
    /// Answered; the answer is on its way.
    Answered,
    /// Gone without a trace: nobody will answer.
    Lost,
}

/// An attempt, from when it is sent until both its caller and the service are done with it.
#[derive(Clone, Copy, Debug)]
struct AttemptState {
    call: u32,
    /// The next in the list of its call's attempts.
    next: u32,
    number: NonZeroU32,
    /// The number of its call, which may be over.
    request: u64,
    /// Whose call it is, among the clients of all crowds.
    client: u32,
    /// Its place among all that reached the service.
    place: u32,
    /// The service it is sent to.
    node: u16,
    hedge: bool,
    /// Whether its caller still waits for it.
    awaited: bool,
    /// Whether a service behind has failed it.
    bad_gateway: bool,
    stage: Stage,
    outcome: Outcome,
    sent: u64,
    /// When it reached the service.
    reached: u64,
    /// When its work was begun.
    begun: u64,
    /// Between the work and the answer.
    latency: u64,
    /// When the answer is there, once that is known.
    due: u64,
    /// When its caller gives up.
    until: u64,
    /// The timer that ends it.
    timer: Option<Ticket>,
    /// What the service does next with it.
    event: Option<Ticket>,
}

impl CallState {
    /// What there is to tell of it, now that it is over.
    const fn over(&self, now: u64, failed: Option<StopReason>) -> CallEnd {
        let started_ns = self.call.started_ns();
        CallEnd { started_ns, elapsed_ns: now - started_ns, attempts: self.call.attempts(), failed }
    }
}

impl AttemptState {
    /// What there is to tell of it, now that it is over for its caller, and unless it failed.
    fn over(&self, now: u64, reply: Reply) -> Attempt {
        let Self { number, hedge, sent, .. } = *self;
        Attempt { number, hedge, started_ns: sent, latency_ns: now - sent, reply, verdict: None }
    }

    const fn identity(&self) -> Identity {
        Identity { request: self.request, attempt: self.number }
    }

    /// Whether it is another than the first of its call.
    fn is_another(&self) -> bool {
        self.number > NonZeroU32::MIN
    }
}

/// A run under way.
pub(crate) struct Run<'w, O> {
    seed: Seed,
    load: &'w Load,
    graph: &'w Graph,
    nodes: Vec<Node<'w>>,
    /// The calls of each crowd, then those of the services.
    edges: Vec<Edge<'w>>,
    crowds: Crowds<'w>,
    /// How many edges are those of clients.
    client_edges: u16,
    limits: Limits,
    queue: Queue<LANES>,
    now: u64,
    events: u64,
    calls: Arena<CallState>,
    attempts: Arena<AttemptState>,
    /// What calls are made for that no client makes.
    inner: Arena<Inner>,
    /// Only where the service that clients call has limits.
    gate: Option<Gate<'w>>,
    /// Only where the service that clients call has effects.
    books: Option<Books>,
    /// Whether an answer without a fault is what clients want. Mostly.
    ok_succeeds: bool,
    tally: Tally,
    /// What budgets and breakers leave open, where that is kept and one population has them.
    guards: GuardLog,
    cut_short: Option<String>,
    observer: O,
}

impl<'w, O: Observer> Run<'w, O> {
    /// A run before its first event; the calls of a load without cohorts are numbered as `numbers` says.
    pub(crate) fn new(
        world: World<'w>,
        load: &'w Load,
        route: RouteId,
        numbers: Numbers,
        limits: Limits,
        observer: O,
    ) -> Self {
        let World { service, policy, seed, graph, shard, details, .. } = world;
        let parts = load.parts();
        let (nodes, edges) = node::lay_out((service, route, &load.carried), policy, &parts, graph, seed);
        let (client_edges, phases) = (place(parts.len()), graph.phases(service));
        Self {
            seed,
            load,
            graph,
            nodes,
            edges,
            crowds: Crowds::new(parts, (numbers, shard), seed, service, &phases),
            client_edges,
            limits: Limits { in_flight: limits.in_flight.min(IN_FLIGHT_MAX), ..limits },
            queue: Queue::new(),
            now: 0,
            events: 0,
            calls: Arena::new(),
            attempts: Arena::new(),
            inner: Arena::new(),
            gate: None,
            books: Books::new(service),
            ok_succeeds: load.success.includes(Outcome::Success.status()),
            tally: if details { Tally::new(&phases).with_latencies() } else { Tally::new(&phases) },
            guards: if details && client_edges == 1 { GuardLog::default() } else { GuardLog::never() },
            cut_short: None,
            observer,
        }
    }

    /// Runs it to its end, and tells what came of it.
    pub(crate) fn finish(mut self) -> (LoadResult, O) {
        self.run();
        self.result()
    }

    /// Runs it to its end for whoever looked on, and tells why it was cut short if it was. What came of it all would cost more than a single
    /// call does.
    pub(crate) fn watched(mut self) -> (Option<String>, O) {
        self.run();
        self.end_what_is_left();
        (self.cut_short, self.observer)
    }

    fn run(&mut self) {
        self.start();
        let (mut at_once, mut checkpoint) = (0, 0);
        // Everybody may begin at once, and be answered at once, and a few things more.
        let at_once_max = AT_ONCE_MAX.max(8 * u64::from(self.load.all_clients()));
        while let Some(fired) = self.queue.pop() {
            self.events += 1;
            if fired.at == self.now {
                at_once += 1;
            } else {
                if self.guards.is_due(fired.at) {
                    self.guards.look(fired.at, &self.edges[0].callers);
                }
                (self.now, at_once) = (fired.at, 0);
            }
            if checkpoint <= self.events || at_once_max < at_once || fired.at == u64::MAX {
                checkpoint = self.check(at_once, at_once_max);
            }
            if self.cut_short.is_some() {
                break;
            }
            self.happen(Event::unpack(fired.event), fired.ticket);
        }
    }

    /// Looks whether the run may go on, and tells how far it is: the number of events at which to look again.
    #[cold]
    fn check(&mut self, at_once: u64, at_once_max: u64) -> u64 {
        let at = self.elapsed();
        if self.now == u64::MAX {
            self.cut_short = Some("the end of virtual time was reached, 584 years after its beginning".to_owned());
        } else if at_once_max < at_once {
            self.cut_short = Some(format!(
                "virtual time stood still at {at:?}: {at_once} events in one instant; give the service a latency, the clients a \
                 think time, or the policy a delay"
            ));
        } else if self.limits.events < self.events {
            self.cut("events", self.limits.events);
        }
        if self.events.is_multiple_of(PROGRESS_EVENTS)
            && let ControlFlow::Break(why) = self.observer.progress(self.events, at)
        {
            self.cut_short.get_or_insert_with(|| format!("{why} after {at:?} of virtual time"));
        }
        let next = (self.events / PROGRESS_EVENTS + 1) * PROGRESS_EVENTS;
        next.min(self.limits.events.saturating_add(1))
    }

    fn start(&mut self) {
        for crowd in 0..self.client_edges {
            if self.crowds.at(crowd).load.is_open() {
                self.expect_arrival(crowd);
            } else {
                self.expect_closed(crowd);
            }
        }
        for node in 0..self.nodes.len() {
            self.expect_workers_change(place(node));
        }
    }

    fn happen(&mut self, event: Event, ticket: Ticket) {
        match event {
            Event::Arrival(crowd) => self.arrive(place(crowd as usize)),
            Event::Begin(client) => self.begin_of_closed(client),
            Event::Return(client) => self.come_back(client),
            Event::Attempt(call) => self.attempt(call),
            Event::Send(call) => self.send_held_back(call),
            Event::Hedge(call) => self.hedge(call, ticket),
            Event::Reach(attempt) => self.reach(attempt),
            Event::Impatient(attempt) => self.lose_patience(attempt, ticket),
            Event::Done(attempt) => self.done(attempt, ticket),
            Event::Reply(attempt) => self.reply(attempt),
            Event::Timeout(attempt) => self.time_out(attempt, ticket),
            Event::Workers(node) => self.change_workers(place(node as usize)),
        }
    }

    #[inline]
    const fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now)
    }

    fn push(&mut self, at: u64, event: Event) -> Ticket {
        self.queue.push(at, event.pack())
    }

    fn push_lane(&mut self, lane: usize, at: u64, event: Event) -> Ticket {
        self.queue.push_lane(lane, at, event.pack())
    }

    /// The moment `after` from now.
    fn later(&self, after: Duration) -> u64 {
        self.now.saturating_add(nanos(after))
    }

    /// Ends the run before its end.
    fn cut(&mut self, what: &str, bound: u64) {
        let at = self.elapsed();
        self.cut_short
            .get_or_insert_with(|| format!("the bound of {bound} {what} was reached after {at:?} of virtual time"));
    }

    /// Counts the calls that nothing will end: the run was cut short, or nobody will ever answer them.
    fn end_what_is_left(&mut self) {
        let clients = self.client_edges;
        let of_clients = |state: &&CallState| state.live && state.edge < clients;
        let waiting = self.calls.iter().filter(of_clients).count();
        if waiting > 0 {
            self.cut_short.get_or_insert_with(|| {
                format!(
                    "calls that wait for ever: {waiting}, and nothing is left that could answer them; give their policy an \
                     `attempt_timeout` or a `deadline`"
                )
            });
        }
        let (tally, crowds) = (&mut self.tally, &mut self.crowds);
        let mut count = |edge: u16, count: &dyn Fn(&mut Tally)| {
            count(tally);
            crowds.at(edge).count(count);
        };
        for state in self.calls.iter().filter(of_clients) {
            let end = state.over(self.now, Some(StopReason::Interrupted));
            count(state.edge, &|tally| tally.call(&end));
        }
        for attempt in self.attempts.iter().filter(|attempt| attempt.awaited && attempt.node == ENTRY) {
            let over = attempt.over(self.now, Reply::Broken(Transport::Interrupted));
            count(self.calls[attempt.call].edge, &|tally| tally.attempt(&over));
        }
    }

    fn result(mut self) -> (LoadResult, O) {
        let over = self.load.ends_of_all().filter(|_| self.cut_short.is_none());
        self.end_what_is_left();
        let mut result = self.tally.result(self.crowds.asked().unwrap_or(0), over);
        result.cohorts = self.crowds.results(over);
        let edges = &self.edges[usize::from(self.client_edges)..];
        result.behind = node::behind(self.graph, edges, result.calls.started);
        result.capacity = self.capacity_result(ENTRY);
        for (node, behind) in (1..).zip(&mut result.behind) {
            behind.capacity = self.capacity_result(node);
        }
        result.limits = self.gate.as_ref().map(|gate| gate.result(self.nodes[usize::from(ENTRY)].service));
        result.effects = self.books.as_ref().map(Books::result).unwrap_or_default();
        result.guards = self.edges.first().and_then(|edge| self.guards.series(self.now, &edge.callers));
        result.events = Some(self.events);
        result.cut_short = self.cut_short;
        (result, self.observer)
    }

    fn capacity_result(&mut self, node: u16) -> Option<CapacityResult> {
        let site = self.nodes[usize::from(node)].site.as_mut()?;
        let here = self.attempts.iter().filter(|attempt| attempt.node == node);
        let inside = here.filter_map(|attempt| match attempt.stage {
            Stage::Waiting => Some((attempt.reached, None)),
            Stage::Working | Stage::Calling => Some((attempt.reached, Some(attempt.begun))),
            _ => None,
        });
        Some(site.result(self.now, inside))
    }
}

#[cfg(test)]
mod tests;
