//! `explain`: why an attempt meets what it meets, and what happens when.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_draw::Seed;
use brownout_drive::{Drive, Target, Trust};
use brownout_load::Reply;
use brownout_policy::Policy;
use brownout_report::{ExplainReport, TimelineReport, json};
use brownout_service::Identity;
use brownout_sim::landed;

use super::runtime;
use crate::exit::{Exit, Stop};
use crate::flags::{HTTP_ATTEMPT_TIMEOUT, ServiceFlags, admin_token, duration, seen};
use crate::output::print;
use crate::setting::Setting;

/// Tells why an attempt meets what it meets, or prints the schedule
///
/// The example is of attempt 2 of call 17, which reaches the service 31 s after the beginning. A call has the number that results and the
/// header `x-brownout-decision` show, and meets the same in virtual time and over sockets.
///
/// With --admin, of a service that runs: as it came, and as the service is now, changes included.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout explain brownout.toml 17.2 --at 31s")]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,

    /// The number of a call, and of its attempt: `17`, or `17.2`
    #[arg(value_name = "CALL[.ATTEMPT]", value_parser = identity, required_unless_present_any = ["timeline", "admin"])]
    attempt: Option<Identity>,

    /// When the attempt reaches the service, from the beginning [default: 0s; of a service that runs, when it came]
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
    at: Option<Duration>,

    /// Which client makes the call, from 0, where that decides the replica that it lands on
    #[arg(long, value_name = "NUMBER", default_value = "0", allow_negative_numbers = true)]
    client: u32,

    /// Prints every phase with its times, those that come again and those that come by chance worked out
    #[arg(long, conflicts_with_all = ["attempt", "at", "client"])]
    timeline: bool,

    /// Asks the running service whose admin API is there, in place of a file
    #[arg(long, value_name = "URL")]
    admin: Option<String>,

    /// The token of that API [default: $BROWNOUT_ADMIN_TOKEN]
    #[arg(long, value_name = "TOKEN", requires = "admin")]
    admin_token: Option<String>,

    /// Prints it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    if let Some(url) = &args.admin {
        return of_running(args, url);
    }
    let setting = Setting::new(&args.service, None)?;
    setting.announce();
    let scenario = &setting.scenario;
    let origin = setting.origin("virtual", &());
    let Some(identity) = args.attempt else {
        let report = TimelineReport::new(&scenario.service, &scenario.graph, origin);
        print(&if args.json { json(&report) } else { report.text() })?;
        return Ok(Exit::FINE);
    };
    let drawn = scenario.load.carried.drawn(setting.seed, identity.request).map(|drawn| drawn.line());
    let route = scenario.service.route(&seen(drawn.as_ref().unwrap_or(&scenario.load.request)));
    let at = args.at.unwrap_or_default();
    let landed = landed(&scenario.service, setting.seed, identity, args.client, &scenario.load.carried);
    let why = scenario.service.explain(setting.seed, route, landed, at);
    let report = ExplainReport::new(&why, at.as_secs_f64(), origin);
    print(&if args.json { json(&report) } else { report.text() })?;
    Ok(Exit::FINE)
}

/// Lets a service that runs tell, which knows how it was changed.
fn of_running(args: &Args, url: &str) -> Result<Exit, Stop> {
    let format = if args.json { "json" } else { "text" };
    let given = (args.attempt, args.service.scenario.as_deref().and_then(Path::to_str));
    let path = match given {
        (None, None) if args.timeline => format!("/timeline?format={format}"),
        // Without a file before it, what is to be explained stands in its place.
        (None, Some(text)) if !args.timeline => {
            let Identity { request, attempt } = identity(text).map_err(Stop::usage)?;
            let at = args.at.map(|at| format!("&at={}ns", at.as_nanos())).unwrap_or_default();
            format!("/explain?request={request}&attempt={attempt}{at}&format={format}")
        }
        (None, None) => {
            return Err(Stop::usage("say which attempt, as in `brownout explain 17.2 --admin URL`, or --timeline"));
        }
        _ => return Err(Stop::usage("the running service has its own scenario; drop the file, or --admin")),
    };
    let asked = Target::new(url, "GET", Some(&path), &Trust::default()).map_err(Stop::usage)?;
    let token = admin_token(args.admin_token.as_ref());
    let asked = match &token {
        None => asked,
        Some(token) => asked.with_header("authorization", &format!("Bearer {token}")).map_err(Stop::usage)?,
    };
    let (policy, seed) = (Arc::new(Policy::none()), Seed(0));
    let drive = Drive { target: Arc::new(asked), policy, seed, clock: Clock::start(Scale::ONE) };
    let answer = runtime()?.block_on(drive.request(1, Some(HTTP_ATTEMPT_TIMEOUT)));
    match answer.reply {
        Reply::Status(200) => print(&answer.body).map(|()| Exit::FINE),
        Reply::Status(status) => {
            Err(Stop::failed(format!("the admin API at {url} answers {status}: {}", answer.body.trim())))
        }
        _ => Err(Stop::failed(format!("no answer from the admin API at {url}: {}", answer.error.unwrap_or_default()))),
    }
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
