//! Why an attempt met what it met, and what happens when.

use std::fmt::Write as _;

use brownout_load::Graph;
use brownout_service::{BurstAt, Bursts, Decision, Explanation, Only, Phase, Seen, Service};
use serde::Serialize;

use crate::number::counted;
use crate::table::table;
use crate::{Origin, written};

/// Why an attempt meets what it meets, as `explain` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainReport {
    /// The number of the call.
    pub request: u64,
    /// Which attempt of it.
    pub attempt: u32,
    /// When it reaches the service.
    pub at_s: f64,
    /// The route that it takes; `None` where none matches.
    pub route: Option<String>,
    /// The replica that it lands on, of how many; `None` where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica: Option<(u32, u32)>,
    /// Phases on at that moment: name, how strongly, and the draw that told where that is neither 0 nor 1.
    pub phases: Vec<(String, f64, Option<f64>)>,
    /// Phases that hold in bursts: name, which burst is on, from when to when; between two, when the next begins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bursts: Vec<BurstReport>,
    /// The phase whose outcomes hold.
    pub outcomes_of: Option<String>,
    /// The phase whose latency holds.
    pub latency_of: Option<String>,
    /// The outcomes that can come, with the share of draws at which each begins and ends.
    pub outcomes: Vec<(&'static str, f64, f64)>,
    /// What chose between them, as the share of all draws that lies below it.
    pub outcome_draw: Option<f64>,
    /// What chose the latency, likewise.
    pub latency_draw: Option<f64>,
    /// The share of requests that a phase lets in, and the draw that told.
    pub intake: Option<(f64, f64)>,
    /// How much work it is for a worker; its wait for one depends on the others.
    pub work_ms: Option<f64>,
    /// Which outcome it is.
    pub outcome: &'static str,
    /// The status of the answer; `None` where no whole one comes.
    pub status: Option<u16>,
    /// What its caller sees in the end.
    pub seen: String,
    /// How long the answer takes, work and waiting aside.
    pub latency_ms: f64,
    /// The header that says so on the wire.
    pub decision: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
}

/// Where a moment lies among the bursts of a phase.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BurstReport {
    /// The phase.
    pub phase: String,
    /// Which burst is on, from 1; `None` between two.
    pub burst: Option<usize>,
    /// When it began, or the next begins; `None` where none is left.
    pub from_s: Option<f64>,
    /// When it ends; `None` between two.
    pub until_s: Option<f64>,
}

impl BurstReport {
    fn new((phase, at): &(&str, BurstAt)) -> Self {
        let phase = (*phase).to_owned();
        match at {
            BurstAt::In { number, from, until } => Self {
                phase,
                burst: Some(*number),
                from_s: Some(from.as_secs_f64()),
                until_s: Some(until.as_secs_f64()),
            },
            BurstAt::Between { next } => {
                Self { phase, burst: None, from_s: next.map(|next| next.as_secs_f64()), until_s: None }
            }
        }
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        write!(text, "  phase {}: ", self.phase)?;
        match (self.burst, self.from_s, self.until_s) {
            (Some(number), Some(from), Some(until)) => {
                writeln!(text, "in burst {number}, from {from:.3} s to {until:.3} s")
            }
            (_, Some(next), _) => writeln!(text, "between bursts; the next begins at {next:.3} s"),
            _ => writeln!(text, "after its last burst"),
        }
    }
}

impl ExplainReport {
    /// Of an attempt that reaches the service at `at_s`.
    #[must_use]
    pub fn new(why: &Explanation<'_>, at_s: f64, origin: Origin) -> Self {
        let decision = &why.decision;
        let [outcomes_of, latency_of] = why.from_phases.map(|phase| phase.map(str::to_owned));
        let (status, seen) =
            if why.refused { (None, "a connection that is refused".to_owned()) } else { seen(decision) };
        let phase = |(name, strength, draw): &(&str, f64, Option<f64>)| ((*name).to_owned(), *strength, *draw);
        Self {
            request: decision.identity.request,
            attempt: decision.identity.attempt.get(),
            at_s,
            route: decision.route.map(str::to_owned),
            replica: why.replica,
            phases: why.phases.iter().map(phase).collect(),
            bursts: why.bursts.iter().map(BurstReport::new).collect(),
            outcomes_of,
            latency_of,
            outcomes: why.outcomes.iter().map(|(outcome, start, end)| (outcome.name(), *start, *end)).collect(),
            outcome_draw: why.outcome_draw,
            latency_draw: why.latency_draw,
            intake: why.intake,
            work_ms: why.work.map(|work| work.as_secs_f64() * 1e3),
            outcome: decision.outcome.name(),
            status,
            seen,
            latency_ms: decision.latency.as_secs_f64() * 1e3,
            decision: decision.to_string(),
            origin,
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| self.write(text))
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Self { request, attempt, at_s, .. } = self;
        let route =
            self.route.as_ref().map_or_else(|| "no route of its own".to_owned(), |route| format!("route `{route}`"));
        writeln!(text, "Attempt {attempt} of call {request}, reaching the service at {at_s} s; {route}")?;
        if let Some((replica, count)) = self.replica {
            writeln!(text, "  lands on replica {replica} of {count}")?;
        }
        self.bursts.iter().try_for_each(|burst| burst.write(text))?;
        if self.phases.is_empty() {
            writeln!(text, "  phases: none is on")?;
        }
        for (name, strength, draw) in &self.phases {
            match draw {
                None => writeln!(text, "  phase {name}: on")?,
                Some(draw) => {
                    let met = if draw < strength { "met" } else { "not met" };
                    writeln!(text, "  phase {name}: {:.1}% on, {met} (draw {draw:.6})", strength * 100.0)?;
                }
            }
        }
        if let Some((share, draw)) = self.intake {
            let so = if draw < share { "let in" } else { "turned away with a 503" };
            writeln!(text, "  intake: {:.1}% are let in; this one is {so} (draw {draw:.6})", share * 100.0)?;
        }
        let of = |phase: &Option<String>| phase.as_ref().map_or(String::new(), |phase| format!(", by phase {phase}"));
        match self.outcome_draw {
            None => writeln!(text, "  outcome: always {}{}", self.outcome, of(&self.outcomes_of))?,
            Some(draw) => {
                let share = |(name, start, end): &(&str, f64, f64)| format!("{name} from {start:.4} to {end:.4}");
                let shares: Vec<_> = self.outcomes.iter().map(share).collect();
                writeln!(text, "  outcome: draw {draw:.6} of {}{}", shares.join(", "), of(&self.outcomes_of))?;
            }
        }
        match self.latency_draw {
            None => writeln!(text, "  latency: {:.3} ms, without a draw{}", self.latency_ms, of(&self.latency_of))?,
            Some(draw) => writeln!(
                text,
                "  latency: {:.3} ms, longer than {:.2}% of them (draw {draw:.6}){}",
                self.latency_ms,
                draw * 100.0,
                of(&self.latency_of)
            )?,
        }
        if let Some(work) = self.work_ms {
            writeln!(text, "  work: {work:.3} ms for a worker, after a wait that depends on the others")?;
        }
        writeln!(text, "  meets: {}, {}", self.outcome, self.seen)?;
        writeln!(text, "  x-brownout-decision: {}", self.decision)
    }
}

/// What happens when, as `explain --timeline` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimelineReport {
    /// Every phase, in the order in which they begin.
    pub timeline: Vec<TimelineEntry>,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
}

/// A phase on the timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimelineEntry {
    /// When it begins.
    pub from_s: f64,
    /// When it ends; `None` lasts to the end of the run.
    pub until_s: Option<f64>,
    /// How long it takes to be wholly on, and how long before its end it begins to go.
    pub ramp_s: (f64, f64),
    /// As the scenario calls it; of those that come again, with its number.
    pub phase: String,
    /// The service behind that it is of; `None` for the one that clients call.
    pub service: Option<String>,
    /// The replicas that it befalls; empty for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<u32>,
    /// How many bursts it holds in, and the share of its time that lies in one; `None` where it holds all the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bursts: Option<(usize, f64)>,
    /// What it changes.
    pub changes: Vec<String>,
}

impl TimelineReport {
    /// Of the phases of all services.
    #[must_use]
    pub fn new(service: &Service, graph: &Graph, origin: Origin) -> Self {
        let behind = graph.behind.iter().map(|node| (Some(node.name.as_str()), &node.service));
        Self::of(std::iter::once((None, service)).chain(behind), origin)
    }

    /// The same of services by their names; the one that clients call has none.
    #[must_use]
    pub fn of<'s>(services: impl IntoIterator<Item = (Option<&'s str>, &'s Service)>, origin: Origin) -> Self {
        let entries = services.into_iter().flat_map(|(name, service)| {
            service.phases().iter().map(move |phase| TimelineEntry::new(phase, name.map(ToOwned::to_owned)))
        });
        let mut timeline: Vec<_> = entries.collect();
        timeline.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
        Self { timeline, origin }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        if self.timeline.is_empty() {
            return "The scenario has no phases: nothing changes.\n".to_owned();
        }
        let row = |entry: &TimelineEntry| {
            let until = entry.until_s.map_or_else(|| "end".to_owned(), |until| format!("{until:.3} s"));
            let ramp = match entry.ramp_s {
                (up, down) if up + down > 0.0 => format!(" (ramps {up} s, {down} s)"),
                _ => String::new(),
            };
            let of = entry.service.as_ref().map(|service| format!(" of {service}")).unwrap_or_default();
            let listed = || entry.replicas.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            let on = match entry.replicas.len() {
                0 => String::new(),
                1 => format!(" on replica {}", listed()),
                _ => format!(" on replicas {}", listed()),
            };
            let bursts = entry.bursts.map(|(count, share)| {
                format!(", in {}, {:.1}% of the time", counted(count as u64, "burst", "bursts"), 100.0 * share)
            });
            let (what, bursts) = (entry.changes.join(", "), bursts.unwrap_or_default());
            let what = format!("{}{of}{on}: {what}{bursts}{ramp}", entry.phase);
            (vec![String::new(), format!("{:.3} s", entry.from_s), until], what)
        };
        let (times, what): (Vec<_>, Vec<_>) = self.timeline.iter().map(row).unzip();
        table(&times).lines().zip(what).map(|(times, what)| format!("{times}  {what}\n")).collect()
    }
}

/// What a caller sees in the end: the status, where there is one, and words.
fn seen(decision: &Decision<'_>) -> (Option<u16>, String) {
    let words = match decision.seen() {
        Seen::Status(status) => return (Some(status), format!("status {status}")),
        Seen::Reset => "a connection that is reset",
        Seen::Closed => "a connection that ends before the answer does",
        Seen::NotHttp => "bytes that are no HTTP",
    };
    (None, words.to_owned())
}

impl TimelineEntry {
    fn new(phase: &Phase, service: Option<String>) -> Self {
        let Phase { name, window, ramp, change, factors, only: Only { replicas, bursts } } = phase;
        let factor =
            |name: &str, factor: Option<brownout_service::Factor>| factor.map(|by| format!("{name} × {}", by.get()));
        let outcomes = change.outcomes.as_ref().map(|outcomes| {
            let failures = brownout_service::Outcome::failures().filter(|outcome| outcomes.rate(*outcome) > 0.0);
            let rates: Vec<_> = failures.map(|outcome| format!("{outcome} {}", outcomes.rate(outcome))).collect();
            if rates.is_empty() { "nothing fails".to_owned() } else { rates.join(", ") }
        });
        let latency = change.latency.as_ref().map(|latency| format!("another latency (mean {:?})", latency.mean()));
        let lost = (factors.cache_lost > 0).then(|| format!("{} cache nodes lost", factors.cache_lost));
        let refuses = factors.refuse.then(|| "connections refused".to_owned());
        let changes = [
            outcomes,
            latency,
            factor("capacity", factors.capacity),
            factor("slowdown", factors.slowdown),
            factor("load", factors.load),
            factor("intake", factors.intake),
            lost,
            refuses,
        ];
        Self {
            from_s: window.from.as_secs_f64(),
            until_s: window.until.map(|until| until.as_secs_f64()),
            ramp_s: (ramp.up.as_secs_f64(), ramp.down.as_secs_f64()),
            phase: name.clone(),
            service,
            replicas: replicas.clone(),
            bursts: bursts.as_ref().and_then(Bursts::share),
            changes: changes.into_iter().flatten().collect(),
        }
    }
}
