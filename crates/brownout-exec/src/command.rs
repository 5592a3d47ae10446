//! A command as a child process.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::num::NonZeroU32;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brownout_policy::retry_after;
use brownout_report::{Exit, Failing, Reason, RunAttempt, RunStop, exit_code};

use crate::hook::Hook;
use crate::input::Input;
use crate::output::{self, Look, Outlet};
#[cfg(unix)]
use crate::terminal::Terminal;
use crate::tree::bury_orphans;
use crate::watch::{Ended, Watch};
use crate::{Attempted, Cause, Failed, Judgement, Rules, Seen, Signals, StdinMode, Stream, Told, Work};

/// A program with its arguments, run anew for each attempt.
#[derive(Clone, Debug)]
pub struct Command {
    /// Name or path, looked up as a shell would.
    pub program: OsString,
    /// Handed over as they are; no shell takes them apart.
    pub arguments: Vec<OsString>,
    /// Variables of its environment, over those of this program. Default none.
    pub environment: Vec<(OsString, OsString)>,
    /// What its ends and its output mean. Default: exit code 0 is success, all else is worth another try.
    pub rules: Arc<Rules>,
    /// What it reads. Default: the same at every attempt.
    pub stdin: StdinMode,
    /// How much of an input that comes once is kept for the next attempt. Default 256 MiB.
    pub stdin_bytes_max: u64,
    /// Whether only the output of the last attempt is shown, at the end. Default no.
    pub hold_output: bool,
    /// Whether the end of what it writes to standard error is kept, for the report. Default no.
    pub keep_tail: bool,
    /// A line for a shell, run after a failed attempt and before the next. Default none.
    pub on_retry: Option<OsString>,
    /// How long it may take to end once it was asked to, before it is killed. Default 10 s.
    pub grace: Duration,
    /// Whether somebody sits at a terminal: then it stays in the process group of this program. Default no.
    pub at_terminal: bool,
    /// Whether this program starts nothing else, so that all that is left to it as a child is of the command. Default no.
    pub alone: bool,
    /// The most attempts there will be, for the command to know. Default without bound.
    pub attempts_max: Option<u32>,
}

/// The tries of a command.
#[derive(Debug)]
pub struct Tries {
    command: Command,
    input: Input,
    /// Standard output and standard error of the last attempt.
    outlets: Option<[Outlet; 2]>,
    last: Option<Exit>,
    #[cfg(unix)]
    terminal: Option<Terminal>,
}

const GRACE: Duration = Duration::from_secs(10);
const STDIN_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How long what a command wrote may take to be passed on, where it was ended from outside: nobody may be reading.
const PASSED_ON_WITHIN: Duration = Duration::from_secs(1);

impl Command {
    /// With every default.
    #[must_use]
    pub fn new(program: OsString, arguments: Vec<OsString>) -> Self {
        Self {
            program,
            arguments,
            environment: Vec::new(),
            rules: Arc::default(),
            stdin: StdinMode::default(),
            stdin_bytes_max: STDIN_BYTES_MAX,
            hold_output: false,
            keep_tail: false,
            on_retry: None,
            grace: GRACE,
            at_terminal: false,
            alone: false,
            attempts_max: None,
        }
    }

    /// As it is to be tried.
    ///
    /// # Errors
    /// When standard input cannot be kept for the next attempt.
    pub fn tries(self) -> io::Result<Tries> {
        Ok(Tries {
            input: Input::of(self.stdin, self.stdin_bytes_max)?,
            outlets: None,
            #[cfg(unix)]
            terminal: if self.at_terminal { Terminal::remember() } else { None },
            command: self,
            last: None,
        })
    }

    fn look(&self, stream: Stream) -> Look {
        Look { rules: Arc::clone(&self.rules), stream, tail: self.keep_tail && stream == Stream::Stderr }
    }

    fn not_started(&self, error: &std::io::Error) -> Failed {
        let code = match error.kind() {
            ErrorKind::NotFound => exit_code::NOT_FOUND,
            _ => exit_code::NOT_EXECUTABLE,
        };
        let program = self.program.to_string_lossy();
        let failing = Failing::new(format!("cannot run `{program}`: {error}"), Reason::Spawn);
        Failed { failing, end: Some(RunStop::Spawn(code)) }
    }
}

impl Work for Tries {
    async fn attempt(&mut self, number: NonZeroU32, allowance: Option<Duration>, signals: &mut Signals) -> Attempted {
        let attempted = self.try_once(number, allowance, signals).await;
        self.last = Some(attempted.as_ref().err().map_or_else(Exit::default, |failed| failed.failing.exit));
        attempted
    }

    fn command(&self) -> Option<Vec<String>> {
        let words = std::iter::once(&self.command.program).chain(&self.command.arguments);
        Some(words.map(|word| word.to_string_lossy().into_owned()).collect())
    }

    async fn between(
        &mut self,
        attempt: &RunAttempt,
        allowance: Option<Duration>,
        signals: &mut Signals,
    ) -> Result<Option<u8>, String> {
        let Command { on_retry, grace, at_terminal, alone, .. } = &self.command;
        let Some(line) = on_retry else { return Ok(None) };
        let mut environment = self.environment(attempt.n);
        environment.push(("BROWNOUT_DELAY_MS", attempt.delay_ms.unwrap_or_default().to_string()));
        let hook = Hook { line, environment, grace: *grace, at_terminal: *at_terminal, alone: *alone };
        let ended = hook.run(allowance, signals).await;
        ended.map_err(|error| format!("--on-retry {}: {error}", line.to_string_lossy()))
    }
}

impl Tries {
    /// Shows what was held of the last attempt.
    ///
    /// # Errors
    /// When it cannot be read or written. That nobody reads is none.
    pub fn show_held(&mut self) -> io::Result<()> {
        self.outlets.as_mut().map_or(Ok(()), output::show)
    }

    async fn try_once(&mut self, number: NonZeroU32, allowance: Option<Duration>, signals: &mut Signals) -> Attempted {
        let Command { grace, at_terminal, alone, hold_output, .. } = self.command;
        if alone {
            bury_orphans();
        }
        let looks = [Stream::Stdout, Stream::Stderr].map(|stream| self.command.look(stream));
        let own_failure = |error: io::Error| Failed {
            failing: Failing::new(format!("failed to prepare standard streams: {error}"), Reason::Error),
            end: Some(RunStop::Spawn(exit_code::OWN_FAILURE)),
        };
        let (stdout, stdout_end) = Outlet::new(&looks[0], hold_output).map_err(own_failure)?;
        let (stderr, stderr_end) = Outlet::new(&looks[1], hold_output).map_err(own_failure)?;
        let stdin = self.input.stdio().map_err(own_failure)?;
        let mut command = self.prepared(number.get());
        command.stdin(stdin).stdout(stdout_end).stderr(stderr_end);
        let started = Watch::start(&mut command, grace, at_terminal, alone);
        let mut watch = started.map_err(|error| self.command.not_started(&error))?;
        let mut outlets = [stdout, stderr];
        // The ends that it holds are the command's.
        drop(command);
        let feeding = self.input.feed(watch.child.stdin.take());
        let watching = looks.each_ref().map(|look| look.watch(&mut watch.child));
        let ended = watch.end(allowance, signals).await;
        self.input.fed(feeding).await;
        let [stdout, stderr] = &mut outlets;
        let [watched_stdout, watched_stderr] = watching;
        let both = async {
            let (stdout, stderr) =
                tokio::join!(looks[0].seen(stdout, watched_stdout), looks[1].seen(stderr, watched_stderr));
            stdout.and(stderr)
        };
        let by_itself = matches!(ended, Ok(Ended::Itself(_)));
        let (seen, told) = tokio::select! {
            biased;
            seen = both => (seen, None),
            signal = told_to_end(signals) => (Seen::default(), Some(signal)),
            () = tokio::time::sleep(PASSED_ON_WITHIN), if !by_itself => (Seen::default(), None),
        };
        self.outlets = Some(outlets);
        let ended = told.map_or(ended, |signal| Ok(Ended::Told(signal)));
        let attempted = self.judge(ended, seen);
        if attempted.is_err() {
            self.restore_terminal();
        }
        attempted
    }

    fn judge(&self, ended: io::Result<Ended>, seen: Seen) -> Attempted {
        let (exit, error) = match ended {
            Ok(Ended::Itself(status)) => (exit(status), status.to_string()),
            Ok(Ended::TimedOut) => {
                let exit = Exit { timed_out: true, ..Exit::default() };
                (exit, "still running when its time was up".to_owned())
            }
            Ok(Ended::Told(signal)) => {
                let failing = Failing::new(format!("ended, since the runner got signal {signal}"), Reason::Interrupted);
                let failing = Failing { stderr_tail: seen.tail, ..failing };
                return Err(Failed { failing, end: Some(RunStop::Interrupted(signal)) });
            }
            Err(error) => {
                return Err(Failing::new(format!("failed to wait for the command: {error}"), Reason::Error).into());
            }
        };
        let (Cause { reason, rule }, end) = match self.command.rules.judge(exit, &seen) {
            Judgement::Success => return Ok(()),
            Judgement::Retry(cause) => match self.input.overflow() {
                None => (cause, None),
                Some(bytes) => {
                    let rule = format!(
                        "standard input is longer than --stdin-max ({bytes} bytes), so it cannot be read again"
                    );
                    (Cause { rule: Some(rule), ..cause }, Some(RunStop::Rule))
                }
            },
            Judgement::Stop(cause) => (cause, Some(RunStop::Rule)),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        let asked = seen.retry_after.and_then(|asked| retry_after::parse(&asked, now));
        // "exit status: 0" is no error by itself.
        let error = match (&rule, reason) {
            (Some(rule), Reason::Output) => format!("{error}, and it printed what {rule} names"),
            _ => error,
        };
        Err(Failed { failing: Failing { error, reason, rule, exit, stderr_tail: seen.tail, retry_after: asked }, end })
    }

    fn prepared(&self, number: u32) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.command.program);
        // Of a runner around this one.
        for name in ["BROWNOUT_MAX_ATTEMPTS", "BROWNOUT_LAST_EXIT"] {
            command.env_remove(name);
        }
        command.args(&self.command.arguments).kill_on_drop(true);
        command.envs(self.environment(number)).envs(self.command.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// What a command is told of attempt `number`.
    fn environment(&self, number: u32) -> Vec<(&'static str, String)> {
        let max = self.command.attempts_max.map(|max| ("BROWNOUT_MAX_ATTEMPTS", max.to_string()));
        let last = self.last.and_then(Exit::code).map(|code| ("BROWNOUT_LAST_EXIT", code.to_string()));
        [("BROWNOUT_ATTEMPT", number.to_string())].into_iter().chain(max).chain(last).collect()
    }

    fn restore_terminal(&self) {
        #[cfg(unix)]
        if let Some(terminal) = &self.terminal {
            terminal.restore();
        }
    }
}

/// A signal that says to end.
async fn told_to_end(signals: &mut Signals) -> u8 {
    loop {
        if let Told::End(signal) = signals.next().await {
            return signal;
        }
    }
}

fn exit(status: ExitStatus) -> Exit {
    Exit { exit_code: status.code(), signal: signal(status), timed_out: false }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
const fn signal(_: ExitStatus) -> Option<i32> {
    None
}
