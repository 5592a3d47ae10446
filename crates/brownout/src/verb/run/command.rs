//! What is run, as the flags say it.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use brownout_exec::{Command, Ends, Pattern, Rules, StdinMode};
use brownout_scenario::units::size;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::exit::Stop;
use crate::flags::duration;

const RULES: &str = "What is worth another try (any failure, where nothing is said)";
const STREAMS: &str = "Signals and streams";

/// Flags of the command and what its attempts mean.
#[derive(Debug, clap::Args)]
pub(super) struct CommandFlags {
    /// Only these ends: exit codes and ranges (1,7,100-120), signals (SIGKILL, `signal` for any); timeouts always are
    #[arg(long, value_name = "END,…", help_heading = RULES)]
    retry_on_exit: Option<Ends>,

    /// Not these ends, whatever else is said; `timeout` is one too
    #[arg(long, value_name = "END,…", help_heading = RULES)]
    stop_on_exit: Option<Ends>,

    /// Only what prints a line that matches, even with exit code 0; `stdout:REGEX` or `stderr:REGEX` for one stream; may be repeated
    #[arg(long, value_name = "REGEX", help_heading = RULES)]
    retry_on_output: Vec<Pattern>,

    /// Not what fails and prints a line that matches, whatever else is said; may be repeated
    #[arg(long, value_name = "REGEX", help_heading = RULES)]
    stop_on_output: Vec<Pattern>,

    /// Waits at least as many seconds as the first group of a printed line says; the last such line counts
    #[arg(long, value_name = "REGEX", value_parser = with_group, help_heading = RULES)]
    retry_after_from: Vec<Pattern>,

    /// How long the command may take to end after a signal or a timeout, before it is killed; 0 kills at once
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s", allow_hyphen_values = true, help_heading = STREAMS)]
    grace: Duration,

    /// Standard input of the attempts: all of it for each (`replay`), what those before have left (`once`), or nothing (`none`)
    #[arg(long, value_name = "MODE", value_parser = stdin_mode(), default_value = "replay", help_heading = STREAMS)]
    stdin: StdinMode,

    /// How much of a piped standard input is kept for the next attempt; more of it, and there is none
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "256MiB", help_heading = STREAMS)]
    stdin_max: u32,

    /// Shows the output of the last attempt only, when the run is over
    #[arg(long, help_heading = STREAMS)]
    hold_output: bool,

    /// Runs this line by `sh -c` after a failed attempt, before the next; its time is part of the wait
    #[arg(long, value_name = "LINE", help_heading = STREAMS)]
    on_retry: Option<OsString>,
}

impl CommandFlags {
    /// The command of these words; `None` where there are none.
    ///
    /// - `keep_tail`: whether the end of its standard error goes into a report.
    pub(super) fn command(&self, words: &[OsString], keep_tail: bool) -> Result<Option<Command>, Stop> {
        let Some((program, arguments)) = words.split_first() else {
            // A variable that came out empty must not be taken for the wish to try the built-in function.
            if std::env::args_os().next_back().is_some_and(|word| word == "--") {
                let message =
                    "the command after `--` is empty; name a program, or drop `--` to try the built-in function";
                return Err(Stop::usage(message));
            }
            return match self.without_command() {
                None => Ok(None),
                Some(flag) => Err(Stop::usage(format!(
                    "{flag} is about a command, found none; write the command after `--`, or drop {flag}"
                ))),
            };
        };
        if program.is_empty() {
            return Err(Stop::usage("the command after `--` must name a program, found an empty word"));
        }
        let [stdin, stdout, stderr] =
            [std::io::stdin().is_terminal(), std::io::stdout().is_terminal(), std::io::stderr().is_terminal()];
        if self.hold_output && stdin && self.stdin != StdinMode::None {
            let message = "--hold-output would hide what a command asks at a terminal, found standard input to be one; drop it, or \
                           give --stdin none";
            return Err(Stop::usage(message));
        }
        Ok(Some(Command {
            rules: Arc::new(Rules {
                retry_on_exit: self.retry_on_exit.clone(),
                stop_on_exit: self.stop_on_exit.clone(),
                retry_on_output: self.retry_on_output.clone(),
                stop_on_output: self.stop_on_output.clone(),
                retry_after_from: self.retry_after_from.clone(),
            }),
            stdin: self.stdin,
            stdin_bytes_max: self.stdin_max.into(),
            hold_output: self.hold_output,
            keep_tail,
            on_retry: self.on_retry.clone(),
            grace: self.grace,
            at_terminal: stdin || stdout || stderr,
            alone: true,
            ..Command::new(program.clone(), arguments.to_vec())
        }))
    }

    /// A flag that was given, and means nothing without a command.
    fn without_command(&self) -> Option<&'static str> {
        let given = [
            (self.retry_on_exit.is_some(), "--retry-on-exit"),
            (self.stop_on_exit.is_some(), "--stop-on-exit"),
            (!self.retry_on_output.is_empty(), "--retry-on-output"),
            (!self.stop_on_output.is_empty(), "--stop-on-output"),
            (!self.retry_after_from.is_empty(), "--retry-after-from"),
            (self.hold_output, "--hold-output"),
            (self.on_retry.is_some(), "--on-retry"),
        ];
        given.into_iter().find(|(given, _)| *given).map(|(_, flag)| flag)
    }
}

fn with_group(text: &str) -> Result<Pattern, brownout_exec::PatternError> {
    text.parse::<Pattern>()?.with_group()
}

fn stdin_mode() -> impl TypedValueParser<Value = StdinMode> {
    PossibleValuesParser::new(["replay", "once", "none"]).map(|word: String| match word.as_str() {
        "once" => StdinMode::Once,
        "none" => StdinMode::None,
        _ => StdinMode::Replay,
    })
}
