//! `run`: a retry runner.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brownout_draw::Seed;
use brownout_exec::{Command, Flaky, Runner, Signals};
use brownout_policy::{Policy, Settings};
use brownout_report::{RunAttempt, RunReport, json};

use super::runtime;
use crate::exit::{Exit, Stop};
use crate::flags::{BackoffFlags, duration};
use crate::output::{Output, print, talk};
use crate::setting::{chosen_note, seed};

/// Retries a command, or a built-in flaky function
///
/// Everything after -- is the command. Without one, a built-in function fails --fail-count times and then succeeds.
/// The first delay is 100 ms unless --base-delay says otherwise. The command's output goes through; what this has to
/// say goes to standard error.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Writes a JSON report when the run ends, in one piece in place of an old one; makes its folder
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// How often the built-in function fails
    #[arg(long, value_name = "COUNT", default_value = "3", allow_negative_numbers = true, conflicts_with = "command")]
    fail_count: u32,

    /// Number that repeats the jitter [default: chosen and printed]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    seed: Option<u64>,

    /// How long the command may take to end after a signal or a timeout, before it is killed
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s", allow_hyphen_values = true)]
    grace: Duration,

    #[command(flatten)]
    policy: BackoffFlags,

    /// Command to run until it succeeds
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let policy = policy(&args.policy)?;
    let (seed, chosen) = seed(args.seed.map(Seed)).map_err(Stop::into_own_failure)?;
    let mut file = args.output.as_deref().map(ReportFile::at).transpose()?;
    if policy.uses_chance() {
        talk(&format!("seed {seed}{}", chosen_note(seed, chosen)));
    }
    let command = args.command().map(|command| Command { attempts_max: policy.attempts_max(), ..command });
    let report = attempts(&policy, seed, args.fail_count, command, file.as_mut())?;
    if report.command.is_some() {
        // The command's own output is the data here.
        talk(report.text().trim_end());
    } else {
        print(&report.text()).map_err(Stop::into_own_failure)?;
    }
    if let Some(file) = file {
        file.end(&report)?;
    }
    Ok(Exit::of_command(report.exit_code.unwrap_or_default()))
}

impl Args {
    /// What is to be tried; `None` for the built-in function.
    fn command(&self) -> Option<Command> {
        let (program, arguments) = self.command.split_first()?;
        let at_terminal =
            std::io::stdin().is_terminal() || std::io::stdout().is_terminal() || std::io::stderr().is_terminal();
        let command = Command::new(program.clone(), arguments.to_vec());
        Some(Command { grace: self.grace, at_terminal, alone: true, ..command })
    }
}

/// The policy, which here must wait and retry: a runner that does neither was not meant.
fn policy(flags: &BackoffFlags) -> Result<Policy, Stop> {
    if flags.max_retries == Some(0) {
        return Err(Stop::usage("--max-retries must be at least 1, found 0; to run once, run the command itself"));
    }
    if flags.base_delay.is_some_and(|delay| delay.is_zero()) {
        return Err(Stop::usage("--base-delay must be longer than 0, found 0; write 1ms to retry nearly at once"));
    }
    flags.over(Settings::default())
}

fn attempts(
    policy: &Policy,
    seed: Seed,
    fail_count: u32,
    command: Option<Command>,
    mut file: Option<&mut ReportFile>,
) -> Result<RunReport, Stop> {
    let started = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let runner = Runner { policy, seed, started };
    let observe = |report: &RunReport| {
        if let Some(line) = report.attempts.last().and_then(RunAttempt::log_line) {
            talk(&line);
        }
        if let Some(file) = &mut file {
            file.keep(report);
        }
    };
    let runtime = runtime().map_err(Stop::into_own_failure)?;
    runtime.block_on(async {
        let Some(command) = command else {
            return Ok(runner.run(&mut Flaky { fail_count }, &mut Signals::none(), observe).await);
        };
        let signals = Signals::listen(command.at_terminal);
        let failed = |error| Stop::failed(format!("failed to listen for signals: {error}")).into_own_failure();
        Ok(runner.run(&mut command.tries(), &mut signals.map_err(failed)?, observe).await)
    })
}

/// Where the report is kept while the run goes on.
struct ReportFile {
    output: Output,
    /// That it could not be written was said already.
    told: bool,
}

impl ReportFile {
    fn at(path: &Path) -> Result<Self, Stop> {
        Ok(Self { output: Output::at(path).map_err(Stop::into_own_failure)?, told: false })
    }

    /// After an attempt. What is no file, such as a pipe, gets the report once, when the run is over.
    fn keep(&mut self, report: &RunReport) {
        if self.output.is_replaced()
            && let Err(stop) = self.output.write(&json(report))
            && !std::mem::replace(&mut self.told, true)
        {
            talk(&format!("{}; the run goes on", stop.message));
        }
    }

    /// After the run.
    fn end(&self, report: &RunReport) -> Result<(), Stop> {
        self.output.write(&json(report)).map_err(Stop::into_own_failure)
    }
}
