//! The services of a run, and who calls them.

use std::ops::Range;
use std::time::Duration;

use brownout_draw::{Ahead, Seed};
use brownout_load::{Carried, Graph, Hop, HopCounts, Part, ServiceResult};
use brownout_policy::{Callers, Policy, Population};
use brownout_service::{Held, Landed, RouteId, Service, Steady};

use super::AttemptState;
use super::replicas::landed;
use super::site::Site;

/// The service that clients call.
pub(super) const ENTRY: u16 = 0;

/// A service.
pub(super) struct Node<'w> {
    pub(super) service: &'w Service,
    /// That of all its requests, where they ask for the same.
    pub(super) route: RouteId,
    /// What the requests carry that it gets.
    pub(super) carried: &'w Carried,
    /// What it decides, where no phase has a say in it.
    pub(super) steady: Option<Steady<'w>>,
    /// How much work the next first attempts are.
    pub(super) works: Ahead,
    pub(super) site: Option<Site<'w>>,
    pub(super) cache: Option<Held>,
    /// Along which it calls others, one after another.
    pub(super) edges: Range<u16>,
}

/// Calls from one to another.
pub(super) struct Edge<'w> {
    pub(super) policy: &'w Policy,
    pub(super) callers: Callers,
    /// The service called.
    pub(super) to: u16,
    pub(super) pass_deadline: bool,
    /// Of calls that no client makes.
    pub(super) counts: HopCounts,
}

impl<'w> Node<'w> {
    /// The route of call number `call` of those that it gets.
    #[inline]
    pub(super) fn route_of(&self, seed: Seed, call: u64) -> RouteId {
        let drawn = self.carried.drawn(seed, call);
        drawn.map_or(self.route, |drawn| self.service.route(&drawn.line().seen()))
    }

    /// Whether it calls nobody.
    pub(super) const fn is_leaf(&self) -> bool {
        self.edges.start == self.edges.end
    }

    /// Attempt `attempt` of those that it gets, where it lands.
    pub(super) fn landed(&self, seed: Seed, attempt: &AttemptState) -> Landed {
        landed(self.service, seed, attempt.identity(), attempt.client, self.carried)
    }

    fn new((service, route, carried): (&'w Service, RouteId, &'w Carried), seed: Seed, edges: Range<u16>) -> Self {
        let site = service.capacity().map(|rule| Site::new(rule, service.workers(Duration::ZERO)));
        Self {
            service,
            route,
            carried,
            steady: service.steady(seed, route).filter(|_| carried.requests().is_none()),
            works: Ahead::default(),
            site,
            cache: service.cache().map(Held::new),
            edges,
        }
    }
}

impl<'w> Edge<'w> {
    fn new(policy: &'w Policy, population: Population, to: u16, pass_deadline: bool) -> Self {
        let (callers, counts) = (Callers::new(policy, population), HopCounts::default());
        Self { policy, callers, to, pass_deadline, counts }
    }
}

/// What services carry when they call each other.
const NOTHING: &Carried = &Carried::NOTHING;

/// The services of a run, the one that clients call first, and the calls between them: those of each part of the load, then
/// those of the services.
pub(super) fn lay_out<'w>(
    (service, route, carried): (&'w Service, RouteId, &'w Carried),
    policy: &'w Policy,
    parts: &[Part<'w>],
    graph: &'w Graph,
    seed: Seed,
) -> (Vec<Node<'w>>, Vec<Edge<'w>>) {
    let clients = |part: &Part<'w>| {
        let policy = part.own.map_or(policy, |own| &own.policy);
        Edge::new(policy, part.load.population(), ENTRY, false)
    };
    let mut edges: Vec<Edge<'w>> = parts.iter().map(clients).collect();
    let mut nodes = Vec::with_capacity(1 + graph.behind.len());
    let behind = graph.behind.iter().map(|node| ((&node.service, RouteId::UNMATCHED, NOTHING), &node.calls));
    for (service, hops) in [((service, route, carried), &graph.calls)].into_iter().chain(behind) {
        let first = place(edges.len());
        let edge = |hop: &'w Hop| Edge::new(&hop.policy, Population::ONE, place(hop.to + 1), hop.pass_deadline);
        edges.extend(hops.iter().map(edge));
        nodes.push(Node::new(service, seed, first..place(edges.len())));
    }
    (nodes, edges)
}

/// The number of a service, or of an edge.
pub(super) fn place(index: usize) -> u16 {
    u16::try_from(index).expect("a scenario of at most 65,535 services and calls between them")
}

/// What became of the services behind the first, called along these `edges`, where clients started so many calls; capacities
/// are told apart.
pub(super) fn behind(graph: &Graph, edges: &[Edge<'_>], started: u64) -> Vec<ServiceResult> {
    graph.results(edges.iter().map(|edge| edge.counts), started)
}
