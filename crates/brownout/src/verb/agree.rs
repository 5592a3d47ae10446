//! `agree`: one scenario in virtual time and on real sockets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_drive::{Drive, Target, Trust};
use brownout_lab::agree::{Agreement, Fates, Side, timing};
use brownout_load::Attempt;
use brownout_report::{AgreeReport, json};
use brownout_sim::{Limits, Observer};

use super::load::{beside_cohorts, under};
use super::runtime;
use crate::descriptors::for_clients_of;
use crate::exit::{Exit, Stop};
use crate::flags::{HTTP_ATTEMPT_TIMEOUT, PolicyFlags, ServiceFlags, seen};
use crate::output::print;
use crate::setting::Setting;
use crate::signal::asked_to_end;
use crate::stage::Stage;

/// Runs one load in virtual time and over sockets, and tells where they differ
///
/// The service runs in this program, on loopback, and its callers beside it. Where nothing depends on when it happens, each attempt
/// must meet the same in both; else rates and latencies are held against each other, within bounds that the table tells.
///
/// Exit code 0 when both agree; 99 when they do not; 98 when this machine could not keep up with the load; 128 + n when signal n ended it.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout agree examples/outage.toml")]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,

    /// How many calls [default: the scenario's, else 100]
    #[arg(long, allow_negative_numbers = true)]
    count: Option<u64>,

    /// How many times faster than real time sockets go
    #[arg(long, value_name = "N", default_value_t)]
    time_scale: Scale,

    /// Prints the whole result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    policy: PolicyFlags,
}

/// Notes what attempts meet.
#[derive(Debug, Default)]
struct Watch(Fates);

impl Observer for Watch {
    fn attempt(&mut self, number: u64, attempt: &Attempt, _: Option<Duration>) {
        self.0.insert((number, attempt.number.get()), attempt.reply);
    }
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let mut setting = Setting::new(&args.service, None)?;
    let load = &mut setting.scenario.load;
    beside_cohorts(&[("--count", args.count.is_some())], &args.policy, load)?;
    load.count = args.count.or(load.count);
    let policy = args.policy.over(under(&args.policy, false, &setting))?;
    let line = setting.scenario.load.request.clone();
    setting.announce();

    let scenario = &setting.scenario;
    let timing = timing(&scenario.service, &scenario.graph, &scenario.load, &policy);
    let (here, watch) = setting.world(&policy).watch(&seen(&line), &scenario.load, Limits::default(), Watch::default());

    for_clients_of(&scenario.load, 2);
    let stage = Stage::set(&setting, args.time_scale)?;
    let target = Target::new(stage.url(), &line.method, Some(&line.path), &Trust::default()).map_err(Stop::usage)?;
    let target = target.carrying(scenario.load.carried.clone(), setting.seed);
    let target = stage.telling_clients(target.succeeding_with(scenario.load.success.clone()));
    let target = Arc::new(target);
    let met = Arc::new(Mutex::new(Watch::default()));
    let observe = {
        let met = Arc::clone(&met);
        move |number, attempt: &Attempt| {
            met.lock().unwrap_or_else(PoisonError::into_inner).attempt(number, attempt, None);
        }
    };
    let patient = policy.clone().or_attempt_timeout(HTTP_ATTEMPT_TIMEOUT);
    let there = runtime()?.block_on(async {
        let mut end = Box::pin(asked_to_end()?);
        let clock = Clock::start_fine(args.time_scale);
        let drive = Drive { target, policy: Arc::new(patient), seed: setting.seed, clock };
        stage.begin();
        tokio::select! {
            result = drive.load(&scenario.load, Some(&scenario.service), std::future::pending(), observe) => Ok(result),
            ending = &mut end => Err(Stop { exit: ending.exit, ..Stop::failed("ended before both worlds were seen") }),
        }
    })?;
    let there = stage.end(there);

    let fates = std::mem::take(&mut met.lock().unwrap_or_else(PoisonError::into_inner).0);
    let (here, sockets) = (Side { result: &here, fates: &watch.0 }, Side { result: &there, fates: &fates });
    let agreement = Agreement::new(here, sockets, timing, args.time_scale.get());
    let agree = agreement.agree;
    let report = AgreeReport { agreement, origin: setting.origin("both", &policy) };
    print(&if args.json { json(&report) } else { report.text() })?;
    Ok(match agree {
        true => Exit::FINE,
        false if there.is_saturated() => Exit::UNTOLD,
        false => Exit::MISSED,
    })
}
