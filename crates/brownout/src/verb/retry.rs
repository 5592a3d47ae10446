//! `retry`: one call through a policy.

use std::sync::Arc;
use std::time::Duration;

use brownout_drive::Drive;
use brownout_policy::Settings;
use brownout_report::{RetryReport, json};
use brownout_sim::World;

use super::runtime;
use crate::exit::{Exit, Stop};
use crate::flags::{PolicyFlags, ServiceFlags, TargetFlags};
use crate::output::print;
use crate::setting::{Place, Setting};

/// The practice program waits 2^attempt ms.
const BASE_DELAY: Duration = Duration::from_millis(2);

/// Makes one call through a retry policy
///
/// The first delay is 2 ms unless the scenario or --base-delay says otherwise, so that the nth wait is 2^n ms.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,
    #[command(flatten)]
    target: TargetFlags,
    #[command(flatten)]
    policy: PolicyFlags,

    /// Prints every attempt, as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let target = args.target.target(&args.service)?;
    let request = args.target.simulated();
    let setting = Setting::new(&args.service, Place::of(&target))?;
    let practice = Settings { base_delay: Some(BASE_DELAY), ..Settings::default() };
    let policy = args.policy.over(setting.scenario.policy.clone().unwrap_or(practice))?;

    setting.announce();
    let trace = match target {
        Some(target) => {
            let drive = Drive { target, policy: Arc::new(policy), seed: setting.seed() };
            runtime()?.block_on(drive.trace(1))
        }
        None => World { service: &setting.scenario.service, policy: &policy, seed: setting.seed() }.trace(&request?, 1),
    };
    let report = RetryReport::new(&trace, setting.origin);
    print(&if args.json { json(&report) } else { report.text() })?;
    Ok(if report.success { Exit::FINE } else { Exit::FAILED })
}
