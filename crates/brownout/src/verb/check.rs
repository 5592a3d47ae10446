//! `check`: is a scenario one, and what is doubtful about it?

use std::path::PathBuf;

use brownout_lab::lint::{About, Finding, Subject, lint};
use brownout_load::{Arrivals, Load, Part, RequestLine, Requests, Spacing};
use brownout_policy::{PRESETS, Policy, preset};
use brownout_report::{CheckReport, CheckedPolicy, Place, PlacedFinding, json};
use brownout_scenario::{Places, Remark, Scenario};

use crate::arm::{self, Arm, names_of};
use crate::exit::{Exit, Stop};
use crate::output::{data_is_coloured, print};
use crate::setting::read_with_places;

/// Validates and lints a scenario, or a policy, without running it
///
/// Every mistake is shown with its line, the value found, the rule and the way out; exit code 2 when there is one.
///
/// A file without mistakes is linted: its `policy` and each of its `policies` against the service and the load that it
/// describes. A warning names the line, the numbers, what follows from them, and what would mend it. A file with nothing but
/// policies, or a preset, is judged by what holds for any service.
///
/// The rules: horizon-shorter-than-outage, horizon-shorter-than-limit, retry-after-too-long, retry-after-beyond-deadline,
/// retries-nothing, timeout-below-p99, deadline-within-timeout, deadline-cuts-retries, no-attempt-timeout, hedge-after-timeout,
/// layer-cuts-short, hop-outlasts-caller, queue-outlasts-callers, retry-storm, no-budget, budget-per-client, no-jitter, delays-shrink, delays-never-grow.
///
/// Exit code 0 with warnings too; 1 with `--strict`.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout check brownout.toml --strict")]
pub(crate) struct Args {
    /// Scenario file, TOML or JSON, or `preset:NAME`
    #[arg(value_name = "FILE", required_unless_present = "policy")]
    scenario: Option<PathBuf>,

    /// Lints these policies only: of the file's `policies`, "scenario" for its `policy`, presets, or files with a `policy`; without a file, these two alone
    #[arg(long, visible_alias = "policies", value_name = "NAME|FILE,…", value_delimiter = ',')]
    policy: Vec<String>,

    /// Exit code 1 when there is a warning
    #[arg(long)]
    strict: bool,

    /// Prints the findings as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let file = match &args.scenario {
        Some(path) => {
            let (scenario, places) = read_with_places(path)?;
            Some(File { name: path.display().to_string(), scenario, places })
        }
        None => None,
    };
    let checked = named(args, file.as_ref())?;
    let report = CheckReport {
        findings: findings(&checked, args.policy.is_empty(), file.as_ref()),
        policies: checked.iter().map(report).collect(),
        summary: file.as_ref().map_or_else(|| summary_of_presets(&checked), |file| summary(&file.scenario)),
        scenario: file.map(|file| file.name),
        version: env!("CARGO_PKG_VERSION"),
    };
    print(&if args.json { json(&report) } else { report.text() })?;
    Ok(if args.strict && !report.findings.is_empty() { Exit::FAILED } else { Exit::FINE })
}

/// A scenario as it was read.
struct File {
    name: String,
    scenario: Scenario,
    places: Places,
}

/// The policies that the flags name, or all of the file.
fn named(args: &Args, file: Option<&File>) -> Result<Vec<Arm>, Stop> {
    let none = Scenario::default();
    let scenario = file.map_or(&none, |file| &file.scenario);
    let own = scenario.policy.as_ref().map(|_| "scenario").into_iter().chain(names_of(scenario));
    arm::arms(&args.policy, own, scenario)
}

/// Where a finding is shown.
#[derive(PartialEq, Eq)]
enum Spot {
    /// At a key of the file, by the steps from its root.
    Key(Vec<String>),
    /// At a preset or in another file, where it has no place; the key is one of policies.
    Elsewhere(&'static str),
}

/// What the rules find of each policy, each beside the load of those who follow it, and of those that cohorts have of their own.
/// What they find of several in the same words at the same place is said once.
fn findings(checked: &[Arm], of_cohorts: bool, file: Option<&File>) -> Vec<PlacedFinding> {
    let service = file.filter(|file| file.says_of_service()).map(|file| &file.scenario.service);
    let graph = file.map(|file| &file.scenario.graph);
    let parts =
        file.filter(|file| file.places.has(&["load"])).map(|file| file.scenario.load.parts()).unwrap_or_default();
    let mut found: Vec<(Finding, Spot, Vec<String>)> = Vec::new();
    let mut look = |name: &str, settings, load, cohort| {
        for finding in lint(&Subject { service, load, graph, settings }) {
            let spot = spot(&finding, name, cohort, file);
            match found.iter_mut().find(|other| (&other.0, &other.1) == (&finding, &spot)) {
                Some((.., names)) if names.iter().any(|other| other == name) => {}
                Some((.., names)) => names.push(name.to_owned()),
                None => found.push((finding, spot, vec![name.to_owned()])),
            }
        }
    };
    for Arm { name, settings, .. } in checked {
        let mut following: Vec<_> =
            parts.iter().filter(|part| part.own.is_none()).map(|part| Some(part.load)).collect();
        if following.is_empty() {
            following.push(None);
        }
        following.into_iter().for_each(|load| look(name, settings, load, None));
    }
    for part in parts.iter().filter(|_| of_cohorts) {
        if let (Some(name), Some(own)) = (part.name, part.own) {
            look(&format!("cohort {name}"), &own.settings, Some(part.load), Some(name));
        }
    }
    found.into_iter().map(|(finding, spot, names)| place(finding, &spot, names, file)).collect()
}

/// The key that a finding of the policy `name`, which may be that of a `cohort`, is about, in the file where it has that policy.
fn spot(finding: &Finding, name: &str, cohort: Option<&str>, file: Option<&File>) -> Spot {
    let steps = |table: &[&str], key: &str| -> Vec<String> {
        table.iter().copied().chain(key.split('.')).map(str::to_owned).collect()
    };
    match (finding.about, file) {
        (About::Scenario(key), _) => Spot::Key(steps(&[], key)),
        (About::Policy(key), _) if let Some(cohort) = cohort => {
            Spot::Key(steps(&["load", "cohorts", cohort, "policy"], key))
        }
        (About::Policy(key), Some(_)) if name == "scenario" => Spot::Key(steps(&["policy"], key)),
        (About::Policy(key), Some(file)) if file.has_policy(name) => {
            let own = ["policies", name];
            // How long callers wait may be said once for all policies.
            let shared = ["attempt_timeout", "deadline"].contains(&key)
                && !file.places.has(&["policies", name, key])
                && file.places.has(&["policy", key]);
            Spot::Key(steps(if shared { &["policy"] } else { &own }, key))
        }
        (About::Policy(key), _) => Spot::Elsewhere(key),
    }
}

fn place(finding: Finding, spot: &Spot, policies: Vec<String>, file: Option<&File>) -> PlacedFinding {
    let Finding { rule, what, consequence, remedy, .. } = &finding;
    let remark = Remark { rule: rule.name(), title: what, note: consequence, help: remedy };
    match (spot, file) {
        (Spot::Key(steps), Some(File { places, .. })) => {
            let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
            let (line, column) = places.place(&steps);
            let shown = places.show(&steps, &remark, data_is_coloured());
            PlacedFinding { key: steps.join("."), place: Some(Place { line, column }), shown, policies, finding }
        }
        (Spot::Key(_), None) => unreachable!("a key of a scenario without one"),
        (Spot::Elsewhere(key), _) => {
            let kind = if policies.iter().all(|name| preset(name).is_some()) { "preset " } else { "" };
            let origin = format!("{kind}{}", policies.join(", "));
            let shown = remark.show_on(&origin, data_is_coloured());
            PlacedFinding { key: (*key).to_owned(), place: None, shown, policies, finding }
        }
    }
}

impl File {
    /// Whether it describes a service at all, rather than policies alone.
    fn says_of_service(&self) -> bool {
        self.places.has(&["service"]) || self.places.has(&["phases"])
    }

    fn has_policy(&self, name: &str) -> bool {
        self.scenario.policies.iter().any(|(own, _)| own == name)
    }
}

fn report(Arm { name, policy, .. }: &Arm) -> CheckedPolicy {
    CheckedPolicy { name: name.clone(), attempts_max: policy.attempts_max() }
}

/// What was read, in a few lines.
fn summary(scenario: &Scenario) -> String {
    let Scenario { service, graph, load, policy, policies, .. } = scenario;
    let listed = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let routes = listed(service.routes().iter().map(|route| route.pattern.to_string()).collect());
    let phases = listed(graph.phases(service).into_iter().map(|phase| phase.name).collect());
    let behind: Vec<_> = graph.behind.iter().map(|node| node.name.as_str()).collect();
    let behind = if behind.is_empty() { String::new() } else { format!("  services behind: {}\n", behind.join(", ")) };
    let policies: Vec<_> = policies.iter().map(|(name, _)| name.as_str()).collect();
    let policies =
        if policies.is_empty() { String::new() } else { format!("  policies to compare: {}\n", policies.join(", ")) };
    let policy = policy
        .clone()
        .map_or_else(Policy::none, |settings| Policy::new(settings).expect("a scenario's policy is checked"));
    let loads: String = load.parts().iter().map(|part| summary_of_part(part, load)).collect();
    let retries = retries(&policy);
    format!("  routes: {routes}\n{behind}  phases: {phases}\n{loads}  retries: {retries}\n{policies}")
}

/// A population of the load, in a line.
fn summary_of_part(part: &Part<'_>, whole: &Load) -> String {
    let (load, RequestLine { method, path }) = (part.load, &whole.request);
    let others = match whole.carried.requests().map_or(1, Requests::kinds) {
        1 => String::new(),
        kinds => format!(" or another of {kinds} kinds"),
    };
    let name = part.name.map_or_else(|| "load".to_owned(), |name| format!("cohort {name}"));
    let arrivals = match &load.arrivals {
        Arrivals::Closed { .. } => String::new(),
        Arrivals::Constant(rate) => format!(", {rate}, constant"),
        Arrivals::Poisson(rate) => format!(", {rate}, Poisson"),
        Arrivals::Varying { curve, spacing } => {
            let spacing = if *spacing == Spacing::Even { "constant" } else { "Poisson" };
            format!(", a rate that changes, at most {}, {spacing}", curve.rate_max())
        }
        Arrivals::Bursts(bursts) => format!(", bursts of {} every {:?}", bursts.calls(), bursts.every()),
        Arrivals::Replay(replay) => format!(", replayed at {} moments", replay.moments().len()),
    };
    let count = match load.count_max() {
        u64::MAX => String::new(),
        count => format!("{count} × "),
    };
    let lasts = load.ends().map(|end| format!(", for {end:?}")).unwrap_or_default();
    let own = part.own.map(|own| format!(", retries: {}", retries(&own.policy))).unwrap_or_default();
    format!("  {name}: {count}{method} {path}{others}{arrivals}{lasts}, clients: {}{own}\n", load.clients)
}

/// How many retries, those of each layer from the nearest on, and what that comes to.
fn retries(policy: &Policy) -> String {
    let of_layer = |policy: &Policy| match policy.max_retries() {
        u32::MAX => "unbounded".to_owned(),
        retries => retries.to_string(),
    };
    let layers: Vec<String> = std::iter::successors(Some(policy), |inner| inner.around()).map(of_layer).collect();
    let layers = layers.join(", around that ");
    match policy.attempts_max() {
        None | Some(1) => layers,
        Some(attempts) => format!("{layers}, so a call makes at most {attempts} attempts"),
    }
}

/// What presets are.
fn summary_of_presets(checked: &[Arm]) -> String {
    let retries = |checked: &Arm| retries(&checked.policy);
    if let [preset] = checked {
        let about = PRESETS.iter().find(|known| known.name == preset.name).map(|known| known.about);
        let about = about.map(|about| format!("  {about}\n")).unwrap_or_default();
        return format!("{about}  retries: {}\n", retries(preset));
    }
    checked.iter().map(|preset| format!("  retries of {}: {}\n", preset.name, retries(preset))).collect()
}
