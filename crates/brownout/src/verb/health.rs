//! `health`: healthy or not.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_load::Exchange;
use brownout_policy::Policy;
use brownout_report::{HealthReport, json};

use super::runtime;
use crate::exit::{Exit, Stop};
use crate::flags::{CallFlags, Callee, HTTP_ATTEMPT_TIMEOUT, limit, positive, seen};
use crate::output::print;

/// Tells healthy from unhealthy by consecutive 200s
///
/// Exit code 0 when healthy, 1 when not. The first answer that is no 200 settles it.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout health --url http://127.0.0.1:8080/health")]
pub(crate) struct Args {
    #[command(flatten)]
    call: CallFlags,

    /// How many 200s in a row are healthy
    #[arg(long, value_name = "COUNT", default_value = "3", value_parser = positive, allow_negative_numbers = true)]
    consecutive: NonZeroU32,

    /// Limit of each probe [default: none; over HTTP 60s]
    #[arg(long, value_name = "DURATION", value_parser = limit, allow_hyphen_values = true)]
    attempt_timeout: Option<Duration>,

    /// Prints every probe, as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let setting = args.call.setting()?;
    let policy = Policy::none();
    let (probes, time) = match args.call.callee(&setting)? {
        Callee::Real(target) => {
            let drive = args.call.drive(target, policy, &setting);
            let (runtime, allowance) = (runtime()?, args.attempt_timeout.unwrap_or(HTTP_ATTEMPT_TIMEOUT));
            (probe(args, |number, _| runtime.block_on(drive.request(number, Some(allowance)))), "real")
        }
        Callee::Simulated(line) => {
            setting.announce();
            let world = setting.world(&policy);
            let probe_at = |number, elapsed| world.request(&seen(&line), number, elapsed, args.attempt_timeout);
            (probe(args, probe_at), "virtual")
        }
    };
    let report = HealthReport::new(&probes, args.consecutive.get(), setting.origin(time, &args.call));
    print(&if args.json { json(&report) } else { report.text() })?;
    Ok(if report.healthy { Exit::FINE } else { Exit::FAILED })
}

/// One probe after another, until they settle it; `probe` takes its number, from 1, and the time those before it took.
fn probe(args: &Args, mut probe: impl FnMut(u64, Duration) -> Exchange) -> Vec<Exchange> {
    let mut probes = Vec::new();
    let mut elapsed = Duration::ZERO;
    while !HealthReport::is_settled(&probes, args.consecutive.get()) {
        let exchange = probe(probes.len() as u64 + 1, elapsed);
        elapsed = elapsed.saturating_add(exchange.latency);
        probes.push(exchange);
    }
    probes
}
