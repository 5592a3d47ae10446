//! `rehearse`: what a command does to a service that fails.

mod seeds;
mod variable;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use brownout_draw::Seed;
use brownout_exec::{Command, Failed, Signals, StdinMode, Work};
use brownout_lab::rehearse::{Answer, CommandEnd, Expectation, GroupBy, HEADERS, Lens, Rehearsal, Visit, rehearse};
use brownout_load::Met;
use brownout_report::{RehearseReport, RunStop, exit_code, json};
use brownout_serve::VisitBounds;
use brownout_service::{Done, Seen};

use self::seeds::Seeds;
use self::variable::{Variable, filled};
use super::runtime;
use crate::exit::{Exit, Stop};
use crate::flags::{PageFlags, ServiceFlags, duration, limit, positive};
use crate::output::{Output, print, spelling, talk};
use crate::repeat;
use crate::setting::{Setting, Unseeded};
use crate::stage::Stage;

/// Runs a command against a simulated service and tells how often it tried
///
/// The service listens on loopback for as long as the command runs. The command finds it by the variable BROWNOUT_URL, by those that
/// --env names, and by {url} in its arguments. What it prints goes through; after its end comes what it did: how many
/// requests a call made, when, by which rule it waited, whether it did as Retry-After said, and what was done twice.
///
/// Requests are attempts of one call by x-brownout-request, by the header that the scenario names as `identity`, by
/// Idempotency-Key, or by X-Request-Id; without any of these by method, path and body, until one succeeds.
///
/// Exit code 0 when the command ended, whatever its own code is, and nothing that was expected was missed; 98 when the service
/// saw no request, or something expected, or the policy for --policy-out, cannot be told; 99 when something was missed; 124
/// when the time was up; 126 and 127 when the command cannot be executed or is not there; 128 + n when signal n ended it.
/// `--expect "exit_code <= 0"` makes the command's own code count.
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Example: brownout rehearse --preset always-503 --expect 'amplification <= 3' -- curl -s --retry 3 {url}/orders"
)]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,

    /// One of the scenarios that ship, in place of a file, as preset:NAME is
    #[arg(long, value_name = "NAME", conflicts_with = "scenario")]
    preset: Option<String>,

    /// Another variable that tells the command where the service is, with a path behind the URL if there is one; several times for several
    #[arg(long, value_name = "NAME[=/PATH]")]
    env: Vec<Variable>,

    /// Port of the service; 0 takes any free one
    #[arg(long, default_value = "0")]
    port: u16,

    /// What the command is to come to, as "amplification <= 3"; several times for several
    #[arg(long, value_name = "EXPECTATION")]
    expect: Vec<Expectation>,

    /// How many calls the command makes, where that cannot be seen from its requests
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_negative_numbers = true)]
    calls: Option<NonZeroU32>,

    /// What requests of one call have in common: `header:NAME`, or `path` for method, path and body [default: the first that is found]
    #[arg(long, value_name = "WHAT", value_parser = group_by)]
    group_by: Option<GroupBy>,

    /// How many times the command is run, each time against the next seed [default: once, or once for each of --seeds]
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_negative_numbers = true)]
    repeat: Option<NonZeroU32>,

    /// Runs the command once against each of these seeds: 1,4,7, or 1..5 with both ends
    #[arg(long, value_name = "SEEDS", allow_negative_numbers = true, conflicts_with = "seed")]
    seeds: Option<Seeds>,

    /// Ends a run of the command after this time [default: it may take any]
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    timeout: Option<Duration>,

    /// How long the command may take to end after a signal or a timeout, before it is killed; 0 kills at once
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s", allow_hyphen_values = true)]
    grace: Duration,

    /// Writes what it came to as JSON to this file; makes its folder
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Prints it as JSON, behind what the command printed
    #[arg(long)]
    json: bool,

    /// Writes the policy that the command was seen to follow, for `compare`, `storm`, `check` and `run`; makes the file's folder
    #[arg(long, value_name = "FILE")]
    policy_out: Option<PathBuf>,

    #[command(flatten)]
    page: PageFlags,

    /// Command to run
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// So many requests of a run are looked at.
const VISITS_MAX: usize = 100_000;

pub(crate) fn run(mut args: Args) -> Result<Exit, Stop> {
    if args.command.first().is_some_and(|program| program.is_empty()) {
        return Err(Stop::usage("the command after `--` must name a program, found an empty word"));
    }
    if let Some(name) = &args.preset {
        args.service.scenario = Some(format!("preset:{name}").into());
    }
    args.has_one_number_of_runs()?;
    let page = args.page.place(&[("--output", args.output.as_ref()), ("--policy-out", args.policy_out.as_ref())])?;
    args.spares_the_scenario()?;
    let place = args.output.as_deref().map(Output::at).transpose()?;
    let policy_place = args.policy_out.as_deref().map(Output::at).transpose()?;
    let unseeded = Unseeded::new(&args.service, None)?;
    let first = match args.seeds.as_ref().and_then(|seeds| seeds.iter().next()) {
        Some(seed) => unseeded.clone().with_seed(seed),
        None => unseeded.clone().with_seed_of(&args.service)?,
    };
    first.announce();
    let mut runs = Vec::new();
    let mut interrupted = None;
    for seed in args.seeds_from(first.seed) {
        let (run, told) = args.once(&unseeded.clone().with_seed(seed))?;
        runs.push(run);
        interrupted = told;
        if told.is_some() {
            break;
        }
    }
    let words = args.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let lens = args.lens(&first);
    let report = RehearseReport::new(first.origin("real", &(&words, &lens)), words, runs);
    if let Some(place) = place {
        place.write(&json(&report))?;
    }
    // What the command printed may lack its last newline.
    print(&format!("\n{}", if args.json { json(&report) } else { report.text() }))?;
    page.put(|| report.page(if args.seeds.is_some() { repeat::as_given() } else { repeat::command(first.seed) }))?;
    if report.runs.iter().any(|run| run.attempts == 0) {
        talk(&args.unseen());
    }
    let has_policy = policy_place.map_or(Ok(true), |place| keep_policy(&report, &place))?;
    Ok(match (interrupted, exit(&report)) {
        (Some(signal), _) => Exit::signalled(signal),
        (None, Exit::FINE) if !has_policy => Exit::UNTOLD,
        (None, exit) => exit,
    })
}

/// Writes the policy that was measured; whether there is one.
fn keep_policy(report: &RehearseReport, place: &Output) -> Result<bool, Stop> {
    match report.policy() {
        Ok(policy) => place.write(&policy).map(|()| true),
        Err(why) => {
            talk(&format!("--policy-out: no policy can be told, so none is written: {why}"));
            Ok(false)
        }
    }
}

fn exit(report: &RehearseReport) -> Exit {
    if report.runs.iter().any(|run| run.command.timed_out) {
        return Exit::of_command(exit_code::TIMEOUT);
    }
    let unseen = report.runs.iter().any(|run| run.attempts == 0);
    match report.outcome() {
        Some(Met::Missed) => Exit::MISSED,
        Some(Met::NotEnoughData) => Exit::UNTOLD,
        _ if unseen => Exit::UNTOLD,
        Some(Met::Met) | None => Exit::FINE,
    }
}

impl Args {
    /// Refuses two numbers of runs.
    fn has_one_number_of_runs(&self) -> Result<(), Stop> {
        match (self.repeat.map(NonZeroU32::get), self.seeds.as_ref().map(Seeds::count)) {
            (Some(repeat), Some(seeds)) if repeat as usize != seeds => Err(Stop::usage(format!(
                "--repeat and --seeds both say how often the command is run, found {repeat} and {seeds}; drop --repeat"
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses to write a policy over the scenario that it is measured with.
    fn spares_the_scenario(&self) -> Result<(), Stop> {
        let (Some(scenario), Some(policy)) = (&self.service.scenario, &self.policy_out) else { return Ok(()) };
        if spelling(scenario) != spelling(policy) {
            return Ok(());
        }
        Err(Stop::usage(format!(
            "--policy-out would write over the scenario {}; name another file",
            scenario.display()
        )))
    }

    /// The seeds of all runs, the `first` of which is known.
    fn seeds_from(&self, first: Seed) -> impl Iterator<Item = Seed> {
        let repeat = self.repeat.map_or(1, NonZeroU32::get);
        let count = if self.seeds.is_some() { 0 } else { u64::from(repeat) };
        let counted = (0..count).map(move |number| Seed(first.0.wrapping_add(number)));
        self.seeds.iter().flat_map(Seeds::iter).chain(counted)
    }

    fn is_run_once(&self) -> bool {
        self.seeds_from(Seed(0)).nth(1).is_none()
    }

    /// Runs the command once: what it did, and the signal that ended it where one did.
    fn once(&self, setting: &Setting) -> Result<(Rehearsal, Option<u8>), Stop> {
        let lens = self.lens(setting);
        let names = lens.identity.iter().map(String::as_str).chain(HEADERS);
        let asked = if let GroupBy::Header(name) = &lens.by { Some(name.as_str()) } else { None };
        let headers = names.chain(asked).filter_map(|name| name.parse().ok()).collect();
        let stage = Stage::observed(setting, self.port, VisitBounds { headers, entries: VISITS_MAX })?;
        let command = self.command(stage.url());
        let runtime = runtime()?;
        let attempted = runtime.block_on(async {
            let failed = |error| Stop::failed(format!("failed to prepare the command: {error}")).into_own_failure();
            let mut signals = Signals::listen(command.at_terminal).map_err(failed)?;
            let mut tries = command.tries().map_err(failed)?;
            stage.begin();
            Ok(tries.attempt(NonZeroU32::MIN, self.timeout, &mut signals).await)
        });
        // Somebody may still be waited for who reads nothing or writes nothing.
        runtime.shutdown_background();
        let (end, told) = ended(attempted?)?;
        let (visits, omitted) = stage.end_observed();
        if omitted > 0 {
            talk(&format!("note: {omitted} requests beyond the first {VISITS_MAX} are left out of all that follows"));
        }
        Ok((rehearse(visits.into_iter().map(seen).collect(), setting.seed.0, end, &lens), told))
    }

    fn lens(&self, setting: &Setting) -> Lens {
        Lens {
            by: self.group_by.clone().unwrap_or_default(),
            calls: self.calls.map(|calls| calls.get().into()),
            identity: setting.scenario.identity_header.as_ref().map(|name| name.to_ascii_lowercase()),
            expect: self.expect.clone(),
        }
    }

    fn command(&self, url: &str) -> Command {
        let program = self.command[0].clone();
        let arguments = self.command[1..].iter().map(|argument| filled(argument, url)).collect();
        let own = (Variable::OWN.into(), url.into());
        let at_terminal =
            std::io::stdin().is_terminal() || std::io::stdout().is_terminal() || std::io::stderr().is_terminal();
        Command {
            environment: std::iter::once(own).chain(self.env.iter().map(|variable| variable.set(url))).collect(),
            stdin: if self.is_run_once() { StdinMode::Once } else { StdinMode::None },
            grace: self.grace,
            at_terminal,
            alone: true,
            ..Command::new(program, arguments)
        }
    }

    /// Why nothing may have come.
    fn unseen(&self) -> String {
        let told = if self.env.is_empty() { ", or name the variable that it reads with --env" } else { "" };
        format!(
            "the service saw no request: does the command use {} or {{url}}{told}? A proxy that does not leave out 127.0.0.1 keeps requests \
             away too",
            Variable::OWN
        )
    }
}

/// How the command ended, and the signal that this program got.
fn ended(attempted: Result<(), Failed>) -> Result<(CommandEnd, Option<u8>), Stop> {
    let Err(Failed { failing, end }) = attempted else {
        return Ok((CommandEnd { exit_code: Some(0), ..CommandEnd::default() }, None));
    };
    let told = match end {
        Some(RunStop::Spawn(code)) => {
            return Err(Stop { exit: Exit::of_command(code), ..Stop::failed(failing.error) });
        }
        Some(RunStop::Interrupted(signal)) => Some(signal),
        _ => None,
    };
    let brownout_report::Exit { exit_code, signal, timed_out } = failing.exit;
    Ok((CommandEnd { exit_code, signal, timed_out }, told))
}

/// A request as the server wrote it down.
fn seen(visit: brownout_serve::Visit) -> Visit {
    let answer = match visit.seen.filter(|_| visit.until.is_some()) {
        Some(Seen::Status(status)) => Answer::Status(status),
        Some(Seen::Reset) => Answer::Reset,
        Some(Seen::Closed) => Answer::Closed,
        Some(Seen::NotHttp) => Answer::NotHttp,
        None if visit.left => Answer::Left,
        None => Answer::Silence,
    };
    let done = |done: Option<&Done>| matches!(done, Some(Done::First | Done::Again));
    Visit {
        at: visit.at,
        until: visit.until.filter(|_| answer != Answer::Silence),
        connection: visit.connection,
        method: visit.method.into(),
        path: visit.target.into(),
        body: visit.body,
        names: visit.headers.into_iter().map(|(name, value)| (name.to_string(), value.into())).collect(),
        answer,
        retry_after: visit.retry_after,
        done: visit.effect.map(|effect| done(effect.get())),
    }
}

/// Reads `path` or `header:NAME`.
fn group_by(text: &str) -> Result<GroupBy, String> {
    let refused = || format!("requests are grouped by `path` or by `header:NAME`, found `{text}`");
    match text.split_once(':') {
        None if text == "path" => Ok(GroupBy::Likeness),
        Some(("header", name)) if !name.is_empty() && name.chars().all(in_header_name) => {
            Ok(GroupBy::Header(name.to_ascii_lowercase()))
        }
        _ => Err(refused()),
    }
}

/// Whether a name of a header may have this in it. Source: RFC 9110, section 5.6.2.
fn in_header_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter)
}
