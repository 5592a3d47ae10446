//! The policy on the command line.

use std::time::Duration;

use brownout_draw::Probability;
use brownout_policy::{Failures, Growth, JitterKind, Policy, Pushback, Settings};
use clap::Args;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;

use super::duration;
use crate::exit::Stop;

/// Limit of an attempt over HTTP where nothing else limits it: a service that never answers must not hold a run for ever.
pub(crate) const HTTP_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);

const POLICY: &str = "Policy (durations: 250ms, 2s, 1m30s; a bare number is seconds)";

/// Flags of every retry policy.
#[derive(Debug, Args)]
pub(crate) struct BackoffFlags {
    /// Retries after the first try [default: 3 where there is a policy]
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true, help_heading = POLICY)]
    pub(crate) max_retries: Option<u32>,

    /// First delay [default: 100ms; for `retry` 2ms]
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, help_heading = POLICY)]
    pub(crate) base_delay: Option<Duration>,

    /// How the delay grows [default: exponential]
    #[arg(long, value_name = "SHAPE", value_parser = named(&Growth::NAMES), help_heading = POLICY)]
    backoff: Option<Growth>,

    /// Growth of an exponential delay from one retry to the next [default: 2]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, help_heading = POLICY)]
    factor: Option<f64>,

    /// These delays in order, the last repeated, in place of a formula
    #[arg(long, value_name = "DURATION,…", value_parser = duration, value_delimiter = ',', help_heading = POLICY)]
    delays: Option<Vec<Duration>>,

    /// Longest backoff, after jitter; a Retry-After may be longer [default: 60s, or the longest delay asked for]
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, help_heading = POLICY)]
    max_delay: Option<Duration>,

    /// Chance in the delay [default: none]
    #[arg(long, value_name = "KIND", value_parser = named(&JitterKind::NAMES), help_heading = POLICY)]
    jitter: Option<JitterKind>,

    /// How far proportional [default: 0.2] and subtractive [default: 0.25] jitter reach
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, help_heading = POLICY)]
    jitter_ratio: Option<Probability>,

    /// How far additive jitter reaches [default: as far as the delay is long]
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, help_heading = POLICY)]
    jitter_width: Option<Duration>,

    /// Limit of the whole, work time and waits included; `deadline` in a scenario [default: none]
    #[arg(long, alias = "deadline", value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, help_heading = POLICY)]
    timeout: Option<Duration>,

    /// Limit of each attempt [default: none; over HTTP 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, help_heading = POLICY)]
    attempt_timeout: Option<Duration>,
}

/// Flags of a policy for calls.
#[derive(Debug, Args)]
pub(crate) struct PolicyFlags {
    #[command(flatten)]
    backoff: BackoffFlags,

    /// Does not wait as long as a service's Retry-After asks
    #[arg(long, help_heading = POLICY)]
    ignore_retry_after: bool,

    /// A longer Retry-After ends the call [default: 300s]
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, help_heading = POLICY)]
    retry_after_max: Option<Duration>,

    /// What is retried: statuses (429), classes (5xx), ranges (500-504), `transport` for broken exchanges,
    /// `retry_after` for 413, 429 and 503 that say when to come back, or one of resolve, connect, tls, reset, closed, protocol, timeout [default: 429,5xx,transport; transport leaves tls out]
    #[arg(long, value_name = "WORD,…", help_heading = POLICY)]
    retry_on: Option<Failures>,
}

impl BackoffFlags {
    /// What the flags say, over what is `under` them.
    pub(crate) fn settings_over(&self, under: Settings) -> Settings {
        self.settings().over(under)
    }

    fn settings(&self) -> Settings {
        Settings {
            max_retries: self.max_retries,
            growth: self.backoff,
            base_delay: self.base_delay,
            factor: self.factor,
            delays: self.delays.clone(),
            max_delay: self.max_delay,
            jitter: self.jitter,
            jitter_ratio: self.jitter_ratio,
            jitter_width: self.jitter_width,
            deadline: self.timeout,
            attempt_timeout: self.attempt_timeout,
            ..Settings::default()
        }
    }
}

impl PolicyFlags {
    /// The policy these flags make over `under`: the scenario's, or a verb's own defaults.
    pub(crate) fn over(&self, under: Settings) -> Result<Policy, Stop> {
        made_of(self.settings().over(under))
    }

    /// Whether a flag was given that only means something where there are retries.
    pub(crate) fn speak_of_retries(&self) -> bool {
        let limits = |settings: Settings| Settings { deadline: None, attempt_timeout: None, ..settings };
        limits(self.settings()) != Settings::default()
    }

    fn settings(&self) -> Settings {
        Settings {
            retry_after: self.ignore_retry_after.then_some(Pushback::Ignore),
            retry_after_max: self.retry_after_max,
            retry_on: self.retry_on.clone(),
            ..self.backoff.settings()
        }
    }
}

/// The policy that settings make of which flags are a part.
pub(crate) fn made_of(settings: Settings) -> Result<Policy, Stop> {
    let in_flags = |setting| format!("--{}", flag(setting));
    Policy::new(settings).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(|error| error.explain(in_flags)).collect();
        Stop::usage(lines.join("\nerror: "))
    })
}

/// The flag of a setting.
fn flag(setting: &str) -> String {
    if setting == "deadline" { "timeout".to_owned() } else { setting.replace('_', "-") }
}

/// A parser of words for values.
fn named<T: Copy + Send + Sync + 'static>(names: &'static [(&'static str, T)]) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names.iter().map(|(name, _)| *name)).map(|word: String| {
        let found = names.iter().find(|(name, _)| *name == word);
        found.expect("only these names are let through").1
    })
}
