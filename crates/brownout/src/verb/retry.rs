//! `retry`: one call through a policy.

use std::sync::Arc;
use std::time::Duration;

use brownout_policy::Settings;
use brownout_report::{RetryReport, json};

use super::runtime;
use crate::exit::{Exit, Stop};
use crate::flags::{CallFlags, Callee, HTTP_ATTEMPT_TIMEOUT, PolicyFlags, seen};
use crate::output::print;

/// Makes the nth wait 2^n ms.
const BASE_DELAY: Duration = Duration::from_millis(2);

/// Makes one call through a retry policy
///
/// The first delay is 2 ms unless the scenario or --base-delay says otherwise, so that the nth wait is 2^n ms. Exit code
/// 0 when the call succeeded, else 1.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout retry --seed 42 --max-retries 5")]
pub(crate) struct Args {
    #[command(flatten)]
    call: CallFlags,
    #[command(flatten)]
    policy: PolicyFlags,

    /// Prints every attempt, as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let setting = args.call.setting()?;
    let callee = args.call.callee(&setting)?;
    let attempt_timeout = args.call.is_real().then_some(HTTP_ATTEMPT_TIMEOUT);
    let under = match &setting.scenario.policy {
        Some(policy) => policy.clone().over(Settings { attempt_timeout, ..Settings::default() }),
        None => Settings { base_delay: Some(BASE_DELAY), attempt_timeout, ..Settings::default() },
    };
    let policy = args.policy.over(under)?;

    setting.announce();
    let (trace, time) = match &callee {
        Callee::Real(target) => {
            let drive = args.call.drive(Arc::clone(target), policy.clone(), &setting);
            (runtime()?.block_on(drive.trace(1)), "real")
        }
        Callee::Simulated(line) => (setting.world(&policy).trace(&seen(line), 1), "virtual"),
    };
    let trace = trace.map_err(|cut| Stop::failed(format!("the call came to no end: {cut}")))?;
    let report = RetryReport::new(&trace, setting.origin(time, &(policy, callee)));
    print(&if args.json { json(&report) } else { report.text() })?;
    Ok(if report.success { Exit::FINE } else { Exit::FAILED })
}
