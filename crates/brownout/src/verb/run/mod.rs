//! `run`: a retry runner.

mod command;
mod file;
mod plan;
mod policy;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use brownout_draw::Seed;
use brownout_exec::{Command, Event, Flaky, Runner, Signals};
use brownout_report::{RunAttempt, RunReport};

use self::command::CommandFlags;
use self::file::{Format, ReportFile};
use self::policy::PolicyFlags;
use super::runtime;
use crate::exit::{Exit, Stop};
use crate::flags::{PageFlags, made_of};
use crate::output::{print, talk};
use crate::repeat;
use crate::setting::{chosen_note, seed};

/// Retries a command, or a built-in flaky function
///
/// Everything after -- is the command. Without one, a built-in function fails --fail-count times and then succeeds.
/// The first delay is 100 ms unless --base-delay says otherwise. The command's output goes through; what this has to
/// say goes to standard error.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout run --max-retries 5 --jitter full --attempt-timeout 2m -- npm ci")]
pub(crate) struct Args {
    /// Writes a report after every attempt, in one piece in place of the one before; makes its folder
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// What the report is written as, to --output, or, without it, to standard output at the end [default: json for a file, else text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,

    /// Prints when attempts would be made, and what is doubtful about that, and runs nothing
    #[arg(long)]
    plan: bool,

    /// How often the built-in function fails
    #[arg(long, value_name = "COUNT", default_value = "3", allow_negative_numbers = true, conflicts_with = "command")]
    fail_count: u32,

    /// Number that repeats the jitter [default: chosen and printed]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    seed: Option<u64>,

    #[command(flatten)]
    page: PageFlags,
    #[command(flatten)]
    policy: PolicyFlags,
    #[command(flatten)]
    of_command: CommandFlags,

    /// Command to run until it succeeds
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let settings = args.policy.settings()?;
    let policy = made_of(settings.clone())?;
    let command = args.of_command.command(&args.command, args.output.is_some() || args.page.is_wanted())?;
    let command = command.map(|command| Command { attempts_max: policy.attempts_max(), ..command });
    if args.plan {
        if args.page.is_wanted() {
            return Err(Stop::usage("--plan runs nothing that a page could show; drop --html and --svg, or --plan"));
        }
        return plan::print(&settings, &policy, args.format);
    }
    let page = args.page.place(&[("--output", args.output.as_ref())]).map_err(own_failure)?;
    let (seed, chosen) = seed(args.seed.map(Seed)).map_err(Stop::into_own_failure)?;
    let mut file =
        args.output.as_deref().map(|path| ReportFile::at(path, args.format.unwrap_or(Format::Json))).transpose()?;
    if policy.uses_chance() {
        talk(&format!("seed {seed}{}", chosen_note(seed, chosen)));
    }
    let started = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let runner = Runner { policy: &policy, seed, started, budget: args.policy.shared_budget(&policy)? };
    let report = attempts(runner, args.fail_count, command, file.as_mut())?;
    if let (None, Some(format @ (Format::Json | Format::Junit))) = (&args.output, args.format) {
        print(&format.of(&report)).map_err(Stop::into_own_failure)?;
    } else if report.command.is_some() {
        // The command's own output is the data here.
        talk(report.text().trim_end());
    } else {
        print(&report.text()).map_err(Stop::into_own_failure)?;
    }
    // One that cannot be written does not keep the other from it.
    let drawn = page.put(|| report.page(repeat::command(seed))).map_err(Stop::into_own_failure);
    if let Some(file) = file {
        file.end(&report)?;
    }
    drawn?;
    Ok(Exit::of_command(report.exit_code.unwrap_or_default()))
}

/// A failure of ours; a mistake in flags stays one.
fn own_failure(stop: Stop) -> Stop {
    if stop.exit == Exit::USAGE { stop } else { stop.into_own_failure() }
}

fn attempts(
    mut runner: Runner<'_>,
    fail_count: u32,
    command: Option<Command>,
    mut file: Option<&mut ReportFile>,
) -> Result<RunReport, Stop> {
    let observe = |event: Event<'_>| match event {
        Event::Remark(text) => talk(text),
        Event::Attempted(report) => {
            if let Some(line) = report.attempts.last().and_then(RunAttempt::log_line) {
                talk(&line);
            }
            if let Some(file) = &mut file {
                file.keep(report);
            }
        }
    };
    let failed = |what: &str, error| Stop::failed(format!("failed to {what}: {error}")).into_own_failure();
    let runtime = runtime().map_err(Stop::into_own_failure)?;
    let report = runtime.block_on(async {
        let Some(command) = command else {
            return Ok(runner.run(&mut Flaky { fail_count }, &mut Signals::none(), observe).await);
        };
        let mut signals = Signals::listen(command.at_terminal).map_err(|error| failed("listen for signals", error))?;
        let mut tries = command.tries().map_err(|error| failed("keep standard input", error))?;
        let report = runner.run(&mut tries, &mut signals, observe).await;
        tries.show_held().map_err(|error| failed("show the output that was held", error))?;
        Ok(report)
    });
    // Somebody may still be waited for who reads nothing or writes nothing.
    runtime.shutdown_background();
    report
}
