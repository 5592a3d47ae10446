//! `health`: healthy or not.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use brownout_drive::Drive;
use brownout_policy::Policy;
use brownout_report::{HealthReport, json};
use brownout_sim::World;

use super::runtime;
use crate::exit::{Exit, Stop};
use crate::flags::{ServiceFlags, TargetFlags, duration};
use crate::output::print;
use crate::setting::{Place, Setting};

/// Tells healthy from unhealthy by consecutive 200s
///
/// Exit code 0 when healthy, 1 when not. The first answer that is no 200 settles it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,
    #[command(flatten)]
    target: TargetFlags,

    /// How many 200s in a row are healthy
    #[arg(long, value_name = "COUNT", default_value = "3")]
    consecutive: NonZeroU32,

    /// Gives a probe up after this long [default: none; over HTTP 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    attempt_timeout: Option<Duration>,

    /// Prints every probe, as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let target = args.target.target(&args.service)?;
    let request = args.target.simulated();
    let setting = Setting::new(&args.service, Place::of(&target))?;
    let (policy, consecutive) = (Policy::none(), args.consecutive.get());
    let mut probes = Vec::new();
    match target {
        Some(target) => {
            let drive = Drive { target, policy: Arc::new(policy), seed: setting.seed() };
            let runtime = runtime()?;
            while !HealthReport::is_settled(&probes, consecutive) {
                probes.push(runtime.block_on(drive.request(probes.len() as u64 + 1, args.attempt_timeout)));
            }
        }
        None => {
            let request = request?;
            setting.announce();
            let world = World { service: &setting.scenario.service, policy: &policy, seed: setting.seed() };
            while !HealthReport::is_settled(&probes, consecutive) {
                probes.push(world.request(&request, probes.len() as u64 + 1, args.attempt_timeout));
            }
        }
    }
    let report = HealthReport::new(&probes, consecutive, setting.origin);
    print(&if args.json { json(&report) } else { report.text() })?;
    Ok(if report.healthy { Exit::FINE } else { Exit::FAILED })
}
