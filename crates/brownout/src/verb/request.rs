//! `request`: one call.

use std::sync::Arc;
use std::time::Duration;

use brownout_drive::Drive;
use brownout_load::Reply;
use brownout_policy::Policy;
use brownout_report::{ResponseReport, json};
use brownout_sim::World;

use super::runtime;
use crate::exit::{Exit, Stop};
use crate::flags::{ServiceFlags, TargetFlags, duration};
use crate::output::print;
use crate::setting::{Place, Setting};

/// Makes one call and prints the response as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,
    #[command(flatten)]
    target: TargetFlags,

    /// Gives up after this long [default: none; over HTTP 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    attempt_timeout: Option<Duration>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let exchange = match args.target.target(&args.service)? {
        Some(target) => {
            let (policy, seed) = (Arc::new(Policy::none()), Setting::new(&args.service, Place::Elsewhere)?.seed());
            let drive = Drive { target, policy, seed };
            runtime()?.block_on(drive.request(1, args.attempt_timeout))
        }
        None => {
            let request = args.target.simulated()?;
            let setting = Setting::new(&args.service, Place::Simulated)?;
            setting.announce();
            let world = World { service: &setting.scenario.service, policy: &Policy::none(), seed: setting.seed() };
            world.request(&request, 1, args.attempt_timeout)
        }
    };
    print(&json(&ResponseReport::from(&exchange)))?;
    Ok(if matches!(exchange.reply, Reply::Status(_)) { Exit::FINE } else { Exit::FAILED })
}
