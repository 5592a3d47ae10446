//! `explain`: why an attempt meets what it meets, and what happens when.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_report::{ExplainReport, TimelineReport, json};
use brownout_service::Identity;

use crate::exit::{Exit, Stop};
use crate::flags::{ServiceFlags, duration, seen};
use crate::output::print;
use crate::setting::Setting;

/// Tells why an attempt meets what it meets, or prints the schedule
///
/// Example: `brownout explain examples/outage.toml 17.2 --at 31s`, for attempt 2 of call 17 that reaches the service 31 s after
/// the beginning. A call has the number that results and the header `x-brownout-decision` show, and meets the same in virtual
/// time and over sockets.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,

    /// The number of a call, and of its attempt: `17`, or `17.2`
    #[arg(value_name = "CALL[.ATTEMPT]", value_parser = identity, required_unless_present = "timeline")]
    attempt: Option<Identity>,

    /// When the attempt reaches the service, from the beginning
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "0s", allow_hyphen_values = true)]
    at: Duration,

    /// Prints every phase with its times, those that come again and those that come by chance worked out
    #[arg(long, conflicts_with_all = ["attempt", "at"])]
    timeline: bool,

    /// Prints it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let setting = Setting::new(&args.service, None)?;
    setting.announce();
    let scenario = &setting.scenario;
    let origin = setting.origin("virtual", &());
    let Some(identity) = args.attempt else {
        let report = TimelineReport::new(&scenario.service, &scenario.graph, origin);
        print(&if args.json { json(&report) } else { report.text() })?;
        return Ok(Exit::FINE);
    };
    let request = seen(&scenario.load.request);
    let route = scenario.service.route(&request);
    let why = scenario.service.explain(setting.seed, route, identity, args.at);
    let report = ExplainReport::new(&why, args.at.as_secs_f64(), origin);
    print(&if args.json { json(&report) } else { report.text() })?;
    Ok(Exit::FINE)
}

/// Reads `17` or `17.2`.
fn identity(text: &str) -> Result<Identity, String> {
    let refusal = || {
        format!(
            "an attempt is a call's number from 1, and that of its attempt from 1, as `17` or `17.2`; found `{text}`"
        )
    };
    let (request, attempt) = text.split_once('.').unwrap_or((text, "1"));
    let request = request.parse().ok().filter(|request| *request > 0).ok_or_else(refusal)?;
    let attempt: NonZeroU32 = attempt.parse().map_err(|_| refusal())?;
    Ok(Identity { request, attempt })
}
