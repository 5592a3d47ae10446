//! `load`: many calls.

mod shard;

use std::cell::Cell;
use std::num::NonZeroU32;
use std::sync::Arc;

use brownout_clock::Clock;
use brownout_drive::{Drive, Probe, Target};
use brownout_load::{Expectation, Load, LoadResult, Shard};
use brownout_policy::{Policy, Settings, Success};
use brownout_report::{Format, LoadReport, Start};

use super::runtime;
use crate::descriptors::for_clients_of;
use crate::exit::{Exit, Stop};
use crate::flags::{CallFlags, Callee, HTTP_ATTEMPT_TIMEOUT, LimitFlags, PolicyFlags, positive, seen};
use crate::moment::Moment;
use crate::results::OutputFlags;
use crate::setting::Setting;
use crate::signal::{Ending, asked_to_end};
use crate::stage::Stage;
use crate::watch::{Watch, WatchFlags, Watched, simulate};

/// Makes many calls and counts what came back
///
/// Closed clients, each of which makes its next call when the last one has ended, unless the scenario's arrivals are open.
/// Nothing is retried unless the scenario has a policy, or one is given here. Ctrl-C and SIGTERM end it with what was counted so
/// far, and the result says that it was cut short.
///
/// Where something is expected of the run, by the scenario's `expect` or by --expect, a table tells what was met.
///
/// Exit code 0 whatever the answers were; 1 when there was not one, or when it was cut short; 98 when calls over HTTP could not
/// be begun when they were due, so that the numbers tell of this machine; 99 when an expectation was missed, 98 when none was and
/// one cannot be told; 128 + n when signal n ended it.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout load brownout.toml --seed 42 --expect 'p99 <= 300ms'")]
pub(crate) struct Args {
    #[command(flatten)]
    call: CallFlags,

    /// How many calls [default: the scenario's, else 100]
    #[arg(long, allow_negative_numbers = true)]
    count: Option<u64>,

    /// How many clients, each with one call in flight [default: the scenario's, else 1]
    #[arg(long, alias = "clients", value_name = "CLIENTS", value_parser = positive, allow_negative_numbers = true)]
    concurrency: Option<NonZeroU32>,

    /// Makes the calls over HTTP on loopback, to the service of the scenario, which runs in this program meanwhile
    #[arg(long, group = "sockets")]
    real: bool,

    /// Which answers are a success, as statuses, classes and ranges: 2xx,404; all others are failures [default: the scenario's, else those
    /// below 400]
    #[arg(long, value_name = "STATUSES")]
    success: Option<Success>,

    #[command(flatten)]
    limits: LimitFlags,

    /// Runs only part I of N, counted from 0: every Nth call, or closed client, of the whole; `merge` puts the parts together
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,

    /// Waits until this moment before the first call: RFC 3339, or seconds since 1970
    #[arg(long, value_name = "TIME", requires = "url")]
    start_at: Option<Moment>,

    /// What the run is to come to, as "p99 <= 300ms"; several times for several, each over the scenario's
    #[arg(long, value_name = "EXPECTATION", value_parser = brownout_scenario::expectation)]
    expect: Vec<Expectation>,

    #[command(flatten)]
    output: OutputFlags,

    #[command(flatten)]
    watch: WatchFlags,

    #[command(flatten)]
    policy: PolicyFlags,
}

/// What a load came to, and how it was run.
struct Ran {
    result: LoadResult,
    /// In which time: real or virtual.
    time: &'static str,
    /// When it began, where that was by appointment.
    start: Option<Start>,
    /// What ended it, where that was somebody from outside.
    ending: Option<Ending>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    args.watch.check(args.is_real())?;
    let setting = args.setting()?;
    // Nothing listens before flags and scenario are known to be fine.
    let named = args.call.callee(&setting)?;
    let policy = args.policy.over(under(&args.policy, args.is_real(), &setting))?;
    args.check(&setting, &policy)?;
    let place = args.output.place()?;
    let expect = setting.scenario.expect.clone().with(args.expect.iter().copied());
    let stage = args.real.then(|| Stage::set(&setting, args.call.scale())).transpose()?;
    let staged = stage.as_ref().map(|stage| args.call.callee_on(stage, &setting)).transpose()?;

    setting.announce();
    let Ran { result, time, start, ending } = match staged.as_ref().unwrap_or(&named) {
        Callee::Real(target) => args.over_sockets(target, &policy, &setting, stage)?,
        Callee::Simulated(line) => {
            let world = setting.world(&policy).with_shard(args.shard).with_details(place.keeps_all());
            let (result, ending) = simulate(&world, &seen(line), &setting.scenario.load, args.limits.limits())?;
            Ran { result, time: "virtual", start: None, ending }
        }
    };
    let made_of = setting.made_of(&policy, &(&named, args.call.scale()));
    let origin = setting.origin(time, &(policy, named));
    let (shard, shards, verdict, format) = (args.shard, None, None, Format);
    let success = setting.scenario.load.success.to_string();
    let report =
        LoadReport { result, origin, made_of, shard, shards, start, expect, verdict, success, format }.judged();
    place.put(&report)?;
    Ok(ending.map_or_else(|| Exit::of_load(&report), |ending| ending.exit))
}

impl Args {
    /// The scenario, with what the flags say of the load over it.
    fn setting(&self) -> Result<Setting, Stop> {
        let mut setting = self.call.setting()?;
        let load = &mut setting.scenario.load;
        let flags = [("--count", self.count.is_some()), ("--concurrency", self.concurrency.is_some())];
        beside_cohorts(&flags, &self.policy, load)?;
        load.count = self.count.or(load.count);
        load.clients = self.concurrency.unwrap_or(load.clients);
        load.success = self.success.clone().unwrap_or_else(|| load.success.clone());
        Ok(setting)
    }

    /// Refuses a part of what cannot be parted, and an appointment that is past.
    fn check(&self, setting: &Setting, policy: &Policy) -> Result<(), Stop> {
        if self.shard.is_some() {
            shard::check(&setting.scenario, policy, self.is_real())?;
        }
        if let Some(moment) = self.start_at.as_ref().filter(|moment| moment.is_missed()) {
            let late = moment.late().as_secs_f64();
            return Err(Stop::usage(format!("--start-at {moment} is {late:.0} s past; name a moment to come")));
        }
        Ok(())
    }

    /// Calls `target`, which is on the `stage` where this program serves it.
    fn over_sockets(
        &self,
        target: &Arc<Target>,
        policy: &Policy,
        setting: &Setting,
        stage: Option<Stage>,
    ) -> Result<Ran, Stop> {
        let load = &setting.scenario.load;
        let drive = self.call.drive(Arc::clone(target), policy.clone(), setting);
        for_clients_of(load, if self.real { 2 } else { 1 });
        let interrupted = Cell::new(None);
        let mut start = None;
        let result = runtime()?.block_on(async {
            let asked = asked_to_end()?;
            let drive = Drive { clock: Clock::start_fine(drive.clock.scale()), ..drive };
            let probe = Probe::default();
            let called = self.call.url().unwrap_or("its own service");
            let watched = Watched::new(probe.clone(), setting, self.shard, (called, self.call.scale()));
            let mut watch = Watch::begin(self.watch, watched)?;
            let mut end = Box::pin(watch.ended(asked));
            if let Some(moment) = &self.start_at {
                tokio::select! {
                    () = moment.wait() => {}
                    ending = &mut end => return Err(Stop { exit: ending.exit, ..Stop::failed("ended before the first call") }),
                }
                start = Some(Start::new(moment.to_string(), moment.late()));
            }
            if let Some(stage) = &stage {
                stage.begin();
            }
            let end = async {
                let ending = end.await;
                interrupted.set(Some(ending));
                ending.why.to_owned()
            };
            let service = &setting.scenario.service;
            Ok(drive.load_of(self.shard, load, Some(service), end, |_, _| (), &probe).await)
        })?;
        let result = if let Some(stage) = stage { stage.end(result) } else { result };
        Ok(Ran { result, time: "real", start, ending: interrupted.get() })
    }

    /// Whether calls are made over sockets.
    const fn is_real(&self) -> bool {
        self.real || self.call.is_real()
    }
}

/// Refuses what would change nothing: `flags` of one population, given or not, and those of a `policy`.
pub(super) fn beside_cohorts(flags: &[(&str, bool)], policy: &PolicyFlags, load: &Load) -> Result<(), Stop> {
    if load.cohorts.is_empty() {
        return Ok(());
    }
    if let Some((flag, _)) = flags.iter().find(|(_, given)| *given) {
        return Err(Stop::usage(format!(
            "{flag} is for one population, and the scenario has cohorts, each with its own; drop it"
        )));
    }
    if policy.speak_of_retries() && !load.follows_policy() {
        let message = "flags of a policy change nothing here: every cohort of the scenario has a policy of its own; drop the flags, or \
                       the `policy` of a cohort";
        return Err(Stop::usage(message));
    }
    Ok(())
}

/// What the flags of a policy lie over: the scenario's policy; without one, no retries unless a flag speaks of them.
pub(super) fn under(flags: &PolicyFlags, is_real: bool, setting: &Setting) -> Settings {
    let defaults = Settings {
        max_retries: (!flags.speak_of_retries()).then_some(0),
        attempt_timeout: is_real.then_some(HTTP_ATTEMPT_TIMEOUT),
        ..Settings::default()
    };
    match &setting.scenario.policy {
        Some(policy) => policy.clone().over(Settings { max_retries: None, ..defaults }),
        None => defaults,
    }
}
