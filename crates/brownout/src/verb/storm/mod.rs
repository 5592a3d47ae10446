//! `storm`: does the bad state keep itself going?

mod map;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use brownout_lab::storm::{At, Experiment, Finding, Plan, Verdict};
use brownout_policy::{Policy, Settings};
use brownout_report::{StormReport, json};
use brownout_scenario::Scenario;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::arm::{self, Arm, names_of, seeds};
use crate::cores::Crew;
use crate::exit::{Exit, Stop};
use crate::flags::{LimitFlags, PageFlags, ServiceFlags, limit, seen};
use crate::output::print;
use crate::repeat;
use crate::setting::Setting;

/// Tells whether a bad state keeps itself going after its cause is gone
///
/// The phases of the scenario are the trigger. Each seed is run with it and without it, the control arm, on the same luck, in
/// virtual time and on every core. A seed has recovered when five windows in a row have 90 % of the goodput and at most 110 %
/// of the amplification of the control arm. The verdict is over seeds: stable, metastable, stuck, probabilistic, slow,
/// spontaneous, overloaded; with how to get out of it and how long a trigger is survived. How long to warm up and to look on
/// is found from the scenario; its own `duration` and `count` are not used.
///
/// A policy is one of the file's `policies`, "scenario" for the file's own `policy`, a preset, or a file with a `policy`, as in `compare`.
///
/// Exit code 0 when every policy is stable; 99 when one is not; 98 when it cannot be told of one: slow, too few seeds, or runs
/// that were cut short; 2 when there is nothing to find out: no trigger, one without end, an overloaded control arm. A map is
/// 0 whatever it shows.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout storm preset:checkout --seeds 35")]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,

    /// The policies, by name or file [default: those of the scenario's `policies`, else its `policy`, else none]
    #[arg(long, visible_alias = "policy", value_name = "NAME|FILE,…", value_delimiter = ',')]
    policies: Vec<String>,

    /// How many runs of each arm; a verdict takes 73, a coarser one 35 [default: 80; 40 with --map]
    #[arg(long, value_name = "COUNT", value_parser = seeds, allow_negative_numbers = true)]
    seeds: Option<NonZeroU32>,

    /// How long to look on after the trigger [default: as long as it takes]
    #[arg(long, value_name = "DURATION", value_parser = limit, allow_negative_numbers = true)]
    horizon: Option<Duration>,

    /// Tells the verdict alone: not how to get out, nor how long a trigger is survived
    #[arg(long, conflicts_with = "map")]
    verdict_only: bool,

    /// Exit code 0 when every policy gets this verdict, else 99
    #[arg(long, value_name = "VERDICT", value_parser = verdicts_by_name(), conflicts_with = "map")]
    expect: Option<Verdict>,

    /// Maps loads and lengths of the trigger
    #[arg(long)]
    map: bool,

    /// With --map: loads, as multiples of the scenario's or a range: 50%,80%,1.1 or 40%..120% (nine) or 50%..100%:6 [default: 40%..120%]
    #[arg(long, value_name = "LOAD,…", value_parser = map::loads, requires = "map", allow_negative_numbers = true)]
    loads: Option<map::Loads>,

    /// With --map: lengths of the trigger [default: 0.2, 0.5, 1, 2 and 4 times the scenario's]
    #[arg(long, value_name = "DURATION,…", value_delimiter = ',', value_parser = limit, requires = "map", allow_negative_numbers = true)]
    triggers: Vec<Duration>,

    /// With --map: keeps finished cells in this file, and goes on from there when it is run again
    #[arg(long, value_name = "FILE", requires = "map")]
    resume: Option<PathBuf>,

    #[command(flatten)]
    limits: LimitFlags,

    /// Prints the whole result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    page: PageFlags,
}

const SEEDS: u32 = 80;
const SEEDS_OF_MAP: u32 = 40;

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let setting = Setting::new(&args.service, None)?;
    let arms = arms(args, &setting.scenario)?;
    if args.map { map::run(args, &setting, &arms) } else { verdicts(args, &setting, &arms) }
}

fn verdicts(args: &Args, setting: &Setting, arms: &[Arm]) -> Result<Exit, Stop> {
    // All of them, before anything is run or said.
    let plan = |arm| Plan::new(experiment(args, setting, arm, SEEDS), At::FILE).map_err(Stop::usage);
    let plans = arms.iter().map(arm_of).map(plan).collect::<Result<Vec<_>, _>>()?;
    let place = args.page.place(&[])?;
    setting.announce();
    let prechecks: Vec<_> = arms.iter().zip(&plans).map(|(arm, plan)| (arm.name.as_str(), plan.precheck)).collect();
    if !args.json {
        print(&format!("{}\n", StormReport::before(&prechecks)))?;
    }
    let crew = Crew::new();
    let mut policies = Vec::new();
    for (arm, plan) in arms.iter().zip(&plans) {
        crew.begin(arm.name.clone());
        policies.push(Finding::of(&arm.name, plan, !args.verdict_only, &crew));
    }
    crew.end();
    let exit = exit(args, &policies);
    let report = StormReport { policies, origin: setting.origin("virtual", &decides(args, arms)) };
    print(&if args.json { json(&report) } else { report.text() })?;
    place.put(|| report.page(repeat::command(setting.seed)))?;
    Ok(exit)
}

/// The worst that any policy comes to.
fn exit(args: &Args, policies: &[Finding]) -> Exit {
    let is = |wanted: fn(Verdict) -> bool| policies.iter().all(|finding| wanted(finding.cell.verdict));
    if let Some(expected) = args.expect {
        let met = policies.iter().all(|finding| finding.cell.verdict == expected);
        return if met { Exit::FINE } else { Exit::MISSED };
    }
    if is(|verdict| verdict == Verdict::Stable) {
        Exit::FINE
    } else if is(|verdict| verdict == Verdict::Stable || verdict.is_untold()) {
        Exit::UNTOLD
    } else {
        Exit::MISSED
    }
}

fn arm_of(arm: &Arm) -> (&Settings, &Policy) {
    (&arm.settings, &arm.policy)
}

fn experiment<'e>(
    args: &Args,
    setting: &'e Setting,
    (settings, policy): (&'e Settings, &'e Policy),
    seeds: u32,
) -> Experiment<'e> {
    let load = &setting.scenario.load;
    Experiment {
        service: &setting.scenario.service,
        graph: &setting.scenario.graph,
        load,
        request: seen(&load.request),
        settings,
        policy,
        seed: setting.seed,
        seeds: args.seeds.map_or(seeds, NonZeroU32::get),
        limits: args.limits.limits(),
        horizon: args.horizon,
    }
}

/// What decides the result beside scenario and seed.
fn decides(args: &Args, arms: &[Arm]) -> impl std::fmt::Debug {
    let policies: Vec<_> = arms.iter().map(|arm| (arm.name.clone(), arm.policy.clone())).collect();
    (policies, args.seeds, args.horizon, args.limits.limits(), args.loads.clone(), args.triggers.clone())
}

/// The policies that are named, else those that the scenario names, else its own.
fn arms(args: &Args, scenario: &Scenario) -> Result<Vec<Arm>, Stop> {
    if !args.policies.is_empty() {
        arm::differ(scenario)?;
    }
    let mut otherwise: Vec<&str> = names_of(scenario).collect();
    if otherwise.is_empty() {
        otherwise.push(if scenario.policy.is_some() { "scenario" } else { "none" });
    }
    arm::arms(&args.policies, otherwise, scenario)
}

/// Reads the name of a verdict.
fn verdicts_by_name() -> impl TypedValueParser<Value = Verdict> {
    let named = |name: String| Verdict::ALL.into_iter().find(|verdict| verdict.name() == name).ok_or("no verdict");
    PossibleValuesParser::new(Verdict::ALL.map(Verdict::name)).try_map(named)
}
