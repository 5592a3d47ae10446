//! `compare`: several policies, the same scenario, the same luck.

use brownout_lab::compare::Comparison;
use brownout_policy::Policy;
use brownout_report::{CompareReport, json};

use crate::cores;
use crate::exit::{Exit, Stop};
use crate::flags::{LimitFlags, ServiceFlags, positive, seen};
use crate::output::print;
use crate::setting::Setting;

/// Runs several policies against one scenario and shows them side by side
///
/// Every policy meets the same arrivals, the same work and the same failures, on each of the seeds. In virtual time, on
/// every core. A policy is one of the file's `policies`, "scenario" for the file's own `policy`, or a preset: none, retry-N,
/// retry-N-jitter, budget-P, or a real client such as aws-standard-2.1 (a wrong name lists them all).
///
/// What the file's `policy` says of `attempt_timeout` and `deadline` holds for every policy that says nothing of its own: how
/// long callers wait is theirs, not the retry policy's.
///
/// Exit code 0 whatever the policies came to; 1 when a run was cut short.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,

    /// The policies, by name [default: those of the scenario's `policies`, else none, scenario, retry-3-jitter, budget-10]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    policies: Vec<String>,

    /// How many runs of each policy
    #[arg(long, value_name = "COUNT", default_value = "20", value_parser = seeds, allow_negative_numbers = true)]
    seeds: std::num::NonZeroU32,

    #[command(flatten)]
    limits: LimitFlags,

    /// Prints the whole result as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let setting = Setting::new(&args.service, None)?;
    let arms = arms(args, &setting)?;
    setting.announce();
    let load = &setting.scenario.load;
    let comparison = Comparison {
        service: &setting.scenario.service,
        graph: &setting.scenario.graph,
        load,
        request: seen(&load.request),
        arms,
        seed: setting.seed,
        seeds: args.seeds.get(),
        limits: args.limits.limits(),
    };
    let runs = cores::map(comparison.runs(), |index| comparison.run(index));
    let compared = comparison.gather(&runs);
    let cut = compared.policies.iter().any(|arm| arm.cut_short.is_some());
    let report = CompareReport { compared, origin: setting.origin("virtual", &comparison.arms) };
    print(&if args.json { json(&report) } else { report.text() })?;
    Ok(if cut { Exit::FAILED } else { Exit::FINE })
}

/// Reads a number of runs; what is kept of each takes some hundred bytes.
fn seeds(text: &str) -> Result<std::num::NonZeroU32, String> {
    let refusal = || format!("a number of runs is a whole number from 1 to {SEEDS_MAX}, found `{text}`");
    positive(text).ok().filter(|seeds| seeds.get() <= SEEDS_MAX).ok_or_else(refusal)
}

const SEEDS_MAX: u32 = 100_000;

fn arms(args: &Args, setting: &Setting) -> Result<Vec<(String, Policy)>, Stop> {
    let scenario = &setting.scenario;
    let names: Vec<String> = match (&args.policies[..], &scenario.policies[..]) {
        ([], []) => {
            let own = scenario.policy.as_ref().map(|_| "scenario");
            let names = ["none"].into_iter().chain(own).chain(["retry-3-jitter", "budget-10"]);
            names.map(str::to_owned).collect()
        }
        ([], own) => own.iter().map(|(name, _)| name.clone()).collect(),
        (given, _) => given.iter().map(|name| name.trim().to_owned()).collect(),
    };
    if let Some(twice) = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name)) {
        return Err(Stop::usage(format!("policy `{}` is named twice; drop one", twice.1)));
    }
    let arm = |name: String| {
        let settings = scenario.named_policy(&name).ok_or_else(|| unknown(&name, scenario))?;
        let policy = Policy::new(settings);
        let policy = policy.map_err(|errors| Stop::usage(format!("policy {name}: {}", errors[0])))?;
        Ok((name, policy))
    };
    names.into_iter().map(arm).collect()
}

pub(crate) fn unknown(name: &str, scenario: &brownout_scenario::Scenario) -> Stop {
    let own: Vec<_> = scenario.policies.iter().map(|(name, _)| name.as_str()).collect();
    let own = if own.is_empty() { "none".to_owned() } else { own.join(", ") };
    let hint = brownout_scenario::preset_hint(name);
    Stop::usage(format!("there is no policy `{name}`: {hint}; policies of the scenario: {own}"))
}
