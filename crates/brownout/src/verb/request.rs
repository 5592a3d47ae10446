//! `request`: one call.

use std::time::Duration;

use brownout_load::Reply;
use brownout_policy::Policy;
use brownout_report::{ResponseReport, json};

use super::runtime;
use crate::exit::{Exit, Stop};
use crate::flags::{CallFlags, Callee, HTTP_ATTEMPT_TIMEOUT, limit, seen};
use crate::output::print;

/// Makes one call and prints the response as JSON
///
/// Exit code 0 for any answer, a 500 included; 1 when none came.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout request --path /orders --seed 42")]
pub(crate) struct Args {
    #[command(flatten)]
    call: CallFlags,

    /// Limit of the attempt [default: none; over HTTP 60s]
    #[arg(long, value_name = "DURATION", value_parser = limit, allow_hyphen_values = true)]
    attempt_timeout: Option<Duration>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let setting = args.call.setting()?;
    let exchange = match args.call.callee(&setting)? {
        Callee::Real(target) => {
            let drive = args.call.drive(target, Policy::none(), &setting);
            let allowance = args.attempt_timeout.unwrap_or(HTTP_ATTEMPT_TIMEOUT);
            runtime()?.block_on(drive.request(1, Some(allowance)))
        }
        Callee::Simulated(line) => {
            setting.announce();
            setting.world(&Policy::none()).request(&seen(&line), 1, Duration::ZERO, args.attempt_timeout)
        }
    };
    print(&json(&ResponseReport::from(&exchange)))?;
    Ok(if matches!(exchange.reply, Reply::Status(_)) { Exit::FINE } else { Exit::FAILED })
}
