//! `run`: a retry runner.

use std::ffi::OsString;
use std::path::PathBuf;

use brownout_draw::Seed;
use brownout_exec::{Command, Flaky, Runner};
use brownout_policy::{Policy, Settings};
use brownout_report::{RunAttempt, RunReport, json};

use super::runtime;
use crate::exit::{Exit, Stop};
use crate::flags::BackoffFlags;
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

    #[command(flatten)]
    policy: BackoffFlags,

    /// Command to run until it succeeds
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) fn run(args: Args) -> Result<Exit, Stop> {
    let policy = policy(&args.policy)?;
    let (seed, chosen) = seed(args.seed.map(Seed)).map_err(Stop::into_own_failure)?;
    let output = args.output.map(|file| Output::at(&file).map_err(Stop::into_own_failure)).transpose()?;
    if policy.uses_chance() {
        talk(&format!("seed {seed}{}", chosen_note(seed, chosen)));
    }
    let report = attempts(&policy, seed, args.fail_count, args.command)?;
    if let Some(output) = output {
        output.write(&json(&report)).map_err(Stop::into_own_failure)?;
    }
    if report.command.is_some() {
        // The command's own output is the data here.
        talk(report.text().trim_end());
    } else {
        print(&report.text()).map_err(Stop::into_own_failure)?;
    }
    Ok(Exit::of_command(report.exit_code))
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

fn attempts(policy: &Policy, seed: Seed, fail_count: u32, command: Vec<OsString>) -> Result<RunReport, Stop> {
    let runner = Runner { policy, seed };
    let log = |attempt: &RunAttempt| {
        if let Some(line) = attempt.log_line() {
            talk(&line);
        }
    };
    let mut words = command.into_iter();
    let runtime = runtime().map_err(Stop::into_own_failure)?;
    Ok(match words.next() {
        None => runtime.block_on(runner.run(&mut Flaky { fail_count }, log)),
        Some(program) => runtime.block_on(runner.run(&mut Command { program, arguments: words.collect() }, log)),
    })
}
