//! The service, its routes and its phases.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::Distribution;
use brownout_load::Graph;
use brownout_service::{
    Again, Behaviour, Bursts, Cache, Change, Factor, Factors, Only, Outcomes, Phase, Ramp, Recurring, Replicas, Route,
    Service, ServiceError, Window,
};

use super::{Fields, capacity, did_you_mean, distribution, effect, fault, graph, limit, scalar};
use crate::LivePhase;
use crate::grammar::{self, Table};
use crate::node::{Node, Value};
use crate::problem::Problems;

/// Every route is compared with every other.
const ROUTES_MAX: usize = 1_000;

/// What a scenario says of its services.
pub(super) struct Read {
    pub(super) service: Service,
    /// The header in which requests say who they are.
    pub(super) identity_header: Option<String>,
    pub(super) graph: Graph,
    /// Phases that come again.
    pub(super) recurring: Vec<Recurring>,
}

/// A phase, and where it stands.
struct Given<'n> {
    phase: Phase,
    /// When it comes again, if it does.
    recurring: Option<Recurring>,
    node: &'n Node,
    /// The service behind that it is of.
    of: Option<String>,
}

/// The services of a scenario.
pub(super) fn read(scenario: &Fields<'_>, problems: &mut Problems) -> Option<Read> {
    let before = problems.count();
    let nodes = scenario.list("phases", problems);
    let phases: Vec<Given<'_>> = nodes.iter().filter_map(|node| phase(node, problems)).collect();
    let behind = graph::entries(scenario, problems);
    for Given { phase, node, of, .. } in &phases {
        let Some(of) = of else { continue };
        if behind.iter().all(|entry| entry.key != *of) {
            let names = || behind.iter().map(|entry| entry.key.as_str());
            let known = format!("services behind: {}", names().collect::<Vec<_>>().join(", "));
            let hint = did_you_mean(of, names(), &known);
            problems.add_with_hint(&value(node, "service").span, format!("there is no service `{of}` behind"), hint);
        }
        if phase.factors.load.is_some() {
            let message = "the load is that of the clients; a phase of a service behind cannot change it";
            problems.add(&value(node, "load").span, message);
        }
    }
    let mut identity_header = None;
    let mut calls: &[Node] = &[];
    let entry = scenario.get("service");
    let fields = entry.map(|entry| Fields::open(&entry.node, &grammar::SERVICE, problems));
    let fields = if let Some(fields) = fields { Some(fields?) } else { None };
    if let Some(fields) = &fields {
        identity_header = fields.read("identity", problems, scalar::identity);
        calls = fields.list("calls", problems);
    }
    let service = one(fields.as_ref(), &phases, None, before, problems);
    let mut services = Vec::new();
    for entry in behind {
        let fields = Fields::open(&entry.node, &grammar::BEHIND, problems)?;
        services.extend(one(Some(&fields), &phases, Some(&entry.key), before, problems));
    }
    if problems.count() > before {
        return None;
    }
    let graph = graph::read(behind, services, calls, problems)?;
    let recurring = phases.into_iter().filter_map(|given| given.recurring).collect();
    Some(Read { service: service?, identity_header, graph, recurring })
}

/// One service, with the phases that are its own: those `of` its name, or of none.
///
/// - `before`: how many problems there were before the services; with more, what they are made of is not whole.
fn one(
    fields: Option<&Fields<'_>>,
    phases: &[Given<'_>],
    of: Option<&str>,
    before: usize,
    problems: &mut Problems,
) -> Option<Service> {
    let mut base = Behaviour { outcomes: sound(), latency: Distribution::fixed(Duration::ZERO) };
    let mut route_nodes: &[Node] = &[];
    let mut routes = Vec::new();
    let (mut capacity, mut cache, mut replicas) = (None, None, None);
    let (mut limits, mut limit_nodes, mut effects) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(fields) = fields {
        let given = change(fields, problems);
        base.outcomes = given.outcomes.unwrap_or(base.outcomes);
        base.latency = given.latency.unwrap_or(base.latency);
        capacity = fields.nested("capacity", problems, capacity::read);
        cache = fields.nested("cache", problems, self::cache);
        replicas = fields.nested("replicas", problems, self::replicas);
        if let Some(entry) = fields.get("cache")
            && fields.get("calls").is_none()
        {
            problems.add(
                &entry.key_span,
                "a cache stands in front of what a service calls; give it `calls`, or drop the cache",
            );
        }
        if of.is_none() {
            (limits, limit_nodes) = limit::read(fields, problems);
            route_nodes = fields.list("routes", problems);
        }
        if route_nodes.len() > ROUTES_MAX {
            let message = format!("a service has at most {ROUTES_MAX} routes, found {}", route_nodes.len());
            problems.add(fields.blame("routes"), message);
            return None;
        }
        routes = route_nodes.iter().filter_map(|node| route(node, problems)).collect();
        if of.is_none() {
            effects = effect::read(fields, route_nodes, problems);
        }
    }
    let own = phases.iter().filter(|given| given.of.as_deref() == of);
    let (own, phase_nodes): (Vec<Phase>, Vec<&Node>) = own.map(|given| (given.phase.clone(), given.node)).unzip();
    // A route or a phase that could not be read would be missed, and others blamed for it.
    if problems.count() > before {
        return None;
    }
    let service =
        Service::new(base, routes, own).and_then(|service| service.with_capacity(capacity)?.with_replicas(replicas));
    let service = service.and_then(|service| service.with_limits(limits)?.with_effects(effects));
    let service = service.map_err(|errors| {
        for error in errors {
            problems.add(&blame(&error, route_nodes, &phase_nodes, &limit_nodes).span, error);
        }
    });
    if let Some(given) = phases.iter().find(|given| given.of.as_deref() == of && given.phase.factors.cache_lost > 0) {
        let nodes = cache.map_or(0, |cache: Cache| cache.nodes.get());
        if nodes < given.phase.factors.cache_lost {
            let message = format!("there are only {nodes} nodes of a cache to lose");
            problems.add(&value(given.node, "cache_lost").span, message);
        }
    }
    service.ok().map(|service| service.with_cache(cache))
}

fn cache(node: &Node, problems: &mut Problems) -> Option<Cache> {
    let fields = Fields::open(node, &grammar::CACHE, problems)?;
    let count = scalar::count32(1);
    let keys = fields.read("keys", problems, &count).and_then(NonZeroU32::new);
    let hits = fields.read("hits", problems, scalar::probability);
    let nodes = fields.read("nodes", problems, &count).and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
    let cold = fields.read("cold", problems, scalar::boolean).unwrap_or_default();
    Some(Cache { keys: keys?, hits: hits?, nodes, cold })
}

/// A service that nothing befalls: what a file says nothing about does not happen.
fn sound() -> Outcomes {
    Outcomes::new([]).expect("no rates add up to nothing")
}

/// The node to blame for an error: the match of a route, the name of a phase, a key of a limit.
fn blame<'n>(error: &ServiceError, routes: &'n [Node], phases: &[&'n Node], limits: &[&'n Node]) -> &'n Node {
    let (node, key) = match error {
        ServiceError::UnreachableRoute { index, .. } => (&routes[*index], "match"),
        ServiceError::EmptyPhase { index, .. } => (phases[*index], "for"),
        ServiceError::RampTooLong { index, .. } => (phases[*index], "ramp_up"),
        ServiceError::RampWithoutEnd { index, .. } => (phases[*index], "ramp_down"),
        ServiceError::NoCapacity { index, .. } => (phases[*index], "capacity"),
        ServiceError::NoReplicas { index, .. } | ServiceError::NoSuchReplica { index, .. } => {
            (phases[*index], if has(phases[*index], "replica") { "replica" } else { "replicas" })
        }
        ServiceError::ReplicasShare { index, key, .. } => (phases[*index], *key),
        ServiceError::LimitTwice { index, .. } => (limits[*index], "name"),
        ServiceError::CostTooHigh { index, place: None, .. } | ServiceError::CostOfConcurrency { index, .. } => {
            (limits[*index], "cost")
        }
        ServiceError::CostTooHigh { index, place: Some(_), .. } => (limits[*index], "costs"),
        ServiceError::NoPhaseEnds { index, .. } => (limits[*index], "retry_after"),
        ServiceError::NoRoutes { index, .. } => (limits[*index], "key"),
        // That of the service comes first, so that it can be no second.
        ServiceError::EffectTwice { index, .. } => (&routes[*index - 1], "effect"),
        ServiceError::IdlePhase { index, .. }
        | ServiceError::HiddenPhase { index, .. }
        | ServiceError::PhaseTwice { index, .. } => (phases[*index], "name"),
    };
    value(node, key)
}

/// The value of a key of a table; the table where it has none.
fn value<'n>(node: &'n Node, key: &str) -> &'n Node {
    let Value::Table(entries) = &node.value else { return node };
    entries.iter().find(|entry| entry.key == key).map_or(node, |entry| &entry.node)
}

/// Whether a table has a key.
fn has(node: &Node, key: &str) -> bool {
    matches!(&node.value, Value::Table(entries) if entries.iter().any(|entry| entry.key == key))
}

fn replicas(node: &Node, problems: &mut Problems) -> Option<Replicas> {
    let fields = Fields::open(node, &grammar::REPLICAS, problems)?;
    let count = fields.read("count", problems, scalar::count32(1)).and_then(NonZeroU32::new);
    let sticky = fields.read("sticky", problems, scalar::sticky).unwrap_or_default();
    Some(Replicas { count: count?, sticky })
}

fn route(node: &Node, problems: &mut Problems) -> Option<Route> {
    let fields = Fields::open(node, &grammar::ROUTE, problems)?;
    let pattern = fields.read("match", problems, scalar::parsed);
    let change = change(&fields, problems);
    Some(Route { pattern: pattern?, change })
}

fn phase<'n>(node: &'n Node, problems: &mut Problems) -> Option<Given<'n>> {
    let fields = Fields::open(node, &grammar::PHASE, problems)?;
    let name = fields.read("name", problems, scalar::name);
    let from = fields.read("from", problems, scalar::duration).unwrap_or_default();
    let lasts = fields.read("for", problems, scalar::duration);
    let until = fields.read("until", problems, scalar::duration);
    if let (Some(_), Some(entry)) = (fields.get("for"), fields.get("until")) {
        problems.add(&entry.key_span, "a phase ends after `for` or at `until`, found both; drop one");
    }
    let until = until.or(lasts.map(|lasts| from.saturating_add(lasts)));
    let again = again(&fields, (from, until), problems);
    let until = match &again {
        Some(Again::Random { last, .. }) => Some(from.saturating_add(last.mean().max(Duration::from_nanos(1)))),
        _ => until,
    };
    let (change, ramp) = (change(&fields, problems), ramp(&fields, problems));
    let factors = Factors {
        capacity: fields.read("capacity", problems, scalar::multiple),
        slowdown: fields.read("slowdown", problems, scalar::multiple),
        load: fields.read("load", problems, scalar::multiple),
        intake: fields.read("intake", problems, scalar::probability).and_then(|share| Factor::new(share.as_f64())),
        cache_lost: fields.read("cache_lost", problems, scalar::count32(1)).unwrap_or_default(),
        refuse: fields.read("refuse", problems, scalar::boolean).unwrap_or_default(),
    };
    let only = only(&fields, problems);
    let of = fields.read("service", problems, scalar::name);
    let times = fields.read("times", problems, scalar::count32(1)).and_then(NonZeroU32::new);
    let phase = Phase { name: name?, window: Window { from, until }, ramp, change, factors, only };
    let recurring = again.map(|again| Recurring { phase: phase.clone(), again, times });
    Some(Given { phase, recurring, node, of })
}

/// A phase that begins when it is read.
pub(crate) fn live_phase(node: &Node, problems: &mut Problems) -> Option<LivePhase> {
    let before = problems.count();
    let fields = Fields::open(node, &grammar::LIVE_PHASE, problems)?;
    let name = fields.read("name", problems, scalar::name).unwrap_or_else(|| "live".to_owned());
    let lasts = fields.read("for", problems, scalar::duration);
    let lasts = lasts.filter(|lasts| {
        let right = (Duration::from_nanos(1)..=LivePhase::LASTS_MAX).contains(lasts);
        if !right {
            problems.add(
                &value(node, "for").span,
                format!("a change lasts up to a day and some time at least, found {lasts:?}"),
            );
        }
        right
    });
    let factors = Factors {
        capacity: fields.read("capacity", problems, scalar::multiple),
        slowdown: fields.read("slowdown", problems, scalar::multiple),
        intake: fields.read("intake", problems, scalar::probability).and_then(|share| Factor::new(share.as_f64())),
        refuse: fields.read("refuse", problems, scalar::boolean).unwrap_or_default(),
        ..Factors::default()
    };
    let (change, ramp) = (change(&fields, problems), ramp(&fields, problems));
    let only = Only { replicas: only_replicas(&fields, problems), bursts: None };
    let service = fields.read("service", problems, scalar::name);
    if let Some(lasts) = lasts
        && lasts < ramp.up.saturating_add(ramp.down)
    {
        problems.add(&value(node, "for").span, "the ramps of a change fit into it; make it longer or them shorter");
    }
    if problems.count() == before && change == Change::default() && factors == Factors::default() {
        problems.add(
            &node.span,
            "a change changes something; give it outcomes, latency, capacity, slowdown, intake or refuse",
        );
    }
    let window = Window { from: Duration::ZERO, until: lasts };
    (problems.count() == before)
        .then_some(LivePhase { phase: Phase { name, window, ramp, change, factors, only }, service })
}

fn ramp(fields: &Fields<'_>, problems: &mut Problems) -> Ramp {
    Ramp {
        up: fields.read("ramp_up", problems, scalar::duration).unwrap_or_default(),
        down: fields.read("ramp_down", problems, scalar::duration).unwrap_or_default(),
    }
}

/// How long it takes until something comes, and how long it then lasts.
fn alternating(node: &Node, table: &'static Table, problems: &mut Problems) -> Option<(Distribution, Distribution)> {
    let fields = Fields::open(node, table, problems)?;
    let between = fields.nested("between", problems, distribution::read);
    let last = fields.nested("last", problems, distribution::read);
    Some((between?, last?))
}

/// What of all a phase befalls.
fn only(fields: &Fields<'_>, problems: &mut Problems) -> Only {
    let replicas = only_replicas(fields, problems);
    let bursts = fields.nested("bursts", problems, |node, problems| {
        let (between, last) = alternating(node, &grammar::BURSTS, problems)?;
        Some(Bursts::new(between, last))
    });
    if let (Some(_), Some(entry)) = (&bursts, fields.get("cache_lost")) {
        let message =
            "a cache loses its nodes once, when the phase begins, and not with every burst; drop one of the two";
        problems.add(&entry.key_span, message);
    }
    Only { replicas, bursts }
}

/// Which replicas a phase befalls; all, where none is named.
fn only_replicas(fields: &Fields<'_>, problems: &mut Problems) -> Vec<u32> {
    let number = scalar::count32(0);
    let one = fields.read("replica", problems, &number);
    let several = fields.list("replicas", problems).iter();
    let mut replicas: Vec<u32> =
        several.filter_map(|node| problems.accept(&node.span, number(&node.value))).chain(one).collect();
    replicas.sort_unstable();
    replicas.dedup();
    if let (Some(_), Some(entry)) = (fields.get("replica"), fields.get("replicas")) {
        problems.add(&entry.key_span, "a phase is of one `replica` or of several `replicas`, found both; drop one");
    }
    if let Some(entry) = fields.get("replicas").filter(|_| replicas.is_empty()) {
        problems.add(&entry.node.span, "a phase of no replica changes nothing; name one, or drop `replicas`");
    }
    replicas
}

/// When a phase comes again.
fn again(fields: &Fields<'_>, (from, until): (Duration, Option<Duration>), problems: &mut Problems) -> Option<Again> {
    let every = fields.read("every", problems, scalar::duration);
    let random = fields.nested("random", problems, |node, problems| {
        let (between, last) = alternating(node, &grammar::RANDOM, problems)?;
        Some(Again::Random { between, last })
    });
    if fields.get("random").is_some() {
        for key in ["for", "until", "every"] {
            if let Some(entry) = fields.get(key) {
                problems.add(
                    &entry.key_span,
                    format!("`random` says how long a phase lasts and when it comes again; drop `{key}`"),
                );
            }
        }
    } else if let Some(entry) = fields.get("times").filter(|_| fields.get("every").is_none()) {
        problems.add(
            &entry.key_span,
            "`times` counts how often a phase comes again; give it `every` or `random`, or drop `times`",
        );
    }
    if let Some(entry) = fields.get("every") {
        let lasts = fields.get("for").or(fields.get("until"));
        if lasts.is_none() {
            problems.add(&entry.key_span, "a phase that comes again has to end before; give it `for`");
        } else if let (Some(every), Some(until)) = (every, until)
            && every <= until.saturating_sub(from)
        {
            let lasts = until.saturating_sub(from);
            let message = format!(
                "a phase that lasts {lasts:?} cannot come again after {every:?}; make `every` longer than that"
            );
            problems.add(&entry.node.span, message);
        }
    }
    random.or(every.map(Again::Every))
}

fn change(fields: &Fields<'_>, problems: &mut Problems) -> Change {
    let outcomes = fields.nested("outcomes", problems, fault::outcomes);
    let latency = fields.nested("latency", problems, distribution::read);
    Change { outcomes, latency }
}
