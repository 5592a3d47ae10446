//! `load`: many calls.

use std::num::NonZeroU32;
use std::sync::Arc;

use brownout_drive::Drive;
use brownout_policy::Settings;
use brownout_report::{LoadReport, json};
use brownout_sim::World;

use super::runtime;
use crate::exit::{Exit, Stop};
use crate::flags::{PolicyFlags, ServiceFlags, TargetFlags};
use crate::output::print;
use crate::setting::{Place, Setting};
use crate::signal::asked_to_end;

/// Makes many calls and counts what came back
///
/// Closed clients: each makes its next call when the last one has ended. Without a policy, in the scenario or here,
/// nothing is retried.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,
    #[command(flatten)]
    target: TargetFlags,

    /// How many calls [default: the scenario's, else 100]
    #[arg(long)]
    count: Option<u64>,

    /// How many clients, each with one call in flight [default: the scenario's, else 1]
    #[arg(long, value_name = "CLIENTS")]
    concurrency: Option<NonZeroU32>,

    /// Prints the whole result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    policy: PolicyFlags,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let target = args.target.target(&args.service)?;
    let request = args.target.simulated();
    let setting = Setting::new(&args.service, Place::of(&target))?;
    let unretried = Settings { max_retries: Some(0), ..Settings::default() };
    let policy = args.policy.over(setting.scenario.policy.clone().unwrap_or(unretried))?;
    let mut load = setting.scenario.load.clone();
    load.count = args.count.unwrap_or(load.count);
    load.clients = args.concurrency.unwrap_or(load.clients);

    setting.announce();
    let result = match target {
        Some(target) => {
            let drive = Drive { target, policy: Arc::new(policy), seed: setting.seed() };
            runtime()?.block_on(drive.load(&load, asked_to_end(), |_, _| ()))
        }
        None => {
            World { service: &setting.scenario.service, policy: &policy, seed: setting.seed() }.load(&request?, &load)
        }
    };
    let unanswered = result.total_requests > 0 && result.by_status.is_empty();
    let report = LoadReport { result, origin: setting.origin };
    print(&if args.json { json(&report) } else { report.text() })?;
    Ok(if unanswered { Exit::FAILED } else { Exit::FINE })
}
