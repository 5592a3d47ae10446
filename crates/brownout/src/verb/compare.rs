//! `compare`: several policies, the same scenario, the same luck.

use brownout_lab::compare::Comparison;
use brownout_policy::Policy;
use brownout_report::{CompareReport, json};
use brownout_scenario::Scenario;

use crate::arm::{self, names_of, seeds};
use crate::cores;
use crate::exit::{Exit, Stop};
use crate::flags::{LimitFlags, PageFlags, ServiceFlags, seen};
use crate::output::{data_is_coloured, print};
use crate::repeat;
use crate::setting::Setting;

/// Runs several policies against one scenario and shows them side by side
///
/// Every policy meets the same arrivals, the same work and the same failures, on each of the seeds. In virtual time, on
/// every core. A policy is one of the file's `policies`, "scenario" for the file's own `policy`, or a preset: none, retry-N,
/// retry-N-jitter, budget-P, or a real client such as aws-standard-2.1 (a wrong name lists them all). It can also be a file with a
/// `policy`, such as `rehearse --policy-out` writes.
///
/// What the file's `policy` says of `attempt_timeout` and `deadline` holds for every policy that says nothing of its own: how
/// long callers wait is theirs, not the retry policy's.
///
/// Where the scenario has an `expect` table, a column tells which policies meet it.
///
/// Exit code 0 whatever the policies came to; 1 when a run was cut short.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout compare preset:checkout --plot --html policies.html")]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,

    /// The policies, by name or file [default: those of the scenario's `policies`, else none, scenario, retry-3-jitter, budget-10]
    #[arg(long, value_name = "NAME|FILE,…", value_delimiter = ',')]
    policies: Vec<String>,

    /// How many runs of each policy
    #[arg(long, value_name = "COUNT", default_value = "20", value_parser = seeds, allow_negative_numbers = true)]
    seeds: std::num::NonZeroU32,

    #[command(flatten)]
    limits: LimitFlags,

    /// Also draws each policy over time, with letters
    #[arg(long, conflicts_with = "json")]
    plot: bool,

    /// Prints the whole result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    pub(crate) page: PageFlags,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    run_as(args, &repeat::arguments())
}

/// - `line`: the command that it is, to be shown on the page.
pub(crate) fn run_as(args: &Args, line: &[String]) -> Result<Exit, Stop> {
    let setting = Setting::new(&args.service, None)?;
    let arms = arms(args, &setting.scenario)?;
    let place = args.page.place(&[])?;
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
        expect: &setting.scenario.expect,
    };
    let runs = cores::map(comparison.runs(), |index| comparison.run(index));
    let compared = comparison.gather(&runs);
    let cut = compared.policies.iter().any(|arm| arm.cut_short.is_some());
    let report = CompareReport { compared, origin: setting.origin("virtual", &comparison.arms) };
    if args.plot {
        print(&format!("{}\n", report.sketch(data_is_coloured())))?;
    }
    print(&if args.json { json(&report) } else { report.text() })?;
    place.put(|| report.page(repeat::command_of(line, setting.seed)))?;
    Ok(if cut { Exit::FAILED } else { Exit::FINE })
}

/// The policies that are named, else those that the scenario names, else some to begin with.
fn arms(args: &Args, scenario: &Scenario) -> Result<Vec<(String, Policy)>, Stop> {
    arm::differ(scenario)?;
    let own: Vec<&str> = names_of(scenario).collect();
    let first = ["none"].into_iter().chain(scenario.policy.as_ref().map(|_| "scenario"));
    let otherwise = if own.is_empty() { first.chain(["retry-3-jitter", "budget-10"]).collect() } else { own };
    let arms = arm::arms(&args.policies, otherwise, scenario)?;
    Ok(arms.into_iter().map(|arm| (arm.name, arm.policy)).collect())
}
